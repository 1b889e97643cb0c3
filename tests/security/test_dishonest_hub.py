"""A hub that lies, with its real keys: every lie is found out by a node, credits nothing, and can be shown to a judge."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from node.federation.store import load_unfinished
from protocol import merkle
from protocol.book import log_store
from protocol.book.service import Page
from protocol.book.tables import evidence
from protocol.canonical import decode_typed, encode_typed
from protocol.cession import CessionState
from protocol.directory import LimitsSet
from protocol.envelopes import (
    ENVELOPE_BYTES_MAX,
    CarriedSlip,
    Checkpoint,
    Envelope,
    ForwardedSlip,
    HeadStatement,
    Payload,
    sign_checkpoint,
)
from protocol.errors import BadEnvelope, InvalidText
from protocol.evidence import NotEvidence, judge
from protocol.exchange.evidence_service import SayEvidenceSeen, say_seen
from protocol.exchange.evidence_store import EvidenceUnknown, load_evidence_file
from protocol.identifiers import Address
from protocol.messages import Forward, Slip, decode_slip, encode_slip
from tests.federation.world import BREST, HUB, LYON, Node, World
from tests.security.attackers import lie

pytestmark = pytest.mark.parametrize("world", ["sqlite"], indirect=True)


async def _story(world: World) -> tuple[Node, Node, Any, Any]:
    """Brest has ceded to Lyon, all is delivered; one more cession is on its way to the hub."""
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(10_000)
    brest.credit(ana, 5_000)
    brest.cede(ana, Address(bea, LYON), 100)
    await world.settle()
    brest.cede(ana, Address(bea, LYON), 50)
    return brest, lyon, ana, bea


async def _answer(world: World, node: Node) -> bytes:
    return await world.exchange.answer(await node.worker.export())


def _caught(world: World, node: Node) -> str:
    """Return the kind of the one evidence a node keeps, after a judge confirmed it and refused a changed copy."""
    rows = node.book.read_now(lambda connection: connection.execute(evidence.select()).all())
    assert len(rows) == 1
    judgement = judge(bytes(rows[0].body))
    assert judgement.accused == HUB
    assert judgement.key_fingerprint == world.registry.identity.keyring.current.public.signing.hex()
    wrong = bytearray(rows[0].body)
    wrong[60] ^= 1
    with pytest.raises(NotEvidence):
        judge(bytes(wrong))
    assert any(finding.expected == "one history" for finding in world.check())

    def forget(page: Page, items: Any) -> list[None]:
        page.connection.execute(text("DELETE FROM evidence"))
        return [None]

    node.book.write_now(forget, None)
    return str(rows[0].kind)


async def test_a_hub_that_drops_an_acknowledged_slip_is_caught(world: World) -> None:
    brest, lyon, _ana, bea = await _story(world)
    await world.settle()
    world.change(LimitsSet(LYON, 10**6, 10**6, 10**6))  # the national log grows: it tells which came first
    dropped = lie(world, await _answer(world, brest), ack_size=0, ack_root=merkle.EMPTY_ROOT)
    with pytest.raises(BadEnvelope, match="fork"):
        await brest.worker.take_reply(dropped)
    assert _caught(world, brest) == "rewound"
    assert lyon.balance(bea) == 150


async def test_a_hub_that_changes_a_verdict_after_signing_its_log_is_caught(world: World) -> None:
    brest, _lyon, ana, _bea = await _story(world)
    before = brest.balance(ana)

    def change(payload: Payload) -> Payload:
        first = payload.slips[0]
        slip = decode_slip(first.leaf)
        forged = CarriedSlip(encode_slip(msgspec.structs.replace(slip, at=slip.at + 1)), first.beside)
        return msgspec.structs.replace(payload, slips=(forged, *payload.slips[1:]))

    with pytest.raises(BadEnvelope, match="fork"):
        await brest.worker.take_reply(lie(world, await _answer(world, brest), change))
    assert _caught(world, brest) == "broken_log"
    assert brest.balance(ana) == before
    await world.settle()


async def test_a_hub_that_signs_two_roots_for_what_we_hold_is_caught(world: World) -> None:
    brest, _lyon, _ana, _bea = await _story(world)
    await world.settle()
    answer = lie(world, await _answer(world, brest), log_root=b"\x05" * 32)
    with pytest.raises(BadEnvelope, match="fork"):
        await brest.worker.take_reply(answer)
    assert _caught(world, brest) == "two_heads"


async def test_a_hub_that_denies_our_slips_is_caught(world: World) -> None:
    brest, _lyon, _ana, _bea = await _story(world)
    await world.settle()
    with pytest.raises(BadEnvelope, match="fork"):
        await brest.worker.take_reply(lie(world, await _answer(world, brest), ack_root=b"\x06" * 32))
    assert _caught(world, brest) == "disputed_ack"


@pytest.mark.parametrize("grows", [0, 5])
async def test_a_hub_that_rewrites_the_national_log_is_caught(world: World, grows: int) -> None:
    brest, _lyon, _ana, _bea = await _story(world)
    await world.settle()
    answer = await _answer(world, brest)
    statement = decode_typed(
        decode_typed(answer, Envelope, size_max=ENVELOPE_BYTES_MAX).statement, HeadStatement, size_max=1_024
    )
    assert statement.checkpoint is not None
    honest = decode_typed(statement.checkpoint.body, Checkpoint, size_max=256)
    forged = sign_checkpoint(
        world.registry.identity.keyring.current,
        msgspec.structs.replace(honest, size=honest.size + grows, root=b"\x07" * 32),
    )

    def prove_badly(payload: Payload) -> Payload:
        from protocol.envelopes import History

        return msgspec.structs.replace(payload, histories=(History(honest.size, (b"\x08" * 32,)),))

    with pytest.raises(BadEnvelope, match="fork"):
        await brest.worker.take_reply(lie(world, answer, prove_badly, checkpoint=forged))
    assert _caught(world, brest) == ("broken_history" if grows else "two_heads")


async def test_a_hub_that_invents_or_alters_a_right_credits_nobody(world: World) -> None:
    brest, lyon, _ana, bea = await _story(world)
    await world.settle()
    received = lyon.book.read_now(
        lambda connection: connection.execute(text("SELECT leaf, statement, signature FROM received_slips")).all()
    )
    leaf, statement, signature = (bytes(part) for part in received[0])
    slip = decode_slip(leaf)
    cede: Any = slip.messages[0]
    larger = encode_slip(msgspec.structs.replace(slip, messages=(msgspec.structs.replace(cede, cents=(100_000,)),)))
    for place, invented in enumerate((larger, leaf)):
        forward = Forward(BREST, 1, 40 + place, merkle.hash_leaf(invented), ())
        beside = encode_typed(ForwardedSlip(invented, statement, signature, (), b""))

        def write(page: Page, items: Any, forward: Forward = forward) -> list[int]:
            log = log_store.open_log(page.connection, HUB, LYON)
            made = encode_slip(Slip(1, LYON, page.now, (forward,)))
            return [log_store.append_leaves(page.connection, log, [made], page.now)]

        world.exchange._forwarded = (  # type: ignore[method-assign]
            lambda *_args, beside=beside: decode_typed(beside, ForwardedSlip, size_max=len(beside))
        )
        world.hub_book.write_now(write, None)
        await world.settle(LYON)
    assert lyon.balance(bea) == 150
    assert lyon.federation.counts["forwards_not_proven"] == 2
    findings = [finding for finding in world.check() if finding.invariant == "I4"]
    assert any("a proved slip" in finding.expected for finding in findings)

    def forget(page: Page, items: Any) -> list[None]:
        page.connection.execute(text("DELETE FROM breaks"))
        return [None]

    lyon.book.write_now(forget, None)
    assert brest.totals().abroad[0].cents == 150


async def test_a_hub_that_skips_a_cession_is_found_out_by_its_giver(world: World) -> None:
    brest, lyon, _ana, bea = await _story(world)
    await brest.worker.exchange_all()
    honest = world.sequencer._choose_waiting

    def skip(desk: Any, taker: str) -> Any:
        chosen = honest(desk, taker)
        for stored, _, _ in chosen:
            stored.record = replace(stored.record, exceptions={0: CessionState.RECALLED})
        return chosen

    world.sequencer._choose_waiting = skip  # type: ignore[method-assign]
    await world.settle()
    assert lyon.balance(bea) == 100
    # Nothing is lost: the rights are still named on the way, on every book, and the hub's own log convicts it.
    assert [slip.state for slip in brest.book.read_now(load_unfinished)] == [CessionState.HANDED_OVER]
    assert any("skip []" in finding.expected and "skip [0]" in finding.found for finding in world.check())
    for node in (brest, lyon):
        node.book.close()
    world.nodes.clear()
    world.hub_book.close()
    world.check = lambda: []  # type: ignore[method-assign]


async def test_what_the_operator_of_a_node_says_of_evidence_makes_check_green_and_leaves_the_file(world: World) -> None:
    brest, _lyon, _ana, _bea = await _story(world)
    await world.settle()
    with pytest.raises(BadEnvelope, match="fork"):
        await brest.worker.take_reply(lie(world, await _answer(world, brest), ack_root=b"\x06" * 32))
    assert [finding.place for finding in world.check()] == ["evidence 1"]
    with pytest.raises(EvidenceUnknown):
        brest.book.write_now(say_seen, SayEvidenceSeen(2, "another"))
    with pytest.raises(InvalidText):
        SayEvidenceSeen(1, " ")
    assert brest.book.write_now(say_seen, SayEvidenceSeen(1, "the hub's operator explained it")) == 1
    assert world.check() == []
    body = brest.book.read_now(lambda connection: load_evidence_file(connection, 1))
    assert judge(body).accused == HUB
