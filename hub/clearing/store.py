"""SQL of the sequencer: loads and saves, decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Table, bindparam, delete, exists, func, insert, select

from hub.clearing.tables import abroad, ceded, exceptions, lots, positions, slips, transit
from protocol.book.prepared_store import Prepared
from protocol.book.rows_store import insert_or_add, insert_rows, select_rows, update_rows
from protocol.book.tables import attachments, counterfoils, logs
from protocol.cession import CessionState
from protocol.clearing import LotKey
from protocol.exchange.service import EVERYBODY
from protocol.national import SlipKey, SlipRecord
from protocol.times import Instant


@dataclass(slots=True)
class StoredSlip:
    """A slip of cessions with its row id and where it came from."""

    id: int
    origin: str
    epoch: int
    index: int
    record: SlipRecord


_SLIP_COLUMNS = (slips.c.id, slips.c.origin, slips.c.epoch, slips.c.ix, slips.c.taker, slips.c.count, slips.c.state)
_NEW_SLIP = ("origin", "epoch", "ix", "taker", "count", "state", "code", "term", "taken_at", "ended_at")
_INSERT_SLIP = Prepared(insert(slips).returning(slips.c.id), columns=_NEW_SLIP)
_FIND_SLIP = Prepared(
    select(*_SLIP_COLUMNS).where(
        slips.c.origin == bindparam("origin"), slips.c.epoch == bindparam("epoch"), slips.c.ix == bindparam("index")
    )
)
# Epochs lie far apart, and few of them were ever spoken under.
_FIND_EPOCH_BEFORE = Prepared(
    select(func.max(slips.c.epoch)).where(slips.c.origin == bindparam("origin"), slips.c.epoch < bindparam("epoch"))
)
_IS_WAITING = (slips.c.taker == bindparam("taker"), slips.c.state == str(CessionState.CLEARED))
_LOAD_WAITING = Prepared(select(*_SLIP_COLUMNS).where(*_IS_WAITING).order_by(slips.c.id).limit(bindparam("most")))
_HAS_WAITING = Prepared(select(slips.c.id).where(*_IS_WAITING).limit(1))
_IS_EXPIRING = (slips.c.state == str(CessionState.CLEARED), slips.c.term > 0, slips.c.term <= bindparam("now"))
_EXPIRING = select(*_SLIP_COLUMNS).where(*_IS_EXPIRING).order_by(slips.c.id).limit(bindparam("most"))
_LOAD_EXPIRING = Prepared(_EXPIRING)
_LOAD_EXPIRING_FOR = Prepared(_EXPIRING.where(slips.c.taker == bindparam("taker")))
_FIND_ABROAD = Prepared(select(abroad.c.cents).where(abroad.c.issuer == bindparam("issuer")))
_FIND_CEDED = Prepared(
    select(ceded.c.cents).where(ceded.c.member == bindparam("member"), ceded.c.day == bindparam("day"))
)
_DELETE_ARRIVED = Prepared(delete(transit).where(transit.c.slip_id == bindparam("slip"), transit.c.cents == 0))


def load_lots(connection: Connection, keys: Iterable[LotKey]) -> dict[LotKey, tuple[int, int, int]]:
    """Return id, class flags and month of the lots that are known."""
    wanted = set(keys)
    rows = select_rows(
        connection, lots, ("id", "issuer", "ref", "kind", "month"), column="ref", values={ref for _, ref in wanted}
    )
    return {
        (issuer, bytes(ref)): (id_, kind, month)
        for id_, issuer, ref, kind, month in rows
        if (issuer, bytes(ref)) in wanted
    }


def insert_lots(connection: Connection, new: Mapping[LotKey, tuple[int, int]]) -> None:
    """Keep lots as first announced."""
    insert_or_add(
        connection,
        lots,
        ("issuer", "ref", "kind", "month"),
        [(issuer, ref, kind, month) for (issuer, ref), (kind, month) in new.items()],
        key=("issuer", "ref"),
        adding=(),
    )


def load_positions(connection: Connection, lot_ids: Iterable[int], holder: str) -> dict[int, int]:
    """Return the cents of one holder by lot id."""
    rows = select_rows(connection, positions, ("lot_id", "holder", "cents"), column="lot_id", values=lot_ids)
    return {lot_id: cents for lot_id, found, cents in rows if found == holder}


def move_positions(connection: Connection, moves: Mapping[tuple[int, str], int]) -> None:
    """Add (or take, guarded by CHECK) cents."""
    insert_or_add(
        connection,
        positions,
        ("lot_id", "holder", "cents"),
        [(lot, holder, cents) for (lot, holder), cents in moves.items() if cents > 0],
        key=("lot_id", "holder"),
        adding=("cents",),
    )
    update_rows(
        connection,
        positions,
        [(cents, lot, holder) for (lot, holder), cents in moves.items() if cents < 0],
        key=("lot_id", "holder"),
        adding=("cents",),
    )


def find_abroad(connection: Connection, issuer: str) -> int:
    return _FIND_ABROAD.value(connection, issuer=issuer) or 0


def find_ceded(connection: Connection, member: str, day: int) -> int:
    return _FIND_CEDED.value(connection, member=member, day=day) or 0


def move_totals(
    connection: Connection, abroad_moves: Mapping[str, int], ceded_moves: Mapping[tuple[str, int], int]
) -> None:
    """Add to what members have abroad and to what they ceded today."""
    insert_or_add(
        connection,
        abroad,
        ("issuer", "cents"),
        [(issuer, cents) for issuer, cents in abroad_moves.items() if cents > 0],
        key=("issuer",),
        adding=("cents",),
    )
    update_rows(
        connection,
        abroad,
        [(cents, issuer) for issuer, cents in abroad_moves.items() if cents < 0],
        key=("issuer",),
        adding=("cents",),
    )
    insert_or_add(
        connection,
        ceded,
        ("member", "day", "cents"),
        [(member, day, cents) for (member, day), cents in ceded_moves.items()],
        key=("member", "day"),
        adding=("cents",),
    )


def insert_slip(
    connection: Connection, key: SlipKey, record: SlipRecord, *, code: str, term: int, now: Instant
) -> StoredSlip:
    """Keep a slip just taken."""
    ended = now if record.state is CessionState.REFUSED else None
    inserted = _INSERT_SLIP.value(
        connection,
        origin=key[0],
        epoch=key[1],
        ix=key[2],
        taker=record.taker,
        count=record.count,
        state=str(record.state),
        code=code,
        term=term,
        taken_at=now,
        ended_at=ended,
    )
    return StoredSlip(inserted, *key, record)


def insert_exceptions(connection: Connection, rows: Iterable[tuple[int, int, CessionState, str]], now: Instant) -> None:
    """Name cessions that left their slip's state: (slip id, place, state, code)."""
    insert_rows(
        connection,
        exceptions,
        ("slip_id", "place", "state", "code", "at"),
        [(slip, place, str(state), code, now) for slip, place, state, code in rows],
    )


