"""Tell a base that a duty there is over, once: then its officer's keys end there, by the word under which it knows him.

A duty ends by four eyes, with its last day, or by a death. Whatever ends it, what is over and was not told is told in the page
that ends it, or by `settle`; where all of it goes on by another duty in force, it is told when that one ends. A duty at this
base itself needs no telling: its doors ask for it at each call, and its keys end with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from node.people import store, tables
from node.people.authority import HERE, Action, Purpose
from node.people.errors import InvalidRole
from node.people.journal_store import Journal
from node.people.persons_service import load_record
from node.people.records import PersonState
from node.people.roles import OfficerWord, Role, WordState, find_ending, require_own_word
from node.people.room_service import Room
from protocol.book.worker import Page
from protocol.house import BaseName, DutyEnded, DutyHeard, HouseSlip
from protocol.identifiers import Id16, format_id

_words = tables.role_words


class DutyDesk:
    """What other bases know of who has a duty there, and that it is over."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def require_word(self, page: Page, role: Role, known: OfficerWord) -> None:
        """Raises InvalidRole where a role cannot have this word: a name, another officer's, or one of a base that has none."""
        if not known:
            return
        if role.base == HERE or role.base not in BaseName.__members__:
            raise InvalidRole(field="word", reason="this base is told nothing")
        person = store.load_person(page.connection, role.person, is_erased_allowed=True)
        if person.state != PersonState.ERASED:
            known.require_no_name(load_record(page.connection, self._room, role.person, person.version).name)
        require_own_word(role, known, self._list_named(page))

    def name(self, page: Page, journal: Journal, role: Role, known: OfficerWord, proposal: bytes) -> None:
        """Keep by which word its base knows the officer of a role; of one that is over that base is told anew."""
        values = {
            "word": known.word,
            "key": known.key or None,
            "proposal": proposal,
            "state": str(WordState.NAMED),
            "told": None,
            "told_at": 0,
            "doors": 0,
            "signers": 0,
        }
        row = store.find_row(page.connection, _words, role=role.id)
        if row is None:
            journal.insert(_words, role.person, {"role": role.id, **values})
        else:
            journal.change(_words, row, role.person, **values)

    def end_elsewhere(self, page: Page, journal: Journal, person: bytes) -> None:
        """End the duties of somebody who died, at all bases but this one: here roles move by four eyes alone."""
        today = self._room.day(page.now)
        for role in store.list_roles(page.connection, person):
            if role.base != HERE and not role.is_over(today):
                row = store.find_row(page.connection, tables.roles, id=role.id)
                assert row is not None  # listed in this page
                journal.change(tables.roles, row, person, ended_on=today)
        self.tell_over(page, journal)

    def tell_over(self, page: Page, journal: Journal) -> int:
        """Tell of each duty that is over and was not told; return of how many."""
        today, count = self._room.day(page.now), 0
        waiting = store.list_rows(page.connection, _words, state=str(WordState.NAMED))
        if not waiting:
            return 0
        named = self._list_named(page)
        of = {role.id: role for role, _ in named}
        for row in waiting:
            role = of[Id16(bytes(row.role))]
            base = BaseName[role.base]
            if not role.is_over(today) or not self._room.knows(base):
                continue
            ending = find_ending(role, store.read_word(row), named, today)
            if ending is None:
                continue
            told = DutyEnded(
                self._room.new_id(),
                role.id,
                str(role.duty),
                ending.word.word,
                ending.word.key,
                role.over_at(page.now, self._room.zone),
                ending.is_last,
            )
            self._room.tell(page, base, [told])
            journal.change(_words, row, role.person, state=str(WordState.TOLD), told=told.id, told_at=page.now)
            count += 1
        return count

    def end_here(self, page: Page) -> None:
        """End the keys of this base's doors whose officer has no duty here any more: one given anew wakes none of them."""
        today = self._room.day(page.now)
        here = [role for role in store.list_roles(page.connection) if role.base == HERE]
        gone = {role.person for role in here} - {role.person for role in here if not role.is_over(today)}
        if gone:
            self._room.end_keys(page, {format_id(person) for person in gone})

    def settle(self, page: Page, items: Sequence[None]) -> list[int]:
        """Tell what days have ended; return of how many duties. Run twice is run once."""
        self.end_here(page)
        count = self.tell_over(page, self._room.open_journal(page, Action.SETTLE, Purpose.GOVERNANCE))
        return [count] * len(items)

    def hear(self, page: Page, sender: str, messages: Sequence[DutyHeard]) -> None:
        """Keep what a base answered. What answers no question that stands, or comes from another base, is passed over."""
        journal = self._room.open_journal(page, Action.HEAR, Purpose.GOVERNANCE)
        for heard in messages:
            row = store.find_row(page.connection, _words, told=heard.id)
            role = None if row is None else self._find_role(page, row)
            if row is None or role is None or BaseName[role.base] != sender:
                continue
            state = WordState.PLACED if heard.is_placed else WordState.UNPLACED
            journal.change(_words, row, role.person, state=str(state), doors=heard.doors, signers=heard.signers)

    def replay(self, page: Page, own: Mapping[str, Sequence[HouseSlip]]) -> None:
        """Keep what an old copy does not know that it told: told anew, it would end what a successor was given since."""
        journal = self._room.open_journal(page, Action.HEAR, Purpose.GOVERNANCE)
        said = [(slip.at, one) for slips in own.values() for slip in slips for one in slip.messages]
        for at, told in said:
            if not isinstance(told, DutyEnded):
                continue
            row = store.find_row(page.connection, _words, role=told.role)
            if row is None:
                continue
            role = self._find_role(page, row)
            if role is not None:  # whatever word it was told by: the copy's may be an older one
                journal.change(_words, row, role.person, state=str(WordState.TOLD), told=told.id, told_at=at)

    def _find_role(self, page: Page, row: Row[Any]) -> Role | None:
        return next((role for role, _ in self._list_named(page) if role.id == bytes(row.role)), None)

    def _list_named(self, page: Page) -> list[tuple[Role, OfficerWord]]:
        words = store.load_words(page.connection)
        return [(role, words[role.id]) for role in store.list_roles(page.connection) if role.id in words]
