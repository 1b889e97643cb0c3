"""Who may sign here, bearers with their proofs, and the change of a bearer's account by two stewards after a delay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from node.governance import tables
from node.governance.answering import answer_each
from node.governance.bearers import HOLDER_MAX, Bearer, Proof, require_category, require_iban
from node.governance.days import local_day, write_day
from node.governance.errors import InvalidBearer, InvalidMember, SignatureRefused, SignerUnknown
from node.governance.parameters_store import load_eligibility
from node.governance.settings import ProjectsSettings
from node.governance.signers import TITLE_MAX, IbanWords, SignerRole, write_words
from node.governance.store import change, load_bearer, load_proofs, make_bearer, note_asked, save, was_asked
from node.governance.texts import is_line
from protocol.book.worker import Page
from protocol.errors import IdMismatch, Refusal
from protocol.identifiers import Id16, format_id
from protocol.keys import Domain, PublicKeys, is_signed
from protocol.times import HOUR_MS

_signers, _bearers, _changes = tables.signers, tables.bearers, tables.iban_changes
_bearer_signers = tables.bearer_signers


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSigner:
    """Somebody who may sign. `title` is a function or a pseudonym, as minutes show it. Raises InvalidMember.

    `bearer` is the body that a key of that role speaks for, and None for all other roles.
    """

    role: SignerRole
    title: str
    keys: PublicKeys
    bearer: Id16 | None = None

    def __post_init__(self) -> None:
        if (self.role is SignerRole.BEARER) is (self.bearer is None):
            raise InvalidMember(field="bearer", reason="named for a key that speaks for a bearer, and for no other")
        if not is_line(self.title, TITLE_MAX):
            raise InvalidMember(field="title", reason=f"one line of 1 to {TITLE_MAX} symbols")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedChange:
    """A steward's signature over another account of a bearer."""

    words: IbanWords
    key: bytes
    signature: bytes


def require_signer(connection: Connection, key: bytes) -> Any:
    """Return who signs with a key, as a row. Raises SignatureRefused where it is unknown or revoked."""
    row = connection.execute(select(_signers).where(_signers.c.key == key)).first()
    if row is None or row.revoked_at is not None:
        raise SignatureRefused(signer=key.hex(), reason="unknown or revoked")
    return row


def require_signature(
    connection: Connection, key: bytes, role: SignerRole, domain: Domain, body: bytes, signature: bytes
) -> Any:
    """Return who signed, as a row. Raises SignatureRefused."""
    row = require_signer(connection, key)
    if row.role != role:
        raise SignatureRefused(signer=row.title, reason=f"signs as {row.role}, not as {role}")
    if not is_signed(bytes(row.signing), domain, body, signature):
        raise SignatureRefused(signer=row.title, reason="the signature does not fit these words")
    return row


def find_spoken_for(connection: Connection, key: bytes) -> Id16 | None:
    """Return the bearer that a key speaks for, or None."""
    bearer = connection.execute(select(_bearer_signers.c.bearer).where(_bearer_signers.c.key == key)).scalar()
    return None if bearer is None else Id16(bytes(bearer))


