"""What is refused about the fund's books, as one tree. Pure.

Malformed
├── InvalidEntry                 an entry that does not balance, or lacks what each line of the books has
├── InvalidFundYear              a closing day that does not exist, a year that is too long or does not follow
└── FecUnreadable                bytes that are no file of entries at all; faults of a readable one are a list
Refusal
└── NothingDedicated             more is used of an earmark than was kept for it
"""

from __future__ import annotations

from protocol.errors import Malformed, Refusal


class InvalidEntry(Malformed):
    """Facts: field, reason."""

    code = "invalid_entry"


class InvalidFundYear(Malformed):
    """Facts: field, reason."""

    code = "invalid_fund_year"


class FecUnreadable(Malformed):
    """Facts: reason."""

    code = "fec_unreadable"


class NothingDedicated(Refusal):
    """Facts: kept, asked, in cents."""

    code = "nothing_dedicated"
