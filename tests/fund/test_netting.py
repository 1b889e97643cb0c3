"""Netting with other funds: agreed by two officers, netted once covered, windows told and paid, bearers paid after them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from node.fund.due_payment_service import Wait
from node.fund.fund_errors import FundUnknown, NettingRefused
from node.fund.net_payment_service import load_lines
from node.fund.netting_service import load_agreements
from node.fund.outgoing_payments import NettingWords, NetWords, PaymentState, end_to_end_id, write_words
from node.fund.signature_service import Signed
from node.fund.statement_service import Decide
from protocol.errors import IdMismatch
from protocol.house import (
    BaseName,
    DueConfirmed,
    DueSettled,
    DueState,
    DueTaken,
    HouseMessage,
    NetPaid,
    NettedDue,
    NettingTold,
    OrderReturned,
    WindowTold,
)
from protocol.keys import Domain, make_keys, sign
from protocol.messages import SettledState
from tests.fund.camt_files import Detail, Entry
from tests.fund.dues_world import (
    PROJECT,
    answers,
    find_after,
    fund_lot,
    make_due,
    make_order,
    order_and_confirm,
    owe,
    parts,
    pay,
    proposals,
    today,
)
from tests.fund.fund_world import BREST, FundWorld
from tests.fund.test_cards import FIRST, IBANS, QUIMPER, account, decider

RENNES = "243500139"
DAY = 20261126


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FundWorld]:
    """A fund on files; the tests that matter most there have a fund on PostgreSQL too (`on_both`)."""
    url = request.getfixturevalue("book_url") if "book_url" in request.fixturenames else ""
    made = FundWorld(lambda name: url if url and name == BaseName.FUND else f"sqlite:///{tmp_path / name}.db")
    yield made
    made.close()


on_both = pytest.mark.usefixtures("book_url")


async def hear(world: FundWorld, *messages: HouseMessage) -> None:
    world.tell(*messages, sender=BaseName.ACCOUNTS)
    await world.settle()


def said(world: FundWorld, kind: type[Any]) -> list[Any]:
    return [one for one in answers(world, BaseName.ACCOUNTS) if isinstance(one, kind)]


def agree(world: FundWorld, territory: str = QUIMPER, *, is_netted: bool = True) -> NettingWords:
    words = world.fund.netting.make_words(world.id(), territory, is_netted=is_netted, today=today(world))
    for name, waits_for in (("anne", "a second officer"), ("anne", "a second officer"), ("bob", "said")):
        if name not in world.officers:
            world.officer(name)
        assert world.write(world.fund.netting.sign, sign_netting(world, name, words)) == waits_for
    return words


def sign_netting(world: FundWorld, name: str, words: NettingWords) -> Signed:
    secret = world.officers[name]
    signature = sign(secret, Domain.OFFICER, write_words(words))
    return Signed(words=words, officer=secret.public.id, signature=signature)


async def befriend(world: FundWorld) -> None:
    """Quimper's fund and ours net, and its card is known."""
    await hear(world, decider(1, FIRST), account(1, IBANS[1]), NettingTold(QUIMPER, True, DAY))
    agree(world)


async def owe_quimper(world: FundWorld, cents: int, *, number: int = 1) -> bytes:
    """Owe a bearer of Quimper's so much by the round of this number, of one company's lot; return the due's id."""
    order = make_order(territory=QUIMPER, round=number)
    due = make_due(world, (await fund_lot(world, cents), cents), order=order, signer=FIRST)
    assert await owe(world, due) == DueTaken(due.id)
    return due.id


def make_netted(world: FundWorld, cents: int, debtor: str = QUIMPER, **change: Any) -> NettedDue:
    due = make_due(world, (bytes(16), cents))
    return structs.replace(NettedDue(due.id, debtor, PROJECT, cents, due.order), **change)


def make_window(number: int, owing: dict[bytes, int], owed: dict[bytes, int], *, others: int = 0) -> WindowTold:
    """Return a window of us and Quimper, and of Rennes where `others` cents go between it and Quimper."""
    members = tuple(sorted((BREST, QUIMPER, *((RENNES,) if others else ()))))
    ours = sum(owed.values()) - sum(owing.values())
    net = {BREST: ours, QUIMPER: -ours - others, RENNES: others}
    return WindowTold(
        window=number,
        on=DAY,
        members=members,
        net=tuple(net[name] for name in members),
        ids=(*owing, *owed),
        others=(members.index(QUIMPER),) * (len(owing) + len(owed)),
        cents=(*(-cents for cents in owing.values()), *owed.values()),
    )


def lines(world: FundWorld) -> list[tuple[str, bool, int, str]]:
    found = world.book.read_now(lambda line: load_lines(line, BREST, world.now))
    return [(one.other, one.is_ours, one.cents, one.state) for one in found]


def net_words(world: FundWorld) -> NetWords:
    [line] = world.book.read_now(lambda connection: load_lines(connection, BREST, world.now))
    words = world.book.read_now(lambda one: world.fund.payments.make_net_words(one, line.payment, world.now))
    assert isinstance(words, NetWords)
    return words


