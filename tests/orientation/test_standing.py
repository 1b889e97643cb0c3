"""Standing orders: the share to the cent, which projects, and each period once, however long the node slept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from node.ledger.accounts import AccountEvent
from node.ledger.errors import AccountClosed, AccountUnknown
from node.orientation.errors import StandingUnknown
from node.orientation.standing import (
    Basis,
    Preference,
    StandingOrder,
    Told,
    allot,
    choose_projects,
    compute_share,
    find_period,
)
from node.orientation.standing_service import StandingService, StandingView
from node.orientation.tables import standing_orders
from protocol.errors import IdMismatch, Malformed
from protocol.identifiers import AccountNumber, Address, Id16, TerritoryCode
from protocol.times import DAY_MS, Instant
from tests.orientation.world import HOME, TODAY, Town

LYON = TerritoryCode("200046977")


class Orders:
    """Short words for what is done here."""

    def __init__(self, town: Town) -> None:
        self.town = town

    @property
    def service(self) -> StandingService:
        return StandingService(self.town.ledger, self.town.orientations)

    def give(self, account: AccountNumber, share: int = 100, *, op: Id16 | None = None, **more: Any) -> StandingView:
        order = StandingOrder(op=op or self.town.id(), account=account, share=share, **more)
        view: StandingView = self.town.book.write_now(self.service.give_orders, order)
        return view

    def sleep(self, days: int) -> None:
        self.town.clock.now += days * DAY_MS

    def run(self) -> int:
        """Start the job; return how many periods it ran."""
        total = 0
        while done := self.town.book.write_now(self.service.run_due, None):
            total += done
        return total


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(f"sqlite:///{tmp_path / 'accounts.db'}")
    yield made
    findings = made.findings()
    made.close()
    assert findings == []


def test_each_period_is_run_once_however_long_the_node_slept(town: Town) -> None:
    orders = Orders(town)
    _, number = town.project(until=20991231)
    alice = town.holder(1_000)
    orders.give(alice, 100, period_days=7)
    assert orders.run() == 0, "the first period is not over"
    orders.sleep(7)
    assert (orders.run(), town.balance(number)) == (1, 100)
    assert (orders.run(), town.balance(number)) == (0, 100)
    orders.sleep(22)
    town.reopen()
    assert orders.run() == 3
    assert town.balance(number) == 100 + 90 + 81 + 72
    town.reopen()
    assert orders.run() == 0


def test_what_came_in_is_what_others_gave_in_the_period_and_not_what_came_back(town: Town) -> None:
    orders = Orders(town)
    _, number = town.project(until=20991231)
    alice = town.holder(1_000)
    orders.give(alice, 500, basis=Basis.RECEIVED, period_days=1)
    town.endow(90)
    town.credit(alice, 51)
    view = town.direct(alice, number, 300)
    town.take_back(view.op)
    orders.sleep(1)
    town.credit(alice, 39)  # in the next period
    assert orders.run() == 1
    assert town.balance(number) == 25, "half of 51, rounded down"
    orders.sleep(2)
    assert orders.run() == 2
    assert town.balance(number) == 25 + 19


def test_a_full_project_hands_on_to_the_next_and_a_run_without_any_says_so(town: Town) -> None:
    orders = Orders(town)
    _, small = town.project(30, until=20991231)
    _, large = town.project(until=20991231)
    alice = town.holder(1_000)
    orders.give(alice, 101, projects=(Address(small, HOME), Address(large, HOME)), period_days=1)
    orders.give(town.holder(100), theme="schools", period_days=1)
    orders.sleep(1)
    orders.run()
    assert (town.balance(small), town.balance(large)) == (30, 71)


def test_an_order_is_given_once_and_stopped_once(town: Town) -> None:
    orders = Orders(town)
    _, number = town.project(until=20991231)
    alice = town.holder(100)
    view = orders.give(alice, period_days=1)
    assert orders.give(alice, op=Id16(view.op), period_days=1).is_repeat
    with pytest.raises(IdMismatch):
        orders.give(alice, 99, op=Id16(view.op), period_days=1)
    stopped = town.book.write_now(orders.service.stop_orders, view.op)
    orders.sleep(9)
    assert town.book.write_now(orders.service.stop_orders, view.op).stopped_at == stopped.stopped_at
    assert (orders.run(), town.balance(number)) == (0, 0)
    with pytest.raises(StandingUnknown):
        town.book.write_now(orders.service.stop_orders, town.id())
    with pytest.raises(AccountUnknown):
        orders.give(AccountNumber("NOBODY77"))
    bob = town.open()
    town.change(bob, AccountEvent.CLOSE)
    with pytest.raises(AccountClosed):
        orders.give(bob)


def test_an_account_that_is_frozen_or_empty_misses_its_period_and_nothing_else(town: Town) -> None:
    orders = Orders(town)
    _, number = town.project(until=20991231)
    alice, bob = town.holder(100), town.open()
    orders.give(alice, period_days=1)
    orders.give(bob, period_days=1)
    town.change(alice, AccountEvent.FREEZE)
    orders.sleep(1)
    assert orders.run() == 2
    assert town.balance(number) == 0
    town.change(alice, AccountEvent.REOPEN)
    orders.sleep(1)
    orders.run()
    assert town.balance(number) == 10


def test_the_projects_of_a_run_are_those_that_take_something_in_the_order_that_is_wished(town: Town) -> None:
    far, near, other, done = (
        town.project(theme=theme, until=until)
        for theme, until in (("rivers", 20270101), ("Rivers", 20261201), ("schools", 20261130), ("rivers", TODAY - 1))
    )
    plans = [town.standing(id_) for id_, _ in (far, near, other, done)]
    here = {name: Address(one[1], HOME) for name, one in (("far", far), ("near", near), ("other", other))}
    abroad = Address(AccountNumber("AAAAAAAA"), LYON)

    def chosen(**more: Any) -> list[Address]:
        order = StandingOrder(op=town.id(), account=town.pool, share=1, **more)
        return choose_projects(order, HOME, plans, TODAY)

    assert chosen() == [here["far"], here["near"], here["other"]]
    assert chosen(theme="rivers", preference=Preference.URGENCY) == [here["near"], here["far"]]
    listed = (abroad, here["far"], Address(done[1], HOME), here["near"])
    assert chosen(projects=listed) == [abroad, here["far"], here["near"]]
    assert chosen(projects=listed, preference=Preference.DISTANCE) == [here["far"], here["near"], abroad]
    assert chosen(projects=listed, preference=Preference.URGENCY) == [here["near"], here["far"], abroad]
    # With the catalogue: days and distances of what is elsewhere count like those of what is here.
    beyond, nowhere = (Address(AccountNumber(number), LYON) for number in ("BBBBBBBB", "CCCCCCCC"))
    told = [
        Told(abroad, 20261215, 900_000),
        Told(beyond, 20261101, 50_000),
        Told(nowhere, 20261210, None),
        Told(here["far"], 20270101, 7_000),
        Told(here["near"], 20261201, 2_000),
    ]

    def found(**more: Any) -> list[Address]:
        order = StandingOrder(op=town.id(), account=town.pool, share=1, **more)
        return choose_projects(order, HOME, plans, TODAY, told)

    place = {"near": (48_390_000, -4_480_000)}
    assert found(theme="rivers") == [here["far"], here["near"]], "elsewhere only where it is wished"
    everywhere = {"is_everywhere": True, "theme": "rivers"}
    by_day = [beyond, here["near"], nowhere, abroad, here["far"]]
    assert found(**everywhere, preference=Preference.URGENCY) == by_day
    by_distance = [here["near"], here["far"], beyond, abroad, nowhere]
    assert found(**everywhere, **place, preference=Preference.DISTANCE) == by_distance
    assert found(**everywhere, **place, preference=Preference.DISTANCE, within_m=60_000) == by_distance[:3]
    assert found(projects=listed, preference=Preference.URGENCY) == [here["near"], abroad, here["far"]]


def test_an_order_says_a_place_coarsely_and_a_distance_from_it_alone(town: Town) -> None:
    for more in (
        {"near": (48_390_001, 0)},
        {"within_m": 5},
        {"near": (0, 0), "within_m": -1},
        {"near": (90_010_000, 0)},
    ):
        with pytest.raises(Malformed):
            StandingOrder(op=town.id(), account=town.pool, share=1, **more)  # type: ignore[arg-type]


def test_an_order_of_before_is_the_same_when_it_is_asked_again(town: Town) -> None:
    """Its digest is that of the fields that orders had at first."""
    orders = Orders(town)
    alice = town.holder(100)
    order = StandingOrder(op=town.id(), account=alice, share=100, theme="rivers", projects=(Address(alice, LYON),))
    first = (name for name in order.__struct_fields__ if name not in ("is_everywhere", "near", "within_m"))
    old = msgspec.json.encode({name: getattr(order, name) for name in first})
    town.book.write_now(orders.service.give_orders, order)
    kept = town.book.read_now(lambda line: line.execute(select(standing_orders.c.asked)).scalar_one())
    assert bytes(kept) == hashlib.blake2b(old, digest_size=16).digest()


@settings(max_examples=100)
@given(cents=st.integers(0, 10**6), count=st.integers(0, 20), share=st.integers(1, 1_000), held=st.integers(0, 10**6))
def test_shares_are_whole_equal_but_for_a_cent_and_sum_to_the_amount(
    cents: int, count: int, share: int, held: int
) -> None:
    projects = [Address(AccountNumber(f"{place:08d}"), HOME) for place in range(count)]
    parts = allot(cents, projects)
    assert sum(part for _, part in parts) == (cents if projects else 0)
    assert not parts or max(part for _, part in parts) - min(part for _, part in parts) <= 1
    assert [to for to, _ in parts] == projects[: len(parts)]
    assert all(part for _, part in parts)
    order = StandingOrder(op=Id16(b"o" * 16), account=AccountNumber("00000000"), share=share)
    found = compute_share(order, cents, held)
    assert found == held or (found < held and found * 1_000 <= cents * share < (found + 1) * 1_000)


def test_periods_follow_each_other() -> None:
    assert find_period(Instant(5), 7, 0) == (5, 5 + 7 * DAY_MS)
    assert find_period(Instant(5), 7, 3)[0] == find_period(Instant(5), 7, 2)[1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"share": 0},
        {"share": 1_001},
        {"period_days": 0},
        {"period_days": 367},
        {"theme": "x" * 41},
        {"theme": "a\nb"},
        {"projects": (Address(AccountNumber("AAAAAAAA"), LYON),) * 2},
    ],
)
def test_what_can_never_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        StandingOrder(**{"op": Id16(b"o" * 16), "account": AccountNumber("00000000"), "share": 1, **wrong})
