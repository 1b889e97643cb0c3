"""The life of a solidarity operation, and which gifts it takes. Pure.

    OPEN ── share ──▶ SHARING ──── end ──▶ SHARED ── close ──▶ CLOSED
      └─── cancel ──▶ CANCELLING ─ end ──▶ CANCELLED

It is shared once, when its last day is over or its target is reached. Once it is shared or cancelled nothing more is taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from node.solidarity.errors import OperationEnded, OperationNotShared, SolidarityRefusal
from node.solidarity.rules import Givers, PoolRule
from protocol.identifiers import AccountNumber, Id16, make_account_number

OFFERS_MAX: Final = 8  # how often another account may have a number already


class OperationState(StrEnum):
    """What may be done with an operation."""

    OPEN = "open"
    SHARING = "sharing"
    SHARED = "shared"
    CLOSED = "closed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


class OperationEvent(StrEnum):
    """What happens to it."""

    SHARE = "share"
    CANCEL = "cancel"
    END = "end"  # the last page of sharing, or of giving back
    CLOSE = "close"


_S = OperationState
_E = OperationEvent

NEXT_STATE: Final[Mapping[OperationState, Mapping[OperationEvent, OperationState]]] = {
    _S.OPEN: {_E.SHARE: _S.SHARING, _E.CANCEL: _S.CANCELLING},
    _S.SHARING: {_E.END: _S.SHARED},
    _S.SHARED: {_E.CLOSE: _S.CLOSED},
    _S.CLOSED: {},
    _S.CANCELLING: {_E.END: _S.CANCELLED},
    _S.CANCELLED: {},
}
# States in which what was handed out, or given back, is over: what is left waits for the pool's next operation.
OVER: Final = (_S.CLOSED, _S.CANCELLED)


def advance(state: OperationState, event: OperationEvent, *, operation: bytes) -> OperationState:
    """Return the state after `event`. Raises OperationEnded, OperationNotShared."""
    after = NEXT_STATE[state].get(event)
    if after is None:
        kind: type[SolidarityRefusal] = OperationNotShared if event is _E.CLOSE else OperationEnded
        raise kind(id=operation.hex(), state=str(state))
    return after


class Origin(StrEnum):
    """Where what reached an operation's account came from."""

    HOME = "home"  # an account of this territory ceded it
    ABROAD = "abroad"  # it was ceded in another territory
    COMPANY = "company"  # a company's pool credited it
    CARRIED = "carried"  # an earlier operation of the pool left it, or it came back undeliverable


class GiftState(StrEnum):
    """Where a gift is."""

    HELD = "held"  # in the operation: counted, and shared with the rest
    WAITS = "waits"  # it does not fit, or the operation is cancelled: it goes back
    BACK = "back"  # it went back
    KEPT = "kept"  # in the operation's account without being counted; there is nobody it could go back to


class Operation(Struct, frozen=True, kw_only=True):
    """An operation as it stands. Sums are cents; `noted` is the last entry of its account that was looked at."""

    id: int
    op: bytes
    pool_id: int
    title: str
    number: AccountNumber
    outlet: AccountNumber
    salt: bytes
    starts: int
    until: int
    target: int
    state: OperationState
    noted: int
    given: int
    gifts: int
    givers: int
    shared: int
    receivers: int
    handed: int
    missed: int
    places: int
    opened_at: int
    shared_at: int | None
    ended_at: int | None


def judge_gift(rule: PoolRule, operation: Operation, origin: Origin, day: int, *, is_listed: bool) -> str:
    """Return why a gift of that day (yyyymmdd) is not taken, as a code, or nothing. What is carried always is."""
    if origin is Origin.CARRIED:
        return ""
    if operation.state is not OperationState.OPEN or day > operation.until:
        return "gift_too_late"
    if day < operation.starts:
        return "gift_too_early"
    if origin is Origin.COMPANY:
        return "" if Givers.COMPANIES in rule.givers else "giver_not_taken"
    if Givers.ANYBODY in rule.givers or (is_listed and Givers.LISTED in rule.givers):
        return ""
    return "giver_not_taken"


def place_gift(origin: Origin, code: str) -> GiftState:
    """Return where a gift stands that was judged so. What a company credited, or nobody gave, does not go back."""
    if origin is Origin.CARRIED or (code and origin is Origin.COMPANY):
        return GiftState.KEPT
    return GiftState.WAITS if code else GiftState.HELD


def derive_number(seed: bytes, what: str, offer: int) -> AccountNumber:
    """Return the number that is offered for an account of an operation; the next `offer` where somebody has it."""
    return make_account_number(_derive(seed, f"{what} number {offer}"))


def derive_opening(seed: bytes, what: str) -> Id16:
    """Return the id under which an account of an operation is opened."""
    return Id16(_derive(seed, f"{what} account"))


def _derive(seed: bytes, what: str) -> bytes:
    return hashlib.blake2b(what.encode(), key=seed, digest_size=16, person=b"cm-solidarity").digest()
