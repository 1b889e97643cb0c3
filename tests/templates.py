"""Empty books, made once for each process and copied: to bring a new base up to date takes longer than most tests.

Books that tests open in their own process are brought up to date by `bring_up_to_date` (see `conftest`): the first one of
a history goes the product's own way, the others get what came of it. Started processes, and tests of the histories
themselves, always go the product's own way.
"""

from __future__ import annotations

import atexit
import shutil
import sqlite3
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Final
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.engine import URL

from protocol.book.migration_service import History, upgrade
from protocol.book.store import open_engine
from tests.postgres import SUPERUSER, find_program

_PREFIX: Final = "sqlite:///"


def lay(url: str, history: History) -> str:
    """Put an empty base of that history where an SQLite address names a file that is not there; return the address."""
    file = Path(url.removeprefix(_PREFIX))
    if url.startswith(_PREFIX) and not file.exists():
        shutil.copyfile(_make_file(history), file)
    return url


def bring_up_to_date(engine: Engine, history: History) -> None:
    """Do what `upgrade` does; a base that holds nothing gets a copy of what it makes of one."""
    connection = engine.raw_connection()
    try:
        if engine.dialect.name == "sqlite":
            is_new = not connection.driver_connection.execute("SELECT 1 FROM sqlite_master").fetchone()
            if is_new:
                with sqlite3.connect(_make_file(history)) as source:
                    source.backup(connection.driver_connection)
                source.close()
        else:
            found = connection.driver_connection.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public'")
            is_new = not found.fetchone()
            if is_new:
                connection.driver_connection.execute(
                    _make_script(engine.url.set(username=SUPERUSER, database="postgres"), history)
                )
            connection.driver_connection.commit()
    finally:
        connection.close()
    if not is_new:
        upgrade(engine, history)


@lru_cache(maxsize=16)
def _make_file(history: History) -> Path:
    folder = tempfile.TemporaryDirectory(prefix="templates-")
    atexit.register(folder.cleanup)
    file = Path(folder.name) / f"{history.name}.db"
    engine = open_engine(f"{_PREFIX}{file}")
    upgrade(engine, history)
    engine.dispose()
    return file


@lru_cache(maxsize=16)
def _make_script(server: URL, history: History) -> bytes:
    """Return the statements that make an empty base of that history on a server."""
    name = f"template_{uuid4().hex}"
    with psycopg.connect(
        host=str(server.query["host"]), user=server.username, dbname="postgres", autocommit=True
    ) as own:
        own.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        engine = open_engine(server.set(database=name))
        upgrade(engine, history)
        engine.dispose()
        written = write_script(server.set(database=name))
        own.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))
    return written


def write_script(url: URL) -> bytes:
    """Return a base on PostgreSQL as its own program writes it, in statements."""
    words = ["-h", str(url.query["host"]), "-U", str(url.username), "--inserts", "--no-owner", str(url.database)]
    written = subprocess.run([find_program("pg_dump"), *words], check=True, capture_output=True).stdout
    # Words for psql begin with a backslash; what is set for a session is taken back.
    lines = [line for line in written.splitlines() if not line.startswith((b"\\", b"--"))]
    return b"\n".join([*lines, b"RESET ALL;"])
