"""Many rows in one statement, on SQLite and on PostgreSQL.

SQLite is fastest by `executemany` of a plain statement, PostgreSQL by one statement over `unnest`ed columns. A
statement is described once, at import, and compiled once per dialect. Source: shared design, PERFORMANCE.md, advice 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, LargeBinary, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from protocol.book.driver_store import run_sql, run_sql_many

Row = tuple[Any, ...]

# SQLite's floor for bound variables in one statement is far above these; fixed widths keep its statement cache warm.
_IN_WIDTHS = (1, 16, 256)


def _array_type(kind: TypeEngine[Any]) -> str:
    if isinstance(kind, LargeBinary):
        return "bytea[]"
    return f"{kind.compile(dialect=postgresql.dialect())}[]"  # type: ignore[no-untyped-call]


def _is_postgresql(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def _columns_of(rows: Sequence[Row]) -> tuple[list[Any], ...]:
    return tuple(list(column) for column in zip(*rows, strict=True))


def _arrays(table: Table, columns: Sequence[str]) -> str:
    return ", ".join(f"%s::{_array_type(table.c[name].type)}" for name in columns)


@lru_cache(maxsize=512)
def _insert_sql(table: Table, columns: tuple[str, ...], adding: tuple[str, ...], key: tuple[str, ...], pg: bool) -> str:
    names = ", ".join(columns)
    if pg:
        sql = f"INSERT INTO {table.name} ({names}) SELECT * FROM unnest({_arrays(table, columns)})"  # noqa: S608
    else:
        marks = ", ".join("?" for _ in columns)
        sql = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608
    if key:
        sums = ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in adding)
        sql += f" ON CONFLICT ({', '.join(key)}) DO " + (f"UPDATE SET {sums}" if sums else "NOTHING")
    return sql


def insert_rows(connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Insert all rows; a duplicate key raises and the page is written again item by item."""
    _execute_many(connection, _insert_sql(table, columns, (), (), _is_postgresql(connection)), rows)


def insert_or_add(
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    rows: Sequence[Row],
    *,
    key: tuple[str, ...],
    adding: tuple[str, ...],
) -> None:
    """Insert rows, adding the `adding` columns where the key exists. Keys must be distinct; values not negative.

    With no `adding` column an existing row is left as it is.
    """
    _execute_many(connection, _insert_sql(table, columns, adding, key, _is_postgresql(connection)), rows)


@lru_cache(maxsize=512)
def _update_sql(table: Table, setting: tuple[str, ...], adding: tuple[str, ...], key: tuple[str, ...], pg: bool) -> str:
    if pg:
        columns = (*setting, *adding, *key)
        changes = [f"{name} = d.{name}" for name in setting]
        changes += [f"{name} = {table.name}.{name} + d.{name}" for name in adding]
        where = " AND ".join(f"{table.name}.{name} = d.{name}" for name in key)
        return (
            f"UPDATE {table.name} SET {', '.join(changes)} "  # noqa: S608
            f"FROM unnest({_arrays(table, columns)}) AS d({', '.join(columns)}) WHERE {where}"
        )
    changes = [f"{name} = ?" for name in setting] + [f"{name} = {name} + ?" for name in adding]
    where = " AND ".join(f"{name} = ?" for name in key)
    return f"UPDATE {table.name} SET {', '.join(changes)} WHERE {where}"  # noqa: S608


def update_rows(
    connection: Connection,
    table: Table,
    rows: Sequence[Row],
    *,
    key: tuple[str, ...],
    setting: tuple[str, ...] = (),
    adding: tuple[str, ...] = (),
) -> None:
    """Change existing rows. A row is (setting..., adding..., key...); keys are distinct; CHECKs guard the sums."""
    _execute_many(connection, _update_sql(table, setting, adding, key, _is_postgresql(connection)), rows)


def _execute_many(connection: Connection, sql: str, rows: Sequence[Row]) -> None:
    if not rows:
        return
    if _is_postgresql(connection):
        run_sql(connection, sql, _columns_of(rows))
    else:
        run_sql_many(connection, sql, rows)


@lru_cache(maxsize=512)
def _select_sql(table: Table, columns: tuple[str, ...], column: str, width: int, pg: bool) -> str:
    names = ", ".join(columns)
    if pg:
        return f"SELECT {names} FROM {table.name} WHERE {column} = ANY(%s::{_array_type(table.c[column].type)})"  # noqa: S608
    marks = ", ".join("?" for _ in range(width))
    return f"SELECT {names} FROM {table.name} WHERE {column} IN ({marks})"  # noqa: S608


def select_rows(
    connection: Connection, table: Table, columns: tuple[str, ...], *, column: str, values: Iterable[Any]
) -> list[Row]:
    """Return the rows whose `column` is one of `values`, in no order."""
    wanted = list(values)
    if not wanted:
        return []
    if _is_postgresql(connection):
        return run_sql(connection, _select_sql(table, columns, column, 0, True), (wanted,))
    width = next((width for width in _IN_WIDTHS if len(wanted) <= width), _IN_WIDTHS[-1])
    sql = _select_sql(table, columns, column, width, False)
    found: list[Row] = []
    for start in range(0, len(wanted), width):
        part = wanted[start : start + width]
        part += [part[-1]] * (width - len(part))  # a repeated value selects nothing more
        found += run_sql(connection, sql, part)
    return found
