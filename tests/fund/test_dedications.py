"""At the close of a year dedicated funds are what came for miles and is not spent: to the cent, and once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.fund.books_service import balance_rows, load_entries
from node.fund.dedications import compute_dedications
from node.fund.fund_errors import YearClosed
from protocol.book.worker import Page
from tests.fund.dues_world import accept, ask_pledge, fund_lot, make_due, make_order, owe, pay, proposals
from tests.fund.fund_world import SETTINGS, FundWorld

CLOSING, NEXT = date(2026, 12, 31), date(2027, 12, 31)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[FundWorld]:
    """A fund on files. After every test its own checks find nothing."""
    made = FundWorld(lambda name: f"sqlite:///{tmp_path / name}.db")
    yield made
    wrongs = made.find_wrongs()
    made.close()
    assert wrongs == []


def standing(world: FundWorld, closing: date) -> dict[str, int]:
    """Return what stands on the accounts of dedicated funds in a year: debits less credits."""
    found: dict[str, int] = {}
    for row in balance_rows(world.book.read_now(lambda line: load_entries(line, SETTINGS.year_of(closing)))):
        if row.account[:3] in ("196", "689", "789"):
            found[row.account[:3]] = found.get(row.account[:3], 0) + row.debit - row.credit
    return found


async def test_what_is_not_spent_is_put_aside_and_used_when_it_is(world: FundWorld) -> None:
    close = world.fund.dedications.close
    lot = await fund_lot(world, 10_000)
    await accept(world, await ask_pledge(world, 5_000))  # a pledge is no euro: nothing of it is put aside
    await owe(world, make_due(world, (lot, 3_000)))
    (words,) = proposals(world)
    pay(world, words)
    with pytest.raises(YearClosed):
        world.write(close, CLOSING)
    world.later(60)
    assert [world.write(close, CLOSING) for _ in range(2)] == [1, 0]
    assert standing(world, CLOSING) == {"196": -7_000, "689": 7_000}

    def open_year(page: Page, items: Any) -> list[int]:
        return [world.fund.books.open_year(page, item) for item in items]

    world.write(open_year, NEXT)
    await owe(world, make_due(world, (lot, 2_000), order=make_order(round=2)))
    (second,) = proposals(world)
    pay(world, second)
    world.later(365)
    assert world.write(close, NEXT) == 1
    assert standing(world, NEXT) == {"196": -5_000, "789": -2_000}


async def test_a_year_is_not_closed_once_the_next_is_opened_on_it(world: FundWorld) -> None:
    await fund_lot(world, 100)
    world.later(60)

    def open_year(page: Page, items: Any) -> list[int]:
        return [world.fund.books.open_year(page, item) for item in items]

    world.write(open_year, NEXT)
    with pytest.raises(YearClosed):
        world.write(world.fund.dedications.close, CLOSING)


sums = st.dictionaries(st.sampled_from("ABC"), st.integers(0, 100))


@settings(max_examples=40)
@given(sums, sums, sums)
def test_afterwards_each_earmark_has_what_came_less_what_was_spent(
    received: dict[str, int], spent: dict[str, int], kept: dict[str, int]
) -> None:
    spent = {key: min(cents, received.get(key, 0)) for key, cents in spent.items()}
    after = dict(kept)
    for change in compute_dedications(received, spent, kept):
        assert change.cents
        assert change.kept + change.cents >= 0
        after[change.earmark] = after.get(change.earmark, 0) + change.cents
    bound = {key: received.get(key, 0) - spent.get(key, 0) for key in received.keys() | kept.keys()}
    assert {key: cents for key, cents in after.items() if cents} == {
        key: cents for key, cents in bound.items() if cents
    }
