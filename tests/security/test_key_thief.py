"""Who stole a key and nothing else: what it signs is believed until its owner calls once, or until it is retired.

One row of the table in docs/trust.md. The thief of a node's signing key has what the wire shows (his own calls are
answered), so he can write slips that follow from the log. Evidence is against the key: the file names it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from hub.clearing.doubts_store import load_doubtful as load_doubtful_slips
from hub.directory.service import load_entries
from node.federation.doubts_store import load_doubtful
from protocol import merkle
from protocol.book import log_store
from protocol.canonical import decode_typed
from protocol.cession import CessionState
from protocol.directory import KeyAdded, KeyRetired, LimitsSet
from protocol.envelopes import CarriedSlip
from protocol.errors import BadEnvelope
from protocol.identifiers import AccountNumber, Address
from protocol.keys import Domain, Keyring, Unreadable, make_keys, sign, unseal
from protocol.messages import AddKey, Lot, RetireKey, SealedColumn, Slip, encode_slip
from tests.federation.old_copies import back_up, restore_node
from tests.federation.world import BREST, HUB, LYON, Node, World
from tests.security.attackers import (
    carry,
    check_of,
    convictions,
    count_exchanges,
    extend_root,
    keys_of,
    let_hub_lie,
    lie,
    make_cede,
    open_words,
    reword,
)

FINE = Lot(BREST, b"\x21" * 16, 5, 202611)


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


async def _forge(world: World, brest: Node, *slips: tuple[bytes, bytes | None]) -> bytes:
    """Return an envelope of Brest that its operator never wrote: its log, continued by these slips."""
    frontier = world.hub_book.read_now(lambda line: log_store.open_log_or_empty(line, BREST, HUB).frontier)
    envelope = await brest.worker.export()
    _, payload = open_words(envelope)
    leaves = [leaf for leaf, _ in slips]
    carried = tuple(CarriedSlip(leaf, () if sealed is None else (sealed,)) for leaf, sealed in slips)
    return reword(
        envelope,
        keys_of(brest),
        payload=msgspec.structs.replace(payload, start=frontier.size, slips=carried),
        log_size=frontier.size + len(slips),
        log_root=extend_root(frontier, leaves),
    )


def _convicted(world: World) -> list[tuple[str, str]]:
    return [(judgement.accused, str(judgement.kind)) for judgement in convictions(world.hub_book)]


def _is_found(world: World, brest: Node) -> Callable[[], object]:
    """Tell whether Brest's own program stands still because others hold more of its log than it wrote."""
    return lambda: brest.federation.behind or convictions(world.hub_book) or check_of(world, BREST)


async def _rotate(world: World, node: Node) -> None:
    """Announce new keys, and sign with them once everybody's directory shows them, as `node rotate-key` does."""
    old, fresh = keys_of(node), make_keys(world.entropy(64))
    node.federation.use_identity(replace(node.federation.identity, keyring=Keyring(old, (fresh,))))
    node.book.write_now(node.federation.announce_key, fresh)
    await world.settle()
    node.federation.use_identity(replace(node.federation.identity, keyring=Keyring(fresh, (old,))))
    await world.settle()


async def test_another_past_under_a_stolen_key_is_refused_at_once_and_the_file_names_the_key(stage: World) -> None:
    brest, lyon, _ana, bea = await _story(stage)
    leaf, sealed = make_cede(stage, brest, lyon, [bea], [FINE], cents=900)
    envelope = await _forge(stage, brest, (leaf, sealed))
    _, payload = open_words(envelope)
    forged = reword(
        envelope,
        keys_of(brest),
        payload=msgspec.structs.replace(payload, start=0, slips=carry(leaf)),
        log_size=1,
        log_root=merkle.hash_leaf(leaf),
    )
    with pytest.raises(BadEnvelope, match="fork"):
        await stage.exchange.answer(forged)
    (judgement,) = convictions(stage.hub_book)
    assert judgement.key_fingerprint == keys_of(brest).public.signing.hex()
    await stage.settle()
    assert lyon.balance(bea) == 100


async def test_slips_swapped_under_a_stolen_key_are_refused_at_once(stage: World) -> None:
    brest, lyon, _ana, bea = await _story(stage)
    leaves = brest.book.read_now(
        lambda line: log_store.load_leaves(line, log_store.open_log_or_empty(line, BREST, HUB).id, 0, 2)
    )
    envelope = await brest.worker.export()
    _, payload = open_words(envelope)
    swapped = reword(
        envelope,
        keys_of(brest),
        payload=msgspec.structs.replace(payload, start=0, slips=carry(leaves[1], leaves[0])),
        log_size=2,
        log_root=extend_root(merkle.Frontier(), [leaves[1], leaves[0]]),
    )
    with pytest.raises(BadEnvelope, match="fork"):
        await stage.exchange.answer(swapped)
    assert _convicted(stage) == [(BREST, "two_heads")]
    assert lyon.balance(bea) == 100


