"""A small territory for tests: a ledger on a real book, a clock that only moves when told, ids that rise."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from node.ledger.accounts import AccountEvent, AccountKey, AccountKind
from node.ledger.checks import check_ledger
from node.ledger.endowments import Endow, Endowed
from node.ledger.lots import LotClass, LotId, LotName
from node.ledger.openings import ChangeState, OpenAccount
from node.ledger.postings import Posted, Posting, PostingKind
from node.ledger.reading_service import load_balance
from node.ledger.service import Ledger, ledger_history
from protocol.amounts import Cents
from protocol.book.service import Book, Page
from protocol.errors import Refusal
from protocol.findings import Finding
from protocol.identifiers import AccountNumber, Id16, TerritoryCode
from protocol.times import Instant

HOME = TerritoryCode("200046977")
PEER = TerritoryCode("243300316")
OTHER_PEER = TerritoryCode("200054781")
START = Instant(1_790_000_000_000)
MONTH = 202611


class Clock:
    """The time of a test."""

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> Instant:
        return Instant(self.now)


class World:
    """A ledger with a pool, and short words for what tests do most."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.clock = Clock()
        self._ids = itertools.count(1)
        self._numbers = itertools.count()
        self.book = Book(url, history=ledger_history(), clock=self.clock)
        self.ledger = Ledger(self.book, HOME)

    def close(self) -> None:
        self.book.close()

    def reopen(self) -> None:
        """Close the book and open it again, as after a restart: nothing is remembered in memory."""
        self.book.close()
        self.book = Book(self.url, history=ledger_history(), clock=self.clock)
        self.ledger = Ledger(self.book, HOME)

    def id(self) -> Id16:
        """Return an id above all ids given before."""
        return Id16(next(self._ids).to_bytes(16, "big"))

    def open(self, kind: AccountKind = AccountKind.PERSON, shown_name: str | None = None) -> AccountNumber:
        number = AccountNumber(f"{next(self._numbers):08d}")
        asked = OpenAccount(op=self.id(), number=number, kind=kind, shown_name=shown_name)
        return self.ledger.write_now(self.ledger.open_accounts, asked).number

    def endow(
        self, into: AccountNumber, cents: int, *, month: int = MONTH, donor: int = 1, lot_class: int = 1
    ) -> Endowed:
        asked = Endow(
            op=self.id(),
            donor=Id16(donor.to_bytes(16, "big")),
            campaign="spring",
            month=month,
            lot_class=LotClass(lot_class),
            into=into,
            cents=Cents(cents),
            reason="bank line 1",
            new_ref=self.id(),
        )
        return self.ledger.write_now(self.ledger.endow, asked)

    def pool(self, cents: int = 0) -> AccountNumber:
        number = self.open(AccountKind.POOL)
        if cents:
            self.endow(number, cents)
        return number

    def posting(
        self,
        debit: AccountKey,
        credit: AccountKey,
        cents: int,
        kind: PostingKind = PostingKind.CREDIT,
        **more: Any,
    ) -> Posting:
        more.setdefault("op", self.id())
        return Posting(kind=kind, debit=debit, credit=credit, cents=Cents(cents), **more)

    def post(
        self,
        debit: AccountKey,
        credit: AccountKey,
        cents: int,
        kind: PostingKind = PostingKind.CREDIT,
        **more: Any,
    ) -> Posted:
        return self.ledger.write_now(self.ledger.post, self.posting(debit, credit, cents, kind, **more))

    def post_together(self, postings: Sequence[Posting]) -> list[Posted | Refusal]:
        """Write the postings in one page and return each answer."""
        return self.ledger.write_now(self.ledger.post_groups, postings)

    def change(self, account: AccountNumber, event: AccountEvent) -> None:
        self.ledger.write_now(self.ledger.change_states, ChangeState(account=account, event=event))

    def foreign_lot(self, *, issuer: TerritoryCode = PEER, ref: int = 1, month: int = MONTH) -> LotId:
        name = LotName(issuer, ref.to_bytes(16, "big"), 1, month)
        return self.ledger.write_now(self.ledger.ensure_lots, name)

    def balance(self, account: AccountKey) -> int:
        return self.ledger.read_now(load_balance, account).cents

    def findings(self) -> list[Finding]:
        """Check the whole base and return what is wrong with it."""
        checked = self.ledger.read_now(check_ledger, home=HOME)
        return [finding for one in checked for finding in one.findings]

    def run_in_page(self, work: Any) -> Any:
        """Run `work(page)` as one operation of the book."""

        def operation(page: Page, items: Sequence[Any]) -> list[Any]:
            return [item(page) for item in items]

        return self.book.write_now(operation, work)
