"""Two officers' signatures of the same words: taken one after the other, for whatever two people sign for the fund.

The fund's base holds no officer's key: it checks signatures, and can neither make nor change one. What is signed belongs
to the desk that keeps it (payments, pledges, netting); that desk says what the words are, and what the second one does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sqlalchemy import Connection, Table, insert, select

from node.fund.fund_errors import OfficerRefused
from node.fund.officer_service import require_officer
from node.fund.outgoing_payments import SIGNERS, Words
from node.fund.tables import officers
from protocol.book.worker import Page
from protocol.errors import Refusal

State = TypeVar("State")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """An officer's signature over words: of a payment, a change of account, a pledge, or netting."""

    words: Words
    officer: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Which words are signed, what people call them, and where signatures stand: `subject` names the column of the words' id."""

    kinds: tuple[type[Words], ...]
    name: str
    table: Table
    subject: str


class Signable(Protocol[State]):
    """What two officers sign, as the desk that keeps it knows it."""

    @property
    def sheet(self) -> Sheet: ...

    def know(self, page: Page, signed: Signed) -> State:
        """Keep these words where they are new, and return how far they are. Raises why nobody may sign them."""
        ...

    def require_open(self, signed: Signed, state: State) -> None:
        """Raise where no further signature is taken."""
        ...

    def accept(self, page: Page, signed: Signed) -> State:
        """Do what two officers want by now, and return how far it is. Raises why it cannot be."""
        ...


class SignatureDesk:
    """Takes signatures. Only the book's writer thread runs its operations."""

    def __init__(self, fund: str) -> None:
        self._fund = fund

    def take(self, page: Page, items: Sequence[Signed], signable: Signable[State]) -> list[State | Refusal]:
        """Take officers' signatures, and return how far each thing is. The same person again is the same signature."""
        results: list[State | Refusal] = []
        for signed in items:
            try:
                results.append(self._take_one(page, signed, signable))
            except Refusal as refusal:
                results.append(refusal)
        return results

    def _take_one(self, page: Page, signed: Signed, signable: Signable[State]) -> State:
        sheet = signable.sheet
        name = self.require(page.connection, signed, sheet.kinds, sheet.name)
        state = signable.know(page, signed)
        signers = load_signers(page.connection, sheet, signed.words.id)
        if signed.officer in signers:
            return state
        signable.require_open(signed, state)
        if name in signers.values():
            raise OfficerRefused(officer=name, reason="a second person signs, not the same with another key")
        if len(signers) + 1 >= SIGNERS:
            # First, so that where it is refused the signature is not kept, and may come again.
            state = signable.accept(page, signed)
        signature = {"officer": signed.officer, "signature": signed.signature, "at": page.now}
        page.connection.execute(insert(sheet.table).values({sheet.subject: signed.words.id, **signature}))
        return state

    def require(self, connection: Connection, signed: Signed, kinds: tuple[type[Words], ...], name: str) -> str:
        """Return the name of the officer whose signature of such words it is. Raises OfficerRefused."""
        if not isinstance(signed.words, kinds):
            raise OfficerRefused(officer=signed.officer.hex(), reason=f"these are not the words of a {name}")
        return require_officer(connection, signed.words, signed.officer, signed.signature, self._fund)


def load_signers(connection: Connection, sheet: Sheet, id_: bytes) -> dict[bytes, str]:
    """Return who signed these words, by key, with the name; a key that was revoked since signs for nobody."""
    columns = sheet.table.c
    found = (
        select(columns.officer, officers.c.name)
        .join(officers, officers.c.key == columns.officer)
        .where(columns[sheet.subject] == id_, officers.c.revoked_at.is_(None))
    )
    return {bytes(row.officer): row.name for row in connection.execute(found)}
