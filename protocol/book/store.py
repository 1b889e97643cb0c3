"""Opening a database as a book wants it: durable, guarded, one writer.

Source: shared design, ECOSYSTEM.md section 0 (SQLite under SQLAlchemy opens no transaction on SELECT unless told to).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from protocol.book.driver_store import run_sql
from protocol.book.tables import facts
from protocol.errors import Refusal
from protocol.times import Instant

_BUSY_TIMEOUT_MS = 10_000


class BookInUse(Refusal):
    """Another process writes this book. Facts: book."""

    code = "book_in_use"


class StorageUnavailable(Refusal):
    """The disk is full, failing or read-only, or the database server is gone: nothing was acknowledged. Facts: reason."""

    code = "storage_unavailable"


def require_driver(url: str | URL) -> URL:
    """Return the URL with the driver we use, so that `postgresql://` means psycopg and `sqlite://` the standard one."""
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "postgresql+psycopg"):
        raise ValueError(f"a book lives on sqlite:/// or postgresql://, not {parsed.drivername}")
    return parsed


def open_engine(url: str | URL, *, read_only: bool = False, connections: int = 4) -> Engine:
    """Return an engine whose transactions are real on SQLite, with durability on and foreign keys checked."""
    parsed = require_driver(url)
    if parsed.drivername != "sqlite":
        engine = create_engine(parsed, pool_size=connections, max_overflow=connections, pool_pre_ping=True)
        if read_only:
            return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        return engine
    engine = create_engine(
        parsed,
        connect_args={"timeout": _BUSY_TIMEOUT_MS / 1000, "check_same_thread": False, "cached_statements": 512},
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=connections,
    )

    @event.listens_for(engine, "connect")
    def _on_connect(dbapi: sqlite3.Connection, _record: Any) -> None:
        dbapi.isolation_level = None
        if read_only:
            dbapi.execute("PRAGMA query_only = ON")
        else:
            dbapi.execute("PRAGMA journal_mode = WAL")
            dbapi.execute("PRAGMA synchronous = FULL")
        dbapi.execute("PRAGMA foreign_keys = ON")
        dbapi.execute("PRAGMA cache_size = -65536")

    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        run_sql(connection, begin)

    return engine


def lock_for_writing(engine: Engine) -> Any:
    """Take the right to write the book, for as long as the returned object lives. Raises BookInUse."""
    if engine.dialect.name == "sqlite":
        database = engine.url.database
        if not database or database == ":memory:":
            return object()
        handle = Path(f"{database}.lock").open("w")  # noqa: SIM115 - held until the book closes
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            handle.close()
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise BookInUse(book=Path(database).name) from None
            raise
        os.chmod(handle.name, 0o600)
        return handle
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    if not connection.execute(text("SELECT pg_try_advisory_lock(hashtext('citizen-miles'))")).scalar():
        connection.close()
        raise BookInUse(book=str(engine.url.database))
    return ServerLock(connection)


class ServerLock:
    """The writer's lock on PostgreSQL: a session's, and given back in so many words, for whoever opens next."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def close(self) -> None:
        """Let go. Where the server is gone, so is the lock; twice is once."""
        if self._connection.closed:
            return
        with contextlib.suppress(DBAPIError):
            self._connection.execute(text("SELECT pg_advisory_unlock(hashtext('citizen-miles'))"))
        self._connection.close()


_FENCE = "writer"


def take_fence(engine: Engine) -> str | None:
    """Write into the book who writes it now; return the word that each page must find there. None on SQLite.

    PostgreSQL's lock is a session's: where the connection is lost, so is the lock, while the process goes on. The next
    writer changes the word, and from then on every page of the former one is refused. (SQLite's lock is a file's and
    lives as long as the process.)
    """
    if engine.dialect.name == "sqlite":
        return None
    word = secrets.token_hex(8)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM facts WHERE name = :name"), {"name": _FENCE})
        connection.execute(
            text("INSERT INTO facts (name, value) VALUES (:name, :word)"), {"name": _FENCE, "word": word}
        )
    return word


def require_fence(connection: Connection, word: str) -> None:
    """Raise BookInUse where another process took the book over. Whoever wants to must wait for this transaction."""
    found = connection.exec_driver_sql("SELECT value FROM facts WHERE name = %s FOR SHARE", (_FENCE,)).scalar()
    if found != word:
        raise BookInUse(book=str(connection.engine.url.database))


def write_recovery(connection: Connection, now: Instant) -> None:
    """Write when the storage last recovered: where this commits, it writes again."""
    connection.execute(facts.delete().where(facts.c.name == "recovered_at"))
    connection.execute(facts.insert().values(name="recovered_at", value=str(now)))


_SQLITE_STORAGE = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_BUSY,
}
_POSTGRESQL_STORAGE = ("53", "57", "58", "08", "25006")


def storage_reason(error: BaseException) -> str | None:
    """Return why the storage failed, or None where the statement itself was at fault."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(origin, sqlite3.Error):
        code = getattr(origin, "sqlite_errorcode", None)
        if code is not None and (code & 0xFF) in _SQLITE_STORAGE:
            return str(origin)
        return None
    if isinstance(origin, OSError):
        return os.strerror(origin.errno) if origin.errno else str(origin)
    state = getattr(origin, "sqlstate", None)
    if isinstance(state, str) and state.startswith(_POSTGRESQL_STORAGE):
        return str(origin).splitlines()[0]
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return "the database server closed the connection"
    if state is None and type(origin).__name__ == "OperationalError":
        return str(origin).splitlines()[0]
    return None


def is_serialization_failure(error: BaseException) -> bool:
    """Tell whether PostgreSQL asks for the same transaction again (40001, 40P01)."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    return getattr(origin, "sqlstate", None) in ("40001", "40P01")
