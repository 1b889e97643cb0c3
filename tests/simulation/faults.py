"""Faults of a book: its process dies at a commit, or its disk refuses one and it goes on."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from sqlalchemy import event

from protocol.book.service import Book, Page
from protocol.book.worker import Operation, Waiting


class Crashed(Exception):
    """The process died: nothing of this transaction, and of none after it, is on the disk."""


class CommitFault:
    """Stands before the commits of one book. Armed, it lets some pass and then fails."""

    def __init__(self, book: Book) -> None:
        self._left = -1
        self._error: BaseException | None = None
        self.has_struck = False
        event.listen(book._engine, "commit", self._on_commit)

    def crash_at(self, commit: int) -> None:
        """Die at the commit of that number from now (0: the next), and at every later one."""
        self._left, self._error = commit, Crashed()

    def refuse_once(self) -> None:
        """The disk is full at the next commit; afterwards there is room again."""
        full = sqlite3.OperationalError("database or disk is full")
        full.sqlite_errorcode = sqlite3.SQLITE_FULL
        self._left, self._error = 0, full

    def disarm(self) -> None:
        self._left, self._error = -1, None

    def _on_commit(self, _connection: Any) -> None:
        if self._error is None:
            return
        if self._left > 0:
            self._left -= 1
            return
        self.has_struck = True
        error = self._error
        if not isinstance(error, Crashed):
            self.disarm()
        raise error


def write_together(book: Book, operation: Operation, items: Sequence[Any]) -> list[Any]:
    """Write these items in one group, whatever the threads do: the writer is held at a gate until all are queued.

    Return each answer, or the exception that its caller would see.
    """
    entered, gate = threading.Event(), threading.Event()

    def hold(_page: Page, gates: Sequence[threading.Event]) -> Sequence[None]:
        entered.set()
        gate.wait()
        return [None] * len(gates)

    held: Future[Any] = Future()
    # A page that fails before its operation runs (a planted bug left the transaction open) never enters the gate.
    held.add_done_callback(lambda _: entered.set())
    book._writer.submit(Waiting(hold, gate, held, None))
    entered.wait()  # the gate stands alone in its group: what follows is another
    futures: list[Future[Any]] = []
    for item in items:
        future: Future[Any] = Future()
        futures.append(future)
        book._writer.submit(Waiting(operation, item, future, None))
    gate.set()
    held.exception()
    return [future.exception() or future.result() for future in futures]
