"""One run: a seeded story of a federation, checked at every rest. The same seed gives the same bytes."""

from __future__ import annotations

import asyncio
import atexit
import os
import random
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from tests.simulation import copies, home, leaving, standing, weather, wire
from tests.simulation.readings import hash_books
from tests.simulation.rest import rest
from tests.simulation.stage import CODES, HUB, Stage, make_templates

REST_EVERY: Final = 60
# A step that takes longer hangs: a long one, a rest, takes a second or two.
STEP_SECONDS_MAX: Final = 120.0

Action = Callable[[Stage], Awaitable[None] | None]
# What happens, and how often in comparison.
ACTIONS: Final[dict[Action, float]] = {
    **home.ACTIONS,
    **leaving.ACTIONS,
    **wire.ACTIONS,
    **weather.ACTIONS,
    **standing.ACTIONS,
    **copies.ACTIONS,
}


@dataclass
class Outcome:
    """What came of a run: its digest, or what is wrong and after which step; and the story."""

    digest: str = ""
    wrong: str = ""
    step: int = 0
    story: list[str] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)


async def _play(stage: Stage, outcome: Outcome, seed: int, steps: int, nodes: int, skip: frozenset[int]) -> None:
    """Take random steps and rest now and then. Raises Wrong, or whatever the product should not raise."""
    await _begin(stage, nodes)
    actions, weights = list(ACTIONS), list(ACTIONS.values())
    for step in range(steps):
        outcome.step = step
        # Each step has dice of its own: one left out does not change the others, so a story can be shortened.
        stage.dice = random.Random(f"story/{seed}/{step}")
        (action,) = stage.dice.choices(actions, weights)
        if step not in skip:
            outcome.met[action.__name__] += 1
            stage.tell(f"{step} {action.__name__}")
            told = action(stage)
            if told is not None:
                await told
        if (step + 1) % REST_EVERY == 0 and step + 1 < steps:
            await rest(stage)
    await rest(stage)
    books = [(name, stage.book(name)) for name in (HUB, *stage.parties)]
    outcome.digest = hash_books(stage.story, books)


async def _begin(stage: Stage, nodes: int) -> None:
    """Found the federation: each member has people, two lots and a credit. With three or more, the last has no line."""
    for place, code in enumerate(CODES[:nodes], 1):
        stage.join(code, has_line=place < 3 or place < nodes)
    await stage.world.settle()
    for party in stage.parties.values():
        for _ in range(2):
            home.open_one(stage, party)
        for month in stage.dice.sample(range(1, 13), 2):
            home.endow_one(stage, party, 202600 + month, 100_000)
        home.credit_one(stage, party)


def simulate(seed: int, steps: int, nodes: int, *, skip: frozenset[int] = frozenset()) -> Outcome:
    """Run one seed in a folder of its own, in memory where the system has such a place.

    It is played by a thread, so that a step that hangs is an outcome with a story like any other.
    """
    shared = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    parent = shared if os.access(shared, os.W_OK) else None
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="simulation-", dir=parent, ignore_cleanup_errors=True) as folder:

        def play() -> None:
            try:
                stage = Stage(seed, Path(folder), make_templates(Path(_templates())))
                outcome.story = stage.story
                try:
                    asyncio.run(_play(stage, outcome, seed, steps, nodes, skip))
                finally:
                    stage.close()
            except Exception as error:  # whatever it is, it is what the run found
                outcome.wrong = f"{type(error).__name__}: {error}"

        player = threading.Thread(target=play, daemon=True)
        player.start()
        step, since = -1, time.monotonic()
        while player.is_alive():
            player.join(1.0)
            if outcome.step != step:
                step, since = outcome.step, time.monotonic()
            elif time.monotonic() - since > STEP_SECONDS_MAX:
                return Outcome("", f"it hangs at {_find_place(player)}", step, list(outcome.story), outcome.met)
    return outcome


def _find_place(thread: threading.Thread) -> str:
    """Return where a thread stands, the innermost call last."""
    frame = sys._current_frames().get(thread.ident or 0)
    calls = traceback.extract_stack(frame)[-6:] if frame is not None else []
    return " > ".join(f"{Path(call.filename).name}:{call.lineno}" for call in calls)


@lru_cache(maxsize=1)
def _templates() -> str:
    """A folder for this process's empty books, deleted with it."""
    folder = tempfile.TemporaryDirectory(prefix="templates-")
    atexit.register(folder.cleanup)
    return folder.name


def shorten(seed: int, steps: int, nodes: int, *, seconds: float = 60.0) -> tuple[int, frozenset[int], Outcome]:
    """Return fewer steps, and steps to leave out, with which it is still wrong, and what came of that."""
    give_up = time.monotonic() + seconds
    found = simulate(seed, steps, nodes)
    assert found.wrong, "there is nothing to shorten"
    if found.step + 1 < steps:
        shorter = simulate(seed, found.step + 1, nodes)
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
            tried = simulate(seed, steps, nodes, skip=skip | more)
            if tried.wrong:
                skip, found = skip | more, tried
        size //= 2
    return steps, skip, found
