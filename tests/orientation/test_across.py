"""Rights directed to a project of another territory, and their way back to who directed them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from node.federation.senders import SENDER_NUMBER, name_arrival, read_arrival
from node.federation.whispers import BackQuestion
from node.ledger.accounts import UNCLAIMED, AccountEvent, AccountKind
from node.ledger.errors import InsufficientRights, KindMisfit
from node.ledger.openings import ChangeState
from node.ledger.reading_service import load_balance
from node.orientation.books_service import ProjectBooks
from node.orientation.directions import Choice, Direct, Overflow
from node.orientation.errors import AskedBefore, LotsUnfit, OrientationUnknown, ProjectCommitted
from node.orientation.onward_service import OnwardService
from node.orientation.project_service import ProjectDesk
from node.orientation.release_service import ReleaseService
from node.orientation.return_service import ReturnDesk, StillOnItsWay, TerritorySilent
from node.orientation.service import DirectedView, Orientations, TakeBackAsked, TakenBackView
from node.orientation.store import find_project, load_projects
from protocol.book.worker import Page
from protocol.cession import CessionState
from protocol.errors import IdMismatch
from protocol.exchange.peer_service import PeerExchange
from protocol.exchange.service import Identity
from protocol.house import (
    BaseName,
    CommitProject,
    HouseMessage,
    OpenProject,
    ProjectOpened,
    ReleaseProject,
    house_of,
    make_neighbours,
)
from protocol.identifiers import AccountNumber, Address, Id16, format_address, parse_id
from tests.federation.world import BREST, LILLE, LYON, Node, World
from tests.orientation.makers import endow_bound


class Projects:
    """The room of projects of one node of the world."""

    def __init__(self, node: Node, *, at_once: int = 500) -> None:
        self.node = node
        books = ProjectBooks(lambda _page, _reader, _messages: None)
        self.room = Orientations(node.ledger, node.federation, books)
        node.federation.room.projects = self.room
        self.releases = ReleaseService(self.room, books, at_once=at_once)
        self.desk = ProjectDesk(node.ledger, books, self.releases, has_fund=True)
        self.logs = {
            code: PeerExchange(
                node.book,
                Identity(house_of(node.code), code, node.federation.identity.keyring),
                make_neighbours({}),
                lambda _page, _sender, _messages: [],
            )
            for code in (str(BaseName.ACCOUNTS), str(BaseName.PROJECTS))
        }

    def hear(self, *messages: HouseMessage) -> list[HouseMessage]:
        def write(page: Page, items: Sequence[tuple[HouseMessage, ...]]) -> list[list[HouseMessage]]:
            answers = []
            for item in items:
                self.logs["PROJECTS"].tell(page, "ACCOUNTS", item)
                told = self.desk.apply(page, "PROJECTS", item)
                if told:
                    self.logs["ACCOUNTS"].tell(page, "PROJECTS", told)
                answers.append(told)
            return answers

        found: list[HouseMessage] = self.node.book.write_now(write, messages)
        return found

    def open(self, target: int = 100_000, theme: str = "rivers") -> tuple[bytes, Address]:
        id_ = self.node.entropy(16)
        [opened] = self.hear(OpenProject(id_, "La rivière", theme, target, 20991231))
        assert isinstance(opened, ProjectOpened)
        return id_, Address(AccountNumber(opened.number), self.node.code)

    def direct(
        self, account: AccountNumber, *choices: tuple[Address, int], is_named: bool = True, **more: Any
    ) -> DirectedView:
        asked = Direct(
            op=Id16(self.node.entropy(16)),
            account=account,
            choices=tuple(Choice(to=to, cents=cents) for to, cents in choices),
            giver=format_address(Address(account, self.node.code)) if is_named else "",
            **more,
        )
        view: DirectedView = self.node.book.write_now(self.room.direct, asked)
        return view

    def take_back(self, orientation: bytes, cents: int | None = None) -> TakenBackView:
        asked = TakeBackAsked(op=Id16(self.node.entropy(16)), orientation=Id16(orientation), cents=cents)
        view: TakenBackView = self.node.book.write_now(self.room.take_back, asked)
        return view

    def commit(self, project: bytes) -> None:
        self.hear(CommitProject(self.node.entropy(16), project))

    def release(self, project: bytes) -> None:
        self.hear(ReleaseProject(self.node.entropy(16), project, "withdrawn"))

    def standing(self, project: bytes) -> tuple[int, int]:
        found = self.node.book.read_now(lambda line: find_project(line, project))
        assert found is not None
        return found.directed, found.supporters


class Story:
    """Two territories: a holder in Lyon, projects in Brest."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.brest, self.lyon = world.join(BREST), world.join(LYON)
        self.here, self.there = Projects(self.brest), Projects(self.lyon)
        self.lyon.endow(10_000)
        self.alice = self.lyon.open()
        self.lyon.credit(self.alice, 1_000)

    def unclaimed(self, node: Node) -> int:
        return node.book.read_now(lambda line: int(load_balance(line, UNCLAIMED).cents))


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """PostgreSQL serves one test, the longest: what is the same everywhere is asked of files."""
    if request.param == "sqlite":
        made = World(lambda name: f"sqlite:///{tmp_path / name}.db")
    else:
        if request.node.originalname != ON_BOTH:
            pytest.skip("asked of files only")
        create = request.getfixturevalue("postgres_url")
        made = World(lambda _name: create())
    yield made
    findings = made.check()
    made.close()
    assert findings == []


