"""The PostgreSQL of the tests is a real one. No test here is ever skipped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from tests import postgres
from tests.postgres import PostgresServer, PostgresUnavailable


def test_postgresql_really_answers(postgres_server: PostgresServer, postgres_url: Callable[[], str]) -> None:
    engine = create_engine(postgres_url(), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE lots (cents bigint CHECK (cents > 0))"))
        connection.execute(text("INSERT INTO lots SELECT generate_series(1, 100)"))
        assert connection.scalar(text("SELECT sum(cents) FROM lots")) == 5050
        assert str(connection.scalar(text("SELECT version()"))).startswith(f"PostgreSQL {postgres_server.version}")
        # Processes die in these tests, machines do not.
        assert connection.scalar(text("SHOW fsync")) == "off"
        assert connection.scalar(text("SHOW server_encoding")) == "UTF8"


def test_each_database_is_fresh_and_apart(postgres_url: Callable[[], str]) -> None:
    first, second = postgres_url(), postgres_url()
    assert first != second
    with create_engine(first, poolclass=NullPool).begin() as connection:
        connection.execute(text("CREATE TABLE only_here (id int)"))
    with create_engine(second, poolclass=NullPool).begin() as connection:
        assert connection.scalar(text("SELECT to_regclass('only_here')")) is None


def test_a_database_is_dropped_even_with_a_connection_left_open(postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database()
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as left_open:
        left_open.execute(text("SELECT 1"))
        postgres_server.drop_database(url)
        with pytest.raises(OperationalError):
            left_open.execute(text("SELECT 1"))
        left_open.invalidate()


def test_a_book_is_empty_on_either_base(book_url: str) -> None:
    assert make_url(book_url).drivername in {"sqlite", "postgresql+psycopg"}
    engine = create_engine(book_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE accounts (id int)"))
        assert connection.scalar(text("SELECT count(*) FROM accounts")) == 0


def test_a_server_that_cannot_start_fails_with_what_was_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    binaries = tmp_path / "package" / "pginstall" / "bin"
    binaries.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (binaries / name).write_text("#!/bin/sh\necho broken on purpose >&2\nexit 1\n")
        (binaries / name).chmod(0o755)
    monkeypatch.setattr(postgres, "_binaries", lambda: [binaries])
    with pytest.raises(PostgresUnavailable, match=r"(?s)Tried:.*broken on purpose.*scripts/environment"):
        PostgresServer.start()


def test_a_server_starts_from_a_folder_that_others_cannot_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    installed = postgres._binaries()[0].parent.parent
    for folder in (installed, installed.with_name(f"{installed.name}.libs")):
        if folder.is_dir():
            (private / folder.name).symlink_to(folder)
    monkeypatch.setattr(postgres, "_binaries", lambda: [private / installed.name / "pginstall" / "bin"])
    server = PostgresServer.start()
    with create_engine(server.create_database(), poolclass=NullPool).connect() as connection:
        assert connection.scalar(text("SHOW fsync")) == "on", "a stopwatch measures what a disk holds"
    server.stop()
    assert not server.folder.exists()