class SignerDesk:
    """Operations for the book's writer, on signers, bearers and their accounts."""

    def __init__(
        self, settings: ProjectsSettings, *, on_revoked: Callable[[Page, bytes], None] = lambda _page, _key: None
    ) -> None:
        """`on_revoked` is called in the page in which a key was revoked: what hangs on it ends with it."""
        self._settings = settings
        self._on_revoked = on_revoked

    def add(self, page: Page, items: Sequence[NewSigner]) -> list[bytes | Refusal]:
        """Register public keys; return how they are named. The same again is the same."""
        return answer_each(items, lambda item: self._add(page, item))

    def revoke(self, page: Page, items: Sequence[bytes]) -> list[bytes | Refusal]:
        """From now on these keys sign nothing; ballots of votes that still run are struck out."""
        return answer_each(items, lambda item: self._revoke(page, item))

    def end(self, page: Page, key: bytes) -> bool:
        """End a key because the duty of its owner is over; tell whether it is known here. One that was ended stays so."""
        row = page.connection.execute(select(_signers.c.revoked_at).where(_signers.c.key == key)).first()
        if row is not None and row.revoked_at is None:
            self._revoke(page, key)
        return row is not None

    def save_bearers(self, page: Page, items: Sequence[Bearer]) -> list[Id16 | Refusal]:
        """Enter each body that the law lets a fund pay, or what is new of it. An account is changed by two stewards only."""
        return answer_each(items, lambda item: self._save_bearer(page, item))

    def add_proofs(self, page: Page, items: Sequence[Proof]) -> list[Id16 | Refusal]:
        """Keep proofs of eligibility. The same again is the same."""
        return answer_each(items, lambda item: self._add_proof(page, item))

    def change_ibans(self, page: Page, items: Sequence[SignedChange]) -> list[int | Refusal]:
        """Take one steward's wish for another account, or a second one's word on it; return when it holds, or 0."""
        return answer_each(items, lambda item: self._change_iban(page, item))

    def apply_changes(self, page: Page, items: Sequence[None]) -> list[int]:
        """Use the accounts whose change was confirmed and whose delay is over; return how many.

        The delay is there to be used: where one of the two keys was revoked meanwhile, the change does not hold.
        """
        due = page.connection.execute(
            select(_changes)
            .where(
                _changes.c.confirmed_by.is_not(None),
                _changes.c.applied_at.is_(None),
                _changes.c.effective_at <= page.now,
            )
            .order_by(_changes.c.at, _changes.c.id)
        ).all()
        due = [row for row in due if _is_signed_still(page.connection, row)]
        for row in due:
            change(page.connection, _bearers, _bearers.c.id == row.bearer, iban=row.iban, holder_name=row.holder_name)
            change(page.connection, _changes, _changes.c.id == row.id, applied_at=page.now)
        return [len(due) for _ in items]

    def drop_changes(self, page: Page, items: Sequence[Id16]) -> list[Id16 | Refusal]:
        """Let a change lapse that one steward asked for and no second one confirmed, or where one of both signs no more."""
        return answer_each(items, lambda item: self._drop(page, item))

    # One at a time.

    def _add(self, page: Page, one: NewSigner) -> bytes:
        key = one.keys.id
        known = page.connection.execute(select(_signers).where(_signers.c.key == key)).first()
        if known is None:
            if one.bearer is not None:
                load_bearer(page.connection, one.bearer)
            save(
                page.connection,
                _signers,
                key=key,
                role=one.role,
                title=one.title,
                signing=one.keys.signing,
                sealing=one.keys.sealing,
                at=page.now,
            )
            if one.bearer is not None:
                save(page.connection, _bearer_signers, key=key, bearer=one.bearer, at=page.now)
        elif (known.role, known.title) != (one.role, one.title):
            raise IdMismatch(id=key.hex(), field="role" if known.role != one.role else "title")
        elif find_spoken_for(page.connection, key) != one.bearer:
            raise IdMismatch(id=key.hex(), field="bearer")
        return key

    def _revoke(self, page: Page, key: bytes) -> bytes:
        done = change(
            page.connection, _signers, _signers.c.key == key, _signers.c.revoked_at.is_(None), revoked_at=page.now
        )
        if not done:
            raise SignerUnknown(signer=key.hex())
        self._on_revoked(page, key)
        return key

    def _save_bearer(self, page: Page, one: Bearer) -> Id16:
        today = write_day(local_day(page.now, self._settings.zone))
        require_category(one.registry, one.category, load_eligibility(today))
        known = page.connection.execute(select(_bearers).where(_bearers.c.id == one.id)).first()
        if known is None:
            other = page.connection.execute(select(_bearers.c.id).where(_bearers.c.registry == one.registry)).scalar()
            if other is not None:
                raise InvalidBearer(
                    field="registry", reason=f"{one.registry} is entered already, as {bytes(other).hex()}"
                )
            save(
                page.connection,
                _bearers,
                id=one.id,
                registry=one.registry,
                name=one.name,
                category=one.category,
                holder_name=one.holder_name,
                iban=one.iban,
                at=page.now,
            )
            return one.id
        kept = make_bearer(known)
        for field in ("registry", "iban", "holder_name"):
            if getattr(kept, field) != getattr(one, field):
                raise IdMismatch(id=format_id(one.id), field=field)
        if kept != one:
            change(page.connection, _bearers, _bearers.c.id == one.id, name=one.name, category=one.category)
        return one.id

    def _add_proof(self, page: Page, one: Proof) -> Id16:
        load_bearer(page.connection, one.bearer)
        known = [proof for proof in load_proofs(page.connection, one.bearer) if proof.id == one.id]
        if known:
            if known[0] != one:
                raise IdMismatch(id=format_id(one.id), field="proof")
            return one.id
        content = ("proof", one.bearer, str(one.kind), one.digest, one.issued_on, one.valid_until)
        was_asked(page.connection, one.id, *content)
        note_asked(page, one.id, *content)
        save(
            page.connection,
            tables.proofs,
            id=one.id,
            bearer=one.bearer,
            kind=one.kind,
            digest=one.digest,
            issued_on=one.issued_on,
            valid_until=one.valid_until,
            at=page.now,
        )
        return one.id

    def _change_iban(self, page: Page, signed: SignedChange) -> int:
        words, connection = signed.words, page.connection
        if words.territory != self._settings.home:
            raise SignatureRefused(signer=signed.key.hex(), reason=f"signed for {words.territory}")
        steward = require_signature(
            connection, signed.key, SignerRole.STEWARD, Domain.OFFICER, write_words(words), signed.signature
        )
        if require_iban(words.iban) != words.iban or not is_line(words.holder_name, HOLDER_MAX):
            raise InvalidBearer(field="iban", reason="written without spaces, with its holder")
        bearer = load_bearer(connection, words.bearer)
        known = connection.execute(select(_changes).where(_changes.c.id == words.id)).first()
        if known is None:
            save(
                connection,
                _changes,
                id=words.id,
                bearer=words.bearer,
                holder_name=words.holder_name,
                iban=words.iban,
                before_holder_name=bearer.holder_name,
                before_iban=bearer.iban,
                asked_by=signed.key,
                asked_signature=signed.signature,
                at=page.now,
                effective_at=page.now + self._settings.iban_change_hours * HOUR_MS,
            )
            return 0
        if (bytes(known.bearer), known.holder_name, known.iban) != (words.bearer, words.holder_name, words.iban):
            raise IdMismatch(id=words.id.hex(), field="iban")
        if bytes(known.asked_by) == signed.key:
            if known.confirmed_by is None:
                raise SignatureRefused(signer=signed.key.hex(), reason="a second person confirms, not the same")
            return int(known.effective_at)
        if known.confirmed_by is None:
            asked_by = connection.execute(select(_signers).where(_signers.c.key == known.asked_by)).one()
            if asked_by.revoked_at is not None:
                raise SignatureRefused(signer=asked_by.title, reason="who asked for it signs no more: ask anew")
            require_another(asked_by, steward)
            change(
                connection,
                _changes,
                _changes.c.id == words.id,
                confirmed_by=signed.key,
                confirmed_signature=signed.signature,
            )
        return int(known.effective_at)

    def _drop(self, page: Page, id_: Id16) -> Id16:
        row = page.connection.execute(select(_changes).where(_changes.c.id == id_)).first()
        if row is None or row.applied_at is not None or (row.confirmed_by and _is_signed_still(page.connection, row)):
            raise SignatureRefused(signer="steward", reason="no such change, or two people confirmed it")
        page.connection.execute(_changes.delete().where(_changes.c.id == id_))
        return id_