def find_slip(connection: Connection, key: SlipKey) -> StoredSlip | None:
    """Return the slip of that place in its author's log, if it carried cessions."""
    row = _FIND_SLIP.row(connection, origin=key[0], epoch=key[1], index=key[2])
    return None if row is None else _with_exceptions(connection, [row])[0]


def find_slip_at(connection: Connection, origin: str, epoch: int, index: int) -> StoredSlip | None:
    """Return the slip at this place of its author's log, written under `epoch` or an earlier one."""
    found = find_slip(connection, (origin, epoch, index))
    while found is None:
        earlier = _FIND_EPOCH_BEFORE.value(connection, origin=origin, epoch=epoch)
        if earlier is None:
            return None
        epoch = int(earlier)
        found = find_slip(connection, (origin, epoch, index))
    return found


def load_waiting(connection: Connection, taker: str, limit: int) -> list[StoredSlip]:
    """Return the oldest slips cleared for a member and not handed over."""
    return _with_exceptions(connection, _LOAD_WAITING.rows(connection, taker=taker, most=limit))


def has_waiting(connection: Connection, taker: str) -> bool:
    return bool(_HAS_WAITING.rows(connection, taker=taker))


def load_expiring(connection: Connection, now: Instant, taker: str | None, limit: int) -> list[StoredSlip]:
    """Return slips not handed over of which a term has passed, for one receiver or for all."""
    if taker is None:
        found = _LOAD_EXPIRING.rows(connection, now=now, most=limit)
    else:
        found = _LOAD_EXPIRING_FOR.rows(connection, now=now, most=limit, taker=taker)
    return _with_exceptions(connection, found)


def load_ended(connection: Connection, before: int, limit: int) -> list[tuple[str, int]]:
    """Return (origin, index) of slips that ended before an instant and beside which something still lies."""

    def lies_beside(table: Table) -> ColumnElement[bool]:
        return exists().where(table.c.log_id == logs.c.id, table.c.ix == slips.c.ix)

    rows = connection.execute(
        select(slips.c.origin, slips.c.ix)
        .join(logs, (logs.c.owner == slips.c.origin) & (logs.c.reader != EVERYBODY))
        .where(slips.c.ended_at < before, lies_beside(attachments) | lies_beside(counterfoils))
        .limit(limit)
    )
    return [(row[0], row[1]) for row in rows]


