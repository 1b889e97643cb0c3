"""A projects' base on files. After every test its own checks find nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.governance.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(lambda name: f"sqlite:///{tmp_path / name}.db")
    yield made
    wrongs = made.find_wrongs()
    made.close()
    assert wrongs == []
