"""One run: a seeded story of a house, judged at every rest. The same seed gives the same bytes."""

from __future__ import annotations

import asyncio
import atexit
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from node.ledger.accounts import AccountKind
from tests.fund.camt_files import Detail, Entry
from tests.simulation.house import bank, copies, line, shop
from tests.simulation.house.rest import compute_digest, rest, settle
from tests.simulation.house.stage import Stage, make_templates

REST_EVERY: Final = 50
Action = Callable[[Stage], Awaitable[None] | None]
# What happens, and how often in comparison.
ACTIONS: Final[dict[Action, float]] = {**shop.ACTIONS, **bank.ACTIONS, **line.ACTIONS, **copies.ACTIONS}


@dataclass
class Outcome:
    """What came of a run: its digest, or what is wrong and after which step; and the story."""

    digest: str = ""
    wrong: str = ""
    step: int = 0
    story: list[str] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)


async def _begin(stage: Stage) -> None:
    """Two companies with a campaign each that euros stand behind, tills, people, projects, a fund that can pay."""
    shop.enter_companies(stage)
    bank.found_fund(stage)
    for _ in range(4):
        shop.open_account(stage)
    for _ in range(2):
        shop.open_account(stage, AccountKind.PROJECT)
    for siren in shop.COMPANIES:
        shop.draft_and_open(stage, siren)
        shop.new_till(stage, siren)
    await settle(stage)
    entries = []
    for one in bank.look(stage):
        cents, reference = int(one.cents), stage.entropy(6).hex()
        detail = Detail(cents=cents, reference=one.reference)
        entries.append(Entry(cents=cents, details=[detail], bank_reference=reference, day=stage.today.isoformat()))
    bank.take_statement(stage, entries)
    await settle(stage)


async def _play(stage: Stage, outcome: Outcome, seed: int, steps: int, skip: frozenset[int]) -> None:
    """Take random steps and rest now and then. Raises Wrong, or whatever the product should not raise."""
    await _begin(stage)
    actions, weights = list(ACTIONS), list(ACTIONS.values())
    for step in range(steps):
        outcome.step = step
        # Each step has dice of its own: one left out does not change the others, so a story can be shortened.
        stage.dice = random.Random(f"house/{seed}/{step}")
        (action,) = stage.dice.choices(actions, weights)
        if step not in skip:
            stage.met[action.__name__] += 1
            stage.tell(f"{step} {action.__name__}")
            told = action(stage)
            if told is not None:
                await told
        if (step + 1) % REST_EVERY == 0 and step + 1 < steps:
            await rest(stage)
    await rest(stage)
    outcome.digest = compute_digest(stage)


def simulate_house(seed: int, steps: int, *, skip: frozenset[int] = frozenset()) -> Outcome:
    """Run one seed in a folder of its own, in memory where the system has such a place."""
    shared = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    parent = shared if os.access(shared, os.W_OK) else None
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="house-", dir=parent, ignore_cleanup_errors=True) as folder:
        stage = Stage(seed, Path(folder), make_templates(Path(_templates())))
        outcome.story, outcome.met = stage.story, stage.met
        try:
            asyncio.run(_play(stage, outcome, seed, steps, skip))
        except Exception as error:  # whatever it is, it is what the run found
            outcome.wrong = f"{type(error).__name__}: {error}"
        finally:
            stage.close()
    return outcome


def shorten_house(seed: int, steps: int, *, seconds: float = 60.0) -> tuple[int, frozenset[int], Outcome]:
    """Return fewer steps, and steps to leave out, with which it is still wrong, and what came of that."""
    give_up = time.monotonic() + seconds
    found = simulate_house(seed, steps)
    assert found.wrong, "there is nothing to shorten"
    shorter = simulate_house(seed, found.step + 1)
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
            tried = simulate_house(seed, steps, skip=skip | more)
            if tried.wrong:
                skip, found = skip | more, tried
        size //= 2
    return steps, skip, found


@lru_cache(maxsize=1)
def _templates() -> str:
    """A folder for this process's empty books, deleted with it."""
    folder = tempfile.TemporaryDirectory(prefix="templates-")
    atexit.register(folder.cleanup)
    return folder.name
