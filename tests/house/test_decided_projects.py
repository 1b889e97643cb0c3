"""From a committee's vote to the bearer's confirmation: projects, accounts and fund as they are, each on its own book."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.governance.instalments import DueMark
from node.governance.projects import ProjectEvent, ProjectState
from node.governance.reading_service import load_view
from node.governance.rounds_service import ConfirmDue, ConvertRound
from node.governance.service import PROJECTS_HISTORY, Projects
from node.governance.settings import ProjectsSettings
from node.ledger.reading_service import load_balance
from protocol.book.service import Book
from protocol.exchange.peer_service import Keeping, PeerExchange
from protocol.exchange.service import Identity
from protocol.house import house_of
from protocol.identifiers import AccountNumber, Id16
from protocol.keys import Keyring
from tests.fund.dues_world import fund_lot, order_and_confirm, pay, proposals
from tests.governance.world import BREST, FUND, PROJECTS, World
from tests.house.test_conversions import Town
from tests.templates import lay


class Deciders(World):
    """The projects' base of a town: it has the town's clock, keys and line."""

    def __init__(self, town: Town, folder: Path) -> None:
        self.town = town
        self.dice = town.dice
        self.settings = ProjectsSettings(home=BREST)
        self.keys = town.keys
        self.neighbours = town.neighbours
        self.people = {}
        town.books[PROJECTS].close()
        self.open_projects(lay(f"sqlite:///{folder / 'decided'}.db", PROJECTS_HISTORY))

    def open_projects(self, url: str, keeping: Keeping | None = None) -> None:
        """Open the projects' base on its book; the same after its disk was lost."""
        town = self.town
        self.book = town.books[PROJECTS] = Book(url, history=PROJECTS_HISTORY, clock=town.clock)
        self.projects = Projects(
            self.book,
            lambda page, reader, messages: self.peer.tell(page, reader, messages),
            self.settings,
            keys=self.keys[PROJECTS],
            find_fund=lambda: self.keys[FUND].public,
            entropy=self.entropy,
        )
        identity = Identity(house_of(BREST), PROJECTS, Keyring(self.keys[PROJECTS]))
        self.peer = town.exchanges[PROJECTS] = PeerExchange(
            self.book, identity, self.neighbours, self.projects.apply, keeping=keeping
        )

    @property
    def _now(self) -> int:  # type: ignore[override]
        return self.town.now

    @_now.setter
    def _now(self, at: int) -> None:
        self.town.now = at

    async def settle(self) -> None:
        await self.town.settle()

    def holds(self, account: AccountNumber) -> int:
        return self.town.books["ACCOUNTS"].read_now(lambda line: int(load_balance(line, account).cents))


@pytest.fixture
def deciders(tmp_path: Path) -> Iterator[Deciders]:
    town = Town(tmp_path)
    made = Deciders(town, tmp_path)
    yield made
    wrongs = [*made.find_wrongs(), *town.find_wrongs()]
    town.close()
    assert wrongs == []


async def opened(deciders: Deciders) -> tuple[Id16, str]:
    project = deciders.propose(deciders.bearer())
    await deciders.open(project, list(deciders.committee()))
    number = deciders.project(project).number
    assert number is not None
    return project, number


async def test_what_a_committee_decided_reaches_the_bearer(deciders: Deciders) -> None:
    town = deciders.town
    project, number = await opened(deciders)
    await fund_lot(town, 12_000)
    town.direct(town.credit(3_000), number, 3_000)
    await town.settle()
    assert (deciders.project(project).support, deciders.project(project).supporters) == (3_000, 1)
    rich = town.credit(9_000)
    town.direct(rich, number, 9_000)  # of which the project needs seven
    await town.settle()
    found = deciders.project(project)
    assert (found.state, found.support, deciders.holds(rich)) == (ProjectState.FUNDED, 10_000, 2_000)
    deciders.lead(project, ProjectEvent.STARTED)
    asked = ConvertRound(id=deciders.id(), project=project)
    assert deciders.write(deciders.projects.rounds.convert, asked) == 6_000
    await town.settle()
    (words,) = proposals(town)
    assert (words.cents, words.iban) == (6_000, deciders.bearer_of(project).iban)
    pay(town, words)
    order_and_confirm(town, [words])
    await town.settle()
    (due,) = deciders.read(lambda line: load_view(line, project, 20261201)).dues
    assert (due.payer, due.cents, due.mark) == (BREST, 6_000, DueMark.PAID)
    confirmed = ConfirmDue(round=asked.id, payer=BREST, on=20261205)
    assert deciders.write(deciders.projects.rounds.confirm, confirmed) is DueMark.CONFIRMED


async def test_what_misses_its_minimum_goes_home(deciders: Deciders) -> None:
    town = deciders.town
    project, number = await opened(deciders)
    await fund_lot(town, 3_000)
    citizen = town.credit(3_000)
    town.direct(citizen, number, 3_000)
    await town.settle()
    assert deciders.holds(citizen) == 0
    deciders.later(days=150)
    assert await deciders.projects.catch_up() == 1
    await town.settle()
    found = deciders.project(project)
    assert (found.state, found.released, deciders.holds(citizen)) == (ProjectState.MISSED, 3_000, 3_000)
