"""Enrol and revoke what somebody signs in by; print cards, verify them, and let whoever holds one say who he is."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from node.people import store, tables
from node.people.accounts import LIVING, LinkState
from node.people.authority import Action, Purpose
from node.people.declarations import DeclarationKind, DeclarationState
from node.people.declarations_service import DeclarationDesk
from node.people.errors import (
    AccountTaken,
    IdentityTaken,
    IdentityUnknown,
    PaperCodeLocked,
    PaperCodeWrong,
    StockTooSmall,
    TooManyIdentities,
)
from node.people.identities import (
    PER_PERSON_MAX,
    Credential,
    IdentityKind,
    IdentityState,
    decode_credential,
    encode_credential,
    kind_of,
)
from node.people.journal_store import Journal
from node.people.paper_codes import (
    ATTEMPTS,
    ENTROPY_BYTES,
    HASH_BYTES,
    SALT_BYTES,
    Cost,
    PaperCode,
    hash_secret,
    make_code,
)
from node.people.requests import Card, ClaimCard, Enrol, EnrolPaper, LookAtCard, PrintCards, Revoke
from node.people.room_service import Answer, Room
from node.people.vault import compute_lookup, of_identity, open_sealed, require_open, seal
from protocol.book.worker import Page
from protocol.errors import Malformed, Refusal
from protocol.identifiers import Id16, format_id

CARDS_MAX: Final = 500
_identities, _accounts = tables.identities, tables.accounts


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try with a code, after somebody has computed whether it is right. `identity` is empty where nobody printed it."""

    identity: bytes
    is_right: bool