def _with_exceptions(connection: Connection, rows: list[tuple]) -> list[StoredSlip]:  # type: ignore[type-arg]
    found: dict[int, dict[int, CessionState]] = {}
    for slip_id, place, state in select_rows(
        connection, exceptions, ("slip_id", "place", "state"), column="slip_id", values=[row[0] for row in rows]
    ):
        found.setdefault(slip_id, {})[place] = CessionState(state)
    return [
        StoredSlip(id_, origin, epoch, index, SlipRecord(taker, count, CessionState(state), found.get(id_, {})))
        for id_, origin, epoch, index, taker, count, state in rows
    ]


def save_state(connection: Connection, slip: StoredSlip, now: Instant, *, term: int | None = None) -> None:
    """Save where a slip stands after it was handed over, stopped or answered."""
    state = slip.record.state
    values: dict[str, object] = {"state": str(state)}
    if state is CessionState.HANDED_OVER:
        values["handed_at"] = now
    elif state is not CessionState.CLEARED:
        values["ended_at"] = now
    if term is not None:
        values["term"] = term
    update_rows(connection, slips, [(*values.values(), slip.id)], setting=tuple(values), key=("id",))


def add_transit(connection: Connection, rows: Iterable[tuple[int, int, int]]) -> None:
    """Name rights on the way: (slip id, lot id, cents)."""
    insert_rows(connection, transit, ("slip_id", "lot_id", "cents"), list(rows))


def take_transit(connection: Connection, rows: Iterable[tuple[int, int, int]]) -> None:
    """Take rights off the way: (slip id, lot id, cents), guarded by CHECK."""
    taken = list(rows)
    update_rows(
        connection,
        transit,
        [(-cents, slip, lot) for slip, lot, cents in taken],
        key=("slip_id", "lot_id"),
        adding=("cents",),
    )
    for slip in {slip for slip, _, _ in taken}:
        _DELETE_ARRIVED.rows(connection, slip=slip)


def load_statement(connection: Connection, member: str) -> list[tuple[str, str, int]]:
    """Return (issuer, holder, cents) of every position on a member's lots and of every position it holds."""
    rows = connection.execute(
        select(lots.c.issuer, positions.c.holder, func.sum(positions.c.cents))
        .join(lots, lots.c.id == positions.c.lot_id)
        .where((lots.c.issuer == member) | (positions.c.holder == member))
        .group_by(lots.c.issuer, positions.c.holder)
        .having(func.sum(positions.c.cents) > 0)
        .order_by(lots.c.issuer, positions.c.holder)
    )
    return [(row[0], row[1], int(row[2])) for row in rows]


def load_transit(connection: Connection, member: str) -> list[tuple[str, str, str, int]]:
    """Return (issuer, giver, taker, cents) on the way that concern a member in any of the three roles."""
    rows = connection.execute(
        select(lots.c.issuer, slips.c.origin, slips.c.taker, func.sum(transit.c.cents))
        .join(lots, lots.c.id == transit.c.lot_id)
        .join(slips, slips.c.id == transit.c.slip_id)
        .where((lots.c.issuer == member) | (slips.c.origin == member) | (slips.c.taker == member))
        .group_by(lots.c.issuer, slips.c.origin, slips.c.taker)
        .order_by(lots.c.issuer, slips.c.origin, slips.c.taker)
    )
    return [(row[0], row[1], row[2], int(row[3])) for row in rows]


def load_all_positions(connection: Connection) -> list[tuple[str, str, int]]:
    """Return (issuer, holder, cents) of all rights delivered outside their issuer's territory."""
    rows = connection.execute(
        select(lots.c.issuer, positions.c.holder, func.sum(positions.c.cents))
        .join(lots, lots.c.id == positions.c.lot_id)
        .group_by(lots.c.issuer, positions.c.holder)
        .having(func.sum(positions.c.cents) > 0)
        .order_by(lots.c.issuer, positions.c.holder)
    )
    return [(row[0], row[1], int(row[2])) for row in rows]


def load_all_transit(connection: Connection) -> list[tuple[str, str, str, int]]:
    """Return (issuer, giver, taker, cents) of all rights on the way."""
    rows = connection.execute(
        select(lots.c.issuer, slips.c.origin, slips.c.taker, func.sum(transit.c.cents))
        .join(lots, lots.c.id == transit.c.lot_id)
        .join(slips, slips.c.id == transit.c.slip_id)
        .group_by(lots.c.issuer, slips.c.origin, slips.c.taker)
        .order_by(lots.c.issuer, slips.c.origin, slips.c.taker)
    )
    return [(row[0], row[1], row[2], int(row[3])) for row in rows]
