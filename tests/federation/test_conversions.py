"""Rights become euros in another territory: asked of the issuer's fund, taken or not, paid, sent back, confirmed."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, text, update

from hub.clearing import tables as hub_tables
from hub.settlement import store as settlement_store
from node.checks import check_node
from node.federation import leaving_service, tables
from node.federation.conversion_service import Conversions
from node.federation.outgoing import Leaving
from node.federation.store import load_unplaced
from node.federation.unplaced_service import UnplacedUnknown
from node.federation.windows_service import Windows
from node.ledger.accounts import CONVERTED, TRANSIT, abroad
from node.ledger.naming_service import load_lot_names
from node.ledger.postings import Posting, PostingKind
from node.ledger.reading_service import load_balance
from node.orientation.books_service import ProjectBooks
from node.orientation.directions import Choice, Direct, Overflow
from node.orientation.project_service import ProjectDesk
from node.orientation.release_service import ReleaseService
from node.orientation.service import Orientations
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.errors import BadEnvelope
from protocol.exchange.peer_service import PeerExchange
from protocol.exchange.service import Identity
from protocol.house import (
    BaseName,
    CommitProject,
    ConvertProject,
    Due,
    DueConfirmed,
    DueSettled,
    DueState,
    DueTaken,
    HouseMessage,
    OpenProject,
    OrderNetted,
    ProjectConverted,
    ProjectOpened,
    Refused,
    ReleaseProject,
    house_of,
    make_due_id,
    make_neighbours,
)
from protocol.identifiers import AccountNumber, Address, Id16
from protocol.keys import Keyring, make_keys
from protocol.messages import Convert, Settled, SettledState
from protocol.obligations import ObligationState
from protocol.times import Instant
from tests.federation.old_copies import back_up, restore_hub, restore_node
from tests.federation.world import BREST, HUB, LILLE, LYON, Node, World

ACCOUNTS, FUND, PROJECTS = str(BaseName.ACCOUNTS), str(BaseName.FUND), str(BaseName.PROJECTS)
KEYS = make_keys(bytes(64))
ORDER = b"an order that only the fund of the issuer opens"
PROJECT = Id16(b"a project's id16")
DAY = 20261202


class House:
    """What stands around the accounts of one node: projects and fund, as far as the accounts hear and tell them."""

    def __init__(self, node: Node, *, has_fund: bool = True) -> None:
        self.node = node
        self.told: list[tuple[str, HouseMessage]] = []
        self._ids = itertools.count(1)
        self.logs = {
            code: PeerExchange(
                node.book,
                Identity(house_of(node.code), code, Keyring(KEYS)),
                make_neighbours({}),
                lambda _page, _sender, _messages: [],
            )
            for code in (ACCOUNTS, FUND, PROJECTS)
        }
        books = ProjectBooks(self._tell)
        self.orientations = Orientations(node.ledger, node.federation, books)
        node.federation.room.projects = self.orientations
        releases = ReleaseService(self.orientations, books)
        self.desk = ProjectDesk(node.ledger, books, releases, has_fund=has_fund)
        self.conversions = Conversions(node.federation.room, self.desk, self._tell, has_fund=has_fund)
        self.desk.abroad = node.federation.room.conversions = self.conversions
        self.windows = node.federation.room.windows = Windows(node.federation.room, self.desk.find_owed, self._tell)

    def _tell(self, page: Page, reader: str, messages: Sequence[HouseMessage]) -> None:
        self.logs[ACCOUNTS].tell(page, reader, messages)
        self.told += [(reader, message) for message in messages]

    def id(self) -> Id16:
        return Id16(next(self._ids).to_bytes(16, "big"))

    def hear(self, *messages: HouseMessage, sender: str = PROJECTS) -> list[HouseMessage]:
        def write(page: Page, items: Sequence[tuple[HouseMessage, ...]]) -> list[list[HouseMessage]]:
            answers: list[list[HouseMessage]] = []
            for item in items:
                self.logs[sender].tell(page, ACCOUNTS, item)
                told: list[HouseMessage] = []
                if sender == FUND:
                    self.desk.hear_fund(page, item)
                    self.conversions.hear_fund(page, item)
                    self.windows.hear_fund(page, item)
                else:
                    for message in item:
                        if isinstance(message, DueConfirmed):
                            self.conversions.confirm(page, message)
                        elif isinstance(message, OrderNetted):
                            told += self.windows.hear_projects(page, message)
                    told += self.desk.apply(page, sender, item)
                if told:
                    self.logs[ACCOUNTS].tell(page, sender, told)
                answers.append(told)
            return answers

        found: list[HouseMessage] = self.node.book.write_now(write, messages)
        return found

    def of(self, kind: type[Any]) -> list[Any]:
        return [message for _, message in self.told if isinstance(message, kind)]

    def balance(self, account: Any) -> int:
        return self.node.book.read_now(lambda line: int(load_balance(line, account).cents))


class Story:
    """A project of Brest, to which a person of Brest directed rights of Lyon's and of Brest's own."""

    def __init__(self, make_url: Callable[[str], str], *, lyon_has_fund: bool = True) -> None:
        self.world = World(make_url)
        self.brest, self.lyon = self.world.join(BREST), self.world.join(LYON)
        self.settle()
        self.here, self.there = House(self.brest), House(self.lyon, has_fund=lyon_has_fund)
        giver, self.person = self.lyon.open(), self.brest.open()
        for node, account, cents in ((self.lyon, giver, 700), (self.brest, self.person, 300)):
            node.endow(cents)
            node.credit(account, cents)
        self.lyon.cede(giver, Address(self.person, BREST), 700)
        self.settle()
        [opened] = self.here.hear(OpenProject(PROJECT, "A garden", "food", 10_000, 20271231))
        assert isinstance(opened, ProjectOpened)
        self.number = AccountNumber(opened.number)
        choice = Choice(to=Address(self.number, BREST), cents=1_000)
        asked = Direct(op=self.here.id(), account=self.person, choices=(choice,), overflow=Overflow.BACK)
        self.brest.book.write_now(self.here.orientations.direct, asked)
        self.here.hear(CommitProject(self.here.id(), PROJECT))

    def settle(self) -> None:
        asyncio.run(self.world.settle())

    def convert(self, cents: int = 1_000, *, number: int = 1) -> Id16:
        round_id = self.here.id()
        asked = ConvertProject(round_id, PROJECT, number, cents, (BREST, LYON), (ORDER + b" here", ORDER))
        [self.converted] = self.here.hear(asked)
        self.settle()
        return round_id

    def obligation(self) -> tuple[int, ObligationState]:
        [(_, one)] = self.world.hub_book.read_now(lambda line: list(settlement_store.load_owed(line)))
        assert (one.debtor, one.creditor, one.project) == (LYON, BREST, PROJECT)
        return one.cents, one.state

    def positions(self) -> int:
        return self.lyon.book.read_now(lambda line: int(load_balance(line, abroad(BREST)).cents))

    def require_right(self) -> None:
        self.settle()
        assert self.world.check() == []


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    made = Story(lambda name: f"sqlite:///{tmp_path / name}.db")
    yield made
    made.world.close()


def test_rights_of_another_territory_become_euros_of_its_fund(story: Story) -> None:
    round_id = story.convert()
    assert isinstance(story.converted, ProjectConverted)
    assert (story.converted.id, story.converted.waiting) == (round_id, 0)
    assert dict(zip(story.converted.payers, story.converted.cents, strict=True)) == {LYON: 700, BREST: 300}
    [due] = story.there.of(Due)
    assert (due.id, due.territory, due.project) == (make_due_id(round_id, LYON), BREST, PROJECT)
    assert (sum(due.cents), due.order) == (700, ORDER)
    # Until Lyon's fund has decided the rights are on their way, and nobody owes.
    assert (story.positions(), story.there.balance(CONVERTED), story.here.balance(TRANSIT)) == (700, 0, 700)
    assert story.world.hub_book.read_now(lambda line: list(settlement_store.load_owed(line))) == []
    story.require_right()

    story.there.hear(DueTaken(due.id), sender=FUND)
    story.settle()
    assert (story.positions(), story.there.balance(CONVERTED), story.here.balance(TRANSIT)) == (0, 700, 0)
    assert story.obligation() == (700, ObligationState.OWED)
    story.require_right()

    story.there.hear(DueSettled(due.id, DueState.PAID, 700, DAY), sender=FUND)
    story.settle()
    assert story.obligation() == (700, ObligationState.PAID)
    assert story.here.of(DueSettled)[-1] == DueSettled(due.id, DueState.PAID, 700, DAY)
    story.here.hear(DueConfirmed(due.id, DAY + 1))
    story.settle()
    assert story.obligation() == (700, ObligationState.CONFIRMED)
    row = story.lyon.book.read_now(lambda line: line.execute(select(tables.conversions)).one())
    assert (row.state, row.said, row.said_on, row.confirmed_on) == ("owed", 1, DAY, DAY + 1)
    story.require_right()


def test_what_the_fund_refuses_is_directed_again(story: Story) -> None:
    story.convert()
    [due] = story.there.of(Due)
    story.there.hear(Refused(due.id, "order_refused"), sender=FUND)
    story.settle()
    assert (story.positions(), story.there.balance(CONVERTED)) == (700, 0)
    assert story.here.balance(story.number) == 700
    assert [message.code for message in story.here.of(Refused)] == ["order_refused"]
    assert story.here.of(ProjectConverted)[-1].waiting == 700
    story.require_right()
    again = story.convert(700, number=2)
    story.there.hear(DueTaken(make_due_id(again, LYON)), sender=FUND)
    story.settle()
    assert story.there.balance(CONVERTED) == 700
    story.require_right()


def test_a_territory_without_a_fund_gives_the_rights_back(tmp_path: Path) -> None:
    story = Story(lambda name: f"sqlite:///{tmp_path / name}.db", lyon_has_fund=False)
    story.convert()
    assert story.here.balance(story.number) == 700
    assert [message.code for message in story.here.of(Refused)] == ["no_fund"]
    story.require_right()
    story.world.close()


def test_a_rejected_payment_is_owed_again_and_may_be_paid_later(story: Story) -> None:
    story.convert()
    [due] = story.there.of(Due)
    story.there.hear(DueTaken(due.id), sender=FUND)
    for state, day, expected in (
        (DueState.PAID, DAY, ObligationState.PAID),
        (DueState.REJECTED, DAY + 3, ObligationState.REJECTED),
        (DueState.PAID, DAY + 5, ObligationState.PAID),
    ):
        story.there.hear(DueSettled(due.id, state, 700, day), sender=FUND)
        story.settle()
        assert story.obligation() == (700, expected)
        assert story.here.of(DueSettled)[-1] == DueSettled(due.id, state, 700, day)
    story.require_right()


def test_asked_and_answered_twice_nothing_happens_twice(story: Story) -> None:
    round_id = story.here.id()
    asked = ConvertProject(round_id, PROJECT, 1, 1_000, (BREST, LYON), (ORDER + b" here", ORDER))
    first, second = story.here.hear(asked), story.here.hear(asked)
    assert first == second
    story.settle()
    [due] = story.there.of(Due)
    for _ in range(2):
        story.there.hear(DueTaken(due.id), sender=FUND)
        story.settle()
    story.there.hear(Refused(due.id, "too_late"), sender=FUND)
    story.settle()
    assert story.there.balance(CONVERTED) == 700
    assert story.obligation() == (700, ObligationState.OWED)
    story.require_right()


def test_another_territory_that_names_a_round_of_ours_has_nothing_of_it_undone(story: Story) -> None:
    """It learns the round's id with what it owes for it, and asks our fund for its own project under the same id."""
    beneficiary = story.lyon.open()
    story.brest.endow(10)
    giver = story.brest.open()
    story.brest.credit(giver, 10)
    story.brest.cede(giver, Address(beneficiary, LYON), 10)
    story.settle()
    round_id = story.convert()
    [own] = story.here.of(Due)
    story.here.hear(DueTaken(own.id), sender=FUND)
    converted, theirs = story.here.balance(CONVERTED), Id16(b"a project of lyo")
    [opened] = story.there.hear(OpenProject(theirs, "A trap", "food", 10, 20271231))
    assert isinstance(opened, ProjectOpened)
    choice = Choice(to=Address(AccountNumber(opened.number), LYON), cents=10)
    asked = Direct(op=story.there.id(), account=beneficiary, choices=(choice,), overflow=Overflow.BACK)
    story.lyon.book.write_now(story.there.orientations.direct, asked)
    story.there.hear(CommitProject(story.there.id(), theirs))
    story.there.hear(ConvertProject(round_id, theirs, 1, 10, (BREST,), (ORDER,)))
    story.settle()
    assert story.here.of(Due) == [own], "our fund is not asked for it"
    assert [message.code for message in story.there.of(Refused)] == ["id_mismatch"]
    # And were it asked, its refusal of the second is none of what it took before.
    story.here.hear(Refused(own.id, "id_mismatch"), sender=FUND)
    assert (story.here.balance(CONVERTED), story.here.balance(story.number)) == (converted, 0)
    story.there.hear(Refused(make_due_id(round_id, LYON), "order_refused"), sender=FUND)
    story.require_right()


