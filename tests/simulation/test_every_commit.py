"""One fixed story of everything that writes, told once for each commit: the process dies just after it.

Nobody is told what was done; and what is on the disk is what was there before the next commit.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from protocol.directory import LimitsSet
from tests.simulation import copies, home, leaving, standing, wire
from tests.simulation.rest import rest
from tests.simulation.stage import CODES, HUB, MINUTE, Stage, make_templates

COMMITS_MAX = 100
GIVER, TAKER = CODES[:2]


async def _call(stage: Stage, code: str) -> None:
    party = stage.parties[code]
    reply = await wire.answer(stage, party, await party.node.worker.export())
    if reply is not None:
        await wire.take(stage, party, reply)
    standing.use_newest_keys(stage)


async def _tell(stage: Stage, name: str, point: int) -> bool:
    """Tell the story while a process dies at a point, two for each commit; return whether it came to that."""
    giver, taker = (stage.join(code, has_line=True) for code in (GIVER, TAKER))
    await stage.world.settle()
    stage.faults[name].die_at(point, at_commits=True)
    for party in (giver, taker):
        home.open_one(stage, party)
        home.endow_one(stage, party, 202601, 100_000)
        home.credit_one(stage, party)
    copies.back_up_one(stage, giver)
    copies.back_up_hub(stage)
    leaving.ask_cessions(stage, giver, taker, count=3)
    await _call(stage, GIVER)
    leaving.recall(stage)
    await _call(stage, GIVER)
    await _call(stage, TAKER)
    leaving.ask_cessions(stage, taker, giver, count=2)
    standing.rotate_one(stage, taker)
    stage.ask(TAKER, lambda: taker.node.federation.ask_statement, None)
    await _call(stage, TAKER)
    standing.change(stage, LimitsSet(GIVER, 10**9, 10**6, 10**9))
    stage.world.clock.now += 90 * MINUTE
    standing.expire(stage)
    await _call(stage, GIVER)
    copies.lose_one(stage, giver)
    for code in (GIVER, TAKER, GIVER, GIVER, GIVER):
        await _call(stage, code)
    copies.lose_hub(stage)
    for code in (TAKER, GIVER, TAKER, GIVER, TAKER, GIVER):
        await _call(stage, code)
    has_struck = not stage.faults[name].is_armed
    await rest(stage)
    return has_struck


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", [HUB, GIVER])
def test_a_process_that_dies_after_any_commit_loses_and_doubles_nothing(name: str, tmp_path: Path) -> None:
    templates = make_templates(tmp_path)
    for commit in range(COMMITS_MAX):
        folder = tmp_path / str(commit)
        folder.mkdir()
        stage = Stage(1, folder, templates)
        try:
            if not asyncio.run(_tell(stage, name, 2 * commit + 1)):
                assert commit > 15, "the story has that many commits at least"
                return
        finally:
            stage.close()
    raise AssertionError("the story has more commits than expected")
