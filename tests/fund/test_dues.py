"""A conversion becomes one payment to the bearer that an order names: never without the order, twice, or beyond its lots."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from node.fund.bearer_parameters_store import ELIGIBLE, find_verdict
from node.fund.due_payment_service import Wait
from node.fund.due_service import Decider
from node.fund.fund_errors import DuesChanged, FundUnknown
from node.fund.outgoing_payments import WORDS_VERSION, IbanWords, PaymentState, end_to_end_id
from node.fund.payment_status import PaymentState as BankState
from node.fund.payment_status import StatusReport, Verdict
from node.fund.tables import bearers, payments
from node.governance.bearers import Verdict as Eligibility
from node.governance.bearers import find_rule
from node.governance.parameters_store import load_eligibility
from protocol.house import BaseName, DueSettled, DueState, DueTaken, Refused
from protocol.identifiers import Id16
from protocol.keys import make_keys
from tests.fund.camt_files import Detail, Entry
from tests.fund.dues_world import (
    GARDENS,
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
from tests.fund.fund_world import FundWorld

OTHER = "DE75512108001245126199"
QUIMPER = "242900660"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[FundWorld]:
    """A fund on files. After every test its own checks find nothing."""
    made = FundWorld(lambda name: f"sqlite:///{tmp_path / name}.db")
    yield made
    wrongs = made.find_wrongs()
    made.close()
    assert wrongs == []


def settlements(world: FundWorld) -> list[tuple[bytes, DueState, int]]:
    return [(one.id, one.state, one.cents) for one in answers(world, BaseName.ACCOUNTS) if isinstance(one, DueSettled)]


def rejecting(order: str) -> StatusReport:
    verdict = Verdict(state=BankState.REJECTED, code="RJCT", reason="AC04")
    return StatusReport(message_id=order, whole=verdict, groups={}, payments={})


async def test_a_due_is_taken_signed_by_two_paid_once_and_told(world: FundWorld) -> None:
    lot = await fund_lot(world, 10_000)
    due = make_due(world, (lot, 4_000), (lot, 1_500))
    assert await owe(world, due) == DueTaken(due.id)
    (words,) = proposals(world)
    assert (words.cents, words.dues, words.share) == (5_500, ((due.id, 5_500),), "prefunded")
    assert (words.holder_name, words.text) == ("Les Jardins du Ponant", "Jardins partagés")
    assert pay(world, words) is PaymentState.SIGNED
    assert proposals(world) == [], "what is signed is proposed no more"
    order_and_confirm(world, [words])
    assert settlements(world) == [(due.id, DueState.PAID, 5_500)]
    assert parts(world) == []
    assert await owe(world, due) == DueTaken(due.id), "told again, it is answered as before"
    assert proposals(world) == []


async def test_one_person_alone_or_twice_pays_nothing(world: FundWorld) -> None:
    lot = await fund_lot(world, 1_000)
    await owe(world, make_due(world, (lot, 1_000)))
    (words,) = proposals(world)
    world.officer("anne")
    for _ in range(2):
        assert world.write(world.fund.payments.sign, world.sign("anne", words)) is PaymentState.ASKED
    assert proposals(world) == [], "it is on somebody's desk"
    found = world.book.read_now(lambda line: world.fund.payments.make_due_words(line, Id16(words.id), today(world)))
    assert found == words, "the second officer signs the same"
    world.write(world.fund.payments.cancel, Id16(words.id))
    (again,) = proposals(world)
    assert (again.dues, again.id != words.id) == (words.dues, True), "what was cancelled stays owed, under another id"


BAD_ORDERS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"territory": QUIMPER}, "order_refused"),  # nobody decides there that we know of
    ({"payer": QUIMPER}, "order_refused"),
    ({"eligible_until": 20261101}, "bearer_not_eligible"),
    ({"iban": "FR1420041010050500013M02607"}, "invalid_iban"),
    ({"version": 3}, "order_refused"),
    ({"legal_category": "5710"}, "bearer_not_eligible"),  # a company
    ({"legal_category": "1000"}, "bearer_not_eligible"),  # a person
    ({"legal_category": "9210"}, "bearer_not_eligible"),  # an association that nobody declared
    ({"bearer": "853318458"}, "bearer_not_eligible"),  # nobody's SIREN
)


async def test_an_order_that_cannot_be_followed_is_refused_by_its_reason(world: FundWorld) -> None:
    lot = await fund_lot(world, 1_000)
    for change, code in BAD_ORDERS:
        due = make_due(world, (lot, 100), order=make_order(**change))
        for _ in range(2):
            assert await owe(world, due) == Refused(due.id, code)
    assert parts(world) == []


def test_the_fund_pays_the_very_categories_that_the_projects_let_through() -> None:
    rules = load_eligibility(20261128).categories
    for number in range(10_000):
        theirs = find_rule(f"{number:04d}", rules).verdict
        assert (find_verdict(f"{number:04d}", date(2026, 11, 28)) == ELIGIBLE) is (theirs is Eligibility.ELIGIBLE), (
            number
        )


async def test_what_is_not_signed_by_who_decides_is_refused(world: FundWorld) -> None:
    lot = await fund_lot(world, 1_000)
    due = make_due(world, (lot, 100), signer=make_keys(world.entropy(64)))
    assert await owe(world, due) == Refused(due.id, "order_refused")
    other = make_due(world, (lot, 100), order=make_order(project=b"another project."))
    bent = type(other)(other.id, other.territory, b"a project, open.", other.refs, other.cents, other.order)
    assert await owe(world, bent) == Refused(bent.id, "order_refused"), "the order names another project"


async def test_a_due_from_abroad_counts_once_its_decider_is_known(world: FundWorld) -> None:
    lot = await fund_lot(world, 1_000)
    there = make_keys(world.entropy(64))
    order = make_order(territory=QUIMPER)
    first = make_due(world, (lot, 100), order=order, signer=there)
    assert await owe(world, first) == Refused(first.id, "order_refused")
    world.write(world.fund.dues.add_deciders, Decider(territory=QUIMPER, keys=there.public))
    second = make_due(world, (lot, 100), order=order, signer=there)
    assert await owe(world, second) == DueTaken(second.id)
    assert world.write(world.fund.dues.revoke_deciders, (QUIMPER, there.public.id)) == 1
    third = make_due(world, (lot, 100), order=make_order(territory=QUIMPER, round=2), signer=there)
    assert await owe(world, third) == Refused(third.id, "order_refused"), "revoked: what was taken stands"
    (words,) = proposals(world)
    assert words.cents == 100
    world.write(world.fund.dues.add_deciders, Decider(territory=QUIMPER, keys=there.public))
    fourth = make_due(world, (lot, 50), order=make_order(territory=QUIMPER, round=3), signer=there)
    assert await owe(world, fourth) == DueTaken(fourth.id), "somebody added the card again: it decides again"


async def test_no_lot_is_converted_beyond_its_euros_and_none_that_is_not_ours(world: FundWorld) -> None:
    lot = await fund_lot(world, 1_000)
    await owe(world, make_due(world, (lot, 900)))
    second = make_due(world, (lot, 60), (lot, 60), order=make_order(round=2))
    assert await owe(world, second) == Refused(second.id, "lot_spent")
    strange = make_due(world, (lot, 50), (b"another's lot...", 50), order=make_order(round=2))
    assert await owe(world, strange) == Refused(strange.id, "lot_not_ours")
    last = make_due(world, (lot, 100), order=make_order(round=2))
    assert await owe(world, last) == DueTaken(last.id)
    assert [words.cents for words in proposals(world)] == [900, 100], "a payment for each round"


async def test_a_round_is_owed_once_whatever_the_accounts_say(world: FundWorld) -> None:
    lot = await fund_lot(world, 1_000)
    due = make_due(world, (lot, 100))
    await owe(world, due)
    again = make_due(world, (lot, 100))
    assert await owe(world, again) == Refused(again.id, "order_refused")
    bent = type(due)(due.id, due.territory, due.project, due.refs, (200,), due.order)
    assert await owe(world, bent) == Refused(due.id, "id_mismatch")


async def test_another_account_waits_for_two_officers_and_the_delay(world: FundWorld) -> None:
    lot = await fund_lot(world, 1_000)
    await owe(world, make_due(world, (lot, 100)))
    (words,) = proposals(world)
    pay(world, words)
    order_and_confirm(world, [words])
    await owe(world, make_due(world, (lot, 200), order=make_order(round=2, iban=OTHER)))
    assert [part.waits_for for part in parts(world)] == [Wait.ACCOUNT]
    assert proposals(world) == []
    change = IbanWords(WORDS_VERSION, "200046977", world.id(), words.bearer, words.holder_name, OTHER)
    for name in ("anne", "bob"):
        world.write(world.fund.bearers.change_ibans, world.sign(name, change))
    assert proposals(world) == [], "the delay is not over"
    world.later(3)

    def apply(page: Any, items: Any) -> list[int]:
        return [world.fund.bearers.apply_changes(page) for _ in items]

    assert world.write(apply, None) == 1
    (second,) = proposals(world)
    assert (second.iban, second.cents) == (OTHER, 200)


async def test_what_the_bank_rejects_or_sends_back_stays_owed_and_is_told(world: FundWorld) -> None:
    lot = await fund_lot(world, 1_000)
    due = make_due(world, (lot, 700))
    await owe(world, due)
    (first,) = proposals(world)
    pay(world, first)
    order = world.write(world.fund.payments.order, today(world))
    assert world.write(world.fund.payments.take_report, rejecting(order.id)) == 1
    assert settlements(world) == [(due.id, DueState.REJECTED, 700)]
    (second,) = proposals(world)
    assert second.dues == first.dues
    world.later(1)
    pay(world, second)
    order_and_confirm(world, [second])
    assert settlements(world)[-1] == (due.id, DueState.PAID, 700)
    id_ = end_to_end_id(second.id)
    back = Detail(cents=700, end_to_end_id=id_, reason="AC04", bank_reference="BACK")
    world.take(world.statement(Entry(cents=700, details=[back])))
    assert settlements(world)[-1] == (due.id, DueState.REJECTED, 700)
    (third,) = proposals(world)
    assert third.dues == first.dues, "what came back is owed again, under a third id"
    assert len({first.id, second.id, third.id}) == 3


async def test_a_rejected_payment_that_the_bank_confirms_late_never_pays_a_due_twice(world: FundWorld) -> None:
    lot = await fund_lot(world, 1_000)
    await owe(world, make_due(world, (lot, 700)))
    (first,) = proposals(world)
    pay(world, first)
    order = world.write(world.fund.payments.order, today(world))
    world.write(world.fund.payments.take_report, rejecting(order.id))
    (second,) = proposals(world)
    pay(world, second)
    order_and_confirm(world, [first])  # the bank carried the first out all the same
    states = world.book.read_now(
        lambda line: line.execute(select(payments.c.state).order_by(payments.c.number)).scalars().all()
    )
    assert states == [PaymentState.REJECTED, PaymentState.SIGNED]
    assert [state for _, state, _ in settlements(world)] == [DueState.REJECTED], "a person looks at what left"


async def test_words_that_were_changed_or_are_old_are_refused(world: FundWorld) -> None:
    lot = await fund_lot(world, 1_000)
    due = make_due(world, (lot, 700))
    await owe(world, due)
    (words,) = proposals(world)
    world.officer("anne")
    change = {name: getattr(words, name) for name in words.__struct_fields__}
    for wrong in ({"cents": 699}, {"dues": ((due.id, 600),), "cents": 600}, {"share": "called"}, {"dues": ()}):
        bent = type(words)(**change | wrong)
        with pytest.raises(DuesChanged):
            world.write(world.fund.payments.sign, world.sign("anne", bent))
    with pytest.raises(FundUnknown):
        world.book.read_now(lambda line: world.fund.payments.make_due_words(line, world.id(), date(2026, 11, 28)))


async def test_a_bearer_known_here_keeps_its_id_and_gets_the_longer_proof(world: FundWorld) -> None:
    lot = await fund_lot(world, 1_000)
    await owe(world, make_due(world, (lot, 100), order=make_order(eligible_until=20270101)))
    await owe(world, make_due(world, (lot, 100), order=make_order(round=2, eligible_until=20280101)))
    await owe(world, make_due(world, (lot, 100), order=make_order(round=3, eligible_until=20270601)))
    rows = world.book.read_now(lambda line: line.execute(select(bearers.c.registry, bearers.c.proven_until)).all())
    assert [tuple(row) for row in rows] == [(GARDENS, 20280101)]
    world.later(800)
    assert {part.waits_for for part in parts(world)} == {Wait.PROOF}
    assert proposals(world) == []


CHANGES = (
    "UPDATE due_lots SET cents = cents + 1",
    "UPDATE due_lots SET payment = NULL",
    "UPDATE dues SET round = 7",
    "UPDATE dues SET told = signed",
    "UPDATE dues SET cents = cents + 1",
    "UPDATE payments SET dues = x'92a0'",
    "UPDATE payments SET dues = x''",
    "DELETE FROM due_lots",
    "UPDATE bearers SET registry = '200046977'",
)


async def test_what_is_changed_by_hand_is_found(world: FundWorld) -> None:
    lot = await fund_lot(world, 1_000)
    await owe(world, make_due(world, (lot, 100)))
    (words,) = proposals(world)
    pay(world, words)
    order_and_confirm(world, [words])
    for change in CHANGES:
        wrongs = find_after(world, change)
        assert [one for one in wrongs if one.place.split(" ")[0] in ("due", "payment", "lot")], change
