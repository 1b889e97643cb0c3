"""Reservations: a sum of an account set aside until it is used, released or expired. Pure.

    ACTIVE ── release ──▶ RELEASED
       ├───── use ──────▶ USED        by one posting; what it does not take is free again
       └───── expire ───▶ EXPIRED     only by the sweep, never by a reader's clock

A reservation is of an amount, not of lots: the lots are chosen when it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from node.ledger.accounts import AccountKey
from node.ledger.errors import ReservationEnded, ReservationExpired, ReservationTooSmall, ReservationUnknown
from protocol.amounts import Cents, require_amount
from protocol.identifiers import AccountNumber, Id16, require_id
from protocol.times import Instant, require_instant


class ReservationState(StrEnum):
    """Where a reservation stands."""

    ACTIVE = "active"
    RELEASED = "released"
    USED = "used"
    EXPIRED = "expired"


class ReservationEvent(StrEnum):
    """What happens to it."""

    RELEASE = "release"
    USE = "use"
    EXPIRE = "expire"


_S = ReservationState
_E = ReservationEvent

NEXT_STATE: Final[Mapping[ReservationState, Mapping[ReservationEvent, ReservationState]]] = {
    _S.ACTIVE: {_E.RELEASE: _S.RELEASED, _E.USE: _S.USED, _E.EXPIRE: _S.EXPIRED},
    _S.RELEASED: {_E.RELEASE: _S.RELEASED},
    _S.USED: {},
    _S.EXPIRED: {_E.RELEASE: _S.EXPIRED, _E.EXPIRE: _S.EXPIRED},  # either way the rights are free again
}


class Reserve(msgspec.Struct, frozen=True, kw_only=True):
    """Set `cents` of an account aside until `expires_at`."""

    op: Id16
    account: AccountNumber
    cents: Cents
    expires_at: Instant

    def __post_init__(self) -> None:
        require_id(self.op)
        require_amount(self.cents)
        require_instant(self.expires_at, "expires_at")


class Reserved(msgspec.Struct, frozen=True, kw_only=True):
    """A reservation as it was made; `state` is how it stands now."""

    op: Id16
    account: AccountNumber
    cents: Cents
    expires_at: Instant
    at: Instant
    state: ReservationState
    is_repeat: bool


class Released(msgspec.Struct, frozen=True, kw_only=True):
    """The reservation no longer holds anything; `state` says whether it was released or had expired."""

    op: Id16
    state: ReservationState


class Reservation(msgspec.Struct, kw_only=True):
    """A reservation as it stands in this page."""

    op: Id16
    account: AccountKey
    cents: Cents
    expires_at: Instant
    at: Instant
    state: ReservationState
    used_by: Id16 | None = None


def advance(state: ReservationState, event: ReservationEvent, *, op: Id16) -> ReservationState:
    """Return the state after `event`; a resend returns it unchanged. Raises ReservationEnded."""
    after = NEXT_STATE[state].get(event)
    if after is None:
        raise ReservationEnded(reservation=op.hex(), state=state)
    return after


def require_usable(
    reservation: Reservation | None, *, op: Id16, account: AccountKey, cents: Cents, now: Instant
) -> Reservation:
    """Return the reservation if this account may use it now for this sum.

    Raises ReservationUnknown, ReservationEnded, ReservationExpired, ReservationTooSmall.
    """
    if reservation is None or reservation.account != account:
        raise ReservationUnknown(reservation=op.hex())
    if reservation.state is ReservationState.EXPIRED:
        raise ReservationExpired(reservation=op.hex(), expires_at=reservation.expires_at)
    advance(reservation.state, ReservationEvent.USE, op=op)
    if reservation.expires_at <= now:
        raise ReservationExpired(reservation=op.hex(), expires_at=reservation.expires_at)
    if reservation.cents < cents:
        raise ReservationTooSmall(reservation=op.hex(), reserved=reservation.cents, asked=cents)
    return reservation


ASKED_FIELDS: Final = ("account", "cents", "expires_at")


def asked_values(asked: Reserve) -> tuple[object, ...]:
    """Return the content in the order of ASKED_FIELDS."""
    return (asked.account, asked.cents, asked.expires_at)
