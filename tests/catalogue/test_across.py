"""A project opened in Brest is found in Lyon's catalogue, chosen there, converted, and owed by Lyon's fund: every key came by card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from hub.reconciliation.checks import check_hub
from node.catalogue.service import CatalogueDesk
from node.catalogue.worker import CatalogueWorker
from node.checks import check_node
from node.deposits.service import DepositDesk
from node.federation.conversion_service import Conversions
from node.fund.card_service import find_settlement_account, load_deciding_keys
from node.fund.tables import dues
from node.governance.catalogue_service import load_payer_words
from node.governance.projects import ProjectEvent, ProjectState
from node.governance.rounds_service import ConvertRound
from node.governance.service import PROJECTS_HISTORY, Projects
from node.governance.settings import ProjectsSettings
from node.governance.tables import dues as owed
from node.ledger.accounts import AccountKind
from node.ledger.openings import OpenAccount
from node.ledger.postings import Posting, PostingKind
from node.orientation.books_service import ProjectBooks
from node.orientation.directions import Choice, Direct, Overflow
from node.orientation.project_service import ProjectDesk
from node.orientation.release_service import ReleaseService
from node.orientation.service import Orientations
from protocol.amounts import Cents
from protocol.book.service import Book
from protocol.book.worker import Page
from protocol.exchange.peer_service import PeerExchange
from protocol.exchange.service import Identity
from protocol.findings import Finding
from protocol.house import BaseName, HouseMessage, house_of, make_neighbours
from protocol.identifiers import Id16, make_account_number, parse_address, write_address
from protocol.keys import Keyring, make_keys
from tests.catalogue.world import Federated, Place, make_url
from tests.federation.world import BREST, HUB, LYON, Node
from tests.fund import fund_world
from tests.fund.dues_world import fund_lot
from tests.fund.fund_world import FundWorld
from tests.governance.world import World as Governed
from tests.house.test_conversions import Line
from tests.templates import lay

ACCOUNTS, FUND, PROJECTS = str(BaseName.ACCOUNTS), str(BaseName.FUND), str(BaseName.PROJECTS)


class Accounts:
    """The accounts of one house, wired as the node wires them."""

    def __init__(self, world: Federated, node: Node, keys: Any, neighbours: Any, *, has_fund: bool) -> None:
        books = ProjectBooks(self._tell)
        self.orientations = node.federation.room.projects = Orientations(node.ledger, node.federation, books)
        self.desk = ProjectDesk(node.ledger, books, ReleaseService(self.orientations, books), has_fund=has_fund)
        self.conversions = Conversions(node.federation.room, self.desk, self._tell, has_fund=has_fund)
        self.desk.abroad = node.federation.room.conversions = self.conversions
        self.deposits = DepositDesk(node.ledger, entropy=world.entropy)
        self.catalogue = CatalogueDesk(
            home=node.code,
            find_identity=lambda: node.federation.identity,
            find_directory=lambda: node.federation.directory,
            neighbours=neighbours,
            tell=self._tell,
        )
        self.worker = CatalogueWorker(self.catalogue, node.book, world.line)
        identity = Identity(house_of(node.code), ACCOUNTS, Keyring(keys[ACCOUNTS]))
        self.neighbours = neighbours
        self.peer = PeerExchange(node.book, identity, neighbours, self._apply)

    def _tell(self, page: Page, reader: str, messages: Sequence[HouseMessage]) -> None:
        self.peer.tell(page, reader, messages)

    def _apply(self, page: Page, sender: str, messages: Sequence[HouseMessage]) -> Sequence[HouseMessage]:
        self.catalogue.hear(page, sender, messages)
        if sender == PROJECTS:
            return self.desk.apply(page, sender, messages)
        self.desk.hear_fund(page, messages)
        self.conversions.hear_fund(page, messages)
        return self.deposits.apply(page, sender, messages)


class Foundation(FundWorld):
    """Lyon: a fund on its book, beside the accounts of a node that is a member of the federation."""

    def __init__(self, world: Federated, folder: Path) -> None:
        self.world = world
        super().__init__(lambda name: f"sqlite:///{folder / name}-lyon.db")
        self.node = world.join(LYON)
        self.books[ACCOUNTS].close()
        self.books[ACCOUNTS] = self.node.book
        self.ledger, self.pool = self.node.ledger, self.node.pool
        self.accounts = Accounts(world, self.node, self.keys, self.neighbours, has_fund=True)
        self.exchanges[BaseName.ACCOUNTS] = self.accounts.peer

    @property
    def now(self) -> int:  # type: ignore[override]
        return self.world.clock.now

    @now.setter
    def now(self, at: int) -> None:
        self.world.clock.now = max(at, self.world.clock.now)

    def holder(self, cents: int) -> Any:
        """Return somebody of Lyon to whom a campaign gave so much."""
        opening = OpenAccount(
            op=self.id(), number=make_account_number(self.entropy(16)), kind=AccountKind.PERSON, shown_name=None
        )
        person = self.ledger.write_now(self.ledger.open_accounts, opening).number
        given = Posting(op=self.id(), kind=PostingKind.CREDIT, debit=self.pool, credit=person, cents=Cents(cents))
        self.ledger.write_now(self.ledger.post, given)
        return person


class Committee(Governed):
    """Brest: a projects' base on its book, beside the accounts of a node; of its fund only the keys."""

    def __init__(self, world: Federated, folder: Path) -> None:
        self.world = world
        self.dice = world.dice
        self.settings = ProjectsSettings(home=BREST)
        self.keys = {str(base): make_keys(self.entropy(64)) for base in BaseName}
        self.neighbours = make_neighbours({base: [secret.public] for base, secret in self.keys.items()})
        self.people = {}
        self.node = world.join(BREST)
        url = lay(f"sqlite:///{folder / 'projects'}.db", PROJECTS_HISTORY)
        self.book = Book(url, history=PROJECTS_HISTORY, clock=world.clock)
        self.books = {PROJECTS: self.book}
        self.projects = Projects(
            self.book,
            lambda page, reader, messages: self.peer.tell(page, reader, messages),
            self.settings,
            keys=self.keys[PROJECTS],
            find_fund=lambda: self.keys[FUND].public,
            entropy=self.entropy,
        )
        identity = Identity(house_of(BREST), PROJECTS, Keyring(self.keys[PROJECTS]))
        self.peer = PeerExchange(self.book, identity, self.neighbours, self.projects.apply)
        self.house = Accounts(world, self.node, self.keys, self.neighbours, has_fund=False)

    @property
    def _now(self) -> int:  # type: ignore[override]
        return self.world.clock.now

    @_now.setter
    def _now(self, at: int) -> None:
        self.world.clock.now = at

    async def settle(self) -> None:
        await self.peer.call(ACCOUNTS, Line(self.house.peer))


