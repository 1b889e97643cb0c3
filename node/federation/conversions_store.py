"""SQL of the conversions that others ask of our fund: loads and saves, decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Row, select, update

from node.federation.tables import conversions, received_slips
from protocol.book.rows_store import insert_rows
from protocol.national import SlipKey

_COLUMNS = ("origin", "epoch", "ix", "place", "id", "op", "project", "cents", "state", "code")


class Asked(NamedTuple):
    """One conversion that another territory asks."""

    origin: str
    epoch: int
    ix: int
    place: int
    id: bytes
    op: bytes
    project: bytes
    cents: int
    state: str
    code: str = ""


def insert(connection: Connection, rows: Sequence[Asked], now: int) -> None:
    insert_rows(connection, conversions, _COLUMNS, rows, shared={"said": 0, "said_on": 0, "confirmed_on": 0, "at": now})


def find(connection: Connection, id_: bytes) -> Asked | None:
    """Return what our fund is asked, or owes, under an id. What it refused is not found any more."""
    row = connection.execute(
        select(*(conversions.c[name] for name in _COLUMNS)).where(
            conversions.c.id == id_, conversions.c.state != "refused"
        )
    ).first()
    return None if row is None else _read(row)


def load_slip(connection: Connection, key: SlipKey) -> list[Asked]:
    """Return the conversions of one slip, by place."""
    rows = connection.execute(
        select(*(conversions.c[name] for name in _COLUMNS)).where(*_is_of(key)).order_by(conversions.c.place)
    )
    return [_read(row) for row in rows]


def save_state(connection: Connection, one: Asked, state: str, code: str = "") -> None:
    connection.execute(update(conversions).where(*_is_at(one)).values(state=state, code=code))


def save_said(connection: Connection, one: Asked, said: int, day: int) -> None:
    connection.execute(update(conversions).where(*_is_at(one)).values(said=said, said_on=day))


def save_confirmed(connection: Connection, one: Asked, day: int) -> None:
    connection.execute(update(conversions).where(*_is_at(one)).values(confirmed_on=day))


def save_answer(connection: Connection, key: SlipKey, answer_index: int) -> None:
    """Note where our answer to a slip stands in our log."""
    connection.execute(
        update(received_slips)
        .where(received_slips.c.origin == key[0], received_slips.c.epoch == key[1], received_slips.c.ix == key[2])
        .values(answer_ix=answer_index)
    )


def _is_of(key: SlipKey):  # type: ignore[no-untyped-def]
    return conversions.c.origin == key[0], conversions.c.epoch == key[1], conversions.c.ix == key[2]


def _is_at(one: Asked):  # type: ignore[no-untyped-def]
    return *_is_of((one.origin, one.epoch, one.ix)), conversions.c.place == one.place


def _read(row: Row) -> Asked:  # type: ignore[type-arg]
    origin, epoch, index, place, id_, op, project, cents, state, code = row
    return Asked(origin, epoch, index, place, bytes(id_), bytes(op), bytes(project), cents, state, code)


def load_said(connection: Connection, key: SlipKey) -> dict[int, int]:
    """Return our fund's last word on each conversion of a slip, by place; 0: none."""
    rows = connection.execute(
        select(conversions.c.place, conversions.c.said).where(
            conversions.c.origin == key[0], conversions.c.epoch == key[1], conversions.c.ix == key[2]
        )
    )
    return {int(place): int(said) for place, said in rows}
