"""SQL of the federation room: loads and saves, decides nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, Row, bindparam, delete, exists, func, select, update

from node.federation.hub_recovery import FACT as HUB_FACT
from node.federation.hub_recovery import HubRecovery, decode_hub_recovery
from node.federation.recovery import FACT, Recovery, decode_recovery
from node.federation.tables import (
    arrivals,
    breaks,
    cessions,
    checkpoints,
    entries,
    received_slips,
    reconciliations,
    sent_slips,
    unplaced,
)
from protocol.book.prepared_store import Prepared
from protocol.book.rows_store import insert_rows, select_rows, update_rows
from protocol.book.tables import attachments, facts
from protocol.cession import TERMINAL, CessionState
from protocol.envelopes import SignedCheckpoint
from protocol.findings import Finding
from protocol.times import Instant

_IS_SENT = (sent_slips.c.epoch == bindparam("epoch"), sent_slips.c.ix == bindparam("index"))
# Epochs lie far apart, and few of them were ever spoken under.
_FIND_EPOCH_BEFORE = Prepared(select(func.max(sent_slips.c.epoch)).where(sent_slips.c.epoch < bindparam("epoch")))
_FIND_SENT = Prepared(select(sent_slips.c.taker, sent_slips.c.count, sent_slips.c.state).where(*_IS_SENT))
_IS_OF_SLIP = (cessions.c.epoch == bindparam("epoch"), cessions.c.ix == bindparam("index"))
_LOAD_EXCEPTIONS = Prepared(
    select(cessions.c.place, cessions.c.exception).where(*_IS_OF_SLIP, cessions.c.exception.is_not(None))
)
_LOAD_PLACES = Prepared(
    select(cessions.c.place, cessions.c.op, cessions.c.account, cessions.c.cents).where(*_IS_OF_SLIP)
)
_FIND_RECEIVED = Prepared(
    select(received_slips.c.leaf).where(
        received_slips.c.origin == bindparam("origin"),
        received_slips.c.epoch == bindparam("epoch"),
        received_slips.c.ix == bindparam("index"),
    )
)
_FIND_FACT = Prepared(select(facts.c.value).where(facts.c.name == bindparam("name")))


@dataclass(frozen=True, slots=True)
class SentSlip:
    """One of our slips of cessions."""

    epoch: int
    index: int
    taker: str
    count: int
    state: CessionState
    exceptions: Mapping[int, CessionState]

    @property
    def remaining(self) -> frozenset[int]:
        return frozenset(place for place in range(self.count) if place not in self.exceptions)


def insert_sent(
    connection: Connection, *, epoch: int, index: int, taker: str, count: int, cents: int, now: Instant
) -> None:
    insert_rows(
        connection,
        sent_slips,
        ("epoch", "ix", "taker", "count", "cents", "state", "code", "queued_at"),
        [(epoch, index, taker, count, cents, str(CessionState.QUEUED), "", now)],
    )


def insert_cessions(connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Rows: (op, epoch, ix, place, account, beneficiary, cents, term, code, recall)."""
    insert_rows(
        connection,
        cessions,
        ("op", "epoch", "ix", "place", "account", "beneficiary", "cents", "term", "code", "recall"),
        rows,
    )


def find_sent(connection: Connection, epoch: int, index: int) -> SentSlip | None:
    row = _FIND_SENT.row(connection, epoch=epoch, index=index)
    if row is None:
        return None
    taker, count, state = row
    named = _LOAD_EXCEPTIONS.rows(connection, epoch=epoch, index=index)
    return SentSlip(
        epoch, index, taker, count, CessionState(state), {place: CessionState(other) for place, other in named}
    )


def find_sent_at(connection: Connection, epoch: int, index: int) -> SentSlip | None:
    """Return our slip at this place of our log, written under `epoch` or an earlier one."""
    found = find_sent(connection, epoch, index)
    while found is None:
        earlier = _FIND_EPOCH_BEFORE.value(connection, epoch=epoch)
        if earlier is None:
            return None
        epoch = int(earlier)
        found = find_sent(connection, epoch, index)
    return found


def save_sent(connection: Connection, slip: SentSlip, state: CessionState, **values: object) -> None:
    """Move the whole slip to a state, with the instant and the code that belong to it."""
    update_rows(
        connection,
        sent_slips,
        [(str(state), *values.values(), slip.epoch, slip.index)],
        setting=("state", *values),
        key=("epoch", "ix"),
    )


def load_ended(connection: Connection, log_id: int, before: int, limit: int) -> list[int]:
    """Return the places of our slips that ended before an instant and beside which something sealed still lies."""
    lies_beside = exists().where(attachments.c.log_id == log_id, attachments.c.ix == sent_slips.c.ix)
    rows = connection.execute(select(sent_slips.c.ix).where(sent_slips.c.ended_at < before, lies_beside).limit(limit))
    return [int(row[0]) for row in rows]


