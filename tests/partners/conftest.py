"""A house of three bases, the companies' on SQLite and on PostgreSQL. After every test its own checks find nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol.house import BaseName
from tests.partners.house import House


@pytest.fixture
def house(book_url: str, tmp_path: Path) -> Iterator[House]:
    """The companies' book is of the kind that is tested; their neighbours have tests of their own, and files here."""
    made = House(lambda name: book_url if name == BaseName.PARTNERS else f"sqlite:///{tmp_path / name}.db")
    yield made
    wrongs = made.find_wrongs()
    made.close()
    assert made.is_wrong_by_design or wrongs == []