class IdentityDesk:
    """Operations for the book's writer, on identities."""

    def __init__(self, room: Room, declarations: DeclarationDesk) -> None:
        self._room = room
        self._declarations = declarations

    def handle(self, kind: IdentityKind, value: str) -> bytes:
        return compute_lookup(self._room.book_key, f"identity {kind}", value)

    # Passkeys and accounts elsewhere.

    def enrol(self, page: Page, items: Sequence[Enrol]) -> list[Answer | Refusal]:
        """Enrol each credential; what it holds is sealed under the person's data key."""

        def do(asked: Enrol) -> Answer:
            kind = kind_of(asked.credential)

            def work(journal: Journal) -> Answer:
                store.load_person(page.connection, asked.person)
                key = self._room.data_key(page.connection, asked.person)
                plain, whose = encode_credential(asked.credential), of_identity(asked.id, asked.person)
                sealed = seal(key, plain, whose, self._room.nonce())
                handle = self.handle(kind, asked.credential.handle)
                return self._insert(page, journal, asked.id, kind, handle, asked.person, sealed=sealed)

            return self._room.once(page, asked, Action.IDENTIFY, asked.person, work)

        return self._room.each(page, items, do)

    def enrol_paper(self, page: Page, items: Sequence[EnrolPaper]) -> list[Answer | Refusal]:
        """Enrol a card for each person."""

        def do(asked: EnrolPaper) -> Answer:
            def work(journal: Journal) -> Answer:
                store.load_person(page.connection, asked.person)
                handle = self.handle(IdentityKind.PAPER, asked.found_by)
                paper = {"salt": asked.salt, "hash": asked.hash, "attempts": ATTEMPTS}
                return self._insert(page, journal, asked.id, IdentityKind.PAPER, handle, asked.person, **paper)

            content = [asked.id, asked.by, str(asked.purpose), asked.person]
            return self._room.once(page, asked, Action.IDENTIFY, asked.person, work, content=content)

        return self._room.each(page, items, do)

    def _insert(
        self,
        page: Page,
        journal: Journal,
        id_: Id16,
        kind: IdentityKind,
        handle: bytes,
        person: Id16,
        **more: Any,
    ) -> Answer:
        if store.find_row(page.connection, _identities, handle=handle) is not None:
            raise IdentityTaken()
        held = store.list_rows(page.connection, _identities, person=person)
        if sum(one.state == IdentityState.ACTIVE for one in held) >= PER_PERSON_MAX:
            raise TooManyIdentities(at_most=PER_PERSON_MAX)
        values = {"id": id_, "kind": str(kind), "handle": handle, "person": person, "attempts": 0, **more}
        journal.insert(_identities, person, {**values, "state": str(IdentityState.ACTIVE)})
        return {"identity": format_id(id_), "kind": str(kind)}

    def revoke(self, page: Page, items: Sequence[Revoke]) -> list[Answer | Refusal]:
        """End each identity: it signs in no more."""

        def do(asked: Revoke) -> Answer:
            def work(journal: Journal) -> Answer:
                row = store.find_row(page.connection, _identities, id=asked.what, person=asked.person)
                if row is None:
                    raise IdentityUnknown(identity=format_id(asked.what))
                journal.change(_identities, row, asked.person, state=str(IdentityState.REVOKED))
                return {"identity": format_id(asked.what), "state": str(IdentityState.REVOKED)}

            return self._room.once(page, asked, Action.IDENTIFY, asked.person, work)

        return self._room.each(page, items, do)

    def sign_in(self, page: Page, items: Sequence[tuple[IdentityKind, str]]) -> list[Answer | Refusal]:
        """Return whose identity this is, with its credential for the portal to verify; a sleeper wakes up."""

        def do(item: tuple[IdentityKind, str]) -> Answer:
            kind, value = item
            row = store.find_row(page.connection, _identities, handle=self.handle(kind, value))
            if row is None or row.kind == IdentityKind.PAPER or row.state != IdentityState.ACTIVE:
                raise IdentityUnknown(identity=str(kind))
            credential = load_credential(page.connection, self._room, row)
            told: Answer = {
                "identity": format_id(bytes(row.id)),
                "person": format_id(bytes(row.person)),
                "kind": row.kind,
            }
            if hasattr(credential, "public_key"):
                told["public_key"] = credential.public_key.hex()
            self._arrive(page, row)
            return told

        return self._room.each(page, items, do)

    def _arrive(self, page: Page, row: Row[Any]) -> None:
        """Note a sign-in; it ends a dormancy that was declared."""
        person = None if row.person is None else bytes(row.person)
        journal = self._room.open_journal(
            page, Action.SIGN_IN, Purpose.SIGN_IN, actor=None if person is None else Id16(person)
        )
        journal.note(person)
        if person is None:
            return
        for one in store.list_rows(page.connection, tables.declarations, person=person):
            is_asleep = one.kind == DeclarationKind.DORMANCY and one.state == DeclarationState.DECLARED
            if is_asleep and self._room.day(page.now) <= one.reversible_until:
                self._declarations.take_back(page, journal, one)

    # Cards.

    def make_cards(self, count: int, cost: Cost) -> list[tuple[PaperCode, Card]]:
        """Return new codes with what is kept of them. Slow, by design: not for the writer's thread."""
        if not 1 <= count <= CARDS_MAX:
            raise Malformed(field="count", reason=f"1 to {CARDS_MAX} at once")
        made = []
        for _ in range(count):
            code, salt = make_code(self._room.random(ENTROPY_BYTES)), self._room.random(SALT_BYTES)
            made.append((code, Card(found_by=code.found_by, salt=salt, hash=hash_secret(code.secret, salt, cost))))
        return made

    def print_cards(self, page: Page, items: Sequence[PrintCards]) -> list[Answer | Refusal]:
        """Give each card an account that is free, in no order that says anything."""

        def do(asked: PrintCards) -> Answer:
            count = len(asked.cards)

            def work(journal: Journal) -> Answer:
                used = select(_identities.c.account).where(_identities.c.account.is_not(None))
                free = page.connection.execute(
                    select(_accounts)
                    .where(
                        _accounts.c.person.is_(None),
                        _accounts.c.state == str(LinkState.OPEN),
                        _accounts.c.id.not_in(used),
                    )
                    .order_by(_accounts.c.id)
                    .limit(count)
                ).all()
                if len(free) < count:
                    raise StockTooSmall(asked=count, free=len(free))
                for card, account in zip(asked.cards, free, strict=True):
                    values = {
                        "id": self._room.new_id(),
                        "kind": str(IdentityKind.PAPER),
                        "handle": self.handle(IdentityKind.PAPER, card.found_by),
                        "account": bytes(account.id),
                        "salt": card.salt,
                        "hash": card.hash,
                        "attempts": ATTEMPTS,
                        "state": str(IdentityState.ACTIVE),
                    }
                    journal.insert(_identities, None, values)
                return {"accounts": [account.number for account in free]}

            content = [asked.id, asked.by, str(asked.purpose), count]
            return self._room.once(page, asked, Action.HAND_OUT, None, work, content=content)

        return self._room.each(page, items, do)

    def look(self, page: Page, items: Sequence[LookAtCard]) -> list[Answer | Refusal]:
        """Note that an officer tries a card, before anything is told of it: whose card it is sees that in his journal."""

        def do(asked: LookAtCard) -> Answer:
            self._room.require_entitled(page, Action.READ, asked.by, None)
            row = store.find_row(page.connection, _identities, handle=self.handle(IdentityKind.PAPER, asked.found_by))
            journal = self._room.open_journal(page, Action.READ, asked.purpose, actor=asked.by, op=asked.id)
            journal.note(None if row is None else _whose(row))
            return {}

        return self._room.each(page, items, do)

    def spend_attempt(self, page: Page, items: Sequence[str]) -> list[tuple[bytes, bytes, bytes] | Refusal]:
        """Take one of the attempts of the card that is found by this; return (identity, salt, hash).

        It is spent before anybody computes anything: a thousand tries at once are no more than five.
        """

        def do(found_by: str) -> tuple[bytes, bytes, bytes]:
            handle = self.handle(IdentityKind.PAPER, found_by)
            row = store.find_row(page.connection, _identities, handle=handle)
            if row is None or row.state == IdentityState.REVOKED:
                # What nobody printed costs as much time as what somebody did.
                return b"", bytes(SALT_BYTES), bytes(HASH_BYTES)
            if row.state == IdentityState.LOCKED or not row.attempts:
                raise PaperCodeLocked()
            journal = self._room.open_journal(page, Action.SIGN_IN, Purpose.SIGN_IN)
            journal.change(_identities, row, _whose(row), attempts=row.attempts - 1)
            return bytes(row.id), bytes(row.salt), bytes(row.hash)

        return self._room.each(page, items, do)

    def settle_attempt(self, page: Page, items: Sequence[Attempt]) -> list[Answer | Refusal]:
        """Give the attempts back to whoever knew the code, or say how many are left."""
        answers: list[Answer | Refusal] = []
        for item in items:
            try:
                answers.append(self._settle(page, item))
            except Refusal as refusal:  # what is written of a wrong code stays written: it is locked
                answers.append(refusal)
        return answers

    def _settle(self, page: Page, item: Attempt) -> Answer:
        row = store.find_row(page.connection, _identities, id=item.identity)
        if row is None or row.state == IdentityState.REVOKED:
            raise PaperCodeWrong(attempts_left=0)
        journal = self._room.open_journal(page, Action.SIGN_IN, Purpose.SIGN_IN)
        if not item.is_right:
            if not row.attempts:
                journal.change(_identities, row, _whose(row), state=str(IdentityState.LOCKED))
            raise PaperCodeWrong(attempts_left=row.attempts)
        if row.state == IdentityState.LOCKED:
            raise PaperCodeLocked()
        journal.change(_identities, row, _whose(row), attempts=ATTEMPTS)
        self._arrive(page, row)
        account = None if row.account is None else store.find_row(page.connection, _accounts, id=bytes(row.account))
        return {
            "identity": format_id(bytes(row.id)),
            "person": "" if row.person is None else format_id(bytes(row.person)),
            "account": "" if account is None else account.number,
        }

    def claim(self, page: Page, items: Sequence[ClaimCard]) -> list[Answer | Refusal]:
        """Make the account of a card a person's: whoever holds it chose to say who he is."""

        def do(asked: ClaimCard) -> Answer:
            def work(journal: Journal) -> Answer:
                store.load_person(page.connection, asked.person)
                row = store.find_row(page.connection, _identities, id=asked.identity)
                if row is None or row.account is None or row.state != IdentityState.ACTIVE:
                    raise IdentityUnknown(identity=format_id(asked.identity))
                account = store.find_row(page.connection, _accounts, id=bytes(row.account))
                assert account is not None  # a foreign key holds it
                if account.person is not None or account.state not in LIVING:
                    raise AccountTaken(account=account.number)
                journal.change(_accounts, account, asked.person, person=asked.person)
                journal.change(_identities, row, asked.person, person=asked.person)
                return {"account": account.number, "person": format_id(asked.person)}

            return self._room.once(page, asked, Action.LINK_ACCOUNT, asked.person, work)

        return self._room.each(page, items, do)


def is_right(code: PaperCode, salt: bytes, kept: bytes, cost: Cost) -> bool:
    """Tell whether the secret of a code is the one that was hashed. Slow, by design."""
    return hmac.compare_digest(hash_secret(code.secret, salt, cost), kept)


def load_credential(connection: Connection, room: Room, row: Row[Any]) -> Credential:
    """Raises PersonErased, RecordUnreadable."""
    person = bytes(row.person)
    key = room.data_key(connection, person)
    return decode_credential(
        require_open(open_sealed(key, bytes(row.sealed), of_identity(bytes(row.id), person)), person)
    )


def _whose(row: Row[Any]) -> bytes | None:
    return None if row.person is None else bytes(row.person)


def write_identity(row: Row[Any]) -> dict[str, Any]:
    """Return what a person may know of an identity: no secret, no handle."""
    return {
        "identity": format_id(bytes(row.id)),
        "kind": row.kind,
        "state": row.state,
        "attempts_left": row.attempts if row.kind == IdentityKind.PAPER else None,
    }
