"""Enter persons, households and groups, rectify them, read and find them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from node.people import store, tables
from node.people.accounts_service import write_account
from node.people.authority import HERE, Action
from node.people.days import format_day
from node.people.errors import FoundedAlready, PersonKindMisfit
from node.people.journal_store import Journal
from node.people.records import (
    CivilRecord,
    PersonKind,
    PersonState,
    decode_record,
    encode_record,
    list_lookups,
    normalise,
)
from node.people.requests import Enter, Find, Found, Join, Read, Rectify
from node.people.roles import Duty
from node.people.room_service import Answer, Room
from node.people.vault import KEY_BYTES, compute_lookup, of_record, open_sealed, require_open, seal
from node.people.vault_store import insert_data_key
from protocol.book.worker import Page
from protocol.errors import IdMismatch, Refusal
from protocol.identifiers import Id16, format_id
from protocol.times import format_instant

_persons, _records, _lookups, _members = tables.persons, tables.records, tables.lookups, tables.members


class PersonDesk:
    """Operations for the book's writer, on persons."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def found(self, page: Page, items: Sequence[Found]) -> list[Answer | Refusal]:
        """Enter the first two officers of this base. Raises FoundedAlready once there is a role."""

        def do(asked: Found) -> Answer:
            is_repeat = store.find_row(page.connection, tables.operations, id=asked.id) is not None
            if not is_repeat and store.count_rows(page.connection, tables.roles):
                raise FoundedAlready()

            def work(journal: Journal) -> Answer:
                for person, record in ((asked.id, asked.first), (asked.second_id, asked.second)):
                    self._enter(page, journal, person, PersonKind.PERSON, record)
                    journal.insert(
                        tables.roles,
                        person,
                        {
                            "id": self._room.new_id(),
                            "person": person,
                            "base": HERE,
                            "duty": str(Duty.PEOPLE_OFFICER),
                            "from_day": self._room.day(page.now),
                        },
                    )
                return {"first": format_id(asked.id), "second": format_id(asked.second_id)}

            return self._room.once(page, asked, Action.FOUND, asked.id, work, is_entitled=True)

        return self._room.each(page, items, do)

    def enter(self, page: Page, items: Sequence[Enter]) -> list[Answer | Refusal]:
        """Enter each person under a data key of its own."""

        def do(asked: Enter) -> Answer:
            def work(journal: Journal) -> Answer:
                self._enter(page, journal, asked.id, asked.kind, asked.record)
                return {"person": format_id(asked.id), "kind": str(asked.kind)}

            return self._room.once(page, asked, Action.ENTER, None, work)

        return self._room.each(page, items, do)

    def _enter(self, page: Page, journal: Journal, person: Id16, kind: PersonKind, record: CivilRecord) -> None:
        if store.find_row(page.connection, _persons, id=person) is not None:
            raise IdMismatch(id=format_id(person), field="person")
        values = {"id": person, "kind": str(kind), "state": str(PersonState.ACTIVE), "version": 1}
        journal.insert(_persons, person, values)
        key = self._room.random(KEY_BYTES)
        insert_data_key(page.connection, self._room.base_keys, person, key, self._room.nonce())
        self._write_record(page, journal, person, 1, record, key)

    def _write_record(
        self, page: Page, journal: Journal, person: Id16, version: int, record: CivilRecord, key: bytes
    ) -> None:
        sealed = seal(key, encode_record(record), of_record(person, version), self._room.nonce())
        journal.insert(_records, person, {"person": person, "version": version, "sealed": sealed, "at": page.now})
        page.connection.execute(_lookups.delete().where(_lookups.c.person == person))
        for kind, value in list_lookups(record):
            digest = compute_lookup(self._room.book_key, kind, value)
            page.connection.execute(_lookups.insert().values(kind=str(kind), digest=digest, person=person))

    def rectify(self, page: Page, items: Sequence[Rectify]) -> list[Answer | Refusal]:
        """Replace each record; what stood before stays in the history, sealed, until the person is erased."""

        def do(asked: Rectify) -> Answer:
            def work(journal: Journal) -> Answer:
                row = store.load_person(page.connection, asked.person)
                key = self._room.data_key(page.connection, asked.person)
                if load_record(page.connection, self._room, asked.person, row.version) == asked.record:
                    return {"person": format_id(asked.person), "version": row.version}
                self._write_record(page, journal, asked.person, row.version + 1, asked.record, key)
                journal.change(_persons, row, asked.person, version=row.version + 1)
                return {"person": format_id(asked.person), "version": row.version + 1}

            return self._room.once(page, asked, Action.RECTIFY, asked.person, work)

        return self._room.each(page, items, do)

    def read(self, page: Page, items: Sequence[Read]) -> list[Answer | Refusal]:
        """Return each record with the accounts, and what it was before; the journal says who read it."""

        def do(asked: Read) -> Answer:
            self._room.look(page, asked, Action.READ, asked.person)
            told = load_sheet(page.connection, self._room, asked.person, has_history=asked.has_history)
            rows = store.list_rows(page.connection, tables.accounts, person=asked.person)
            return told | {"accounts": [write_account(row) for row in rows]}

        return self._room.each(page, items, do)

    def find(self, page: Page, items: Sequence[Find]) -> list[Answer | Refusal]:
        """Return whose record has this address, number, or name and birth date: ids alone, to be read one by one."""

        def do(asked: Find) -> Answer:
            value = normalise(asked.kind, asked.value, asked.birth_date)
            digest = compute_lookup(self._room.book_key, asked.kind, value)
            rows = store.list_rows(page.connection, _lookups, kind=str(asked.kind), digest=digest)
            journal = self._room.look(page, asked, Action.FIND, None)
            found = [Id16(bytes(row.person)) for row in rows]
            for person in found:
                journal.note(person)
            return {"persons": [format_id(person) for person in found]}

        return self._room.each(page, items, do)

    def join(self, page: Page, items: Sequence[Join]) -> list[Answer | Refusal]:
        """Enter each as a member of a household or group, or end it."""

        def do(asked: Join) -> Answer:
            def work(journal: Journal) -> Answer:
                group = store.load_person(page.connection, asked.group)
                member = store.load_person(page.connection, asked.member)
                for row, is_fit in (
                    (group, group.kind != PersonKind.PERSON),
                    (member, member.kind == PersonKind.PERSON),
                ):
                    if not is_fit:
                        raise PersonKindMisfit(person=format_id(bytes(row.id)), kind=row.kind)
                today = self._room.day(page.now)
                known = store.find_row(page.connection, _members, group_id=asked.group, member=asked.member)
                if known is None:
                    if asked.is_member:
                        values = {"group_id": asked.group, "member": asked.member, "since": today}
                        journal.insert(_members, asked.member, values)
                elif asked.is_member and known.ended_on:
                    journal.change(_members, known, asked.member, since=today, ended_on=0)
                elif not asked.is_member and not known.ended_on:
                    journal.change(_members, known, asked.member, ended_on=today)
                return {
                    "group": format_id(asked.group),
                    "member": format_id(asked.member),
                    "is_member": asked.is_member,
                }

            return self._room.once(page, asked, Action.JOIN, asked.member, work)

        return self._room.each(page, items, do)


def load_record(connection: Connection, room: Room, person: bytes, version: int) -> CivilRecord:
    """Return one version of a record, opened. Raises PersonErased, RecordUnreadable."""
    row = store.find_row(connection, _records, person=person, version=version)
    key = room.data_key(connection, person)
    sealed = b"" if row is None else bytes(row.sealed)
    return decode_record(require_open(open_sealed(key, sealed, of_record(person, version)), person))


def load_sheet(connection: Connection, room: Room, person: bytes, *, has_history: bool) -> Answer:
    """Return a person's record as JSON tells it. Raises PersonUnknown, PersonErased, RecordUnreadable."""
    row = store.load_person(connection, person)
    told: Answer = {"person": format_id(bytes(row.id)), "kind": row.kind, "version": row.version}
    told |= write_record(load_record(connection, room, person, row.version))
    if has_history:
        told["history"] = [
            {
                "version": one.version,
                "at": format_instant(one.at),
                **write_record(load_record(connection, room, person, one.version)),
            }
            for one in store.list_rows(connection, _records, person=person)
        ]
    return told


def write_record(record: CivilRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "birth_date": format_day(record.birth_date),
        "address": record.address,
        "email": record.email,
        "telephone": record.telephone,
    }
