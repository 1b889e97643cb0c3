"""Reserve, release, and sweep reservations whose time is over."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from node.ledger import store
from node.ledger.accounts import AccountState
from node.ledger.desk import Desk, answer_refused, find_outcome, refuse_state, remember_refusal, touch
from node.ledger.errors import AccountUnknown, InsufficientRights, ReservationUnknown
from node.ledger.fingerprints import compute_fingerprint
from node.ledger.posting_service import load_known, load_sheets
from node.ledger.reservations import (
    ASKED_FIELDS,
    Released,
    Reservation,
    ReservationEvent,
    ReservationState,
    Reserve,
    Reserved,
    advance,
    asked_values,
)
from protocol.errors import IdMismatch, InvalidTime, Refusal
from protocol.identifiers import Id16

_RESERVE = "reserve"


def reserve(connection: Connection, desk: Desk, asked: Sequence[Reserve]) -> list[Reserved | Refusal]:
    """Set each sum aside, or answer again what its id set aside."""
    ops = [item.op for item in asked]
    load_sheets(connection, desk, {item.account for item in asked})
    store.load_reservations(connection, desk, ops)
    load_known(connection, desk, ops)  # a refused id is refused whatever it is used for next
    answers: list[Reserved | Refusal] = []
    for item in asked:
        try:
            answers.append(_reserve(connection, desk, item))
        except Refusal as refusal:
            fingerprint = compute_fingerprint(_RESERVE, asked_values(item))
            answers.append(remember_refusal(desk, item.op, fingerprint, refusal))
    return answers


def _reserve(connection: Connection, desk: Desk, asked: Reserve) -> Reserved:
    made = desk.reservations.get(asked.op)
    if made is not None:
        values = (made.account, made.cents, made.expires_at)
        for field, kept, told in zip(ASKED_FIELDS, values, asked_values(asked), strict=True):
            if kept != told:
                raise IdMismatch(id=asked.op.hex(), field=field)
        return _reserved(asked, made, is_repeat=True)
    known = find_outcome(desk, asked.op)
    if known is not None and isinstance(known.answer, Refusal):
        fingerprint = compute_fingerprint(_RESERVE, asked_values(asked))
        raise answer_refused(asked.op, fingerprint, known, ASKED_FIELDS)
    sheet = desk.sheets.get(asked.account)
    if sheet is None:
        raise AccountUnknown(account=asked.account)
    if sheet.state is not AccountState.OPEN:
        raise refuse_state(sheet)
    if asked.expires_at <= desk.now:
        raise InvalidTime(field="expires_at", reason="a reservation ends in the future")
    if sheet.available < asked.cents:
        raise InsufficientRights(available=sheet.available, asked=asked.cents, missing=asked.cents - sheet.available)
    made = Reservation(
        op=asked.op,
        account=asked.account,
        cents=asked.cents,
        expires_at=asked.expires_at,
        at=desk.now,
        state=ReservationState.ACTIVE,
    )
    desk.reservations[asked.op] = made
    store.insert_reservation(connection, made, sheet.id)
    sheet.reserved += asked.cents
    touch(desk, sheet)
    return _reserved(asked, made)


def _reserved(asked: Reserve, made: Reservation, *, is_repeat: bool = False) -> Reserved:
    return Reserved(
        op=asked.op,
        account=asked.account,
        cents=made.cents,
        expires_at=made.expires_at,
        at=made.at,
        state=made.state,
        is_repeat=is_repeat,
    )


def release(connection: Connection, desk: Desk, ops: Sequence[Id16]) -> list[Released | Refusal]:
    """Free what these reservations hold. Asked twice is done once, so it needs no id of its own."""
    store.load_reservations(connection, desk, ops)
    answers: list[Released | Refusal] = []
    for op in ops:
        try:
            answers.append(_end(desk, op, ReservationEvent.RELEASE))
        except Refusal as refusal:
            answers.append(refusal)
    return answers


def _end(desk: Desk, op: Id16, event: ReservationEvent) -> Released:
    made = desk.reservations.get(op)
    if made is None:
        raise ReservationUnknown(reservation=op.hex())
    after = advance(made.state, event, op=op)
    if after is not made.state:
        sheet = desk.sheets[made.account]
        sheet.reserved -= made.cents
        made.state = after
        desk.ended.append(made)
        touch(desk, sheet)
    return Released(op=op, state=after)


def expire_reservations(connection: Connection, desk: Desk, limits: Sequence[int]) -> list[int]:
    """End, for each item, up to that many reservations whose time is over; return how many. Run twice is run once."""
    counts: list[int] = []
    for limit in limits:
        store.save_desk(connection, desk)
        expired = store.find_expired(connection, desk.now, limit)
        store.load_reservations(connection, desk, expired)
        for op in expired:
            _end(desk, op, ReservationEvent.EXPIRE)
        counts.append(len(expired))
    return counts
