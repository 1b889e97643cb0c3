"""Seeds of whole territories find nothing; each planted bug is found; the same seed gives the same run."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.simulation.cycle.planted import PLANTED, PlantedHere
from tests.simulation.cycle.run import ACTIONS, simulate_cycle

STEPS = 60
# What a story must come to, for its silence to say anything.
REACHED = ("directed", "sent", "round of", "signed", "starts again", "is back", "nets a due", "of window", "believes")

# What two short stories may do without: `scripts/simulate --cycle --seeds` comes to it.
SELDOM = {"statement_again", "agree", "audit", "pay_in", "wait", "machine_starts_again"}


@pytest.mark.timeout(300)
def test_seeds_find_nothing_and_every_kind_of_thing_happens() -> None:
    met: Counter[str] = Counter()
    told = ""
    for seed in (1, 6):
        outcome = simulate_cycle(seed, STEPS)
        assert not outcome.wrong, f"{outcome.wrong}\nreplay: scripts/simulate --cycle --seed {seed} --steps {STEPS}"
        met += outcome.met
        told += "\n".join(outcome.story)
    missing = {action.__name__ for action in ACTIONS} - set(met)
    assert missing <= SELDOM, f"these never happen: {missing}"
    for words in REACHED:
        assert words in told, f"it never comes to {words}"
    assert re.search(r"window \d+ is closed: \d+ dues of 3 funds", told), "no window of three funds was closed"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_a_planted_bug_is_found(planted: PlantedHere, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the oracle alone: the product's checks need not run."""
    planted.plant(monkeypatch)
    seeds = range(planted.first, planted.seeds + 1)
    found = next((seed for seed in seeds if simulate_cycle(seed, planted.steps, is_checked=False).wrong), None)
    assert found is not None, f"{planted.name} was not found within {planted.seeds} seeds"


@pytest.mark.timeout(300)
def test_the_same_seed_gives_the_same_bytes() -> None:
    """`scripts/simulate` says the digest of a seed; in another process it is the same."""
    first, again, other = (simulate_cycle(seed, 12, is_checked=False, is_ended=False) for seed in (7, 7, 8))
    assert not first.wrong
    assert first.digest == again.digest
    assert first.digest != other.digest