async def test_rights_from_elsewhere_are_directed_and_all_go_home_lot_by_lot(world: World) -> None:
    story = Story(world)
    await world.settle()
    brest, lyon, here = story.brest, story.lyon, story.here
    project, to = here.open()
    other = lyon.open()
    lyon.credit(other, 500)
    before = lyon.book.read_now(lambda line: load_balance(line, story.alice).lots)
    view = story.there.direct(story.alice, (to, 400))
    hidden = story.there.direct(other, (to, 300), is_named=False)
    assert [one.state for one in view.placements] == ["sent"]
    await world.settle()
    assert lyon.cession(hidden.op).state is CessionState.DELIVERED
    assert here.standing(project) == (700, 2)
    home = brest.open()
    brest.endow(100)
    brest.credit(home, 100)
    here.direct(home, (to, 100))
    named, _ = brest.arrivals()
    here.take_back(bytes(named.op), 150)
    await world.settle()
    assert (lyon.balance(story.alice), lyon.balance(other)) == (750, 200)
    assert here.standing(project) == (650, 3)
    here.release(project)
    await world.settle()
    assert (lyon.balance(story.alice), lyon.balance(other), brest.balance(home)) == (1_000, 500, 100)
    assert lyon.book.read_now(lambda line: load_balance(line, story.alice).lots) == before
    assert here.standing(project) == (0, 0)
    assert lyon.arrivals()[-1].account == other, "his own node knows whom an anonymous gift came from"


ON_BOTH = "test_rights_from_elsewhere_are_directed_and_all_go_home_lot_by_lot"


async def test_what_names_no_address_as_its_giver_goes_back_to_who_sent_it(tmp_path: Path) -> None:
    """What another node writes there is free text: it must not keep a whole project from letting go."""
    world = World(lambda name: f"sqlite:///{tmp_path / name}.db")
    story = Story(world)
    await world.settle()
    project, to = story.here.open()
    story.lyon.cede(story.alice, to, 100, giver="no address at all")
    await world.settle()
    story.here.release(project)
    await world.settle()
    assert story.lyon.balance(story.alice) == 1_000
    assert world.check() == []
    world.close()


async def test_what_a_project_does_not_take_comes_back_with_its_code(tmp_path: Path) -> None:
    world = World(lambda name: f"sqlite:///{tmp_path / name}.db")
    story = Story(world)
    await world.settle()
    here, lyon = story.here, story.lyon
    project, small = here.open(target=100)
    _, past = here.open()
    here.commit(project)
    full, room = here.open(target=50)
    sent = [story.there.direct(story.alice, (to, cents)) for to, cents in ((small, 10), (room, 51), (past, 20))]
    two = story.there.direct(story.alice, (room, 40), (past, 5), overflow=Overflow.NEXT)
    await world.settle()
    codes = [lyon.cession(view.op).code for view in sent]
    assert codes == ["project_committed", "project_full", ""]
    assert [lyon.cession(parse_id(one.id)).state for one in two.placements] == [CessionState.DELIVERED] * 2
    assert here.standing(full) == (40, 1)
    here.release(full)
    here.release(project)
    late = story.there.direct(story.alice, (small, 10))
    await world.settle()
    assert lyon.cession(late.op).code == "project_closed"
    assert lyon.balance(story.alice) == 1_000 - 20 - 5
    assert world.check() == []
    world.close()


