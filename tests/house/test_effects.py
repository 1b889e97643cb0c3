"""What was converted of each campaign is the same in the accounts and at the fund: `check` holds both against each other."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import update

from node.effects.effects import Figures
from node.effects.service import EffectDesk
from node.house_checks import check_converted
from node.orientation.tables import round_lots
from protocol.book.worker import Page
from protocol.findings import Checked
from protocol.house import CommitProject, make_due_id
from tests.fund.dues_world import fund_lot, order_and_confirm, pay, proposals
from tests.fund.fund_world import BREST
from tests.house.test_conversions import ACCOUNTS, Town, open_project

BREAD, BOOKS = (uuid.UUID(int=number) for number in (7, 8))


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.close()


def compare(town: Town) -> Checked:
    return town.books[ACCOUNTS].read_now(
        lambda ours: town.book.read_now(lambda theirs: check_converted(ours, theirs, BREST))
    )


async def test_the_accounts_and_the_fund_hold_the_same_of_each_campaign(town: Town) -> None:
    number = await open_project(town)
    for campaign, cents in ((BREAD, 4_000), (BOOKS, 1_500)):
        await fund_lot(town, cents, campaign=str(campaign))
        town.direct(town.credit(cents), number, cents)
    first = town.round(1, 5_000)
    await town.decide(CommitProject(town.id(), first.project), first)
    assert compare(town) == Checked("I2", compare(town).rule, 2, ())
    words = proposals(town)
    for one in words:
        pay(town, one)
    order_and_confirm(town, words)
    await town.settle()
    desk = EffectDesk(home=BREST, people_min=1, tell=lambda _page, _reader, _told: None)
    lines = town.books[ACCOUNTS].read_now(desk.compute)
    assert {line.place.campaign: line.figures for line in lines} == {
        BREAD.bytes: Figures(converted=4_000, paid=4_000),
        BOOKS.bytes: Figures(converted=1_000, paid=1_000),
    }
    town.books[ACCOUNTS].write_now(_spoil, 3_999)
    [finding] = compare(town).findings
    assert finding.place == f"due {make_due_id(first.id, BREST).hex()}, campaign {BREAD}"
    assert (finding.expected, finding.found) == ("3999 cents", "4000 cents")


def _spoil(page: Page, items: Sequence[int]) -> list[int]:
    changed = update(round_lots).where(round_lots.c.cents == 4_000)
    return [page.connection.execute(changed.values(cents=one)).rowcount for one in items]
