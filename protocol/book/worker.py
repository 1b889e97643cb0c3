"""The writer thread of a book: takes all that waits, writes one page, commits, and only then answers."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine

from protocol.book.recording_store import OPTION, Recorder, listen
from protocol.book.store import (
    StorageUnavailable,
    is_serialization_failure,
    require_fence,
    storage_reason,
    write_recovery,
)
from protocol.errors import Refusal
from protocol.times import Instant

# An operation gets a page and items, and returns one result or Refusal per item, in the same order.
Operation = Callable[["Page", Sequence[Any]], Sequence[Any]]
Clock = Callable[[], Instant]

PAGE_ITEMS_MAX = 4_096
_RETRIES_MAX = 5


@dataclass(slots=True)
class Page:
    """What one group commit writes. Lives as long as its transaction.

    `memo` is scratch space that operations of the same page share; it dies with the page.
    """

    connection: Connection
    now: Instant
    memo: dict[Hashable, Any] = field(default_factory=dict)
    _closing: dict[Hashable, Callable[[], None]] = field(default_factory=dict)
    _committed: dict[Hashable, Callable[[], None]] = field(default_factory=dict)

    def at_close(self, key: Hashable, work: Callable[[], None]) -> None:
        """Run `work` once, in the transaction, after every item of the page was decided (last word wins)."""
        self._closing[key] = work

    def after_commit(self, key: Hashable, work: Callable[[], None]) -> None:
        """Run `work` once when the page is durable; never if it is rolled back. It must not raise."""
        self._committed[key] = work

    def close(self) -> None:
        """Run the closing work; closing work may itself ask for more."""
        while self._closing:
            for key in list(self._closing):
                self._closing.pop(key)()

    def tell(self) -> None:
        """Run what waits for the commit."""
        for work in self._committed.values():
            work()


@dataclass(slots=True)
class Waiting:
    """One item and who waits for its answer: an asyncio future with its loop, or a plain one."""

    operation: Operation
    item: Any
    future: Any
    loop: asyncio.AbstractEventLoop | None


class _Answers:
    """Answers of one page, given to each event loop in one wake-up."""

    def __init__(self) -> None:
        self._by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any, bool]]] = {}

    def give(self, waiting: Waiting, answer: Any, *, failed: bool) -> None:
        if waiting.loop is None:
            future: Future[Any] = waiting.future
            if failed:
                future.set_exception(answer)
            else:
                future.set_result(answer)
        else:
            self._by_loop.setdefault(waiting.loop, []).append((waiting.future, answer, failed))

    def send(self) -> None:
        for loop, answers in self._by_loop.items():
            try:
                loop.call_soon_threadsafe(_resolve, answers)
            except RuntimeError:  # the loop is closed: nobody waits any more, and the page stays written
                continue


def _resolve(answers: list[tuple[asyncio.Future[Any], Any, bool]]) -> None:
    for future, answer, failed in answers:
        if future.cancelled():
            continue
        if failed:
            future.set_exception(answer)
        else:
            future.set_result(answer)


class Writer:
    """Owns the only writing connection. `submit` is thread-safe; answers come after the commit."""

    def __init__(self, engine: Engine, clock: Clock, name: str, fence: str | None = None) -> None:
        self._fence = fence
        self._engine = engine
        self._clock = clock
        self._queue: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"book-{name}", daemon=True)
        self._closed = False
        self._connection: Connection | None = None
        self.trouble: str | None = None  # why the storage refuses, while it does
        self.recorder: Recorder | None = None  # what a page writes is kept by it, where somebody asked for that
        self.closing: Callable[[Page], None] | None = None  # the last work of every page
        self.hold: Refusal | None = None  # what every operation is refused with, but those that may pass
        self.passing: tuple[Operation, ...] = ()
        self.pages = 0
        self.items = 0

    def start(self) -> None:
        self._thread.start()

    def record(self, recorder: Recorder) -> None:
        """Keep what pages write from now on. Called before the first of them."""
        listen(self._engine)
        self.recorder = recorder

    def submit(self, waiting: Waiting) -> None:
        if self._closed:
            raise ValueError("the book is closed")
        self._queue.put(waiting)

    def close(self) -> None:
        """Write what waits, then stop. Safe to call twice."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            if self._thread.is_alive():
                self._thread.join()

    def _run(self) -> None:
        stop = False
        while not stop:
            first = self._queue.get()
            group: list[Waiting] = []
            if first is None:
                stop = True
            else:
                group.append(first)
            while len(group) < PAGE_ITEMS_MAX:
                try:
                    more = self._queue.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    stop = True
                else:
                    group.append(more)
            if group:
                self._write_group(group)
        if self._connection is not None:
            self._connection.close()

    def _write_group(self, group: list[Waiting]) -> None:
        answers = _Answers()
        try:
            for waiting, answer in zip(group, self._write_page(group), strict=True):
                answers.give(waiting, answer, failed=isinstance(answer, Refusal))
        except StorageUnavailable as refusal:
            for waiting in group:
                answers.give(waiting, refusal, failed=True)
        except Exception as error:
            if len(group) == 1:
                answers.give(group[0], error, failed=True)
            else:
                for waiting in group:
                    self._write_group([waiting])
                return
        self.items += len(group)
        answers.send()

    def _write_page(self, group: list[Waiting]) -> list[Any]:
        """Write the group durably and return the answers, or raise with nothing written."""
        for attempt in range(_RETRIES_MAX):
            try:
                return self._try_page(group)
            except Exception as error:
                self._drop_connection(error)
                if is_serialization_failure(error) and attempt + 1 < _RETRIES_MAX:
                    time.sleep(0.001 * 2**attempt)
                    continue
                reason = storage_reason(error)
                if reason is not None:
                    self.trouble = reason
                    raise StorageUnavailable(reason=reason) from error
                raise
        raise AssertionError("unreachable")

    def _try_page(self, group: list[Waiting]) -> list[Any]:
        if self._connection is None:
            self._connection = self._engine.connect().execution_options(**{OPTION: self.recorder})
        connection = self._connection
        if self.recorder is not None:
            self.recorder.begin()
        answers: list[Any] = [None] * len(group)
        places: dict[Operation, list[int]] = {}
        for place, waiting in enumerate(group):
            places.setdefault(waiting.operation, []).append(place)
        with connection.begin():
            if self._fence is not None:
                require_fence(connection, self._fence)
            page = Page(connection, self._clock())
            if self.trouble is not None:  # a page that writes nothing commits on a full disk too
                write_recovery(connection, page.now)
            for operation, indexes in places.items():
                if self.hold is not None and operation not in self.passing:
                    results: Sequence[Any] = [self.hold] * len(indexes)
                else:
                    results = operation(page, [group[index].item for index in indexes])
                for index, result in zip(indexes, results, strict=True):
                    answers[index] = result
            page.close()
            if self.closing is not None:
                self.closing(page)
        self.pages += 1
        self.trouble = None
        page.tell()
        return answers

    def _is_left_open(self) -> bool:
        """A commit that failed leaves SQLite inside the transaction."""
        raw = None if self._connection is None or self._connection.invalidated else self._connection.connection
        return bool(getattr(raw, "in_transaction", False))

    def _drop_connection(self, error: BaseException) -> None:
        """After a failure the connection may hold a broken state, or a transaction that a commit left open: open another."""
        if self._connection is not None and (storage_reason(error) is not None or self._is_left_open()):
            try:
                self._connection.invalidate()
                self._connection.close()
            finally:
                self._connection = None