async def test_a_bound_lot_does_not_leave_and_is_not_taken(tmp_path: Path) -> None:
    world = World(lambda name: f"sqlite:///{tmp_path / name}.db")
    story = Story(world)
    await world.settle()
    _, to = story.here.open()
    bound = story.lyon.open()
    endow_bound(story.lyon, bound, 100)
    with pytest.raises(LotsUnfit):  # only its issuer can read what a lot is bound to
        story.there.direct(bound, (to, 10))
    view = story.lyon.cede(bound, to, 10)
    await world.settle()
    assert (story.lyon.cession(view.op).state, story.lyon.cession(view.op).code) == (
        CessionState.RETURNED,
        "lots_unfit",
    )
    assert world.check() == []
    world.close()


async def test_what_cannot_be_delivered_back_is_directed_again_or_unclaimed(tmp_path: Path) -> None:
    world = World(lambda name: f"sqlite:///{tmp_path / name}.db")
    story = Story(world)
    await world.settle()
    here, lyon = story.here, story.lyon
    project, to = here.open()
    story.there.direct(story.alice, (to, 1_000))
    await world.settle()
    lyon.ledger.write_now(lyon.ledger.change_states, ChangeState(account=story.alice, event=AccountEvent.CLOSE))
    [arrival] = story.brest.arrivals()
    here.take_back(bytes(arrival.op), 300)
    assert here.standing(project) == (700, 1)
    await world.settle()
    assert here.standing(project) == (1_000, 1), "it stands directed as before"
    here.release(project)
    await world.settle()
    assert here.standing(project) == (0, 0)
    assert story.unclaimed(story.brest) == 1_000
    assert world.check() == []
    world.close()


async def test_an_arrival_is_given_back_through_its_orientation_and_nothing_else_leaves_a_project(
    tmp_path: Path,
) -> None:
    world = World(lambda name: f"sqlite:///{tmp_path / name}.db")
    story = Story(world)
    await world.settle()
    here, brest = story.here, story.brest
    project, to = here.open()
    story.there.direct(story.alice, (to, 300), is_named=False)
    story.there.direct(story.alice, (to, 200))
    await world.settle()
    first, second = brest.arrivals()
    views = [brest.book.write_now(brest.federation.give_back, bytes(first.op)) for _ in range(2)]
    assert [view.op for view in views] == [views[0].op] * 2
    await world.settle()
    assert here.standing(project) == (200, 1)
    assert story.lyon.balance(story.alice) == 800
    with pytest.raises(KindMisfit):
        brest.cede(to.number, Address(story.alice, LYON), 10)
    here.commit(project)
    with pytest.raises(ProjectCommitted):
        brest.book.write_now(brest.federation.give_back, bytes(second.op))
    assert world.check() == []
    world.close()


async def test_who_sent_it_is_found_for_what_he_sent_there_only(tmp_path: Path) -> None:
    """A territory that names a cession it did not receive, or none at all, has its rights back."""
    world = World(lambda name: f"sqlite:///{tmp_path / name}.db")
    story = Story(world)
    lille = world.join(LILLE)
    eve = lille.open()
    lille.endow(100)
    lille.credit(eve, 100)
    await world.settle()
    brest, lyon = story.brest, story.lyon
    bob = brest.open()
    brest.endow(100)
    brest.credit(bob, 100)
    account = lyon.open(AccountKind.PROJECT)  # opened by hand: what reaches it is credited, and directed by nobody
    _, to = story.here.open()
    view = story.there.direct(story.alice, (to, 300), is_named=False)
    await world.settle()
    epoch, index, place = (int(part) for part in lyon.cession(view.op).reference.split("/"))
    sender = Address(SENDER_NUMBER, LYON)
    wrong = [name_arrival(epoch, index, place + 1), name_arrival(epoch, index + 7, 0), "returns to sender", ""]
    sent = [brest.cede(bob, sender, 10, words=words) for words in wrong]
    good = brest.cede(bob, sender, 10, words=name_arrival(epoch, index, place, "withdrawn"))
    stranger = lille.cede(eve, sender, 10, words=name_arrival(epoch, index, place))
    by_hand = brest.cede(bob, Address(account, LYON), 10)
    await world.settle()
    assert [brest.cession(one.op).code for one in sent] == ["account_unknown"] * 4
    assert lille.cession(stranger.op).code == "account_unknown", "it was not sent to that territory"
    assert [brest.cession(one.op).state for one in (good, by_hand)] == [CessionState.DELIVERED] * 2
    assert (lyon.balance(story.alice), lyon.balance(account)) == (710, 10)
    assert world.check() == []
    world.close()