def test_a_fund_that_refused_cannot_say_later_that_it_paid(story: Story) -> None:
    story.convert()
    [due] = story.there.of(Due)
    story.there.hear(Refused(due.id, "order_refused"), sender=FUND)
    story.settle()
    room = story.lyon.federation.room
    row = story.lyon.book.read_now(lambda line: line.execute(select(tables.conversions)).one())
    told = Settled(BREST, row.epoch, row.ix, (row.place,), (SettledState.PAID,), (DAY,))

    def say(page: Page, items: Sequence[Settled]) -> list[int]:
        return [room.write_slip(page, BREST, one) for one in items]

    story.lyon.book.write_now(say, told)
    story.settle()
    assert story.here.of(DueSettled) == [], "the projects hear of no payment"
    found = story.here.node.book.read_now(lambda line: story.here.desk.find_owed(line, due.id))
    assert found is None, "nobody owes it"


def test_a_project_that_ends_while_a_fund_thinks_gets_back_only_what_that_fund_refuses(story: Story) -> None:
    story.convert()
    [due] = story.there.of(Due)
    story.here.hear(ReleaseProject(story.here.id(), PROJECT, "audit_failed"))
    assert story.here.balance(story.person) == 0
    story.there.hear(Refused(due.id, "not_eligible"), sender=FUND)
    story.settle()
    assert story.here.balance(story.person) == 700
    story.require_right()


