"""A fund on SQLite and on PostgreSQL. After every test its own checks find nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol.house import BaseName
from tests.fund.fund_world import FundWorld


@pytest.fixture
def world(book_url: str, tmp_path: Path) -> Iterator[FundWorld]:
    """The fund's book is of the kind that is tested; its neighbours have tests of their own, and files here."""
    made = FundWorld(lambda name: book_url if name == BaseName.FUND else f"sqlite:///{tmp_path / name}.db")
    yield made
    wrongs = made.find_wrongs()
    made.close()
    assert wrongs == []
