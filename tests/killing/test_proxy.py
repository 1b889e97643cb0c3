"""A bad line between nodes and hub loses nothing, is told by `federation status`, and is left when it is good again."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.killing.harness import count_kills, run_story, set_up
from tests.killing.processes import Kept
from tests.killing.proxy import Fault, Proxy

FAULTS = 24
KILLS = 3
ACKNOWLEDGED = 51
WITHIN_SECONDS = 120.0
# What the status must say of each; None where the exchange works, and there is nothing to say.
SAID: dict[Fault, tuple[str, ...] | None] = {
    Fault.LATENCY: None,
    Fault.DRIBBLE: None,
    Fault.TWICE: None,
    Fault.CUT_QUESTION: ("the connection was cut",),
    Fault.CUT_ANSWER: ("hub_unreachable",),
    Fault.SILENT: ("no whole answer within", "silent"),
    Fault.SWALLOW: ("no whole answer within", "silent"),
    Fault.NOISE: ("not an answer in HTTP",),
    Fault.PAGE: ("an HTML page",),
    Fault.TRUNCATED: ("bad_envelope",),
    Fault.FLIPPED: ("bad_envelope",),
    Fault.TOO_LONG: ("an answer of more than",),
    Fault.WRONG_LENGTH: ("hub_unreachable",),
    Fault.REPLAY: ("an old answer",),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kills", [KILLS])
def test_a_line_with_every_fault_loses_nothing(kills: int, tmp_path: Path) -> None:
    outcome = asyncio.run(run_story(tmp_path, kills=kills, seed=1, faults=FAULTS, acknowledged=ACKNOWLEDGED))
    assert outcome.wrongs == [], outcome.wrongs[:5]
    assert (outcome.lost, outcome.twice) == (0, 0)
    assert sum(outcome.faults.values()) >= FAULTS
    assert sum(count_kills(outcome).values()) >= kills
    assert outcome.acknowledged > 50


@pytest.mark.timeout(300)
def test_a_node_that_takes_any_answer_for_an_acknowledgement_is_found_out(tmp_path: Path) -> None:
    program = (sys.executable, "-m", "tests.killing.planted_line")
    # Of an answer that is bent the hub has taken the question. Of one that is old it has not: that is what is lost.
    told: dict[str, Any] = {"kills": 0, "seed": 1, "faults": FAULTS, "kinds": [Fault.REPLAY], "settle_seconds": 5.0}
    outcome = asyncio.run(run_story(tmp_path, program=program, **told))
    assert outcome.lost or outcome.wrongs


@pytest.mark.timeout(300)
def test_each_fault_is_told_by_the_status_and_over_when_it_ends(tmp_path: Path) -> None:
    asyncio.run(_go_through_faults(tmp_path))


async def _go_through_faults(folder: Path) -> None:
    proxies: list[Proxy] = []
    hub, nodes = await set_up(folder, None, Kept.program, proxies=proxies)
    node, proxy = nodes[0], proxies[0]
    try:
        await _wait_status(node, lambda told: told["hub_contact_at"] is not None and told["trouble"] is None)
        for fault, said in SAID.items():
            before = (await _status(node))["hub_contact_at"]
            proxy.pinned = fault
            if said is None:
                await _wait_status(node, lambda told, before=before: told["hub_contact_at"] > before)
                await _wait_met(proxy, fault, 1)
            else:
                told = await _wait_status(node, lambda told, said=said: all(w in (told["trouble"] or "") for w in said))
                silent_since = told["hub_contact_at"]
                await _wait_met(proxy, fault, proxy.met[fault] + 1)  # and nothing of it counts as contact
                told = await _status(node)
                assert (told["trouble"] is not None, told["hub_contact_at"]) == (True, silent_since), (fault, told)
            assert proxy.met[fault], fault
            proxy.calm()
            await _wait_status(
                node, lambda told, before=before: told["trouble"] is None and told["hub_contact_at"] > before
            )
        shown = await asyncio.to_thread(node.json, "federation", "status", node.folder)
        assert shown["trouble"] is None
        assert node.find_bugs() == hub.find_bugs() == []
    finally:
        for party in (hub, *nodes):
            await party.stop()
        for one in proxies:
            await one.stop()


async def _status(node: Kept) -> Any:
    """What `federation status --json` prints."""
    return await node.admin("federation")


async def _wait_status(node: Kept, is_so: Any) -> Any:
    give_up = time.monotonic() + WITHIN_SECONDS
    while not is_so(told := await _status(node)):
        assert time.monotonic() < give_up, told
        await asyncio.sleep(0.1)
    return told


async def _wait_met(proxy: Proxy, fault: Fault, times: int) -> None:
    give_up = time.monotonic() + WITHIN_SECONDS
    while proxy.met[fault] < times:
        assert time.monotonic() < give_up, fault
        await asyncio.sleep(0.05)
