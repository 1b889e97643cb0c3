"""Many rows in one statement, on SQLite and on PostgreSQL.

SQLite is fastest by plain statements of many rows, PostgreSQL by one statement over `unnest`ed columns. A statement is
described once, at import, and compiled once per dialect and width. Source: shared design, PERFORMANCE.md, advice 6.

Why widths, and not `executemany`? It lets go of Python's lock and takes it again for every row, and each time another
thread may keep it for a while: with a busy event loop beside the writer that cost more than SQLite itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final

from sqlalchemy import Connection, LargeBinary, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from protocol.book.driver_store import run_sql, run_sql_many
from protocol.book.recording_store import find_recorder

Row = tuple[Any, ...]
Names = tuple[str, ...]

# How many rows a statement of SQLite has: a few widths, so that its cache of statements stays warm. 200 rows a statement
# cost a third less than one; beyond that nothing is gained, and no table comes near the limit of bound values.
_WIDTHS: Final = (200, 64, 32, 16, 8, 4, 2, 1)
_IN_WIDTHS: Final = (1, 16, 256)


def _array_type(kind: TypeEngine[Any]) -> str:
    if isinstance(kind, LargeBinary):
        return "bytea[]"
    return f"{kind.compile(dialect=postgresql.dialect())}[]"  # type: ignore[no-untyped-call]


def _is_postgresql(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def _write(connection: Connection, sql: str, values: Sequence[Any]) -> None:
    run_sql(connection, sql, values)
    recorder = find_recorder(connection)
    if recorder is not None:
        recorder.note(sql, [values])


def _columns_of(rows: Sequence[Row]) -> tuple[str, ...]:
    return tuple(_write_array(column) for column in zip(*rows, strict=True))


def _write_array(values: Sequence[Any]) -> str:
    """Return a column as PostgreSQL writes arrays; the driver's own way asks a dumper for each value, and costs half of
    what the database takes to insert the row. Whole numbers, bytes, texts and None.
    """
    kinds = set(map(type, values))
    if kinds == {int}:
        return f"{{{','.join(map(str, values))}}}"
    return f"{{{','.join(map(_write_value, values))}}}"


def _write_value(value: int | bytes | str | None) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f'"\\\\x{value.hex()}"'
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(int(value))


def _arrays(table: Table, columns: Sequence[str]) -> str:
    return ", ".join(f"%s::{_array_type(table.c[name].type)}" for name in columns)


def insert_rows(
    connection: Connection,
    table: Table,
    columns: Names,
    rows: Sequence[Row],
    *,
    shared: Mapping[str, Any] | None = None,
) -> None:
    """Insert all rows; a duplicate key raises and the page is written again item by item.

    `shared` holds columns that have one value in all rows: it is given to the driver once a statement.
    """
    _insert(connection, table, columns, rows, "", shared or {})


def insert_or_add(
    connection: Connection,
    table: Table,
    columns: Names,
    rows: Sequence[Row],
    *,
    key: Names,
    adding: Names,
) -> None:
    """Insert rows, adding the `adding` columns where the key exists. Keys must be distinct; values not negative.

    With no `adding` column an existing row is left as it is.
    """
    sums = tuple(f"{name} = {table.name}.{name} + excluded.{name}" for name in adding)
    _insert(connection, table, columns, rows, _on_conflict(key, sums), {})


def change_whole_rows(
    connection: Connection,
    table: Table,
    rows: Sequence[Row],
    *,
    key: Names,
    setting: Names = (),
    lessening: Names = (),
) -> None:
    """Change existing rows, of which every column without a default is given: (key..., setting..., lessening...).

    Keys are distinct, and rows with them exist. `lessening` columns lose the value, which is positive; CHECKs guard
    what is left. On SQLite this is an insert that always meets its row: it costs two thirds of an update.
    """
    if _is_postgresql(connection):
        sql = _change_whole_sql(table, key, setting, lessening)
        if rows:
            _write(connection, sql, _columns_of(rows))
        return
    changes = tuple(f"{name} = excluded.{name}" for name in setting)
    changes += tuple(f"{name} = {table.name}.{name} - excluded.{name}" for name in lessening)
    _insert(connection, table, (*key, *setting, *lessening), rows, _on_conflict(key, changes), {})


@lru_cache(maxsize=512)
def _on_conflict(key: Names, changes: Names) -> str:
    return f" ON CONFLICT ({', '.join(key)}) DO " + (f"UPDATE SET {', '.join(changes)}" if changes else "NOTHING")


@lru_cache(maxsize=512)
def _change_whole_sql(table: Table, key: Names, setting: Names, lessening: Names) -> str:
    columns = (*key, *setting, *lessening)
    changes = [f"{name} = d.{name}" for name in setting]
    changes += [f"{name} = {table.name}.{name} - d.{name}" for name in lessening]
    where = " AND ".join(f"{table.name}.{name} = d.{name}" for name in key)
    return (
        f"UPDATE {table.name} SET {', '.join(changes)} "  # noqa: S608 - our own names, here and below
        f"FROM unnest({_arrays(table, columns)}) AS d({', '.join(columns)}) WHERE {where}"
    )


def _insert(
    connection: Connection, table: Table, columns: Names, rows: Sequence[Row], ending: str, shared: Mapping[str, Any]
) -> None:
    if not rows:
        return
    names, values = tuple(shared), tuple(shared.values())
    if _is_postgresql(connection):
        _write(connection, _insert_from_arrays_sql(table, columns, names, ending), (*values, *_columns_of(rows)))
        return
    start = 0
    for width in _WIDTHS:
        while len(rows) - start >= width:
            sql = _insert_wide_sql(table, columns, names, ending, width)
            part = rows[start : start + width] if width < len(rows) else rows
            _write(connection, sql, (*values, *chain.from_iterable(part)))
            start += width


@lru_cache(maxsize=512)
def _insert_from_arrays_sql(table: Table, columns: Names, shared: Names, ending: str) -> str:
    constants = "".join(
        f"%s::{table.c[name].type.compile(dialect=postgresql.dialect())}, "  # type: ignore[no-untyped-call]
        for name in shared
    )
    return (
        f"INSERT INTO {table.name} ({', '.join((*shared, *columns))}) "  # noqa: S608
        f"SELECT {constants}d.* FROM unnest({_arrays(table, columns)}) AS d{ending}"
    )


@lru_cache(maxsize=512)
def _insert_wide_sql(table: Table, columns: Names, shared: Names, ending: str, width: int) -> str:
    """Return the statement of SQLite: the shared values come first and stand in every row."""
    constants = "".join(f"?{place + 1}, " for place in range(len(shared)))
    rows = []
    for row in range(width):
        first = len(shared) + 1 + row * len(columns)
        rows.append(f"({constants}{', '.join(f'?{first + place}' for place in range(len(columns)))})")
    names = ", ".join((*shared, *columns))
    return f"INSERT INTO {table.name} ({names}) VALUES {', '.join(rows)}{ending}"  # noqa: S608


@lru_cache(maxsize=512)
def _update_sql(table: Table, setting: Names, adding: Names, key: Names, pg: bool) -> str:
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
    key: Names,
    setting: Names = (),
    adding: Names = (),
) -> None:
    """Change existing rows. A row is (setting..., adding..., key...); keys are distinct; CHECKs guard the sums."""
    if not rows:
        return
    is_postgresql = _is_postgresql(connection)
    sql = _update_sql(table, setting, adding, key, is_postgresql)
    if is_postgresql:
        _write(connection, sql, _columns_of(rows))
    elif len(rows) == 1:
        _write(connection, sql, rows[0])
    else:
        run_sql_many(connection, sql, rows)
        recorder = find_recorder(connection)
        if recorder is not None:
            recorder.note(sql, rows)


@lru_cache(maxsize=512)
def _select_sql(table: Table, columns: Names, column: str, width: int, pg: bool) -> str:
    names = ", ".join(columns)
    if pg:
        return f"SELECT {names} FROM {table.name} WHERE {column} = ANY(%s::{_array_type(table.c[column].type)})"  # noqa: S608
    marks = ", ".join("?" for _ in range(width))
    return f"SELECT {names} FROM {table.name} WHERE {column} IN ({marks})"  # noqa: S608


def select_rows(
    connection: Connection, table: Table, columns: Names, *, column: str, values: Iterable[Any]
) -> list[Row]:
    """Return the rows whose `column` is one of `values`, in no order."""
    wanted = list(values)
    if not wanted:
        return []
    if _is_postgresql(connection):
        return run_sql(connection, _select_sql(table, columns, column, 0, True), (_write_array(wanted),))
    width = next((width for width in _IN_WIDTHS if len(wanted) <= width), _IN_WIDTHS[-1])
    sql = _select_sql(table, columns, column, width, False)
    found: list[Row] = []
    for start in range(0, len(wanted), width):
        part = wanted[start : start + width]
        part += [part[-1]] * (width - len(part))  # a repeated value selects nothing more
        found += run_sql(connection, sql, part)
    return found
