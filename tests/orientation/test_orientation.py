"""Rights directed to projects: which lots, how much, what a full project does with the rest, and how they come back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from node.ledger.accounts import CONVERTED, UNCLAIMED, AccountEvent, AccountKind
from node.ledger.errors import AccountFrozen, AccountUnknown, InsufficientRights, KindMisfit, ProjectStays
from node.ledger.openings import OpenAccount
from node.ledger.postings import PostingKind
from node.ledger.reading_service import load_totals
from node.ledger.reservations import Reserve
from node.orientation.checks import check_orientation
from node.orientation.directions import Overflow
from node.orientation.errors import (
    AskedBefore,
    LotsUnfit,
    NotDirected,
    OrientationUnknown,
    ProjectClosed,
    ProjectCommitted,
    ProjectFull,
    ProjectPast,
    ProjectUnknown,
)
from node.orientation.projects import ProjectState, derive_number
from node.orientation.service import TakeBackAsked
from node.orientation.standing import StandingOrder
from node.orientation.standing_service import StandingService
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.errors import IdMismatch, Refusal
from protocol.house import (
    CommitProject,
    Due,
    DueSettled,
    DueState,
    DueTaken,
    HouseMessage,
    OpenProject,
    ProjectConverted,
    ProjectOpened,
    ProjectReleased,
    Refused,
    ReleaseProject,
    Support,
    make_due_id,
)
from protocol.identifiers import AccountNumber, Id16, parse_id
from protocol.times import DAY_MS, Instant
from tests.orientation.world import FUND, HOME, PROJECTS, Town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(f"sqlite:///{tmp_path / 'accounts.db'}")
    yield made
    findings = made.findings()
    made.close()
    assert findings == []


# ---------------------------------------------------------------- projects


def test_a_project_has_the_number_that_its_id_says_and_is_opened_once(town: Town) -> None:
    id_ = town.id()
    asked = OpenProject(id_, "La rivière", "rivers", 100, 20261231)
    assert town.hear(asked) == town.hear(asked) == [ProjectOpened(id_, derive_number(id_, 0))]
    assert town.hear(OpenProject(id_, "La rivière", "rivers", 101, 20261231)) == [Refused(id_, "id_mismatch")]
    assert town.standing(id_).target == 100


def test_a_number_that_somebody_has_is_offered_again_as_another(town: Town) -> None:
    id_ = town.id()
    taken = OpenAccount(op=town.id(), number=derive_number(id_, 0), kind=AccountKind.PERSON)
    town.ledger.write_now(town.ledger.open_accounts, taken)
    asked = OpenProject(id_, "La rivière", "rivers", 100, 20261231)
    assert town.hear(asked) == town.hear(asked) == [ProjectOpened(id_, derive_number(id_, 1))]


def test_a_project_that_cannot_be_is_refused_by_its_reason(town: Town) -> None:
    id_, by_hand = town.id(), town.id()
    assert town.hear(OpenProject(id_, "a\nb", "", 100, 20261231)) == [Refused(id_, "invalid_text")]
    opened = OpenAccount(op=by_hand, number=AccountNumber("HANDHAND"), kind=AccountKind.PROJECT)
    town.ledger.write_now(town.ledger.open_accounts, opened)
    assert town.hear(OpenProject(by_hand, "a", "", 100, 20261231)) == [Refused(by_hand, "id_mismatch")]
    zeros = bytes(16)
    assert town.hear(CommitProject(zeros, id_)) == [Refused(zeros, "invalid_id")]


def test_nobody_else_opens_commits_releases_or_converts(town: Town) -> None:
    id_, _ = town.project()
    asked = [
        OpenProject(town.id(), "a", "", 100, 20261231),
        CommitProject(town.id(), id_),
        ReleaseProject(town.id(), id_, "withdrawn"),
        town.convert(id_, 5),
    ]

    def hear(page: Page, items: Sequence[list[HouseMessage]]) -> list[list[HouseMessage]]:
        return [town.desk.apply(page, FUND, item) for item in items]

    told = town.book.write_now(hear, asked)
    assert told == [Refused(one.id, "not_the_projects") for one in asked]
    assert town.standing(id_).state is ProjectState.OPEN


def test_what_is_asked_of_an_unknown_project_is_refused_and_an_id_has_one_meaning(town: Town) -> None:
    id_, _ = town.project()
    op = town.id()
    assert town.hear(CommitProject(op, town.id())) == [Refused(op, "project_not_here")]
    assert town.hear(CommitProject(op, id_)) == town.hear(CommitProject(op, id_)) == [Support(id_, 0, 0)]
    assert town.hear(ReleaseProject(op, id_, "withdrawn")) == [Refused(op, "id_mismatch")]
    assert town.hear(CommitProject(id_, id_)) == [Refused(id_, "id_mismatch")], "the project's own id"
    assert town.standing(id_).state is ProjectState.COMMITTED


def test_the_account_of_a_project_is_never_closed_by_hand(town: Town) -> None:
    _, number = town.project()
    with pytest.raises(ProjectStays):
        town.change(number, AccountEvent.CLOSE)


# ---------------------------------------------------------------- directing


def test_what_is_directed_is_the_projects_and_counts_once_for_each_holder(town: Town) -> None:
    id_, number = town.project(1_000)
    alice, bob = town.holder(600), town.holder(100)
    view = town.direct(alice, number, 400)
    assert (view.cents, town.balance(number), town.balance(alice)) == (400, 400, 200)
    town.direct(alice, number, 50)
    town.direct(bob, number, 100)
    assert [message for _, message in town.told] == [
        Support(id_, 400, 1),
        Support(id_, 450, 1),
        Support(id_, 550, 2),
    ]


def test_support_is_told_once_a_page_and_only_where_it_changed(town: Town) -> None:
    id_, number = town.project()
    alice, bob = town.holder(100), town.holder(100)
    asks = [town.ask(alice, town.choice(number, 10)), town.ask(bob, town.choice(number, 20))]

    def together(page: Page, items: Sequence[Any]) -> list[list[Any]]:
        return [town.orientations.direct(page, item) for item in items]

    town.book.write_now(together, asks)
    assert town.told == [(PROJECTS, Support(id_, 30, 2))]
    town.run(asks[0])
    assert len(town.told) == 1, "asked again, nothing changed"


def test_the_same_id_is_answered_the_same_and_means_one_thing(town: Town) -> None:
    _, number = town.project()
    alice = town.holder(100)
    asked = town.ask(alice, town.choice(number, 60))
    first, again = town.run(asked), town.run(asked)
    assert (again.is_repeat, again.placements, again.at) == (True, first.placements, first.at)
    assert town.balance(alice) == 40
    with pytest.raises(IdMismatch) as refusal:
        town.run(town.ask(alice, town.choice(number, 61), op=asked.op))
    assert refusal.value.facts["field"] == "choices"
    town.reopen()
    assert town.run(asked).is_repeat


def test_an_id_that_was_refused_is_refused_for_ever_with_the_same_words(town: Town) -> None:
    _, number = town.project()
    alice = town.open()
    asked = town.ask(alice, town.choice(number, 60))
    with pytest.raises(InsufficientRights) as first:
        town.run(asked)
    town.endow(100)
    town.credit(alice, 100)
    with pytest.raises(AskedBefore) as again:
        town.run(asked)
    assert (again.value.code, again.value.facts) == (first.value.code, first.value.facts)
    assert town.balance(alice) == 100


def test_an_id_that_posted_something_else_directs_nothing(town: Town) -> None:
    _, number = town.project()
    alice = town.holder(100)
    used = town.posting(alice, town.open(), 10, PostingKind.CESSION)
    town.ledger.write_now(town.ledger.post, used)
    with pytest.raises(IdMismatch):
        town.direct(alice, number, 10, op=used.op)
    assert town.balance(number) == 0


def test_oldest_lots_go_first_and_those_that_are_named_before_them(town: Town) -> None:
    _, number = town.project()
    alice = town.open()
    for month in (202611, 202603, 202607):
        town.endow(100, month=month)
        town.credit(alice, 100)  # the pool is empty each time: one lot each
    newest, oldest, middle = sorted(town.lots(alice))
    town.direct(alice, number, 150)
    assert town.lots(number) == {oldest: 100, middle: 50}
    named = town.choice(number, 30, draws=((newest, 30),))
    town.run(town.ask(alice, named))
    assert town.lots(number) == {oldest: 100, middle: 50, newest: 30}
    with pytest.raises(InsufficientRights):
        town.run(town.ask(alice, town.choice(number, 60, draws=((middle, 60),))))


def test_a_bound_lot_goes_only_where_it_fits(town: Town) -> None:
    _, rivers = town.project(theme="Rivers")
    _, schools = town.project(theme="schools")
    alice = town.holder(100, restriction="rivers")
    town.endow(50)
    town.credit(alice, 50)
    town.endow(40, restriction=HOME, campaign="here")
    town.credit(alice, 40)
    with pytest.raises(LotsUnfit) as refusal:
        town.direct(alice, schools, 91)
    assert refusal.value.facts == {"account": schools, "available": 90, "asked": 91}
    bound = min(town.lots(alice))
    with pytest.raises(LotsUnfit):
        town.run(town.ask(alice, town.choice(schools, 5, draws=((bound, 5),))))
    assert town.direct(alice, schools, None).cents == 90
    assert town.direct(alice, rivers, 100).cents == 100


def test_what_a_full_project_does_not_take_stays_or_goes_to_the_next_to_the_cent(town: Town) -> None:
    _, small = town.project(70)
    _, other = town.project(50)
    _, large = town.project(1_000)
    alice = town.holder(500)
    stays = town.run(town.ask(alice, town.choice(small, 100), town.choice(large, 30)))
    assert [(one.cents, one.code) for one in stays.placements] == [(70, "project_full"), (30, "")]
    assert stays.placements[0].facts == {"account": small, "room": 70}
    with pytest.raises(ProjectFull):
        town.direct(alice, small, 1)
    goes_on = town.run(
        town.ask(alice, town.choice(small, 20), town.choice(other, 60), town.choice(large, 10), overflow=Overflow.NEXT)
    )
    assert [(one.cents, one.code) for one in goes_on.placements] == [
        (0, "project_full"),
        (50, "project_full"),
        (40, ""),
    ]
    last = town.run(town.ask(alice, town.choice(large, 10), town.choice(other, 60), overflow=Overflow.NEXT))
    assert [one.cents for one in last.placements] == [10, 0]
    assert town.balance(alice) == 500 - 70 - 30 - 90 - 10


def test_a_choice_without_a_sum_gets_what_the_others_leave(town: Town) -> None:
    _, first = town.project()
    _, second = town.project()
    alice = town.holder(500)
    view = town.run(town.ask(alice, town.choice(first), town.choice(second, 120)))
    assert [one.cents for one in view.placements] == [380, 120]
    with pytest.raises(InsufficientRights):
        town.direct(alice, first, None)


def test_more_than_is_held_or_reserved_is_refused_whole(town: Town) -> None:
    _, first = town.project()
    _, second = town.project()
    alice = town.holder(100)
    held = Reserve(op=town.id(), account=alice, cents=Cents(30), expires_at=Instant(town.clock.now + DAY_MS))
    town.ledger.write_now(town.ledger.reserve, held)
    with pytest.raises(InsufficientRights) as refusal:
        town.run(town.ask(alice, town.choice(first, 40), town.choice(second, 31)))
    assert (refusal.value.available, refusal.value.missing) == (70, 1)
    assert town.balance(alice) == 100
    assert town.direct(alice, first, None).cents == 70


@pytest.mark.parametrize(
    ("close", "expected"),
    [
        (lambda town, id_: town.commit(id_), ProjectCommitted),
        (lambda town, id_: town.release(id_), ProjectClosed),
        (lambda town, _id: setattr(town.clock, "now", town.clock.now + 60 * DAY_MS), ProjectPast),
    ],
)
def test_a_project_that_takes_nothing_more_says_why(
    town: Town, close: Callable[[Town, bytes], object], expected: type[Refusal]
) -> None:
    id_, number = town.project()
    _, open_one = town.project(until=20991231)
    alice = town.holder(100)
    close(town, id_)
    with pytest.raises(expected):
        town.direct(alice, number, 10)
    view = town.run(town.ask(alice, town.choice(number, 10), town.choice(open_one, 10), overflow=Overflow.NEXT))
    assert [(one.cents, one.code) for one in view.placements] == [(0, expected.code), (20, "")]


def test_the_last_day_is_a_day_to_direct(town: Town) -> None:
    _, number = town.project(until=20261118)
    alice = town.holder(100)
    assert town.direct(alice, number, 10).cents == 10
    town.clock.now += DAY_MS
    with pytest.raises(ProjectPast):
        town.direct(alice, number, 10)


def test_who_cannot_direct_is_refused(town: Town) -> None:
    _, number = town.project()
    alice = town.holder(100)
    town.change(alice, AccountEvent.FREEZE)
    with pytest.raises(AccountFrozen):
        town.direct(alice, number, 10)
    with pytest.raises(AccountUnknown):
        town.direct(AccountNumber("NOBODY77"), number, 10)
    with pytest.raises(KindMisfit):
        town.direct(number, number, 10)
    with pytest.raises(ProjectUnknown):
        town.direct(town.holder(10), town.open(AccountKind.PROJECT), 10)
    town.change(number, AccountEvent.FREEZE)
    view = town.direct(town.holder(10), number, 10)
    assert [(one.cents, one.code) for one in view.placements] == [(0, "account_frozen")]


# ---------------------------------------------------------------- a change of mind


def test_the_very_lots_come_back_the_youngest_first_and_once(town: Town) -> None:
    id_, number = town.project()
    alice = town.open()
    for month in (202603, 202607):
        town.endow(100, month=month)
        town.credit(alice, 100)
    old, young = sorted(town.lots(alice))
    view = town.direct(alice, number, 180)
    back = town.take_back(view.op, 100)
    assert (back.cents, back.account) == (100, alice)
    assert town.lots(number) == {old: 80}
    assert town.lots(alice) == {old: 20, young: 100}
    again = town.take_back(view.op, 100, Id16(back.op))
    assert (again.is_repeat, again.cents) == (True, 100)
    with pytest.raises(IdMismatch):
        town.take_back(view.op, 99, Id16(back.op))
    with pytest.raises(NotDirected) as refusal:
        town.take_back(view.op, 81)
    assert refusal.value.facts["available"] == 80
    assert town.take_back(view.op).cents == 80
    assert town.told[-1] == (PROJECTS, Support(id_, 0, 0))
    with pytest.raises(NotDirected):
        town.take_back(view.op)
    with pytest.raises(OrientationUnknown):
        town.take_back(town.id())


def test_a_part_of_several_choices_comes_back_by_its_own_id(town: Town) -> None:
    _, first = town.project()
    _, second = town.project()
    alice = town.holder(100)
    view = town.run(town.ask(alice, town.choice(first, 30), town.choice(second, 40)))
    assert parse_id(view.placements[0].id) == view.op
    town.take_back(parse_id(view.placements[1].id))
    assert (town.balance(first), town.balance(second)) == (30, 0)


def test_nobody_changes_his_mind_once_the_project_is_committed_and_everybody_after_its_last_day(town: Town) -> None:
    id_, number = town.project(until=20261118)
    alice = town.holder(100)
    view = town.direct(alice, number, 50)
    town.clock.now += 3 * DAY_MS
    town.take_back(view.op, 10)
    town.commit(id_)
    with pytest.raises(ProjectCommitted):
        town.take_back(view.op, 10)
    town.release(id_)
    with pytest.raises(ProjectClosed):
        town.take_back(view.op, 10)


def test_room_that_was_given_back_is_there_for_others(town: Town) -> None:
    _, number = town.project(100)
    alice, bob = town.holder(100), town.holder(100)
    view = town.direct(alice, number, 100)
    town.take_back(view.op, 40)
    assert town.direct(bob, number, 50).cents == 40


# ---------------------------------------------------------------- races: what comes first in the writer decides


def test_an_orientation_against_the_end_of_its_project_in_one_page(town: Town) -> None:
    alice = town.holder(100)
    for is_first in (True, False):
        id_, number = town.project()
        asked = town.ask(alice, town.choice(number, 10))
        release = ReleaseProject(town.id(), id_, "withdrawn")

        def race(page: Page, items: Sequence[Any], is_first: bool = is_first, asked: Any = asked) -> list[Any]:
            before = town.orientations.direct(page, [asked]) if is_first else []
            town.logs[PROJECTS].tell(page, "ACCOUNTS", items)
            told = town.desk.apply(page, PROJECTS, items)
            return [(before or town.orientations.direct(page, [asked]), told)]

        [view], told = town.book.write_now(race, release)
        assert told == [ProjectReleased(release.id, 10 if is_first else 0)]
        assert isinstance(view, ProjectClosed) is not is_first
        assert (town.balance(alice), town.balance(number)) == (100, 0)


def test_an_orientation_against_a_cession_of_the_same_rights(town: Town) -> None:
    _, number = town.project()
    alice, bob = town.holder(100), town.open()
    asked = town.ask(alice, town.choice(number, 80))
    cession = town.posting(alice, bob, 30, PostingKind.CESSION)

    def race(page: Page, items: Sequence[Any]) -> list[Any]:
        return [(*town.ledger.post(page, [cession]), *town.orientations.direct(page, items))]

    posted, refused = town.book.write_now(race, asked)
    assert posted.cents == 30
    assert isinstance(refused, InsufficientRights)
    assert (town.balance(alice), town.balance(bob), town.balance(number)) == (70, 30, 0)


def test_an_orientation_against_its_own_cancellation_and_a_commitment(town: Town) -> None:
    id_, number = town.project()
    alice = town.holder(100)
    asked = town.ask(alice, town.choice(number, 80))
    back = TakeBackAsked(op=town.id(), orientation=asked.op)

    def race(page: Page, items: Sequence[Any]) -> list[Any]:
        early = town.orientations.take_back(page, [back])
        town.orientations.direct(page, items)
        late = TakeBackAsked(op=town.id(), orientation=asked.op, cents=30)
        [taken] = town.orientations.take_back(page, [late])
        commit = CommitProject(town.id(), id_)
        town.logs[PROJECTS].tell(page, "ACCOUNTS", [commit])
        town.desk.apply(page, PROJECTS, [commit])
        too_late = TakeBackAsked(op=town.id(), orientation=asked.op, cents=30)
        return [(early[0], taken, town.orientations.take_back(page, [too_late])[0])]

    early, taken, too_late = town.book.write_now(race, asked)
    assert isinstance(early, OrientationUnknown)
    assert taken.cents == 30
    assert isinstance(too_late, ProjectCommitted)
    assert town.balance(number) == 50


# ---------------------------------------------------------------- the end of a project


def test_all_goes_back_lot_by_lot_in_pages_and_goes_on_after_a_stop(tmp_path: Path) -> None:
    town = Town(f"sqlite:///{tmp_path / 'accounts.db'}", at_once=2)
    id_, number = town.project()
    holders = [town.holder(100, month=202601 + place) for place in range(5)]
    before = [town.lots(holder) for holder in holders]
    for holder in holders:
        town.direct(holder, number, 60)
        town.direct(holder, number, 40)
    release = ReleaseProject(town.id(), id_, "minimum_missed")
    assert town.hear(release) == [], "one page of them went, and the others wait"
    assert town.balance(number) == 400
    assert town.let_go() > 0
    town.reopen()
    assert town.hear(release) == []
    while town.let_go():
        continue
    town.let_go()
    assert [town.lots(holder) for holder in holders] == before
    assert [message for _, message in town.told if isinstance(message, ProjectReleased)] == [
        ProjectReleased(release.id, 500)
    ]
    assert town.told[-1] == (PROJECTS, Support(id_, 0, 0))
    assert town.hear(release) == [ProjectReleased(release.id, 500)]
    assert town.findings() == []
    town.close()


def test_what_goes_back_to_an_account_that_closed_is_unclaimed(town: Town) -> None:
    id_, number = town.project()
    alice = town.holder(100)
    town.direct(alice, number, 100)
    town.change(alice, AccountEvent.CLOSE)
    town.release(id_)
    assert (town.balance(number), town.balance(UNCLAIMED)) == (0, 100)


def test_a_project_whose_account_is_frozen_lets_go_when_it_is_open_again(town: Town) -> None:
    id_, number = town.project()
    alice = town.holder(100)
    town.direct(alice, number, 100)
    town.change(number, AccountEvent.FREEZE)
    assert town.release(id_) == []
    town.let_go()
    assert town.balance(number) == 100
    town.change(number, AccountEvent.REOPEN)
    town.let_go()
    assert (town.balance(alice), town.balance(number)) == (100, 0)


# ---------------------------------------------------------------- conversion


def test_a_round_takes_the_oldest_and_splits_the_last_and_the_fund_is_told_once(town: Town) -> None:
    id_, number = town.project()
    alice, bob = town.holder(100, month=202611), town.holder(100, month=202601)
    first = town.direct(alice, number, 100)
    town.direct(bob, number, 100)
    town.commit(id_)
    asked = town.convert(id_, 130)
    told = [ProjectConverted(asked.id, (HOME,), (130,), 0)]
    assert town.hear(asked) == told
    assert town.hear(asked) == told, "asked again, it is answered the same"
    assert (town.balance(CONVERTED), town.balance(number)) == (130, 70)
    [due] = [message for _, message in town.told if isinstance(message, Due)]
    assert (due.territory, due.project, sorted(due.cents), due.order) == (HOME, id_, [30, 100], asked.orders[0])
    totals = town.book.read_now(lambda line: load_totals(line, HOME))
    assert totals.home_converted == 130
    assert totals.issued == totals.home_held + totals.home_converted
    assert town.standing(id_).directed == 200
    assert first.cents == 100


def test_rounds_are_refused_by_their_reason_and_never_take_more_than_is_directed(town: Town) -> None:
    id_, number = town.project()
    town.direct(town.holder(100), number, 100)
    early = town.convert(id_, 10)
    assert town.hear(early) == [Refused(early.id, "project_open")]
    town.commit(id_)
    much = town.convert(id_, 101)
    assert town.hear(much) == [Refused(much.id, "insufficient_rights")]
    good = town.convert(id_, 60)
    town.hear(good)
    same_round = town.convert(id_, 10)
    assert town.hear(same_round) == [Refused(same_round.id, "round_known")]
    rest = town.convert(id_, 41, 2)
    assert town.hear(rest) == [Refused(rest.id, "insufficient_rights")]
    town.hear(town.convert(id_, 40, 2))
    town.release(id_)
    late = town.convert(id_, 1, 3)
    assert town.hear(late) == [Refused(late.id, "project_closed")]
    assert town.balance(CONVERTED) == 100


def test_lots_whose_issuer_has_no_order_wait_for_another_round(town: Town) -> None:
    id_, number = town.project()
    town.direct(town.holder(100), number, 100)
    town.commit(id_)
    asked = town.convert(id_, 60, payer="200046977")
    assert town.hear(asked) == [ProjectConverted(asked.id, (), (), 60)]
    assert town.balance(CONVERTED) == 0
    again = town.convert(id_, 100, 2)
    assert town.hear(again) == [ProjectConverted(again.id, (HOME,), (100,), 0)]


def test_what_the_fund_does_not_owe_is_directed_again_and_can_be_converted_again(town: Town) -> None:
    id_, number = town.project()
    town.direct(town.holder(100), number, 100)
    town.commit(id_)
    asked = town.convert(id_, 60)
    town.hear(asked)
    [due] = [message for _, message in town.told if isinstance(message, Due)]
    town.hear(Refused(due.id, "order_refused"), Refused(due.id, "order_refused"), sender=FUND)
    assert (town.balance(CONVERTED), town.balance(number)) == (0, 100)
    assert [message for reader, message in town.told if reader == PROJECTS][-2:] == [
        Refused(make_due_id(asked.id, HOME), "order_refused"),
        ProjectConverted(asked.id, (), (), 60),
    ]
    assert town.hear(asked) == [ProjectConverted(asked.id, (), (), 60)]
    town.hear(town.convert(id_, 100, 2))
    assert town.balance(CONVERTED) == 100


def test_what_was_paid_is_told_to_the_projects_and_does_not_come_back(town: Town) -> None:
    id_, number = town.project()
    town.direct(town.holder(100), number, 100)
    town.commit(id_)
    town.hear(town.convert(id_, 60))
    [due] = [message for _, message in town.told if isinstance(message, Due)]
    paid = DueSettled(due.id, DueState.PAID, 60, 20261120)
    town.hear(DueTaken(due.id), paid, Refused(due.id, "too_late"), sender=FUND)
    assert town.told[-1] == (PROJECTS, paid)
    assert town.balance(CONVERTED) == 60
    town.hear(Refused(town.id(), "no_such_due"), DueTaken(town.id()), sender=FUND)


def test_what_the_fund_refuses_after_the_end_of_a_project_goes_home_at_once(town: Town) -> None:
    id_, number = town.project()
    alice = town.holder(100)
    town.direct(alice, number, 100)
    town.commit(id_)
    town.hear(town.convert(id_, 60))
    [due] = [message for _, message in town.told if isinstance(message, Due)]
    release = ReleaseProject(town.id(), id_, "audit_failed")
    assert town.hear(release) == [ProjectReleased(release.id, 40)]
    town.hear(Refused(due.id, "order_refused"), sender=FUND)
    assert (town.balance(alice), town.balance(number), town.balance(CONVERTED)) == (100, 0, 0)
    assert (PROJECTS, ProjectReleased(release.id, 100)) in town.told


# ---------------------------------------------------------------- changed by hand

TAMPERED = [
    "UPDATE projects SET target = target + 1",
    "UPDATE projects SET state = 'open'",
    "UPDATE projects SET directed = directed - 1",
    "UPDATE projects SET supporters = supporters + 1",
    "UPDATE projects SET converted = converted - 1",
    "UPDATE projects SET number = 'HANDHAND' WHERE id = 1",
    "UPDATE orientations SET cents = cents + 1",
    "UPDATE orientations SET holder = 'somebody' WHERE id = 1",
    "UPDATE orientations SET op = x'000000000000000000000000000000ff' WHERE id = 1",
    "UPDATE directed_lots SET held = held - 1 WHERE held > 0",
    "UPDATE directed_lots SET converted = converted - 1 WHERE converted > 0",
    "UPDATE directed_lots SET cents = cents + 1",
    "DELETE FROM directed_lots WHERE held > 0",
    "UPDATE supports SET cents = cents + 1",
    "UPDATE returns SET cents = cents + 1",
    "UPDATE returns SET state = 'came_back'",
    "UPDATE rounds SET cents = cents + 1",
    "UPDATE rounds SET waiting = waiting + 1",
    "UPDATE rounds SET round = round + 1",
    "UPDATE round_lots SET cents = cents + 1",
    "UPDATE round_lots SET payer = '200046977'",
    "UPDATE dues SET cents = cents + 1",
    "UPDATE dues SET state = 'refused', code = 'x'",
    "DELETE FROM project_orders WHERE kind = 'commit'",
    "UPDATE project_orders SET asked = x'00'",
    "UPDATE direction_asks SET answer = ''",
    "UPDATE standing_runs SET cents = cents + 1",
    "DELETE FROM standing_runs",
    "UPDATE standing_orders SET next = next + 1",
    "UPDATE transfers SET cents = cents + 1 WHERE kind = 'orientation'",
    "UPDATE transfers SET op = x'000000000000000000000000000000fe' WHERE kind = 'returned'",
    "UPDATE holdings SET cents = cents + 1 WHERE account_id = (SELECT id FROM accounts WHERE kind = 'converted')",
]


def test_what_is_changed_by_hand_is_found(tmp_path: Path) -> None:
    town = Town(f"sqlite:///{tmp_path / 'accounts.db'}")
    id_, number = town.project()
    view = town.direct(town.holder(100), number, 100)
    town.take_back(view.op, 20)
    town.direct(town.holder(50), number, 50)
    town.commit(id_)
    town.hear(town.convert(id_, 60))
    order = StandingOrder(op=town.id(), account=town.holder(100), share=100, period_days=1)
    standing = StandingService(town.ledger, town.orientations)
    town.project(until=20991231)
    town.book.write_now(standing.give_orders, order)
    town.clock.now += DAY_MS
    town.book.write_now(standing.run_due, None)
    assert town.findings() == []
    unseen: list[str] = []

    def tamper(page: Page, items: Sequence[str]) -> Sequence[list[Any]]:
        found: list[list[Any]] = []
        for item in items:
            with page.connection.begin_nested() as nested:
                page.connection.execute(text("PRAGMA ignore_check_constraints = ON"))
                page.connection.execute(text(item))
                checked = check_orientation(page.connection, home=HOME)
                found.append([one for line in checked for one in line.findings])
                nested.rollback()
        return found

    for statement in TAMPERED:
        if not town.book.write_now(tamper, statement):
            unseen.append(statement)
    assert unseen == []
    assert town.findings() == []
    town.close()
