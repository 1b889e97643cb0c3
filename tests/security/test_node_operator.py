"""The operator of a node, with its key, its code and its base: it harms its own citizens; what gets out is bounded.

One row of the table in docs/trust.md. What leaves the node is an envelope that it signed: the count of exchanges is
that of envelopes the hub had to see.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import pytest

from protocol import merkle
from protocol.book import log_store
from protocol.cession import CessionState
from protocol.directory import LimitsSet
from protocol.envelopes import CarriedSlip
from protocol.errors import BadEnvelope
from protocol.identifiers import AccountNumber, Address
from protocol.messages import Answer, Slip, decode_slip, encode_slip
from tests.federation.old_copies import back_up, restore_node
from tests.federation.world import BREST, HUB, LYON, Node, World
from tests.security.attackers import (
    carry,
    check_of,
    convictions,
    count_exchanges,
    extend_root,
    keys_of,
    open_words,
    photograph,
    reword,
    write_leaf,
)


async def _story(world: World) -> tuple[Node, Node, AccountNumber, AccountNumber]:
    """Brest has ceded to Lyon twice, all is delivered."""
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(10_000)
    brest.credit(ana, 5_000)
    for cents in (60, 40):
        brest.cede(ana, Address(bea, LYON), cents)
    await world.settle()
    return brest, lyon, ana, bea


def _own_leaves(node: Node) -> list[bytes]:
    return node.book.read_now(
        lambda line: log_store.load_leaves(line, log_store.open_log_or_empty(line, node.code, HUB).id, 0, 500)
    )


async def _say_again(world: World, node: Node, change: Callable[[list[bytes]], Sequence[bytes]]) -> list[str]:
    """Let a node sign its whole log again, changed; return what the hub's evidence proves of it after that one call."""
    leaves = list(change(_own_leaves(node)))
    envelope = await node.worker.export()
    _, payload = open_words(envelope)
    forged = reword(
        envelope,
        keys_of(node),
        payload=msgspec.structs.replace(payload, start=0, slips=tuple(CarriedSlip(leaf, ()) for leaf in leaves)),
        log_size=len(leaves),
        log_root=extend_root(merkle.Frontier(), leaves),
    )
    with pytest.raises(BadEnvelope, match="fork"):
        await world.exchange.answer(forged)
    assert {judgement.accused for judgement in convictions(world.hub_book)} == {node.code}
    return [str(judgement.kind) for judgement in convictions(world.hub_book)]


async def test_rewriting_a_slip_that_was_sent_convicts_the_node_with_that_envelope(stage: World) -> None:
    brest, lyon, _ana, bea = await _story(stage)

    def larger(leaves: list[bytes]) -> list[bytes]:
        return [leaves[0].replace(b"\x3c", b"\x3d"), *leaves[1:]]

    assert await _say_again(stage, brest, larger) == ["two_heads"]
    assert lyon.balance(bea) == 100


async def test_sending_slips_in_another_order_convicts_the_node_with_that_envelope(stage: World) -> None:
    brest, lyon, _ana, bea = await _story(stage)
    assert await _say_again(stage, brest, lambda leaves: [*leaves[1::-1], *leaves[2:]]) == ["two_heads"]
    assert lyon.balance(bea) == 100


async def test_going_on_from_another_past_convicts_the_node_with_that_envelope(stage: World) -> None:
    brest, lyon, _ana, bea = await _story(stage)
    assert await _say_again(stage, brest, lambda leaves: [b"another", *leaves[1:], b"more"]) == ["broken_log"]
    assert lyon.balance(bea) == 100


async def test_a_node_that_says_delivered_and_credits_nobody_is_found_by_nobody_but_has_signed_it(stage: World) -> None:
    brest, lyon, ana, bea = await _story(stage)
    view = brest.cede(ana, Address(bea, LYON), 70)
    await stage.settle(BREST)
    await stage.exchange.answer(await lyon.worker.export())  # handed over; its program never sees the answer
    index = int(view.reference.split("/")[1])
    write_leaf(lyon, encode_slip(Slip(1, BREST, stage.clock.now, (Answer(1, index, (), (), ()),))))
    await stage.exchange.answer(await lyon.worker.export())
    for _ in range(10):
        await brest.worker.exchange_once()
    # Nobody else can know: Lyon's word is what there is, and the giver holds it, signed.
    assert brest.cession(view.op).state is CessionState.DELIVERED
    assert check_of(stage, HUB) == check_of(stage, BREST) == []
    assert lyon.balance(bea) == 100
    signed = brest.book.read_now(
        lambda line: line.exec_driver_sql("SELECT leaf FROM received_slips ORDER BY hub_ix DESC LIMIT 1").scalar_one()
    )
    assert Answer(1, index, (), (), ()) in decode_slip(bytes(signed)).messages


