"""Monthly gifts on real books: signed, announced, collected once a month, credited, taken back; and what is refused."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from lxml import etree

from node.fund.bank_parameters_store import load_bank_parameters
from node.fund.books_service import balance_rows, load_entries
from node.fund.debit_service import ChangeMandate, NewMandate, load_collections
from node.fund.deposit_service import load_deposits
from node.fund.fund_errors import (
    AppealNotAuthorised,
    DebitsNotFinal,
    DecisionRefused,
    MandateRefused,
    MandateStepRefused,
    NothingToReceipt,
)
from node.fund.monthly_gifts import CollectionState, DebitState, MandateState, choose_month, write_shares
from node.fund.payment_schema_store import require_schema
from node.fund.payment_status import PaymentState as BankState
from node.fund.payment_status import StatusReport, Verdict
from node.fund.receipt_service import IssueReceipt, load_all_issued
from node.fund.references import Iban
from node.fund.service import Fund
from node.fund.statement_service import Decide
from protocol.amounts import Cents
from protocol.errors import IdMismatch
from protocol.identifiers import Id16
from tests.fund.camt_files import Detail, Entry
from tests.fund.fund_world import BEARER_IBAN, SETTINGS, FundWorld

PARAMETERS = load_bank_parameters(date(2026, 11, 25))
RULES = {"rules": PARAMETERS.debit_rules, "calendar": PARAMETERS.calendar}
ORDER_DAY = date(2026, 12, 3)


def collected(world: FundWorld, *mandates: Any) -> list[Any]:
    """Announce and order December's collection; return its debits."""
    world.catch_up()
    world.catch_up(ORDER_DAY)
    return world.debits(202612)


def credit(debit: Any, **how: Any) -> Entry:
    detail = Detail(cents=debit.cents, end_to_end_id=debit.end_to_end_id, bank_reference=debit.end_to_end_id[2:12])
    return Entry(cents=debit.cents, details=[detail], day="2026-12-09", **how)


def back(debit: Any, *, fee: int = 0, day: str = "2026-12-14") -> Entry:
    cents = -debit.cents - fee
    detail = Detail(cents=cents, end_to_end_id=debit.end_to_end_id, reason="AM04", bank_reference=f"R{debit.no}{day}")
    return Entry(cents=cents, details=[detail], day=day)


def gifts_of(world: FundWorld) -> int:
    """Return what stands on the account of gifts of 2026."""
    year = SETTINGS.year_of(date(2026, 12, 1))
    rows = balance_rows(world.book.read_now(lambda line: load_entries(line, year)))
    return sum(row.credit - row.debit for row in rows if row.account.startswith("75411"))


# ---------------------------------------------------------------- what is signed


async def test_one_debit_a_month_carries_all_projects_however_often_the_job_runs(world: FundWorld) -> None:
    first, second = world.mandate(), world.mandate(Jardins=1_000)
    assert world.catch_up().announced == [202612]
    assert world.catch_up().announced == []
    (collection,) = world.book.read_now(load_collections)
    assert (collection.state, collection.collected_on) == ("announced", 20261209), "fourteen days of notice"
    assert world.catch_up(date(2026, 12, 1)).ordered == []
    assert world.catch_up(ORDER_DAY).ordered == [202612]
    assert world.catch_up(ORDER_DAY).ordered == []
    (collection,) = world.book.read_now(load_collections)
    require_schema(bytes(collection.body), "pain.008.001.08")
    tree = etree.fromstring(bytes(collection.body))
    assert sorted(one.text for one in tree.iterfind(".//{*}InstdAmt")) == ["10.00", "7.50"]
    assert {one.text for one in tree.iterfind(".//{*}MndtId")} == {first.umr, second.umr}
    assert [one.text for one in tree.iterfind(".//{*}SeqTp")] == ["FRST"]
    assert [(row.cents, row.state) for row in world.debits(202612)] == [(750, "ordered"), (1_000, "ordered")]


async def test_the_next_month_is_recurrent_and_days_off_are_caught_up_without_a_second_debit(world: FundWorld) -> None:
    world.mandate()
    (debit,) = collected(world)
    world.take(world.statement(credit(debit)))
    # Off from December to the middle of January: January's notice can still be given, December is not made up for.
    assert world.catch_up(date(2027, 1, 14)).announced == [202701]
    run = world.catch_up(date(2027, 1, 27))
    assert (run.ordered, run.announced) == ([202701], [202702])
    rows = world.book.read_now(load_collections)
    assert [row.month for row in rows] == [202612, 202701, 202702]
    assert b"RCUR" in rows[1].body
    # Off for a whole quarter: what was announced and never given to the bank is left out.
    assert world.catch_up(date(2027, 5, 27)).left_out == [202702]
    assert world.debits(202702)[0].state == DebitState.DROPPED