async def test_what_a_thief_fetches_in_a_members_name_still_reaches_the_member(stage: World) -> None:
    brest, lyon, ana, bea = await _story(stage)
    brest.cede(ana, Address(bea, LYON), 70)
    await brest.worker.exchange_all()
    said, _ = open_words(await stage.exchange.answer(await lyon.worker.export()))
    # He acknowledges it too, so that the hub may take it for received.
    await stage.exchange.answer(
        reword(await lyon.worker.export(), keys_of(lyon), ack_size=said.log_size, ack_root=said.log_root)
    )
    await lyon.worker.exchange_once()
    assert lyon.balance(bea) == 170
    await stage.settle()
    assert stage.check() == []


@pytest.mark.parametrize("has_new_slip", [False, True])
async def test_a_log_continued_by_a_thief_stops_its_owner_at_the_first_call(stage: World, has_new_slip: bool) -> None:
    brest, lyon, ana, bea = await _story(stage)
    await stage.exchange.answer(await _forge(stage, brest, make_cede(stage, brest, lyon, [bea], [FINE], cents=30)))
    if has_new_slip:
        brest.cede(ana, Address(bea, LYON), 5)
    assert await count_exchanges(stage, [BREST], _is_found(stage, brest)) == 1
    if has_new_slip:  # two words under one key: the hub has the file, and the operator asks the town which is its own
        assert _convicted(stage) == [(BREST, "two_heads")]
    else:
        assert brest.federation.behind is not None


async def test_old_words_of_a_retired_key_are_worth_nothing(stage: World) -> None:
    brest, lyon, ana, bea = await _story(stage)
    brest.cede(ana, Address(bea, LYON), 20)
    stolen = await _forge(stage, brest, make_cede(stage, brest, lyon, [bea], [FINE], cents=30))
    old = keys_of(brest)
    await _rotate(stage, brest)
    stage.change(KeyRetired(BREST, old.public.id, True, 4))
    with pytest.raises(BadEnvelope, match="unknown_key"):
        await stage.exchange.answer(stolen)
    await stage.settle()
    assert (stage.check(), lyon.balance(bea)) == ([], 120)


async def test_forged_slips_are_credited_up_to_the_limits_until_the_owner_calls(stage: World) -> None:
    brest, lyon, ana, bea = await _story(stage)
    stage.change(LimitsSet(BREST, 1_000, 250, 600))
    await stage.settle()
    forged = [make_cede(stage, brest, lyon, [bea], [FINE], cents=cents) for cents in (251, 250, 250, 250)]
    await stage.exchange.answer(await _forge(stage, brest, *forged))
    await lyon.worker.exchange_all()
    # The bound of one day: 100 had left before. 251 is more than one cession may be, the last 250 more than a day.
    assert lyon.balance(bea) == 100 + 500
    assert await count_exchanges(stage, [BREST], _is_found(stage, brest)) == 1
    # From then on nothing leaves under Brest's own hand, and its book says so.
    assert brest.balance(ana) == 4_900


async def test_foreign_rights_ceded_by_a_thief_are_not_there_to_be_ceded_again(stage: World) -> None:
    brest, lyon, ana, bea = await _story(stage)
    lyon.endow(10_000)
    lyon.credit(bea, 500)
    lyon.cede(bea, Address(ana, BREST), 600)  # 100 of Brest's come home, 500 of Lyon's are held in Brest
    await stage.settle()
    ref, kind, month = brest.book.read_now(
        lambda line: line.exec_driver_sql(f"SELECT ref, lot_class, month FROM lots WHERE issuer = '{LYON}'").one()
    )
    lot = Lot(LYON, bytes(ref), kind, month)
    thief = make_cede(stage, brest, lyon, [bea], [lot], cents=500)
    again = make_cede(stage, brest, lyon, [bea], [lot], cents=500)
    await stage.exchange.answer(await _forge(stage, brest, thief, again))
    await lyon.worker.exchange_all()
    assert lyon.balance(bea) == 500  # once, whoever signs
    assert stage.sequencer.counts["cessions_refused"] == 1
    assert await count_exchanges(stage, [BREST], _is_found(stage, brest)) == 1


async def test_lots_announced_by_a_thief_stop_at_the_limit_abroad_and_end_with_the_key(stage: World) -> None:
    brest, lyon, _ana, bea = await _story(stage)
    stage.change(LimitsSet(BREST, 400, 10**6, 10**6))
    await stage.settle()
    ghosts = [Lot(BREST, bytes([7, number]) + bytes(14), 5, 202611) for number in range(5)]
    await stage.exchange.answer(
        await _forge(stage, brest, *[make_cede(stage, brest, lyon, [bea], [lot], cents=100) for lot in ghosts])
    )
    await lyon.worker.exchange_all()
    assert lyon.balance(bea) == 100 + 300
    assert await count_exchanges(stage, [BREST], _is_found(stage, brest)) == 1


