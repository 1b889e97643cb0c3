"""Who holds the wire between members and hub, and no key: he reads who talks to whom, delays and loses; no more.

One row of the table in docs/trust.md. TLS is not needed for any of it but the curious: the envelopes are plain here.
"""

from __future__ import annotations

import pytest

from hub.directory.service import InvitationRefused
from protocol.canonical import encode_typed
from protocol.cession import CessionState
from protocol.envelopes import Enrolment, SignedEnrolment
from protocol.errors import BadEnvelope
from protocol.exchange.client import HubUnreachable
from protocol.identifiers import AccountNumber, Address
from protocol.keys import Domain, make_keys, sign
from protocol.messages import Lot
from protocol.times import Instant
from tests.federation.world import BREST, HUB, LILLE, LYON, NETWORK, DirectLine, Node, World
from tests.security.attackers import check_of, make_cede, photograph, reword, write_leaf


async def _pair(world: World) -> tuple[Node, Node, AccountNumber, AccountNumber]:
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(10_000)
    brest.credit(ana, 5_000)
    return brest, lyon, ana, bea


class Wire(DirectLine):
    """Keeps all that passes, and loses what `loses` says: the question, the answer, or nothing."""

    def __init__(self, world: World) -> None:
        super().__init__(world.exchange)
        self.questions: list[bytes] = []
        self.answers: list[bytes] = []
        self.loses: list[str] = []

    async def call(self, envelope: bytes, wait_ms: int) -> bytes:
        self.questions.append(envelope)
        lost = self.loses.pop(0) if self.loses else ""
        if lost == "question":
            raise BadEnvelope("lost", reason="unreadable")
        answer = await super().call(envelope, wait_ms)
        self.answers.append(answer)
        if lost == "answer":
            raise BadEnvelope("lost", reason="unreadable")
        return answer


async def test_one_changed_bit_in_an_answer_is_refused_and_changes_nothing(stage: World) -> None:
    brest, lyon, ana, bea = await _pair(stage)
    view = brest.cede(ana, Address(bea, LYON), 100)
    answer = await stage.exchange.answer(await brest.worker.export())
    before = photograph(stage)
    for place in range(0, len(answer), 3):
        wrong = bytearray(answer)
        wrong[place] ^= 1 << (place % 8)
        with pytest.raises(BadEnvelope):
            await brest.worker.take_reply(bytes(wrong))
    assert photograph(stage) == before
    await stage.settle()
    assert (brest.cession(view.op).state, lyon.balance(bea)) == (CessionState.DELIVERED, 100)


@pytest.mark.parametrize("lost", ["question", "answer"])
async def test_what_was_lost_is_sent_again_by_the_first_call_that_gets_through(stage: World, lost: str) -> None:
    brest, lyon, ana, bea = await _pair(stage)
    wire = Wire(stage)
    brest.worker._transport = wire
    view = brest.cede(ana, Address(bea, LYON), 100)
    wire.loses = [lost] * 7
    for _ in range(7):
        with pytest.raises(BadEnvelope):
            await brest.worker.exchange_once()
    assert brest.cession(view.op).state is CessionState.QUEUED  # the giver sees that it goes on waiting
    assert brest.worker.contact_at is not None
    heard = brest.worker.contact_at
    await brest.worker.exchange_once()
    assert brest.worker.contact_at > heard  # and since when nobody was heard
    assert brest.cession(view.op).state is CessionState.CLEARED
    await stage.settle()
    assert (stage.check(), lyon.balance(bea)) == ([], 100)


async def test_a_day_of_answers_and_questions_backwards_changes_nothing_and_accuses_nobody(stage: World) -> None:
    brest, lyon, ana, bea = await _pair(stage)
    wires = {BREST: Wire(stage), LYON: Wire(stage)}
    for node in (brest, lyon):
        node.worker._transport = wires[node.code]
    for cents in (10, 20, 30, 40):
        brest.cede(ana, Address(bea, LYON), cents)
        await stage.settle()
    before = photograph(stage)
    for node in (brest, lyon):
        for answer in reversed(wires[node.code].answers):
            await node.worker.take_reply(answer)
        for question in reversed(wires[node.code].questions):
            await stage.exchange.answer(question)
    after = photograph(stage)
    # Of two signed words on the same slips the one heard last is kept; and that old answers came is counted.
    assert {name for name in after if after[name] != before[name]} <= {"hub.heads", f"{BREST}.facts", f"{LYON}.facts"}
    assert (stage.check(), lyon.balance(bea)) == ([], 100)


class Repeating(Wire):
    """Gives an earlier answer again, or fails in a way that is no refusal, while it is told to."""

    again: bytes | None = None
    fails: Exception | None = None

    async def call(self, envelope: bytes, wait_ms: int) -> bytes:
        if self.fails is not None:
            raise self.fails
        return self.again if self.again is not None else await super().call(envelope, wait_ms)


async def test_an_earlier_answer_that_comes_again_is_no_contact_and_clears_no_trouble(stage: World) -> None:
    brest, _, _, _ = await _pair(stage)
    brest.worker._transport = wire = Repeating(stage)
    await brest.worker.exchange_once()
    heard = brest.worker.contact_at
    wire.again = wire.answers[-1]
    stage.clock.now = Instant(stage.clock.now + 60_000)
    for _ in range(2):
        with pytest.raises(HubUnreachable, match="an old answer"):
            await brest.worker.exchange_once()
        assert (brest.worker.contact_at, "an old answer" in str(brest.worker.trouble)) == (heard, True)
    wire.again = None
    await brest.worker.exchange_once()
    assert brest.worker.trouble is None
    assert brest.worker.contact_at != heard


