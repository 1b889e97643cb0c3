"""Making, checking and revoking keys of programs.

A key reads `cmk_<id>_<secret>`. The secret is 32 random bytes, so a plain hash keeps it well; comparing takes the same
time whether or not it is right.

Why are keys kept in memory? Every request shows one. The process that holds the book is the only one that changes
them, so what it remembers is true until it changes them itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, select, update

from node.access.tables import api_keys
from node.doors.endings import HeldKey
from protocol.book.service import Book, Page
from protocol.errors import Malformed, Refusal
from protocol.times import Instant, day_of

PREFIX: Final = "cmk"
NAME_MAX: Final = 80


class Scope(StrEnum):
    """What a key may do. `admin` may do all of it."""

    READ = "read"
    CREDIT = "credit"
    CEDE = "cede"
    ACCOUNTS = "accounts"
    PROJECTS = "projects"  # speak for accounts at the projects' doors: propose, comment, volunteer
    ADMIN = "admin"


class NotAuthorised(Refusal):
    """No key, or none that is known and in force."""

    code = "not_authorised"


class NotAllowed(Refusal):
    """The key lacks a scope, or is bound to another account. Facts: scope."""

    code = "not_allowed"


class KeyUnknown(Refusal):
    """Facts: path (the key's id)."""

    code = "not_found"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be made; the secret is made by the caller from fresh entropy. Raises Malformed."""

    id: str
    secret: str
    name: str
    scopes: tuple[Scope, ...]
    account: str = ""

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= NAME_MAX or not self.name.isprintable():
            raise Malformed(field="name", reason=f"a key's name is 1 to {NAME_MAX} printable characters")

    @property
    def text(self) -> str:
        return f"{PREFIX}_{self.id}_{self.secret}"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a valid key allows. `account` is the one account it may touch, or empty for all."""

    id: str
    scopes: frozenset[str]
    account: str

    def require(self, scope: Scope, *accounts: str) -> None:
        """Raise NotAllowed unless the key has the scope and is not bound to an account other than one of these."""
        if scope not in self.scopes and Scope.ADMIN not in self.scopes:
            raise NotAllowed(scope=str(scope))
        if self.account and accounts and self.account not in accounts:
            raise NotAllowed(scope=f"{scope} ({accounts[0]})" if accounts[0] else str(scope))

    def require_unbound(self, scope: Scope) -> None:
        """Raise NotAllowed unless the key has the scope for every account."""
        self.require(scope, "")


@dataclass(slots=True)
class _Key:
    """A key in force, as this process remembers it."""

    grant: Grant
    secret_hash: bytes
    used_day: int


class AccessDesk:
    """Who may do what, for the process that holds the book."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._changes = 0
        self._known: tuple[int, Mapping[str, _Key]] = (-1, {})  # the number of changes seen, and the keys in force
        self._met: dict[bytes, _Key] = {}  # keys that were right since then, by the digest of their whole text

    async def authorise(self, text: str) -> Grant:
        """Return what a key's text allows. Raises NotAuthorised."""
        keys = await self._load()
        digest = _hash(text)
        key = self._met.get(digest)
        if key is None:
            key = _find_key(keys, text)
            self._met[digest] = key
        today = day_of(self._book.clock())
        if key.used_day < today:
            key.used_day = today
            self._book.submit(note_use, (key.grant.id, today)).add_done_callback(_forget_failure)
        return key.grant

    async def _load(self) -> Mapping[str, _Key]:
        changes, keys = self._known
        if changes != self._changes:
            changes = self._changes
            keys = await self._book.read(_load_in_force)
            self._known = (changes, keys)
            self._met = {}
        return keys

    def make(self, page: Page, items: Sequence[NewKey]) -> list[str]:
        """Keep each key's hash; return its id."""
        for item in items:
            page.connection.execute(
                api_keys.insert().values(
                    id=item.id,
                    secret_hash=_hash(item.secret),
                    name=item.name,
                    scopes=" ".join(item.scopes),
                    account=item.account,
                    made_at=page.now,
                )
            )
        page.after_commit(AccessDesk, self._note_change)
        return [item.id for item in items]

    def revoke(self, page: Page, items: Sequence[str]) -> list[Instant | Refusal]:
        """End keys at once. A key that was revoked before keeps its instant."""
        results: list[Instant | Refusal] = []
        for id_ in items:
            page.connection.execute(
                update(api_keys)
                .where(api_keys.c.id == id_, api_keys.c.revoked_at.is_(None))
                .values(revoked_at=page.now)
            )
            at = page.connection.execute(select(api_keys.c.revoked_at).where(api_keys.c.id == id_)).scalar()
            results.append(KeyUnknown(path=id_[:40]) if at is None else at)
        page.after_commit(AccessDesk, self._note_change)
        return results

    def list_held(self, page: Page) -> list[HeldKey]:
        """Return all keys, ended ones too, as the page has them: their scopes are no duties of doors."""
        return load_held(page.connection)

    def end(self, page: Page, ids: Sequence[str]) -> None:
        """End keys that are known: the duty of whoever they were made for is over."""
        if ids:
            self.revoke(page, ids)

    def _note_change(self) -> None:
        """Called by the writer's thread: a reading that began before counts for nothing."""
        self._changes += 1


def _find_key(keys: Mapping[str, _Key], text: str) -> _Key:
    """Return the key in force that has this text. Raises NotAuthorised."""
    prefix, _, rest = text.partition("_")
    id_, _, secret = rest.partition("_")
    key = keys.get(id_)
    is_right = hmac.compare_digest(_hash(secret), bytes(32) if key is None else key.secret_hash)
    if prefix != PREFIX or key is None or not is_right:
        raise NotAuthorised
    return key


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="surrogateescape")).digest()


