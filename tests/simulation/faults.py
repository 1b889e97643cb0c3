"""Faults of a book: its process dies, or its disk is full, at any point of any transaction. And a group that is one group.

A point is a statement that is about to run, a commit that is about to be made, or one that was just made. So a process
dies before, in the middle of, and after the writing of a group, wherever the product writes: nothing is replaced but
the class of the connections that the book's engine opens.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from sqlalchemy import event

from protocol.book.service import Book, Page
from protocol.book.worker import Operation, Waiting


class Crashed(Exception):
    """The process died: what it had not committed is lost, and it does nothing any more."""


class BookFault:
    """Stands before the storage of one book. Armed, it lets some points pass and then strikes."""

    def __init__(self, book: Book, before: BookFault | None = None) -> None:
        """What stood before the same book until it was opened anew, and has not struck yet, goes on counting."""
        self._left = -1 if before is None else before._left
        self._is_disk = before is not None and before._is_disk
        self._at_commits = before is not None and before._at_commits
        self.is_dead = False
        engine = book._engine
        if engine.dialect.name == "sqlite":  # a server's own death is for other tests: there no fault may be armed
            engine.dispose()  # the connection that opened the book knows nothing of us
            event.listen(engine, "do_connect", self._on_connect)

    def die_at(self, point: int, *, at_commits: bool = False) -> None:
        """Die at the point of that number from now (0: the next), and for good. `at_commits`: no other points count."""
        self._left, self._is_disk, self._at_commits = point, False, at_commits

    def fill_disk_at(self, point: int, *, at_commits: bool = False) -> None:
        """Have no room at that point; afterwards there is room again."""
        self._left, self._is_disk, self._at_commits = point, True, at_commits

    def disarm(self) -> None:
        self._left = -1

    @property
    def is_armed(self) -> bool:
        return self._left >= 0

    def _on_connect(self, _dialect: Any, _record: Any, _words: Any, options: dict[str, Any]) -> None:
        options["factory"] = partial(_Connection, fault=self)

    def pass_point(self, *, is_commit: bool = False, is_written: bool = False) -> None:
        """Raise Crashed, or what a full disk raises, if it is time."""
        if self.is_dead:
            raise Crashed
        if self._left < 0 or (self._at_commits and not is_commit):
            return
        if is_written and self._is_disk:  # what is written has found its room
            return
        if self._left > 0:
            self._left -= 1
            return
        self._left = -1
        if self._is_disk:
            full = sqlite3.OperationalError("database or disk is full")
            full.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise full
        self.is_dead = True
        raise Crashed


class _Connection(sqlite3.Connection):
    def __init__(self, *words: Any, fault: BookFault, **options: Any) -> None:
        super().__init__(*words, **options)
        self.fault = fault

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(factory or _Cursor)

    def commit(self) -> None:
        self.fault.pass_point(is_commit=True)
        super().commit()
        self.fault.pass_point(is_commit=True, is_written=True)


class _Cursor(sqlite3.Cursor):
    connection: _Connection

    def execute(self, sql: str, values: Any = (), /) -> Any:
        self.connection.fault.pass_point()
        return super().execute(sql, values)

    def executemany(self, sql: str, rows: Any, /) -> Any:
        self.connection.fault.pass_point()
        return super().executemany(sql, rows)


def write_together(book: Book, asked: Sequence[tuple[Operation, Any]]) -> list[Any]:
    """Write these in one group, whatever the threads do: the writer is held at a gate until all are queued.

    Return each answer, or the exception that its caller would see.
    """
    entered, gate = threading.Event(), threading.Event()

    def hold(_page: Page, gates: Sequence[threading.Event]) -> Sequence[None]:
        entered.set()
        gate.wait()
        return [None] * len(gates)

    held: Future[Any] = Future()
    # A page that fails before its operation runs (the book is dead) never enters the gate.
    held.add_done_callback(lambda _: entered.set())
    book._writer.submit(Waiting(hold, gate, held, None))
    entered.wait()  # the gate stands alone in its group: what follows is another
    futures: list[Future[Any]] = []
    for operation, item in asked:
        future: Future[Any] = Future()
        futures.append(future)
        book._writer.submit(Waiting(operation, item, future, None))
    gate.set()
    held.exception()
    return [future.exception() or future.result() for future in futures]
