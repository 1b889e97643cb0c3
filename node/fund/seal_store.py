"""SQL of seals: a row whose facts were changed by the software is sealed again; rows are held against their seals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, select, update

from node.fund.tables import metadata, sealed_columns
from protocol.book.seals import compute_seal
from protocol.book.stream_store import stream


def reseal(connection: Connection, table: Table, where: ColumnElement[bool]) -> None:
    """Seal rows again, after a change that they know of."""
    for row in connection.execute(select(table).where(where)).all():
        connection.execute(update(table).where(where).values(seal=_seal_of(table, row)))


def find_broken(connection: Connection) -> Iterator[tuple[str, bool]]:
    """Go through all rows of the fund: for each what it is called, and whether its seal is broken."""
    for table in metadata.sorted_tables:
        keys = list(table.primary_key.columns)
        for row in stream(connection, select(table).order_by(*keys)):
            name = " ".join(_show(row._mapping[key]) for key in keys)
            yield f"{table.name} {name}", bytes(row.seal) != _seal_of(table, row)


def _seal_of(table: Table, row: Any) -> bytes:
    return compute_seal(table.name, [row._mapping[table.c[name]] for name in sealed_columns(table)])


def _show(value: object) -> str:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)
