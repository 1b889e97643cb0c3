"""Making, checking and revoking keys of programs.

A key reads `cmk_<id>_<secret>`. The secret is 32 random bytes, so a plain hash keeps it well; comparing takes the same
time whether or not it is right.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, select, update

from node.access.tables import api_keys
from protocol.book.service import Page
from protocol.errors import Malformed, Refusal
from protocol.times import Instant

PREFIX: Final = "cmk"


class Scope(StrEnum):
    """What a key may do."""

    READ = "read"
    CREDIT = "credit"
    CEDE = "cede"
    ACCOUNTS = "accounts"


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
    """A key to be made; the secret is made by the caller from fresh entropy."""

    id: str
    secret: str
    name: str
    scopes: tuple[Scope, ...]
    account: str = ""

    @property
    def text(self) -> str:
        return f"{PREFIX}_{self.id}_{self.secret}"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a valid key allows."""

    id: str
    scopes: frozenset[str]
    account: str

    def require(self, scope: Scope, account: str = "") -> None:
        """Raise NotAllowed unless the key has the scope and is not bound to another account."""
        if scope not in self.scopes:
            raise NotAllowed(scope=str(scope))
        if self.account and account and account != self.account:
            raise NotAllowed(scope=f"{scope} {account}")


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def make_key(page: Page, items: Sequence[NewKey]) -> list[str]:
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
    return [item.id for item in items]


def revoke_key(page: Page, items: Sequence[str]) -> list[Instant | Refusal]:
    """End keys at once."""
    results: list[Instant | Refusal] = []
    for id_ in items:
        changed = page.connection.execute(
            update(api_keys).where(api_keys.c.id == id_, api_keys.c.revoked_at.is_(None)).values(revoked_at=page.now)
        )
        results.append(page.now if changed.rowcount else KeyUnknown(path=id_))
    return results


def load_keys(connection: Connection) -> list[dict[str, Any]]:
    """Return all keys, without their secrets."""
    rows = connection.execute(
        select(
            api_keys.c.id,
            api_keys.c.name,
            api_keys.c.scopes,
            api_keys.c.account,
            api_keys.c.made_at,
            api_keys.c.revoked_at,
        ).order_by(api_keys.c.made_at)
    )
    return [dict(row._mapping) for row in rows]


def find_grant(connection: Connection, text: str) -> Grant:
    """Return what a key's text allows. Raises NotAuthorised."""
    prefix, _, rest = text.partition("_")
    id_, _, secret = rest.partition("_")
    row = connection.execute(
        select(api_keys.c.secret_hash, api_keys.c.scopes, api_keys.c.account, api_keys.c.revoked_at).where(
            api_keys.c.id == id_[:64]
        )
    ).first()
    stored = bytes(32) if row is None else bytes(row.secret_hash)
    is_right = hmac.compare_digest(_hash(secret), stored)
    if prefix != PREFIX or row is None or not is_right or row.revoked_at is not None:
        raise NotAuthorised
    return Grant(id_, frozenset(row.scopes.split()), row.account)


def require_scopes(words: str) -> tuple[Scope, ...]:
    """Return the scopes of a comma-separated text. Raises Malformed."""
    try:
        return tuple(Scope(word.strip()) for word in words.split(",") if word.strip())
    except ValueError:
        known = ", ".join(Scope)
        raise Malformed(reason=f"scopes are {known}") from None
