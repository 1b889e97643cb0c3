"""A Book, opened: `write` goes through the group-committing writer, `read` through snapshots beside it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar, cast

from sqlalchemy import URL, Connection
from sqlalchemy.exc import DBAPIError

from protocol.book import store
from protocol.book.migration_service import History, upgrade
from protocol.book.recording_store import Recorder
from protocol.book.store import StorageUnavailable
from protocol.book.worker import Clock, Operation, Page, Waiting, Writer
from protocol.errors import Refusal

__all__ = ["Book", "Operation", "Page"]

Found = TypeVar("Found")
_READERS = 4


def _look(_page: Page, items: Sequence[None]) -> Sequence[None]:
    """Ask for nothing: after a failure each page proves by itself that the storage writes again."""
    return items


class Book:
    """One base: its database, its writer, its readers. Close it, or let the process die: both are safe."""

    def __init__(self, url: str | URL, *, history: History, clock: Clock) -> None:
        """Open the database, take the writer's lock, bring the schema up to date.

        Raises BookInUse where another process writes it, StorageUnavailable where the disk refuses.
        """
        self.url = store.require_driver(url)
        self.clock = clock
        self._engine = store.open_engine(self.url, connections=2)
        try:
            fence = self._take_over(history)
        except Exception as error:
            self._engine.dispose()
            reason = None if isinstance(error, Refusal) else store.storage_reason(error)
            if reason is not None:
                raise StorageUnavailable(reason=reason) from error
            raise
        self._reading = store.open_engine(self.url, read_only=True, connections=_READERS)
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix=f"read-{history.name}")
        self._writer = Writer(self._engine, clock, history.name, fence)
        self._writer.start()

    def _take_over(self, history: History) -> str | None:
        """Take the writer's lock and bring the schema up to date; return the word that each page must find."""
        self._lock = store.lock_for_writing(self._engine)
        try:
            upgrade(self._engine, history)
            return store.take_fence(self._engine)
        except BaseException:
            self._unlock()
            raise

    @property
    def dialect(self) -> str:
        return self._engine.dialect.name

    @property
    def trouble(self) -> str | None:
        """Why the storage refuses to write, or None while all is well."""
        return self._writer.trouble

    @property
    def written(self) -> tuple[int, int]:
        """Pages committed and items answered since the book was opened."""
        return self._writer.pages, self._writer.items

    def keep(self, recorder: Recorder, closing: Callable[[Page], None]) -> None:
        """Keep what pages write, and do `closing` as the last of each. Called before the first is written."""
        self._writer.record(recorder)
        self._writer.closing = closing

    def hold(self, refusal: Refusal | None, passing: Sequence[Operation] = ()) -> None:
        """Refuse every operation but these from now on; None takes all again."""
        self._writer.passing = tuple(passing)
        self._writer.hold = refusal

    @property
    def held(self) -> Refusal | None:
        """Why this book takes no work, or None."""
        return self._writer.hold

    def submit(self, operation: Operation, item: Any) -> asyncio.Future[Any]:
        """Queue one item from a running event loop; the future resolves when it is durable, or raises its Refusal."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._writer.submit(Waiting(operation, item, future, loop))
        return future

    async def write(self, operation: Operation, item: Any) -> Any:
        """Write one item durably and return its result. Raises its Refusal."""
        return await self.submit(operation, item)

    def write_now(self, operation: Operation, item: Any) -> Any:
        """The same for code without an event loop."""
        future: Future[Any] = Future()
        self._writer.submit(Waiting(operation, item, future, None))
        return future.result()

    def write_all_now(self, operation: Operation, items: Sequence[Any]) -> list[Any]:
        """Queue many items at once and return each result or the Refusal itself."""
        futures: list[Future[Any]] = []
        for item in items:
            future: Future[Any] = Future()
            futures.append(future)
            self._writer.submit(Waiting(operation, item, future, None))
        return [future.exception() or future.result() for future in futures]

    def read_now(self, find: Callable[[Connection], Found]) -> Found:
        """Run `find` on one consistent snapshot that never waits for the writer. Raises StorageUnavailable."""
        try:
            with self._reading.connect() as connection, connection.begin():
                return find(connection)
        except DBAPIError as error:
            reason = store.storage_reason(error)
            if reason is None:
                raise
            raise StorageUnavailable(reason=reason) from error

    async def read(self, find: Callable[[Connection], Found]) -> Found:
        """The same, beside the event loop."""
        loop = asyncio.get_running_loop()
        return cast(Found, await loop.run_in_executor(self._readers, self.read_now, find))

    async def read_soon(self, find: Callable[[Connection], Found]) -> Found:
        """The same for what is short and waited for. On SQLite it runs at once: nothing there waits for another, and to
        wake a thread and be woken by it takes longer than the reading. On PostgreSQL it runs beside the event loop.
        """
        return self.read_now(find) if self.dialect == "sqlite" else await self.read(find)

    async def try_again(self) -> None:
        """While the storage refuses, look whether it does no more. Raises nothing."""
        if self.trouble is not None:
            with contextlib.suppress(Refusal):
                await self.write(_look, None)

    def close(self) -> None:
        """Write what waits, then let go of the database and of the lock."""
        self._writer.close()
        self._readers.shutdown(wait=True)
        self._reading.dispose()
        self._unlock()
        self._engine.dispose()

    def _unlock(self) -> None:
        """Let whoever comes next write the book. (A base in memory has no lock to give back.)"""
        if hasattr(self._lock, "close"):
            self._lock.close()
