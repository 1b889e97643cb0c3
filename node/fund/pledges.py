"""A company's pledge: euros that are called once miles are converted, up to a ceiling that two officers accepted. Pure.

    ASKED ──two signatures──▶ ACCEPTED ──the accounts issued its lot──▶ ISSUED ──the campaign is over──▶ ENDED
      └──declined─────▶ REFUSED ◀──the accounts did not──┘

A pledge stands off the balance sheet until it is paid. What its campaign did not give is released when it ends; what was
given and is not converted stays pledged, and is called in the month after it is converted.
Source: shared design, DOMAIN.md, 1.1 ("called") and 2.3 [D].
"""

from __future__ import annotations

import datetime
import hashlib
from enum import StrEnum
from typing import Final

from protocol.identifiers import Id16

CALLED: Final = 16  # the flag of a called lot's class: its meaning is the accounts'


class PledgeState(StrEnum):
    ASKED = "asked"  # fewer than two signatures
    ACCEPTED = "accepted"  # two: the accounts are told to issue its lot
    ISSUED = "issued"  # they did: the campaign may give
    ENDED = "ended"  # the campaign is over: what it did not give is released
    REFUSED = "refused"


def compute_limit(cents: int, given: int | None) -> int:
    """Return up to how much may be called: the ceiling, or what was given where the campaign is over."""
    return cents if given is None else given


def issue_id(pledge: bytes) -> Id16:
    """Return the id under which the accounts are told to issue the lot of a pledge."""
    return Id16(hashlib.blake2b(pledge, digest_size=16, person=b"cm-pledge-lot").digest())


def call_id(donor: bytes, month: int, lot_class: int) -> Id16:
    """Return the id of what is called of a donor for a month, the same whoever computes it."""
    told = donor + month.to_bytes(4, "big") + lot_class.to_bytes(4, "big")
    return Id16(hashlib.blake2b(told, digest_size=16, person=b"cm-call").digest())


def month_of(day: datetime.date) -> int:
    return day.year * 100 + day.month


def choose_month(converted: int, today: datetime.date, called: frozenset[int]) -> int | None:
    """Return the month for which something converted in a month is called; None where that is later.

    A month is called once, after its end: what is found to belong to it later goes with the last whole month.
    """
    last = month_of(today.replace(day=1) - datetime.timedelta(days=1))
    if converted > last:
        return None
    return next((month for month in (converted, last) if month not in called), None)
