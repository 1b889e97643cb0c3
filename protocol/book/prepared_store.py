"""Statements described once in Core, compiled once per dialect, and run as text from then on.

Building a Core expression anew for each run costs ten times what SQLite takes to answer it, and a call of the exchange
runs dozens of small ones. Source: shared design, PERFORMANCE.md, advice 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, CursorResult, Delete, Select
from sqlalchemy.sql.dml import ReturningInsert


class Prepared:
    """A SELECT or DELETE whose values are `bindparam`s, or an INSERT of one row of `columns`. It holds no `IN`."""

    def __init__(self, statement: Select[Any] | Delete | ReturningInsert[Any], *, columns: Sequence[str] = ()) -> None:
        self._statement = statement
        self._columns = list(columns) or None
        self._compiled: dict[str, tuple[str, dict[str, Any], list[str] | None]] = {}

    def run(self, connection: Connection, **values: Any) -> CursorResult[*tuple[Any, ...]]:
        """Run it with these values, by name."""
        name = connection.dialect.name
        found = self._compiled.get(name)
        if found is None:
            compiled = self._statement.compile(dialect=connection.dialect, column_keys=self._columns)
            order = compiled.positiontup
            found = self._compiled[name] = (str(compiled), dict(compiled.params), order)
        sql, constants, order = found
        bound = {**constants, **values}
        if order is None:
            return connection.exec_driver_sql(sql, bound)
        return connection.exec_driver_sql(sql, tuple([bound[key] for key in order]))
