"""Taking the newest slips of a log back leaves it as if they had never been written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from hub.schema_service import HUB_HISTORY
from protocol.book import log_store
from protocol.book.service import Book
from protocol.book.tables import attachments, counterfoils, leaves, logs, nodes
from protocol.running.clock_service import now

OWNER, READER = "242900314", "HUB-FR"


def _tables(connection: Connection) -> list[list[tuple[object, ...]]]:
    return [
        [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
        for table in (logs, leaves, nodes, attachments, counterfoils)
    ]


def _write(book: Book, first: int, count: int) -> None:
    def append(page: object, items: list[int]) -> list[int]:
        connection = page.connection  # type: ignore[attr-defined]
        log = log_store.open_log(connection, OWNER, READER)
        log_store.append_leaves(connection, log, [b"leaf %d" % index for index in range(first, first + count)], 5)  # type: ignore[arg-type]
        beside = [(index, b"beside %d" % index) for index in range(first, first + count)]
        log_store.save_attachments(connection, log.id, beside)
        log_store.save_counterfoils(connection, log.id, beside)
        return items

    book.write_now(append, 0)  # type: ignore[arg-type]


def test_a_log_that_was_cut_back_is_as_it_was(book_url: str) -> None:
    book = Book(book_url, history=HUB_HISTORY, clock=now)

    def cut(page: object, items: list[int]) -> list[int]:
        connection = page.connection  # type: ignore[attr-defined]
        log = log_store.open_log(connection, OWNER, READER)
        log_store.cut_back(connection, log, items[0], 1)
        assert log == log_store.find_log(connection, OWNER, READER)
        return items

    for kept, more in ((0, 5), (1, 1), (5, 3), (7, 1), (8, 9), (11, 30)):
        book.write_now(cut, 0)  # type: ignore[arg-type]
        _write(book, 0, kept)
        before = book.read_now(_tables)
        _write(book, kept, more)
        assert book.read_now(_tables) != before
        book.write_now(cut, kept)  # type: ignore[arg-type]
        assert book.read_now(_tables) == before
        _write(book, kept, more)  # and it goes on from there like any other
    book.close()


@given(size=st.integers(0, 40), more=st.integers(1, 40), acked=st.integers(0, 80), epoch=st.integers(2, 9))
def test_what_was_acknowledged_and_the_epoch_go_back_too(size: int, more: int, acked: int, epoch: int) -> None:
    book = Book("sqlite://", history=HUB_HISTORY, clock=now)
    _write(book, 0, size)
    _write(book, size, more)

    def cut(page: object, items: list[int]) -> list[int]:
        connection = page.connection  # type: ignore[attr-defined]
        log = log_store.open_log(connection, OWNER, READER)
        root = log_store.load_root(connection, log, size)
        log_store.save_acked(connection, log, min(acked, log.size))
        log_store.raise_epoch(connection, log, epoch)
        log_store.cut_back(connection, log, size, 1)
        assert (log.size, log.root, log.epoch) == (size, root, 1)
        assert log.acked == min(acked, size)
        assert log_store.count_leaves(connection, log.id) == size
        return items

    book.write_now(cut, 0)  # type: ignore[arg-type]
    book.close()
