"""Two campaigns of two companies, projects at home and elsewhere: what the companies' base is told, to the cent, and what it is not."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, update

from node.catalogue.tables import listed_projects
from node.checks import check_node
from node.effects.checks import RULE, load_converted_by_due
from node.effects.service import EffectDesk
from node.effects.tables import told_effects
from node.ledger.accounts import AccountKind
from node.ledger.endowments import Endow
from node.ledger.lots import LotClass
from node.orientation.directions import Choice, Direct, Overflow
from node.orientation.service import TakeBackAsked
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.house import (
    HOUSE_VERSION,
    BaseName,
    CommitProject,
    ConvertProject,
    Due,
    DueConfirmed,
    DueSettled,
    DueState,
    DueTaken,
    EffectTold,
    HouseMessage,
    HouseSlip,
    OpenProject,
    ProjectOpened,
    make_due_id,
)
from protocol.identifiers import AccountNumber, Address, Id16
from tests.federation.test_conversions import ACCOUNTS, DAY, FUND, ORDER, House
from tests.federation.world import BREST, HUB, LYON, MONTH, Node, World

PARTNERS = str(BaseName.PARTNERS)
BREAD, BOOKS = (uuid.UUID(int=number).bytes for number in (0xB4EAD << 70, 0xB00C5 << 70))
GARDEN, WELL = Id16(b"a garden, opaque"), Id16(b"a well, opaque..")
TITLES = {GARDEN: "A garden", WELL: "A well"}


class Story:
    """Lyon's companies; three people are enough."""

    def __init__(self, folder: Path) -> None:
        self.world = World(lambda name: f"sqlite:///{folder / name}.db")
        self.brest, self.lyon = self.world.join(BREST), self.world.join(LYON)
        self.houses = {BREST: House(self.brest), LYON: House(self.lyon)}
        self.home, self.away = self.houses[LYON], self.houses[BREST]
        self.effects = EffectDesk(home=LYON, people_min=3, tell=self._tell)
        self.told: list[EffectTold] = []
        self.numbers = {
            GARDEN: self.open_project(self.home, GARDEN),
            WELL: self.open_project(self.away, WELL),
        }

    def _tell(self, page: Any, reader: str, messages: Sequence[HouseMessage]) -> None:
        assert reader == PARTNERS
        self.home.logs[ACCOUNTS].tell(page, reader, messages)
        self.told += [message for message in messages if isinstance(message, EffectTold)]

    async def settle(self) -> None:
        await self.world.settle()

    def open_project(self, house: House, project: Id16) -> Address:
        [opened] = house.hear(OpenProject(project, TITLES[project], "", 1_000_000, 20271231))
        assert isinstance(opened, ProjectOpened)
        return Address(AccountNumber(opened.number), house.node.code)

    def give_out(self, campaign: bytes, *cents: int) -> list[AccountNumber]:
        """Endow a campaign's pool, and give so much to new holders."""
        node: Node = self.lyon
        node.pool = node.open(AccountKind.POOL)
        node.ledger.write_now(
            node.ledger.endow,
            Endow(
                op=Id16(node.entropy(16)),
                donor=Id16(campaign),
                campaign=str(uuid.UUID(bytes=campaign)),
                month=MONTH,
                lot_class=LotClass.ELIGIBLE | LotClass.SOUTH_FIT,
                new_ref=node.entropy(16),
                cents=Cents(sum(cents)),
                into=node.pool,
                reason="a campaign",
            ),
        )
        holders = [node.open() for _ in cents]
        for holder, sum_ in zip(holders, cents, strict=True):
            node.credit(holder, sum_)
        return holders

    def direct(self, holder: AccountNumber, project: Id16, cents: int) -> Id16:
        op = Id16(self.lyon.entropy(16))
        choice = Choice(to=self.numbers[project], cents=cents)
        asked = Direct(op=op, account=holder, choices=(choice,), overflow=Overflow.BACK)
        view = self.lyon.book.write_now(self.home.orientations.direct, asked)
        [placed] = view.placements
        assert placed.cents == cents
        return Id16(uuid.UUID(placed.id).bytes)

    def take_back(self, orientation: Id16) -> None:
        asked = TakeBackAsked(op=Id16(self.lyon.entropy(16)), orientation=orientation)
        self.lyon.book.write_now(self.home.orientations.take_back, asked)

    async def convert(self, project: Id16, number: int, cents: int) -> bytes:
        """Convert a round, have Lyon's fund take what it owes, and return the due's id."""
        house = self.away if project is WELL else self.home
        round_id = Id16(self.lyon.entropy(16))
        house.hear(ConvertProject(round_id, project, number, cents, (BREST, LYON), (ORDER, ORDER)))
        await self.settle()
        due = make_due_id(round_id, LYON)
        assert due in {one.id for one in self.home.of(Due)}
        self.home.hear(DueTaken(due), sender=FUND)
        await self.settle()
        return due

    def settled(self, due: bytes, state: DueState, cents: int) -> None:
        self.home.hear(DueSettled(due, state, cents, DAY), sender=FUND)

    def hear_told(self) -> dict[tuple[bytes, bytes], tuple[int, ...]]:
        """Tell what changed; return it by campaign and project: waiting, converted, paid, netted, confirmed."""
        lines = self.lyon.book.read_now(self.effects.find_changed)
        before = len(self.told)
        assert self.lyon.book.write_now(self.effects.tell, lines) == len(lines)
        assert self.lyon.book.read_now(self.effects.find_changed) == [], "told once"
        return {
            (one.campaign, one.project): (one.waiting, one.converted, one.paid, one.netted, one.confirmed)
            for one in self.told[before:]
        }

    def execute(self, statement: Any) -> None:
        """Change Lyon's book by hand."""

        def write(page: Page, items: Sequence[Any]) -> list[None]:
            return [page.connection.execute(one).close() for one in items]

        self.lyon.book.write_now(write, statement)

    def broken(self) -> list[str]:
        checked = self.lyon.book.read_now(
            lambda line: check_node(line, home=LYON, hub=HUB, on_progress=lambda _where: None)
        )
        return [one.rule for one in checked if one.findings]


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    made = Story(tmp_path)
    yield made
    made.world.close()


