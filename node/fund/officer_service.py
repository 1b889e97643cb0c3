"""Who may sign for the fund: the public halves of keys that stay with their people. Two sign whatever moves money or rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from node.fund.decision_service import find_answer, keep_answer
from node.fund.fund_errors import OfficerRefused
from node.fund.outgoing_payments import Words, write_words
from node.fund.references import NAME_MAX
from node.fund.seal_store import change
from node.fund.tables import officers
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.identifiers import Id16
from protocol.keys import Domain, is_signed


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOfficer:
    """Somebody who may sign for the fund: the public half of a key that stays with that person."""

    key: bytes
    name: str
    signing: bytes

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= NAME_MAX or not self.name.isprintable():
            raise OfficerRefused(officer=self.name[:40], reason="a name of one line")


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeOfficer:
    key: bytes
    id: Id16 | None = None  # the caller's: asked again under it, it is answered as before


class OfficerDesk:
    """Knows officers' keys. Only the book's writer thread runs its operations."""

    def add(self, page: Page, items: Sequence[NewOfficer]) -> list[NewOfficer | Refusal]:
        """Register public keys. The same again is the same."""
        for one in items:
            known = page.connection.execute(select(officers.c.signing).where(officers.c.key == one.key)).scalar()
            if known is None:
                page.connection.execute(
                    insert(officers).values(key=one.key, name=one.name, signing=one.signing, made_at=page.now)
                )
        return list(items)

    def revoke(self, page: Page, items: Sequence[RevokeOfficer]) -> list[bytes | Refusal]:
        """From now on these sign nothing; what they signed and was ordered stands."""
        results: list[bytes | Refusal] = []
        for asked in items:
            try:
                if find_answer(page.connection, asked.id, asked) is None:
                    self._revoke(page, asked.key)
                    keep_answer(page, asked.id, asked, asked.key.hex())
                results.append(asked.key)
            except Refusal as refusal:
                results.append(refusal)
        return results

    def end(self, page: Page, key: bytes) -> bool:
        """End a key because the duty of its officer is over; tell whether it is known here. One that was ended stays so."""
        row = page.connection.execute(select(officers.c.revoked_at).where(officers.c.key == key)).first()
        if row is not None and row.revoked_at is None:
            self._revoke(page, key)
        return row is not None

    def _revoke(self, page: Page, key: bytes) -> None:
        done = change(
            page.connection,
            update(officers).where(officers.c.key == key, officers.c.revoked_at.is_(None)).values(revoked_at=page.now),
        )
        if not done:
            raise OfficerRefused(officer=key.hex(), reason="unknown or revoked before")


def require_officer(connection: Connection, words: Words, officer: bytes, signature: bytes, fund: str) -> str:
    """Return the name of the officer whose signature of these words it is. Raises OfficerRefused."""
    row = connection.execute(select(officers).where(officers.c.key == officer)).first()
    if row is None or row.revoked_at is not None:
        raise OfficerRefused(officer=officer.hex(), reason="unknown or revoked")
    if words.fund != fund:
        raise OfficerRefused(officer=row.name, reason=f"signed for {words.fund}")
    if not is_signed(bytes(row.signing), Domain.OFFICER, write_words(words), signature):
        raise OfficerRefused(officer=row.name, reason="the signature does not fit these words")
    return str(row.name)
