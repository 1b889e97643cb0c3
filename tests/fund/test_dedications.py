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
from node.fund.chart_store import load_chart
from node.fund.dedications import compute_dedications, fund_code, project_code
from node.fund.fec import write_fec
from node.fund.fec_checks import check_fec
from node.fund.fund_errors import YearClosed
from node.fund.outgoing_payments import end_to_end_id
from node.fund.statement_service import Decide
from protocol.book.worker import Page
from tests.fund.camt_files import Detail, Entry
from tests.fund.dues_world import (
    PROJECT,
    accept,
    ask_pledge,
    fund_lot,
    make_due,
    make_order,
    order_and_confirm,
    owe,
    pay,
    proposals,
)
from tests.fund.fund_world import SETTINGS, FundWorld
from tests.fund.test_cards import IBANS, QUIMPER
from tests.fund.test_netting import befriend, hear, make_netted, make_window

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
        if row.account[:3] in ("195", "196", "689", "789"):
            found[row.account[:3]] = found.get(row.account[:3], 0) + row.debit - row.credit
    return found


def earmarks(world: FundWorld, closing: date) -> dict[str, int]:
    """Return what stands on 195 for each earmark."""
    told = world.book.read_now(lambda line: load_entries(line, SETTINGS.year_of(closing)))
    found: dict[str, int] = {}
    for line in (line for entry in told for line in entry.lines if line.account.number == "195"):
        assert line.auxiliary is not None
        found[line.auxiliary.number] = found.get(line.auxiliary.number, 0) + line.credit - line.debit
    return found


def find_in_fec(world: FundWorld, closing: date, account: str) -> list[int]:
    """Return debits less credits of an account in the file of entries of a year, which has no fault."""
    year = SETTINGS.year_of(closing)
    told = world.book.read_now(lambda line: load_entries(line, year))
    file = write_fec(told, siren=SETTINGS.siren, year=year, chart=load_chart(year.first_on))
    assert check_fec(file.name, file.content, siren=SETTINGS.siren, year=year, opening_journal="AN") == ()
    rows = [row.split("\t") for row in file.content.decode("iso8859-15").splitlines()]
    debit, credit = rows[0].index("Debit"), rows[0].index("Credit")
    cents = [int(row[debit].replace(",", "")) - int(row[credit].replace(",", "")) for row in rows if account in row]
    return sorted(cents, reverse=True)


def open_year_of(world: FundWorld) -> Any:
    def write(page: Page, items: Any) -> list[int]:
        return [world.fund.books.open_year(page, item) for item in items]

    return write


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

    world.write(open_year_of(world), NEXT)
    await owe(world, make_due(world, (lot, 2_000), order=make_order(round=2)))
    (second,) = proposals(world)
    pay(world, second)
    world.later(365)
    assert world.write(close, NEXT) == 1
    assert standing(world, NEXT) == {"196": -5_000, "789": -2_000}


async def test_a_year_is_not_closed_once_the_next_is_opened_on_it(world: FundWorld) -> None:
    await fund_lot(world, 100)
    world.later(60)

    world.write(open_year_of(world), NEXT)
    with pytest.raises(YearClosed):
        world.write(world.fund.dedications.close, CLOSING)


async def test_what_other_funds_contribute_is_bound_to_its_project_until_its_bearer_is_paid(world: FundWorld) -> None:
    close = world.fund.dedications.close
    await befriend(world)
    paid, unpaid, unknown = (make_netted(world, cents) for cents in (1_000, 700, 300))
    await hear(world, paid, make_window(1, {}, {paid.id: 1_000}))
    world.take(world.statement(world.paid(1_000, iban=IBANS[1])))
    (words,) = proposals(world)
    pay(world, words)
    # Another window, of which one due was told before our own order of it: whose project it is, nobody knows here yet.
    await hear(world, unpaid, make_window(2, {}, {unpaid.id: 700, unknown.id: 300}))
    world.take(world.statement(world.paid(1_000, iban=IBANS[1])))
    world.later(60)
    assert [world.write(close, CLOSING) for _ in range(2)] == [2, 0]
    assert standing(world, CLOSING) == {"195": -1_000, "689": 1_000}
    assert earmarks(world, CLOSING) == {f"A{fund_code(QUIMPER)}": 300, f"A{project_code(PROJECT)}": 700}
    assert find_in_fec(world, CLOSING, "6895") == [700, 300]

    world.write(open_year_of(world), NEXT)
    await hear(world, unknown)
    (words,) = proposals(world)
    assert words.cents == 1_000
    pay(world, words)
    world.later(365)
    assert world.write(close, NEXT) == 2
    assert standing(world, NEXT) == {"195": 0, "789": -1_000}
    assert find_in_fec(world, NEXT, "7895") == [-300, -700]


async def test_a_year_is_told_as_its_books_tell_it_whatever_the_bank_says_after_it(world: FundWorld) -> None:
    """What came in December and was recognised in January is of January, and what was sent back in January was spent in December."""
    close = world.fund.dedications.close
    lot = await fund_lot(world, 5_000)
    expected = await world.expect(400)
    (late,) = world.take(world.statement(world.paid(400, text="?"))).waiting
    await owe(world, make_due(world, (lot, 3_000)))
    (words,) = proposals(world)
    pay(world, words)
    order_and_confirm(world, [words])
    world.later(40)
    world.write(world.fund.statements.decide, Decide(movement=late, by="anne", expectation=expected.id, id=world.id()))
    back = Entry(
        cents=3_000,
        day="2027-01-04",
        details=[Detail(cents=3_000, end_to_end_id=end_to_end_id(words.id), reason="AC04")],
    )
    world.take(world.statement(back))
    await world.settle()
    assert world.write(close, CLOSING) == 1
    assert standing(world, CLOSING) == {"196": -2_000, "689": 2_000}
    assert world.write(open_year_of(world), NEXT)
    world.later(365)
    assert world.write(close, NEXT) == 1
    assert standing(world, NEXT) == {"196": -5_400, "689": 3_400}


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
