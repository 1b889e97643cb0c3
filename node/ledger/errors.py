"""What the ledger refuses, as one tree. Pure.

    Refusal
    ├── LedgerRefusal                    depends on the state of the book: remembered, the same id gets it again for ever
    │   ├── AccountUnknown               no account has this number
    │   ├── AccountFrozen                nothing leaves or reaches it until it is reopened
    │   ├── AccountClosed                closed for ever; only a return may name it, and goes to the unclaimed
    │   ├── AccountNotEmpty              it cannot be closed yet
    │   ├── ProjectStays                 the account of a project is never closed: rights may come back to it
    │   ├── InsufficientRights           less is available than was asked
    │   ├── KindMisfit                   this kind of posting does not go between accounts of these kinds
    │   ├── LotUnknown                   no such lot in this book
    │   ├── LotClassMismatch             a lot known under another class or month
    │   ├── LotMisplaced                 a home lot at the border, or a foreign lot abroad
    │   ├── ReservationUnknown, ReservationExpired, ReservationEnded, ReservationTooSmall
    │   ├── PostingUnknown               nothing was posted under this id
    │   ├── NotReversible                this kind of posting is not taken back
    │   └── NothingToReverse             nothing of it is still there to take
    └── NumberTaken                      another account has this number: offer another one; not remembered

Facts are whole numbers and text, so that they travel and are stored as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from protocol.errors import Fact, Refusal


class LedgerRefusal(Refusal):
    """Refused because of how the book stood at that moment."""

    code = "ledger_refused"


class AccountUnknown(LedgerRefusal):
    """Facts: account."""

    code = "account_unknown"


class AccountFrozen(LedgerRefusal):
    """Facts: account."""

    code = "account_frozen"


class AccountClosed(LedgerRefusal):
    """Facts: account."""

    code = "account_closed"


class AccountNotEmpty(LedgerRefusal):
    """Facts: account, cents, reserved."""

    code = "account_not_empty"


class ProjectStays(LedgerRefusal):
    """Facts: account."""

    code = "project_stays"


class InsufficientRights(LedgerRefusal):
    """Facts: available, asked, missing; and lot where the caller named the draw that falls short."""

    code = "insufficient_rights"

    def __init__(self, *, available: int, asked: int, missing: int, lot: int | None = None) -> None:
        if lot is None:
            super().__init__(available=available, asked=asked, missing=missing)
        else:
            super().__init__(available=available, asked=asked, missing=missing, lot=lot)
        self.available = available
        self.asked = asked
        self.missing = missing


class KindMisfit(LedgerRefusal):
    """Facts: kind, debit, credit (the kinds of the two accounts)."""

    code = "kind_misfit"


class LotUnknown(LedgerRefusal):
    """Facts: lot (its id here), or issuer and ref."""

    code = "lot_unknown"


class LotClassMismatch(LedgerRefusal):
    """Facts: issuer, ref, field (lot_class or month), known, told."""

    code = "lot_class_mismatch"


class LotMisplaced(LedgerRefusal):
    """Facts: lot, issuer, account (the kind of system account it does not belong in)."""

    code = "lot_misplaced"


class ReservationUnknown(LedgerRefusal):
    """Facts: reservation."""

    code = "reservation_unknown"


class ReservationExpired(LedgerRefusal):
    """Facts: reservation, expires_at."""

    code = "reservation_expired"


class ReservationEnded(LedgerRefusal):
    """Facts: reservation, state."""

    code = "reservation_ended"


class ReservationTooSmall(LedgerRefusal):
    """Facts: reservation, reserved, asked."""

    code = "reservation_too_small"


class PostingUnknown(LedgerRefusal):
    """Facts: posting."""

    code = "posting_unknown"


class NotReversible(LedgerRefusal):
    """Facts: posting, kind."""

    code = "not_reversible"


class NothingToReverse(LedgerRefusal):
    """Facts: posting, reversed (already taken back), available (what the account could give of these lots)."""

    code = "nothing_to_reverse"


class NumberTaken(Refusal):
    """Facts: number."""

    code = "number_taken"


_BY_CODE: Final[Mapping[str, type[LedgerRefusal]]] = {kind.code: kind for kind in LedgerRefusal.__subclasses__()}


def remake(code: str, facts: Mapping[str, Fact]) -> LedgerRefusal:
    """Return the refusal that was remembered under this code, with its facts. Raises ValueError on an unknown code."""
    kind = _BY_CODE.get(code)
    if kind is None:
        raise ValueError(f"the book remembers a refusal that this version does not know: {code}")
    return kind(**facts)
