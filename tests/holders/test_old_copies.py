"""An account that was closed since the copy, and held something on it: it is closed when that has left again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from node.federation.neighbours import ComeBack
from node.federation.store import load_in_flight
from node.holders.checks import check_holders
from node.holders.service import HolderDesk
from node.ledger.accounts import AccountState
from node.ledger.reading_service import find_account
from node.old_copy_service import OldCopyDesk
from protocol.book import log_store
from protocol.book.service import Page
from protocol.errors import BadEnvelope
from protocol.house import (
    HOUSE_VERSION,
    BaseName,
    CloseHolder,
    HolderClosed,
    HouseMessage,
    HouseSlip,
    encode_house_slip,
)
from protocol.identifiers import AccountNumber, Address
from tests.federation.old_copies import back_up, restore_node
from tests.federation.test_old_node import _two
from tests.federation.world import BREST, LYON, Node, World

PEOPLE, ACCOUNTS = BaseName.PEOPLE, BaseName.ACCOUNTS


class Nothing:
    """No consents and no standing orders."""

    def withdraw_all(self, page: Page) -> None:
        pass

    def stop_all(self, page: Page) -> None:
        pass


class People:
    """What the people's base says to a node's accounts, and hears of them; both logs outlive the loss of the accounts."""

    def __init__(self) -> None:
        self.slips: list[tuple[str, HouseMessage]] = []

    def sit(self, node: Node) -> None:
        """Be this node's people's base from now on, also when it was started again."""
        self.node = node
        room = node.federation.room
        self.desk = HolderDesk(node.ledger, in_flight=load_in_flight, is_behind=lambda: room.behind is not None)
        come_back: ComeBack = OldCopyDesk(Nothing(), Nothing(), closings=self.desk, tell_people=self._answer)
        room.come_back = come_back

    def _append(self, page: Page, owner: str, message: HouseMessage) -> None:
        reader = ACCOUNTS if owner == PEOPLE else PEOPLE
        log = log_store.open_log(page.connection, owner, reader)
        leaf = encode_house_slip(HouseSlip(HOUSE_VERSION, reader, page.now, (message,)))
        log_store.append_leaves(page.connection, log, [leaf], page.now)

    def _answer(self, page: Page, messages: Sequence[HouseMessage]) -> None:
        for message in messages:
            self._append(page, ACCOUNTS, message)
            self.slips.append((ACCOUNTS, message))

    def say(self, asked: HouseMessage) -> list[HouseMessage]:
        """Ask the accounts; return what they answer."""

        def run(page: Page, items: Sequence[HouseMessage]) -> list[Any]:
            self._append(page, PEOPLE, items[0])
            self.slips.append((PEOPLE, items[0]))
            answers = self.desk.apply(page, PEOPLE, items)
            self._answer(page, answers)
            return [answers]

        answers: list[HouseMessage] = self.node.book.write_now(run, asked)
        return answers

    def recover(self) -> None:
        """What recovery in the house does: both logs are there again, and what was asked is done as it was answered."""

        def run(page: Page, items: Sequence[None]) -> list[Any]:
            for owner, message in self.slips:
                self._append(page, owner, message)
            asked = [message for owner, message in self.slips if owner == PEOPLE]
            return [self.desk.apply(page, PEOPLE, asked)]

        self.node.book.write_now(run, None)


def _find_state(node: Node, number: AccountNumber) -> AccountState:
    def find(connection: Connection) -> AccountState:
        view = find_account(connection, number)
        assert view is not None
        return view.state

    return node.book.read_now(find)


def _find_wrongs(node: Node) -> list[str]:
    return [one.place for checked in node.book.read_now(check_holders) for one in checked.findings]


async def _lose(world: World, people: People, node: Node, copy: Path) -> None:
    restore_node(world, node, copy)
    people.sit(node)
    with pytest.raises(BadEnvelope, match="we_are_behind"):
        await node.worker.exchange_all()
    people.recover()


async def test_an_account_closed_since_the_copy_is_closed_again_when_what_it_held_has_left(tmp_path: Path) -> None:
    world = World(lambda name: f"sqlite:///{tmp_path / name}.db")
    brest, _lyon, ana, bea = await _two(world)
    eve, people = brest.open(), People()
    brest.credit(eve, 300)
    people.sit(brest)
    copy = back_up(brest.book)
    for number, cents in ((ana, 5_000), (eve, 200)):
        brest.cede(number, Address(bea, LYON), cents)
    await world.settle()
    # Ana has nothing left; what is left of Eve's goes to the pool.
    assert people.say(CloseHolder(world.entropy(16), ana, "")) == [HolderClosed(people.slips[0][1].id, ana, 0)]  # type: ignore[union-attr]
    [closed] = people.say(CloseHolder(world.entropy(16), eve, brest.pool))
    assert isinstance(closed, HolderClosed)
    assert closed.moved == 100
    before = (brest.balance(brest.pool), brest.totals())
    await _lose(world, people, brest, copy)
    assert [_find_state(brest, number) for number in (ana, eve)] == ["open", "open"], (
        "what they hold here may have left"
    )
    asked = CloseHolder(world.entropy(16), brest.open(), "")
    assert people.say(asked) == [], "answered once it is known"
    brest.book.write_now(brest.federation.begin_recovery, None)
    await brest.worker.exchange_all()
    assert [_find_state(brest, AccountNumber(number)) for number in (ana, eve, asked.account)] == ["closed"] * 3
    assert people.slips[-1] == (ACCOUNTS, HolderClosed(asked.id, asked.account, 0))
    assert len(people.slips) == 6, "and nothing is told twice"
    assert (brest.balance(brest.pool), brest.totals()) == before
    assert _find_wrongs(brest) == []
    assert world.check([BREST, LYON]) == []
    world.close()
