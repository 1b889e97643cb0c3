"""Tills and offices of companies, and what they prove themselves with.

A credential reads `cmt_<id>_<secret>`. The secret is 32 random bytes, so a plain hash keeps it well; comparing takes the
same time whether or not it is right. A till keeps its number for ever: a new credential is a new till, because the key
that it printed tickets with ends with it.

Why is a revoked credential still known? What a till sold before it was put away is told later, and is taken for a
while. `authorise` says who speaks; `require_in_force`, and for sales `purchases.require_arrival`, whether it may.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from node.partners import store, tables
from node.partners.answering import answer_each
from node.partners.companies import NAME_MAX, Siren, is_line
from node.partners.companies_service import find_donor
from node.partners.decisions_service import find_answer, keep_answer
from node.partners.errors import (
    CompanyUnknown,
    CredentialCompromised,
    CredentialRevoked,
    InvalidTill,
    TillNotAllowed,
    TillNotKnown,
    TillNumberTaken,
    TillUnknown,
)
from node.partners.purchases import Credential, RevocationReason, TillNumber, require_till
from node.partners.seals import seal
from node.partners.tickets import KEY_MAX, TicketKey, derive_till_key
from protocol.book.rows_store import select_rows
from protocol.book.service import Book
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.identifiers import Id16
from protocol.times import Instant

PREFIX: Final = "cmt"
KEY_ID_BYTES: Final = 6
SECRET_BYTES: Final = 32
_tills = tables.tills
_COLUMNS: Final = ("id", "siren", "number", "name", "key_id", "secret_hash", "at", "revoked_at", "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Till:
    """Who speaks: a till, or without a number the company's office."""

    row: int
    key_id: str
    siren: Siren
    number: TillNumber | None
    name: str
    credential: Credential

    def require_in_force(self, now: Instant) -> None:
        """Raise CredentialCompromised or CredentialRevoked where it is in force no more."""
        revoked_at = self.credential.revoked_at
        if revoked_at is None:
            return
        if self.credential.reason is RevocationReason.COMPROMISED:
            raise CredentialCompromised(at=now, revoked_at=revoked_at)
        raise CredentialRevoked(at=now, revoked_at=revoked_at, received_at=now)

    def require_office(self) -> None:
        """Raise TillNotAllowed for a till: some things are for the company's office only."""
        if self.number is not None:
            raise TillNotAllowed(needs="the company's office")

    def require_number(self) -> TillNumber:
        """Return the till's number. Raises TillNotAllowed for an office, which sells nothing."""
        if self.number is None:
            raise TillNotAllowed(needs="a till")
        return self.number


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTill:
    """A till to be made, or an office; id and secret are made by the caller from fresh entropy. Raises InvalidTill."""

    siren: Siren
    number: TillNumber | None
    name: str
    key_id: str
    secret: str
    id: Id16 | None = None  # of who asks: asked again, it is the same credential

    def __post_init__(self) -> None:
        if self.number is not None:
            require_till(self.number)
        if not is_line(self.name, NAME_MAX):
            raise InvalidTill(till=self.number or 0, reason=f"its name is one line of 1 to {NAME_MAX} symbols")

    @property
    def text(self) -> str:
        """What is shown once."""
        return f"{PREFIX}_{self.key_id}_{self.secret}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeTill:
    """End a credential: put away, or lost and stolen."""

    key_id: str
    reason: RevocationReason


