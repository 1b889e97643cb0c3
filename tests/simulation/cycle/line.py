"""Envelopes to the hub and between bases on lines where each thing may go wrong; what processes do by themselves; weather."""

from __future__ import annotations

from typing import Final

from protocol.errors import BadEnvelope, Refusal
from protocol.exchange.client import HubUnreachable
from tests.simulation.cycle.stage import ACCOUNTS, BASES, CODES, FUND, HUB, PAIRS, PARTNERS, Stage
from tests.simulation.house import line as house_line
from tests.simulation.house.line import DAY, HOUR, LINE_FAULTS, choose_point, put_on_the_way
from tests.simulation.house.oracle import Wrong
from tests.simulation.parties import Carried

# The talks in which something of a story is said: others carry kept pages only.
TALKS: Final = tuple(pair for pair in PAIRS if ACCOUNTS in pair or pair == (PARTNERS, FUND))
NAMES: Final = (HUB, *(f"{code}/{base}" for code in CODES for base in BASES))


class HubWire:
    """A node's transport to the hub, on which things happen."""

    def __init__(self, stage: Stage, code: str, *, is_bad: bool) -> None:
        self._stage = stage
        self._code = code
        self._is_bad = is_bad

    async def call(self, envelope: bytes, wait_ms: int) -> bytes:
        stage = self._stage
        what = "nothing"
        if self._is_bad:
            (what,) = stage.dice.choices(*zip(*LINE_FAULTS.items(), strict=True))
        if what != "nothing":
            stage.tell(f"{self._code} to the hub: {what}")
            stage.met[what] += 1
        question = Carried(f"{HUB} of {self._code}", True, envelope)
        if what == "request late":
            put_on_the_way(stage, question)
        if what == "request cut":
            await _deliver_cut(stage, question)
        if what in ("request lost", "request late", "request cut"):
            raise HubUnreachable(reason=what)
        if what == "request twice":
            first = await _answer(stage, envelope)
            if first is not None:
                put_on_the_way(stage, Carried(self._code, False, first))
        reply = await _answer(stage, envelope)
        if reply is None:
            raise HubUnreachable(reason="it died")
        if what == "reply late":
            put_on_the_way(stage, Carried(self._code, False, reply))
        if what == "reply cut":
            await _deliver_cut(stage, Carried(self._code, False, reply))
        if what.startswith("reply"):
            raise HubUnreachable(reason=what)
        return reply


async def _answer(stage: Stage, envelope: bytes) -> bytes | None:
    try:
        return await stage.survive(HUB, stage.hub.exchange.answer(envelope, wait_ms=0))
    except Refusal as refusal:
        stage.note_refusal(HUB, refusal)
        return None


async def call_hub(stage: Stage, code: str, *, is_bad: bool) -> int:
    """Let a node call the hub until all is said, or until the line fails; return how many calls went through."""
    name, node = f"{code}/{ACCOUNTS}", stage.node(code)
    node.worker._transport = HubWire(stage, code, is_bad=is_bad)
    try:
        return await stage.survive(name, node.worker.exchange_all(30)) or 0
    except HubUnreachable:
        return 0
    except Refusal as refusal:
        stage.note_refusal(name, refusal)
        return 0


async def _deliver(stage: Stage, carried: Carried) -> None:
    """Let an envelope arrive that waited somewhere; what a question is answered sets out on its own way."""
    where, _, code = carried.to.partition(" of ")
    if where == HUB:
        reply = await _answer(stage, carried.envelope)
        if reply is not None:
            put_on_the_way(stage, Carried(code, False, reply))
    elif "/" not in carried.to:
        name = f"{carried.to}/{ACCOUNTS}"
        try:
            await stage.survive(name, stage.node(carried.to).worker.take_reply(carried.envelope))
        except Refusal as refusal:
            stage.note_refusal(name, refusal)
    else:
        await house_line.deliver(stage, carried)


async def _deliver_cut(stage: Stage, carried: Carried) -> None:
    part = carried.envelope[: stage.dice.randrange(len(carried.envelope))]
    try:
        if carried.to.startswith(HUB):
            await stage.hub.exchange.answer(part, wait_ms=0)
        else:
            await stage.node(carried.to).worker.take_reply(part)
    except BadEnvelope:
        return
    raise Wrong("a cut envelope was taken")


async def to_the_hub(stage: Stage) -> None:
    """One node calls, or several one after another."""
    for code in stage.dice.sample(CODES, stage.dice.choice((1, 2, 3))):
        await call_hub(stage, code, is_bad=True)


async def at_home(stage: Stage) -> None:
    """The bases of one house talk, or of several."""
    for code in stage.dice.sample(CODES, stage.dice.choice((1, 2, 3))):
        for caller, answerer in stage.dice.sample(TALKS, 3):
            await house_line.call(stage, f"{code}/{caller}", f"{code}/{answerer}", is_bad=True)


async def late(stage: Stage) -> None:
    """An envelope that waited somewhere arrives: cut, whole, or whole and not for the last time."""
    if not stage.under_way:
        return
    place, chance = stage.dice.randrange(len(stage.under_way)), stage.dice.random()
    carried = stage.under_way[place]
    if chance < 0.1:
        await (house_line.deliver_cut if "/" in carried.to else _deliver_cut)(stage, carried)
    if chance < 0.7:
        del stage.under_way[place]
    await _deliver(stage, carried)


def let_go(stage: Stage, code: str = "") -> None:
    """The accounts' job goes on with what goes back from projects that ended."""
    code = code or stage.choose_code()
    last = 0
    while last := stage.ask(f"{code}/{ACCOUNTS}", lambda: stage.node(code).releases.release_some, last):
        continue


def rights_go(stage: Stage) -> None:
    let_go(stage)


def wait(stage: Stage) -> None:
    stage.known.now += stage.dice.randint(1, 4 * HOUR)


def night(stage: Stage) -> None:
    stage.known.now += stage.dice.choice((DAY, 2 * DAY, 4 * DAY))


def process_dies(stage: Stage) -> None:
    """A process will die at one of its next points, whatever it does there."""
    name, (point, at_commits) = stage.dice.choice(NAMES), choose_point(stage)
    stage.faults[name].die_at(point, at_commits=at_commits)
    stage.tell(f"{name} will die")


def machine_starts_again(stage: Stage) -> None:
    """All bases of a house are stopped and started, as after an update."""
    code = stage.choose_code()
    for base in BASES:
        stage.restart(f"{code}/{base}")


def disk_fills(stage: Stage) -> None:
    name, (point, at_commits) = stage.dice.choice(NAMES), choose_point(stage)
    stage.faults[name].fill_disk_at(point, at_commits=at_commits)
    stage.tell(f"{name} will have no room")


ACTIONS = {
    to_the_hub: 16,
    at_home: 18,
    late: 5,
    rights_go: 2,
    wait: 3,
    night: 6,
    process_dies: 10,
    disk_fills: 6,
    machine_starts_again: 2,
}
