"""Payments that did not come: a first and a second reminder, kept in the base, and an end to waiting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from node.fund.days import day_at, day_of, number_of
from node.fund.expectation_service import load_expectation
from node.fund.expectations import DunningRule, Expectation, ExpectationState
from node.fund.fund_errors import ReminderRefused
from node.fund.seal_store import change
from node.fund.tables import donors, expectations, reminders
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.house import ExpectationClosed, HouseMessage
from protocol.identifiers import Id16

REASON_MAX = 200
Tell = Callable[[Page, str, Sequence[HouseMessage]], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """A payment past its due date. `next_on` (yyyymmdd): from when the next reminder may go out, or None."""

    expectation: Expectation
    donor_name: str
    reminders: tuple[int, ...]
    next_on: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Nobody waits for the rest any more. `by` and `reason` in a line."""

    id: Id16
    by: str
    reason: str

    def __post_init__(self) -> None:
        text = f"{self.by}: {self.reason}"
        if not self.by or not self.reason or len(text) > REASON_MAX or not text.isprintable():
            raise ReminderRefused(payment=self.id.hex(), reason="who closes it and why, in a line")


class ReminderDesk:
    """Asks again, and stops to ask."""

    def __init__(self, rule: DunningRule, tell: Tell) -> None:
        self._rule = rule
        self._tell = tell

    def load_overdue(self, connection: Connection, today: int) -> list[Overdue]:
        """Return open payments whose due day has passed, the longest overdue first."""
        rows = connection.execute(
            select(expectations.c.id, donors.c.name)
            .join(donors, donors.c.id == expectations.c.donor)
            .where(expectations.c.state == ExpectationState.OPEN, expectations.c.due < today)
            .order_by(expectations.c.due, expectations.c.number)
        ).all()
        return [self._load(connection, bytes(row.id), row.name) for row in rows]

    def _load(self, connection: Connection, id_: bytes, name: str) -> Overdue:
        expectation = load_expectation(connection, id_)
        sent = load_reminders(connection, id_)
        return Overdue(
            expectation=expectation,
            donor_name=name,
            reminders=sent,
            next_on=expectation.find_reminder_due(sent, self._rule),
        )

    def remind(self, page: Page, items: Sequence[Id16]) -> list[Overdue | Refusal]:
        """Note that the next reminder of a payment goes out today; asked again on the same day, it is the same."""
        results: list[Overdue | Refusal] = []
        for id_ in items:
            try:
                results.append(self._remind_one(page, id_))
            except Refusal as refusal:
                results.append(refusal)
        return results

    def _remind_one(self, page: Page, id_: Id16) -> Overdue:
        connection = page.connection
        today = number_of(day_at(page.now))
        told = self._load(connection, id_, "")
        shown = str(told.expectation.reference)
        if told.reminders and told.reminders[-1] == today:
            return told
        if told.next_on is None:
            raise ReminderRefused(payment=shown, reason="it is paid, closed, or was reminded of twice")
        if told.next_on > today:
            raise ReminderRefused(payment=shown, reason=f"not before {day_of(told.next_on).isoformat()}")
        connection.execute(insert(reminders).values(expectation=id_, rank=len(told.reminders) + 1, day=today))
        return self._load(connection, id_, "")

    def close(self, page: Page, items: Sequence[Close]) -> list[Expectation | Refusal]:
        """Stop to wait, and tell the base that announced the payment, in the same page.

        What comes all the same goes to a person; the same again is the same.
        """
        results: list[Expectation | Refusal] = []
        for asked in items:
            try:
                found = load_expectation(page.connection, asked.id)
                if found.state is ExpectationState.PAID:
                    raise ReminderRefused(payment=found.reference, reason="it is paid")
                if found.state is ExpectationState.OPEN:
                    change(
                        page.connection,
                        update(expectations)
                        .where(expectations.c.id == asked.id)
                        .values(state=ExpectationState.CLOSED, closed_by=f"{asked.by}: {asked.reason}"),
                    )
                    if found.asked_by:
                        closed = ExpectationClosed(found.id, number_of(day_at(page.now)))
                        self._tell(page, found.asked_by, [closed])
                results.append(load_expectation(page.connection, asked.id))
            except Refusal as refusal:
                results.append(refusal)
        return results


def load_reminders(connection: Connection, id_: bytes) -> tuple[int, ...]:
    """Return the days (yyyymmdd) on which a payment was reminded of."""
    rows: Sequence[Any] = (
        connection.execute(select(reminders.c.day).where(reminders.c.expectation == id_).order_by(reminders.c.rank))
        .scalars()
        .all()
    )
    return tuple(int(day) for day in rows)