async def test_who_pauses_before_the_order_is_not_debited_and_who_ended_never_again(world: FundWorld) -> None:
    one, two = world.mandate(), world.mandate()
    change = world.fund.debits.change_mandates
    world.catch_up()
    world.write(change, ChangeMandate(id=Id16(bytes(one.id)), state=MandateState.PAUSED))
    world.catch_up(ORDER_DAY)
    assert [(row.state, row.code) for row in world.debits(202612)] == [("dropped", "paused"), ("ordered", "")]
    world.write(change, ChangeMandate(id=Id16(bytes(one.id)), state=MandateState.ACTIVE))
    world.write(change, ChangeMandate(id=Id16(bytes(two.id)), state=MandateState.ENDED))
    with pytest.raises(MandateStepRefused):
        world.write(change, ChangeMandate(id=Id16(bytes(two.id)), state=MandateState.ACTIVE))
    world.catch_up(date(2026, 12, 20))
    assert [row.umr for row in world.debits(202701)] == [one.umr]


async def test_where_nobody_is_left_to_debit_no_message_is_written(world: FundWorld) -> None:
    one = world.mandate()
    world.catch_up()
    world.write(world.fund.debits.change_mandates, ChangeMandate(id=Id16(bytes(one.id)), state=MandateState.ENDED))
    assert world.catch_up(ORDER_DAY).left_out == [202612]
    (collection,) = world.book.read_now(load_collections)
    assert (collection.state, collection.body) == (CollectionState.LEFT_OUT, None)


async def test_the_law_and_the_scheme_refuse_what_cannot_be_collected(world: FundWorld) -> None:
    donor = world.person()
    asked = NewMandate(
        id=world.id(),
        donor=donor,
        holder_name="S. Kerros",
        iban=Iban(BEARER_IBAN),
        signed_on=date(2026, 10, 3),
        shares=(("Jardins", Cents(500)),),
    )
    keep = world.fund.debits.keep_mandates
    kept = world.write(keep, asked)
    assert world.write(keep, asked).umr == kept.umr, "the same again is the same"
    with pytest.raises(IdMismatch):
        world.write(keep, NewMandate(**_fields(asked) | {"shares": (("Jardins", Cents(501)),)}))
    for wrong in ({"signed_on": date(2027, 1, 1)}, {"shares": ()}, {"umr": "no good umr"}):
        with pytest.raises(Exception, match=r"refused"):
            world.write(keep, NewMandate(**_fields(asked) | {"id": world.id()} | wrong))
    await world.expect(100)
    from tests.fund.fund_world import COMPANY

    with pytest.raises(MandateRefused):
        world.write(keep, NewMandate(**_fields(asked) | {"id": world.id(), "donor": COMPANY}))
    closed = Fund(msgspec.structs.replace(SETTINGS, takes_from_public=False), PARAMETERS, lambda *_: None, world.place)
    with pytest.raises(AppealNotAuthorised):
        world.write(closed.debits.keep_mandates, NewMandate(**_fields(asked) | {"id": world.id()}))
    world.fund = closed
    with pytest.raises(AppealNotAuthorised):
        world.gift(100, donor)
    assert closed.debits is not None
    assert world.catch_up().announced == [], "what was signed before waits for the authorisation too"


def _fields(asked: NewMandate) -> dict[str, Any]:
    return {name: getattr(asked, name) for name in asked.__slots__}


# ---------------------------------------------------------------- what the bank says


async def test_a_batch_told_as_one_sum_makes_a_gift_of_each_debit(world: FundWorld) -> None:
    donors = [world.person(name) for name in ("Kerros", "Le Bris")]
    for donor in donors:
        world.mandate(donor)
    rows = collected(world)
    batch = Entry(cents=1_500, bank_reference="BATCH", group=rows[0].batch_id, day="2026-12-09")
    taken = world.take(world.statement(batch))
    assert (taken.meanings, taken.waiting, taken.deposited) == ({"debit_collected": 1}, [], 1_500)
    told = world.book.read_now(load_deposits)
    assert [(bytes(row.donor), row.cents, row.received_on) for row in told] == [(one, 750, 20261209) for one in donors]
    assert gifts_of(world) == 1_500
    await world.settle()
    assert world.issued() == 0
    # The details come later, and change nothing.
    details = [Detail(cents=row.cents, end_to_end_id=row.end_to_end_id, bank_reference=f"D{row.no}") for row in rows]
    file = world.statement(
        Entry(cents=1_500, bank_reference="BATCH", details=details, day="2026-12-09"), message="camt.054.001.08"
    )
    world.balance -= 1_500
    world.take(file)
    assert len(world.book.read_now(load_deposits)) == 2