async def test_an_agreement_holds_where_both_funds_say_so(world: FundWorld) -> None:
    with pytest.raises(NettingRefused):
        world.fund.netting.make_words(world.id(), BREST, is_netted=True, today=today(world))
    words = agree(world)
    await world.settle()
    assert said(world, NettingTold) == [NettingTold(QUIMPER, True, words.since)]
    other = sign_netting(world, "anne", structs.replace(words, is_netted=False))
    with pytest.raises(IdMismatch):
        world.write(world.fund.netting.sign, other)
    [one] = world.book.read_now(load_agreements)
    assert (one.ours, one.theirs, one.holds) == (True, None, False)
    await hear(world, NettingTold(QUIMPER, True, DAY))
    assert world.book.read_now(load_agreements)[0].holds
    world.later(1)
    agree(world, is_netted=False)
    assert not world.book.read_now(load_agreements)[0].holds
    await world.settle()
    assert not world.find_wrongs()


@on_both
async def test_what_we_owe_is_netted_once_paid_to_the_fund_and_booked(world: FundWorld) -> None:
    await befriend(world)
    id_ = await owe_quimper(world, 900)
    assert [world.write(world.fund.netting.net_dues, today(world)) for _ in range(2)] == [1, 0]
    await world.settle()
    assert said(world, DueSettled) == [DueSettled(id_, DueState.NETTED, 900, int(today(world).strftime("%Y%m%d")))]
    assert (proposals(world), parts(world)) == ([], []), "no payment of ours pays it"
    assert not world.find_wrongs()

    await hear(world, make_window(3, {id_: 900}, {}))
    await hear(world, make_window(3, {id_: 900}, {}))  # a hub's word that came twice through an old copy
    assert lines(world) == [(QUIMPER, True, 900, "to sign")]
    words = net_words(world)
    assert (words.iban, words.cents, words.window) == (IBANS[1], 900, 3)
    with pytest.raises(IdMismatch):
        world.write(world.fund.payments.sign, world.sign("anne", structs.replace(words, iban=IBANS[0])))  # type: ignore[arg-type]
    assert pay(world, words) is PaymentState.SIGNED  # type: ignore[arg-type]
    order_and_confirm(world, [words])  # type: ignore[list-item]
    await world.settle()
    assert said(world, NetPaid) == [NetPaid(3, QUIMPER, SettledState.PAID, 20261124)]
    assert lines(world) == [(QUIMPER, True, 900, "confirmed")]
    await hear(world, NetPaid(3, QUIMPER, SettledState.CONFIRMED, DAY), DueConfirmed(id_, DAY))
    assert not world.find_wrongs()

    # The bank sends it back: it is owed again, and signed again under another id.
    back = Entry(cents=900, details=[Detail(cents=900, end_to_end_id=end_to_end_id(words.id), reason="AC04")])
    world.take(world.statement(back))
    await world.settle()
    assert said(world, NetPaid)[-1].state is SettledState.REJECTED
    assert lines(world) == [(QUIMPER, True, 900, "to sign")]
    assert net_words(world).id != words.id
    assert not world.find_wrongs()


async def test_what_is_not_covered_or_not_agreed_is_not_netted(world: FundWorld) -> None:
    await hear(world, decider(1, FIRST), account(1, IBANS[1]))
    await owe_quimper(world, 900)
    assert world.write(world.fund.netting.net_dues, today(world)) == 0
    agree(world)
    assert world.write(world.fund.netting.net_dues, today(world)) == 0, "the other fund has not said so"
    await hear(world, NettingTold(QUIMPER, True, DAY))
    [words] = proposals(world)
    world.write(world.fund.payments.sign, world.sign("anne", words))  # type: ignore[arg-type]
    assert world.write(world.fund.netting.net_dues, today(world)) == 0, "an officer pays it directly"
    assert not world.find_wrongs()


@on_both
async def test_a_bearer_of_ours_is_paid_when_what_others_owe_is_here(world: FundWorld) -> None:
    await befriend(world)
    there = await owe_quimper(world, 400)
    world.write(world.fund.netting.net_dues, today(world))
    told = make_netted(world, 1_000)
    await hear(world, told, told)
    assert [(part.share, part.waits_for) for part in parts(world)] == [("netted", Wait.WINDOW)]
    await hear(world, make_window(4, {there: 400}, {told.id: 1_000}))
    assert lines(world) == [(QUIMPER, False, 600, "open")]
    assert [part.waits_for for part in parts(world)] == [Wait.WINDOW]
    assert not world.find_wrongs()
    for cents in (250, 350):
        waiting = world.take(world.statement(world.paid(cents, iban=IBANS[1], text="?"))).waiting
        for movement in waiting:
            decided = Decide(movement=movement, by="anne", net=f"net:4:{QUIMPER}", id=world.id())
            world.write(world.fund.statements.decide, decided)
        assert not world.find_wrongs()
    await world.settle()
    assert said(world, NetPaid) == [NetPaid(4, QUIMPER, SettledState.CONFIRMED, 20261124)]
    [words] = proposals(world)
    assert (words.cents, words.share, words.dues) == (1_000, "netted", ((told.id, 1_000),))
    pay(world, words)
    order_and_confirm(world, [words])
    await world.settle()
    assert said(world, DueSettled)[-1] == DueSettled(told.id, DueState.PAID, 1_000, 20261124)
    assert not world.find_wrongs()


