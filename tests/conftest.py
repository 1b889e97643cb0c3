"""Fixtures that every test may ask for: fresh databases, on SQLite and on a real PostgreSQL.

`postgres_url()` gives an empty PostgreSQL database each time it is called; `book_url` runs the test twice,
once on each base. One server runs for each test process, from the first test that asks until the end.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.postgres import PostgresServer

# On a busy machine a slow example says nothing about the code: time limits are pytest's business.
_SLOW = (HealthCheck.too_slow,)
settings.register_profile("default", deadline=None, suppress_health_check=_SLOW)
settings.register_profile("thorough", deadline=None, suppress_health_check=_SLOW, max_examples=2000)
# A mutant is judged by the same examples each time, and nobody reads the smallest one that kills it.
settings.register_profile(
    "mutation", max_examples=50, deadline=None, derandomize=True, database=None, phases=(Phase.explicit, Phase.generate)
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The PostgreSQL of this test process. Without one, the tests that ask for it fail: none is skipped."""
    server = PostgresServer.start(is_durable=False)
    yield server
    server.stop()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[Callable[[], str]]:
    """Call it for the address of an empty database; all of them are dropped after the test."""
    made: list[str] = []

    def create() -> str:
        made.append(postgres_server.create_database())
        return made[-1]

    yield create
    for url in made:
        postgres_server.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def book_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty book: the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'book.db'}"
    create: Callable[[], str] = request.getfixturevalue("postgres_url")
    return create()
