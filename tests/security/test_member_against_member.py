"""A member with its real keys against its neighbours: whatever it signs, only its own rights are at stake."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from node.federation.whispers import Question, make_whisper
from protocol import merkle
from protocol.book import log_store
from protocol.cession import CessionState
from protocol.errors import BadEnvelope
from protocol.identifiers import Address
from protocol.messages import Answer, Lot, Recall, Slip, Verdict, encode_slip
from tests.federation.world import BREST, HUB, LILLE, LYON, Node, World
from tests.security.attackers import (
    carry,
    empty_table,
    extend_root,
    keys_of,
    make_cede,
    open_words,
    photograph,
    reword,
    write_leaf,
)

FINE = Lot(BREST, b"\x21" * 16, 5, 202611)
on_sqlite = pytest.mark.parametrize("world", ["sqlite"], indirect=True)


async def _three(world: World) -> tuple[Node, Node, Node, Any, Any, Any]:
    brest, lyon, lille = world.join(BREST), world.join(LYON), world.join(LILLE)
    await world.settle()
    ana, bea, zoe = brest.open(), lyon.open(), lille.open()
    brest.endow(10_000)
    brest.credit(ana, 5_000)
    lille.endow(10_000)
    lille.credit(zoe, 5_000)
    return brest, lyon, lille, ana, bea, zoe


def _expel(world: World, node: Node) -> None:
    """The forger's own book contradicts what it signed, as it should: only the others are checked at the end."""
    world.nodes.pop(node.code).book.close()


async def _goes_on(world: World, lille: Node, zoe: Any, victim: Node, account: Any) -> None:
    """An honest neighbour still reaches the victim."""
    before = victim.balance(account)
    lille.cede(zoe, Address(account, victim.code), 7)
    await world.settle(LILLE)
    await world.settle(victim.code)
    assert victim.balance(account) == before + 7


@on_sqlite
async def test_a_head_that_shrinks_does_not_cut_the_line_of_another_member(world: World) -> None:
    brest, lyon, lille, ana, bea, zoe = await _three(world)
    brest.cede(ana, Address(bea, LYON), 100)
    await brest.worker.take_reply(await world.exchange.answer(await brest.worker.export()))
    envelope = await brest.worker.export()
    _, payload = open_words(envelope)
    shorter = reword(
        envelope,
        keys_of(brest),
        payload=msgspec.structs.replace(payload, start=0, slips=()),
        log_size=0,
        log_root=merkle.EMPTY_ROOT,
    )
    await world.exchange.answer(shorter)
    await world.settle(LYON)
    assert lyon.balance(bea) == 100
    await _goes_on(world, lille, zoe, lyon, bea)


@on_sqlite
async def test_a_head_beyond_a_gap_does_not_cut_the_line_of_another_member(world: World) -> None:
    brest, lyon, lille, ana, bea, zoe = await _three(world)
    brest.cede(ana, Address(bea, LYON), 100)
    await world.exchange.answer(await brest.worker.export())
    envelope = await brest.worker.export()
    statement, payload = open_words(envelope)
    ahead = statement.log_size + 5
    beyond = reword(
        envelope,
        keys_of(brest),
        payload=msgspec.structs.replace(payload, start=ahead, slips=carry(b"x")),
        log_size=ahead + 1,
        log_root=b"\x09" * 32,
    )
    await world.exchange.answer(beyond)
    await world.settle(LYON)
    assert lyon.balance(bea) == 100
    await _goes_on(world, lille, zoe, lyon, bea)
    await world.settle()


@on_sqlite
async def test_another_root_for_no_slips_at_all_is_refused(world: World) -> None:
    brest, lyon, lille, ana, bea, zoe = await _three(world)
    brest.cede(ana, Address(bea, LYON), 100)
    await world.settle()
    envelope = await brest.worker.export()
    _, payload = open_words(envelope)
    wrong = reword(
        envelope,
        keys_of(brest),
        payload=msgspec.structs.replace(payload, start=0, slips=()),
        log_size=0,
        log_root=b"\x09" * 32,
    )
    before = photograph(world)
    with pytest.raises(BadEnvelope, match="broken_log"):
        await world.exchange.answer(wrong)
    assert photograph(world) == before
    await _goes_on(world, lille, zoe, lyon, bea)