async def test_what_became_of_two_campaigns_at_home_and_elsewhere(story: Story) -> None:
    bread = story.give_out(BREAD, *[20_000] * 4)
    books = story.give_out(BOOKS, *[15_000] * 3)
    await story.settle()
    for holder in bread[:3]:
        story.direct(holder, GARDEN, 10_050)
    for holder in books[:2]:
        story.direct(holder, GARDEN, 6_000)
    assert story.hear_told() == {(BREAD, GARDEN): (30_000, 0, 0, 0, 0)}, "of books there are two, who are too few"
    assert (story.told[0].territory, story.told[0].title) == (LYON, "A garden")

    changed = story.direct(bread[3], GARDEN, 9_000)
    story.take_back(changed)
    third = story.direct(books[2], GARDEN, 100)
    assert story.hear_told() == {(BOOKS, GARDEN): (10_000, 0, 0, 0, 0)}, "what came back was never told"
    story.take_back(third)
    assert story.hear_told() == {(BOOKS, GARDEN): (0, 0, 0, 0, 0)}, "two again: nothing"

    story.home.hear(CommitProject(story.home.id(), GARDEN))
    first = await story.convert(GARDEN, 1, 20_100)  # of two holders of bread
    assert story.hear_told() == {(BREAD, GARDEN): (0, 0, 0, 0, 0)}
    second = await story.convert(GARDEN, 2, 22_050)  # of the third, and all of books
    assert story.hear_told() == {(BREAD, GARDEN): (0, 30_150, 0, 0, 0)}, "three together; of books still two"

    story.settled(first, DueState.PAID, 20_100)
    assert story.hear_told() == {}, "two of three: their sum is told with the third's"
    story.settled(second, DueState.PAID, 22_050)
    assert story.hear_told() == {(BREAD, GARDEN): (0, 30_150, 30_150, 0, 0)}
    story.settled(second, DueState.REJECTED, 22_050)
    assert story.hear_told() == {(BREAD, GARDEN): (0, 30_150, 0, 0, 0)}, "the bank sent it back: owed again"
    story.settled(second, DueState.PAID, 22_050)
    story.home.hear(DueConfirmed(first, DAY + 1), DueConfirmed(second, DAY + 1))
    assert story.hear_told() == {(BREAD, GARDEN): (0, 30_150, 30_150, 0, 30_150)}

    story.execute(insert(listed_projects).values(**listed(story.numbers[WELL])))
    for holder in (*bread[:2], bread[3], *books[:2]):
        story.direct(holder, WELL, 4_000)
    await story.settle()
    story.direct(books[2], WELL, 4_000)
    await story.settle()
    await give_back(story)
    assert story.lyon.balance(books[2]) == 15_000
    assert story.hear_told() == {}, "what waits elsewhere is that territory's to know"
    story.execute(delete(listed_projects))  # it is committed, and in the catalogue no more
    story.away.hear(CommitProject(story.away.id(), WELL))
    due = await story.convert(WELL, 1, 20_000)
    assert story.hear_told() == {(BREAD, WELL): (0, 12_000, 0, 0, 0)}, "of books there are two: the third took his back"
    assert (story.told[-1].territory, story.told[-1].title) == (BREST, "A well")
    story.settled(due, DueState.NETTED, 20_000)
    await story.settle()
    assert story.hear_told() == {(BREAD, WELL): (0, 12_000, 0, 12_000, 0)}
    story.away.hear(DueConfirmed(due, DAY + 2))
    await story.settle()
    assert story.hear_told() == {(BREAD, WELL): (0, 12_000, 0, 12_000, 12_000)}

    bread_id, books_id = (str(uuid.UUID(bytes=one)) for one in (BREAD, BOOKS))
    assert story.lyon.book.read_now(lambda line: load_converted_by_due(line, LYON)) == {
        (first, bread_id): 20_100,
        (second, bread_id): 10_050,
        (second, books_id): 12_000,
        (due, bread_id): 12_000,
        (due, books_id): 8_000,
    }
    await an_old_copy_knows_what_it_told(story)