class Federation:
    """Both houses and the hub between them."""

    def __init__(self, folder: Path) -> None:
        self.world = Federated(make_url(folder))
        self.brest = Committee(self.world, folder)
        self.lyon = Foundation(self.world, folder)

    async def settle(self) -> None:
        """Let houses talk, catalogues go round, and slips cross the hub, until all of it has arrived."""
        for _ in range(2):
            await self.brest.settle()
            await self.lyon.settle()
            await self.world.settle()
            for accounts in (self.brest.house, self.lyon.accounts):
                await accounts.worker.run_once()
        await self.brest.settle()
        await self.lyon.settle()

    def find_wrongs(self) -> list[Finding]:
        """Return what the checks of hub and accounts find."""
        checked = self.world.hub_book.read_now(lambda line: check_hub(line, hub=HUB, on_progress=lambda _: None))
        for node, known in ((self.brest.node, self.brest.neighbours), (self.lyon.node, self.lyon.neighbours)):
            checked += node.book.read_now(
                lambda line, home=node.code, neighbours=known: check_node(
                    line, home=home, hub=HUB, on_progress=lambda _: None, neighbours=neighbours
                )
            )
        return [finding for one in checked for finding in one.findings]


@pytest.fixture
def federation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Federation]:
    monkeypatch.setattr(fund_world, "BREST", LYON)  # the fund of that world is Lyon's here
    made = Federation(tmp_path)
    yield made
    wrongs = [*made.find_wrongs(), *made.brest.find_wrongs(), *made.lyon.find_wrongs()]
    made.brest.close()
    made.lyon.close()
    made.world.close()
    assert wrongs == []


async def test_what_was_found_in_the_catalogue_is_chosen_converted_and_owed(federation: Federation) -> None:
    brest, lyon = federation.brest, federation.lyon
    await federation.settle()
    project = brest.propose(brest.bearer())
    await brest.open(project, list(brest.committee()))
    await brest.projects.catch_up()
    lyon.write(lyon.fund.cards.publish, True)
    await federation.settle()

    place = Place.__new__(Place)
    place.world, place.node = federation.world, lyon.node
    [found] = place.find(text="verger ecole").found
    assert (found.row.title, found.row.support) == (brest.project(project).sheet.title, 0)
    address = parse_address(write_address(found.row.number, found.row.territory))

    await fund_lot(lyon, 10_000)
    choice = Choice(to=address, cents=Cents(10_000))
    asked = Direct(op=Id16(lyon.id()), account=lyon.holder(10_000), choices=(choice,), overflow=Overflow.BACK)
    lyon.node.book.write_now(lyon.accounts.orientations.direct, asked)
    await federation.settle()
    assert brest.project(project).state is ProjectState.FUNDED, "its target is reached by what Lyon directed"

    [payer] = brest.read(lambda line: load_payer_words(line, brest.now))
    assert (payer.territory, payer.keys) == (LYON, lyon.keys[FUND].public), "by card, entered by nobody"
    deciding = lyon.book.read_now(lambda line: load_deciding_keys(line, BREST, lyon.now))
    assert deciding == [brest.keys[PROJECTS].public]
    brest.lead(project, ProjectEvent.STARTED)
    assert brest.write(brest.projects.rounds.convert, ConvertRound(id=brest.id(), project=project)) == 6_000
    await federation.settle()

    row = lyon.book.read_now(lambda line: line.execute(select(dues)).one())
    assert (row.state, row.territory, row.cents, row.iban) == ("taken", BREST, 6_000, brest.bearer_of(project).iban)
    [due] = brest.read(lambda line: line.execute(select(owed)).all())
    assert (due.payer, due.cents, due.mark) == (LYON, 6_000, "owed")
    assert lyon.book.read_now(lambda line: find_settlement_account(line, BREST, lyon.now)) is None
