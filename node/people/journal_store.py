"""Rows that are written, and the journal of who wrote and read them: each entry holds the hash of the one before.

A row of a journaled table is written through here and nowhere else, so that its seal and its entry are made in the
transaction that changes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, Table, select

from node.people import tables
from node.people.authority import Action, Purpose
from node.people.endings import ends
from node.people.vault import compute_link, compute_seal
from protocol.times import Instant

ENTRY: Final = ("seq", "at", "actor", "subject", "action", "purpose", "op", "place", "seal")
_journal = tables.journal
_heads = tables.journal_heads


def seal_row(book_key: bytes, table: Table, values: Mapping[str, Any]) -> bytes:
    """Return the seal of a row: over every column but the seal, in their order."""
    return compute_seal(book_key, table.name, [values[one.name] for one in table.columns if one.name != "seal"])


def name_row(table: Table, values: Mapping[str, Any]) -> str:
    """Return how the journal calls a row: its table and its key."""
    return " ".join([table.name, *(_show(values[one.name]) for one in table.primary_key)])


def _show(value: Any) -> str:
    return str(value) if isinstance(value, int | str) else bytes(value).hex()


def link_values(entry: Mapping[str, Any]) -> list[Any]:
    return [entry[name] for name in ENTRY]


class Journal:
    """What one operation writes and notes. `actor` None: the base itself, for what it hears or finishes."""

    def __init__(
        self,
        connection: Connection,
        book_key: bytes,
        now: Instant,
        *,
        actor: bytes | None,
        action: Action,
        purpose: Purpose,
        op: bytes | None = None,
        on_ended: Callable[[str], None] = lambda _name: None,
    ) -> None:
        """`on_ended` is told the name of each row that ends."""
        self.connection = connection
        self.now = now
        self.count = 0
        self._book_key = book_key
        self._actor = actor
        self._action = action
        self._purpose = purpose
        self._op = op
        self.on_ended = on_ended

    def insert(self, table: Table, subject: bytes | None, values: Mapping[str, Any]) -> None:
        """Write a new row; columns that are not given have their defaults."""
        whole = {one.name: values.get(one.name, _default(one)) for one in table.columns if one.name != "seal"}
        seal = seal_row(self._book_key, table, whole)
        self.connection.execute(table.insert().values(**whole, seal=seal))
        self._add(subject, name_row(table, whole), seal)

    def change(self, table: Table, row: Row[Any], subject: bytes | None, **changes: Any) -> None:
        """Change a row that was read in this page; nothing happens where it is so already."""
        before = dict(row._mapping)
        if all(before[name] == value for name, value in changes.items()):
            return
        whole = {**before, **changes}
        seal = seal_row(self._book_key, table, whole)
        keys = [one == before[one.name] for one in table.primary_key]
        self.connection.execute(table.update().where(*keys).values(**changes, seal=seal))
        self._add(subject, name_row(table, whole), seal)
        if ends(table.name, before, whole):
            self.on_ended(name_row(table, whole))

    def remove(self, table: Table, row: Row[Any], subject: bytes | None) -> None:
        """Delete a row; the journal says that it was there."""
        before = dict(row._mapping)
        self.connection.execute(table.delete().where(*(one == before[one.name] for one in table.primary_key)))
        self._add(subject, name_row(table, before), None)

    def note(self, subject: bytes | None) -> None:
        """Say that somebody's record was read, or that something was done that no row keeps."""
        self._add(subject, "", None)

    def _add(self, subject: bytes | None, place: str, seal: bytes | None) -> None:
        last = self.connection.execute(select(_heads.c.size, _heads.c.hash)).first()
        size, previous = (0, b"") if last is None else (last[0], bytes(last[1]))
        entry = {
            "seq": size + 1,
            "at": self.now,
            "actor": self._actor,
            "subject": subject,
            "action": str(self._action),
            "purpose": str(self._purpose),
            "op": self._op,
            "place": place,
            "seal": seal,
        }
        hash_ = compute_link(self._book_key, previous, link_values(entry))
        self.connection.execute(_journal.insert().values(**entry, hash=hash_))
        head = {"size": size + 1, "hash": hash_, "seal": compute_seal(self._book_key, "head", [size + 1, hash_])}
        if last is None:
            self.connection.execute(_heads.insert().values(id=1, **head))
        else:
            self.connection.execute(_heads.update().values(**head))
        self.count += 1


def _default(column: Any) -> Any:
    """Return what the database would put there, so that it is under the seal."""
    told = column.server_default
    if told is None:
        return None
    text = str(told.arg)
    return int(text) if text.isdigit() else text
