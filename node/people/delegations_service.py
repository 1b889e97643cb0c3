"""Let others act for somebody, and end it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from node.people import store, tables
from node.people.authority import Action
from node.people.days import format_day
from node.people.delegations import Delegation, Power, write_powers
from node.people.errors import DelegationUnknown, PersonKindMisfit
from node.people.journal_store import Journal
from node.people.records import PersonKind
from node.people.requests import Delegate, Revoke
from node.people.room_service import Answer, Room
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.identifiers import Id16, format_id

_delegations = tables.delegations


class DelegationDesk:
    """Operations for the book's writer, on delegations."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def delegate(self, page: Page, items: Sequence[Delegate]) -> list[Answer | Refusal]:
        """Enter each delegation; only a person acts for another."""

        def do(asked: Delegate) -> Answer:
            told = Delegation(
                id=asked.id,
                person=asked.person,
                delegate=asked.delegate,
                powers=asked.powers,
                from_day=asked.from_day,
                until_day=asked.until_day,
            )

            def work(journal: Journal) -> Answer:
                store.load_person(page.connection, asked.person)
                other = store.load_person(page.connection, asked.delegate)
                if other.kind != PersonKind.PERSON:
                    raise PersonKindMisfit(person=format_id(asked.delegate), kind=other.kind)
                values = {
                    "id": told.id,
                    "person": told.person,
                    "delegate": told.delegate,
                    "powers": write_powers(told.powers),
                    "from_day": told.from_day,
                    "until_day": told.until_day,
                }
                journal.insert(_delegations, asked.person, values)
                return {"delegation": format_id(asked.id), "powers": values["powers"]}

            return self._room.once(page, asked, Action.DELEGATE, asked.person, work)

        return self._room.each(page, items, do)

    def revoke(self, page: Page, items: Sequence[Revoke]) -> list[Answer | Refusal]:
        """End each delegation from today on."""

        def do(asked: Revoke) -> Answer:
            def work(journal: Journal) -> Answer:
                row = store.find_row(page.connection, _delegations, id=asked.what, person=asked.person)
                if row is None:
                    raise DelegationUnknown(delegation=format_id(asked.what))
                if not row.revoked_on:
                    journal.change(_delegations, row, asked.person, revoked_on=self._room.day(page.now))
                return {"delegation": format_id(asked.what), "state": "revoked"}

            return self._room.once(page, asked, Action.DELEGATE, asked.person, work)

        return self._room.each(page, items, do)

    def may_act(self, page: Page, delegate: Id16, person: Id16, power: Power) -> bool:
        """Tell whether somebody may act for another now: for the portal."""
        day = self._room.day(page.now)
        told = store.list_delegations(page.connection, person=person, delegate=delegate)
        return any(one.allows(delegate, power, day) for one in told)


def write_delegation(row: Row[Any]) -> dict[str, Any]:
    return {
        "delegation": format_id(bytes(row.id)),
        "person": format_id(bytes(row.person)),
        "delegate": format_id(bytes(row.delegate)),
        "powers": row.powers,
        "from_day": format_day(row.from_day),
        "until_day": format_day(row.until_day),
        "revoked_on": format_day(row.revoked_on),
    }
