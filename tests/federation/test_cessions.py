"""Cessions between real books, by a direct line: every way one can end."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, select

from hub.directory.tables import entries
from hub.exchange.service import HubExchange
from node.federation.cessions import AskCession, CessionView
from node.federation.errors import BookIsBehind, NotAMember, NothingToGiveBack, TooLateToRecall
from node.federation.reading_service import load_findings
from node.federation.tables import reconciliations
from node.federation.whispers import Reply
from node.ledger.accounts import AccountKind
from node.ledger.errors import InsufficientRights
from node.ledger.lots import LotClass
from node.ledger.reading_service import load_balance
from protocol.book.prepared_store import Prepared
from protocol.book.tables import evidence
from protocol.cession import CessionState
from protocol.directory import KeyAdded, LimitsSet, MemberNotActive, Reinstated, Suspended
from protocol.errors import BadEnvelope, IdMismatch
from protocol.exchange import service as exchange
from protocol.identifiers import AccountNumber, Address
from protocol.keys import Keyring, make_keys
from tests.federation.world import BREST, HUB, LILLE, LYON, Node, World


async def test_rights_ceded_to_another_territory_arrive_to_the_cent(world: World) -> None:
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(10_000)
    brest.credit(ana, 5_000)
    view = brest.cede(ana, Address(bea, LYON), 1_234, words="for the school")
    assert view.state is CessionState.QUEUED
    assert brest.balance(ana) == 3_766
    await world.settle()
    view = brest.cession(view.op)
    assert view.state is CessionState.DELIVERED
    assert lyon.balance(bea) == 1_234
    assert view.queued_at < (view.cleared_at or 0) <= (view.handed_at or 0) <= (view.ended_at or 0)
    assert [(row.territory, row.cents) for row in brest.totals().abroad] == [(LYON, 1_234)]
    assert brest.totals().home_in_transit == 0


async def test_a_closed_account_sends_the_rights_back_to_the_same_lots(world: World) -> None:
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea, gone = brest.open(), lyon.open(), Address(brest.open(), LYON)
    brest.endow(300, campaign="old")
    brest.endow(700, campaign="new")
    brest.credit(ana, 1_000)
    before = brest.book.read_now(lambda connection: load_balance(connection, ana).lots)
    bad, good = brest.cede(ana, gone, 400), brest.cede(ana, Address(bea, LYON), 100)
    await world.settle()
    assert brest.cession(bad.op).state is CessionState.RETURNED
    assert brest.cession(bad.op).code == "account_unknown"
    assert brest.cession(good.op).state is CessionState.DELIVERED
    after = brest.book.read_now(lambda connection: load_balance(connection, ana).lots)
    assert {lot.lot: lot.cents for lot in before}.keys() == {lot.lot: lot.cents for lot in after}.keys()
    assert brest.balance(ana) == 900
    assert lyon.balance(bea) == 100


async def test_the_hub_refuses_what_exceeds_a_limit_and_the_rights_come_back(world: World) -> None:
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(10_000)
    brest.credit(ana, 10_000)
    world.change(LimitsSet(BREST, 2_000, 1_500, 1_800))
    await world.settle()
    small = brest.cede(ana, Address(bea, LYON), 1_000)
    large = brest.cede(ana, Address(bea, LYON), 1_501)
    await world.settle()
    daily = brest.cede(ana, Address(bea, LYON), 801)
    await world.settle()
    assert brest.cession(small.op).state is CessionState.DELIVERED
    assert (brest.cession(large.op).state, brest.cession(large.op).code) == (CessionState.REFUSED, "message_limit")
    assert (brest.cession(daily.op).state, brest.cession(daily.op).code) == (CessionState.REFUSED, "day_limit")
    assert brest.balance(ana) == 9_000


async def test_a_cession_is_recalled_while_its_receiver_sleeps_and_not_afterwards(world: World) -> None:
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(1_000)
    brest.credit(ana, 1_000)
    first, second = brest.cede(ana, Address(bea, LYON), 100), brest.cede(ana, Address(bea, LYON), 200)
    await world.settle(BREST)
    assert brest.cession(first.op).state is CessionState.CLEARED
    brest.book.write_now(brest.federation.recall, first.op)
    await world.settle(BREST)
    assert brest.cession(first.op).state is CessionState.RECALLED
    await world.settle()
    assert brest.cession(second.op).state is CessionState.DELIVERED
    assert lyon.balance(bea) == 200
    assert brest.balance(ana) == 800
    with pytest.raises(TooLateToRecall):
        brest.book.write_now(brest.federation.recall, second.op)


async def test_a_recall_that_loses_the_race_with_the_hand_over_is_told_so(world: World) -> None:
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(1_000)
    brest.credit(ana, 1_000)
    view = brest.cede(ana, Address(bea, LYON), 100)
    await brest.worker.exchange_once()
    await lyon.worker.exchange_all()
    brest.book.write_now(brest.federation.recall, view.op)
    await world.settle()
    assert (brest.cession(view.op).state, brest.cession(view.op).recall) == (CessionState.DELIVERED, "too_late")


async def test_a_term_that_passes_before_hand_over_expires_by_the_hubs_log(world: World) -> None:
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(1_000)
    brest.credit(ana, 1_000)
    view = brest.cede(ana, Address(bea, LYON), 100, term=world.clock.now + 60_000)
    await world.settle(BREST)
    world.clock.now += 61_000
    await world.settle()
    assert brest.cession(view.op).state is CessionState.EXPIRED
    assert brest.balance(ana) == 1_000
    assert lyon.balance(bea) == 0


async def test_rights_of_a_third_issuer_move_on_and_the_issuer_is_told(world: World) -> None:
    brest, lyon, lille = world.join(BREST), world.join(LYON), world.join(LILLE)
    await world.settle()
    ana, bea, zoe = brest.open(), lyon.open(), lille.open()
    brest.endow(1_000)
    brest.credit(ana, 1_000)
    brest.cede(ana, Address(bea, LYON), 600)
    await world.settle()
    onward = lyon.cede(bea, Address(zoe, LILLE), 250)
    home = lyon.cede(bea, Address(ana, BREST), 100)
    await world.settle()
    assert lyon.cession(onward.op).state is lyon.cession(home.op).state is CessionState.DELIVERED
    assert {row.territory: row.cents for row in brest.totals().abroad} == {LYON: 250, LILLE: 250}
    assert brest.balance(ana) == 500
    assert lille.balance(zoe) == 250


async def test_a_south_community_receives_only_lots_whose_class_fits(world: World) -> None:
    brest = world.join(BREST)
    south = world.join(world.new_south_code(), sponsor=BREST, guide="Awa Diop, Enda")
    await world.settle()
    ana, group = brest.open(), south.open(AccountKind.GROUP)
    brest.endow(500, campaign="here only", lot_class=LotClass.ELIGIBLE)
    brest.endow(500, campaign="far too")
    brest.credit(ana, 1_000)
    view = brest.cede(ana, Address(group, south.code), 300)
    await world.settle()
    assert brest.cession(view.op).state is CessionState.DELIVERED
    assert south.balance(group) == 300
    with pytest.raises(InsufficientRights):
        brest.cede(ana, Address(group, south.code), 201)


async def test_the_same_id_is_answered_again_and_refused_with_another_content(world: World) -> None:
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(1_000)
    brest.credit(ana, 1_000)
    first = brest.cede(ana, Address(bea, LYON), 100, words="hello")
    again = brest.cede(ana, Address(bea, LYON), 100, op=first.op, words="hello")
    assert again.is_repeat
    assert again.reference == first.reference
    with pytest.raises(IdMismatch):
        brest.cede(ana, Address(bea, LYON), 100, op=first.op, words="hullo")
    with pytest.raises(IdMismatch):
        brest.cede(ana, Address(bea, LYON), 101, op=first.op, words="hello")
    await world.settle()
    assert brest.cede(ana, Address(bea, LYON), 100, op=first.op, words="hello").state is CessionState.DELIVERED
    assert brest.balance(ana) == 900


async def test_envelopes_by_file_late_and_twice_harm_nothing(world: World) -> None:
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(1_000)
    brest.credit(ana, 1_000)
    brest.cede(ana, Address(bea, LYON), 100)
    old = await brest.worker.export()
    brest.cede(ana, Address(bea, LYON), 200)
    new = await brest.worker.export()
    replies = [await world.exchange.answer(envelope) for envelope in (new, old, new, old)]
    await world.settle()
    for reply in [*replies, *reversed(replies)]:
        await brest.worker.take_reply(reply)
    await world.settle()
    assert lyon.balance(bea) == 300
    assert brest.totals().abroad[0].cents == 300


async def test_the_hubs_statement_agrees_with_every_book_in_the_middle_of_traffic(world: World) -> None:
    brest, lyon, lille = world.join(BREST), world.join(LYON), world.join(LILLE)
    await world.settle()
    ana, bea, zoe = brest.open(), lyon.open(), lille.open()
    brest.endow(5_000)
    lyon.endow(5_000)
    brest.credit(ana, 5_000)
    lyon.credit(bea, 5_000)
    for round_ in range(6):
        brest.cede(ana, Address(bea, LYON), 100 + round_)
        lyon.cede(bea, Address(zoe, LILLE), 50)
        if round_ > 1:
            lille.cede(zoe, Address(ana, BREST), 30)
        for node in (brest, lyon, lille):
            node.book.write_now(node.federation.ask_statement, None)
            await node.worker.exchange_once()
    await world.settle()
    for node in (brest, lyon, lille):
        rows = node.book.read_now(lambda connection: connection.execute(select(reconciliations)).all())
        assert len(rows) == 6
        assert [row.breaks for row in rows] == ["[]"] * 6
        assert node.book.read_now(load_findings) == []


async def test_the_masked_name_that_the_beneficiary_chose_is_shown_before_sending(world: World) -> None:
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    bea, quiet = lyon.open(name="Béatrice Martin"), lyon.open()

    async def ask(number: AccountNumber) -> Reply | None:
        asking = asyncio.create_task(brest.payees.ask(Address(number, LYON), seconds=5))
        await asyncio.sleep(0)
        for _ in range(3):
            await brest.worker.exchange_once()
            await lyon.worker.exchange_once()
        return await asking

    known = await ask(bea)
    assert known is not None
    assert (known.takes_rights, known.shown) == (True, "B••••••• M•••••")
    hidden = await ask(quiet)
    assert hidden is not None
    assert (hidden.takes_rights, hidden.shown) == (True, "")
    nobody = await ask(brest.open())
    assert nobody is not None
    assert not nobody.takes_rights
    assert await brest.payees.ask(Address(bea, LYON), seconds=0.05) is None


async def test_a_receiver_gives_back_the_very_lots_that_arrived(world: World) -> None:
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(300, campaign="old")
    brest.endow(700, campaign="new")
    brest.credit(ana, 1_000)
    before = brest.book.read_now(lambda connection: load_balance(connection, ana).lots)
    brest.cede(ana, Address(bea, LYON), 400, giver=str(Address(ana, BREST)))
    brest.cede(ana, Address(bea, LYON), 50)
    await world.settle()
    first, second = lyon.arrivals()
    returned = lyon.book.write_now(lyon.federation.give_back, first.op)
    again = lyon.book.write_now(lyon.federation.give_back, first.op)
    assert (returned.reference, again.is_repeat) == (again.reference, True)
    with pytest.raises(NothingToGiveBack, match="did not say"):
        lyon.book.write_now(lyon.federation.give_back, second.op)
    with pytest.raises(NothingToGiveBack):
        lyon.book.write_now(lyon.federation.give_back, bytes(15) + b"x")
    await world.settle()
    assert brest.balance(ana) == 950
    after = brest.book.read_now(lambda connection: load_balance(connection, ana).lots)
    assert (after[0].lot, after[0].cents) == (before[0].lot, before[0].cents)


async def test_an_old_node_meets_a_hub_that_speaks_a_newer_version(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(500)
    brest.credit(ana, 500)

    monkeypatch.setattr(exchange, "SPEAKS_VERSION", exchange.WIRE_VERSION + 1)
    brest.cede(ana, Address(bea, LYON), 100)
    await world.settle()
    assert lyon.balance(bea) == 100


async def test_a_node_rotates_its_keys_with_overlap_and_nothing_stops(world: World) -> None:
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(1_000)
    brest.credit(ana, 1_000)
    old, new = lyon.federation.identity.keyring.current, make_keys(world.entropy(64))
    lyon.federation.use_identity(replace(lyon.federation.identity, keyring=Keyring(old, (new,))))
    lyon.book.write_now(lyon.federation.announce_key, new)
    brest.cede(ana, Address(bea, LYON), 100)  # sealed for the old key
    await world.settle()
    lyon.federation.use_identity(replace(lyon.federation.identity, keyring=Keyring(new, (old,))))
    assert brest.federation.directory.require(LYON).keys[-1].id == new.public.id
    brest.cede(ana, Address(bea, LYON), 200)  # sealed for the new one
    await world.settle()
    lyon.book.write_now(lyon.federation.retire_key, old.public.id)
    await world.settle()
    lyon.cede(bea, Address(ana, BREST), 50)
    await world.settle()
    assert lyon.balance(bea) == 250
    assert len(brest.federation.directory.require(LYON).keys) == 1
    lyon.federation.use_identity(replace(lyon.federation.identity, keyring=Keyring(old, (new,))))
    with pytest.raises(BadEnvelope) as refusal:
        await lyon.worker.exchange_once()
    assert refusal.value.facts["reason"] == "unknown_key"
    lyon.federation.use_identity(replace(lyon.federation.identity, keyring=Keyring(new, (old,))))


async def test_the_hub_rotates_its_keys_and_a_node_that_slept_through_it_follows(world: World) -> None:
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(1_000)
    brest.credit(ana, 1_000)
    new = make_keys(world.entropy(64))
    world.change(KeyAdded(HUB, new.public.signing, new.public.sealing))
    identity = world.registry.identity
    world.registry.identity = replace(identity, keyring=Keyring(new, (identity.keyring.current,)))
    world.exchange.use_identity(world.registry.identity)
    brest.cede(ana, Address(bea, LYON), 100)
    await world.settle(BREST)
    await world.settle()
    brest.cede(ana, Address(bea, LYON), 100)
    await world.settle()
    assert lyon.balance(bea) == 200
    newcomer = world.join(LILLE)
    await world.settle()
    brest.cede(ana, Address(newcomer.open(), LILLE), 100)
    await world.settle()
    assert newcomer.totals().foreign_held[0].cents == 100


async def test_a_suspended_member_sends_and_receives_nothing_new_until_it_is_reinstated(world: World) -> None:
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(1_000)
    brest.credit(ana, 1_000)
    waiting = brest.cede(ana, Address(bea, LYON), 100)
    world.change(Suspended(LYON, "audit"))
    await world.settle()
    assert (brest.cession(waiting.op).state, brest.cession(waiting.op).code) == (
        CessionState.REFUSED,
        "receiver_not_active",
    )
    with pytest.raises(MemberNotActive):
        brest.cede(ana, Address(bea, LYON), 100)
    with pytest.raises(NotAMember):
        lyon.cede(bea, Address(ana, BREST), 1)
    world.change(Reinstated(LYON))
    await world.settle()
    brest.cede(ana, Address(bea, LYON), 100)
    await world.settle()
    assert lyon.balance(bea) == 100


async def test_an_old_copy_of_a_book_is_noticed_at_the_first_hello_and_takes_no_new_work(
    world: World, tmp_path: Path
) -> None:
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(1_000)
    brest.credit(ana, 1_000)
    if brest.book.dialect != "sqlite":
        return  # copying a PostgreSQL database is the same story told slower
    line = sqlite3.connect(str(brest.book.url.database))
    copy = sqlite3.connect(":memory:")
    line.backup(copy)
    brest.cede(ana, Address(bea, LYON), 100)
    await world.settle()
    after = sqlite3.connect(":memory:")
    line.backup(after)
    copy.backup(line)
    world.clock.now += 3_600_000
    with pytest.raises(BadEnvelope) as refusal:
        await brest.worker.exchange_once()
    assert refusal.value.facts["reason"] == "we_are_behind"
    with pytest.raises(BookIsBehind):
        brest.cede(ana, Address(bea, LYON), 100)
    after.backup(line)
    for one in (line, copy, after):
        one.close()
    brest.federation.room.behind = None
    assert world.hub_book.read_now(lambda connection: connection.execute(select(evidence)).all()) == []


async def test_two_cessions_to_the_south_in_one_page_choose_what_is_left(world: World) -> None:
    brest = world.join(BREST)
    south = world.join(world.new_south_code(), sponsor=BREST, guide="Awa Diop, Enda")
    await world.settle()
    ana, group = brest.open(), south.open(AccountKind.GROUP)
    brest.endow(100, campaign="first")
    brest.endow(100, campaign="here only", lot_class=LotClass.ELIGIBLE)
    brest.endow(100, campaign="second")
    brest.credit(ana, 300)
    asked = [
        AskCession(op=world.entropy(16), account=ana, beneficiary=Address(group, south.code), cents=90)
        for _ in range(3)
    ]
    first, second, third = brest.ledger.book.write_all_now(brest.federation.cede, asked)
    assert {first.state, second.state} == {CessionState.QUEUED}
    assert isinstance(third, InsufficientRights)
    await world.settle()
    assert south.balance(group) == 180


async def test_where_the_takers_call_waits_what_is_cleared_is_handed_over_at_once(world: World) -> None:
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(1_000)
    brest.credit(ana, 1_000)
    waiting = asyncio.create_task(lyon.worker.exchange_once(60_000))
    while not world.exchange.is_on_line(LYON):  # noqa: ASYNC110 - nobody tells when a call begins to wait
        await asyncio.sleep(0)
    view = brest.cede(ana, Address(bea, LYON), 100)
    await brest.worker.exchange_once()
    assert brest.cession(view.op).state is CessionState.HANDED_OVER, "with the very answer that says it was cleared"
    taken = await asyncio.wait_for(waiting, 50)
    assert taken is not None
    assert taken.fresh == 1
    assert lyon.balance(bea) == 100
    await world.settle()
    assert brest.cession(view.op).state is CessionState.DELIVERED


async def _have_a_call_wait(world: World) -> tuple[Node, Node, AccountNumber, AccountNumber, asyncio.Task[Any]]:
    """Return Brest, Lyon, an account of each, and a call of Brest that waits at the hub."""
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(1_000)
    brest.credit(ana, 1_000)
    waiting = asyncio.create_task(brest.worker.exchange_once(60_000))
    while not world.exchange.is_on_line(BREST):  # noqa: ASYNC110 - nobody tells when a call begins to wait
        await asyncio.sleep(0)
    return brest, lyon, ana, bea, waiting


async def test_a_call_that_waits_goes_on_waiting_where_another_of_its_member_is_told_the_same(world: World) -> None:
    brest, lyon, ana, bea, waiting = await _have_a_call_wait(world)
    view = brest.cede(ana, Address(bea, LYON), 100)
    await brest.worker.exchange_once()
    assert brest.cession(view.op).state is CessionState.CLEARED
    assert not waiting.done()
    assert world.exchange.is_on_line(BREST)
    await lyon.worker.exchange_once()
    await asyncio.wait_for(waiting, 50)
    assert brest.cession(view.op).state is CessionState.HANDED_OVER


async def test_news_that_come_while_an_answer_is_written_reach_the_call_that_waits(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    brest, _, ana, bea, waiting = await _have_a_call_wait(world)
    tell = HubExchange._tell

    async def tell_late(self: HubExchange, received: Any, line: Any) -> Any:
        told = await tell(self, received, line)
        self._wake({BREST})
        return told

    monkeypatch.setattr(HubExchange, "_tell", tell_late)
    brest.cede(ana, Address(bea, LYON), 100)
    await brest.worker.exchange_once()
    await asyncio.wait_for(waiting, 50)


async def test_a_call_that_breaks_before_it_is_answered_leaves_its_news_to_the_one_that_waits(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    brest, _, ana, bea, waiting = await _have_a_call_wait(world)
    tell = HubExchange._tell
    broken = iter([True])

    async def break_once(self: HubExchange, received: Any, line: Any) -> Any:
        if next(broken, False):
            raise ConnectionResetError
        return await tell(self, received, line)

    monkeypatch.setattr(HubExchange, "_tell", break_once)
    view = brest.cede(ana, Address(bea, LYON), 100)
    with pytest.raises(ConnectionResetError):
        await brest.worker.exchange_once()
    await asyncio.wait_for(waiting, 50)
    assert brest.cession(view.op).state is CessionState.CLEARED


async def test_a_group_of_cessions_is_answered_group_by_group_in_order(world: World) -> None:
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea, home = brest.open(), lyon.open(), brest.open()
    brest.endow(1_000)
    brest.credit(ana, 100)

    def ask(to: Address, cents: int) -> AskCession:
        return AskCession(op=world.entropy(16), account=ana, beneficiary=to, cents=cents)

    far = Address(bea, LYON)
    groups = [
        [ask(far, 40), ask(Address(home, BREST), 10)],
        [],
        [ask(far, 60), ask(far, 50), ask(Address(bea, LILLE), 1)],
    ]
    answers = brest.book.write_all_now(brest.federation.cede_groups, groups)
    told = [[str(one.state) if isinstance(one, CessionView) else one.code for one in group] for group in answers]
    assert told == [["queued", "delivered"], [], ["insufficient_rights", "queued", "unknown_member"]]
    again = brest.book.write_now(brest.federation.cede_groups, groups[0])
    assert [view.is_repeat for view in again] == [True, True]
    await world.settle()
    assert (lyon.balance(bea), brest.balance(home), brest.balance(ana)) == (90, 10, 0)


async def test_ids_of_arrivals_rise_with_time_and_place(world: World) -> None:
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(1_000)
    brest.credit(ana, 1_000)
    for _ in range(3):
        asked = [AskCession(op=world.entropy(16), account=ana, beneficiary=Address(bea, LYON), cents=1) for _ in "abc"]
        brest.book.write_now(brest.federation.cede_groups, asked)
        await world.settle()
    rows = lyon.arrivals()
    assert [bytes(row.op) for row in rows] == sorted({bytes(row.op) for row in rows})
    assert [(row.ix, row.place) for row in rows] == [(slip, place) for slip in range(3) for place in range(3)]
    assert {bytes(row.op)[:14] for row in rows[:3]}.isdisjoint({bytes(row.op)[:14] for row in rows[3:]})


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
async def test_a_directory_longer_than_an_envelope_comes_in_one_go(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A country has more members than one envelope names: whoever calls until nothing is new knows them all."""
    part = Prepared(
        select(entries.c.entry, entries.c.national)
        .where(entries.c.number >= bindparam("start"))
        .order_by(entries.c.number)
        .limit(2)
    )
    monkeypatch.setattr("hub.directory.service._LOAD_ENTRIES", part)
    brest, lyon = world.join(BREST), world.join(LYON)
    calls = await brest.worker.exchange_all()
    assert calls > 2
    assert brest.federation.directory.size == world.registry.directory.size > 4
    assert brest.federation.directory.find(LYON) is not None
    assert lyon.federation.directory.size < brest.federation.directory.size


async def test_two_parts_of_a_slip_that_end_in_one_page_both_leave_the_way(world: World) -> None:
    """Found by killing processes on PostgreSQL, which changes a row once where a statement names it twice."""
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(10_000)
    brest.credit(ana, 5_000)
    far = Address(bea, LYON)
    asked = [AskCession(op=world.entropy(16), account=ana, beneficiary=far, cents=cents) for cents in (174, 456, 630)]
    views = brest.book.write_now(brest.federation.cede_groups, asked)
    await world.settle(BREST)
    for view in views[:2]:
        brest.book.write_now(brest.federation.recall, view.op)
    await world.settle()
    assert [brest.cession(view.op).state for view in views] == ["recalled", "recalled", "delivered"]
    assert brest.balance(ana) == 5_000 - 630
    assert world.check() == []
