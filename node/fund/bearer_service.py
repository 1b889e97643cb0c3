"""Bodies that the fund may pay: proofs that they may, and the account of each, which only two officers change, after a delay."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update

from node.fund.days import day_of, number_of
from node.fund.fund_errors import BearerNotEligible, FundUnknown, OfficerRefused
from node.fund.outgoing_payments import IbanWords
from node.fund.references import NAME_MAX, Iban, require_sepa_iban, write_for_banks
from node.fund.seal_store import change
from node.fund.signature_service import SignatureDesk, Signed
from node.fund.tables import bearers, iban_changes, officers
from protocol.book.worker import Page
from protocol.errors import IdMismatch, Refusal
from protocol.identifiers import Id16
from protocol.times import HOUR_MS

LINE_MAX: Final = 200  # symbols of a line about a bearer


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """A body that the fund may pay. `proven_until` (yyyymmdd): how long the proof of its eligibility holds."""

    id: Id16
    name: str
    registry: str
    category: str
    proof: str
    proven_until: int
    holder_name: str
    iban: Iban
    seat: str = ""  # with mail and phone: what the list for the prefect asks
    mail: str = ""
    phone: str = ""

    def __post_init__(self) -> None:
        day_of(self.proven_until)
        for field in ("seat", "mail", "phone"):
            text = getattr(self, field)
            if len(text) > LINE_MAX or not (text.isprintable() or not text):
                raise BearerNotEligible(bearer=self.registry, reason=f"{field}: a line of up to {LINE_MAX} symbols")
        write_for_banks(self.holder_name, field="holder_name", length_max=NAME_MAX)
        for field in ("name", "category", "proof"):
            text = getattr(self, field)
            if not 0 < len(text) <= LINE_MAX or not text.isprintable():
                raise BearerNotEligible(bearer=self.registry, reason=f"{field}: a line of 1 to {LINE_MAX} symbols")


class BearerDesk:
    """Only the book's writer thread runs its operations."""

    def __init__(self, *, signatures: SignatureDesk, sepa_countries: frozenset[str], iban_change_ms: int) -> None:
        self._signatures = signatures
        self._countries = sepa_countries
        self._iban_change_ms = iban_change_ms

    def keep(self, page: Page, items: Sequence[Bearer]) -> list[Bearer | Refusal]:
        """Register bearers, or newer proofs of theirs. An account is changed by two officers only."""
        results: list[Bearer | Refusal] = []
        for one in items:
            try:
                results.append(self._keep_one(page, one))
            except Refusal as refusal:
                results.append(refusal)
        return results

    def _keep_one(self, page: Page, one: Bearer) -> Bearer:
        require_sepa_iban(one.iban, self._countries)
        known = page.connection.execute(select(bearers).where(bearers.c.id == one.id)).first()
        values = {
            "name": one.name,
            "registry": one.registry,
            "category": one.category,
            "proof": one.proof,
            "proven_until": one.proven_until,
            "seat": one.seat,
            "mail": one.mail,
            "phone": one.phone,
        }
        if known is None:
            page.connection.execute(
                insert(bearers).values(id=one.id, holder_name=one.holder_name, iban=one.iban, at=page.now, **values)
            )
        elif (known.iban, known.holder_name) != (one.iban, one.holder_name):
            raise IdMismatch(id=one.id.hex(), field="iban")
        else:
            change(page.connection, update(bearers).where(bearers.c.id == one.id).values(**values))
        return one

    def change_ibans(self, page: Page, items: Sequence[Signed]) -> list[str | Refusal]:
        """Take one officer's wish for another account, or a second officer's word on it; return what it waits for."""
        results: list[str | Refusal] = []
        for signed in items:
            try:
                results.append(self._change_iban(page, signed))
            except Refusal as refusal:
                results.append(refusal)
        return results

    def _change_iban(self, page: Page, signed: Signed) -> str:
        words, connection = signed.words, page.connection
        name = self._signatures.require(connection, signed, (IbanWords,), "change")
        assert isinstance(words, IbanWords)
        require_sepa_iban(Iban(words.iban), self._countries)
        write_for_banks(words.holder_name, field="holder_name", length_max=NAME_MAX)
        load_bearer(connection, words.bearer)
        known = connection.execute(select(iban_changes).where(iban_changes.c.id == words.id)).first()
        if known is None:
            connection.execute(
                insert(iban_changes).values(
                    id=words.id,
                    bearer=words.bearer,
                    holder_name=words.holder_name,
                    iban=words.iban,
                    asked_by=signed.officer,
                    asked_signature=signed.signature,
                    at=page.now,
                    effective_at=page.now + self._iban_change_ms,
                )
            )
            return "a second officer"
        if (bytes(known.bearer), known.holder_name, known.iban) != (words.bearer, words.holder_name, words.iban):
            raise IdMismatch(id=words.id.hex(), field="iban")
        if bytes(known.asked_by) == signed.officer:
            raise OfficerRefused(officer=signed.officer.hex(), reason="a second person confirms, not the same")
        asked_by = connection.execute(select(officers).where(officers.c.key == known.asked_by)).one()
        if asked_by.revoked_at is not None:
            raise OfficerRefused(officer=asked_by.name, reason="who asked for it signs no more: ask anew")
        if asked_by.name == name:
            raise OfficerRefused(officer=name, reason="a second person confirms, not the same with another key")
        if known.confirmed_by is None:
            change(
                connection,
                update(iban_changes)
                .where(iban_changes.c.id == words.id)
                .values(confirmed_by=signed.officer, confirmed_signature=signed.signature),
            )
        elif known.applied_at is None:
            confirmed = connection.execute(select(officers).where(officers.c.key == known.confirmed_by)).one()
            if confirmed.revoked_at is not None:
                raise OfficerRefused(officer=confirmed.name, reason="who confirmed it signs no more: ask anew")
        return f"{max(0, known.effective_at - page.now) // HOUR_MS} hours"

    def apply_changes(self, page: Page) -> int:
        """Use the accounts whose change was confirmed and whose delay is over; return how many.

        The delay is there to be used: where one of the two keys was revoked meanwhile, the change does not hold.
        """
        table = iban_changes.c
        due = page.connection.execute(
            select(iban_changes)
            .where(table.confirmed_by.is_not(None), table.applied_at.is_(None), table.effective_at <= page.now)
            .order_by(table.at)
        ).all()
        lost = page.connection.execute(select(officers.c.key).where(officers.c.revoked_at.is_not(None))).scalars()
        revoked = {bytes(key) for key in lost}
        due = [row for row in due if not {bytes(row.asked_by), bytes(row.confirmed_by)} & revoked]
        for row in due:
            change(
                page.connection,
                update(bearers).where(bearers.c.id == row.bearer).values(iban=row.iban, holder_name=row.holder_name),
            )
            change(page.connection, update(iban_changes).where(table.id == row.id).values(applied_at=page.now))
        return len(due)

    def apply_due(self, page: Page, items: Sequence[object]) -> list[int]:
        """The same as an operation of its own. Run twice is run once."""
        return [self.apply_changes(page) for _ in items]


def load_bearer(connection: Connection, id_: bytes) -> Any:
    """Raises FundUnknown."""
    row = connection.execute(select(bearers).where(bearers.c.id == id_)).first()
    if row is None:
        raise FundUnknown(path=f"bearer {id_.hex()}")
    return row


def require_eligible(connection: Connection, bearer: bytes, today: datetime.date) -> Any:
    """Return a bearer whose proof holds on this day. Raises FundUnknown, BearerNotEligible."""
    found = load_bearer(connection, bearer)
    if found.proven_until < number_of(today):
        raise BearerNotEligible(bearer=found.registry, reason=f"its proof held until {found.proven_until}")
    return found
