"""Dozens of seeds of a house find nothing; each planted bug is found; the same seed gives the same run."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation.house.planted import PLANTED, Planted
from tests.simulation.house.run import ACTIONS, simulate_house

ROOT = Path(__file__).resolve().parents[2]
BATCH = 4
BATCHES = 4
STEPS = 40
PLANTED_STEPS = 80


@pytest.mark.timeout(300)
@pytest.mark.parametrize("batch", range(BATCHES))
def test_dozens_of_seeds_find_nothing(batch: int) -> None:
    for seed in range(1_000 + batch * BATCH, 1_000 + (batch + 1) * BATCH):
        outcome = simulate_house(seed, STEPS)
        assert not outcome.wrong, f"{outcome.wrong}\nreplay: scripts/simulate --house --seed {seed} --steps {STEPS}"


@pytest.mark.timeout(300)
def test_every_kind_of_thing_happens() -> None:
    """A story that leaves something out would find nothing in it."""
    met: Counter[str] = Counter()
    told = ""
    for seed in (1, 2, 3):
        outcome = simulate_house(seed, 200)
        assert not outcome.wrong
        met += outcome.met
        told += "\n".join(outcome.story)
    assert {action.__name__ for action in ACTIONS} <= set(met)
    for words in ("starts again", "disk is full", "file booking", "booked ", "deposited", "order 2", "receipt FD"):
        assert words in told, f"it never comes to {words}"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_a_planted_bug_is_found(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    planted.plant(monkeypatch)
    seeds = range(planted.first, planted.seeds + 1)
    found = next((seed for seed in seeds if simulate_house(seed, PLANTED_STEPS).wrong), None)
    assert found is not None, f"{planted.name} was not found within {planted.seeds} seeds"


@pytest.mark.timeout(300)
def test_the_same_seed_gives_the_same_bytes_in_another_process() -> None:
    words = [sys.executable, str(ROOT / "scripts" / "simulate"), "--house", "--seed", "7", "--steps", "60"]
    digests = []
    for salt in ("1", "2"):
        done = subprocess.run(
            words, capture_output=True, text=True, env={"PYTHONHASHSEED": salt, "PATH": "/usr/bin:/bin"}
        )
        assert done.returncode == 0, done.stdout + done.stderr
        digests.append(done.stdout.splitlines()[-1])
    assert digests[0] == digests[1]
    assert digests[0].startswith("digest ")
    assert simulate_house(8, 60).digest not in digests[0]
