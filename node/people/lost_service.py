"""What is lost, noted and settled: a row for each thing that a person has to see to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from node.people import store, tables
from node.people.accounts import LIVING
from node.people.authority import Action
from node.people.errors import LostUnknown
from node.people.journal_store import Journal
from node.people.lost import BY_LINK, DONE, LostKind
from node.people.requests import Look, SettleLost
from node.people.room_service import Answer, Room
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.identifiers import format_id
from protocol.times import format_instant

_lost = tables.lost


class LostDesk:
    """Operations for the book's writer, on what an old copy lacked."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def note(
        self,
        journal: Journal,
        id_: bytes,
        kind: LostKind,
        *,
        number: str | None = None,
        person: bytes | None = None,
        place: str = "",
        is_settled: bool = False,
    ) -> None:
        """Note one thing; what an earlier way back noted is not noted twice."""
        if store.find_row(journal.connection, _lost, id=id_) is not None:
            return
        values = {
            "id": id_,
            "kind": str(kind),
            "number": number,
            "person": person,
            "place": place,
            "noted_at": journal.now,
            "settled_at": journal.now if is_settled else 0,
        }
        journal.insert(_lost, person, values)

    def found_again(self, page: Page, journal: Journal, account: Row[Any]) -> None:
        """Settle what was noted of an account, once the accounts said that it is open and it is somebody's."""
        if account.person is None or account.number is None or account.state not in LIVING:
            return
        for row in store.list_rows(page.connection, _lost, number=account.number, settled_at=0):
            if row.kind in BY_LINK:
                journal.change(_lost, row, bytes(account.person), settled_at=page.now)

    def look(self, page: Page, items: Sequence[Look]) -> list[list[dict[str, Any]] | Refusal]:
        """Return all that was noted; the journal says who looked at the list."""

        def do(asked: Look) -> list[dict[str, Any]]:
            self._room.look(page, asked, Action.READ, None)
            return [write_lost(row) for row in store.list_rows(page.connection, _lost)]

        return self._room.each(page, items, do)

    def settle(self, page: Page, items: Sequence[SettleLost]) -> list[Answer | Refusal]:
        """Note that somebody saw to it. What was settled before stays as it was."""

        def do(asked: SettleLost) -> Answer:
            def work(journal: Journal) -> Answer:
                row = store.find_row(page.connection, _lost, id=asked.lost)
                if row is None:
                    raise LostUnknown(lost=format_id(asked.lost))
                if not row.settled_at:
                    person = None if row.person is None else bytes(row.person)
                    journal.change(_lost, row, person, settled_at=page.now)
                return {"lost": format_id(asked.lost), "kind": row.kind}

            return self._room.once(page, asked, Action.SETTLE, None, work)

        return self._room.each(page, items, do)


def write_lost(row: Row[Any]) -> dict[str, Any]:
    return {
        "lost": format_id(bytes(row.id)),
        "kind": row.kind,
        "is_done": row.kind in DONE,
        "account": row.number or "",
        "person": "" if row.person is None else format_id(bytes(row.person)),
        "role": format_id(bytes.fromhex(row.place.partition(" ")[2])) if row.kind == LostKind.ROLE else "",
        "noted_at": format_instant(row.noted_at),
        "settled_at": format_instant(row.settled_at) if row.settled_at else "",
    }
