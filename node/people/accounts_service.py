"""A person's accounts: asked of the accounts base, told by it, closed by it. It learns ids and numbers, and no name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row

from node.people import store, tables
from node.people.accounts import LIVING, LinkState
from node.people.authority import Action
from node.people.errors import AccountTaken
from node.people.journal_store import Journal
from node.people.records import PersonKind
from node.people.requests import AskAbout, LinkTo, OpenFor, Stock
from node.people.room_service import Answer, Room
from protocol.book.worker import Page
from protocol.errors import Malformed, Refusal
from protocol.house import (
    AskHolder,
    CloseHolder,
    FreezeHolder,
    HolderBusy,
    HolderClosed,
    HolderKind,
    HolderOpened,
    HolderState,
    HolderTold,
    HouseMessage,
    OpenHolder,
    Refused,
)
from protocol.identifiers import Id16, format_id
from protocol.times import format_instant

STOCK_MAX: Final = 500  # accounts asked at once
_accounts = tables.accounts


class AccountDesk:
    """Operations for the book's writer, on the accounts of persons."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def open(self, page: Page, items: Sequence[OpenFor]) -> list[Answer | Refusal]:
        """Ask the accounts for an account for each person."""

        def do(asked: OpenFor) -> Answer:
            def work(journal: Journal) -> Answer:
                person = store.load_person(page.connection, asked.person)
                kind = HolderKind.PERSON if person.kind == PersonKind.PERSON else HolderKind.GROUP
                self._ask(page, journal, asked.id, kind, asked.person)
                return {"link": format_id(asked.id), "state": str(LinkState.ASKED)}

            return self._room.once(page, asked, Action.OPEN_ACCOUNT, asked.person, work)

        return self._room.each(page, items, do)

    def stock(self, page: Page, items: Sequence[Stock]) -> list[Answer | Refusal]:
        """Have free accounts opened in advance, for whoever will get a card."""

        def do(asked: Stock) -> Answer:
            if not 1 <= asked.count <= STOCK_MAX:
                raise Malformed(field="count", reason=f"1 to {STOCK_MAX} at once")

            def work(journal: Journal) -> Answer:
                for _ in range(asked.count):
                    self._ask(page, journal, self._room.new_id(), HolderKind.PERSON, None)
                return {"asked": asked.count}

            return self._room.once(page, asked, Action.HAND_OUT, None, work)

        return self._room.each(page, items, do)

    def _ask(self, page: Page, journal: Journal, id_: Id16, kind: HolderKind, person: Id16 | None) -> None:
        values = {"id": id_, "person": person, "kind": str(kind), "state": str(LinkState.ASKED), "question": id_}
        journal.insert(_accounts, person, values)
        self._room.ask_accounts(page, [OpenHolder(id_, kind)])

    def link(self, page: Page, items: Sequence[LinkTo]) -> list[Answer | Refusal]:
        """Say whose an open account is; it counts once the accounts have said that there is one."""

        def do(asked: LinkTo) -> Answer:
            def work(journal: Journal) -> Answer:
                person = store.load_person(page.connection, asked.person)
                if store.find_row(page.connection, _accounts, number=asked.account) is not None:
                    raise AccountTaken(account=asked.account)
                kind = HolderKind.PERSON if person.kind == PersonKind.PERSON else HolderKind.GROUP
                values = {
                    "id": asked.id,
                    "person": asked.person,
                    "kind": str(kind),
                    "state": str(LinkState.ASKED),
                    "number": asked.account,
                    "question": asked.id,
                }
                journal.insert(_accounts, asked.person, values)
                self._room.ask_accounts(page, [AskHolder(asked.id, asked.account)])
                return {"link": format_id(asked.id), "state": str(LinkState.ASKED)}

            return self._room.once(page, asked, Action.LINK_ACCOUNT, asked.person, work)

        return self._room.each(page, items, do)

    def ask(self, page: Page, items: Sequence[AskAbout]) -> list[Answer | Refusal]:
        """Ask the accounts what there is of each account of a person."""

        def do(asked: AskAbout) -> Answer:
            def work(journal: Journal) -> Answer:
                store.load_person(page.connection, asked.person)
                rows = list_living(page, asked.person)
                for row in rows:
                    self.put(page, journal, row, AskHolder(self._room.new_id(), row.number))
                return {"asked": len(rows)}

            return self._room.once(page, asked, Action.EXPORT, asked.person, work)

        return self._room.each(page, items, do)

    def put(
        self,
        page: Page,
        journal: Journal,
        row: Row[Any],
        question: AskHolder | FreezeHolder | CloseHolder,
        **changes: Any,
    ) -> None:
        """Ask the accounts something of an account, in the place of what they were asked before."""
        person = None if row.person is None else bytes(row.person)
        journal.change(_accounts, row, person, question=question.id, **changes)
        self._room.ask_accounts(page, [question])

    def freeze(self, page: Page, journal: Journal, person: bytes, *, is_frozen: bool) -> None:
        """Let nothing leave or reach a person's accounts, or let it again."""
        for row in list_living(page, person):
            question = FreezeHolder(self._room.new_id(), row.number, is_frozen)
            self.put(page, journal, row, question, is_frozen=int(is_frozen))

    def close(self, page: Page, journal: Journal, row: Row[Any], into: str) -> None:
        """Ask the accounts to close an account, after moving what it holds."""
        question = CloseHolder(self._room.new_id(), row.number, into)
        self.put(page, journal, row, question, state=str(LinkState.CLOSING), code="")

    def hear(self, page: Page, journal: Journal, message: HouseMessage) -> Row[Any] | None:
        """Take an answer of the accounts; return the account that it is about, as it stands now, or None.

        An answer to a question that was asked anew meanwhile is passed over: the newer one will be answered too.
        """
        if not isinstance(message, HolderOpened | HolderTold | HolderBusy | HolderClosed | Refused):
            return None
        row = store.find_row(page.connection, _accounts, question=message.id)
        if row is None:
            return None
        person = None if row.person is None else bytes(row.person)
        changes: dict[str, Any] = {"question": None, "told_at": page.now}
        match message:
            case HolderOpened():
                changes |= {"state": str(LinkState.OPEN), "number": message.number, "opened_at": page.now}
            case HolderTold():
                changes |= _read_told(row, message)
            case HolderBusy():
                changes |= {
                    "state": str(LinkState.BUSY),
                    "cents": message.cents,
                    "reserved": message.reserved,
                    "in_flight": message.in_flight,
                }
            case HolderClosed():
                changes |= {
                    "state": str(LinkState.CLOSED),
                    "closed_at": page.now,
                    **dict.fromkeys(("cents", "reserved", "in_flight", "shows_name"), 0),
                }
            case Refused():
                changes |= _read_refused(row, message.code)
        journal.change(_accounts, row, person, **changes)
        return store.find_row(page.connection, _accounts, id=bytes(row.id))