@pytest.mark.parametrize("copied_at", ["before", "asked", "owed"])
def test_a_payer_put_back_from_an_old_copy_owes_and_said_what_it_did(story: Story, copied_at: str) -> None:
    """The fund's base was not lost: what it told is in this book's own slips, which the hub gives back."""
    copies = {"before": back_up(story.lyon.book)}
    story.convert()
    [due] = story.there.of(Due)
    copies["asked"] = back_up(story.lyon.book)
    story.there.hear(DueTaken(due.id), sender=FUND)
    story.settle()
    copies["owed"] = back_up(story.lyon.book)
    story.there.hear(DueSettled(due.id, DueState.PAID, 700, DAY), sender=FUND)
    story.settle()
    restore_node(story.world, story.lyon, copies[copied_at])
    story.there = House(story.lyon)
    with pytest.raises(BadEnvelope, match="we_are_behind"):
        asyncio.run(story.lyon.worker.exchange_all())
    story.lyon.book.write_now(story.lyon.federation.begin_recovery, None)
    story.settle()
    assert (story.positions(), story.there.balance(CONVERTED)) == (0, 700)
    assert story.obligation() == (700, ObligationState.PAID)
    # Its fund may say the same again: the house has its own way back.
    story.there.hear(DueTaken(due.id), DueSettled(due.id, DueState.PAID, 700, DAY), sender=FUND)
    story.settle()
    assert story.there.balance(CONVERTED) == 700
    story.require_right()


