"""What came in and belongs to nobody here goes back to its payer: two signatures, the same account, at most what waits."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest
from lxml import etree

from node.fund.books_service import balance_rows, load_entries
from node.fund.fund_errors import NothingToOrder, RefundRefused
from node.fund.outgoing_payments import PaymentState, RefundWords, end_to_end_id
from node.fund.payment_service import load_payments
from node.fund.payment_status import PaymentState as BankState
from node.fund.payment_status import StatusReport, Verdict
from node.fund.statement_service import Decide, load_waiting
from protocol.amounts import Cents
from protocol.identifiers import Id16
from tests.fund.camt_files import Detail, Entry
from tests.fund.fund_world import SETTINGS, THEIRS, FundWorld

DAY = date(2026, 11, 25)


@pytest.fixture(autouse=True)
def _officers(world: FundWorld) -> None:
    world.officer("anne")
    world.officer("bob")


def words(world: FundWorld, movement: str, cents: int | None = None) -> RefundWords:
    made = world.book.read_now(
        lambda line: world.fund.payments.make_refund_words(
            line, world.id(), movement, None if cents is None else Cents(cents), "Trop-perçu", "comité du 25/11"
        )
    )
    assert isinstance(made, RefundWords)
    return made


def sign(world: FundWorld, told: RefundWords) -> PaymentState:
    world.write(world.fund.payments.sign, world.sign("anne", told))
    state: PaymentState = world.write(world.fund.payments.sign, world.sign("bob", told))
    return state


async def overpaid(world: FundWorld) -> str:
    expectation = await world.expect(10_000)
    (waiting,) = world.take(world.statement(world.paid(10_500, reference=expectation.reference))).waiting
    return waiting


def leaving(told: RefundWords, *, sign: int = -1, reason: str = "") -> Entry:
    id_ = end_to_end_id(told.id)
    detail = Detail(cents=sign * told.cents, end_to_end_id=id_, reason=reason, bank_reference=f"{id_[:9]}{sign}")
    return Entry(cents=sign * told.cents, details=[detail])


def waits(world: FundWorld) -> list[int]:
    return [row.waiting for row in world.book.read_now(load_waiting)]  # type: ignore[attr-defined]


def standing(world: FundWorld) -> dict[str, int]:
    rows = balance_rows(world.book.read_now(lambda line: load_entries(line, SETTINGS.year_of(DAY))))
    found: dict[str, int] = {}
    for row in rows:
        found[row.account] = found.get(row.account, 0) + row.debit - row.credit
    return {number: cents for number, cents in found.items() if cents}


async def test_an_over_payment_goes_back_to_the_account_it_came_from(world: FundWorld) -> None:
    told = words(world, await overpaid(world))
    assert (told.cents, told.iban) == (500, THEIRS)
    assert sign(world, told) is PaymentState.SIGNED
    assert waits(world) == []
    assert standing(world)["4672"] == -500, "owed to the company that paid too much"
    order = world.write(world.fund.payments.order, DAY)
    tree = etree.fromstring(order.body)
    assert tree.findtext(".//{*}CdtrAcct//{*}IBAN") == THEIRS
    assert tree.findtext(".//{*}InstdAmt") == "5.00"
    taken = world.take(world.statement(leaving(told)))
    assert (taken.meanings, taken.waiting) == ({"transfer_left": 1}, [])
    assert standing(world) == {"512001": 10_000, "7542": -10_000}
    assert world.book.read_now(load_payments)[0].state == PaymentState.CONFIRMED


async def test_what_nobody_knows_goes_back_in_part_and_the_rest_waits_on(world: FundWorld) -> None:
    (movement,) = world.take(world.statement(world.paid(900, text="?"))).waiting
    told = words(world, movement, 400)
    sign(world, told)
    assert waits(world) == [500]
    with pytest.raises(RefundRefused):
        world.write(world.fund.payments.sign, world.sign("anne", words(world, movement, 501)))
    world.write(world.fund.payments.order, DAY)
    world.take(world.statement(leaving(told)))
    assert standing(world) == {"512001": 500, "471": -500}
    world.write(world.fund.statements.decide, Decide(movement=movement, by="anne", reason="lost"))
    assert waits(world) == []


async def test_another_account_more_than_waits_and_one_person_send_nothing(world: FundWorld) -> None:
    movement = await overpaid(world)
    told = words(world, movement)
    for other in ({"iban": "FR1420041010050500013M02606"}, {"holder_name": "ANNE"}, {"cents": 501}):
        with pytest.raises(RefundRefused):
            world.write(world.fund.payments.sign, world.sign("anne", msgspec.structs.replace(told, **other)))
    world.write(world.fund.payments.sign, world.sign("anne", told))
    with pytest.raises(NothingToOrder):
        world.write(world.fund.payments.order, DAY)
    # Somebody else used what waited between the two signatures: the second is refused.
    (expected,) = world.expectations()
    world.write(world.fund.statements.decide, Decide(movement=movement, by="bob", expectation=expected.id))
    with pytest.raises(RefundRefused):
        world.write(world.fund.payments.sign, world.sign("bob", told))
    (fee,) = world.take(world.statement(Entry(cents=-20, bank_reference="FEE"))).waiting
    with pytest.raises(RefundRefused):
        world.write(world.fund.payments.sign, world.sign("anne", words(world, fee, 20)))


@pytest.mark.parametrize("how", ["cancelled", "rejected", "returned"])
async def test_what_did_not_go_back_waits_again(world: FundWorld, how: str) -> None:
    movement = await overpaid(world)
    told = words(world, movement)
    sign(world, told)
    if how == "cancelled":
        world.write(world.fund.payments.cancel, Id16(told.id))
    else:
        order = world.write(world.fund.payments.order, DAY)
        if how == "rejected":
            verdict = Verdict(state=BankState.REJECTED, code="RJCT", reason="AC04")
            report = StatusReport(message_id=order.id, whole=verdict, groups={}, payments={})
            assert world.write(world.fund.payments.take_report, report) == 1
        else:
            world.take(world.statement(leaving(told)))
            back = world.take(world.statement(leaving(told, sign=1, reason="AC04")))
            assert (back.meanings, back.waiting) == ({"transfer_came_back": 1}, [])
    assert waits(world) == [500]
    assert standing(world) == {"512001": 10_500, "7542": -10_000, "471": -500}
    assert sign(world, words(world, movement)) is PaymentState.SIGNED, "another decision sends it again"


async def test_a_statement_is_believed_more_than_a_report_unless_the_money_is_used(world: FundWorld) -> None:
    movement = await overpaid(world)
    first, second = words(world, movement, 300), words(world, movement, 200)
    for told in (first, second):
        sign(world, told)
    order = world.write(world.fund.payments.order, DAY)
    verdict = Verdict(state=BankState.REJECTED, code="RJCT", reason="AC04")
    report = StatusReport(message_id=order.id, whole=verdict, groups={}, payments={})
    world.write(world.fund.payments.take_report, report)
    world.take(world.statement(leaving(first)))
    assert waits(world) == [200]
    (expected,) = world.expectations()
    world.write(world.fund.statements.decide, Decide(movement=movement, by="bob", expectation=expected.id))
    assert len(world.take(world.statement(leaving(second))).waiting) == 1, "it left all the same: a person looks"


async def test_a_payment_and_its_return_told_as_sums_first_are_booked_once(world: FundWorld) -> None:
    """Details of a sum that waited: an aid that left and came back, and a refund that did."""
    aid = world.pay(world.bearer(), 2_500)
    told = words(world, await overpaid(world))
    sign(world, told)
    world.write(world.fund.payments.order, DAY)

    def details(sign: int, reason: str) -> list[Detail]:
        return [
            Detail(cents=sign * cents, end_to_end_id=end_to_end_id(id_), reason=reason, bank_reference=f"{cents}{sign}")
            for id_, cents in ((aid.id, 2_500), (told.id, 500))
        ]

    for sign_, reason in ((-1, ""), (1, "AC04")):
        name = f"SUM{sign_}"
        whole: Any = Entry(cents=sign_ * 3_000, bank_reference=name)
        assert len(world.take(world.statement(whole)).waiting) == 1
        parts = Entry(cents=sign_ * 3_000, bank_reference=name, details=details(sign_, reason))
        file = world.statement(parts, message="camt.054.001.08")
        world.balance, world.statements = world.balance - sign_ * 3_000, world.statements - 1
        world.take(file)
        assert world.find_wrongs() == []
    assert waits(world) == [500]
    assert standing(world) == {"512001": 10_500, "7542": -10_000, "471": -500}
