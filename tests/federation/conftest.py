"""The world on both bases. Whatever a test did, every book must hold every invariant at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.federation.world import World


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A hub without members yet, each party on its own base."""
    if request.param == "sqlite":
        made = World(lambda name: f"sqlite:///{tmp_path / name}.db")
    else:
        create: Callable[[], str] = request.getfixturevalue("postgres_url")
        made = World(lambda _name: create())
    yield made
    findings = made.check()
    made.close()
    assert findings == []
