"""CROD and CER: a year worked by hand, and totals that are the ledger's own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.fund.balances import compute_balances, compute_result
from node.fund.bookings import (
    AidPart,
    BoundSource,
    book_aid_decided,
    book_bank_fee,
    book_company_deposit,
    book_dedicated,
    book_dedicated_used,
    book_endowment_consumed,
    book_gift,
    book_liberality,
    book_rejected_debit,
    book_volunteering,
)
from node.fund.chart import JournalRole, Row
from node.fund.entries import Draft, Entry, take_back
from node.fund.tags import Origin, Place, Purpose, Tag
from node.fund.uses_and_resources import (
    RESOURCES,
    USES,
    RowSum,
    compute_origin_and_destination,
    compute_uses_of_public_generosity,
    row_of,
)
from protocol.amounts import Cents
from tests.fund.books_makers import (
    ABROAD,
    BANK,
    BEARER,
    CHART,
    COMPANY,
    DONOR,
    EARMARK,
    MISSION,
    NEXT_YEAR,
    PIECE,
    RUNNING,
    WRITING,
    YEAR,
    entries_of_a_year,
    number,
    spending_tags,
)

GENEROSITY = BoundSource.GENEROSITY
APPEAL = Tag(is_public_appeal=True, purpose=Purpose.PUBLIC_FUNDRAISING, place=Place.FRANCE)


def _gift(cents: int) -> Draft:
    return book_gift(WRITING, bank=BANK, donor=DONOR, cents=Cents(cents), is_public_appeal=True)


def _year_by_hand() -> list[Entry]:
    return number(
        [
            book_company_deposit(
                WRITING, bank=BANK, company=COMPANY, cents=Cents(100_000), excess=Cents(9), is_public_appeal=False
            ),
            _gift(40_000),
            book_rejected_debit(WRITING, bank=BANK, donor=DONOR, cents=Cents(1_000), is_public_appeal=True),
            book_liberality(WRITING, bank=BANK, giver=DONOR, origin=Origin.INDIVIDUAL, cents=Cents(70_000)),
            book_endowment_consumed(WRITING, cents=Cents(7_000)),
            book_aid_decided(
                WRITING,
                bearer=BEARER,
                parts=[AidPart(cents=Cents(20_000), tag=MISSION), AidPart(cents=Cents(60_000), tag=ABROAD)],
            ),
            book_bank_fee(WRITING, bank=BANK, cents=Cents(300), tag=RUNNING),
            book_bank_fee(WRITING, bank=BANK, cents=Cents(50), tag=APPEAL),
            book_bank_fee(WRITING, bank=BANK, cents=Cents(2), tag=MISSION),
            book_dedicated(WRITING, source=GENEROSITY, earmark=EARMARK, cents=Cents(5_000), is_public_appeal=True),
            book_dedicated_used(
                WRITING,
                source=GENEROSITY,
                earmark=EARMARK,
                cents=Cents(4_000),
                kept=Cents(4_000),
                is_public_appeal=True,
            ),
            book_volunteering(WRITING, cents=Cents(8_000), tag=RUNNING),
        ]
    )


def _told(rows: tuple[RowSum, ...]) -> dict[Row, tuple[int, int]]:
    return {row.row: (row.cents, row.of_public_generosity) for row in rows if row.cents}


def test_a_year_worked_by_hand() -> None:
    told = compute_origin_and_destination(_year_by_hand(), YEAR)
    assert _told(told.resources) == {
        Row.PATRONAGE: (100_000, 0),
        Row.GIFTS: (39_000, 39_000),
        Row.OTHER_INCOME: (7_000, 0),
        Row.FROM_DEDICATED: (4_000, 4_000),
    }
    assert _told(told.uses) == {
        Row.FRANCE_PAID: (20_000, 20_000),
        Row.ABROAD_PAID: (60_000, 0),
        Row.FRANCE_OWN: (2, 2),
        Row.PUBLIC_FUNDRAISING: (50, 50),
        Row.RUNNING: (300, 0),
        Row.TO_DEDICATED: (5_000, 5_000),
    }
    assert (told.surplus, told.surplus_of_public_generosity) == (150_000 - 85_352, 43_000 - 25_052)
    assert (told.resources_in_kind, _told(told.uses_in_kind)) == (8_000, {Row.RUNNING: (8_000, 0)})


def test_what_public_generosity_left_is_carried() -> None:
    told = compute_uses_of_public_generosity(
        compute_origin_and_destination(_year_by_hand(), YEAR), carried_in=1_000, net_investment=448
    )
    assert (told.surplus, told.carried_out) == (17_948, 18_500)
    assert dict(told.resources)[Row.GIFTS] == 39_000
    assert dict(told.resources)[Row.PATRONAGE] == 0
    assert dict(told.uses)[Row.ABROAD_PAID] == 0


def test_every_row_is_there_in_the_order_of_the_form() -> None:
    told = compute_origin_and_destination([], YEAR)
    assert [row.row for row in told.resources] == list(RESOURCES)
    assert [row.row for row in told.uses] == [row.row for row in told.uses_in_kind] == list(USES)
    assert set(RESOURCES) | set(USES) == set(Row)
    assert set(RESOURCES).isdisjoint(USES)


def test_an_entry_of_another_year_is_a_bug() -> None:
    with pytest.raises(ValueError):
        compute_origin_and_destination(_year_by_hand(), NEXT_YEAR)


@given(entries_of_a_year)
def test_the_statement_ends_in_the_ledgers_result(entries: list[Entry]) -> None:
    told = compute_origin_and_destination(entries, YEAR)
    lines = [line for entry in entries for line in entry.lines]
    income = sum(line.credit - line.debit for line in lines if line.account.number[0] == "7")
    expenses = sum(line.debit - line.credit for line in lines if line.account.number[0] == "6")
    assert sum(row.cents for row in told.resources) == income
    assert sum(row.cents for row in told.uses) == expenses
    assert told.surplus == income - expenses == compute_result(compute_balances(entries))


@given(entries_of_a_year, st.integers(-(10**6), 10**6))
def test_the_account_of_uses_is_the_public_part_of_the_ledger(entries: list[Entry], carried_in: int) -> None:
    told = compute_uses_of_public_generosity(compute_origin_and_destination(entries, YEAR), carried_in=carried_in)
    public = sum(
        line.credit - line.debit
        for entry in entries
        for line in entry.lines
        if line.account.number[0] in "67" and line.tag is not None and line.tag.is_public_appeal
    )
    assert sum(cents for _, cents in told.resources) - sum(cents for _, cents in told.uses) == public
    assert told.carried_out == carried_in + public


@given(entries_of_a_year)
def test_work_given_is_told_on_both_sides_and_changes_no_result(entries: list[Entry]) -> None:
    told = compute_origin_and_destination(entries, YEAR)
    assert told.resources_in_kind == sum(row.cents for row in told.uses_in_kind)
    without = [entry for entry in entries if entry.lines[0].account.number[:2] != "86"]
    assert compute_origin_and_destination(without, YEAR).surplus == told.surplus


@given(entries_of_a_year)
def test_what_is_taken_back_counts_no_more(entries: list[Entry]) -> None:
    journal = CHART.journals[JournalRole.OTHER]
    back = [take_back(entry, journal=journal, on=entry.draft.on, piece=PIECE, why="erreur") for entry in entries]
    told = compute_origin_and_destination([*entries, *number(back)], YEAR)
    assert all(row.cents == row.of_public_generosity == 0 for row in told.resources + told.uses + told.uses_in_kind)
    assert told.resources_in_kind == 0


@given(spending_tags)
def test_each_tag_has_its_row(tag: Tag) -> None:
    line = book_bank_fee(WRITING, bank=BANK, cents=Cents(1), tag=tag).lines[0]
    expected = {
        (Purpose.MISSION, Place.FRANCE): Row.FRANCE_OWN,
        (Purpose.MISSION, Place.ABROAD): Row.ABROAD_OWN,
        (Purpose.PUBLIC_FUNDRAISING, tag.place): Row.PUBLIC_FUNDRAISING,
        (Purpose.OTHER_FUNDRAISING, tag.place): Row.OTHER_FUNDRAISING,
        (Purpose.RUNNING, tag.place): Row.RUNNING,
    }
    assert tag.purpose is not None
    assert row_of(line) == expected[tag.purpose, tag.place]
    assert CHART.rows[row_of(line)]