@pytest.mark.parametrize("world", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("column", "value"), [("numbers", "A\x00BCDEFG"), ("givers", "x\x00y"), ("words", "x\x1by")])
async def test_characters_that_are_no_text_in_a_sealed_column_come_back(world: World, column: str, value: str) -> None:
    brest, lyon, lille, _ana, bea, zoe = await _three(world)
    columns: dict[str, Any] = {"numbers": (bea,), "givers": (), "words": ()} | {column: (value,)}
    numbers = columns.pop("numbers")
    write_leaf(brest, *make_cede(world, brest, lyon, numbers, [FINE], **columns))
    await brest.worker.exchange_all()
    await world.settle(LYON)
    assert lyon.balance(bea) == 0
    assert lyon.federation.counts["arrivals_returned"] == 1
    await _goes_on(world, lille, zoe, lyon, bea)
    _expel(world, brest)


@on_sqlite
@pytest.mark.parametrize(("kind", "month"), [(32, 202611), (65_536, 202611), (5, 202613), (5, 202600)])
async def test_a_lot_of_a_class_or_month_that_is_none_is_not_credited(world: World, kind: int, month: int) -> None:
    brest, lyon, lille, _ana, bea, zoe = await _three(world)
    write_leaf(brest, *make_cede(world, brest, lyon, [bea], [Lot(BREST, b"\x21" * 16, kind, month)]))
    await brest.worker.exchange_all()
    await world.settle(LYON)
    assert lyon.balance(bea) == 0
    await _goes_on(world, lille, zoe, lyon, bea)
    _expel(world, brest)


@on_sqlite
@pytest.mark.parametrize("is_drawn", [False, True])
async def test_a_slip_cannot_teach_its_receiver_a_wrong_class_for_a_lot_of_another(
    world: World, is_drawn: bool
) -> None:
    brest, lyon, lille, ana, bea, zoe = await _three(world)
    lille.cede(zoe, Address(ana, BREST), 500)  # Brest learns the lot's reference
    await world.settle()
    ref, kind, month = brest.book.read_now(
        lambda connection: connection.execute(
            text("SELECT ref, lot_class, month FROM lots WHERE issuer = :issuer"), {"issuer": LILLE}
        ).one()
    )
    lie = Lot(LILLE, bytes(ref), kind ^ 2, month)
    numbers, places = ([bea, bea], (0, 1)) if is_drawn else ([bea], (0,))
    write_leaf(brest, *make_cede(world, brest, lyon, numbers, [FINE, lie], places=places))
    await brest.worker.exchange_all()
    await world.settle(LYON)
    assert lyon.balance(bea) == 10
    await _goes_on(world, lille, zoe, lyon, bea)
    _expel(world, brest)


@on_sqlite
async def test_a_slip_cannot_teach_its_receiver_lots_that_nobody_announced(world: World) -> None:
    brest, lyon, _lille, _ana, bea, _zoe = await _three(world)
    ghosts = [Lot(LILLE, bytes([9, number]) + bytes(14), 5, 202611) for number in range(50)]
    write_leaf(brest, *make_cede(world, brest, lyon, [bea], [FINE, *ghosts]))
    await brest.worker.exchange_all()
    await world.settle(LYON)
    known = lyon.book.read_now(lambda connection: connection.execute(text("SELECT count(*) FROM lots")).scalar())
    assert lyon.balance(bea) == 10
    assert known == 1
    _expel(world, brest)


