"""A house of three bases, on SQLite and on PostgreSQL. After every test its own checks find nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.partners.house import ACCOUNTS, House


@pytest.fixture
def house(request: pytest.FixtureRequest, book_url: str) -> Iterator[House]:
    """Three books of one kind, as the test says."""
    made_urls = {ACCOUNTS: book_url}

    def url_of(name: str) -> str:
        if name not in made_urls:
            if book_url.startswith("sqlite"):
                made_urls[name] = book_url.replace("book.db", f"{name.lower()}.db")
            else:
                made_urls[name] = request.getfixturevalue("postgres_url")()
        return made_urls[name]

    made = House(url_of)
    yield made
    wrongs = made.find_wrongs()
    made.close()
    assert made.is_wrong_by_design or wrongs == []
