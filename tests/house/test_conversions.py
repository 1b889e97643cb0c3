"""From a company's euros, paid in and pledged, to a citizen's miles, a project, a conversion, and the bearer's account: the accounts
and the fund as they are, each on its book, and a projects' base that says what it must.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from node.accounts_recovery_service import AccountsRecovery
from node.checks import check_node
from node.deposits.checks import check_deposits
from node.deposits.service import DepositDesk
from node.federation.service import Federation
from node.grants.service import GrantDesk
from node.guides.service import GuideDesk
from node.holders.service import HolderDesk
from node.ledger.accounts import AccountKind
from node.ledger.openings import OpenAccount
from node.ledger.postings import Posting, PostingKind
from node.ledger.service import Ledger
from node.orientation.books_service import ProjectBooks
from node.orientation.directions import Choice, Direct, Overflow
from node.orientation.project_service import ProjectDesk
from node.orientation.release_service import ReleaseService
from node.orientation.service import Orientations
from node.schema_service import ACCOUNTS_HISTORY
from protocol.amounts import Cents
from protocol.book.service import Book
from protocol.book.worker import Page
from protocol.conversion import seal_order, sign_order
from protocol.envelopes import Welcome
from protocol.exchange.peer_service import Apply, PeerExchange
from protocol.exchange.service import Identity
from protocol.findings import Finding
from protocol.house import (
    BaseName,
    CommitProject,
    ConvertProject,
    DueSettled,
    DueState,
    HouseMessage,
    OpenProject,
    PaymentCalled,
    ProjectConverted,
    ProjectOpened,
    Refused,
    house_of,
    make_due_id,
)
from protocol.identifiers import AccountNumber, Address, make_account_number
from protocol.keys import Keyring
from tests.fund.dues_world import (
    PROJECT,
    accept,
    answers,
    ask_pledge,
    fund_lot,
    make_order,
    order_and_confirm,
    pay,
    proposals,
    today,
)
from tests.fund.fund_world import BREST, FundWorld
from tests.fund.fund_world import Direct as Line
from tests.templates import lay

ACCOUNTS, FUND, PROJECTS = str(BaseName.ACCOUNTS), str(BaseName.FUND), str(BaseName.PROJECTS)


class Town(FundWorld):
    """The fund's world with accounts that know projects."""

    def __init__(self, folder: Path) -> None:
        super().__init__(lambda name: f"sqlite:///{folder / name}.db")
        self.books[ACCOUNTS].close()
        self.books[PROJECTS] = Book(
            lay(f"sqlite:///{folder / 'projects'}.db", ACCOUNTS_HISTORY), history=ACCOUNTS_HISTORY, clock=self.clock
        )
        self.told: list[HouseMessage] = []
        self._join(PROJECTS, self._listen)
        self.open_accounts(lay(f"sqlite:///{folder / 'accounts'}.db", ACCOUNTS_HISTORY))
        self.pool = self._open(AccountKind.POOL)

    def open_accounts(self, url: str) -> None:
        """Open the accounts on their book; the same after their disk was lost."""
        book = self.books[ACCOUNTS] = Book(url, history=ACCOUNTS_HISTORY, clock=self.clock)
        self.ledger = Ledger(book, BREST)
        federation = self.federation = Federation(
            self.ledger,
            Identity("test", BREST, Keyring(self.keys[ACCOUNTS])),
            Welcome("", "HUB-FR", bytes(32), bytes(32)),
            entropy=self.entropy,
            on_outgoing=lambda: None,
        )
        books = ProjectBooks(lambda page, reader, told: self._say(ACCOUNTS, page, reader, told))
        self.orientations = Orientations(self.ledger, federation, books)
        self.guides = GuideDesk(book, self.ledger, federation, self.orientations)
        desk = ProjectDesk(self.ledger, books, ReleaseService(self.orientations, books), has_fund=True)
        deposits = DepositDesk(self.ledger, entropy=self.entropy)
        holders = HolderDesk(self.ledger, in_flight=lambda _line, _number: 0)

        def apply(page: Page, sender: str, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
            if sender == PROJECTS:
                return [*self.guides.apply(page, sender, messages), *desk.apply(page, sender, messages)]
            if sender == BaseName.PEOPLE:
                return holders.apply(page, sender, messages)
            desk.hear_fund(page, messages if sender == FUND else ())
            return deposits.apply(page, sender, messages)

        recovery = AccountsRecovery(
            self.ledger,
            deposits,
            GrantDesk(self.ledger),
            holders=holders,
            projects=desk,
            hear_fund=desk.hear_fund,
            confirm=lambda page, message: self._say(ACCOUNTS, page, FUND, [message]),
            hear_guides=self.guides.apply,
        )
        self._join(
            ACCOUNTS,
            apply,
            replay=lambda page, lost: recovery.replay(page, lost, self.exchanges[BaseName.ACCOUNTS].reply),
        )

    def _join(self, name: str, hear: Apply, **more: Any) -> None:
        identity = Identity(house_of(BREST), name, Keyring(self.keys[name]))
        self.exchanges[BaseName(name)] = PeerExchange(self.books[name], identity, self.neighbours, hear, **more)

    def _listen(self, _page: Page, _sender: str, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
        self.told += messages
        return []

    def _say(self, sender: str, page: Page, reader: str, told: Sequence[HouseMessage]) -> None:
        self.exchanges[BaseName(sender)].tell(page, reader, told)

    def _open(self, kind: AccountKind) -> AccountNumber:
        opening = OpenAccount(op=self.id(), number=make_account_number(self.entropy(16)), kind=kind, shown_name=None)
        return self.ledger.write_now(self.ledger.open_accounts, opening).number

    async def decide(self, *messages: HouseMessage) -> list[HouseMessage]:
        """Tell the accounts as the projects' base, let all bases talk, and return what it was told."""
        before = len(self.told)

        def write(page: Page, items: Sequence[tuple[HouseMessage, ...]]) -> list[Any]:
            return [self.exchanges[BaseName.PROJECTS].tell(page, ACCOUNTS, item) for item in items]

        self.books[PROJECTS].write_now(write, messages)
        await self.settle()
        return self.told[before:]

    async def settle(self) -> None:
        for _ in range(3):
            await self.exchanges[BaseName.PROJECTS].call(ACCOUNTS, Line(self.exchanges[BaseName.ACCOUNTS]))
            await super().settle()
        await self.exchanges[BaseName.PROJECTS].call(ACCOUNTS, Line(self.exchanges[BaseName.ACCOUNTS]))

    def credit(self, cents: int) -> AccountNumber:
        """Return a citizen to whom the campaign gave so much."""
        person = self._open(AccountKind.PERSON)
        posting = Posting(
            op=self.id(), kind=PostingKind.CREDIT, debit=AccountNumber(self.pool), credit=person, cents=Cents(cents)
        )
        self.ledger.write_now(self.ledger.post, posting)
        return person

    def direct(self, person: AccountNumber, project: str, cents: int) -> None:
        choice = Choice(to=Address(AccountNumber(project), BREST), cents=Cents(cents))
        asked = Direct(op=self.id(), account=person, choices=(choice,), overflow=Overflow.BACK)
        self.books[ACCOUNTS].write_now(self.orientations.direct, asked)

    def round(self, number: int, cents: int, **order: Any) -> ConvertProject:
        signed = sign_order(make_order(round=number, **order), self.keys[PROJECTS])
        sealed = seal_order(signed, self.keys[FUND].public, entropy=self.entropy(32))
        return ConvertProject(self.id(), PROJECT, number, cents, (str(BREST),), (sealed,))

    def find_wrongs(self) -> list[Finding]:
        checked = self.books[ACCOUNTS].read_now(
            lambda line: [
                *check_node(line, home=BREST, hub="HUB-FR", on_progress=lambda _: None, neighbours=self.neighbours),
                *check_deposits(line),
            ]
        )
        return [*super().find_wrongs(), *(finding for one in checked for finding in one.findings)]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    wrongs = made.find_wrongs()
    made.close()
    assert wrongs == []


async def open_project(town: Town) -> str:
    told = await town.decide(OpenProject(PROJECT, "Jardins partagés", "food", 100_000, 20271231))
    (opened,) = [one for one in told if isinstance(one, ProjectOpened)]
    return opened.number


def settled(told: Sequence[HouseMessage]) -> list[tuple[bytes, DueState, int]]:
    return [(one.id, one.state, one.cents) for one in told if isinstance(one, DueSettled)]


async def test_euros_paid_in_and_euros_pledged_become_one_projects_money(town: Town) -> None:
    number = await open_project(town)
    await fund_lot(town, 4_000)
    town.direct(town.credit(4_000), number, 4_000)
    await accept(town, await ask_pledge(town, 3_000))
    town.direct(town.credit(2_500), number, 2_500)
    told = await town.decide(CommitProject(town.id(), PROJECT), first := town.round(1, 6_000))
    (converted,) = [one for one in told if isinstance(one, ProjectConverted)]
    assert (converted.cents, converted.waiting) == ((6_000,), 0)
    due = make_due_id(first.id, BREST)
    (paid_in,) = proposals(town)
    assert (paid_in.share, paid_in.cents, paid_in.dues) == ("prefunded", 4_000, ((due, 4_000),)), "the oldest first"
    town.later(31)
    assert town.write(town.fund.pledges.catch_up, today(town)).cents == 2_000
    await town.settle()
    (call,) = [one for one in answers(town, BaseName.PARTNERS) if isinstance(one, PaymentCalled)]
    town.take(town.statement(town.paid(2_000, reference=call.reference)))
    both = proposals(town)
    assert [(words.share, words.cents) for words in both] == [("prefunded", 4_000), ("called", 2_000)]
    for words in both:
        pay(town, words)
    order_and_confirm(town, both)
    before = len(town.told)
    await town.settle()
    assert settled(town.told[before:]) == [(due, DueState.PAID, 6_000)], "whoever decided it is told"


async def test_what_the_fund_does_not_owe_stays_directed_and_can_be_decided_again(town: Town) -> None:
    number = await open_project(town)
    await fund_lot(town, 1_000)
    town.direct(town.credit(1_000), number, 1_000)
    wrong = town.round(1, 1_000, eligible_until=20261101)
    told = await town.decide(CommitProject(town.id(), PROJECT), wrong)
    assert Refused(make_due_id(wrong.id, BREST), "bearer_not_eligible") in told
    right = town.round(2, 1_000)
    await town.decide(right)
    (words,) = proposals(town)
    assert (words.cents, words.dues) == (1_000, ((make_due_id(right.id, BREST), 1_000),))
