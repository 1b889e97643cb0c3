"""A village on a file. After every test its own checks find nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guides.world import Village


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    made = Village(f"sqlite:///{tmp_path / 'accounts'}.db")
    yield made
    findings = made.findings()
    made.close()
    assert findings == []