def test_who_asked_put_back_from_an_old_copy_knows_its_rounds_again(story: Story) -> None:
    """What was directed on the copy is taken of who directed it; what was directed since is named, and both were converted."""
    giver, late = story.lyon.open(), story.brest.open()
    story.lyon.endow(50)
    story.lyon.credit(giver, 50)
    story.lyon.cede(giver, Address(late, BREST), 50)
    story.settle()
    copy = back_up(story.brest.book)
    young = story.here.id()
    opening, commit = OpenProject(young, "A well", "", 50, 20271231), CommitProject(story.here.id(), young)
    [opened] = story.here.hear(opening)
    assert isinstance(opened, ProjectOpened)
    choice = Choice(to=Address(AccountNumber(opened.number), BREST), cents=50)
    asked = Direct(op=story.here.id(), account=late, choices=(choice,), overflow=Overflow.BACK)
    story.brest.book.write_now(story.here.orientations.direct, asked)
    story.here.hear(commit)
    rounds = [
        ConvertProject(story.here.id(), PROJECT, 1, 1_000, (BREST, LYON), (ORDER + b" here", ORDER)),
        ConvertProject(story.here.id(), young, 1, 50, (LYON,), (ORDER,)),
    ]
    told = [story.here.hear(one)[0] for one in rounds]
    story.settle()
    owed = story.there.of(Due)
    story.there.hear(*(DueTaken(one.id) for one in owed), sender=FUND)
    story.there.hear(DueSettled(owed[0].id, DueState.PAID, 700, DAY), sender=FUND)
    story.settle()
    [own] = story.here.of(Due)

    restore_node(story.world, story.brest, copy)
    story.here = House(story.brest)
    with pytest.raises(BadEnvelope, match="we_are_behind"):
        asyncio.run(story.brest.worker.exchange_all())
    story.here.hear(opening)
    story.here.hear(commit)

    def again(page: Page, items: Sequence[None]) -> list[None]:
        """What the way back in the house does, which comes first."""
        for one, answer, due in zip(rounds, told, (own, None), strict=True):
            assert isinstance(answer, ProjectConverted)
            story.here.logs[PROJECTS].tell(page, ACCOUNTS, [one])
            story.here.logs[ACCOUNTS].tell(page, PROJECTS, [answer])
            if due is not None:
                story.here.logs[ACCOUNTS].tell(page, FUND, [due])
            story.here.desk.again.begin(page, one, answer, due)
        return list(items)

    story.brest.book.write_now(again, None)
    story.brest.book.write_now(story.brest.federation.begin_recovery, None)
    story.settle()
    assert (story.here.balance(CONVERTED), story.here.balance(TRANSIT), story.there.balance(CONVERTED)) == (300, 0, 750)
    states = dict(story.brest.book.read_now(lambda line: line.execute(text("SELECT cents, state FROM dues")).all()))  # type: ignore[arg-type]
    assert states == {300: "told", 700: "paid", 50: "taken"}
    assert story.here.of(DueSettled)[-1] == DueSettled(owed[0].id, DueState.PAID, 700, DAY)
    [row] = story.brest.book.read_now(load_unplaced)
    assert (row.account, row.cents) == (opened.number, 50)
    assert [one.invariant for one in story.world.check()] == ["I1"]
    story.brest.book.write_now(story.brest.federation.settle_unplaced, (row.id, late))
    with pytest.raises(UnplacedUnknown):  # settled once, from one account
        story.brest.book.write_now(story.brest.federation.settle_unplaced, (row.id, story.brest.pool))
    assert story.brest.balance(late) == 0
    story.require_right()