def test_the_words_that_name_an_arrival_are_read_as_they_were_written() -> None:
    assert read_arrival(name_arrival(3, 17, 2)) == (3, 17, 2)
    assert read_arrival(name_arrival(3, 17, 2, "minimum_missed")) == (3, 17, 2)
    for words in ("", "returns 1/2", "returns 1/2/3 ", " returns 1/2/3", "returns 1/2/3 A", "returns a/2/3"):
        assert read_arrival(words) is None


async def test_an_orientation_far_away_against_its_own_recall(tmp_path: Path) -> None:
    """Recalled before its project's territory had it, it comes home; afterwards it stays directed, and its holder is told."""
    world = World(lambda name: f"sqlite:///{tmp_path / name}.db")
    story = Story(world)
    await world.settle()
    here, lyon = story.here, story.lyon
    _, to = here.open()
    early, late = story.there.direct(story.alice, (to, 300)), story.there.direct(story.alice, (to, 200))
    await world.settle(LYON)
    lyon.book.write_now(lyon.federation.recall, early.op)
    with pytest.raises(InsufficientRights):  # what is on its way is directed nowhere else meanwhile
        story.there.direct(story.alice, (to, 501))
    await world.settle(LYON)
    assert (lyon.cession(early.op).state, lyon.balance(story.alice)) == (CessionState.RECALLED, 800)
    await story.brest.worker.exchange_all()
    lyon.book.write_now(lyon.federation.recall, late.op)
    await world.settle()
    assert (lyon.cession(late.op).state, lyon.cession(late.op).recall) == (CessionState.DELIVERED, "too_late")
    project = story.brest.book.read_now(lambda line: load_projects(line, [to.number]))[to.number]
    assert (project.directed, project.supporters, lyon.balance(story.alice)) == (200, 1, 800)
    assert world.check() == []
    world.close()


