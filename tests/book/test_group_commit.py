"""The Book itself: durable before it answers, a bad item harms nobody, a failing disk is said and recovered from."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError

from hub.schema_service import HUB_HISTORY
from node.schema_service import ACCOUNTS_HISTORY
from protocol.book import service
from protocol.book.migration_service import History, pending_changes
from protocol.book.service import Book, Page
from protocol.book.store import BookInUse, StorageUnavailable, open_engine
from protocol.errors import IdMismatch, Refusal
from protocol.running.clock_service import now


def write_facts(page: Page, items: Sequence[str]) -> list[str | Refusal]:
    """Write each item as a fact; refuse `no`, break on `bug`."""
    results: list[str | Refusal] = []
    for item in items:
        if item == "no":
            results.append(IdMismatch(id="no", field="x"))
            continue
        page.connection.execute(text("INSERT INTO facts (name, value) VALUES (:name, 'x')"), {"name": item})
        if item == "bug":
            raise ValueError("a bug of ours")
        results.append(item)
    return results


def facts_of(connection: Connection) -> set[str]:
    return {row[0] for row in connection.execute(text("SELECT name FROM facts WHERE name <> 'writer'"))}


@pytest.fixture
def book(book_url: str) -> Iterator[Book]:
    opened = Book(book_url, history=HUB_HISTORY, clock=now)
    yield opened
    opened.close()


def test_refusals_bugs_and_good_items_of_one_group_do_not_touch_each_other(book: Book) -> None:
    items = ["a", "no", "bug", "b", "a", "c"]
    results = book.write_all_now(write_facts, items)
    assert results[0] == "a"
    assert isinstance(results[1], IdMismatch)
    assert isinstance(results[2], ValueError)
    assert results[3] == "b"
    assert isinstance(results[4], Exception)  # the same name twice
    assert results[5] == "c"
    assert book.read_now(facts_of) == {"a", "b", "c"}


async def test_two_thousand_writers_are_all_answered_and_share_pages(book: Book) -> None:
    answers = await asyncio.gather(*(book.write(write_facts, f"fact {number}") for number in range(2_000)))
    assert len(set(answers)) == 2_000
    assert len(await book.read(facts_of)) == 2_000
    pages, items = book.written
    assert items == 2_000
    assert pages < 200


def test_a_second_writer_is_refused_while_the_first_lives(book: Book, book_url: str) -> None:
    with pytest.raises(BookInUse):
        Book(book_url, history=HUB_HISTORY, clock=now)


def test_a_reader_does_not_wait_for_a_writer(book: Book) -> None:
    def slow(page: Page, items: Sequence[None]) -> Sequence[None]:
        page.connection.execute(text("INSERT INTO facts (name, value) VALUES ('slow', 'x')"))
        writes.set()
        assert has_read.wait(60), "the reader waits for the writer"
        return items

    async def both() -> set[str]:
        writing = book.submit(slow, None)
        await asyncio.to_thread(writes.wait)
        found = await book.read(facts_of)
        has_read.set()
        assert await writing is None
        return found

    writes, has_read = threading.Event(), threading.Event()
    assert asyncio.run(both()) == set()


@pytest.mark.parametrize("history", [HUB_HISTORY, ACCOUNTS_HISTORY], ids=lambda history: history.name)
def test_tables_in_code_and_migrations_agree(book_url: str, history: History) -> None:
    Book(book_url, history=history, clock=now).close()
    Book(book_url, history=history, clock=now).close()
    engine = open_engine(book_url)
    assert pending_changes(engine, history) == []
    engine.dispose()


def test_a_full_disk_stops_acknowledging_says_so_and_recovers(tmp_path: Path) -> None:
    book = Book(f"sqlite:///{tmp_path / 'book.db'}", history=HUB_HISTORY, clock=now)

    def fill(page: Page, items: Sequence[int]) -> Sequence[int]:
        for item in items:
            page.connection.execute(
                text("INSERT INTO facts (name, value) VALUES (:name, :value)"),
                {"name": f"f{item}", "value": "x" * 50_000},
            )
        return items

    def limit(page: Page, items: Sequence[int]) -> Sequence[int]:
        page.connection.exec_driver_sql(f"PRAGMA max_page_count = {items[0]}")
        return items

    pages = book.read_now(lambda connection: connection.exec_driver_sql("PRAGMA page_count").scalar_one())
    book.write_now(limit, pages + 40)
    written = []
    with pytest.raises(StorageUnavailable, match="full"):  # noqa: PT012 - it fails somewhere on the way
        for number in range(100):
            book.write_now(fill, number)
            written.append(number)
    assert written
    assert book.trouble is not None
    assert "full" in book.trouble
    # The connection was dropped with the failure, and the limit with it: space is back.
    asyncio.run(book.try_again())
    assert book.trouble is None
    book.write_now(fill, 1_000)
    assert book.read_now(facts_of) >= {f"f{number}" for number in written} | {"f1000"}
    book.close()


def test_a_book_that_may_not_be_written_refuses_and_keeps_reading(tmp_path: Path) -> None:
    path = tmp_path / "book.db"
    book = Book(f"sqlite:///{path}", history=HUB_HISTORY, clock=now)
    book.write_now(write_facts, "before")

    def forbid(page: Page, items: Sequence[int]) -> Sequence[int]:
        page.connection.exec_driver_sql(f"PRAGMA query_only = {items[0]}")
        return items

    book.write_now(forbid, 1)
    with pytest.raises(StorageUnavailable):
        book.write_now(write_facts, "after")
    assert book.read_now(facts_of) == {"before"}
    book.write_now(write_facts, "again")
    assert book.trouble is None
    book.close()


def test_a_page_that_writes_nothing_does_not_say_that_the_disk_writes_again(tmp_path: Path) -> None:
    book = Book(f"sqlite:///{tmp_path / 'book.db'}", history=HUB_HISTORY, clock=now)
    book.write_now(write_facts, "before")
    is_broken = True

    def forbid(page: Page, items: Sequence[int]) -> Sequence[int]:
        page.connection.exec_driver_sql("PRAGMA query_only = ON")
        return items

    def look(page: Page, items: Sequence[int]) -> Sequence[int]:
        return [page.connection.execute(text("SELECT count(*) FROM facts")).scalar_one() for _ in items]

    @event.listens_for(book._engine, "connect")
    def _open(dbapi: sqlite3.Connection, _record: object) -> None:
        dbapi.execute(f"PRAGMA query_only = {int(is_broken)}")

    book.write_now(forbid, 1)
    with pytest.raises(StorageUnavailable):
        book.write_now(write_facts, "after")
    with pytest.raises(StorageUnavailable):
        book.write_now(look, 1)
    assert book.trouble is not None
    is_broken = False
    assert book.write_now(look, 1) > 0
    assert book.trouble is None
    assert book.read_now(facts_of) >= {"before", "recovered_at"}
    book.close()


def test_a_reading_that_the_storage_refuses_is_a_refusal_and_a_wrong_statement_is_a_bug(book: Book) -> None:
    def fail(_connection: Connection) -> None:
        origin = sqlite3.OperationalError("disk I/O error")
        origin.sqlite_errorcode = sqlite3.SQLITE_IOERR
        raise OperationalError("SELECT 1", None, origin)

    def ask_nonsense(connection: Connection) -> None:
        connection.exec_driver_sql("SELECT nothing FROM nowhere")

    with pytest.raises(StorageUnavailable, match="disk I/O error"):
        book.read_now(fail)
    with pytest.raises(StorageUnavailable, match="disk I/O error"):
        asyncio.run(book.read(fail))
    with pytest.raises(DBAPIError):
        book.read_now(ask_nonsense)
    assert book.read_now(facts_of) == set()


@pytest.mark.parametrize("place", ["lock_for_writing", "upgrade", "take_fence"])
def test_a_disk_that_fails_at_the_start_is_one_refusal(tmp_path: Path, place: str) -> None:
    url = f"sqlite:///{tmp_path / 'book.db'}"

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path))

    owner = service if place == "upgrade" else service.store
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, place, fail)
        with pytest.raises(StorageUnavailable, match="No space left"):
            Book(url, history=HUB_HISTORY, clock=now)
    Book(url, history=HUB_HISTORY, clock=now).close()


CHILD = """
import sys, asyncio
from sqlalchemy import text
from hub.schema_service import HUB_HISTORY
from protocol.book.service import Book
from protocol.running.clock_service import now
from tests.book.test_group_commit import write_facts

