"""Gifts from other territories: taken, shared among people here, and given back where an operation is cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.ledger.reading_service import load_balance
from node.ledger.statements import HeldLot
from node.solidarity import store
from node.solidarity.operations import Operation, OperationEvent
from node.solidarity.rules import Givers, PoolRule, Sharing
from node.solidarity.service import Enrol, ListGivers, OpenOperation, OpenPool, Order, Solidarity, TakeGiftBack
from protocol.cession import CessionState
from protocol.errors import Refusal
from protocol.identifiers import AccountNumber, Address, Id16, format_address
from protocol.times import day_at, write_day
from tests.federation.world import BREST, LILLE, LYON, Node, World


class Story:
    """An operation in Brest, a giver in Lyon."""

    def __init__(self, world: World, *givers: Givers) -> None:
        self.world, self.brest, self.lyon = world, world.join(BREST), world.join(LYON)
        self.room = Solidarity(self.brest.ledger, self.brest.federation, at_once=2)
        self.lyon.endow(10_000)
        self.alice = self.lyon.open()
        self.lyon.credit(self.alice, 1_000)
        self.pool = self.id()
        rule = PoolRule(givers=givers or (Givers.ANYBODY,), classes=1, sharing=Sharing.EQUAL)
        self.brest.book.write_now(self.room.open_pools, OpenPool(op=self.pool, title="Le pot", rule=rule))
        self.today = write_day(day_at(world.clock.now))
        self.operation = self.open()

    def id(self) -> Id16:
        return Id16(self.world.entropy(16))

    def open(self) -> Operation:
        days = {"starts": self.today, "until": self.today}
        asked = OpenOperation(op=self.id(), pool=self.pool, title="Noël", target=1, salt=self.id(), **days)
        self.brest.book.write_now(self.room.open_operations, asked)
        found = self.brest.book.read_now(lambda line: store.find_operation(line, asked.op))
        assert found is not None
        return found

    @property
    def to(self) -> Address:
        return Address(self.operation.number, BREST)

    def order(self, event: OperationEvent) -> None:
        asked = Order(op=self.id(), operation=Id16(self.operation.op), event=event)
        self.brest.book.write_now(self.room.decide, asked)

    def work(self) -> int:
        return int(self.brest.book.write_now(self.room.go_on_all, None))

    def states(self) -> list[tuple[str, str, int, str]]:
        gifts = self.brest.book.read_now(lambda line: store.list_gifts(line, self.operation.id))
        return [(gift.origin, gift.giver, gift.cents, gift.state) for gift in gifts]


def _lots(node: Node, account: AccountNumber) -> tuple[HeldLot, ...]:
    return node.book.read_now(lambda line: load_balance(line, account).lots)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(lambda name: f"sqlite:///{tmp_path / name}.db")
    yield made
    findings = made.check()
    made.close()
    assert findings == []


async def test_gifts_from_elsewhere_go_home_lot_by_lot_also_to_who_did_not_say_his_name(world: World) -> None:
    story = Story(world)
    lyon, brest = story.lyon, story.brest
    await world.settle()
    bob = lyon.open()
    lyon.credit(bob, 500)
    brest.endow(200)
    mixed = brest.open()
    brest.credit(mixed, 200)
    # Alice's lots are of both territories: what arrives of them comes in two parts.
    brest.cede(mixed, Address(story.alice, LYON), 200)
    await world.settle()
    before = (_lots(lyon, story.alice), _lots(lyon, bob))
    address = format_address(Address(story.alice, LYON))
    lyon.cede(story.alice, story.to, 1_100, giver=address)
    lyon.cede(bob, story.to, 300)
    await world.settle()
    assert story.work() == 0
    states = story.states()
    assert sorted(cents for _, giver, cents, _ in states if giver == address) == [200, 900] or sorted(
        cents for _, giver, cents, _ in states if giver == address
    ) == [100, 1_000]
    [anonymous] = [giver for _, giver, _, _ in states if giver != address]
    assert anonymous.startswith("arrival ")
    assert {origin for origin, _, _, _ in states} == {"abroad"}
    kept = brest.book.read_now(lambda line: store.load_operation(line, story.operation.id))
    assert (kept.given, kept.givers) == (1_400, 2)
    story.order(OperationEvent.CANCEL)
    late = lyon.cede(bob, story.to, 50)
    await world.settle()
    while story.work():
        continue
    await world.settle()
    assert (_lots(lyon, story.alice), _lots(lyon, bob)) == before
    assert brest.balance(story.operation.number) == 0
    assert lyon.cession(late.op).state is CessionState.DELIVERED, "it arrived, and came back by another cession"
    assert brest.book.read_now(lambda line: store.load_operation(line, story.operation.id)).state == "cancelled"


async def test_what_cannot_go_back_stays_in_the_pool_for_the_next_operation(world: World) -> None:
    story = Story(world)
    lyon, brest = story.lyon, story.brest
    await world.settle()
    lyon.cede(story.alice, story.to, 400, giver=format_address(Address(AccountNumber("ZZZZZZZY"), LYON)))
    await world.settle()
    story.order(OperationEvent.CANCEL)
    assert story.work() == 1
    await world.settle()
    # Nobody in Lyon has the address that the giver gave: it is here again, and nobody's.
    assert brest.balance(story.operation.number) == 400
    assert story.work() == 0
    assert story.states()[-1] == ("carried", "", 400, "kept")
    following = story.open()
    assert brest.balance(following.number) == 400


async def test_a_listed_giver_of_another_territory_is_taken_and_shared_here(world: World) -> None:
    story = Story(world, Givers.LISTED)
    lyon, brest = story.lyon, story.brest
    await world.settle()
    address = format_address(Address(story.alice, LYON))
    listing = ListGivers(op=story.id(), pool=story.pool, givers=(address,), is_listed=True)
    brest.book.write_now(story.room.list_givers, listing)
    bob = lyon.open()
    lyon.credit(bob, 50)
    # Bob says that he is somebody of a territory that did not send this: he is believed to be nobody.
    elsewhere = format_address(Address(story.alice, LILLE))
    listing = ListGivers(op=story.id(), pool=story.pool, givers=(elsewhere,), is_listed=True)
    brest.book.write_now(story.room.list_givers, listing)
    lyon.cede(bob, story.to, 30, giver=elsewhere)
    lyon.cede(bob, story.to, 20, giver="no address at all")
    lyon.cede(story.alice, story.to, 300, giver=address)
    await world.settle()
    assert story.work() == 2
    await world.settle()
    assert lyon.balance(bob) == 50
    arrival = brest.arrivals()[-1]
    with pytest.raises(Refusal, match="nothing_to_give_back"):
        brest.book.write_now(brest.federation.give_back, bytes(arrival.op))
    # The office takes back for a giver who is elsewhere, who then gives the very same again.
    before = _lots(lyon, story.alice)
    asked_back = TakeGiftBack(op=story.id(), gift=Id16(bytes(arrival.op)))
    assert brest.book.write_now(story.room.take_back, asked_back).cents == 300
    await world.settle()
    assert sum(lot.cents for lot in _lots(lyon, story.alice)) == sum(lot.cents for lot in before) + 300 == 1_000
    lyon.cede(story.alice, story.to, 300, giver=address)
    await world.settle()
    people = [brest.open() for _ in range(3)]
    asked = Enrol(op=story.id(), pool=story.pool, lines=tuple((one, 1) for one in people))
    brest.book.write_now(story.room.enrol, asked)
    story.order(OperationEvent.SHARE)
    while story.work():
        continue
    assert [brest.balance(one) for one in people] == [100, 100, 100]
