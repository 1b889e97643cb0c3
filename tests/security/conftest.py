"""The world of the federation tests, for attackers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.federation.conftest import world
from tests.federation.world import World

__all__ = ["stage", "world"]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[World]:
    """A world on files that may end unsound: each test says itself what `check` must find, and where."""
    made = World(lambda name: f"sqlite:///{tmp_path / name}.db")
    yield made
    made.close()