book = Book(sys.argv[1], history=HUB_HISTORY, clock=now)

async def main():
    async def one(number):
        while True:
            name = f"{sys.argv[2]}/{number}"
            await book.write(write_facts, name)
            print(name, flush=True)
            number += 50
    await asyncio.gather(*(one(number) for number in range(50)))

asyncio.run(main())
"""


def test_what_was_acknowledged_survives_sigkill_at_any_instant(book_url: str) -> None:
    acknowledged: set[str] = set()
    for round_ in range(6):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, book_url, str(round_)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        assert child.stdout is not None
        told = [child.stdout.readline() for _ in range(1 + 60 * round_)]  # however slow the machine is
        child.send_signal(signal.SIGKILL)
        told += child.stdout.read().splitlines(keepends=True)
        child.wait()
        child.stdout.close()
        acknowledged |= {line.decode().strip() for line in told if line.endswith(b"\n")}
        book = _reopen(book_url)
        assert acknowledged <= book.read_now(facts_of)
        book.close()
    assert len(acknowledged) > 100


def _reopen(url: str) -> Book:
    """Open again; PostgreSQL may take a moment to notice that the killed writer is gone."""
    deadline = time.monotonic() + 100
    while True:
        try:
            return Book(url, history=HUB_HISTORY, clock=now)
        except BookInUse:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_a_writer_that_lost_its_lock_writes_nothing_more(postgres_url: Callable[[], str]) -> None:
    """The server drops the lock's session; another process takes the book over; the first one must notice."""
    url = postgres_url()
    first = Book(url, history=HUB_HISTORY, clock=now)
    first.write_now(write_facts, "before")
    with psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(), autocommit=True) as server:
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
        )
    first.write_now(write_facts, "nobody took it over yet")
    second = Book(url, history=HUB_HISTORY, clock=now)
    with pytest.raises(BookInUse):
        first.write_now(write_facts, "too late")
    second.write_now(write_facts, "mine")
    first.close()
    second.close()