def save_exceptions(
    connection: Connection,
    slip: SentSlip,
    places: Iterable[tuple[int, str]],
    state: CessionState,
    now: Instant,
) -> None:
    """Name cessions (place, code) that left their slip's state."""
    update_rows(
        connection,
        cessions,
        [(str(state), code, now, slip.epoch, slip.index, place) for place, code in places],
        setting=("exception", "code", "exception_at"),
        key=("epoch", "ix", "place"),
    )


def save_recall(connection: Connection, epoch: int, index: int, places: Iterable[int], recall: str) -> None:
    update_rows(
        connection,
        cessions,
        [(recall, epoch, index, place) for place in places],
        setting=("recall",),
        key=("epoch", "ix", "place"),
    )


_CESSION_COLUMNS = (
    cessions.c.id,
    cessions.c.op,
    cessions.c.epoch,
    cessions.c.ix,
    cessions.c.place,
    cessions.c.account,
    cessions.c.beneficiary,
    cessions.c.cents,
    cessions.c.term,
    cessions.c.exception,
    cessions.c.code,
    cessions.c.exception_at,
    cessions.c.recall,
    sent_slips.c.state,
    sent_slips.c.code.label("slip_code"),
    sent_slips.c.queued_at,
    sent_slips.c.cleared_at,
    sent_slips.c.handed_at,
    sent_slips.c.ended_at,
    sent_slips.c.national,
)
_JOINED = cessions.join(sent_slips, (sent_slips.c.epoch == cessions.c.epoch) & (sent_slips.c.ix == cessions.c.ix))


def find_cession(connection: Connection, op: bytes) -> Row | None:  # type: ignore[type-arg]
    return connection.execute(select(*_CESSION_COLUMNS).select_from(_JOINED).where(cessions.c.op == op)).first()


def load_cessions(connection: Connection, *, account: str | None, before: int | None, limit: int) -> list[Row]:  # type: ignore[type-arg]
    """Return the newest cessions, of one account or of all, before a row id."""
    query = select(*_CESSION_COLUMNS).select_from(_JOINED)
    if account is not None:
        query = query.where(cessions.c.account == account)
    if before is not None:
        query = query.where(cessions.c.id < before)
    return list(connection.execute(query.order_by(cessions.c.id.desc()).limit(limit)).all())


def load_cession_places(connection: Connection, epoch: int, index: int) -> dict[int, tuple[bytes, str, int]]:
    """Return, by place, op, account and cents of a slip's cessions."""
    rows = _LOAD_PLACES.rows(connection, epoch=epoch, index=index)
    return {place: (bytes(op), account, cents) for place, op, account, cents in rows}


def load_ops(connection: Connection, ops: Iterable[bytes]) -> dict[bytes, tuple[int, int, int]]:
    """Return epoch, index and place of cessions already sent, by op."""
    return {
        bytes(op): (epoch, index, place)
        for op, epoch, index, place in select_rows(
            connection, cessions, ("op", "epoch", "ix", "place"), column="op", values=ops
        )
    }


def is_received(connection: Connection, origin: str, epoch: int, index: int) -> bool:
    return find_received_leaf(connection, origin, epoch, index) is not None


def insert_received(
    connection: Connection,
    *,
    origin: str,
    epoch: int,
    index: int,
    hub_index: int,
    answer_index: int | None,
    leaf: bytes,
    statement: bytes,
    signature: bytes,
    now: Instant,
) -> None:
    insert_rows(
        connection,
        received_slips,
        ("origin", "epoch", "ix", "hub_ix", "answer_ix", "leaf", "statement", "signature", "received_at"),
        [(origin, epoch, index, hub_index, answer_index, leaf, statement, signature, now)],
    )