async def test_a_node_that_never_answers_is_not_found_and_the_rights_stay_named_on_the_way(stage: World) -> None:
    brest, lyon, ana, bea = await _story(stage)
    view = brest.cede(ana, Address(bea, LYON), 70)
    await stage.settle(BREST)
    await stage.exchange.answer(await lyon.worker.export())
    for _ in range(20):
        await brest.worker.exchange_once()
    assert check_of(stage, HUB) == check_of(stage, BREST) == []
    assert brest.cession(view.op).state is CessionState.HANDED_OVER
    assert brest.totals().home_in_transit == 70


async def test_every_old_envelope_of_a_node_again_changes_nothing(stage: World) -> None:
    brest, lyon = stage.join(BREST), stage.join(LYON)
    await stage.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(10_000)
    brest.credit(ana, 5_000)
    sent: list[bytes] = []
    for cents in (10, 20, 30):
        brest.cede(ana, Address(bea, LYON), cents)
        sent.append(await brest.worker.export())
        await stage.settle()
    before = photograph(stage)
    for envelope in [*sent, *reversed(sent)]:
        await stage.exchange.answer(envelope)
    after = photograph(stage)
    # Of two signed words on the same slips the hub keeps the one it heard last: both are true.
    assert {name for name in after if after[name] != before[name]} <= {"hub.heads"}
    assert (stage.check(), lyon.balance(bea)) == ([], 60)


async def test_an_old_copy_on_a_second_machine_cedes_nothing_twice(stage: World) -> None:
    brest, lyon, ana, bea = await _story(stage)
    copy = back_up(brest.book)
    brest.cede(ana, Address(bea, LYON), 4_900)  # all that Ana had
    await stage.settle()
    assert (brest.balance(ana), lyon.balance(bea)) == (0, 5_000)
    restore_node(stage, brest, copy)  # the same key, and in this book Ana still has it
    assert brest.balance(ana) == 4_900
    brest.cede(ana, Address(bea, LYON), 4_900)
    # Its first envelope puts another slip where one was taken: two heads under one key.
    assert await count_exchanges(stage, [BREST], lambda: convictions(stage.hub_book)) == 1
    (judgement,) = convictions(stage.hub_book)
    assert (judgement.accused, str(judgement.kind)) == (BREST, "two_heads")
    await stage.settle(LYON)
    assert lyon.balance(bea) == 5_000


async def test_lots_without_euros_are_found_by_nobody_and_stop_at_the_limits(stage: World) -> None:
    brest, lyon, ana, bea = await _story(stage)
    stage.change(LimitsSet(BREST, 1_000, 400, 700))
    await stage.settle()
    brest.endow(10**9)  # no euro stands behind it
    brest.credit(ana, 10**8)
    for cents in (401, 400, 200, 1):  # above the limit of one; up to the limit of a day; nothing more today
        brest.cede(ana, Address(bea, LYON), cents)
    await stage.settle()
    assert lyon.balance(bea) == 100 + 600  # 100 had left before today's limit was set, and count
    for _ in range(3):
        stage.clock.now += 24 * 3_600_000
        brest.cede(ana, Address(bea, LYON), 400)
        brest.cede(ana, Address(bea, LYON), 300)
        await stage.settle()
    assert brest.totals().abroad[0].cents == lyon.balance(bea) == 1_000  # never more, however long it tries
    assert stage.check() == []  # no figure is wrong: only euros could tell


async def test_slips_that_lead_nowhere_are_a_gap_that_changes_nothing(stage: World) -> None:
    brest, _lyon, _ana, _bea = await _story(stage)
    envelope = await brest.worker.export()
    statement, payload = open_words(envelope)
    ahead = statement.log_size + 3
    beyond = reword(
        envelope,
        keys_of(brest),
        payload=msgspec.structs.replace(payload, start=ahead, slips=carry(b"x")),
        log_size=ahead + 1,
        log_root=b"\x09" * 32,
    )
    before = photograph(stage)
    await stage.exchange.answer(beyond)
    assert photograph(stage) == before
