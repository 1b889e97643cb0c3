"""How long a caller waits: as long as one process could have answered, however often it was killed meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.killing.processes import START_SECONDS, Kept


class _Running(Kept):
    """A process that runs, as far as its keeper sees."""

    is_listening = False

    @property
    def is_ready(self) -> bool:
        return self.is_listening


@pytest.fixture
def kept(tmp_path: Path) -> _Running:
    return _Running("node", tmp_path, code="node")


def test_what_is_killed_again_and_again_is_not_silent(kept: _Running) -> None:
    """Five kills, each a second after a start of thirty: nobody had the time to answer."""
    now = 0.0
    for _ in range(5):
        kept.spawned_at, kept.ready_at, kept.is_listening = now, None, False
        for _ in range(30):
            now += 1
            kept.look(now)
            assert kept.silence_seconds(0.0, now) == 0
        kept.is_listening = True
        kept.look(now)
        now += 1
    assert now > 150
    assert kept.silence_seconds(0.0, now) == 1


def test_who_runs_and_does_not_answer_is_silent_and_so_is_who_never_listens(kept: _Running) -> None:
    kept.is_listening = True
    kept.look(10.0)
    kept.look(50.0)
    assert kept.silence_seconds(0.0, 130.0) == 120
    assert kept.silence_seconds(100.0, 130.0) == 30
    kept.is_listening = False
    kept.look(131.0)
    assert kept.silence_seconds(0.0, START_SECONDS + 60) == 60
