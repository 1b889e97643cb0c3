"""Envelopes on their way: on a line where each thing may go wrong, several at once in any order, or carried as files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from protocol.errors import BadEnvelope, Refusal
from protocol.exchange.service import Received, verify_envelope
from tests.simulation.leaving import ask_cessions
from tests.simulation.oracle import Wrong
from tests.simulation.stage import HUB, Carried, Party, Stage

# What may happen to the two envelopes of a call.
LINE_FAULTS: Final = {
    "nothing": 12,
    "request lost": 1,
    "request late": 1,
    "request twice": 1,
    "request cut": 0.5,
    "reply lost": 1.5,
    "reply late": 1,
    "reply twice": 1,
    "reply cut": 0.5,
}
UNDER_WAY_MAX: Final = 60


async def exchange(stage: Stage) -> None:
    """One call, with one thing or nothing going wrong."""
    party = _choose_caller(stage)
    if party is None:
        return
    what = stage.dice.choices(*zip(*LINE_FAULTS.items(), strict=True))[0]
    stage.tell(f"{party.code} calls: {what}")
    envelope = await party.node.worker.export()
    if what == "request lost":
        return
    if what == "request late":
        _send(stage, party, envelope, is_question=True)
        return
    if what == "request cut":
        await _deliver_cut(stage, party, envelope, is_question=True)
        return
    if what == "request twice":
        first = await answer(stage, party, envelope)
        if first is not None:
            _send(stage, party, first, is_question=False)
    reply = await answer(stage, party, envelope)
    if reply is None or what == "reply lost":
        return
    if what == "reply late":
        _send(stage, party, reply, is_question=False)
        return
    if what == "reply cut":
        await _deliver_cut(stage, party, reply, is_question=False)
        return
    await take(stage, party, reply)
    if what == "reply twice":
        await take(stage, party, reply)


def _choose_caller(stage: Stage) -> Party | None:
    awake = [party for party in stage.parties.values() if party.has_line and not party.is_asleep]
    return stage.dice.choice(awake) if awake else None


async def answer(stage: Stage, party: Party, envelope: bytes) -> bytes | None:
    """Return what the hub answers; None where it refuses, or dies of it."""
    try:
        return await stage.survive(HUB, stage.world.exchange.answer(envelope))
    except Refusal as refusal:
        stage.note_refusal(party.code, refusal)
        return None


async def take(stage: Stage, party: Party, reply: bytes) -> None:
    try:
        await stage.survive(party.code, party.node.worker.take_reply(reply))
    except Refusal as refusal:
        stage.note_refusal(party.code, refusal)


def _send(stage: Stage, party: Party, envelope: bytes, *, is_question: bool) -> None:
    """Put an envelope on a way that may be long."""
    stage.under_way.append(Carried(party.code, is_question, envelope))
    del stage.under_way[:-UNDER_WAY_MAX]


async def _deliver(stage: Stage, carried: Carried) -> None:
    """Let an envelope arrive; the hub's answer sets out on its own way."""
    party = stage.parties[carried.member]
    if not carried.is_question:
        await take(stage, party, carried.envelope)
        return
    reply = await answer(stage, party, carried.envelope)
    if reply is not None:
        _send(stage, party, reply, is_question=False)


async def _deliver_cut(stage: Stage, party: Party, envelope: bytes, *, is_question: bool) -> None:
    part = envelope[: stage.dice.randrange(len(envelope))]
    try:
        if is_question:
            await stage.world.exchange.answer(part)
        else:
            await party.node.worker.take_reply(part)
    except BadEnvelope:
        return
    raise Wrong("a cut envelope was taken")


async def late(stage: Stage) -> None:
    """An envelope that waited somewhere arrives: cut, whole, or whole and not for the last time."""
    if not stage.under_way:
        return
    place = stage.dice.randrange(len(stage.under_way))
    carried, chance = stage.under_way[place], stage.dice.random()
    if chance < 0.1:
        await _deliver_cut(stage, stage.parties[carried.member], carried.envelope, is_question=carried.is_question)
    if chance < 0.7:
        del stage.under_way[place]
    await _deliver(stage, carried)


async def write_file(stage: Stage) -> None:
    """A member without a line writes an envelope to a file, and somebody sets out with it."""
    party = stage.dice.choice([party for party in stage.parties.values() if not party.has_line] or [None])
    if party is not None:
        _send(stage, party, await party.node.worker.export(), is_question=True)


async def carry_files(stage: Stage) -> None:
    """Who carries files arrives with some, or comes back: in any order, some carried twice, some left on the way."""
    carried = [one for one in stage.under_way if not stage.parties[one.member].has_line]
    stage.dice.shuffle(carried)
    for one in carried[:3]:
        if stage.dice.random() < 0.8:
            stage.under_way.remove(one)
        if stage.dice.random() < 0.9:
            await _deliver(stage, one)


async def in_disorder(stage: Stage) -> None:
    """Several envelopes of one member are under way at once, and arrive in any order: some twice, some never."""
    party = _choose_caller(stage)
    if party is None:
        return
    questions = [await party.node.worker.export()]
    for _ in range(stage.dice.randint(1, 3)):
        _cede_between(stage, party)
        questions.append(await party.node.worker.export())
    replies = [await answer(stage, party, one) for one in _disorder(stage, questions)]
    for reply in _disorder(stage, [one for one in replies if one is not None]):
        await take(stage, party, reply)


def _cede_between(stage: Stage, party: Party) -> None:
    """Let the member's log grow while its envelopes are under way."""
    other = stage.choose_party()
    if other is not party and not party.is_away:
        ask_cessions(stage, party, other, count=1)


def _disorder(stage: Stage, envelopes: Sequence[bytes]) -> list[bytes]:
    sent = [one for one in envelopes if stage.dice.random() < 0.9]
    sent += [one for one in envelopes if stage.dice.random() < 0.2]
    stage.dice.shuffle(sent)
    return sent


async def all_at_once(stage: Stage) -> None:
    """The envelopes of several members are written by the hub in one page; each is then answered."""
    callers = [party for party in stage.parties.values() if party.has_line and not party.is_asleep]
    if stage.is_hub_recovering or len(callers) < 2:
        return
    envelopes = [await party.node.worker.export() for party in callers]
    received = [one for party, sent in zip(callers, envelopes, strict=True) for one in _verify(stage, party, sent)]
    answers = stage.ask_together(HUB, [(lambda: stage.world.sequencer.take, one) for one in received])
    for one, told in zip(received, answers, strict=True):
        if isinstance(told, Refusal):
            stage.note_refusal(one.statement.sender, told)
    for party, sent in zip(callers, envelopes, strict=True):
        reply = await answer(stage, party, sent)
        if reply is not None:
            await take(stage, party, reply)


def _verify(stage: Stage, party: Party, envelope: bytes) -> list[Received]:
    registry, now = stage.world.registry, stage.world.hub_book.clock()
    try:
        return [verify_envelope(envelope, registry.identity, registry.directory, now)]
    except Refusal as refusal:
        stage.note_refusal(party.code, refusal)
        return []


ACTIONS = {exchange: 26, late: 5, write_file: 5, carry_files: 5, in_disorder: 2, all_at_once: 3}
