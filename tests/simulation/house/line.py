"""Envelopes between the bases on a line where each thing may go wrong; and the weather: time, deaths, full disks."""

from __future__ import annotations

from typing import Final

from protocol.errors import BadEnvelope, Refusal
from protocol.exchange.client import HubUnreachable
from tests.simulation.house.oracle import Wrong
from tests.simulation.house.stage import NAMES, PAIRS, Stage
from tests.simulation.parties import Carried, Parties

LINE_FAULTS: Final = {
    "nothing": 12,
    "request lost": 1,
    "request late": 1,
    "request twice": 1,
    "request cut": 0.5,
    "reply lost": 1.5,
    "reply late": 1,
    "reply cut": 0.5,
}
UNDER_WAY_MAX: Final = 40
POINTS_MAX: Final = 50
COMMITS_MAX: Final = 5
HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR


class Wire:
    """A transport from one base to another on which things happen; each call has its own luck."""

    def __init__(self, stage: Parties, caller: str, answerer: str, *, is_bad: bool) -> None:
        self._stage = stage
        self._caller = caller
        self._answerer = answerer
        self._is_bad = is_bad

    async def call(self, envelope: bytes, wait_ms: int) -> bytes:
        stage = self._stage
        what = "nothing"
        if self._is_bad:
            (what,) = stage.dice.choices(*zip(*LINE_FAULTS.items(), strict=True))
        if what != "nothing":
            stage.tell(f"{self._caller} to {self._answerer}: {what}")
            stage.met[what] += 1
        if what == "request late":
            put_on_the_way(stage, Carried(self._answerer, True, envelope))
        if what == "request cut":
            await deliver_cut(stage, Carried(self._answerer, True, envelope))
        if what in ("request lost", "request late", "request cut"):
            raise HubUnreachable(reason=what)
        if what == "request twice":
            first = await answer(stage, self._answerer, envelope)
            if first is not None:
                put_on_the_way(stage, Carried(self._caller, False, first))
        reply = await answer(stage, self._answerer, envelope)
        if reply is None:
            raise HubUnreachable(reason="it died")
        if what == "reply late":
            put_on_the_way(stage, Carried(self._caller, False, reply))
        if what == "reply cut":
            await deliver_cut(stage, Carried(self._caller, False, reply))
        if what.startswith("reply"):
            raise HubUnreachable(reason=what)
        return reply


async def answer(stage: Parties, name: str, envelope: bytes) -> bytes | None:
    try:
        return await stage.survive(name, stage.peers[name].answer(envelope))
    except Refusal as refusal:
        stage.note_refusal(name, refusal)
        return None


def put_on_the_way(stage: Parties, carried: Carried) -> None:
    stage.under_way.append(carried)
    del stage.under_way[:-UNDER_WAY_MAX]


async def deliver(stage: Parties, carried: Carried) -> None:
    """Let an envelope arrive that waited somewhere; what a question is answered sets out on its own way."""
    name, peer = carried.to, stage.peers[carried.to]
    if carried.is_question:
        asker = stage.find_beside(name, peer._verify(carried.envelope).statement.sender)
        reply = await answer(stage, name, carried.envelope)
        if reply is not None:
            put_on_the_way(stage, Carried(asker, False, reply))
        return
    try:
        received = peer._verify(carried.envelope)
        await stage.survive(name, peer.book.write(peer.take, received))
    except Refusal as refusal:
        stage.note_refusal(name, refusal)


async def deliver_cut(stage: Parties, carried: Carried) -> None:
    part = carried.envelope[: stage.dice.randrange(len(carried.envelope))]
    peer = stage.peers[carried.to]
    try:
        if carried.is_question:
            await peer.answer(part)
        else:
            peer._verify(part)
    except BadEnvelope:
        return
    raise Wrong("a cut envelope was taken")


async def call(stage: Parties, caller: str, answerer: str, *, is_bad: bool) -> int:
    """Let one base call another until all is said, or until the line fails; return how many calls went through."""
    wire = Wire(stage, caller, answerer, is_bad=is_bad)
    try:
        return await stage.survive(caller, stage.peers[caller].call(stage.code_of(answerer), wire)) or 0
    except HubUnreachable:
        return 0
    except Refusal as refusal:
        stage.note_refusal(caller, refusal)
        return 0


async def exchange(stage: Stage) -> None:
    caller, answerer = stage.dice.choice(PAIRS)
    await call(stage, caller, answerer, is_bad=True)


async def late(stage: Stage) -> None:
    """An envelope that waited somewhere arrives: cut, whole, or whole and not for the last time."""
    if not stage.under_way:
        return
    place, chance = stage.dice.randrange(len(stage.under_way)), stage.dice.random()
    carried = stage.under_way[place]
    if chance < 0.1:
        await deliver_cut(stage, carried)
    if chance < 0.7:
        del stage.under_way[place]
    await deliver(stage, carried)


def wait(stage: Stage) -> None:
    stage.now += stage.dice.randint(1, 4 * HOUR)


def night(stage: Stage) -> None:
    stage.now += stage.dice.choice((DAY, 3 * DAY, 11 * DAY, 11 * DAY))


def process_dies(stage: Stage) -> None:
    """A base's process will die at one of its next points, whatever it does there."""
    name, (point, at_commits) = stage.dice.choice(NAMES), choose_point(stage)
    stage.faults[name].die_at(point, at_commits=at_commits)
    stage.tell(f"{name} will die")


def disk_fills(stage: Stage) -> None:
    name, (point, at_commits) = stage.dice.choice(NAMES), choose_point(stage)
    stage.faults[name].fill_disk_at(point, at_commits=at_commits)
    stage.tell(f"{name} will have no room")


def choose_point(stage: Parties) -> tuple[int, bool]:
    if stage.dice.random() < 0.4:
        return stage.dice.randrange(COMMITS_MAX), True
    return stage.dice.randrange(stage.dice.choice((3, 12, POINTS_MAX))), False


ACTIONS = {exchange: 16, late: 5, wait: 3, night: 2, process_dies: 8, disk_fills: 5}