@pytest.mark.parametrize("copied_at", ["before", "asked", "owed"])
def test_a_hub_put_back_from_an_old_copy_knows_what_is_owed(story: Story, copied_at: str) -> None:
    copies = {"before": back_up(story.world.hub_book)}
    story.convert()
    [due] = story.there.of(Due)
    copies["asked"] = back_up(story.world.hub_book)
    story.there.hear(DueTaken(due.id), sender=FUND)
    story.settle()
    copies["owed"] = back_up(story.world.hub_book)
    story.there.hear(DueSettled(due.id, DueState.PAID, 700, DAY), sender=FUND)
    story.settle()
    story.here.hear(DueConfirmed(due.id, DAY + 1))
    story.settle()
    restore_hub(story.world, copies[copied_at])
    story.world.hub_book.write_now(story.world.exchange.recoverer.begin, b"drawn")
    story.settle()
    assert story.obligation() == (700, ObligationState.CONFIRMED)
    assert story.here.of(DueSettled)[-1] == DueSettled(due.id, DueState.PAID, 700, DAY)
    story.require_right()


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line.execute(update(tables.conversions).values(cents=tables.conversions.c.cents - 1)),
        lambda line: line.execute(update(tables.conversions).values(state="refused", code="no_fund")),
        lambda line: line.execute(update(tables.conversions).values(state="asked")),
        lambda line: line.execute(update(tables.conversions).values(id=bytes(16))),
        lambda line: line.execute(update(tables.conversions).values(project=bytes(16))),
        lambda line: line.execute(update(tables.conversions).values(said=2)),
        lambda line: line.execute(update(tables.conversions).values(said_on=DAY + 1)),
        lambda line: line.execute(update(tables.conversions).values(op=bytes(16))),
        lambda line: line.execute(update(tables.conversions).values(place=1)),
        lambda line: line.execute(tables.conversions.delete()),
    ],
)
def test_a_conversion_changed_by_hand_is_found(story: Story, change: Callable[[Connection], object]) -> None:
    story.convert()
    [due] = story.there.of(Due)
    story.there.hear(DueTaken(due.id), sender=FUND)
    story.there.hear(DueSettled(due.id, DueState.PAID, 700, DAY), sender=FUND)
    story.require_right()
    with story.lyon.book._engine.begin() as line:  # by hand, past the writer
        change(line)
    assert story.world.check([LYON]) != []


