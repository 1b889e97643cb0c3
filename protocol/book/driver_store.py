"""SQL as text, given to the driver itself, within the transaction that SQLAlchemy opened.

What SQLAlchemy adds to a statement (an execution context, a result with named columns) costs several times what SQLite
takes to answer it. Errors are still SQLAlchemy's, so that whoever handles them sees one kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError


def run_sql(connection: Connection, sql: str, values: Any = ()) -> list[tuple[Any, ...]]:
    """Run a statement in the driver's own style; return what it selects."""
    return _execute(connection, sql, values, is_many=False)


def run_sql_many(connection: Connection, sql: str, rows: Sequence[Any]) -> None:
    """Run a statement once for each row."""
    _execute(connection, sql, rows, is_many=True)


def _execute(connection: Connection, sql: str, values: Any, *, is_many: bool) -> list[tuple[Any, ...]]:
    cursor = connection.connection.cursor()
    try:
        if is_many:
            cursor.executemany(sql, values)
            return []
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []  # type: ignore[return-value]
    except connection.dialect.loaded_dbapi.Error as error:
        base = connection.dialect.loaded_dbapi.Error
        raise DBAPIError.instance(sql, None, error, base, dialect=connection.dialect) from error
    finally:
        cursor.close()
