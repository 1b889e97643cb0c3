"""A fund's life at random: whatever comes, in whatever order, its base adds up and its file of entries has no fault."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from node.fund.books_service import balance_rows, load_entries
from node.fund.chart import JournalRole
from node.fund.chart_store import load_chart
from node.fund.days import day_at, day_of
from node.fund.debit_service import ChangeMandate, load_mandates
from node.fund.deposit_service import load_deposits
from node.fund.expectations import ExpectationState
from node.fund.fec import write_fec
from node.fund.fec_checks import check_fec
from node.fund.monthly_gifts import MandateState
from node.fund.outgoing_payments import PaymentState
from node.fund.payment_service import load_payments
from node.fund.payment_status import PaymentState as BankState
from node.fund.payment_status import StatusReport, Verdict
from node.fund.receipt_service import CancelReceipt, IssueReceipt, load_all_issued
from node.fund.reminder_service import Close
from node.fund.statement_service import Decide, load_waiting
from node.fund.tables import debits, entries
from protocol.amounts import Cents
from protocol.errors import Refusal
from protocol.identifiers import Id16
from protocol.times import Instant
from tests.fund.camt_files import Detail, Entry
from tests.fund.fund_world import COMPANY, SETTINGS, FundWorld

STEPS = 90


class Life:
    """What may happen to a fund, one thing at a time."""

    def __init__(self, world: FundWorld, seed: int) -> None:
        self.world = world
        self.dice = random.Random(seed)
        self.bearer = world.bearer()
        self.donors: list[Id16] = []
        self.met: set[str] = set()

    @property
    def today(self) -> date:
        return day_at(Instant(self.world.now))

    async def step(self) -> None:
        deeds: list[Callable[[], object]] = [
            self.announce,
            self.statement,
            self.statement,
            self.statement,
            self.decide,
            self.pay,
            self.order,
            self.report,
            self.receipt,
            self.cancel_receipt,
            self.cancel_payment,
            self.night,
            self.night,
            self.sign_mandate,
            self.change_mandate,
            self.collect,
            self.collect,
            self.refund,
            self.remind,
            self.close,
            self.receipt_of_citizen,
        ]
        deed = self.dice.choice(deeds)
        with contextlib.suppress(Refusal, IndexError):  # nothing to choose from yet
            told = deed()
            if told is not None:
                await told  # type: ignore[misc]
            self.met.add(deed.__name__)

    async def announce(self) -> None:
        await self.world.expect(self.dice.randint(1, 10**6))

    def _entry(self) -> Entry:
        world, dice = self.world, self.dice
        known = world.expectations()
        kind = dice.choice(
            [
                "paid",
                "paid",
                "odd",
                "unknown",
                "fee",
                "transfer",
                "transfer",
                "back",
                "batch",
                "debit",
                "debit",
                "return",
            ]
        )
        day = (self.today - timedelta(days=dice.randint(0, 2))).isoformat()
        made = Entry(cents=-dice.randint(1, 500), bank_reference=world.entropy(5).hex())
        if kind in ("paid", "odd", "batch") and known:
            one = dice.choice(known)
            cents = int(one.left or one.cents) + (dice.randint(-5, 5) if kind == "odd" else 0)
            made = world.paid(max(1, cents), reference=one.reference)
            if kind == "batch":
                made.details += [Detail(cents=7, bank_reference=world.entropy(5).hex(), text="x")]
                made.cents += 7
        elif kind == "unknown":
            made = world.paid(dice.randint(1, 10**5), text="loyer")
        elif kind in ("transfer", "back"):
            sent = [row for row in world.book.read_now(load_payments) if row.order_id]
            if sent:
                row = dice.choice(sent)
                cents = row.cents if kind == "back" else -row.cents
                reason = "AC04" if kind == "back" else ""
                made = Entry(
                    cents=cents,
                    details=[
                        Detail(
                            cents=cents,
                            end_to_end_id=row.end_to_end_id,
                            reason=reason,
                            bank_reference=world.entropy(5).hex(),
                        )
                    ],
                )
        elif kind in ("debit", "return"):
            sent = self.debits()
            if sent:
                made = self._debit_entry(dice.choice(sent), kind)
        made.day = day
        if dice.random() < 0.1:
            made.state = "PDNG"
        return made

    def debits(self) -> list[Any]:
        return self.world.book.read_now(
            lambda line: list(line.execute(select(debits).where(debits.c.batch_id != "")).all())
        )

    def _debit_entry(self, row: Any, kind: str) -> Entry:
        """Return the credit of a debit or of its whole batch, or its return, now and then with the bank's fee."""
        world, dice = self.world, self.dice
        if kind == "debit" and dice.random() < 0.5:
            cents = sum(one.cents for one in self.debits() if one.batch_id == row.batch_id)
            return Entry(cents=cents, bank_reference=world.entropy(5).hex(), group=row.batch_id)
        cents, reason = row.cents, ""
        if kind == "return":
            cents, reason = -row.cents - dice.choice([0, 0, 300]), "MD06"
        detail = Detail(
            cents=cents, end_to_end_id=row.end_to_end_id, reason=reason, bank_reference=world.entropy(5).hex()
        )
        return Entry(cents=cents, details=[detail])

    def sign_mandate(self) -> None:
        shares = {f"projet {number}": self.dice.randint(1, 5_000) for number in range(self.dice.randint(1, 3))}
        self.donors.append(self.world.person(f"Le Bris {len(self.donors)}"))
        self.world.mandate(self.donors[-1], **shares)

    def change_mandate(self) -> None:
        held = self.world.book.read_now(load_mandates)
        if held:
            asked = ChangeMandate(id=Id16(bytes(self.dice.choice(held).id)), state=self.dice.choice(list(MandateState)))
            self.world.write(self.world.fund.debits.change_mandates, asked)

    def collect(self) -> None:
        self.world.catch_up(self.today)
        again = self.world.catch_up(self.today)
        assert (again.announced, again.ordered, again.left_out) == ([], [], [])

    def refund(self) -> None:
        waiting: list[Any] = [row for row in self.world.book.read_now(load_waiting) if row.waiting > 0]  # type: ignore[attr-defined]
        if not waiting:
            return
        row, desk = self.dice.choice(waiting), self.world.fund.payments
        cents = Cents(self.dice.randint(1, row.waiting))
        words = self.world.book.read_now(
            lambda line: desk.make_refund_words(line, self.world.id(), row.id, cents, "Trop-perçu", "comité")
        )
        for name in ("anne", "bob"):
            if name not in self.world.officers:
                self.world.officer(name)
            self.world.write(desk.sign, self.world.sign(name, words))

    def remind(self) -> None:
        self.world.write(self.world.fund.reminders.remind, self.dice.choice(self.world.expectations()).id)

    def close(self) -> None:
        one = self.dice.choice(self.world.expectations())
        self.world.write(self.world.fund.reminders.close, Close(id=one.id, by="anne", reason="wound up"))

    def receipt_of_citizen(self) -> None:
        asked = IssueReceipt(donor=self.dice.choice(self.donors), first_on=date(2026, 1, 1), last_on=self.today)
        self.world.write(self.world.fund.receipts.issue, asked)

    async def statement(self) -> None:
        file = self.world.statement(*[self._entry() for _ in range(self.dice.randint(0, 4))])
        self.world.take(file)
        if self.dice.random() < 0.3:
            assert self.world.take(file).new == 0
        if self.dice.random() < 0.5:
            await self.world.settle()

    def decide(self) -> None:
        waiting = self.world.book.read_now(load_waiting)
        if not waiting:
            return
        row = self.dice.choice(waiting)
        known = self.world.expectations()
        cents: int = row.waiting  # type: ignore[attr-defined]
        asked = Decide(movement=row.id, by="anne", reason="known", is_fee=cents < 0)  # type: ignore[attr-defined]
        if cents < 0 and row.end_to_end_id and self.dice.random() < 0.7:  # type: ignore[attr-defined]
            asked = Decide(movement=row.id, by="anne", debit=row.end_to_end_id)  # type: ignore[attr-defined]
        if cents > 0 and known and self.dice.random() < 0.7:
            part = Cents(self.dice.randint(1, cents))
            asked = Decide(
                movement=row.id,  # type: ignore[attr-defined]
                by="bob",
                expectation=self.dice.choice(known).id,
                cents=part,
            )
        self.world.write(self.world.fund.statements.decide, asked)

    def pay(self) -> None:
        self.world.pay(self.bearer, self.dice.randint(1, 10**5))

    def order(self) -> None:
        self.world.write(self.world.fund.payments.order, self.today)

    def report(self) -> None:
        sent = [row for row in self.world.book.read_now(load_payments) if row.state == PaymentState.ORDERED]
        if sent:
            row = self.dice.choice(sent)
            verdict = Verdict(state=BankState.REJECTED, code="RJCT", reason="AC01")
            told = StatusReport(message_id=row.order_id, whole=None, groups={}, payments={row.end_to_end_id: verdict})
            assert self.world.write(self.world.fund.payments.take_report, told) == 1

    def receipt(self) -> None:
        asked = IssueReceipt(donor=COMPANY, first_on=date(2026, 1, 1), last_on=self.today)
        self.world.write(self.world.fund.receipts.issue, asked)

    def cancel_receipt(self) -> None:
        held = self.world.book.read_now(load_all_issued)
        if held:
            number = str(self.dice.choice(held).receipt.number)
            self.world.write(self.world.fund.receipts.cancel, CancelReceipt(number=number, reason="wrong"))

    def cancel_payment(self) -> None:
        held = self.world.book.read_now(load_payments)
        if held:
            self.world.write(self.world.fund.payments.cancel, Id16(bytes(self.dice.choice(held).id)))

    def night(self) -> None:
        self.world.later(self.dice.choice([0.5, 1, 3, 20]))


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_happens_the_base_adds_up(tmp_path: Path, seed: int) -> None:
    world = FundWorld(lambda name: f"sqlite:///{tmp_path / name}.db")
    life = Life(world, seed)
    for number in range(STEPS):
        await life.step()
        if number % 10 == 9:
            assert world.find_wrongs() == [], f"after step {number}"
    await world.settle()
    assert world.find_wrongs() == []
    told = world.book.read_now(load_deposits)
    assert world.issued() == sum(row.cents for row in told if row.debit is None)
    assert {row.state for row in told if row.debit is None} <= {"issued"}
    assert {row.state for row in told if row.debit is not None} <= {"gift", "undone"}
    by_month = world.book.read_now(lambda line: line.execute(select(debits.c.mandate, debits.c.month)).all())
    assert len(set(by_month)) == len(by_month), "a mandate has one debit a month"
    for one in world.expectations():
        if one.state is ExpectationState.CLOSED:
            continue
        assert (one.state is ExpectationState.PAID) is (one.received >= one.cents)
    years = {day_of(row[0]) for row in world.book.read_now(lambda line: line.execute(select(entries.c.year)).all())}
    for closing in sorted(years):
        year = SETTINGS.year_of(closing)
        chart = load_chart(year.first_on)
        written = world.book.read_now(lambda line, year=year: load_entries(line, year))
        file = write_fec(written, siren=SETTINGS.siren, year=year, chart=chart)
        opening = chart.journals[JournalRole.OPENING].code
        assert check_fec(file.name, file.content, siren=SETTINGS.siren, year=year, opening_journal=opening) == ()
        rows = balance_rows(written)
        assert sum(row.debit for row in rows) == sum(row.credit for row in rows)
    assert len(life.met) > 5
    world.close()