def overlook(page: Page, items: Sequence[bytes]) -> list[None]:
    """Have the hub's base hold what nobody brought there."""
    for ref in items:
        made = insert(hub_tables.lots).values(issuer=LYON, ref=ref, kind=5, month=202611)
        lot_id = page.connection.execute(made.returning(hub_tables.lots.c.id)).scalar_one()
        page.connection.execute(insert(hub_tables.positions).values(lot_id=lot_id, holder=BREST, cents=600))
    return [None for _ in items]


def test_what_nobody_decided_is_returned_with_its_reason_and_owed_once(story: Story) -> None:
    """Brest's node writes conversions by itself, as a dishonest one would: of lots that are not, or of one round twice."""
    brest = story.brest
    lots = brest.book.read_now(lambda line: load_balance(line, story.number).lots)
    [held] = [one.lot for one in lots if one.cents == 700]
    unknown = {"ref": b"a lot nobody has"}

    def write(page: Page, items: Sequence[tuple[int, int, dict[str, Any]]]) -> list[None]:
        for place, number, change in items:
            op, round_id = Id16(bytes([200 + place]) * 16), bytes([number]) * 16
            posting = Posting(
                op=op,
                kind=PostingKind.GIVEN_BACK,
                debit=story.number,
                credit=TRANSIT,
                cents=Cents(300),
                draws=((held, Cents(300)),),
                reference="by hand",
            )
            brest.ledger.post(page, [posting])
            leaving = Leaving(
                op=op,
                account=story.number,
                beneficiary=Address(story.number, LYON),
                giver="",
                words="",
                term=Instant(0),
                draws=((load_lot_names(page.connection, {held})[held]._replace(**change), Cents(300)),),
                told=ORDER[:6],
                written="by hand",
            )
            leaving_service.write_conversion(
                brest.federation.room, page, LYON, leaving, Convert((PROJECT,), (round_id,)), ORDER
            )
        return [None for _ in items]

    def ask(*asked: tuple[int, int, dict[str, Any]]) -> list[str]:
        """Return what Brest is told of each."""
        brest.book.write_all_now(write, asked)
        story.settle()
        for due in story.there.of(Due):
            story.there.hear(DueTaken(due.id), sender=FUND)
        story.settle()
        return [brest.cession(bytes([200 + place]) * 16).code for place, _, _ in asked]

    # The hub knows who holds which lot …
    assert ask((0, 1, unknown), (1, 2, {"issuer": LILLE})) == ["position_too_small", "not_the_issuer"]
    # … and where its base was changed, their issuer knows its own.
    story.world.hub_book.write_now(overlook, b"a lot nobody has")
    assert ask((2, 3, unknown)) == ["lot_unknown"]
    assert story.there.of(Due) == []
    assert ask((3, 4, {}), (4, 4, {})) == ["", "id_mismatch"]
    assert len(story.there.of(Due)) == 1
    assert (story.there.balance(CONVERTED), story.positions()) == (300, 400)
    findings = story.lyon.book.read_now(
        lambda line: check_node(line, home=LYON, hub=HUB, on_progress=lambda _where: None)
    )
    assert [finding for one in findings for finding in one.findings] == []
