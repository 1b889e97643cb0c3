"""The stopwatch itself: what it writes, that limits are measured, and that a missed gate is said."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.figures import Figure, Goal, choose_percentile
from tests.bench.sizes import TINY
from tests.bench.stopwatch import describe, end_code

ROOT = Path(__file__).resolve().parents[2]
FAST = Goal(name="fast", title="fast", unit="1/s", limit="the machine", gate=0.5, moonshot=0.8)
SMALL = Goal(name="small", title="small", unit="µs", gate=10, moonshot=4, is_less_better=True)
KEYS = {"name", "value", "unit", "limit", "ratio", "gate", "moonshot", "met"}


def test_a_ratio_is_of_one_round_and_its_median_is_told() -> None:
    figure = Figure(FAST, (50.0, 90.0, 10.0), (100.0, 100.0, 100.0))
    assert (figure.value, figure.limit, figure.ratio) == (50.0, 100.0, 0.5)
    assert figure.is_met
    assert not figure.reaches(FAST.moonshot)
    assert figure.tell()["spread"] == [0.1, 0.9]


@pytest.mark.parametrize(
    ("figure", "code"),
    [
        (Figure(FAST, (49.0,), (100.0,)), 1),
        (Figure(FAST, (50.0,), (100.0,)), 0),
        (Figure(SMALL, (10.1,)), 1),
        (Figure(SMALL, (9.9,)), 0),
    ],
)
def test_a_figure_below_its_gate_is_not_met_and_ends_the_run_badly(figure: Figure, code: int) -> None:
    assert end_code([figure]) == code
    told = describe([figure], TINY)
    assert told["figures"][0]["met"] is told["met"] is (code == 0)


def test_a_goal_with_a_limit_is_nothing_without_it() -> None:
    with pytest.raises(ValueError, match="limit"):
        Figure(FAST, (1.0, 2.0), (1.0,))


def test_a_percentile_is_one_of_the_values() -> None:
    assert choose_percentile(range(1, 101), 99) == 99
    assert choose_percentile([7.0], 99) == 7.0


def test_a_tiny_run_measures_limits_and_says_what_it_reached(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    words = [sys.executable, "scripts/benchmarking.py", "bulk", "replay", "--tiny", "--json", str(file)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert file.exists(), done.stderr
    told = json.loads(file.read_text())
    bulk, replay = told["figures"]
    for figure in (bulk, replay):
        assert figure.keys() >= KEYS
        assert figure["value"] > 0
        assert len(figure["values"]) == told["rounds"] == TINY.rounds
        assert figure["met"] == ((figure["value"] if figure["ratio"] is None else figure["ratio"]) >= figure["gate"])
    assert len(set(bulk["limits"])) == TINY.rounds, "the limit is measured in each round"
    assert done.returncode == (0 if bulk["met"] and replay["met"] else 1)
    assert ("every gate is reached" in done.stdout) == (done.returncode == 0)
