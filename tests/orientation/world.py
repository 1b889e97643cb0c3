"""An accounts base with projects: what the projects base and the fund sign is put into their logs, as the exchange would."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from node.checks import check_node
from node.federation.service import Federation
from node.ledger.accounts import AccountEvent, AccountKey, AccountKind
from node.ledger.endowments import Endow
from node.ledger.lots import LotClass
from node.ledger.openings import ChangeState, OpenAccount
from node.ledger.postings import Posting, PostingKind
from node.ledger.reading_service import load_balance
from node.ledger.service import Ledger
from node.orientation import store
from node.orientation.books_service import ProjectBooks
from node.orientation.directions import Choice, Direct, Overflow
from node.orientation.project_service import ProjectDesk
from node.orientation.projects import Project
from node.orientation.release_service import ReleaseService
from node.orientation.service import DirectedView, Orientations, TakeBackAsked, TakenBackView
from node.schema_service import ACCOUNTS_HISTORY
from protocol.amounts import Cents
from protocol.book.service import Book
from protocol.book.worker import Page
from protocol.envelopes import Welcome
from protocol.exchange.peer_service import PeerExchange
from protocol.exchange.service import Identity
from protocol.findings import Finding
from protocol.house import (
    BaseName,
    CommitProject,
    ConvertProject,
    HouseMessage,
    OpenProject,
    ProjectOpened,
    ReleaseProject,
    house_of,
    make_neighbours,
)
from protocol.identifiers import AccountNumber, Address, Id16, TerritoryCode
from protocol.keys import Keyring, make_keys
from protocol.times import Instant
from tests.templates import lay

HOME = TerritoryCode("242900314")
START = 1_795_000_000_000  # 2026-11-18
TODAY = 20261118
MONTH = 202611
ACCOUNTS, FUND, PROJECTS = str(BaseName.ACCOUNTS), str(BaseName.FUND), str(BaseName.PROJECTS)
KEYS = make_keys(bytes(64))
ORDER = b"a sealed order, which nobody here reads"


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> Instant:
        self.now += 1
        return Instant(self.now)


class Town:
    """A territory with a pool; `told` is what the other bases were told beside answers."""

    def __init__(self, url: str, *, at_once: int = 500) -> None:
        self.clock = Clock()
        self.url = lay(url, ACCOUNTS_HISTORY)
        self.at_once = at_once
        self._ids = itertools.count(1)
        self.told: list[tuple[str, HouseMessage]] = []
        self.open_book()
        self.pool = self.open(AccountKind.POOL)

    def open_book(self) -> None:
        self.book = Book(self.url, history=ACCOUNTS_HISTORY, clock=self.clock)
        self.ledger = Ledger(self.book, HOME)
        federation = Federation(
            self.ledger,
            Identity("test", HOME, Keyring(KEYS)),
            Welcome("", "HUB-FR", bytes(32), bytes(32)),
            entropy=lambda count: bytes(count),
            on_outgoing=lambda: None,
        )
        self.books = ProjectBooks(self._tell)
        self.orientations = Orientations(self.ledger, federation, self.books)
        federation.room.projects = self.orientations
        self.releases = ReleaseService(self.orientations, self.books, at_once=self.at_once)
        self.desk = ProjectDesk(self.ledger, self.books, self.releases, has_fund=True)
        self.logs = {
            code: PeerExchange(
                self.book,
                Identity(house_of(HOME), code, Keyring(KEYS)),
                make_neighbours({}),
                lambda _page, _sender, _messages: [],
            )
            for code in (ACCOUNTS, FUND, PROJECTS)
        }

    def reopen(self) -> None:
        """As after a crash: nothing is remembered in memory."""
        self.book.close()
        self.open_book()

    def _tell(self, page: Page, reader: str, messages: Sequence[HouseMessage]) -> None:
        self.logs[ACCOUNTS].tell(page, reader, messages)
        self.told += [(reader, message) for message in messages]

    def id(self) -> Id16:
        return Id16(next(self._ids).to_bytes(16, "big"))

    def open(self, kind: AccountKind = AccountKind.PERSON) -> AccountNumber:
        op = self.id()
        number = AccountNumber(f"{int.from_bytes(op, 'big'):08d}")
        return self.ledger.write_now(self.ledger.open_accounts, OpenAccount(op=op, number=number, kind=kind)).number

    def endow(self, cents: int, *, month: int = MONTH, restriction: str = "", campaign: str = "bread") -> None:
        asked = Endow(
            op=self.id(),
            donor=Id16(b"a donor, opaque."),
            campaign=campaign,
            month=month,
            lot_class=LotClass.ELIGIBLE | (LotClass.RESTRICTED if restriction else LotClass(0)),
            into=self.pool,
            cents=Cents(cents),
            reason="bank line",
            new_ref=self.id(),
            restriction=restriction,
        )
        self.ledger.write_now(self.ledger.endow, asked)

    def credit(self, account: AccountNumber, cents: int) -> None:
        self.ledger.write_now(self.ledger.post, self.posting(self.pool, account, cents, PostingKind.CREDIT))

    def posting(self, debit: AccountKey, credit: AccountKey, cents: int, kind: PostingKind, **more: Any) -> Posting:
        return Posting(op=self.id(), kind=kind, debit=debit, credit=credit, cents=Cents(cents), **more)

    def holder(self, cents: int, **of_lot: Any) -> AccountNumber:
        """Return a person who holds so much, of one lot."""
        person = self.open()
        self.endow(cents, **of_lot)
        self.credit(person, cents)
        return person

    def change(self, account: AccountNumber, event: AccountEvent) -> None:
        self.ledger.write_now(self.ledger.change_states, ChangeState(account=account, event=event))

    def balance(self, account: AccountKey) -> int:
        return self.ledger.read_now(load_balance, account).cents

    def lots(self, account: AccountKey) -> dict[int, int]:
        return {held.lot: held.cents for held in self.ledger.read_now(load_balance, account).lots}

    # What the other bases say

    def hear(self, *messages: HouseMessage, sender: str = PROJECTS) -> list[HouseMessage]:
        """Take one slip and answer it, in one page."""

        def write(page: Page, items: Sequence[tuple[HouseMessage, ...]]) -> list[list[HouseMessage]]:
            answers: list[list[HouseMessage]] = []
            for item in items:
                self.logs[sender].tell(page, ACCOUNTS, item)
                if sender == FUND:
                    self.desk.hear_fund(page, item)
                    answers.append([])
                    continue
                told = self.desk.apply(page, sender, item)
                if told:
                    self.logs[ACCOUNTS].tell(page, sender, told)
                answers.append(told)
            return answers

        found: list[HouseMessage] = self.book.write_now(write, messages)
        return found

    def project(
        self, target: int = 100_000, *, theme: str = "rivers", until: int = 20261231
    ) -> tuple[Id16, AccountNumber]:
        """Open a project; return its id and its account."""
        id_ = self.id()
        [opened] = self.hear(OpenProject(id_, "La rivière", theme, target, until))
        assert isinstance(opened, ProjectOpened)
        return id_, AccountNumber(opened.number)

    def commit(self, project: bytes) -> list[HouseMessage]:
        return self.hear(CommitProject(self.id(), project))

    def release(self, project: bytes, code: str = "withdrawn") -> list[HouseMessage]:
        return self.hear(ReleaseProject(self.id(), project, code))

    def convert(self, project: bytes, cents: int, number: int = 1, payer: str = HOME) -> ConvertProject:
        return ConvertProject(self.id(), project, number, cents, (payer,), (ORDER,))

    def standing(self, project: bytes) -> Project:
        found = self.book.read_now(lambda line: store.find_project(line, project))
        assert found is not None
        return found

    # What holders ask

    def choice(self, number: AccountNumber, cents: int | None = None, **more: Any) -> Choice:
        return Choice(to=Address(number, HOME), cents=cents, **more)

    def ask(
        self, account: AccountNumber, *choices: Choice, overflow: Overflow = Overflow.BACK, op: Id16 | None = None
    ) -> Direct:
        return Direct(op=op or self.id(), account=account, choices=choices, overflow=overflow)

    def direct(self, account: AccountNumber, project: AccountNumber, cents: int | None, **more: Any) -> DirectedView:
        return self.run(self.ask(account, self.choice(project, cents), **more))

    def run(self, asked: Direct) -> DirectedView:
        view: DirectedView = self.book.write_now(self.orientations.direct, asked)
        return view

    def take_back(self, orientation: bytes, cents: int | None = None, op: Id16 | None = None) -> TakenBackView:
        asked = TakeBackAsked(op=op or self.id(), orientation=Id16(orientation), cents=cents)
        view: TakenBackView = self.book.write_now(self.orientations.take_back, asked)
        return view

    def let_go(self) -> int:
        """Run one page of the releases' job; return where it goes on."""
        last: int = self.book.write_now(self.releases.release_some, 0)
        return last

    def findings(self) -> list[Finding]:
        """Check the whole base."""
        checked = self.book.read_now(
            lambda line: check_node(line, home=HOME, hub="HUB-FR", on_progress=lambda _where: None)
        )
        return [finding for one in checked for finding in one.findings]

    def close(self) -> None:
        self.book.close()
