"""An empty book that is copied is the one that the product makes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from hub.schema_service import HUB_HISTORY
from protocol.book import service
from protocol.book.migration_service import upgrade
from protocol.book.store import open_engine
from tests.templates import bring_up_to_date, write_script


@pytest.mark.parametrize("base", ["sqlite", "postgresql"])
def test_a_copied_book_is_word_for_word_the_one_that_is_made(
    base: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    assert service.upgrade is bring_up_to_date, "books of tests are copied"
    create: Callable[[], str] = lambda: f"sqlite:///{tmp_path / str(len(list(tmp_path.iterdir())))}.db"  # noqa: E731
    if base == "postgresql":
        create = request.getfixturevalue("postgres_url")
    written = []
    for bring in (upgrade, bring_up_to_date, bring_up_to_date):
        engine = open_engine(create())
        bring(engine, HUB_HISTORY)
        bring(engine, HUB_HISTORY)
        engine.dispose()
        written.append(_write(str(engine.url)))
    made, *copied = written
    assert copied == [made, made]
    assert len(made) > 5_000


def _write(url: str) -> str:
    if make_url(url).get_backend_name() != "sqlite":
        return write_script(make_url(url)).decode()
    engine = open_engine(url)
    with engine.connect() as connection:
        words = sorted(row[0] for row in connection.execute(text("SELECT sql FROM sqlite_master")) if row[0])
    engine.dispose()
    return "\n".join(words)
