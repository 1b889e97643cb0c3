"""SQL of the obligations: loads and saves, decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from hub.clearing.tables import exceptions, slips
from hub.settlement.tables import obligations
from protocol.book.prepared_store import Prepared
from protocol.book.rows_store import insert_rows, update_rows
from protocol.cession import CessionState
from protocol.messages import SettledState
from protocol.national import SlipKey
from protocol.obligations import Obligation

_COLUMNS = ("slip_id", "place", "debtor", "creditor", "project", "cents", "said", "said_on", "confirmed_on")
_FACTS = tuple(obligations.c[name] for name in _COLUMNS[2:])
_KEY = (slips.c.origin, slips.c.epoch, slips.c.ix)
_FIND = Prepared(
    select(*_FACTS)
    .join(slips, slips.c.id == obligations.c.slip_id)
    .where(
        slips.c.origin == bindparam("origin"),
        slips.c.epoch == bindparam("epoch"),
        slips.c.ix == bindparam("index"),
        obligations.c.place == bindparam("place"),
    )
)


def insert(connection: Connection, slip_id: int, new: Mapping[int, Obligation]) -> None:
    """Keep what may be owed for a slip of conversions, by place."""
    insert_rows(
        connection,
        obligations,
        _COLUMNS,
        [
            (
                *(slip_id, place, one.debtor, one.creditor, one.project, one.cents),
                *(one.said or 0, one.said_on, one.confirmed_on),
            )
            for place, one in new.items()
        ],
    )


def find(connection: Connection, key: SlipKey, place: int) -> Obligation | None:
    row = _FIND.row(connection, origin=key[0], epoch=key[1], index=key[2], place=place)
    return None if row is None else _read(tuple(row))


def save_words(connection: Connection, slip_id: int, changed: Iterable[tuple[int, Obligation]]) -> None:
    """Save what was said of obligations of a slip, by place."""
    update_rows(
        connection,
        obligations,
        [(one.said or 0, one.said_on, one.confirmed_on, slip_id, place) for place, one in changed],
        setting=("said", "said_on", "confirmed_on"),
        key=("slip_id", "place"),
    )


def load_all(connection: Connection) -> Iterator[tuple[tuple[SlipKey, int], Obligation]]:
    """Go through all obligations, those included whose conversion was not taken (yet)."""
    rows = connection.execute(
        select(*_KEY, obligations.c.place, *_FACTS).join(slips, slips.c.id == obligations.c.slip_id)
    )
    for origin, epoch, index, place, *row in rows:
        yield ((origin, epoch, index), place), _read(row)


def load_owed(connection: Connection, member: str = "") -> Iterator[tuple[tuple[SlipKey, int], Obligation]]:
    """Go through what is owed, or was: conversions that their issuer took, oldest first; of one member, or of all."""
    query: Select[Any] = (
        select(*_KEY, obligations.c.place, *_FACTS)
        .join(slips, slips.c.id == obligations.c.slip_id)
        .outerjoin(
            exceptions,
            (exceptions.c.slip_id == obligations.c.slip_id) & (exceptions.c.place == obligations.c.place),
        )
        .where(slips.c.state == str(CessionState.DELIVERED), exceptions.c.slip_id.is_(None))
        .order_by(obligations.c.slip_id, obligations.c.place)
    )
    if member:
        query = query.where((obligations.c.debtor == member) | (obligations.c.creditor == member))
    for origin, epoch, index, place, *row in connection.execute(query):
        yield ((origin, epoch, index), place), _read(row)


def _read(row: Sequence[Any]) -> Obligation:
    debtor, creditor, project, cents, said, said_on, confirmed_on = row
    return Obligation(
        debtor=debtor,
        creditor=creditor,
        project=bytes(project),
        cents=cents,
        said=SettledState(said) if said else None,
        said_on=said_on,
        confirmed_on=confirmed_on,
    )