def _read_told(row: Row[Any], told: HolderTold) -> dict[str, Any]:
    changes: dict[str, Any] = {
        "cents": told.cents,
        "reserved": told.reserved,
        "in_flight": told.in_flight,
        "movements": told.movements,
        "shows_name": int(told.shows_name),
        "is_frozen": int(told.state is HolderState.FROZEN),
        "opened_at": told.opened_at,
        "closed_at": told.closed_at,
    }
    if told.state is HolderState.CLOSED:
        return changes | {"state": str(LinkState.CLOSED), "is_frozen": row.is_frozen}
    return changes | {"state": str(LinkState.OPEN) if row.state == LinkState.ASKED else row.state}


def _read_refused(row: Row[Any], code: str) -> dict[str, Any]:
    if row.state == LinkState.ASKED:  # nobody has it: the number is free for whom it belongs to
        return {"state": str(LinkState.REFUSED), "number": None, "code": code}
    if row.state == LinkState.CLOSING:
        return {"state": str(LinkState.BUSY), "code": code}
    return {"code": code}


def list_living(page: Page, person: bytes) -> list[Row[Any]]:
    """Return a person's accounts that are open, or wait to be closed."""
    return [row for row in store.list_rows(page.connection, _accounts, person=person) if row.state in LIVING]


def write_account(row: Row[Any]) -> dict[str, Any]:
    """Return what we know of an account as JSON tells it."""
    return {
        "link": format_id(bytes(row.id)),
        "account": row.number or "",
        "kind": row.kind,
        "state": row.state,
        "is_frozen": bool(row.is_frozen),
        "cents": row.cents,
        "reserved_cents": row.reserved,
        "in_flight_cents": row.in_flight,
        "movements": row.movements,
        "shows_name": bool(row.shows_name),
        "opened_at": format_instant(row.opened_at) if row.opened_at else "",
        "closed_at": format_instant(row.closed_at) if row.closed_at else "",
        "told_at": format_instant(row.told_at) if row.told_at else "",
        "code": row.code,
    }
