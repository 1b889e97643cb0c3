"""Netting between our fund and others: agreements signed by two officers on either side, and what we net by them.

agreed (both say so) ── a due of ours for a project there is covered ──▶ netted ── window closed (window_service.py) ──▶ paid
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update

from node.fund.days import day_of, number_of
from node.fund.due_payment_service import Wait, load_open_parts
from node.fund.dues import DueState
from node.fund.fund_errors import NettingRefused
from node.fund.outgoing_payments import WORDS_VERSION, NettingWords
from node.fund.seal_store import change
from node.fund.signature_service import Sheet, SignatureDesk, Signed
from node.fund.tables import dues, netting_heard, netting_signatures, netting_words
from protocol.book.worker import Page
from protocol.errors import IdMismatch, Refusal
from protocol.house import BaseName, DueSettled, HouseMessage, NettingTold
from protocol.house import DueState as Settlement
from protocol.identifiers import Id16, require_territory

Tell = Callable[[Page, str, Sequence[HouseMessage]], object]
NETTING_SHEET: Final = Sheet(kinds=(NettingWords,), name="word of netting", table=netting_signatures, subject="words")


class NettingState(StrEnum):
    """How far our word to another fund is."""

    ASKED = "a second officer"  # what it waits for
    SAID = "said"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What two funds say of netting; `holds` where both want it. `since` is the later of both days, or None."""

    territory: str
    ours: bool | None
    theirs: bool | None
    since: int | None

    @property
    def holds(self) -> bool:
        return bool(self.ours and self.theirs)


class NettingDesk:
    """Only the book's writer thread runs its operations."""

    def __init__(self, *, home: str, fund: str, signatures: SignatureDesk, tell: Tell) -> None:
        self._home = home
        self._fund = fund
        self._signatures = signatures
        self._tell = tell

    # Agreements

    def make_words(self, id_: Id16, territory: str, *, is_netted: bool, today: datetime.date) -> NettingWords:
        """Return what two officers are to sign. Raises InvalidId, NettingRefused."""
        if require_territory(territory) == self._home:
            raise NettingRefused(reason="our own territory")
        return NettingWords(WORDS_VERSION, self._fund, id_, territory, is_netted, number_of(today))

    def sign(self, page: Page, items: Sequence[Signed]) -> list[NettingState | Refusal]:
        """Take officers' signatures: with the second the other fund is told. Return what it waits for, or 'said'."""
        return self._signatures.take(page, items, self)

    @property
    def sheet(self) -> Sheet:
        return NETTING_SHEET

    def know(self, page: Page, signed: Signed) -> NettingState:
        """Keep a word that is new, and return how far it is. Raises NettingRefused, IdMismatch."""
        words, connection = _netting(signed), page.connection
        if require_territory(words.territory) == self._home:
            raise NettingRefused(reason="our own territory")
        day_of(words.since)
        row = connection.execute(select(netting_words).where(netting_words.c.id == words.id)).first()
        if row is None:
            number = int(connection.execute(select(func.coalesce(func.max(netting_words.c.number), 0))).scalar_one())
            connection.execute(
                insert(netting_words).values(
                    number=number + 1,
                    id=words.id,
                    territory=words.territory,
                    is_netted=words.is_netted,
                    since=words.since,
                    at=page.now,
                    said_at=None,
                )
            )
            return NettingState.ASKED
        if (row.territory, row.is_netted, row.since) != (words.territory, words.is_netted, words.since):
            raise IdMismatch(id=words.id.hex(), field="words")
        return NettingState.ASKED if row.said_at is None else NettingState.SAID

    def require_open(self, signed: Signed, state: NettingState) -> None:
        """Raises NettingRefused."""
        if state is NettingState.SAID:
            raise NettingRefused(reason=f"two officers said {signed.words.id.hex()} before")

    def accept(self, page: Page, signed: Signed) -> NettingState:
        """Say it to the other fund."""
        words = _netting(signed)
        change(page.connection, update(netting_words).where(netting_words.c.id == words.id).values(said_at=page.now))
        self._tell(page, BaseName.ACCOUNTS, [NettingTold(words.territory, words.is_netted, words.since)])
        return NettingState.SAID

    def hear(self, page: Page, told: NettingTold) -> None:
        """Keep what another fund says to ours."""
        number = int(page.connection.execute(select(func.coalesce(func.max(netting_heard.c.number), 0))).scalar_one())
        page.connection.execute(
            insert(netting_heard).values(
                number=number + 1,
                territory=told.other,
                is_netted=told.is_netted,
                since=told.since,
                at=page.now,
            )
        )

    # What we net

    def net_dues(self, page: Page, items: Sequence[datetime.date]) -> list[int]:
        """Net what we owe for projects of territories with which we agreed to, once all of it may be paid; return how many.

        Run twice is run once.
        """
        return [self._net_dues(page, today) for today in items]

    def _net_dues(self, page: Page, today: datetime.date) -> int:
        agreed = {one.territory for one in load_agreements(page.connection) if one.holds}
        if not agreed:
            return 0
        open_cents: dict[int, int] = defaultdict(int)
        held: set[int] = set()
        for part in load_open_parts(page.connection, today):
            open_cents[part.no] += part.cents
            if part.waits_for in (Wait.CALL, Wait.DONOR):
                held.add(part.no)
        rows = page.connection.execute(
            select(dues.c.no, dues.c.id, dues.c.territory, dues.c.cents)
            .where(
                dues.c.territory.in_(sorted(agreed)),
                dues.c.state == DueState.TAKEN,
                dues.c.debtor == "",
                dues.c.netted_on.is_(None),
            )
            .order_by(dues.c.no)
        ).all()
        told: list[HouseMessage] = []
        for row in rows:
            if row.no in held or open_cents[row.no] != row.cents:
                continue  # a part of it waits for its donor, or two officers pay it already
            on = number_of(today)
            change(page.connection, update(dues).where(dues.c.no == row.no).values(netted_on=on))
            told.append(DueSettled(bytes(row.id), Settlement.NETTED, row.cents, on))
        if told:
            self._tell(page, BaseName.ACCOUNTS, told)
        return len(told)


def load_agreements(connection: Connection) -> list[Agreement]:
    """Return what each fund and ours say of netting, by territory."""
    ours: dict[str, Any] = {}
    theirs: dict[str, Any] = {}
    said = select(netting_words).where(netting_words.c.said_at.is_not(None))
    for row in connection.execute(said.order_by(netting_words.c.said_at, netting_words.c.number)):
        ours[row.territory] = row
    for row in connection.execute(select(netting_heard).order_by(netting_heard.c.number)):
        theirs[row.territory] = row
    found = []
    for territory in sorted({*ours, *theirs}):
        own, other = ours.get(territory), theirs.get(territory)
        days = [row.since for row in (own, other) if row is not None]
        found.append(
            Agreement(
                territory=territory,
                ours=None if own is None else own.is_netted,
                theirs=None if other is None else other.is_netted,
                since=max(days) if len(days) == 2 else None,
            )
        )
    return found


def _netting(signed: Signed) -> NettingWords:
    """The desk of signatures takes no other words for this sheet."""
    assert isinstance(signed.words, NettingWords)
    return signed.words
