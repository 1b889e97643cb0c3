"""Making, checking and revoking the keys of a base's doors.

A key reads `cmd_<id>_<secret>`. The secret is 32 random bytes, so a plain hash keeps it well; comparing takes the same
time whether or not it is right. Keys in force are remembered: the process that holds the book is the only one that
changes them. A key is made on the machine, never by another key: whoever stole one cannot make himself a second.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Table, select

from node.doors.duties import Caller, Duty, KeyNotKnown
from node.doors.endings import HeldKey
from node.doors.endings_store import load_held
from protocol.book.service import Book
from protocol.book.worker import Page
from protocol.errors import IdMismatch, Malformed, Refusal
from protocol.identifiers import Id16

PREFIX: Final = "cmd"
NAME_MAX: Final = 80
KEY_ID_BYTES: Final = 6
SECRET_BYTES: Final = 32
_COLUMNS: Final = ("id", "asked", "secret_hash", "name", "duties", "company", "at", "revoked_at")

Seal = Callable[[Mapping[str, Any]], dict[str, Any]]


class DoorKeyUnknown(Refusal):
    """Facts: key."""

    code = "door_key_unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDoorKey:
    """A key to be made, by the id of who asks; key id and secret come from fresh entropy. Raises Malformed.

    `name` is the officer that it is issued to, as the base writes down who does something: a word, in the people's base an
    id. Two keys of one name are one officer's.
    """

    asked: Id16
    id: str
    secret: str
    name: str
    duties: tuple[Duty, ...]
    company: str = ""

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= NAME_MAX or not self.name.isprintable():
            raise Malformed(field="name", reason=f"a key's name is 1 to {NAME_MAX} printable symbols")
        if Duty.COMPANY in self.duties and not self.company:
            raise Malformed(field="company", reason="a key of a company's office names the company")
        if self.company and not {Duty.COMPANY, Duty.READER}.issuperset(self.duties):
            raise Malformed(field="company", reason="a key for one company is company's or reader's")

    @property
    def text(self) -> str:
        """What is shown once."""
        return f"{PREFIX}_{self.id}_{self.secret}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeKey:
    """What became of it: `is_repeat` where it was made before, and its secret shown then."""

    id: str
    is_repeat: bool


class KeyDesk:
    """The keys of one base. `seal` gives a row its seal, as the base seals its rows; `on_revoked` hears of each that ends."""

    def __init__(
        self,
        book: Book,
        table: Table,
        seal: Seal,
        *,
        on_revoked: Callable[[Page, str], None] = lambda _page, _key: None,
    ) -> None:
        self._book = book
        self._table = table
        self._seal = seal
        self._on_revoked = on_revoked
        self._changes = 0
        self._known: tuple[int, Mapping[str, tuple[Caller, bytes]]] = (-1, {})

    async def authorise(self, text: str) -> Caller:
        """Return what a key's text allows. Raises KeyNotKnown."""
        changes, known = self._known
        if changes != self._changes:
            changes = self._changes
            known = await self._book.read(self._load_in_force)
            self._known = (changes, known)
        prefix, _, rest = text.partition("_")
        id_, _, secret = rest.partition("_")
        found = known.get(id_)
        is_right = hmac.compare_digest(_hash(secret), bytes(32) if found is None else found[1])
        if prefix != PREFIX or found is None or not is_right:
            raise KeyNotKnown
        return found[0]

    def make(self, page: Page, items: Sequence[NewDoorKey]) -> list[MadeKey | Refusal]:
        """Keep each key's hash. One that was asked for before under the same id is the same."""
        page.after_commit(KeyDesk, self.note_change)
        results: list[MadeKey | Refusal] = []
        for item in items:
            try:
                results.append(self._make(page, item))
            except Refusal as refusal:
                results.append(refusal)
        return results

    def revoke(self, page: Page, items: Sequence[str]) -> list[int | Refusal]:
        """End keys at once; return since when. One that was revoked before keeps its instant."""
        page.after_commit(KeyDesk, self.note_change)
        results: list[int | Refusal] = []
        for id_ in items:
            row = page.connection.execute(select(self._table).where(self._table.c.id == id_)).first()
            if row is None:
                results.append(DoorKeyUnknown(key=id_[:40]))
                continue
            at = page.now if row.revoked_at is None else row.revoked_at
            if row.revoked_at is None:
                self._on_revoked(page, id_)
            values = {name: row._mapping[name] for name in _COLUMNS} | {"revoked_at": at}
            page.connection.execute(self._table.update().where(self._table.c.id == id_).values(**self._seal(values)))
            results.append(at)
        return results

    def list_held(self, page: Page) -> list[HeldKey]:
        """Return all keys, ended ones too, as the page has them."""
        return load_held(page.connection, self._table)

    def end(self, page: Page, ids: Sequence[str]) -> None:
        """End keys that are known: the duty of their officer is over."""
        if ids:
            self.revoke(page, ids)

    def note_recovery(self, page: Page) -> None:
        """The base came back from an old copy in this page: keys are read again."""
        page.after_commit(KeyDesk, self.note_change)

    def note_change(self) -> None:
        """Called by the writer's thread: a reading that began before counts for nothing."""
        self._changes += 1

    def load_all(self, connection: Connection) -> list[Any]:
        """Return the rows of all keys, the oldest first."""
        return list(connection.execute(select(self._table).order_by(self._table.c.at, self._table.c.id)))

    def _make(self, page: Page, item: NewDoorKey) -> MadeKey:
        table = self._table
        kept = page.connection.execute(select(table).where(table.c.asked == item.asked)).first()
        duties = " ".join(item.duties)
        if kept is not None:
            for field, was, told in (
                ("name", kept.name, item.name),
                ("duties", kept.duties, duties),
                ("company", kept.company, item.company),
            ):
                if was != told:
                    raise IdMismatch(id=item.asked.hex(), field=field)
            return MadeKey(id=kept.id, is_repeat=True)
        values = {
            "id": item.id,
            "asked": item.asked,
            "secret_hash": _hash(item.secret),
            "name": item.name,
            "duties": duties,
            "company": item.company,
            "at": page.now,
            "revoked_at": None,
        }
        page.connection.execute(table.insert().values(**self._seal(values)))
        return MadeKey(id=item.id, is_repeat=False)

    def _load_in_force(self, connection: Connection) -> dict[str, tuple[Caller, bytes]]:
        rows = connection.execute(select(self._table).where(self._table.c.revoked_at.is_(None)))
        return {
            row.id: (
                Caller(
                    key=row.id, duties=frozenset(map(Duty, row.duties.split())), officer=row.name, company=row.company
                ),
                bytes(row.secret_hash),
            )
            for row in rows
        }


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="surrogateescape")).digest()
