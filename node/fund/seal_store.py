"""SQL of seals: a row whose facts were changed by the software is sealed again; rows are held against their seals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Table, Update, and_, select, update

from node.fund.tables import metadata, sealed_columns
from protocol.book.seals import compute_seal
from protocol.book.stream_store import stream


def change(connection: Connection, statement: Update) -> int:
    """Change rows and seal them again: the one way in which a row of the fund changes. Return how many it were."""
    table = statement.table
    assert isinstance(table, Table)
    keys = list(table.primary_key.columns)
    query = select(*keys)
    changed = connection.execute(query if statement.whereclause is None else query.where(statement.whereclause)).all()
    if changed:
        connection.execute(statement)
    for found in changed:
        is_it = and_(*(key == value for key, value in zip(keys, found, strict=True)))
        row = connection.execute(select(table).where(is_it)).one()
        connection.execute(update(table).where(is_it).values(seal=_seal_of(table, row)))
    return len(changed)


def find_broken(connection: Connection) -> Iterator[tuple[str, bool]]:
    """Go through all rows of the fund: for each what it is called, and whether its seal is broken."""
    for table in metadata.sorted_tables:
        keys = list(table.primary_key.columns)
        for row in stream(connection, select(table).order_by(*keys)):
            name = " ".join(_show(row._mapping[key]) for key in keys)
            yield f"{table.name} {name}", bytes(row.seal) != _seal_of(table, row)


def sealed(table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a whole row with its seal."""
    return {**values, "seal": compute_seal(table.name, [values.get(name) for name in sealed_columns(table)])}


def _seal_of(table: Table, row: Any) -> bytes:
    return compute_seal(table.name, [row._mapping[table.c[name]] for name in sealed_columns(table)])


def _show(value: object) -> str:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)
