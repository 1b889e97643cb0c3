"""Payments that did not come: two reminders with their days, letters in two languages, and an end to waiting."""

from __future__ import annotations

from datetime import date

import pytest

from node.fund.days import day_at, number_of
from node.fund.expectations import ExpectationState
from node.fund.fund_errors import ReminderRefused
from node.fund.letters import write_notice, write_reminder
from node.fund.reminder_service import Close, Overdue
from node.fund.statement_service import load_waiting
from protocol.house import ExpectationClosed
from protocol.times import Instant
from tests.fund.fund_world import OURS, FundWorld


def overdue(world: FundWorld) -> list[Overdue]:
    today = number_of(day_at(Instant(world.now)))
    return world.book.read_now(lambda line: world.fund.reminders.load_overdue(line, today))


async def test_two_reminders_each_after_its_days_and_once_a_day(world: FundWorld) -> None:
    expectation = await world.expect(10_000)  # due on 31 December
    other = await world.expect(500)
    assert overdue(world) == []
    world.later(40)  # 4 January
    assert [one.next_on for one in overdue(world)] == [20270115, 20270115]
    remind = world.fund.reminders.remind
    with pytest.raises(ReminderRefused) as refusal:
        world.write(remind, expectation.id)
    assert refusal.value.facts["reason"] == "not before 2027-01-15"
    world.later(11)
    assert world.write(remind, expectation.id).reminders == (20270115,)
    assert world.write(remind, expectation.id).reminders == (20270115,), "the same day is the same reminder"
    assert overdue(world)[0].next_on == 20270214
    world.later(30)
    assert world.write(remind, expectation.id).reminders == (20270115, 20270214)
    world.later(300)
    with pytest.raises(ReminderRefused):
        world.write(remind, expectation.id)
    # What is paid is asked for no more.
    world.take(world.statement(world.paid(500, reference=other.reference)))
    assert [one.expectation.id for one in overdue(world)] == [expectation.id]
    with pytest.raises(ReminderRefused):
        world.write(remind, other.id)


async def test_nobody_waits_for_what_is_closed_and_what_comes_all_the_same_goes_to_a_person(world: FundWorld) -> None:
    expectation = await world.expect(10_000)
    world.take(world.statement(world.paid(4_000, reference=expectation.reference)))
    close = world.fund.reminders.close
    asked = Close(id=expectation.id, by="anne", reason="the company was wound up")
    assert world.write(close, asked).state is ExpectationState.CLOSED
    world.later(1)
    assert world.write(close, asked).state is ExpectationState.CLOSED
    await world.settle()
    told = [one for one in world.heard if isinstance(one, ExpectationClosed)]
    assert told == [ExpectationClosed(expectation.id, 20261125)], "the companies hear of it once"
    world.later(60)
    assert overdue(world) == []
    world.take(world.statement(world.paid(6_000, reference=expectation.reference)))
    assert [row.waiting for row in world.book.read_now(load_waiting)] == [6_000]  # type: ignore[attr-defined]
    paid = await world.expect(5)
    world.take(world.statement(world.paid(5, reference=paid.reference)))
    with pytest.raises(ReminderRefused):
        world.write(close, Close(id=paid.id, by="anne", reason="x"))
    with pytest.raises(ReminderRefused):
        Close(id=paid.id, by="", reason="x")


def test_letters_say_sum_reference_and_account_in_the_reader_s_language() -> None:
    told = {
        "fund": "Fonds du Ponant",
        "holder": "FONDS DU PONANT",
        "iban": OURS,
        "reference": "RF18000000000001",
        "cents": 10_000,
        "received": 4_005,
        "due": date(2026, 12, 31),
    }
    first = write_reminder("fr", 1, before=None, **told)  # type: ignore[arg-type]
    assert "59,95 €" in first
    assert "RF18 0000 0000 0001" in first
    assert "FR76 3000 6000 0112 3456 7890 189" in first
    assert "31/12/2026" in first
    second = write_reminder("en", 2, before=date(2027, 1, 15), **told)  # type: ignore[arg-type]
    assert "59.95 €" in second
    assert "2027-01-15" in second
    notice = write_notice(
        "fr", fund="Fonds", creditor_id="FR72ZZZ123456", umr="M-1", iban=OURS, cents=750, on=date(2026, 12, 9)
    )
    assert "7,50 €" in notice
    assert "M-1" in notice
    assert OURS not in notice
    with pytest.raises(ReminderRefused):
        write_reminder("xx", 1, before=None, **told)  # type: ignore[arg-type]
