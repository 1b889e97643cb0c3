"""Copies of a book on SQLite: made while it is written, and put back when its disk is lost.

A copy is consistent whatever the writer does meanwhile (SQLite's own backup). A copy that was put back is marked, so
that whoever opens the book knows that it is old before anybody else has to say so. PostgreSQL has its own tools.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, make_url

from protocol.book.store import lock_for_writing, open_engine
from protocol.book.tables import facts
from protocol.errors import Refusal

_PAGES_AT_ONCE = 256

OnProgress = Callable[[int, int], None]


class NoCopy(Refusal):
    """A copy that cannot be made or put back. Facts: reason."""

    code = "no_copy"


def _file_of(url: str | URL) -> Path:
    address = make_url(url)
    if address.get_backend_name() != "sqlite" or not address.database:
        raise NoCopy(reason="this book is on PostgreSQL: use its own backups (pg_dump, pg_basebackup)")
    return Path(address.database)


def back_up(url: str | URL, target: Path, on_progress: OnProgress = lambda _done, _all: None) -> int:
    """Copy the book to `target`, durably and whole or not at all; return the bytes. Raises NoCopy."""
    source = _file_of(url)
    if not source.exists():
        raise NoCopy(reason=f"{source} is not there")
    draft = target.with_name(target.name + ".part")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    os.close(handle)
    with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as book, closing(sqlite3.connect(draft)) as copy:
        book.backup(copy, pages=_PAGES_AT_ONCE, progress=lambda _status, left, all_: on_progress(all_ - left, all_))
    with draft.open("rb") as written:
        os.fsync(written.fileno())
    os.replace(draft, target)
    return target.stat().st_size


def mark_restored(url: str | URL, marks: Mapping[str, str]) -> None:
    """Mark a book that was put back by other means, PostgreSQL's own among them, as an old copy. Raises BookInUse."""
    engine = open_engine(make_url(url), connections=2)
    try:
        lock = lock_for_writing(engine)
        try:
            with engine.begin() as connection:
                for name, value in marks.items():
                    connection.execute(facts.delete().where(facts.c.name == name))
                    connection.execute(facts.insert().values(name=name, value=value))
        finally:
            if hasattr(lock, "close"):
                lock.close()
    finally:
        engine.dispose()


def put_back(url: str | URL, copy: Path, marks: Mapping[str, str]) -> Path | None:
    """Put a copy in the book's place, marked as old; return where the book that was there went. Raises NoCopy, BookInUse."""
    place = _file_of(url)
    with closing(sqlite3.connect(f"file:{copy}?mode=ro", uri=True)) as found:
        try:
            if found.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise NoCopy(reason=f"{copy} is damaged")
            found.execute("SELECT count(*) FROM facts")
        except sqlite3.DatabaseError as error:
            raise NoCopy(reason=f"{copy} is no book: {error}") from None
    engine = open_engine(make_url(url), connections=1)
    lock = lock_for_writing(engine)
    try:
        draft = place.with_name(place.name + ".part")
        draft.write_bytes(copy.read_bytes())
        with closing(sqlite3.connect(draft)) as marked:
            marked.executemany("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", list(marks.items()))
            marked.commit()
        kept: Path | None = None
        if place.exists():
            kept = place.with_name(place.name + ".replaced")
            os.replace(place, kept)
        for suffix in ("-wal", "-shm"):
            place.with_name(place.name + suffix).unlink(missing_ok=True)
        os.chmod(draft, 0o600)
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(draft, place)
        return kept
    finally:
        lock.close()
        engine.dispose()
