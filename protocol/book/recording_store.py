"""What a page writes into a base's own tables, kept as the statements that wrote it: for whoever may have to write it again.

Only what the database took is kept: a statement that failed is not, and what a savepoint took back goes with it.
The book's own tables (logs, leaves, heads, facts) are left out: they say for themselves what they hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, MetaData, event

from protocol.book.driver_store import run_sql, run_sql_many

_WRITES: Final = re.compile(r'(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)"?\s')
_INSERTS: Final = re.compile(r'INSERT INTO\s+"?(\w+)"?\s')
_POINTS: Final = re.compile(r'(ROLLBACK TO )?SAVEPOINT "?(\w+)"?')
OPTION: Final = "recorder"

Value = bool | int | str | bytes | None


class Statement(NamedTuple):
    """SQL in the driver's own style and the rows of values that it ran with. `names`: of the values, where it names them."""

    sql: str
    names: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]


@lru_cache(maxsize=4_096)
def find_table(sql: str) -> str:
    """Return the table that a statement writes, or nothing where it writes none."""
    found = _WRITES.match(sql.lstrip())
    return "" if found is None else found[1]


def _plain(value: Any) -> Value:
    """Return a value as we keep it: drivers wrap bytes in types of their own."""
    # PostgreSQL takes no whole number where a column is true or false.
    if value is None or type(value) in (bool, int, str, bytes):
        return value  # type: ignore[no-any-return]
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return str(value)
    return bytes(getattr(value, "obj", value))


class Recorder:
    """Keeps what the present page writes. Owned by the book's writer; `tables` are those of the base.

    `numbered`: the column of each table whose number the database gives.
    """

    def __init__(self, tables: Iterable[str], numbered: Mapping[str, str] | None = None) -> None:
        self.tables = frozenset(tables)
        self.numbered = dict(numbered or {})
        self.is_paused = False
        self._statements: list[Statement] = []
        self._marks: dict[str, int] = {}

    def begin(self) -> None:
        """Forget: another page begins."""
        self._statements, self._marks, self.is_paused = [], {}, False

    def take(self) -> tuple[Statement, ...]:
        """Return what the page wrote so far, and keep it no more."""
        taken = tuple(self._statements)
        self._statements, self._marks = [], {}
        return taken

    def note(self, sql: str, rows: Sequence[Any]) -> None:
        """Keep a statement that ran, once for each of these rows of values."""
        if self.is_paused or find_table(sql) not in self.tables or not rows:
            return
        names: tuple[str, ...] = ()
        if isinstance(rows[0], dict):
            asked = tuple(rows[0])
            rows = [tuple(row[name] for name in asked) for row in rows]
            names = tuple(map(str, asked))  # SQLAlchemy's own kind of text, which is not ours to keep
        plain = tuple(tuple(map(_plain, row)) for row in rows)
        self._statements.append(Statement(sql, names, plain))

    def mark(self, savepoint: str) -> None:
        self._marks[savepoint] = len(self._statements)

    def forget(self, savepoint: str) -> None:
        """What was written since this savepoint was taken back."""
        del self._statements[self._marks.get(savepoint, len(self._statements)) :]


def find_numbered(tables: Iterable[MetaData]) -> dict[str, str]:
    """Return the column of each table whose number the database gives."""
    return {
        table.name: table.autoincrement_column.name
        for metadata in tables
        for table in metadata.tables.values()
        if table.autoincrement_column is not None
    }


def find_recorder(connection: Connection) -> Recorder | None:
    """Return who keeps what this connection writes, if anybody does."""
    found: Recorder | None = connection.get_execution_options().get(OPTION)
    return found


def listen(engine: Engine) -> None:
    """Let the recorder of a connection know what SQLAlchemy itself runs on it."""

    if engine.dialect.name == "postgresql":

        @event.listens_for(engine, "before_cursor_execute")
        def _on_execute(connection: Connection, _cursor: Any, sql: str, *_: Any) -> None:
            recorder = find_recorder(connection)
            if recorder is not None:
                _number_on(connection, recorder.numbered, sql)

    @event.listens_for(engine, "after_cursor_execute")
    def _on_executed(connection: Connection, _cursor: Any, sql: str, values: Any, _context: Any, is_many: bool) -> None:
        recorder = find_recorder(connection)
        if recorder is None:
            return
        # Read here, since SQLAlchemy's own event of a savepoint does not say its name.
        point = _POINTS.match(sql)
        if point is None:
            recorder.note(sql, values if is_many else [values])
        elif point[1]:
            recorder.forget(point[2])
        else:
            recorder.mark(point[2])


def _number_on(connection: Connection, numbered: Mapping[str, str], sql: str) -> None:
    """See that the row to be inserted gets the number after the highest, as SQLite gives it.

    A sequence of PostgreSQL goes on where a savepoint or a page was taken back. Written again, the same rows would get
    other numbers, and what names them by number would name others.
    """
    found = _INSERTS.match(sql.lstrip()) if numbered else None
    column = None if found is None else numbered.get(found[1])
    if found is None or column is None:
        return
    sequence, highest = f"pg_get_serial_sequence('{found[1]}', '{column}')", f"SELECT max({column}) FROM {found[1]}"  # noqa: S608
    run_sql(connection, f"SELECT setval({sequence}, coalesce(({highest}), 0) + 1, false)")


def write_again(connection: Connection, statements: Sequence[Statement], recorder: Recorder) -> None:
    """Run kept statements. Raises ValueError where one writes anything but the base's tables: nothing of ours would."""
    for statement in statements:
        if find_table(statement.sql) not in recorder.tables:
            raise ValueError("a kept statement writes another table")
        if connection.dialect.name == "postgresql":
            _number_on(connection, recorder.numbered, statement.sql)
        rows: list[Any] = list(statement.rows)
        if statement.names:
            rows = [dict(zip(statement.names, row, strict=True)) for row in rows]
        if len(rows) == 1:
            run_sql(connection, statement.sql, rows[0])
        else:
            run_sql_many(connection, statement.sql, rows)
