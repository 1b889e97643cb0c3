"""Sharing and giving back that stop anywhere go on where they were; two things that are asked at once have one outcome."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from node.ledger.accounts import AccountEvent
from node.ledger.openings import ChangeState
from node.solidarity.operations import Operation, OperationEvent
from node.solidarity.service import Order, TakeGiftBack
from protocol.book.store import BookInUse
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.identifiers import Id16
from tests.solidarity.world import SolidarityTown


class _Died(Exception):
    """The process dies before it commits."""


class _Mortal(SolidarityTown):
    """Dies at one of its writes: before the page is committed, or after it and before anybody is answered."""

    at = 0
    is_before = False
    writes = 0

    def ask(self, operation: Callable[[Page, Sequence[Any]], Sequence[Any]], item: Any) -> Any:
        """Ask for something, and again under the same id where the answer was lost."""
        self.writes += 1
        if self.writes == self.at:
            if self.is_before:
                with pytest.raises(_Died):
                    self.book.write_now(self._dying(operation), item)
            else:
                self.book.write_now(operation, item)
            self.reopen()
            operation = getattr(self.room, operation.__name__)
        return self.book.write_now(operation, item)

    def _dying(self, operation: Callable[[Page, Sequence[Any]], Sequence[Any]]) -> Any:
        def run(page: Page, items: Sequence[Any]) -> Sequence[Any]:
            operation(page, items)
            self.ledger.flush(page)
            raise _Died

        return run

    def tell(self, event: OperationEvent, operation: Operation) -> Operation:
        """Tell the whole story, page by page."""
        order = Order(op=self.id(), operation=Id16(operation.op), event=event)
        self.ask(self.room.decide, order)
        while self.ask(self.room.go_on, order.operation).moved:
            continue
        return self.operation(operation.op)


@pytest.mark.parametrize("event", [OperationEvent.SHARE, OperationEvent.CANCEL])
def test_a_process_that_dies_around_any_commit_pays_nobody_twice_and_forgets_nobody(
    event: OperationEvent, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.db"
    town = _Mortal(f"sqlite:///{kept}", at_once=2)
    pool = town.new_pool()
    receivers = town.people(3)
    town.enrol(pool, *receivers)
    operation = town.new_operation(pool)
    givers = [town.give(operation, 100 + at, month=202601 + at, campaign=str(at))[0] for at in range(3)]
    town.pass_days()
    town.close()
    outcomes: list[object] = []
    for at in range(12):
        # After a commit one story is enough: what is asked again is answered from the book in both.
        for is_before in (True, False) if at and event is OperationEvent.SHARE else (True,):
            file = tmp_path / "copy.db"
            shutil.copyfile(kept, file)
            town.url, town.at, town.is_before, town.writes = f"sqlite:///{file}", at, is_before, 0
            town.open_book()
            done = town.tell(event, operation)
            outcomes.append((done.state, [town.lots(one) for one in (*receivers, *givers)], town.wrongs()))
            has_struck = town.writes >= at
            town.close()
        if not has_struck:
            assert at > 2, "the story has that many commits at least"
            break
    # The first was not interrupted: all others come to the same.
    assert outcomes == [outcomes[0]] * len(outcomes)
    assert outcomes[0][2] == []  # type: ignore[index]


async def test_what_is_asked_at_once_has_one_outcome(tmp_path: Path) -> None:
    """Givers take back, receivers close or freeze, and it is shared, all in one page or two: every cent stays named."""
    town = SolidarityTown(f"sqlite:///{tmp_path / 'accounts.db'}", at_once=2)
    pool = town.new_pool()
    receivers = town.people(6)
    town.enrol(pool, *receivers)
    operation = town.new_operation(pool)
    gifts = [town.give(operation, 100)[1] for _ in range(4)]
    town.pass_days()
    asked = [
        town.book.write(town.room.take_back, TakeGiftBack(op=town.id(), gift=gifts[0])),
        town.book.write(
            town.room.decide, Order(op=town.id(), operation=Id16(operation.op), event=OperationEvent.SHARE)
        ),
        *(town.book.write(town.room.take_back, TakeGiftBack(op=town.id(), gift=gift)) for gift in gifts[1:]),
        *(town.book.write(town.room.go_on, Id16(operation.op)) for _ in range(4)),
        *(
            town.book.write(town.ledger.change_states, ChangeState(account=receivers[at], event=event))
            for at, event in ((0, AccountEvent.FREEZE), (1, AccountEvent.CLOSE))
        ),
        town.book.write(
            town.room.decide, Order(op=town.id(), operation=Id16(operation.op), event=OperationEvent.CANCEL)
        ),
    ]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert all(not isinstance(one, BaseException) or isinstance(one, Refusal) for one in answers)
    done = town.finish(operation)
    back = sum(gift.cents for gift in town.gifts(operation) if gift.state == "back")
    held = sum(town.balance(one) for one in receivers)
    assert done.state in ("shared", "cancelled")
    assert back + held + town.balance(operation.number) == 400
    assert town.findings() == []
    town.close()


def test_one_process_at_a_time_shares_and_another_goes_on_after_it(postgres_url: Callable[[], str]) -> None:
    town = SolidarityTown(postgres_url(), at_once=2)
    pool = town.new_pool()
    receivers = town.people(5)
    town.enrol(pool, *receivers)
    operation = town.new_operation(pool)
    for cents in (301, 202):
        giver, _ = town.give(operation, cents)
    town.pass_days(20)
    late, _ = town.give(operation, 77)
    town.order(operation, OperationEvent.SHARE)
    town.go_on(operation)
    with pytest.raises(BookInUse):
        SolidarityTown(town.url).close()
    town.reopen()
    assert town.operation(operation.op).places == 2
    assert town.finish(operation).state == "shared"
    assert sorted(town.balance(one) for one in receivers) == [100, 100, 101, 101, 101]
    assert (town.balance(giver), town.balance(late)) == (0, 77)
    assert town.findings() == []
    town.close()
