"""Declare a death or a dormancy, take it back within the term, and apply the rule after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from node.people import store, tables
from node.people.accounts_service import AccountDesk, list_living
from node.people.authority import Action, Purpose
from node.people.days import add_days, format_day, require_day
from node.people.declarations import (
    RULE_OF,
    DeclarationEvent,
    DeclarationKind,
    DeclarationState,
    advance,
)
from node.people.duties_service import DutyDesk
from node.people.errors import DeclarationStands, DeclarationUnknown
from node.people.journal_store import Journal
from node.people.requests import Declare, Look, Reverse
from node.people.room_service import Answer, Room
from node.people.rules import RuleName, find_pool
from protocol.book.worker import Page
from protocol.errors import InvalidTime, Refusal
from protocol.identifiers import Id16, format_id

_declarations = tables.declarations


class DeclarationDesk:
    """Operations for the book's writer, on declarations."""

    def __init__(self, room: Room, accounts: AccountDesk, duties: DutyDesk) -> None:
        self._room = room
        self._accounts = accounts
        self._duties = duties

    def look(self, page: Page, items: Sequence[Look]) -> list[list[dict[str, Any]] | Refusal]:
        """Return all declarations; the journal says who looked at the list."""

        def do(asked: Look) -> list[dict[str, Any]]:
            self._room.look(page, asked, Action.READ, None)
            return [write_declaration(row) for row in store.list_rows(page.connection, _declarations)]

        return self._room.each(page, items, do)

    def declare(self, page: Page, items: Sequence[Declare]) -> list[Answer | Refusal]:
        """Keep each declaration; of a death, the accounts are asked to let nothing move, and duties elsewhere end."""

        def do(asked: Declare) -> Answer:
            def work(journal: Journal) -> Answer:
                store.load_person(page.connection, asked.person)
                today = self._room.day(page.now)
                if require_day(asked.effective_on, "effective_on") > today:
                    raise InvalidTime(field="effective_on", reason="it is still to come")
                for row in store.list_rows(page.connection, _declarations, person=asked.person):
                    is_same = row.kind == asked.kind and row.state != DeclarationState.REVERSED
                    if is_same or (row.kind == DeclarationKind.DEATH and row.state != DeclarationState.REVERSED):
                        raise DeclarationStands(declaration=format_id(bytes(row.id)), state=row.state)
                until = add_days(today, int(store.load_rule(page.connection, RuleName.REVERSIBLE_DAYS)))
                values = {
                    "id": asked.id,
                    "person": asked.person,
                    "kind": str(asked.kind),
                    "effective_on": asked.effective_on,
                    "declared_on": today,
                    "declared_by": asked.by,
                    "reversible_until": until,
                    "state": str(DeclarationState.DECLARED),
                }
                journal.insert(_declarations, asked.person, values)
                if asked.kind is DeclarationKind.DEATH:
                    self._accounts.freeze(page, journal, asked.person, is_frozen=True)
                    self._duties.end_elsewhere(page, journal, asked.person)
                return {"declaration": format_id(asked.id), "reversible_until": format_day(until)}

            return self._room.once(page, asked, Action.DECLARE, asked.person, work)

        return self._room.each(page, items, do)

    def reverse(self, page: Page, items: Sequence[Reverse]) -> list[Answer | Refusal]:
        """Take each declaration back, while its term runs."""

        def do(asked: Reverse) -> Answer:
            def work(journal: Journal) -> Answer:
                row = store.find_row(page.connection, _declarations, id=asked.declaration)
                if row is None:
                    raise DeclarationUnknown(declaration=format_id(asked.declaration))
                self.take_back(page, journal, row)
                return {"declaration": format_id(asked.declaration), "state": str(DeclarationState.REVERSED)}

            return self._room.once(page, asked, Action.DECLARE, None, work)

        return self._room.each(page, items, do)

    def take_back(self, page: Page, journal: Journal, row: Row[Any]) -> None:
        """Raises DeclarationStands, TermOver."""
        today = self._room.day(page.now)
        after = advance(
            DeclarationState(row.state),
            DeclarationEvent.REVERSE,
            id_=Id16(bytes(row.id)),
            day=today,
            reversible_until=row.reversible_until,
        )
        journal.change(_declarations, row, bytes(row.person), state=str(after), ended_on=today)
        if row.kind == DeclarationKind.DEATH:
            self._accounts.freeze(page, journal, bytes(row.person), is_frozen=False)

    def settle(self, page: Page, items: Sequence[None]) -> list[int]:
        """Apply the rule to each declaration whose term is over; return how many. Run twice is run once."""
        today = self._room.day(page.now)
        due = page.connection.execute(
            select(_declarations)
            .where(_declarations.c.state == str(DeclarationState.DECLARED), _declarations.c.reversible_until < today)
            .order_by(_declarations.c.id)
        ).all()
        journal = self._room.open_journal(page, Action.SETTLE, Purpose.LEGAL_DUTY)
        for row in due:
            rule = store.load_rule(page.connection, RULE_OF[DeclarationKind(row.kind)])
            after = advance(
                DeclarationState(row.state),
                DeclarationEvent.SETTLE,
                id_=Id16(bytes(row.id)),
                day=today,
                reversible_until=row.reversible_until,
            )
            person = bytes(row.person)
            journal.change(_declarations, row, person, state=str(after), ended_on=today, rule=rule)
            pool = find_pool(rule)
            if pool is not None:
                for account in list_living(page, person):
                    self._accounts.close(page, journal, account, pool)
        return [len(due)] * len(items)

    def find_pool_of(self, page: Page, person: bytes) -> str:
        """Return the pool that a settled declaration sends a person's rights to, or nothing."""
        for row in store.list_rows(page.connection, _declarations, person=person):
            if row.state == DeclarationState.SETTLED and (pool := find_pool(row.rule)) is not None:
                return pool
        return ""


def write_declaration(row: Row[Any]) -> dict[str, Any]:
    return {
        "declaration": format_id(bytes(row.id)),
        "person": format_id(bytes(row.person)),
        "kind": row.kind,
        "effective_on": format_day(row.effective_on),
        "declared_on": format_day(row.declared_on),
        "declared_by": format_id(bytes(row.declared_by)),
        "reversible_until": format_day(row.reversible_until),
        "state": row.state,
        "ended_on": format_day(row.ended_on),
        "rule": row.rule,
    }