async def test_a_thief_who_retires_the_owners_key_is_seen_by_the_owners_first_call(stage: World) -> None:
    brest, _lyon, _ana, _bea = await _story(stage)
    own, thief = keys_of(brest), make_keys(stage.entropy(64))
    body = thief.public.signing + thief.public.sealing
    messages = (
        AddKey(thief.public.signing, thief.public.sealing, sign(thief, Domain.KEY, body)),
        RetireKey(own.public.id),
    )
    slip = encode_slip(Slip(1, HUB, stage.clock.now, messages))
    await stage.exchange.answer(await _forge(stage, brest, (slip, None)))
    with pytest.raises(BadEnvelope, match="unknown_key"):
        await brest.worker.exchange_once()


async def test_a_second_node_under_a_stolen_key_and_base_is_convicted_by_the_first_difference(stage: World) -> None:
    brest, _lyon, ana, bea = await _story(stage)
    copy = back_up(brest.book)
    brest.cede(ana, Address(bea, LYON), 10)
    await stage.settle()
    restore_node(stage, brest, copy)
    brest.cede(ana, Address(bea, LYON), 20)
    assert await count_exchanges(stage, [BREST], lambda: convictions(stage.hub_book)) == 1
    assert _convicted(stage) == [(BREST, "two_heads")]


async def test_a_thief_of_the_hubs_key_who_answers_in_its_place_is_convicted_by_the_first_lie(stage: World) -> None:
    brest, _lyon, _ana, _bea = await _story(stage)
    let_hub_lie(stage, brest, lambda answer: lie(stage, answer, log_root=b"\x05" * 32))
    assert await count_exchanges(stage, [BREST], lambda: convictions(brest.book)) == 1
    (judgement,) = convictions(brest.book)
    assert (judgement.accused, str(judgement.kind)) == (HUB, "two_heads")


async def test_a_stolen_sealing_key_opens_what_was_sealed_for_it_and_moves_nothing(stage: World) -> None:
    brest, lyon, ana, bea = await _story(stage)
    brest.cede(ana, Address(bea, LYON), 10, words="bon vent")
    _, payload = open_words(await brest.worker.export())
    column = decode_typed(payload.slips[0].beside[0], SealedColumn, size_max=10**6)
    assert bea.encode() in unseal(keys_of(lyon), column.sealed)
    assert b"bon vent" in unseal(keys_of(lyon), column.sealed)
    # With new keys announced, what is ceded from then on is closed to him.
    stolen = keys_of(lyon)
    await _rotate(stage, lyon)
    view = brest.cede(ana, Address(bea, LYON), 10, words="à toi")
    _, payload = open_words(await brest.worker.export())
    column = decode_typed(payload.slips[-1].beside[0], SealedColumn, size_max=10**6)
    with pytest.raises(Unreadable):
        unseal(stolen, column.sealed)
    await stage.settle()
    assert brest.cession(view.op).state is CessionState.DELIVERED
    assert (stage.check(), lyon.balance(bea)) == ([], 120)


async def test_what_a_stolen_key_signed_is_listed_at_the_hub_and_where_it_arrived(stage: World) -> None:
    brest, lyon, _ana, bea = await _story(stage)
    held = stage.hub_book.read_now(lambda line: log_store.open_log_or_empty(line, BREST, HUB)).size
    old = keys_of(brest)
    forged = [make_cede(stage, brest, lyon, [bea, bea], [FINE], places=(0, 0), cents=30) for _ in range(2)]
    await stage.exchange.answer(await _forge(stage, brest, *forged))
    await lyon.worker.exchange_all()
    # The hub's operator takes new keys of the town by hand, and names the first slip that was not its own.
    fresh = make_keys(stage.entropy(64)).public
    stage.change(KeyAdded(BREST, fresh.signing, fresh.sealing))
    stage.change(KeyRetired(BREST, old.public.id, True, held))
    await lyon.worker.exchange_all()
    at_hub = stage.hub_book.read_now(lambda line: load_doubtful_slips(line, HUB, load_entries(line)))
    assert [(row["slip"], row["taker"], row["cessions"], row["cents"], row["state"]) for row in at_hub] == [
        (f"{BREST}/1/{held + place}", LYON, 2, 60, "delivered") for place in range(2)
    ]
    arrived = lyon.book.read_now(load_doubtful)
    assert [(row["cession"], row["account"], row["cents"]) for row in arrived] == [
        (f"{BREST}/1/{held + place}/{cession}", bea, 30) for place in range(2) for cession in range(2)
    ]
    assert {row["key"] for row in (*at_hub, *arrived)} == {old.public.id.hex()}


async def test_a_key_that_was_retired_in_peace_leaves_nothing_to_confirm(stage: World) -> None:
    brest, lyon, _ana, _bea = await _story(stage)
    old = keys_of(brest)
    await _rotate(stage, brest)
    stage.change(KeyRetired(BREST, old.public.id, False, 0))
    await stage.settle()
    assert stage.hub_book.read_now(lambda line: load_doubtful_slips(line, HUB, load_entries(line))) == []
    assert lyon.book.read_now(load_doubtful) == []
