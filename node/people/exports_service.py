"""Gather everything about a person, in one page: reading it is noted, and the note is in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from node.people import store, tables
from node.people.accounts_service import write_account
from node.people.authority import Action
from node.people.days import format_day
from node.people.declarations_service import write_declaration
from node.people.delegations_service import write_delegation
from node.people.erasures_service import write_erasure
from node.people.identities import IdentityKind
from node.people.identities_service import load_credential, write_identity
from node.people.persons_service import load_sheet
from node.people.requests import Read
from node.people.room_service import Answer, Room
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.identifiers import format_id
from protocol.times import format_instant


class ExportDesk:
    """Operations for the book's writer, on exports."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def export(self, page: Page, items: Sequence[Read]) -> list[Answer | Refusal]:
        """Return all that is known of each person, as JSON tells it."""

        def do(asked: Read) -> Answer:
            store.load_person(page.connection, asked.person)
            self._room.look(page, asked, Action.EXPORT, asked.person)
            return gather(page.connection, self._room, asked.person)

        return self._room.each(page, items, do)

    def look_at_log(self, page: Page, items: Sequence[Read]) -> list[list[dict[str, Any]] | Refusal]:
        """Return who read or changed each person's record. Somebody erased has a log too."""

        def do(asked: Read) -> list[dict[str, Any]]:
            self._room.look(page, asked, Action.LOOK_AT_LOG, asked.person)
            return list_journal(page.connection, asked.person)

        return self._room.each(page, items, do)


def gather(line: Connection, room: Room, person: bytes) -> Answer:
    """Return tables by name. Raises PersonErased, RecordUnreadable."""
    sheet = load_sheet(line, room, person, has_history=True)
    history = sheet.pop("history")
    texts = {(one.purpose, one.version): one for one in store.list_texts(line)}
    consents = [
        {
            "purpose": str(one.purpose),
            "version": one.version,
            "is_given": one.is_given,
            "at": format_instant(one.at),
            "french": texts[one.purpose, one.version].french,
            "english": texts[one.purpose, one.version].english,
        }
        for one in store.list_consents(line, person)
    ]
    delegations = [
        write_delegation(row)
        for column in ("person", "delegate")
        for row in store.list_rows(line, tables.delegations, **{column: person})
    ]
    members = [
        {
            "group": format_id(bytes(row.group_id)),
            "member": format_id(bytes(row.member)),
            "since": format_day(row.since),
            "ended_on": format_day(row.ended_on),
        }
        for column in ("group_id", "member")
        for row in store.list_rows(line, tables.members, **{column: person})
    ]
    roles = [
        {
            "role": format_id(role.id),
            "base": role.base,
            "duty": str(role.duty),
            "from_day": format_day(role.from_day),
            "until_day": format_day(role.until_day),
            "ended_on": format_day(role.ended_on),
        }
        for role in store.list_roles(line, person)
    ]
    declarations = [write_declaration(row) for row in store.list_rows(line, tables.declarations, person=person)]
    return {
        "person": sheet,
        "history": history,
        "accounts": [write_account(row) for row in store.list_rows(line, tables.accounts, person=person)],
        "consents": consents,
        "delegations": delegations,
        "members": members,
        "roles": roles,
        "declarations": declarations,
        "identities": _list_identities(line, room, person),
        "erasures": [write_erasure(row) for row in store.list_rows(line, tables.erasures, person=person)],
        "journal": list_journal(line, person),
    }


def _list_identities(line: Connection, room: Room, person: bytes) -> list[dict[str, Any]]:
    found = []
    for row in store.list_rows(line, tables.identities, person=person):
        told = {**write_identity(row), "issuer": "", "subject": "", "credential": ""}
        if row.kind == IdentityKind.OIDC:
            credential = load_credential(line, room, row)
            told |= {"issuer": getattr(credential, "issuer", ""), "subject": getattr(credential, "subject", "")}
        elif row.kind == IdentityKind.PASSKEY:
            told["credential"] = load_credential(line, room, row).handle
        found.append(told)
    return found


def list_journal(line: Connection, person: bytes) -> list[dict[str, Any]]:
    """Return who read or changed what of somebody, the oldest first."""
    table = tables.journal
    rows = line.execute(select(table).where(table.c.subject == person).order_by(table.c.seq))
    return [
        {
            "at": format_instant(row.at),
            "by": "" if row.actor is None else format_id(bytes(row.actor)),
            "action": row.action,
            "purpose": row.purpose,
            "what": row.place.partition(" ")[0],
        }
        for row in rows
    ]
