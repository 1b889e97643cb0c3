"""Monthly gifts: what a citizen signed, one debit a month for all projects, and its life. Pure.

    ANNOUNCED ──▶ ORDERED ──▶ COLLECTED ──▶ RETURNED
        │            └──▶ REJECTED ──▶ COLLECTED   (a statement is believed more than a report)
        └──▶ DROPPED

A collection is announced once for a month, ordered once, and never made up for in a later month: nobody is debited
twice in a month because the fund's machine was off.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.fund.direct_debits import DebitRules, compute_collection_day, compute_submission_day
from node.fund.fund_errors import MandateRefused
from node.fund.references import EndToEndId
from node.fund.target_days import TargetCalendar
from protocol.amounts import Cents, require_amount
from protocol.identifiers import Id16

SHARES_MAX: Final = 50
LABEL_MAX: Final = 80
LEAD_DAYS: Final = 7  # a collection is announced so many days before the notice must be given
ORDER_DAYS: Final = 4  # and ordered so many settlement days before the bank must have it


class MandateState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"  # for good: another gift needs another signature


class CollectionState(StrEnum):
    ANNOUNCED = "announced"
    ORDERED = "ordered"
    LEFT_OUT = "left_out"  # nothing was left to collect, or the bank could not have had it in the month


class DebitState(StrEnum):
    ANNOUNCED = "announced"
    ORDERED = "ordered"
    COLLECTED = "collected"
    RETURNED = "returned"  # it was credited and taken back: the gift is undone
    REJECTED = "rejected"  # it never came
    DROPPED = "dropped"  # paused, ended or too late before it was ordered


class DebitEvent(StrEnum):
    ORDER = "order"
    DROP = "drop"
    COLLECT = "collect"
    REJECT = "reject"
    RETURN = "return"


_S, _E = DebitState, DebitEvent
NEXT_STATE: Final[Mapping[DebitState, Mapping[DebitEvent, DebitState]]] = {
    _S.ANNOUNCED: {_E.ORDER: _S.ORDERED, _E.DROP: _S.DROPPED},
    _S.ORDERED: {_E.COLLECT: _S.COLLECTED, _E.REJECT: _S.REJECTED},
    _S.COLLECTED: {_E.RETURN: _S.RETURNED},
    _S.RETURNED: {},
    _S.REJECTED: {_E.COLLECT: _S.COLLECTED},
    _S.DROPPED: {},
}
NEXT_MANDATE_STATE: Final[Mapping[MandateState, frozenset[MandateState]]] = {
    MandateState.ACTIVE: frozenset({MandateState.PAUSED, MandateState.ENDED}),
    MandateState.PAUSED: frozenset({MandateState.ACTIVE, MandateState.ENDED}),
    MandateState.ENDED: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DueMonth:
    """A month (yyyymm) that is to be announced, and the day on which its debits are collected."""

    month: int
    collected_on: datetime.date


def write_shares(shares: Sequence[tuple[str, Cents]]) -> str:
    """Return the shares of a monthly gift as they are kept. Raises MandateRefused, InvalidAmount."""
    if not 0 < len(shares) <= SHARES_MAX or len({label for label, _ in shares}) != len(shares):
        raise MandateRefused(reason=f"1 to {SHARES_MAX} shares, each of another label")
    for label, cents in shares:
        if not 0 < len(label) <= LABEL_MAX or not label.isprintable():
            raise MandateRefused(reason=f"a share's label is a line of 1 to {LABEL_MAX} symbols")
        require_amount(cents)
    require_amount(sum(cents for _, cents in shares))
    return json.dumps([[label, int(cents)] for label, cents in shares], ensure_ascii=False)


def read_shares(text: str) -> dict[str, Cents]:
    """Return what each project gets of a debit."""
    return {label: Cents(cents) for label, cents in json.loads(text)}


def month_of(day: datetime.date) -> int:
    return day.year * 100 + day.month


def choose_month(
    today: datetime.date, *, last: int, gift_day: int, rules: DebitRules, calendar: TargetCalendar
) -> DueMonth | None:
    """Return the month after `last` (yyyymm, or 0) that is to be announced today, or None.

    A month whose notice cannot be given any more is passed over: its gifts are not collected twice in the next one.
    """
    following = (today.replace(day=1) + datetime.timedelta(days=32)).replace(day=1)
    for first in (today.replace(day=1), following):
        wished = first.replace(day=gift_day)
        if month_of(first) <= last or today < wished - datetime.timedelta(days=rules.notice_days + LEAD_DAYS):
            continue
        collected_on = compute_collection_day(notified_on=today, wished_on=wished, rules=rules, calendar=calendar)
        if month_of(collected_on) == month_of(first):
            return DueMonth(month=month_of(first), collected_on=collected_on)
    return None


def compute_order_day(collected_on: datetime.date, *, rules: DebitRules, calendar: TargetCalendar) -> datetime.date:
    """Return the first day on which the message is written: until then a donor may still pause."""
    return calendar.before(collected_on, rules.submission_days + ORDER_DAYS)


def choose_collection_day(
    announced: datetime.date, today: datetime.date, *, rules: DebitRules, calendar: TargetCalendar
) -> datetime.date | None:
    """Return the day that was announced, or the first later one of its month that the bank can still do; or None."""
    day = announced
    while compute_submission_day(day, rules=rules, calendar=calendar) < today:
        day = calendar.on_or_after(day + datetime.timedelta(days=1))
        if month_of(day) != month_of(announced):
            return None
    return day


def debit_id(mandate: bytes, month: int) -> Id16:
    """Return the id of a mandate's debit of a month: whoever computes it again finds the same."""
    told = mandate + month.to_bytes(4, "big")
    return Id16(hashlib.blake2b(told, digest_size=16, person=b"cm-debit").digest())


def debit_end_to_end_id(debit: bytes) -> EndToEndId:
    """Return the id that goes with a debit through all banks."""
    digest = hashlib.blake2b(debit, digest_size=14, person=b"cm-debit-e2e").hexdigest().upper()
    return EndToEndId(f"CM{digest}D")
