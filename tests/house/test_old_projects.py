"""The projects' base, and accounts that spoke with projects and people, put back from yesterday's copy."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from node.governance.instalments import DueMark
from node.governance.projects import ProjectEvent
from node.governance.rounds_service import ConfirmDue, ConvertRound
from node.governance.service import PROJECTS_HISTORY
from node.ledger.accounts import AccountEvent
from node.ledger.openings import ChangeState
from node.ledger.reading_service import find_account
from node.schema_service import ACCOUNTS_HISTORY
from protocol.book.backup_service import mark_restored
from protocol.book.service import Book, Page
from protocol.errors import BadEnvelope
from protocol.exchange.peer_recovery import BEHIND
from protocol.exchange.peer_service import keep_pages
from protocol.house import (
    BaseName,
    CloseHolder,
    FreezeHolder,
    GuideAccredited,
    GuideEnded,
    HolderClosed,
    HolderKind,
    HolderOpened,
    HouseMessage,
    OpenHolder,
    OpenProject,
    ReleaseProject,
)
from protocol.identifiers import AccountNumber
from tests.fund.dues_world import fund_lot, order_and_confirm, pay, proposals
from tests.fund.fund_world import Direct as Line
from tests.governance.world import PROJECTS
from tests.house.test_conversions import ACCOUNTS
from tests.house.test_decided_projects import Deciders, Town, opened
from tests.postgres import PostgresServer
from tests.templates import lay

PEOPLE = str(BaseName.PEOPLE)
FILES = {PROJECTS: "decided.db", ACCOUNTS: "accounts.db"}


class Place(Deciders):
    """Deciders whose base keeps its pages with its neighbours, and disks that are lost."""

    def __init__(self, folder: Path, url: str = "") -> None:
        """`url`: an empty database for the projects' base, in the place of a file."""
        super().__init__(Town(folder), folder)
        self.folder = folder
        self.keeping = keep_pages(PROJECTS_HISTORY, self.entropy)
        self.book.close()
        self.open_projects(url or f"sqlite:///{folder / FILES[PROJECTS]}", self.keeping)
        self.people_heard: list[HouseMessage] = []
        url = lay(f"sqlite:///{folder / 'people.db'}", ACCOUNTS_HISTORY)
        self.town.books[PEOPLE] = Book(url, history=ACCOUNTS_HISTORY, clock=self.town.clock)
        self.town._join(PEOPLE, self._hear_people)

    def _hear_people(self, _page: Page, _sender: str, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
        self.people_heard += messages
        return []

    async def ask(self, message: HouseMessage) -> HouseMessage:
        """Ask the accounts as the people's base, and return what they answer."""
        await self.tell(PEOPLE, message)
        return self.people_heard[-1]

    async def tell(self, name: str, message: HouseMessage) -> None:
        """Tell the accounts as a base, and let all talk."""

        def write(page: Page, items: Sequence[HouseMessage]) -> list[Any]:
            return [self.town.exchanges[BaseName(name)].tell(page, ACCOUNTS, [item]) for item in items]

        self.town.books[name].write_now(write, message)
        await self.talk()

    async def talk(self) -> None:
        """Let every base call every other, whoever refuses whom meanwhile."""
        exchanges = self.town.exchanges
        for _ in range(3):
            for one, two in itertools.combinations(sorted(exchanges), 2):
                with contextlib.suppress(BadEnvelope):
                    await exchanges[one].call(two, Line(exchanges[two]))

    async def settle(self) -> None:
        await self.talk()

    def copy(self, name: str) -> Path:
        target = self.folder / f"{name}.copy"
        with sqlite3.connect(self.folder / FILES[name]) as source, sqlite3.connect(target) as copy:
            source.backup(copy)
        source.close()
        copy.close()
        return target

    async def lose(self, name: str, copy: Path) -> None:
        """The disk is lost; the copy takes its place, and is brought back as far as it goes."""
        self.town.books[name].close()
        place = self.folder / FILES[name]
        for suffix in ("-wal", "-shm"):
            place.with_name(place.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(copy, place)
        await self.come_back(name, f"sqlite:///{place}")

    async def come_back(self, name: str, url: str) -> None:
        """Bring the old copy that lies at this address to the present."""
        mark_restored(url, {BEHIND: "0"})
        if name == PROJECTS:
            self.open_projects(url, self.keeping)
        else:
            self.town.open_accounts(url)
        exchange = self.town.exchanges[BaseName(name)]
        self.town.books[name].write_now(exchange.begin_recovery, self.entropy(32))
        await self.talk()

    def change(self, number: str, event: AccountEvent) -> None:
        """Freeze an account, or open it again, by the accounts' own hand."""
        changed = ChangeState(account=AccountNumber(number), event=event)
        self.town.books[ACCOUNTS].write_now(self.town.ledger.change_states, changed)

    def rows(self, name: str, table: str, columns: str = "*") -> list[Any]:
        sql = text(f"SELECT {columns} FROM {table}")
        return self.town.books[name].read_now(lambda line: sorted(map(tuple, line.execute(sql)), key=repr))

    def rows_of_projects(self) -> dict[str, list[Any]]:
        return {table: self.rows(PROJECTS, table) for one in PROJECTS_HISTORY.tables for table in one.tables}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.town.close()


async def _funded(place: Place) -> tuple[Any, ConvertRound]:
    """A project that is started, and whose first round was asked, converted and told to the fund."""
    project, number = await opened(place)
    await fund_lot(place.town, 12_000)
    place.town.direct(place.town.credit(10_000), number, 10_000)
    await place.talk()
    place.lead(project, ProjectEvent.STARTED)
    asked = ConvertRound(id=place.id(), project=project)
    assert place.write(place.projects.rounds.convert, asked) == 6_000
    await place.talk()
    return project, asked


def _pay(place: Place) -> None:
    (words,) = proposals(place.town)
    pay(place.town, words)
    order_and_confirm(place.town, [words])


async def test_the_projects_base_comes_back_on_postgresql(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: Callable[[], str]
) -> None:
    url, copy = postgres_url(), postgres_url()
    place = Place(tmp_path, url)
    project = place.propose(place.bearer())
    await place.talk()
    place.book.close()
    postgres_server.copy_database(url, copy)
    place.open_projects(url, place.keeping)
    await place.open(project, list(place.committee()))
    await place.talk()
    expected = place.rows_of_projects()
    assert expected["ballots"]
    place.book.close()
    await place.come_back(PROJECTS, copy)
    assert not place.peer.is_behind
    assert place.rows_of_projects() == expected
    assert place.project(project).number is not None
    assert place.find_wrongs() == []
    place.town.close()


async def test_what_the_fund_paid_since_the_copy_of_the_accounts_is_paid_again_in_their_books(place: Place) -> None:
    _, asked = await _funded(place)
    copy = place.copy(ACCOUNTS)
    assert [row[0] for row in place.rows(ACCOUNTS, "dues", "state")] == ["taken"]
    _pay(place)
    await place.talk()
    assert [row[0] for row in place.rows(ACCOUNTS, "dues", "state")] == ["paid"]
    confirmed = ConfirmDue(round=asked.id, payer=place.settings.home, on=20261205)
    assert place.write(place.projects.rounds.confirm, confirmed) is DueMark.CONFIRMED
    await place.talk()
    await place.tell(PROJECTS, OpenProject(place.id(), "Younger than the copy", "", 5_000, 20271231))
    numbers = place.rows(ACCOUNTS, "projects", "number, state")
    before = place.rows_of_projects()
    await place.lose(ACCOUNTS, copy)
    assert not place.town.exchanges[BaseName.ACCOUNTS].is_behind
    assert [row[0] for row in place.rows(ACCOUNTS, "dues", "state")] == ["paid"]
    assert place.rows(ACCOUNTS, "projects", "number, state") == numbers
    assert len(numbers) == 2
    assert place.rows_of_projects() == before, "nothing is told that is not so already"
    # The young project was told by the test itself: the projects' tables do not know it.
    wrongs = [*place.find_wrongs(), *place.town.find_wrongs()]
    assert [one.place for one in wrongs] == ["log PROJECTS to ACCOUNTS"]


async def test_what_was_committed_converted_and_released_since_the_copy_of_the_accounts_is_so_again(
    place: Place,
) -> None:
    """All was directed before: whose it was is known, and nothing is told that is not so already."""
    town = place.town
    first, number = await opened(place)
    second = place.id()  # told by the test itself
    await place.tell(PROJECTS, OpenProject(second, "Four à pain", "", 5_000, 20271231))
    [other] = [row[0] for row in place.rows(ACCOUNTS, "projects", "number") if row[0] != number]
    await fund_lot(town, 14_000)
    early, late = town.credit(7_000), town.credit(5_000)
    town.direct(early, number, 6_000)
    town.direct(late, number, 3_000)
    town.direct(early, other, 1_000)
    await place.talk()
    copy = place.copy(ACCOUNTS)
    # Nobody but the accounts knows of this one: it did not leave the base, and is with its holder again.
    town.direct(late, number, 1_000)
    await place.talk()
    place.lead(first, ProjectEvent.STARTED)
    assert place.write(place.projects.rounds.convert, ConvertRound(id=place.id(), project=first)) == 6_000
    await place.tell(PROJECTS, ReleaseProject(place.id(), second, "withdrawn"))
    guide, ended = [GuideAccredited(place.id(), key * 32, 20260101, 20271231) for key in (b"g", b"e")]
    for told in (guide, ended, GuideEnded(ended.id, "guide_left")):
        await place.tell(PROJECTS, told)
    tables = ("dues", "rounds", "round_lots", "project_orders", "returns")
    columns = {"project_orders": "op, kind, cents", "returns": "orientation_id, cents", "guides": "id, ended_code"}
    before = [place.rows(ACCOUNTS, table, columns.get(table, "*")) for table in tables]
    holds = [place.holds(one) for one in (early, late)]
    assert holds == [1_000, 1_000]
    standing = place.rows(ACCOUNTS, "projects", "state, converted")
    projects = place.rows_of_projects()
    await place.lose(ACCOUNTS, copy)
    assert not town.exchanges[BaseName.ACCOUNTS].is_behind
    after = [place.rows(ACCOUNTS, table, columns.get(table, "*")) for table in tables]
    assert [[row[:5] for row in table] for table in after] == [[row[:5] for row in table] for table in before]
    assert place.rows(ACCOUNTS, "projects", "state, converted") == standing
    assert [place.holds(one) for one in (early, late)] == [1_000, 2_000]
    assert place.rows(ACCOUNTS, "guides", "id, ended_code") == sorted(
        [(guide.id, ""), (ended.id, "guide_left")], key=repr
    )
    assert place.rows(ACCOUNTS, "unplaced") == []
    now = place.rows_of_projects()
    changed = {table for table, rows in projects.items() if rows != now[table]}
    assert changed == {"projects"}, "less is directed, and that is told"
    assert (place.project(first).support, place.project(first).supporters) == (9_000, 2)
    _pay(place)
    await place.talk()
    wrongs = [*place.find_wrongs(), *town.find_wrongs()]
    # What the test told itself, the projects' tables do not know.
    assert {one.place for one in wrongs} <= {"log PROJECTS to ACCOUNTS"}, wrongs


async def test_what_was_directed_and_converted_since_the_copy_is_named_until_somebody_says_whose_it_was(
    place: Place,
) -> None:
    town = place.town
    project, number = await opened(place)
    await fund_lot(town, 12_000)
    known, unknown = town.credit(4_000), town.credit(6_000)
    town.direct(known, number, 4_000)
    await place.talk()
    # The account happened to be frozen when the copy was made: the round that was converted since stands all the same.
    place.change(number, AccountEvent.FREEZE)
    copy = place.copy(ACCOUNTS)
    place.change(number, AccountEvent.REOPEN)
    town.direct(unknown, number, 6_000)
    await place.talk()
    place.lead(project, ProjectEvent.STARTED)
    assert place.write(place.projects.rounds.convert, ConvertRound(id=place.id(), project=project)) == 6_000
    await place.talk()
    await place.lose(ACCOUNTS, copy)
    assert place.holds(unknown) == 6_000
    [(id_, account, cents)] = place.rows(ACCOUNTS, "unplaced", "id, account, cents")
    assert (account, cents) == (number, 2_000), "the oldest first: four thousand were of the known one"
    assert (place.project(project).support, place.project(project).supporters) == (6_000, 2)
    _pay(place)
    await place.talk()
    assert [row[0] for row in place.rows(ACCOUNTS, "dues", "state")] == ["paid"]
    [wrong] = [*place.find_wrongs(), *town.find_wrongs()]
    assert (wrong.invariant, "2000 cents" in wrong.found, number in wrong.place) == ("I1", True, True)
    town.books[ACCOUNTS].write_now(town.federation.settle_unplaced, (id_, unknown))
    assert place.holds(unknown) == 4_000
    assert [*place.find_wrongs(), *town.find_wrongs()] == []


async def test_accounts_of_people_are_open_frozen_and_closed_as_they_were_told(place: Place) -> None:
    town = place.town
    first, second = [await place.ask(OpenHolder(town.id(), HolderKind.PERSON)) for _ in range(2)]
    assert isinstance(first, HolderOpened)
    assert isinstance(second, HolderOpened)
    copy = place.copy(ACCOUNTS)
    third = await place.ask(OpenHolder(town.id(), HolderKind.GROUP))
    assert isinstance(third, HolderOpened)
    await place.ask(FreezeHolder(town.id(), first.number, True))
    assert isinstance(await place.ask(CloseHolder(town.id(), second.number, "")), HolderClosed)
    told = list(place.people_heard)
    await place.lose(ACCOUNTS, copy)
    assert not town.exchanges[BaseName.ACCOUNTS].is_behind

    def state(number: str) -> Any:
        found = town.books[ACCOUNTS].read_now(lambda line: find_account(line, AccountNumber(number)))
        return None if found is None else (str(found.kind), str(found.state))

    assert [state(one.number) for one in (first, second, third)] == [
        ("person", "frozen"),
        ("person", "closed"),
        ("group", "open"),
    ]
    assert place.people_heard == told, "nothing is told twice"
    assert isinstance(await place.ask(OpenHolder(town.id(), HolderKind.PERSON)), HolderOpened)