async def test_a_holder_far_away_takes_back_what_he_directed_himself(tmp_path: Path) -> None:
    """His node asks the project's in a whisper: done once however often it is asked, refused as here, and for nobody else."""
    world = World(lambda name: f"sqlite:///{tmp_path / name}.db")
    story = Story(world)
    await world.settle()
    here, lyon, brest = story.here, story.lyon, story.brest
    project, to = here.open()
    patient, hasty = (ReturnDesk(lyon.book, story.there.room, lyon.payees, seconds=seconds) for seconds in (60.0, 0.05))
    brest.payees.on_back = ReturnDesk(brest.book, here.room, brest.payees).give_back
    [placed] = story.there.direct(story.alice, (to, 400), is_named=False).placements
    orientation, allowed = parse_id(placed.id), [story.alice]

    async def ask(cents: int | None, op: int, *, is_answer_lost: bool = False) -> TakenBackView:
        def require(account: str) -> None:
            if account not in allowed:
                raise KindMisfit(kind="cede", debit=account, credit="")

        asked = TakeBackAsked(op=Id16(bytes([op]) * 16), orientation=Id16(orientation), cents=cents)
        desk = hasty if is_answer_lost else patient
        answered = asyncio.create_task(desk.take_back(asked, require))
        while not (answered.done() or lyon.payees.has_outgoing):  # noqa: ASYNC110 - nothing tells that a whisper waits
            await asyncio.sleep(0)
        for node in (lyon, brest):
            await node.worker.exchange_once()
        if is_answer_lost:
            assert len(brest.payees.take_outgoing()) == 1
        for node in (brest, lyon):
            await node.worker.exchange_once()
        return await answered

    with pytest.raises(StillOnItsWay):
        await ask(100, 1)
    await world.settle()
    first = await ask(150, 1)
    again = await ask(150, 1)
    assert (first.cents, first.account, first.is_repeat, again.is_repeat) == (150, story.alice, False, True)
    with pytest.raises(IdMismatch):
        await ask(151, 1)
    with pytest.raises(TerritorySilent):
        await ask(50, 2, is_answer_lost=True)
    assert (await ask(50, 2)).cents == 50, "it was done, and is not done again"
    await world.settle()
    assert (lyon.balance(story.alice), here.standing(project)) == (800, (200, 1))
    allowed.clear()
    with pytest.raises(KindMisfit):
        await ask(10, 3)
    allowed.append(story.alice)
    epoch, index, place = (int(part) for part in lyon.cession(orientation).reference.split("/"))
    stolen = BackQuestion(epoch, index, place, bytes(16), 10, world.clock.now)
    with pytest.raises(OrientationUnknown):
        await brest.payees.on_back(LILLE, stolen)
    here.commit(project)
    with pytest.raises(AskedBefore) as refused:
        await ask(None, 4)
    assert refused.value.code == "project_committed"
    here.release(project)
    await world.settle()
    assert (lyon.balance(story.alice), here.standing(project)) == (1_000, (0, 0))
    assert world.check() == []
    world.close()


async def test_what_a_project_elsewhere_sends_back_goes_on_to_the_next_choices(tmp_path: Path) -> None:
    world = World(lambda name: f"sqlite:///{tmp_path / name}.db")
    story = Story(world)
    await world.settle()
    here, there, lyon, alice = story.here, story.there, story.lyon, story.alice
    _, small = here.open(target=100)
    _, other = here.open(target=120)
    near, home = there.open(target=60)
    last, end = there.open(target=1_000)
    service = OnwardService(lyon.ledger, there.room)

    def go_on() -> int:
        return int(lyon.book.write_now(service.go_on, None))

    view = there.direct(alice, (small, 150), (other, 10), (home, 20), (end, 5), overflow=Overflow.NEXT)
    assert [one.cents for one in view.placements] == [150, 10, 20, 5]
    assert go_on() == 0, "nothing has come back yet"
    await world.settle()
    assert (lyon.balance(alice), lyon.cession(view.op).code) == (1_000 - 35, "project_full")
    assert go_on() == 2, "what came back, and what arrived"
    await world.settle()  # to the other project there, which has no room for it either
    assert (go_on(), go_on()) == (1, 0)
    assert (there.standing(near)[0], there.standing(last)[0]) == (60, 5 + 110)
    assert lyon.balance(alice) == 1_000 - 10 - 60 - 115
    # What its holder took back himself, or spent meanwhile, goes nowhere; nor does what nobody wants to go on.
    back = there.direct(alice, (small, 200), (end, 5))
    lost = there.direct(alice, (small, 300), (end, 5), overflow=Overflow.NEXT)
    held = there.direct(alice, (other, 50), (end, 5), overflow=Overflow.NEXT).op
    lyon.book.write_now(lyon.federation.recall, held)
    await world.settle()
    # A recall that came too late is one all the same: what the project sends back stays with who wanted it back.
    late = there.direct(alice, (small, 200), (end, 5), overflow=Overflow.NEXT).op
    await world.settle(LYON)
    await story.brest.worker.exchange_all()
    lyon.book.write_now(lyon.federation.recall, late)
    await world.settle()
    assert (lyon.cession(late).state, lyon.cession(late).recall) == (CessionState.RETURNED, "too_late")
    assert (lyon.cession(back.op).state, lyon.cession(lost.op).state) == (CessionState.RETURNED,) * 2
    assert lyon.cession(held).state is CessionState.RECALLED
    there.direct(alice, (end, lyon.balance(alice) - 299))
    before = (lyon.balance(alice), there.standing(last)[0])
    assert go_on() == 3
    assert (lyon.balance(alice), there.standing(last)[0]) == before
    assert world.check() == []
    world.close()