class TillDesk:
    """Who speaks, for the process that holds the book."""

    def __init__(self, book: Book, *, ticket_secrets: Mapping[int, bytes]) -> None:
        if not ticket_secrets or max(ticket_secrets) > KEY_MAX:
            raise ValueError(f"ticket secrets are numbered 0 to {KEY_MAX}, and there is one at least")
        self._book = book
        self._secrets = dict(ticket_secrets)
        self._changes = 0
        self._known: tuple[int, Mapping[str, tuple[Till, bytes]]] = (-1, {})

    async def authorise(self, text: str) -> Till:
        """Return whose credential this text is, in force or not. Raises TillNotKnown."""
        changes, known = self._known
        if changes != self._changes:
            changes = self._changes
            known = await self._book.read(_load_credentials)
            self._known = (changes, known)
        prefix, _, rest = text.partition("_")
        key_id, _, secret = rest.partition("_")
        found = known.get(key_id)
        is_right = hmac.compare_digest(_hash(secret), bytes(32) if found is None else found[1])
        if prefix != PREFIX or found is None or not is_right:
            raise TillNotKnown
        return found[0]

    def make(self, page: Page, items: Sequence[NewTill]) -> list[Till | Refusal]:
        """Keep each one's hash."""
        page.after_commit(TillDesk, self.note_change)
        return answer_each(items, lambda item: self._make(page, item))

    def revoke(self, page: Page, items: Sequence[RevokeTill]) -> list[Till | Refusal]:
        """End credentials at once. One that was revoked before keeps its instant; found to be stolen, it is so."""
        page.after_commit(TillDesk, self.note_change)
        return answer_each(items, lambda item: self._revoke(page, item))

    def ticket_key(self, siren: Siren, number: TillNumber) -> TicketKey:
        """Return the key with which this till prints tickets by itself: of the newest secret."""
        newest = max(self._secrets)
        return derive_till_key(newest, self._secrets[newest], siren, number)

    def ticket_keys(self, siren: Siren, number: TillNumber) -> dict[int, TicketKey]:
        """Return all keys that tickets of this till may have been made with."""
        return {key: derive_till_key(key, secret, siren, number) for key, secret in self._secrets.items()}

    def _make(self, page: Page, item: NewTill) -> Till:
        asked = ("till", item.siren, item.number, item.name)
        made = find_answer(page.connection, item.id, *asked)
        if made is not None:
            known = find_till(page.connection, made)
            assert known is not None
            return known
        if find_donor(page.connection, item.siren) is None:
            raise CompanyUnknown(siren=item.siren)
        if item.number is not None:
            taken = select(_tills.c.id).where(_tills.c.siren == item.siren, _tills.c.number == item.number)
            if page.connection.execute(taken).first() is not None:
                raise TillNumberTaken(till=item.number)
        row = store.next_id(page.connection, _tills)
        page.connection.execute(
            _tills.insert().values(
                **seal(
                    "tills",
                    {
                        "id": row,
                        "siren": item.siren,
                        "number": item.number,
                        "name": item.name,
                        "key_id": item.key_id,
                        "secret_hash": _hash(item.secret),
                        "at": page.now,
                    },
                )
            )
        )
        keep_answer(page, item.id, item.key_id, *asked)
        return Till(
            row=row,
            key_id=item.key_id,
            siren=item.siren,
            number=item.number,
            name=item.name,
            credential=Credential(issued_at=page.now),
        )

    def _revoke(self, page: Page, item: RevokeTill) -> Till:
        [*found] = select_rows(page.connection, _tills, _COLUMNS, column="key_id", values=[item.key_id])
        if not found:
            raise TillUnknown(till=item.key_id[:40])
        till = _make_till(found[0])[0]
        is_compromised = RevocationReason.COMPROMISED in (item.reason, till.credential.reason)
        reason = RevocationReason.COMPROMISED if is_compromised else RevocationReason.RETIRED
        revoked_at = page.now if till.credential.revoked_at is None else till.credential.revoked_at
        values = dict(zip(_COLUMNS, found[0], strict=True)) | {"revoked_at": revoked_at, "reason": reason}
        page.connection.execute(_tills.update().where(_tills.c.id == till.row).values(**seal("tills", values)))
        revoked = find_till(page.connection, item.key_id)
        assert revoked is not None
        return revoked

    def note_change(self) -> None:
        """Called by the writer's thread: a reading that began before counts for nothing."""
        self._changes += 1


def find_till(connection: Connection, key_id: str) -> Till | None:
    """Return the till, or office, that has this credential, or None."""
    [*found] = select_rows(connection, _tills, _COLUMNS, column="key_id", values=[key_id])
    return _make_till(found[0])[0] if found else None


def load_tills(connection: Connection, rows: Sequence[int]) -> dict[int, Till]:
    """Return the tills of these rows, as they stand in this transaction."""
    found = select_rows(connection, _tills, _COLUMNS, column="id", values=set(rows))
    return {row[0]: _make_till(row)[0] for row in found}


def find_till_of(connection: Connection, siren: Siren, number: TillNumber) -> Till | None:
    """Return the till of a company by its number, or None."""
    row = connection.execute(
        select(*(_tills.c[name] for name in _COLUMNS)).where(_tills.c.siren == siren, _tills.c.number == number)
    ).first()
    return None if row is None else _make_till(tuple(row))[0]


def list_tills(connection: Connection, siren: Siren) -> list[Till]:
    """Return a company's tills and offices, the oldest first."""
    rows = connection.execute(
        select(*(_tills.c[name] for name in _COLUMNS)).where(_tills.c.siren == siren).order_by(_tills.c.id)
    )
    return [_make_till(tuple(row))[0] for row in rows]


def _load_credentials(connection: Connection) -> dict[str, tuple[Till, bytes]]:
    rows = connection.execute(select(*(_tills.c[name] for name in _COLUMNS)))
    return {row.key_id: _make_till(tuple(row)) for row in rows}


def _make_till(row: Sequence[Any]) -> tuple[Till, bytes]:
    told = dict(zip(_COLUMNS, row, strict=True))
    reason = None if told["reason"] is None else RevocationReason(told["reason"])
    till = Till(
        row=told["id"],
        key_id=told["key_id"],
        siren=Siren(told["siren"]),
        number=None if told["number"] is None else TillNumber(told["number"]),
        name=told["name"],
        credential=Credential(issued_at=told["at"], revoked_at=told["revoked_at"], reason=reason),
    )
    return till, bytes(told["secret_hash"])


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="surrogateescape")).digest()