async def test_another_fund_s_payment_is_known_by_its_account_and_sum(world: FundWorld) -> None:
    await befriend(world)
    told = make_netted(world, 700)
    await hear(world, make_window(1, {}, {told.id: 700}))  # told before our projects' order came
    await hear(world, told)
    assert [part.waits_for for part in parts(world)] == [Wait.WINDOW]
    taken = world.take(world.statement(world.paid(700, iban=IBANS[1])))
    assert taken.waiting == []
    assert [part.waits_for for part in parts(world)] == [Wait.NOTHING]
    again = world.take(world.statement(world.paid(700, iban=IBANS[1])))
    assert len(again.waiting) == 1, "nothing more is to come: a person looks"
    with pytest.raises(FundUnknown):
        world.write(
            world.fund.statements.decide, Decide(movement=again.waiting[0], by="anne", net="net:9:1", id=world.id())
        )
    assert not world.find_wrongs()


async def test_we_may_pay_a_fund_that_we_never_owed(world: FundWorld) -> None:
    """Netting lets the largest debt meet the largest claim, whoever owed whom."""
    await befriend(world)
    id_ = await owe_quimper(world, 500)
    world.write(world.fund.netting.net_dues, today(world))
    await hear(world, make_window(1, {id_: 500}, {}, others=500))  # Quimper owes Rennes as much: we pay Rennes
    assert lines(world) == [(RENNES, True, 500, "account")]
    rennes = make_keys(bytes([44]) * 64)
    assert world.book.read_now(lambda line: world.fund.net_payments.load_proposals(line, world.now)) == []
    assert not world.find_wrongs()
    assert rennes.public.id != FIRST.public.id


@pytest.mark.parametrize("fault", ["order", "project", "bearer"])
async def test_an_order_that_cannot_be_followed_comes_back_and_another_is_taken(world: FundWorld, fault: str) -> None:
    wrong = {
        "order": lambda: make_netted(world, 300, order=b"nothing that we can open"),
        "project": lambda: make_netted(world, 300, project=bytes(16)),
        "bearer": lambda: structs.replace(
            make_netted(world, 300),
            order=make_due(world, (bytes(16), 1), order=make_order(eligible_until=20261101)).order,
        ),
    }[fault]()
    await hear(world, wrong)
    [back] = said(world, OrderReturned)
    assert back.id == wrong.id
    assert parts(world) == []
    assert not world.find_wrongs()
    await hear(world, structs.replace(make_netted(world, 300), id=wrong.id))
    assert [part.due for part in parts(world)] == [wrong.id]
    assert not world.find_wrongs()


async def test_a_window_that_does_not_fit_our_dues_is_not_taken_and_named(world: FundWorld) -> None:
    await befriend(world)
    id_ = await owe_quimper(world, 900)
    world.write(world.fund.netting.net_dues, today(world))
    right = make_window(1, {id_: 900}, {})
    for number, wrong in enumerate(
        (
            structs.replace(right, net=(-899, 899)),
            structs.replace(right, net=(900, 900)),
            structs.replace(right, cents=(-901,), net=(-901, 901)),
            structs.replace(right, ids=(bytes(16),)),
        ),
        2,
    ):
        await hear(world, structs.replace(wrong, window=number))
        assert lines(world) == []
        assert [one.place for one in world.find_wrongs()] == [f"window {known}" for known in range(2, number + 1)]


async def test_what_is_changed_by_hand_of_netting_is_found(world: FundWorld) -> None:
    await befriend(world)
    there, told = await owe_quimper(world, 400), make_netted(world, 1_000)
    world.write(world.fund.netting.net_dues, today(world))
    await hear(world, told, make_window(4, {there: 400}, {told.id: 1_000}))
    world.take(world.statement(world.paid(600, iban=IBANS[1])))
    await world.settle()
    assert not world.find_wrongs()
    for change in (
        "UPDATE netting_words SET is_netted = 0",
        "UPDATE netting_words SET since = since + 1",
        "DELETE FROM netting_signatures",
        "UPDATE netting_heard SET is_netted = 0",
        "UPDATE net_payments SET cents = 700",
        "UPDATE net_payments SET received = 599",
        "UPDATE net_receipts SET cents = 599",
        "DELETE FROM net_receipts",
        "UPDATE windows SET told = x'c0'",
        f"UPDATE dues SET window_no = NULL WHERE id = x'{there.hex()}'",
        f"UPDATE dues SET netted_on = 20260101 WHERE id = x'{there.hex()}'",
        f"UPDATE dues SET debtor = '{RENNES}' WHERE id = x'{told.id.hex()}'",
    ):
        found = [one for one in find_after(world, change) if "as it was written" not in one.expected]
        assert found, change