async def an_old_copy_knows_what_it_told(story: Story) -> None:
    """What was told since a copy is held against what there is: a line that is no more is told as nothing."""
    assert story.broken() == []
    lost = EffectTold(BOOKS, LYON, GARDEN, "A garden", 10_000, 0, 0, 0, 0)
    slip = HouseSlip(HOUSE_VERSION, BaseName.PARTNERS, story.world.clock(), (lost,))
    story.lyon.book.write_now(lambda page, _: [story.effects.note_lost(page, [slip])], None)
    assert story.hear_told() == {(BOOKS, GARDEN): (0, 0, 0, 0, 0)}
    story.execute(update(told_effects).where(told_effects.c.converted == 30_150).values(converted=30_151))
    assert story.broken() == [RULE]


def listed(address: Address) -> dict[str, Any]:
    """Return a project as a catalogue lists it."""
    words = {"title": "A well", "searched": "a well", "place": "", "commune": "", "theme": ""}
    sums = {"target": 1_000_000, "minimum": 1, "support": 0, "need_by": 20271231, "urgency": 0}
    return {"territory": address.territory, "number": address.number, **words, **sums}


async def give_back(story: Story) -> None:
    """The newest arrival at the project elsewhere goes back to its giver, who hid his address."""
    asked = TakeBackAsked(op=Id16(story.brest.entropy(16)), orientation=Id16(bytes(story.brest.arrivals()[-1].op)))
    story.brest.book.write_now(story.away.orientations.take_back, asked)
    await story.settle()
