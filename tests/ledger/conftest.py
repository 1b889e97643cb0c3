"""Worlds for the tests of the ledger: empty territories on real bases.

A migrated base is made once for each test process; a test starts from a copy of the file, or from emptied tables. The
test of the migration itself starts from nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, MetaData, text

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
def migrated_database(postgres_server: PostgresServer) -> Iterator[Engine]:
    """An empty base on PostgreSQL."""
    url = postgres_server.create_database()
    engine = open_engine(url)
    upgrade(engine, ledger_history())
    yield engine
    engine.dispose()
    postgres_server.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty, migrated base: the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "ledger.db")
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    engine: Engine = request.getfixturevalue("migrated_database")
    found = MetaData()
    found.reflect(engine)
    names = ", ".join(name for name in found.tables if not name.startswith("alembic_version"))
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {names}"))
    engine.dispose()
    return engine.url.render_as_string(hide_password=False)


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
