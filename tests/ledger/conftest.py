"""Worlds for the tests of the ledger: empty territories on real bases.

A migrated base is made once for each test process; a test starts from a copy of the file, or from emptied tables. The
test of the migration itself starts from nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, MetaData, Table

from node.ledger.service import ledger_history
from protocol.book.migration_service import upgrade
from protocol.book.store import open_engine
from tests.ledger.world import World
from tests.postgres import PostgresServer


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty base as SQLite keeps it."""
    path = tmp_path_factory.mktemp("migrated") / "ledger.db"
    engine = open_engine(f"sqlite:///{path}")
    upgrade(engine, ledger_history())
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def migrated_database(postgres_server: PostgresServer) -> Iterator[tuple[Engine, list[Table]]]:
    """An empty base on PostgreSQL, and its tables, children before parents."""
    url = postgres_server.create_database()
    engine = open_engine(url)
    upgrade(engine, ledger_history())
    found = MetaData()
    found.reflect(engine)
    yield engine, [table for table in reversed(found.sorted_tables) if not table.name.startswith("alembic_version")]
    engine.dispose()
    postgres_server.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Call it for the address of an empty, migrated base: the test runs once on SQLite and once on PostgreSQL.

    On PostgreSQL it is one base, emptied at each call.
    """
    numbers = count(1)
    if request.param == "sqlite":
        migrated: Path = request.getfixturevalue("migrated_file")

        def copy() -> str:
            path = tmp_path / f"ledger{next(numbers)}.db"
            shutil.copy(migrated, path)
            return f"sqlite:///{path}"

        return copy
    engine, tables = request.getfixturevalue("migrated_database")

    def empty() -> str:
        with engine.begin() as connection:
            for table in tables:  # TRUNCATE would make a new file for each
                connection.execute(table.delete())
        return str(engine.url.render_as_string(hide_password=False))

    return empty


@pytest.fixture
def ledger_url(fresh_url: Callable[[], str]) -> str:
    """The address of one empty, migrated base."""
    return fresh_url()


@pytest.fixture
def world(ledger_url: str) -> Iterator[World]:
    """An empty territory. What a test leaves behind must add up."""
    made = World(ledger_url)
    yield made
    findings = made.findings()
    made.close()
    assert findings == []


@pytest.fixture
def broken_world(ledger_url: str) -> Iterator[World]:
    """The same for tests that break the base on purpose."""
    made = World(ledger_url)
    yield made
    made.close()