def require_another(first: Any, second: Any) -> None:
    """Let through two signers' rows that are two people: one may have two keys. Raises SignatureRefused."""
    if first.title == second.title:
        raise SignatureRefused(signer=second.title, reason="a second person confirms, not the same with another key")


def _is_signed_still(connection: Connection, row: Any) -> bool:
    """Tell whether both keys that signed a change of account still hold."""
    both = (_signers.c.key.in_((row.asked_by, row.confirmed_by)), _signers.c.revoked_at.is_(None))
    return len(connection.execute(select(_signers.c.key).where(*both)).all()) == 2


def list_signers(connection: Connection) -> list[Any]:
    """Return who may sign, as rows; `registry` is the body that a bearer's key speaks for."""
    return list(
        connection.execute(
            select(_signers, _bearers.c.registry)
            .outerjoin(_bearer_signers, _bearer_signers.c.key == _signers.c.key)
            .outerjoin(_bearers, _bearers.c.id == _bearer_signers.c.bearer)
            .order_by(_signers.c.at, _signers.c.key)
        ).all()
    )


def list_bearers(connection: Connection) -> list[Bearer]:
    """Return the bearers, the oldest first."""
    return [make_bearer(row) for row in connection.execute(select(_bearers).order_by(_bearers.c.at, _bearers.c.id))]
