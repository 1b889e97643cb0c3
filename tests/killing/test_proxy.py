"""A line to the hub that fails in every way: said with a reason, got over by itself, nothing lost and nothing done twice."""

from __future__ import annotations

import asyncio
import random
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from protocol.running.admin_service import call_running
from tests.killing import harness
from tests.killing.harness import count_kills, run_story
from tests.killing.proxy import Fault, Proxy
from tests.node.parties import Party, serve_parties

pytestmark = pytest.mark.timeout(400)
WITHIN_SECONDS = 90.0
KILLS = 5
CHANCE = 0.3

# What the node's status says while each goes on. The others are only slow, or twice: nothing is wrong.
TOLD = {
    Fault.NOBODY: "hub_unreachable",
    Fault.QUESTION_CUT: "hub_unreachable",
    Fault.ANSWER_LOST: "hub_unreachable",
    Fault.ANSWER_CUT: "hub_unreachable",
    Fault.SILENT: "hub_unreachable",
    Fault.STALLED: "hub_unreachable",
    Fault.GARBAGE: "hub_unreachable",
    Fault.PAGE: "what answers is no hub: it sends text/html",
    Fault.ENDLESS: "an answer of more than",
    Fault.FLIPPED: "bad_envelope",
    Fault.REPLAYED: "is there a cache between us and the hub",
}


class Place:
    """A hub, Brest whose line to it fails, and Lyon whose line does not."""

    def __init__(self, hub: Party, brest: Party, lyon: Party, proxy: Proxy) -> None:
        self.hub, self.brest, self.lyon, self.proxy = hub, brest, lyon, proxy
        self.people: list[dict[str, str]] = []

    async def status(self) -> Any:
        is_running, told = await asyncio.to_thread(call_running, self.brest.folder, "federation", {})
        assert is_running
        return told

    async def cede(self) -> str:
        giver, taker = self.people
        id_ = str(uuid.uuid4())
        item = {"id": id_, "from": giver["address"], "to": taker["address"], "cents": 1}
        status, told = await asyncio.to_thread(self.brest.call, "POST", "/v1/cessions", {"items": [item]})
        assert status == 200, told
        return id_

    async def state_of(self, id_: str) -> str:
        _, told = await asyncio.to_thread(self.brest.call, "GET", f"/v1/cessions/{id_}")
        return str(told["state"])


async def _until(is_so: Callable[[], Any], what: str) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + WITHIN_SECONDS
    while not await is_so():
        assert loop.time() < deadline, f"it never came to this: {what}"
        await asyncio.sleep(0.1)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    parties = serve_parties(tmp_path, lambda: "")
    hub, brest, lyon = await asyncio.to_thread(next, parties)
    proxy = Proxy(lambda: hub.port, random.Random("line"))
    await proxy.start()
    try:
        await asyncio.to_thread(brest.end, 15)
        file = brest.folder / "node.toml"
        file.write_text(file.read_text().replace(f"127.0.0.1:{hub.port}", f"127.0.0.1:{proxy.port}"))
        await asyncio.to_thread(brest.start)
        yield await asyncio.to_thread(_furnish, Place(hub, brest, lyon, proxy))
    finally:
        await proxy.stop()
        await asyncio.to_thread(next, parties, None)


def _furnish(place: Place) -> Place:
    brest = place.brest
    pool = str(brest.json("account", "open", brest.folder, "--kind", "pool")["number"])
    brest.json("endow", brest.folder, "--into", pool, "--reason", "a bad line", "--cents", 10_000)
    for node in (brest, place.lyon):
        _, told = node.call("POST", "/v1/accounts", {"id": str(uuid.uuid4()), "kind": "person"})
        place.people.append(told)
    item = {"id": str(uuid.uuid4()), "to": place.people[0]["address"], "cents": 10_000}
    assert brest.call("POST", "/v1/credits", {"from": pool, "items": [item]})[0] == 200
    return place


async def test_each_way_in_which_a_line_fails_is_said_and_got_over(place: Place) -> None:
    sent: list[str] = []

    async def is_calm() -> bool:
        return bool((await place.status())["trouble"] is None)

    for fault in Fault:
        place.proxy.fault = fault
        sent.append(await place.cede())
        if fault in TOLD:

            async def is_said(expected: str = TOLD[fault]) -> bool:
                return expected in str((await place.status())["trouble"])

            await _until(is_said, f"{fault} is said")
        else:

            async def has_ended() -> bool:
                return await place.state_of(sent[-1]) == "delivered"

            await _until(has_ended, f"a line that is {fault} carries all the same")
            assert await is_calm(), fault
        assert place.proxy.happened[fault] > 0
        place.proxy.calm()

        async def is_over() -> bool:
            states = [await place.state_of(id_) for id_ in sent]
            return states == ["delivered"] * len(sent) and await is_calm()

        await _until(is_over, f"after {fault} all is well again")
    await asyncio.to_thread(place.brest.end, 15)
    for party in (place.hub, place.brest, place.lyon):
        done = await asyncio.to_thread(party.run, "check", party.folder)
        assert done.returncode == 0, done.stdout
        log = (party.folder / "log").read_text()
        assert "Traceback" not in log, log[-3_000:]
    status, told = await asyncio.to_thread(place.lyon.call, "GET", f"/v1/accounts/{place.people[1]['number']}/balance")
    assert (status, told["cents"]) == (200, len(sent))


def test_lines_that_fail_while_processes_are_killed_lose_nothing(tmp_path: Path) -> None:
    outcome = asyncio.run(run_story(tmp_path, kills=KILLS, seed=1, fault_chance=CHANCE))
    assert outcome.wrongs == [], outcome.wrongs[:5]
    assert (outcome.lost, outcome.twice) == (0, 0)
    assert sum(count_kills(outcome).values()) >= KILLS
    assert sum(outcome.faults.values()) > 0


def test_a_node_that_takes_what_it_sent_for_acknowledged_is_found_out_by_its_line_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness, "SETTLE_SECONDS", 15.0)
    program = (sys.executable, "-m", "tests.killing.planted_line")
    outcome = asyncio.run(run_story(tmp_path, kills=1, seed=1, program=program, fault_chance=0.6))
    assert outcome.wrongs
