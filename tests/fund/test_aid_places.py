"""Aid is told by where the work is done, which the signed order says: paid by us, through a window, or sent back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from node.fund.books_service import load_entries
from node.fund.chart import Row
from node.fund.outgoing_payments import end_to_end_id
from node.fund.uses_and_resources import compute_origin_and_destination
from protocol.conversion import ABROAD_VERSION, ConversionOrder
from protocol.house import NettedDue
from tests.fund.camt_files import Detail, Entry
from tests.fund.dues_world import (
    find_after,
    fund_lot,
    make_due,
    make_order,
    order_and_confirm,
    owe,
    pay,
    proposals,
    today,
)
from tests.fund.fund_world import SETTINGS, FundWorld
from tests.fund.test_cards import FIRST, IBANS, QUIMPER
from tests.fund.test_netting import befriend, hear, make_window

WELL = b"a well, in Ndem."
YEAR = SETTINGS.year_of(date(2026, 12, 31))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[FundWorld]:
    """A fund on files. After every test its own checks find nothing."""
    made = FundWorld(lambda name: f"sqlite:///{tmp_path / name}.db")
    yield made
    wrongs = made.find_wrongs()
    made.close()
    assert wrongs == []


def abroad(**change: object) -> ConversionOrder:
    return make_order(version=ABROAD_VERSION, country="SN", **change)


def told(world: FundWorld) -> tuple[int, int]:
    """Return what the statement by origin and destination says was paid on in France, and abroad."""
    entries = world.book.read_now(lambda line: load_entries(line, YEAR))
    rows = {row.row: row.cents for row in compute_origin_and_destination(entries, YEAR).uses}
    return rows[Row.FRANCE_PAID], rows[Row.ABROAD_PAID]


async def test_the_order_says_where_the_work_is_done_and_what_comes_back_is_taken_back_there(world: FundWorld) -> None:
    lot = await fund_lot(world, 10_000)
    # A French bearer with an account in Germany works in France; one with an account in France digs a well in Senegal.
    await owe(world, make_due(world, (lot, 500), order=make_order(country="DE")))
    await owe(world, make_due(world, (lot, 2_000), order=abroad(project=WELL)))
    await owe(world, make_due(world, (lot, 1_000), order=abroad(project=WELL, round=2)))
    signed = proposals(world)
    for words in signed:
        pay(world, words)
    assert told(world) == (500, 3_000)
    change = """UPDATE entries SET body = CAST(replace(CAST(body AS TEXT), '"abroad"', '"france"') AS BLOB)"""
    found = find_after(world, change)
    assert ("books, aids abroad", "3000 cents", "0 cents") in [(one.place, one.expected, one.found) for one in found]

    second = signed[-1]
    order_and_confirm(world, [second])
    detail = Detail(cents=second.cents, end_to_end_id=end_to_end_id(second.id), reason="AC04")
    world.take(world.statement(Entry(cents=second.cents, details=[detail])))
    assert told(world) == (500, 2_000)
    await world.settle()


async def test_a_window_gives_abroad_and_at_home_and_our_bearer_is_paid_where_he_works(world: FundWorld) -> None:
    await befriend(world)
    lot = await fund_lot(world, 1_000)
    dues = {}
    for cents, order in ((600, abroad(territory=QUIMPER, project=WELL)), (400, make_order(territory=QUIMPER))):
        due = make_due(world, (lot, cents), order=order, signer=FIRST)
        await owe(world, due)
        dues[due.id] = cents
    assert world.write(world.fund.netting.net_dues, today(world)) == 2
    theirs = make_due(world, (bytes(16), 1_300), order=abroad(project=WELL))
    netted = NettedDue(theirs.id, QUIMPER, WELL, 1_300, theirs.order)
    await hear(world, netted, make_window(1, dues, {netted.id: 1_300}))
    assert told(world) == (400, 600)
    world.take(world.statement(world.paid(300, iban=IBANS[1])))
    (words,) = proposals(world)
    pay(world, words)
    assert told(world) == (400, 1_900)
    await world.settle()