async def test_an_exchange_that_fails_in_whatever_way_is_told_until_the_next_good_one(stage: World) -> None:
    brest, _, _, _ = await _pair(stage)
    brest.worker._transport = wire = Repeating(stage)
    wire.fails = RuntimeError("the library is confused")
    with pytest.raises(RuntimeError):  # our own error: it goes to the log, and the loop begins again
        await brest.worker.run()
    assert brest.worker.trouble == "internal_error (RuntimeError: the library is confused)"
    wire.fails = None
    await brest.worker.exchange_once()
    assert brest.worker.trouble is None


async def test_every_answer_of_a_day_three_times_credits_once(stage: World) -> None:
    brest, lyon, ana, bea = await _pair(stage)
    wires = {BREST: Wire(stage), LYON: Wire(stage)}
    for node in (brest, lyon):
        node.worker._transport = wires[node.code]
    for cents in (10, 20, 30, 40):
        brest.cede(ana, Address(bea, LYON), cents)
        await stage.settle()
    for node in (brest, lyon):
        for _ in range(3):
            for answer, question in zip(wires[node.code].answers, wires[node.code].questions, strict=True):
                await node.worker.take_reply(answer)
                await stage.exchange.answer(question)
    await stage.settle()
    assert (stage.check(), brest.balance(ana), lyon.balance(bea)) == ([], 4_900, 100)


async def test_answers_given_to_another_member_are_refused_so_nobody_is_shown_another_history(stage: World) -> None:
    brest, lyon, ana, bea = await _pair(stage)
    brest.cede(ana, Address(bea, LYON), 100)
    answer = await stage.exchange.answer(await brest.worker.export())
    before = photograph(stage)
    with pytest.raises(BadEnvelope, match="wrong_reader"):
        await lyon.worker.take_reply(answer)
    thief = make_keys(stage.entropy(64))
    for changed, reason in (
        ({}, "bad_signature"),
        ({"key": thief.public.id}, "unknown_key"),
        ({"sender": LILLE}, "unknown_member"),
        ({"network": "another"}, "wrong_network"),
    ):
        with pytest.raises(BadEnvelope, match=reason):
            await brest.worker.take_reply(reword(answer, thief, **changed))
    assert photograph(stage) == before


async def test_words_under_a_key_of_his_own_are_refused_at_the_hubs_door(stage: World) -> None:
    brest, lyon, ana, bea = await _pair(stage)
    brest.cede(ana, Address(bea, LYON), 100)
    envelope = await brest.worker.export()
    thief = make_keys(stage.entropy(64))
    before = photograph(stage)
    for changed, reason in (
        ({}, "bad_signature"),
        ({"key": thief.public.id}, "unknown_key"),
        ({"sender": LILLE}, "unknown_member"),
        ({"sender": HUB}, "unknown_key|bad_signature"),
    ):
        with pytest.raises(BadEnvelope, match=reason):
            await stage.exchange.answer(reword(envelope, thief, **changed))
    assert photograph(stage) == before
    assert lyon.balance(bea) == 0


async def test_one_envelope_given_to_the_hub_ten_times_cedes_once(stage: World) -> None:
    brest, lyon, ana, bea = await _pair(stage)
    brest.cede(ana, Address(bea, LYON), 100)
    envelope = await brest.worker.export()
    for _ in range(10):
        await stage.exchange.answer(envelope)
    await stage.settle()
    assert (stage.check(), brest.balance(ana), lyon.balance(bea)) == ([], 4_900, 100)


async def test_a_stolen_invitation_is_seen_by_its_owners_first_call_and_mints_nothing(stage: World) -> None:
    """Without TLS the token of an enrolment can be read; who is faster with it is in the directory, and nothing more."""
    brest, lyon, _ana, bea = await _pair(stage)
    drawn: list[bytes] = []
    honest = stage.entropy

    def listen(count: int) -> bytes:
        drawn.append(honest(count))
        return drawn[-1]

    stage.entropy = listen  # type: ignore[method-assign]
    thief = stage.join(LILLE, is_accredited=False)
    token = drawn[0]
    secret = make_keys(honest(64))
    body = encode_typed(Enrolment(NETWORK, LILLE, token, "Lille", secret.public.signing, secret.public.sealing, 0))
    with pytest.raises(InvitationRefused) as refusal:
        stage.hub_book.write_now(
            stage.registry.enrol, encode_typed(SignedEnrolment(body, sign(secret, Domain.ENROLMENT, body)))
        )
    assert refusal.value.facts == {"reason": "used"}
    # The thief's node is whole, and may not cede: the operator compares keys with the town before accrediting it.
    write_leaf(thief, *make_cede(stage, thief, lyon, [bea], [Lot(LILLE, b"\x21" * 16, 5, 202611)], cents=100))
    await stage.exchange.answer(await thief.worker.export())
    assert stage.sequencer.counts["cessions_refused"] == 1
    await lyon.worker.exchange_all()
    await brest.worker.exchange_all()
    assert (check_of(stage, HUB), check_of(stage, LYON), lyon.balance(bea)) == ([], [], 0)
