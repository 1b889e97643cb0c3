"""A hundred seeds find nothing; each planted bug is found; the same seed gives the same run."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from hub.clearing.service import Sequencer
from tests.simulation import run
from tests.simulation.planted import PLANTED, Planted
from tests.simulation.run import ACTIONS, simulate

ROOT = Path(__file__).resolve().parents[2]
BATCH = 12
BATCHES = 8
STEPS = 40
NODES = 3


@pytest.mark.timeout(300)
@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_hundred_seeds_find_nothing(batch: int) -> None:
    for seed in range(1_000 + batch * BATCH, 1_000 + (batch + 1) * BATCH):
        outcome = simulate(seed, STEPS, NODES)
        command = f"scripts/simulate --seed {seed} --steps {STEPS} --nodes {NODES}"
        assert not outcome.wrong, f"{outcome.wrong}\nreplay: {command}"


def test_every_kind_of_thing_happens() -> None:
    """A story that leaves something out would find nothing in it."""
    met: Counter[str] = Counter()
    for seed in range(1, 9):
        met += simulate(seed, 120, 4).met
    assert set(met) == {action.__name__ for action in ACTIONS}


def test_a_step_that_hangs_is_an_outcome_with_its_story(monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    monkeypatch.setattr(Sequencer, "take", lambda *_: never.wait())
    monkeypatch.setattr(run, "STEP_SECONDS_MAX", 3.0)
    before = set(threading.enumerate())
    outcome = simulate(1, 60, NODES)
    never.set()
    for left in set(threading.enumerate()) - before:  # its folder is gone, and its last words are no other test's
        left.join()
    assert outcome.wrong.startswith("it hangs at ")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_a_planted_bug_is_found(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    planted.plant(monkeypatch)
    found = next((seed for seed in range(1, planted.seeds + 1) if simulate(seed, 120, NODES).wrong), None)
    assert found is not None, f"{planted.name} was not found within {planted.seeds} seeds"


@pytest.mark.timeout(300)
def test_the_same_seed_gives_the_same_bytes_in_another_process() -> None:
    words = [sys.executable, str(ROOT / "scripts" / "simulate"), "--seed", "7", "--steps", "90", "--nodes", "4"]
    digests = []
    for salt in ("1", "2"):
        done = subprocess.run(
            words, capture_output=True, text=True, env={"PYTHONHASHSEED": salt, "PATH": "/usr/bin:/bin"}
        )
        assert done.returncode == 0, done.stdout + done.stderr
        digests.append(done.stdout.splitlines()[-1])
    assert digests[0] == digests[1]
    assert digests[0].startswith("digest ")
    assert simulate(8, 90, 4).digest not in digests[0]