async def test_debits_told_one_by_one_and_another_sum_than_was_asked(world: FundWorld) -> None:
    world.mandate()
    world.mandate()
    one, two = collected(world)
    odd = credit(two)
    odd.cents = odd.details[0].cents = two.cents - 1
    taken = world.take(world.statement(credit(one), credit(one, bank_reference="again"), odd))
    assert taken.deposited == 750
    assert len(taken.waiting) == 2, "a debit is credited once, and to the cent"
    assert gifts_of(world) == 750


async def test_a_debit_that_is_taken_back_undoes_the_gift_and_cancels_its_receipt(world: FundWorld) -> None:
    donor = world.person()
    world.mandate(donor)
    (debit,) = collected(world)
    world.take(world.statement(credit(debit)))
    issue = world.fund.receipts.issue
    asked = IssueReceipt(donor=donor, first_on=date(2026, 1, 1), last_on=date(2026, 12, 31))
    with pytest.raises(DebitsNotFinal) as refusal:
        world.write(issue, asked)
    assert refusal.value.facts["until"] == "2027-02-03", "eight weeks"
    once = world.gift(300, donor)
    world.take(world.statement(world.paid(300, reference=once.reference)))
    world.later(71)
    receipt = world.write(issue, asked).receipt
    assert (receipt.cents, {one.means for one in receipt.payments}) == (1_050, {"direct_debit", "transfer"})
    taken = world.take(world.statement(back(debit, day="2027-03-01")))
    assert (taken.meanings, taken.waiting) == ({"debit_returned": 1}, [])
    (held,) = world.book.read_now(load_all_issued)
    assert held.state == "cancelled"
    assert "2027-03-01" in held.cancellation.reason  # type: ignore[union-attr]
    assert world.debits(202612)[0].state == DebitState.RETURNED
    again = world.write(issue, asked).receipt
    assert again.cents == 300, "what else it covered has a new receipt"
    with pytest.raises(NothingToReceipt):
        world.write(issue, asked)
    assert gifts_of(world) == 1_050, "undone in the year in which it was taken back"
    assert len(world.take(world.statement(back(debit, day="2027-03-02"))).waiting) == 1, "not twice"


async def test_a_return_with_the_banks_fee_waits_for_a_person(world: FundWorld) -> None:
    world.mandate()
    (debit,) = collected(world)
    world.take(world.statement(credit(debit)))
    (waiting,) = world.take(world.statement(back(debit, fee=320))).waiting
    decide = world.fund.statements.decide
    with pytest.raises(DecisionRefused):
        world.write(decide, Decide(movement=waiting, by="anne", debit="CMUNKNOWN"))
    world.write(decide, Decide(movement=waiting, by="anne", debit=debit.end_to_end_id))
    assert world.debits(202612)[0].state == DebitState.RETURNED
    world.write(decide, Decide(movement=waiting, by="anne", reason="fee", is_fee=True))
    assert gifts_of(world) == 0


async def test_what_the_banks_report_rejects_never_came_unless_the_statement_says_so(world: FundWorld) -> None:
    world.mandate()
    world.mandate()
    one, two = collected(world)
    verdict = Verdict(state=BankState.REJECTED, code="RJCT", reason="AC04")
    payments = {row.end_to_end_id: verdict for row in (one, two)}
    report = StatusReport(message_id="200046977-D-202612", whole=None, groups={}, payments=payments)
    assert world.write(world.fund.debits.take_report, report) == 2
    assert world.write(world.fund.debits.take_report, report) == 0
    world.take(world.statement(credit(two)))
    assert [(row.state, row.code) for row in world.debits(202612)] == [("rejected", "AC04"), ("collected", "")]


# ---------------------------------------------------------------- the rule of months


def test_each_month_is_announced_once_with_its_notice_whatever_the_day() -> None:
    """Whoever looks every day from any day on announces every month from the second on, on a day of that month."""
    for start in (date(2026, 11, 14), date(2026, 11, 30), date(2027, 2, 27)):
        last, seen = 0, []
        for number in range(400):
            today = start + timedelta(days=number)
            due = choose_month(today, last=last, gift_day=5, **RULES)  # type: ignore[arg-type]
            if due is not None:
                assert (due.collected_on - today).days >= 14
                assert due.collected_on.year * 100 + due.collected_on.month == due.month > last
                last = due.month
                seen.append(due.month)
        months = [year * 100 + month for year in (2026, 2027, 2028) for month in range(1, 13)]
        place = months.index(seen[0])
        assert seen == months[place : place + len(seen)]
        assert len(seen) >= 13


def test_shares_are_named_once_and_add_up() -> None:
    assert write_shares([("Été", Cents(5))]) == '[["Été", 5]]'
    for wrong in ([], [("a", Cents(1)), ("a", Cents(2))], [("", Cents(1))], [("a\nb", Cents(1))]):
        with pytest.raises(MandateRefused):
            write_shares(wrong)