@pytest.mark.parametrize("world", ["postgresql"], indirect=True)
async def test_numbers_and_text_at_the_edge_are_refused_or_ignored_by_the_hub(world: World) -> None:
    brest, lyon, lille, ana, bea, zoe = await _three(world)
    brest.cede(ana, Address(bea, LYON), 100)
    await world.settle()
    second = brest.cede(ana, Address(bea, LYON), 100)
    index = int(second.reference.split("/")[1])
    await world.settle(BREST)
    await world.exchange.answer(await lyon.worker.export())  # handed over; the reply is lost
    leaf, sealed = make_cede(world, lyon, brest, [ana], [Lot(LYON, b"\x21" * 16, 5, 202611)], to="AB\x00DEF")
    write_leaf(lyon, leaf, sealed)
    for to, message in (
        (BREST, Answer(2**53, 0, (), (), ())),
        (BREST, Answer(1, 2**53, (), (), ())),
        (BREST, Answer(1, index, (), (0,), ("a\x00b",))),
        (HUB, Recall(2**53, 0, (0,))),
        (HUB, Recall(1, 2**53, (0,))),
    ):
        write_leaf(lyon, encode_slip(Slip(1, to, 0, (message,))))
    await world.exchange.answer(await lyon.worker.export())
    assert world.sequencer.counts["slips_malformed"] == 4
    assert world.sequencer.counts["answers_ignored"] == 1
    await world.settle(BREST)
    assert brest.cession(second.op).state is CessionState.HANDED_OVER
    await _goes_on(world, lille, zoe, brest, ana)
    _expel(world, lyon)


@on_sqlite
async def test_another_member_cannot_speak_for_the_hub(world: World) -> None:
    brest, _lyon, lille, ana, bea, _zoe = await _three(world)
    view = brest.cede(ana, Address(bea, LYON), 100)
    envelope = await brest.worker.export()
    said, _ = open_words(envelope)
    real = await world.exchange.answer(envelope)
    _, payload = open_words(real)
    # What the thief must know of the hub's log is told to receivers in Brest's own head, where its size is a power of 2.
    frontier = brest.book.read_now(lambda connection: log_store.open_log_or_empty(connection, HUB, BREST).frontier)
    index = int(view.reference.split("/")[1])
    leaf = encode_slip(Slip(1, BREST, world.clock.now, (Verdict(index, 0, "receiver_not_active", (), ()),)))
    forged = reword(
        real,
        keys_of(lille),
        payload=msgspec.structs.replace(payload, start=frontier.size, slips=carry(leaf), histories=()),
        sender=LILLE,
        key=keys_of(lille).public.id,
        checkpoint=None,
        log_size=frontier.size + 1,
        log_root=extend_root(frontier, [leaf]),
        ack_size=said.log_size,
        ack_root=said.log_root,
    )
    before = photograph(world)
    with pytest.raises(BadEnvelope, match="unknown_member"):
        await brest.worker.take_reply(forged)
    assert photograph(world) == before
    await world.settle()
    assert brest.cession(view.op).state is CessionState.DELIVERED


@on_sqlite
async def test_another_member_cannot_make_a_node_accuse_anybody(world: World) -> None:
    brest, lyon, lille, ana, bea, _zoe = await _three(world)
    brest.cede(ana, Address(bea, LYON), 100)
    await world.settle()
    real = await world.exchange.answer(await brest.worker.export())
    thief = keys_of(lille)
    forged = reword(real, thief, sender=LILLE, key=thief.public.id, checkpoint=None, ack_root=bytes(32))
    before = photograph(world)
    with pytest.raises(BadEnvelope, match="unknown_member"):
        await brest.worker.take_reply(forged)
    assert photograph(world) == before
    assert lyon.balance(bea) == 100


