"""What a person decides under an id is done once: asked again after a lost answer it is answered, other content is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from node.fund.officer_service import RevokeOfficer
from node.fund.receipt_service import CancelReceipt, CopyReceipt, IssueReceipt, load_all_issued
from node.fund.statement_service import Decide
from protocol.amounts import Cents
from protocol.errors import IdMismatch
from tests.fund.fund_world import COMPANY, FundWorld


@pytest.fixture
def world(tmp_path: Path) -> Iterator[FundWorld]:
    """A fund on files. After every test its own checks find nothing."""
    made = FundWorld(lambda name: f"sqlite:///{tmp_path / name}.db")
    yield made
    wrongs = made.find_wrongs()
    made.close()
    assert wrongs == []


async def test_a_part_of_what_waits_is_counted_once_however_often_it_is_asked(world: FundWorld) -> None:
    expected = await world.expect(1_000)
    (waiting,) = world.take(world.statement(world.paid(600, text="?"))).waiting
    asked = Decide(movement=waiting, by="anne", expectation=expected.id, cents=Cents(200), id=world.id())
    for _ in range(3):
        assert world.write(world.fund.statements.decide, asked).deposited == 200
    (now,) = world.expectations()
    assert now.received == 200
    other = Decide(movement=waiting, by="anne", expectation=expected.id, cents=Cents(300), id=asked.id)
    with pytest.raises(IdMismatch):
        world.write(world.fund.statements.decide, other)
    again = Decide(movement=waiting, by="anne", expectation=expected.id, cents=Cents(200), id=world.id())
    world.write(world.fund.statements.decide, again)
    assert world.expectations()[0].received == 400, "another id is another decision"


async def test_a_receipt_is_issued_copied_and_cancelled_once_for_each_id(world: FundWorld) -> None:
    expected = await world.expect(1_000)
    world.take(world.statement(world.paid(400, reference=expected.reference)))
    issue, cancel, copy = world.fund.receipts.issue, world.fund.receipts.cancel, world.fund.receipts.copy
    asked = IssueReceipt(donor=COMPANY, first_on=date(2026, 1, 1), last_on=date(2026, 12, 31), id=world.id())
    first = world.write(issue, asked)
    world.take(world.statement(world.paid(600, reference=expected.reference)))
    assert world.write(issue, asked).receipt == first.receipt, "the euros that came since wait for another"
    copied = CopyReceipt(number=str(first.receipt.number), id=world.id())
    assert [len(world.write(copy, copied).duplicates) for _ in range(2)] == [1, 1]
    undone = CancelReceipt(number=str(first.receipt.number), reason="adresse", id=world.id())
    assert len({str(world.write(cancel, undone).state) for _ in range(2)}) == 1
    with pytest.raises(IdMismatch):
        world.write(issue, IssueReceipt(donor=COMPANY, first_on=date(2026, 2, 1), last_on=asked.last_on, id=asked.id))
    assert len(world.book.read_now(load_all_issued)) == 1


async def test_an_officer_is_revoked_once(world: FundWorld) -> None:
    asked = RevokeOfficer(key=world.officer("anne"), id=world.id())
    assert [world.write(world.fund.officers.revoke, asked) for _ in range(2)] == [asked.key] * 2
