"""What a page writes into a base's own tables, kept as the statements that wrote it: for whoever may have to write it again.

Only what the database took is kept: a statement that failed is not, and what a savepoint took back goes with it.
The book's own tables (logs, leaves, heads, facts) are left out: they say for themselves what they hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, event

from protocol.book.driver_store import run_sql, run_sql_many

_WRITES: Final = re.compile(r'(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)"?\s')
OPTION: Final = "recorder"

Value = int | str | bytes | None


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
    if value is None or type(value) in (int, str, bytes):
        return value  # type: ignore[no-any-return]
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, str):
        return str(value)
    return bytes(getattr(value, "obj", value))


class Recorder:
    """Keeps what the present page writes. Owned by the book's writer; `tables` are those of the base."""

    def __init__(self, tables: Iterable[str]) -> None:
        self.tables = frozenset(tables)
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


def find_recorder(connection: Connection) -> Recorder | None:
    """Return who keeps what this connection writes, if anybody does."""
    found: Recorder | None = connection.get_execution_options().get(OPTION)
    return found


def listen(engine: Engine) -> None:
    """Let the recorder of a connection know what SQLAlchemy itself runs on it."""

    @event.listens_for(engine, "after_cursor_execute")
    def _on_executed(connection: Connection, _cursor: Any, sql: str, values: Any, _context: Any, is_many: bool) -> None:
        recorder = find_recorder(connection)
        if recorder is not None:
            recorder.note(sql, values if is_many else [values])

    @event.listens_for(engine, "savepoint")
    def _on_savepoint(connection: Connection, name: str) -> None:
        recorder = find_recorder(connection)
        if recorder is not None:
            recorder.mark(name)

    @event.listens_for(engine, "rollback_savepoint")
    def _on_taken_back(connection: Connection, name: str, _context: Any) -> None:
        recorder = find_recorder(connection)
        if recorder is not None:
            recorder.forget(name)


def write_again(connection: Connection, statements: Sequence[Statement], tables: frozenset[str]) -> None:
    """Run kept statements. Raises ValueError where one writes anything but these tables: nothing of ours would."""
    for statement in statements:
        if find_table(statement.sql) not in tables:
            raise ValueError("a kept statement writes another table")
        rows: list[Any] = list(statement.rows)
        if statement.names:
            rows = [dict(zip(statement.names, row, strict=True)) for row in rows]
        if len(rows) == 1:
            run_sql(connection, statement.sql, rows[0])
        else:
            run_sql_many(connection, statement.sql, rows)
