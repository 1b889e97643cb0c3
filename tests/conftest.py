"""Fixtures that every test may ask for: fresh databases, on SQLite and on a real PostgreSQL.

`postgres_url()` gives an empty PostgreSQL database each time it is called; `book_url` runs the test twice,
once on each base. One server runs for each test process, from the first test that asks until the end. Files of tests
lie in memory where there is such a place (`memory`).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from protocol.book import service as book_service
from tests.memory import find_memory
from tests.postgres import PostgresServer
from tests.templates import bring_up_to_date

# On a busy machine a slow example says nothing about the code: time limits are pytest's business.
_SLOW = (HealthCheck.too_slow,)
settings.register_profile("default", deadline=None, suppress_health_check=_SLOW)
settings.register_profile("thorough", deadline=None, suppress_health_check=_SLOW, max_examples=2000)
# A mutant is judged by the same examples each time, and nobody reads the smallest one that kills it.
settings.register_profile(
    "mutation", max_examples=50, deadline=None, derandomize=True, database=None, phases=(Phase.explicit, Phase.generate)
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    """Before pytest looks for its folder: what it makes there, and what the started processes make, lies in memory."""
    memory = find_memory()
    if memory is not None and "TMPDIR" not in os.environ:
        os.environ["TMPDIR"] = str(memory)
        tempfile.tempdir = None  # it is looked for again


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first, by the time that their mark gives them: nobody waits for one at the end."""
    items.sort(key=_seconds_given, reverse=True)


def _seconds_given(item: pytest.Item) -> float:
    mark = item.get_closest_marker("timeout")
    return float(mark.args[0]) if mark is not None else 0.0


@pytest.fixture(scope="session", autouse=True)
def _empty_books_are_copied() -> Iterator[None]:
    """Of books that are opened in this process; whatever calls `upgrade` itself goes the product's way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(book_service, "upgrade", bring_up_to_date)
        yield


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


@pytest.fixture
def postgres_base(postgres_server: PostgresServer) -> Callable[[str], str]:
    """Call it with a word for the address of an empty database that a role of its own owns, and that no other may open.

    They go with the server: to drop one takes longer than to make it.
    """
    return postgres_server.create_base


@pytest.fixture(params=["sqlite", "postgresql"])
def book_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty book: the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'book.db'}"
    create: Callable[[], str] = request.getfixturevalue("postgres_url")
    return create()
