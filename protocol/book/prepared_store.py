"""Statements described once in Core, compiled once per dialect, and given to the driver as text from then on.

Building a Core expression and its result anew for each run costs twenty times what SQLite takes to answer it, and a
call of the exchange runs dozens of small ones. Source: shared design, PERFORMANCE.md, advice 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Delete, Select
from sqlalchemy.sql.dml import ReturningInsert

from protocol.book.driver_store import run_sql


class Prepared:
    """A SELECT or DELETE whose values are `bindparam`s, or an INSERT of one row of `columns`. It holds no `IN`."""

    def __init__(self, statement: Select[Any] | Delete | ReturningInsert[Any], *, columns: Sequence[str] = ()) -> None:
        self._statement = statement
        self._columns = list(columns) or None
        self._compiled: dict[str, tuple[str, dict[str, Any], list[str] | None]] = {}

    def rows(self, connection: Connection, **values: Any) -> list[tuple[Any, ...]]:
        """Run it with these values, by name; return what it selects, in the order of its columns."""
        dialect = connection.dialect
        found = self._compiled.get(dialect.name)
        if found is None:
            compiled = self._statement.compile(dialect=dialect, column_keys=self._columns)
            found = self._compiled[dialect.name] = (str(compiled), dict(compiled.params), compiled.positiontup)
        sql, constants, order = found
        bound: Any = {**constants, **values}
        if order is not None:
            bound = tuple([bound[key] for key in order])
        return run_sql(connection, sql, bound)

    def row(self, connection: Connection, **values: Any) -> tuple[Any, ...] | None:
        """Return its only row, or its first, or None."""
        found = self.rows(connection, **values)
        return found[0] if found else None

    def value(self, connection: Connection, **values: Any) -> Any:
        """Return the first column of that row, or None."""
        found = self.rows(connection, **values)
        return found[0][0] if found else None