@pytest.mark.parametrize("world", ["postgresql"], indirect=True)
async def test_forged_whispers_are_dropped_and_change_nothing(world: World) -> None:
    brest, lyon, lille, _ana, bea, zoe = await _three(world)

    def whisper(number: str, sender: str, node: Node) -> Any:
        return make_whisper(
            Question(number, world.clock.now),
            id_=world.entropy(16),
            sender=sender,
            reader=LYON,
            secret=keys_of(node),
            directory=brest.federation.directory,
            ephemeral_seed=world.entropy(32),
        )

    forged = whisper(bea, LILLE, brest)  # signed by Brest in Lille's name
    moved = msgspec.structs.replace(whisper(bea, BREST, brest), id=bytes(16))
    broken = msgspec.structs.replace(whisper(bea, BREST, brest), body=b"short")
    before = photograph(world)
    for one in (forged, moved, broken, whisper("A\x00BCDEFG", BREST, brest), whisper(bea, BREST, brest)):
        await lyon.payees.hear(one)
    assert [answer.reader for answer in lyon.payees.take_outgoing()] == [BREST]  # the last one only
    # In an envelope: the hub passes on nothing in another's name.
    await world.exchange.answer(await brest.worker.export([forged]))
    _, payload = open_words(await world.exchange.answer(await lyon.worker.export()))
    assert payload.whispers == ()
    assert photograph(world) == before
    await _goes_on(world, lille, zoe, lyon, bea)


@on_sqlite
async def test_the_same_foreign_rights_twice_in_one_slip_and_in_two_are_cleared_once(world: World) -> None:
    brest, lyon, lille, ana, bea, zoe = await _three(world)
    brest.cede(ana, Address(bea, LYON), 100)
    await world.settle()
    ref, kind, month = lyon.book.read_now(
        lambda connection: connection.execute(text("SELECT ref, lot_class, month FROM lots")).one()
    )
    lot = Lot(BREST, bytes(ref), kind, month)
    cleared = world.sequencer.counts["cessions_cleared"]
    write_leaf(lyon, *make_cede(world, lyon, lille, [zoe, zoe], [lot], cents=60))
    write_leaf(lyon, *make_cede(world, lyon, lille, [zoe], [lot], cents=60))
    write_leaf(lyon, *make_cede(world, lyon, lille, [zoe], [lot], cents=40))
    await world.exchange.answer(await lyon.worker.export())
    await world.settle(LILLE)
    # Of more than twice the same rights: the first 60, then exactly what was left.
    assert lille.balance(zoe) == 5_000 + 100
    counts = world.sequencer.counts
    assert (counts["cessions_cleared"] - cleared, counts["cessions_refused"]) == (2, 2)
    _expel(world, lyon)


@on_sqlite
async def test_nobody_answers_a_slip_twice_or_with_other_places_than_it_was_told(world: World) -> None:
    brest, lyon, _lille, ana, bea, _zoe = await _three(world)
    view = brest.cede(ana, Address(bea, LYON), 100)
    await world.settle(BREST)
    index = int(view.reference.split("/")[1])
    await world.exchange.answer(await lyon.worker.export())  # handed over; its reply is lost
    for answer in (
        Answer(1, index, (0,), (), ()),
        Answer(1, index, (), (5,), ("x",)),
        Answer(1, index, (0,), (0,), ("x",)),
    ):
        write_leaf(lyon, encode_slip(Slip(1, BREST, 0, (answer,))))
    await world.exchange.answer(await lyon.worker.export())
    assert world.sequencer.counts["answers_ignored"] == 3
    assert brest.cession(view.op).state is not CessionState.DELIVERED
    right = Answer(1, index, (), (), ())
    write_leaf(lyon, encode_slip(Slip(1, BREST, 0, (right, right))))
    write_leaf(lyon, encode_slip(Slip(1, BREST, 0, (Answer(1, index, (), (0,), ("x",)),))))
    await world.exchange.answer(await lyon.worker.export())
    assert world.sequencer.counts["answers_ignored"] == 5
    await world.settle(BREST)
    assert brest.cession(view.op).state is CessionState.DELIVERED
    empty_table(brest.book, "breaks")  # the second answer of the pair is noted against Lyon
    _expel(world, lyon)
