"""A house of accounts and people. After every test its own checks find nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.people.people_world import PEOPLE, PeopleWorld


@pytest.fixture
def world(tmp_path: Path) -> Iterator[PeopleWorld]:
    """On files: what PostgreSQL could do otherwise has a test of its own."""
    yield from _open(PeopleWorld(lambda name: f"sqlite:///{tmp_path / name}.db"))


@pytest.fixture
def either_world(book_url: str, tmp_path: Path) -> Iterator[PeopleWorld]:
    """The people's book on both kinds of base."""
    yield from _open(PeopleWorld(lambda name: book_url if name == PEOPLE else f"sqlite:///{tmp_path / name}.db"))


def _open(made: PeopleWorld) -> Iterator[PeopleWorld]:
    made.found()
    yield made
    wrongs = made.find_wrongs()
    made.close()
    assert made.is_wrong_by_design or wrongs == []