def _forget_failure(future: asyncio.Future[Any]) -> None:
    """The day of use is worth no more than a try."""
    if not future.cancelled():
        future.exception()


def note_use(page: Page, items: Sequence[tuple[str, int]]) -> list[None]:
    """Keep the last day on which keys were used."""
    for id_, day in items:
        page.connection.execute(update(api_keys).where(api_keys.c.id == id_).values(used_day=day))
    return [None] * len(items)


def _load_in_force(connection: Connection) -> dict[str, _Key]:
    rows = connection.execute(select(api_keys).where(api_keys.c.revoked_at.is_(None)))
    return {
        row.id: _Key(
            Grant(row.id, frozenset(row.scopes.split()), row.account), bytes(row.secret_hash), row.used_day or -1
        )
        for row in rows
    }


def load_keys(connection: Connection) -> list[dict[str, Any]]:
    """Return all keys, the oldest first, without their secrets."""
    rows = connection.execute(
        select(
            api_keys.c.id,
            api_keys.c.name,
            api_keys.c.scopes,
            api_keys.c.account,
            api_keys.c.made_at,
            api_keys.c.revoked_at,
            api_keys.c.used_day,
        ).order_by(api_keys.c.made_at, api_keys.c.id)
    )
    return [dict(row._mapping) for row in rows]


def load_held(connection: Connection) -> list[HeldKey]:
    """Return all keys as they end with a duty."""
    return [
        HeldKey(
            id=row["id"],
            name=row["name"],
            duties=frozenset(row["scopes"].split()),
            made_at=row["made_at"],
            is_live=row["revoked_at"] is None,
        )
        for row in load_keys(connection)
    ]


def require_scopes(words: str) -> tuple[Scope, ...]:
    """Return the scopes of a comma-separated text. Raises Malformed."""
    try:
        scopes = tuple(Scope(word.strip()) for word in words.split(",") if word.strip())
    except ValueError:
        scopes = ()
    if not scopes:
        raise Malformed(reason=f"scopes are some of {', '.join(Scope)}, with commas")
    return scopes