def insert_arrivals(connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Rows: (op, origin, epoch, ix, place, account, cents, giver, words, state, code, at)."""
    insert_rows(
        connection,
        arrivals,
        ("op", "origin", "epoch", "ix", "place", "account", "cents", "giver", "words", "state", "code", "at"),
        rows,
    )


def find_arrival(connection: Connection, op: bytes) -> Row | None:  # type: ignore[type-arg]
    """Return one arrival by the id under which it was credited."""
    return connection.execute(select(arrivals).where(arrivals.c.op == op)).first()


def find_arrivals(connection: Connection, ops: Sequence[bytes]) -> dict[bytes, Row]:  # type: ignore[type-arg]
    """Return arrivals by the ids under which they were credited."""
    found: dict[bytes, Row] = {}  # type: ignore[type-arg]
    for start in range(0, len(ops), 500):
        for row in connection.execute(select(arrivals).where(arrivals.c.op.in_(ops[start : start + 500]))):
            found[bytes(row.op)] = row
    return found


def find_arrival_at(connection: Connection, origin: str, epoch: int, index: int, place: int) -> Row | None:  # type: ignore[type-arg]
    """Return the arrival by its place in its giver's log."""
    at = (arrivals.c.origin == origin, arrivals.c.epoch == epoch, arrivals.c.ix == index, arrivals.c.place == place)
    return connection.execute(select(arrivals).where(*at)).first()


def find_received_leaf(connection: Connection, origin: str, epoch: int, index: int) -> bytes | None:
    """Return the author's slip, if it was handed to us."""
    leaf = _FIND_RECEIVED.value(connection, origin=origin, epoch=epoch, index=index)
    return None if leaf is None else bytes(leaf)


def load_arrivals(connection: Connection, *, account: str | None, before: int | None, limit: int) -> list[Row]:  # type: ignore[type-arg]
    query = select(arrivals)
    if account is not None:
        query = query.where(arrivals.c.account == account)
    if before is not None:
        query = query.where(arrivals.c.id < before)
    return list(connection.execute(query.order_by(arrivals.c.id.desc()).limit(limit)).all())


def load_entries(connection: Connection) -> list[bytes]:
    return [bytes(row[0]) for row in connection.execute(select(entries.c.entry).order_by(entries.c.number))]


def insert_entries(connection: Connection, start: int, new: Sequence[bytes]) -> None:
    insert_rows(connection, entries, ("number", "entry"), [(start + place, entry) for place, entry in enumerate(new)])


class KeptCheckpoint(NamedTuple):
    """The newest national checkpoint that was proved, the hub's statement that carried it, and the key that signed both."""

    size: int
    root: bytes
    body: bytes
    key: bytes
    signature: bytes
    statement: bytes
    statement_signature: bytes
    signing: bytes


_CHECKPOINT = KeptCheckpoint._fields
_FIND_CHECKPOINT = Prepared(select(*(checkpoints.c[name] for name in _CHECKPOINT)))
_DELETE_CHECKPOINT = Prepared(delete(checkpoints))


def find_checkpoint(connection: Connection) -> KeptCheckpoint | None:
    row = _FIND_CHECKPOINT.row(connection)
    return None if row is None else KeptCheckpoint(*row)


def delete_checkpoint(connection: Connection) -> None:
    """Forget the newest checkpoint: the hub's national log begins anew, under another epoch."""
    _DELETE_CHECKPOINT.rows(connection)


def save_checkpoint(
    connection: Connection,
    *,
    size: int,
    root: bytes,
    signed: SignedCheckpoint,
    statement: bytes,
    signature: bytes,
    signing: bytes,
) -> None:
    _DELETE_CHECKPOINT.rows(connection)
    insert_rows(
        connection,
        checkpoints,
        ("id", *_CHECKPOINT),
        [(1, size, root, signed.body, signed.key, signed.signature, statement, signature, signing)],
    )


def find_count(connection: Connection, name: str) -> int:
    """Return a small count kept among the book's facts."""
    value = find_fact(connection, name)
    return int(value) if value else 0


def save_count(connection: Connection, name: str, count: int) -> None:
    if find_count(connection, name) != count:
        save_fact(connection, name, str(count))


def find_fact(connection: Connection, name: str) -> str | None:
    """Return one of the book's facts."""
    value: str | None = _FIND_FACT.value(connection, name=name)
    return value


def find_recovery(connection: Connection) -> Recovery | None:
    """Return where a recovery of this book stands, if one runs."""
    value = find_fact(connection, FACT)
    return None if value is None else decode_recovery(value)


def find_hub_recovery(connection: Connection) -> HubRecovery | None:
    """Return what a restored hub lacks, while it lacks anything."""
    value = find_fact(connection, HUB_FACT)
    return None if value is None else decode_hub_recovery(value)


def save_fact(connection: Connection, name: str, value: str | None) -> None:
    """Keep a fact in place of the one before, or forget it."""
    connection.execute(facts.delete().where(facts.c.name == name))
    if value is not None:
        connection.execute(facts.insert().values(name=name, value=value))


def insert_unplaced(
    connection: Connection, *, op: bytes, account: str, cents: int, epoch: int, index: int, place: int
) -> None:
    """Name rights that left by a slip of ours and that this book cannot place."""
    connection.execute(
        unplaced.insert().values(op=op, account=account, cents=cents, epoch=epoch, ix=index, place=place)
    )


def load_unplaced(connection: Connection, *, open_only: bool = True) -> list[Row]:  # type: ignore[type-arg]
    """Return what could not be placed, the oldest first; with `open_only`, what nobody has settled yet."""
    query = select(unplaced).order_by(unplaced.c.id)
    if open_only:
        query = query.where(unplaced.c.settled_at.is_(None))
    return list(connection.execute(query).all())


def find_unplaced(connection: Connection, id_: int) -> Row | None:  # type: ignore[type-arg]
    return connection.execute(select(unplaced).where(unplaced.c.id == id_)).first()


def save_settled(connection: Connection, id_: int, op: bytes, now: Instant) -> None:
    """What could not be placed was, by this posting."""
    connection.execute(update(unplaced).where(unplaced.c.id == id_).values(settled_by=op, settled_at=now))


def insert_reconciliation(
    connection: Connection, *, hub_index: int, taken: int, now: Instant, rows: Sequence[Finding]
) -> None:
    connection.execute(
        reconciliations.insert().values(
            hub_ix=hub_index,
            taken=taken,
            at=now,
            is_equal=not rows,
            breaks=json.dumps([row.as_row() for row in rows]),
        )
    )


def find_reconciliation(connection: Connection) -> Row | None:  # type: ignore[type-arg]
    """Return the newest comparison with the hub."""
    return connection.execute(select(reconciliations).order_by(reconciliations.c.id.desc()).limit(1)).first()


def save_break(connection: Connection, now: Instant, *, place: str, expected: str, found: str) -> None:
    """Keep a contradiction once."""
    known = connection.execute(
        select(breaks.c.id).where(breaks.c.place == place, breaks.c.expected == expected, breaks.c.found == found)
    ).first()
    if known is None:
        connection.execute(breaks.insert().values(at=now, place=place, expected=expected, found=found))


def load_breaks(connection: Connection) -> list[Row]:  # type: ignore[type-arg]
    return list(connection.execute(select(breaks).order_by(breaks.c.id)).all())


def load_breaks_at(connection: Connection, start: str) -> list[str]:
    """Return the places that begin so and at which something does not fit, each once."""
    places = select(breaks.c.place).where(breaks.c.place.startswith(start, autoescape=True)).distinct()
    return list(connection.execute(places.order_by(breaks.c.place)).scalars())


def delete_breaks(connection: Connection, place: str) -> None:
    """Forget what did not fit at a place, because it does by now."""
    connection.execute(delete(breaks).where(breaks.c.place == place))


def load_unanswered(connection: Connection, from_answer: int) -> list[tuple[str, int, int, bytes]]:
    """Return (origin, epoch, index, leaf) of slips whose Answer stands in our log at `from_answer` or later."""
    rows = connection.execute(
        select(received_slips.c.origin, received_slips.c.epoch, received_slips.c.ix, received_slips.c.leaf).where(
            received_slips.c.answer_ix >= from_answer
        )
    )
    return [(row[0], row[1], row[2], bytes(row[3])) for row in rows]


def load_delivered_places(connection: Connection, origin: str, epoch: int, index: int) -> frozenset[int]:
    """Return the places of a received slip that were credited here."""
    rows = connection.execute(
        select(arrivals.c.place).where(
            arrivals.c.origin == origin,
            arrivals.c.epoch == epoch,
            arrivals.c.ix == index,
            arrivals.c.state == "delivered",
        )
    )
    return frozenset(row[0] for row in rows)


def load_unfinished(connection: Connection, from_index: int | None = None) -> list[SentSlip]:
    """Return our slips that have not ended."""
    query = select(sent_slips.c.epoch, sent_slips.c.ix).where(
        sent_slips.c.state.not_in([str(state) for state in TERMINAL])
    )
    if from_index is not None:
        query = query.where(sent_slips.c.ix >= from_index)
    found = [find_sent(connection, row.epoch, row.ix) for row in connection.execute(query).all()]
    return [slip for slip in found if slip is not None]


def load_in_flight(connection: Connection, account: str) -> int:
    """Return the cents that an account ceded to other territories, and whose cession has not ended."""
    state = func.coalesce(cessions.c.exception, sent_slips.c.state)
    ended = [str(one) for one in TERMINAL]
    query = select(func.coalesce(func.sum(cessions.c.cents), 0)).select_from(_JOINED)
    return int(connection.execute(query.where(cessions.c.account == account, state.not_in(ended))).scalar_one())


def count_states(connection: Connection) -> dict[str, tuple[int, int]]:
    """Return cessions sent by state: how many, and their cents."""
    state = func.coalesce(cessions.c.exception, sent_slips.c.state)
    rows = connection.execute(
        select(state, func.count(), func.sum(cessions.c.cents)).select_from(_JOINED).group_by(state)
    )
    return {row[0]: (int(row[1]), int(row[2])) for row in rows}


def count_arrivals(connection: Connection) -> dict[str, tuple[int, int]]:
    """Return cessions received by state: how many, and their cents."""
    rows = connection.execute(
        select(arrivals.c.state, func.count(), func.sum(arrivals.c.cents)).group_by(arrivals.c.state)
    )
    return {row[0]: (int(row[1]), int(row[2])) for row in rows}
