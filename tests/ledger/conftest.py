"""Worlds for the tests of the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ledger.world import World


@pytest.fixture
def world(book_url: str) -> Iterator[World]:
    """An empty territory, once on SQLite and once on PostgreSQL. What a test leaves behind must add up."""
    made = World(book_url)
    yield made
    findings = made.findings()
    made.close()
    assert findings == []


@pytest.fixture
def broken_world(book_url: str) -> Iterator[World]:
    """The same for tests that break the base on purpose."""
    made = World(book_url)
    yield made
    made.close()


@pytest.fixture
def sqlite_world(tmp_path: Path) -> Iterator[World]:
    """An empty territory on SQLite, for tests that open and close it or look at its file."""
    made = World(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield made
    made.close()
