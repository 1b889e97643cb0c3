"""Take consents and withdrawals: each a row more, none changed."""

from __future__ import annotations

from collections.abc import Sequence

from node.people import store, tables
from node.people.authority import Action
from node.people.consents import choose_version, compute_standing
from node.people.endings import name_consent
from node.people.journal_store import Journal
from node.people.requests import Consent
from node.people.room_service import Answer, Room
from protocol.book.worker import Page
from protocol.errors import Refusal


class ConsentDesk:
    """Operations for the book's writer, on consents."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def consent(self, page: Page, items: Sequence[Consent]) -> list[Answer | Refusal]:
        """Note that a person agrees to the newest text, or takes it back."""

        def do(asked: Consent) -> Answer:
            def work(journal: Journal) -> Answer:
                store.load_person(page.connection, asked.person)
                said = store.list_consents(page.connection, asked.person)
                version = choose_version(
                    said,
                    store.load_newest_versions(page.connection),
                    asked.about,
                    give=asked.is_given,
                )
                values = {
                    "seq": store.next_number(page.connection, tables.consents, "seq"),
                    "id": asked.id,
                    "person": asked.person,
                    "purpose": str(asked.about),
                    "version": version,
                    "is_given": int(asked.is_given),
                    "at": page.now,
                }
                journal.insert(tables.consents, asked.person, values)
                if not asked.is_given:
                    journal.on_ended(name_consent(compute_standing(said)[asked.about].id))
                return {"purpose": str(asked.about), "version": version, "is_given": asked.is_given}

            return self._room.once(page, asked, Action.CONSENT, asked.person, work)

        return self._room.each(page, items, do)
