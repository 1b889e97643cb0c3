"""A called campaign: nothing is issued before two officers accept a pledge, nothing is called before it is converted, and
nobody is paid for it before the company has paid.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.fund.books_service import balance_rows, load_entries
from node.fund.due_payment_service import Wait
from node.fund.dues import count_covered
from node.fund.fund_errors import DecisionRefused, PledgeRefused
from node.fund.outgoing_payments import PledgeWords
from node.fund.pledge_service import CallRun, DeclinePledge, load_called, load_converted
from node.fund.pledges import PledgeState, choose_month
from node.fund.receipt_service import IssueReceipt
from node.fund.statement_service import Decide
from protocol.amounts import Cents
from protocol.errors import IdMismatch
from protocol.house import (
    BaseName,
    Deposit,
    DueSettled,
    DueState,
    DueTaken,
    ExpectPayment,
    PaymentArrived,
    PaymentCalled,
    PledgeAccepted,
    PledgeEnded,
    PledgeSpent,
    Refused,
)
from protocol.identifiers import Id16
from tests.fund.dues_world import (
    LETTER,
    accept,
    answers,
    ask_pledge,
    find_after,
    fund_lot,
    make_due,
    make_order,
    make_pledge,
    order_and_confirm,
    owe,
    parts,
    pay,
    proposals,
)
from tests.fund.fund_world import COMPANY, SETTINGS, FundWorld

DECEMBER, JANUARY = date(2026, 12, 2), date(2027, 1, 3)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[FundWorld]:
    """A fund on files. After every test its own checks find nothing."""
    made = FundWorld(lambda name: f"sqlite:///{tmp_path / name}.db")
    yield made
    wrongs = made.find_wrongs()
    made.close()
    assert wrongs == []


def promised(world: FundWorld) -> int:
    """Return what stands on 802: commitments received."""
    rows = [
        row
        for day in (date(2026, 12, 31), date(2027, 12, 31))
        for row in balance_rows(world.book.read_now(lambda line, day=day: load_entries(line, SETTINGS.year_of(day))))
    ]
    return sum(row.debit - row.credit for row in rows if row.account.startswith("802"))


def call(world: FundWorld, day: date) -> CallRun:
    run: CallRun = world.write(world.fund.pledges.catch_up, day)
    return run


def told_of(world: FundWorld, kind: type) -> list[object]:
    return [one for one in answers(world, BaseName.PARTNERS) if isinstance(one, kind)]


async def test_two_officers_accept_a_pledge_and_its_lot_is_issued_and_told(world: FundWorld) -> None:
    pledge = await ask_pledge(world, 50_000)
    assert (world.issued(), promised(world)) == (0, 0)
    lot = await accept(world, pledge)
    assert (world.issued(), promised(world)) == (50_000, 50_000)
    (issue,) = [one for one in answers(world, BaseName.ACCOUNTS) if isinstance(one, Deposit)]
    assert (issue.lot_class, issue.cents, issue.into, issue.campaign) == (17, 50_000, world.pool, "called bread")
    assert told_of(world, PledgeAccepted) == [PledgeAccepted(pledge.id)]
    world.tell(pledge)
    await world.settle()
    assert told_of(world, PledgeAccepted) == [PledgeAccepted(pledge.id)] * 2, "asked again, answered as before"
    assert len(lot) == 16
    assert world.issued() == 50_000


async def test_one_officer_twice_or_over_other_words_accepts_nothing(world: FundWorld) -> None:
    pledge = await ask_pledge(world, 50_000)
    words = world.book.read_now(lambda line: world.fund.pledges.make_words(line, Id16(pledge.id), LETTER))
    world.officer("anne")
    world.officer("bob")
    for _ in range(2):
        assert world.write(world.fund.pledges.sign, world.sign("anne", words)) is PledgeState.ASKED
    told = {name: getattr(words, name) for name in words.__struct_fields__}
    for wrong in ({"cents": 60_000}, {"letter": b"l" * 32}, {"until": 20280101}):
        with pytest.raises(IdMismatch):
            world.write(world.fund.pledges.sign, world.sign("bob", PledgeWords(**told | wrong)))
    with pytest.raises(PledgeRefused):
        world.book.read_now(lambda line: world.fund.pledges.make_words(line, Id16(pledge.id), b"short"))
    assert world.issued() == 0
    decline = DeclinePledge(id=Id16(pledge.id), by="anne", reason="no letter")
    for _ in range(2):
        assert world.write(world.fund.pledges.decline, decline) is PledgeState.REFUSED
    with pytest.raises(PledgeRefused):
        world.write(world.fund.pledges.sign, world.sign("bob", words))
    await world.settle()
    assert told_of(world, Refused) == [Refused(pledge.id, "pledge_refused")]
    assert world.issued() == 0


async def test_what_is_no_pledge_is_refused(world: FundWorld) -> None:
    first = await ask_pledge(world, 50_000)
    for wrong in (
        {"lot_class": 1},
        {"until": 20260101},
        {"donor": world.id()},
        {},  # a second one for the same campaign
        {"id": first.id, "cents": 1, "campaign": "called bread"},
    ):
        pledge = make_pledge(world, **{"cents": 60_000} | wrong)
        world.tell(pledge)
        await world.settle()
        code = "id_mismatch" if pledge.id == first.id else "pledge_refused"
        assert answers(world, BaseName.PARTNERS)[-1] == Refused(pledge.id, code)
    expected = ExpectPayment(world.id(), COMPANY, "bread", 17, "", world.pool, 100, 20261231)
    world.tell(expected)
    await world.settle()
    assert answers(world, BaseName.PARTNERS)[-1] == Refused(expected.id, "pledge_refused"), (
        "no payment issues called lots"
    )
    strange = make_pledge(world, 100)
    world.tell(strange, sender=BaseName.ACCOUNTS)
    world.tell(make_pledge(world, 100, into="00000000", campaign="nowhere"))
    await world.settle()


async def test_a_pool_that_the_accounts_do_not_know_undoes_the_pledge(world: FundWorld) -> None:
    pledge = await ask_pledge(world, 50_000, into="7777777N")
    with pytest.raises(TypeError):
        await accept(world, pledge)  # there is no lot
    assert promised(world) == 0
    assert told_of(world, Refused) == [Refused(pledge.id, "account_unknown")]


async def test_what_was_converted_in_a_month_is_called_once_and_paid_before_the_bearer(world: FundWorld) -> None:
    pledge = await ask_pledge(world, 50_000)
    lot = await accept(world, pledge)
    prefunded = await fund_lot(world, 1_000)
    due = make_due(world, (lot, 3_000), (prefunded, 400))
    assert await owe(world, due) == DueTaken(due.id)
    second = make_due(world, (lot, 2_000), order=make_order(round=2))
    await owe(world, second)
    assert [(one.waits_for, one.cents) for one in parts(world)] == [
        (Wait.CALL, 3_000),
        (Wait.NOTHING, 400),
        (Wait.CALL, 2_000),
    ]
    (at_once,) = proposals(world)
    assert (at_once.share, at_once.cents) == ("prefunded", 400), "what was paid in is not kept waiting"
    assert call(world, date(2026, 11, 30)) == CallRun(calls=0, cents=0), "the month is not over"
    assert call(world, DECEMBER) == CallRun(calls=1, cents=5_000)
    assert call(world, DECEMBER) == CallRun(calls=0, cents=0), "run twice is run once"
    await world.settle()
    (told,) = told_of(world, PaymentCalled)
    assert isinstance(told, PaymentCalled)
    assert (told.month, told.cents, told.pledges, told.parts) == (202611, 5_000, (pledge.id,), (5_000,))
    assert promised(world) == 50_000
    # The company pays a part: the oldest due that it covers whole is payable, the other waits.
    world.take(world.statement(world.paid(3_500, reference=told.reference)))
    assert promised(world) == 46_500
    assert [one.waits_for for one in parts(world)] == [Wait.NOTHING, Wait.NOTHING, Wait.DONOR]
    called = next(words for words in proposals(world) if words.share == "called")
    assert (called.cents, called.dues) == (3_000, ((due.id, 3_000),))
    pay(world, at_once)
    pay(world, called)
    order_and_confirm(world, [at_once, called])
    settled = [one for one in answers(world, BaseName.ACCOUNTS) if isinstance(one, DueSettled)]
    assert [(one.id, one.state, one.cents) for one in settled] == [(due.id, DueState.PAID, 3_400)], "both parts"
    world.take(world.statement(world.paid(1_500, reference=told.reference)))
    await world.settle()
    arrived = [one for one in told_of(world, PaymentArrived) if getattr(one, "id", None) == told.id]
    assert [getattr(one, "cents", 0) for one in arrived] == [3_500, 1_500]
    (last,) = proposals(world)
    assert last.cents == 2_000
    asked = IssueReceipt(donor=COMPANY, first_on=date(2026, 1, 1), last_on=date(2026, 12, 31))
    assert world.write(world.fund.receipts.issue, asked).receipt.cents == 6_000, "a receipt for euros, not for a pledge"


async def test_nobody_pays_or_is_called_more_than_was_pledged(world: FundWorld) -> None:
    lot = await accept(world, await ask_pledge(world, 1_000))
    await owe(world, make_due(world, (lot, 800)))
    beyond = make_due(world, (lot, 201), order=make_order(round=2))
    assert await owe(world, beyond) == Refused(beyond.id, "lot_spent")
    call(world, DECEMBER)
    (told,) = [one for one in answers(world, BaseName.PARTNERS) if isinstance(one, PaymentCalled)]
    (waiting,) = world.take(world.statement(world.paid(1_000, reference=told.reference))).waiting
    assert promised(world) == 200, "the rest waits for a person"
    decide = Decide(movement=waiting, by="anne", expectation=Id16(told.id))
    with pytest.raises(DecisionRefused):
        world.write(world.fund.statements.decide, decide)


async def test_at_the_end_what_was_not_given_is_released_and_what_was_is_still_called(world: FundWorld) -> None:
    pledge = await ask_pledge(world, 10_000)
    lot = await accept(world, pledge)
    await owe(world, make_due(world, (lot, 3_000)))
    spent = PledgeSpent(world.id(), pledge.id, 7_000)
    world.tell(spent)
    world.tell(spent)
    world.tell(PledgeSpent(world.id(), pledge.id, 2_999))  # less than was converted
    await world.settle()
    assert told_of(world, PledgeEnded) == [PledgeEnded(spent.id, 3_000, 4_000)] * 2
    assert promised(world) == 7_000
    beyond = make_due(world, (lot, 4_001), order=make_order(round=2))
    assert await owe(world, beyond) == Refused(beyond.id, "lot_spent"), "what was not given is no right of anybody"
    world.tell(PledgeSpent(world.id(), pledge.id, 7_500))  # a till that was offline told of a sale
    await world.settle()
    assert promised(world) == 7_500
    await owe(world, make_due(world, (lot, 4_500), order=make_order(round=3)))
    assert call(world, JANUARY).cents == 7_500
    converted, called = world.book.read_now(lambda line: (load_converted(line), load_called(line)))
    assert converted == called == {pledge.id: 7_500}


async def test_after_days_off_each_month_has_its_call_and_a_late_part_the_last(world: FundWorld) -> None:
    lot = await accept(world, await ask_pledge(world, 10_000))
    await owe(world, make_due(world, (lot, 100)))
    world.later(31)
    await owe(world, make_due(world, (lot, 20), order=make_order(round=2)))
    assert call(world, date(2027, 2, 1)) == CallRun(calls=2, cents=120)
    months = [one.month for one in told_of(world, PaymentCalled) if isinstance(one, PaymentCalled)]
    assert sorted(months) == [202611, 202612]


CHANGES = (
    "UPDATE pledges SET letter = x'00'",
    "UPDATE pledges SET state = 'ended', given = 500",
    "DELETE FROM pledge_signatures",
    "UPDATE due_lots SET call = NULL",
    "UPDATE calls SET month = 202610",
    "UPDATE pledges SET lot_ref = x'00112233445566778899aabbccddeeff'",
    "UPDATE pledges SET state = 'refused', code = 'x', lot_ref = NULL",
)


async def test_what_is_changed_by_hand_is_found(world: FundWorld) -> None:
    lot = await accept(world, await ask_pledge(world, 1_000))
    await owe(world, make_due(world, (lot, 800)))
    call(world, DECEMBER)
    for change in CHANGES:
        wrongs = find_after(world, change)
        assert [one for one in wrongs if one.place.split(" ")[0] in ("pledge", "call", "lot")], change


@given(st.lists(st.integers(1, 50), max_size=8), st.integers(0, 200))
def test_of_a_call_the_first_parts_are_paid_whole_as_far_as_the_euros_reach(told: list[int], received: int) -> None:
    count = count_covered([Cents(cents) for cents in told], Cents(received))
    assert sum(told[:count]) <= received
    assert count == len(told) or sum(told[: count + 1]) > received


@pytest.mark.parametrize(
    ("converted", "called", "month"),
    [(202611, set(), 202611), (202611, {202611}, 202612), (202611, {202611, 202612}, None), (202701, set(), None)],
)
def test_a_month_is_called_once_after_its_end(converted: int, called: set[int], month: int | None) -> None:
    assert choose_month(converted, date(2027, 1, 3), frozenset(called)) == month
