"""One run: a seeded story of territories, judged at every rest. The same seed gives the same bytes."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from tests.simulation.cycle import cards, copies, line, netting, office, people, treasury
from tests.simulation.cycle.ending import end
from tests.simulation.cycle.founding import open_stage
from tests.simulation.cycle.rest import compute_digest, rest
from tests.simulation.cycle.stage import Stage
from tests.simulation.house.run import Outcome

REST_EVERY: Final = 60
Action = Callable[[Stage], Awaitable[None] | None]
# What happens, and how often in comparison.
ACTIONS: Final[dict[Action, float]] = {
    **people.ACTIONS,
    **office.ACTIONS,
    **treasury.ACTIONS,
    **netting.ACTIONS,
    **cards.ACTIONS,
    **line.ACTIONS,
    **copies.ACTIONS,
}


async def _play(stage: Stage, outcome: Outcome, seed: int, steps: int, skip: frozenset[int], *, is_ended: bool) -> None:
    """Take random steps and rest now and then. Raises Wrong, or whatever the product should not raise."""
    actions, weights = list(ACTIONS), list(ACTIONS.values())
    for step in range(steps):
        outcome.step = step
        # Each step has dice of its own: one left out does not change the others, so a story can be shortened.
        stage.dice = random.Random(f"cycle/{seed}/{step}")
        (action,) = stage.dice.choices(actions, weights)
        if step not in skip:
            stage.met[action.__name__] += 1
            stage.tell(f"{step} {action.__name__}")
            told = action(stage)
            if told is not None:
                await told
        if (step + 1) % REST_EVERY == 0 and step + 1 < steps:
            await rest(stage)
    await (end(stage) if is_ended else rest(stage))
    outcome.digest = compute_digest(stage)


def simulate_cycle(
    seed: int, steps: int, *, skip: frozenset[int] = frozenset(), is_checked: bool = True, is_ended: bool = True
) -> Outcome:
    """Run one seed in a folder of its own, in memory where the system has such a place.

    `is_checked`: at rest the product's own checks run too, which takes longer than all the rest; else the oracle alone judges.
    `is_ended`: afterwards everybody does his part until nothing is owed.
    """
    shared = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    parent = shared if os.access(shared, os.W_OK) else None
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="cycle-", dir=parent, ignore_cleanup_errors=True) as folder:
        stage = open_stage(seed, Path(folder))
        stage.is_checked = is_checked
        outcome.story, outcome.met = stage.story, stage.met
        try:
            with stage.time():
                asyncio.run(_play(stage, outcome, seed, steps, skip, is_ended=is_ended))
        except Exception as error:  # whatever it is, it is what the run found
            outcome.wrong = f"{type(error).__name__}: {error}"
            outcome.error = error
        finally:
            stage.close()
    return outcome


def shorten_cycle(seed: int, steps: int, *, seconds: float = 60.0) -> tuple[int, frozenset[int], Outcome]:
    """Return fewer steps, and steps to leave out, with which it is still wrong, and what came of that."""
    give_up = time.monotonic() + seconds
    found = simulate_cycle(seed, steps)
    assert found.wrong, "there is nothing to shorten"
    shorter = simulate_cycle(seed, found.step + 1)
    if shorter.wrong:
        steps, found = found.step + 1, shorter
    skip: frozenset[int] = frozenset()
    size = max(steps // 2, 1)
    while size:
        for start in range(0, steps, size):
            more = frozenset(range(start, min(start + size, steps)))
            if more <= skip:
                continue
            if time.monotonic() > give_up:
                return steps, skip, found
            tried = simulate_cycle(seed, steps, skip=skip | more)
            if tried.wrong:
                skip, found = skip | more, tried
        size //= 2
    return steps, skip, found
