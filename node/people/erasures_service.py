"""Forget somebody: close the accounts, wait for what is on its way, destroy the data key, and say what is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, select

from node.people import store, tables
from node.people.accounts import LIVING, LinkState
from node.people.accounts_service import AccountDesk
from node.people.authority import Action, Purpose
from node.people.days import format_day, read_day
from node.people.duties_service import DutyDesk
from node.people.erasures import (
    OVER,
    ErasureState,
    Kept,
    Standing,
    judge,
    plan,
    require_running,
    write_letter,
)
from node.people.errors import ErasureRunning, ErasureUnknown, RoleInForce
from node.people.journal_store import Journal
from node.people.parameters_store import load_retention
from node.people.records import PersonState
from node.people.requests import ChangeErasure, Erase, LookAtErasure
from node.people.room_service import Answer, Room
from node.people.vault_store import destroy_data_key
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.identifiers import Id16, format_id, require_number

_erasures, _accounts = tables.erasures, tables.accounts


class ErasureDesk:
    """Operations for the book's writer, on erasures."""

    def __init__(self, room: Room, accounts: AccountDesk, duties: DutyDesk) -> None:
        self._room = room
        self._accounts = accounts
        self._duties = duties

    def look(self, page: Page, items: Sequence[LookAtErasure]) -> list[Answer | Refusal]:
        """Return where each erasure stands; whom it is about learns from his journal who looked. Raises ErasureUnknown."""

        def do(asked: LookAtErasure) -> Answer:
            row = store.find_row(page.connection, _erasures, id=asked.erasure)
            if row is None:
                raise ErasureUnknown(erasure=format_id(asked.erasure))
            self._room.look(page, asked, Action.READ, Id16(bytes(row.person)))
            return write_erasure(row)

        return self._room.each(page, items, do)

    def erase(self, page: Page, items: Sequence[Erase]) -> list[Answer | Refusal]:
        """Begin to forget each person: at once where there is no account, else when the accounts have closed them."""

        def do(asked: Erase) -> Answer:
            if asked.into:
                require_number(asked.into)

            def work(journal: Journal) -> Answer:
                store.load_person(page.connection, asked.person)
                if self._find_running(page, asked.person) is not None:
                    raise ErasureRunning(person=format_id(asked.person))
                today = self._room.day(page.now)
                for role in store.list_roles(page.connection, asked.person):
                    if not role.ended_on and (not role.until_day or role.until_day >= today):
                        raise RoleInForce(duty=str(role.duty))
                self._duties.tell_over(page, journal)
                values = {
                    "id": asked.id,
                    "person": asked.person,
                    "goes_to": asked.into,
                    "state": str(ErasureState.CLOSING),
                    "asked_on": today,
                }
                journal.insert(_erasures, asked.person, values)
                self._ask(page, journal, asked.person, asked.into)
                return {"erasure": format_id(asked.id), "state": self._move(page, journal, asked.person)}

            return self._room.once(page, asked, Action.ERASE, asked.person, work)

        return self._room.each(page, items, do)

    def change(self, page: Page, items: Sequence[ChangeErasure]) -> list[Answer | Refusal]:
        """Say where rights go, or take the request back; what is closed by then stays closed."""

        def do(asked: ChangeErasure) -> Answer:
            row = store.find_row(page.connection, _erasures, id=asked.erasure)
            if row is None:
                raise ErasureUnknown(erasure=format_id(asked.erasure))
            person = Id16(bytes(row.person))
            if asked.into:
                require_number(asked.into)

            def work(journal: Journal) -> Answer:
                require_running(ErasureState(row.state), asked.erasure)
                if asked.is_cancelled:
                    ended = {"state": str(ErasureState.CANCELLED), "ended_on": self._room.day(page.now)}
                    journal.change(_erasures, row, person, **ended)
                    for account in store.list_rows(page.connection, _accounts, person=person):
                        if account.state == LinkState.BUSY:
                            journal.change(_accounts, account, person, state=str(LinkState.OPEN), code="")
                    return {"erasure": format_id(asked.erasure), "state": str(ErasureState.CANCELLED)}
                journal.change(_erasures, row, person, goes_to=asked.into)
                self._ask(page, journal, person, asked.into)
                return {"erasure": format_id(asked.erasure), "state": self._move(page, journal, person)}

            return self._room.once(page, asked, Action.ERASE, person, work)

        return self._room.each(page, items, do)

    def erase_again(self, page: Page, journal: Journal, person: bytes, *, id_: Id16, day: int) -> None:
        """Forget somebody of whom an old copy does not know that he was forgotten, or asked for it on that day."""
        row = self._find_running(page, person)
        if row is None:
            values = {"id": id_, "person": person, "state": str(ErasureState.CLOSING), "asked_on": day}
            journal.insert(_erasures, person, values)
        self._ask(page, journal, person, "" if row is None else row.goes_to)
        self._move(page, journal, person)

    def _ask(self, page: Page, journal: Journal, person: bytes, into: str) -> None:
        for account in store.list_rows(page.connection, _accounts, person=person):
            if account.state in LIVING:
                self._accounts.close(page, journal, account, into)

    def heard(self, page: Page, journal: Journal, person: bytes) -> None:
        """Go on after the accounts said something of a person's account."""
        row = self._find_running(page, person)
        if row is None:
            return
        for account in store.list_rows(page.connection, _accounts, person=person):
            if account.state == LinkState.OPEN:  # it was being opened when the erasure was asked
                self._accounts.close(page, journal, account, row.goes_to)
        self._move(page, journal, person)

    def ask_again(self, page: Page, items: Sequence[None]) -> list[int]:
        """Ask again to close what waits for rights on their way; return how many accounts. For a worker."""
        journal = self._room.open_journal(page, Action.ERASE, Purpose.REQUEST_OF_PERSON)
        count = 0
        for row in page.connection.execute(
            select(_erasures).where(_erasures.c.state == str(ErasureState.IN_FLIGHT)).order_by(_erasures.c.id)
        ).all():
            for account in store.list_rows(page.connection, _accounts, person=bytes(row.person)):
                if account.state == LinkState.BUSY:
                    self._accounts.close(page, journal, account, row.goes_to)
                    count += 1
            self._move(page, journal, bytes(row.person))
        return [count] * len(items)

    def _find_running(self, page: Page, person: bytes) -> Row[Any] | None:
        rows = store.list_rows(page.connection, _erasures, person=person)
        return next((row for row in rows if row.state not in OVER), None)

    def _move(self, page: Page, journal: Journal, person: bytes) -> str:
        """Bring a running erasure to where the accounts stand; return its state."""
        row = self._find_running(page, person)
        assert row is not None
        accounts = store.list_rows(page.connection, _accounts, person=person)
        state = judge(Standing(LinkState(one.state), one.reserved + one.in_flight) for one in accounts)
        if state is ErasureState.DONE:
            self._finish(page, row, has_accounts=bool(accounts))
        else:
            journal.change(_erasures, row, person, state=str(state))
        return str(state)

    def _finish(self, page: Page, row: Row[Any], *, has_accounts: bool) -> None:
        journal = self._room.open_journal(page, Action.ERASE, Purpose.REQUEST_OF_PERSON)
        line, person, today = page.connection, bytes(row.person), self._room.day(page.now)
        kept = plan(load_retention(read_day(today)), day=today, has_accounts=has_accounts)
        written = json.dumps([asdict(one) for one in kept], ensure_ascii=False)
        journal.change(_erasures, row, person, state=str(ErasureState.DONE), ended_on=today, kept=written)
        destroy_data_key(line, person, page.now)
        for table in (tables.records, tables.identities):
            for one in store.list_rows(line, table, person=person):
                journal.remove(table, one, person)
        for account in store.list_rows(line, _accounts, person=person):
            for one in store.list_rows(line, tables.identities, account=bytes(account.id)):
                journal.remove(tables.identities, one, person)
        line.execute(tables.lookups.delete().where(tables.lookups.c.person == person))
        for column in ("person", "delegate"):
            for one in store.list_rows(line, tables.delegations, **{column: person}):
                if not one.revoked_on:
                    journal.change(tables.delegations, one, bytes(one.person), revoked_on=today)
        for column in ("group_id", "member"):
            for one in store.list_rows(line, tables.members, **{column: person}):
                if not one.ended_on:
                    journal.change(tables.members, one, bytes(one.member), ended_on=today)
        known = store.load_person(line, person)
        journal.change(tables.persons, known, person, state=str(PersonState.ERASED))


def read_kept(row: Row[Any]) -> list[Kept]:
    return [Kept(**one) for one in json.loads(row.kept)] if row.kept else []


def write_erasure(row: Row[Any]) -> dict[str, Any]:
    """Return where an erasure stands, with the letter in both languages once it is done."""
    kept = read_kept(row)
    told: dict[str, Any] = {
        "erasure": format_id(bytes(row.id)),
        "person": format_id(bytes(row.person)),
        "state": row.state,
        "into": row.goes_to,
        "asked_on": format_day(row.asked_on),
        "ended_on": format_day(row.ended_on),
        "kept": [{**asdict(one), "until": format_day(one.until)} for one in kept],
    }
    if row.state == ErasureState.DONE:
        for language, name in (("fr", "letter_fr"), ("en", "letter_en")):
            told[name] = write_letter(kept, day=row.ended_on, language=language)
    return told
