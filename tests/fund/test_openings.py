"""Closing and opening: each balance goes on to the cent, income and expenses end in one line, off-balance apart."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given

from node.fund.balances import compute_balances
from node.fund.bookings import (
    AidPart,
    BoundSource,
    Writing,
    book_aid_decided,
    book_aid_paid,
    book_company_deposit,
    book_dedicated,
    book_pledge,
    book_result_allotted,
    book_volunteering,
)
from node.fund.books_errors import InvalidFundYear
from node.fund.declarations import FiscalYear
from node.fund.entries import Draft, Entry, Piece
from node.fund.openings import open_year
from protocol.amounts import Cents
from tests.fund.books_makers import (
    ABROAD,
    BANK,
    BEARER,
    CHART,
    COMPANY,
    EARMARK,
    MISSION,
    NEXT_YEAR,
    WRITING,
    YEAR,
    entries_of_a_year,
    number,
)

OPENED = Piece(reference="BALANCE-2026", on=YEAR.last_on)


def _open(entries: list[Entry]) -> tuple[Draft, ...]:
    return open_year(compute_balances(entries), before=YEAR, year=NEXT_YEAR, chart=CHART, piece=OPENED)


def _lines(draft: Draft) -> list[tuple[str, str, int]]:
    return [
        (line.account.number, line.auxiliary.number if line.auxiliary else "", line.debit - line.credit)
        for line in draft.lines
    ]


def _deposit(cents: int) -> Draft:
    return book_company_deposit(WRITING, bank=BANK, company=COMPANY, cents=Cents(cents), is_public_appeal=False)


def test_a_year_as_the_treasurer_would_close_it() -> None:
    told = _open(
        number(
            [
                _deposit(100_000),
                book_aid_decided(WRITING, bearer=BEARER, parts=[AidPart(cents=Cents(30_000), tag=ABROAD)]),
                book_aid_paid(WRITING, bank=BANK, bearer=BEARER, cents=Cents(20_000)),
                book_dedicated(
                    WRITING,
                    source=BoundSource.GENEROSITY,
                    earmark=EARMARK,
                    cents=Cents(50_000),
                    is_public_appeal=False,
                ),
                book_pledge(WRITING, company=COMPANY, cents=Cents(7_000)),
                book_volunteering(WRITING, cents=Cents(900), tag=MISSION),
            ]
        )
    )
    assert [_lines(draft) for draft in told] == [
        [("120", "", -20_000), ("196", "AEAU", -50_000), ("4672", "PW691234567", -10_000), ("512001", "", 80_000)],
        [("802", "E552100554", 7_000), ("8092", "E552100554", -7_000)],
    ]
    assert {(draft.journal.code, draft.on) for draft in told} == {("AN", datetime.date(2027, 1, 1))}
    assert told[0].label == "À-nouveaux au 01/01/2027"


def test_a_deficit_is_on_the_left() -> None:
    told = _open(number([book_aid_decided(WRITING, bearer=BEARER, parts=[AidPart(cents=Cents(5), tag=MISSION)])]))
    assert _lines(told[0]) == [("129", "", 5), ("4672", "PW691234567", -5)]


def test_a_result_that_nobody_allotted_is_added_to() -> None:
    first = number([_deposit(100)])
    opened = number(list(_open(first)), NEXT_YEAR)
    again = open_year(
        compute_balances([*opened, *number([_deposit(40)])]),
        before=NEXT_YEAR,
        year=FiscalYear(first_on=datetime.date(2028, 1, 1), last_on=datetime.date(2028, 12, 31)),
        chart=CHART,
        piece=OPENED,
    )
    assert _lines(again[0]) == [("120", "", -140), ("512001", "", 140)]
    allotted = book_result_allotted(Writing(chart=CHART, on=datetime.date(2027, 5, 1), piece=OPENED), result=100)
    assert [balance.cents for balance in compute_balances([*opened, allotted]) if balance.account.number == "120"] == [
        0
    ]


def test_books_without_a_movement_open_empty() -> None:
    assert _open([]) == ()


@given(entries_of_a_year)
def test_each_balance_goes_on_and_nothing_else(entries: list[Entry]) -> None:
    # The oracle adds up the lines itself, and knows accounts by their first digits.
    expected: dict[tuple[str, str], int] = {}
    result = 0
    for entry in entries:
        for line in entry.lines:
            cents = line.debit - line.credit
            if line.account.number[0] in "67":
                result -= cents
            elif line.account.number[:2] not in {"86", "87"}:
                key = (line.account.number, line.auxiliary.number if line.auxiliary else "")
                expected[key] = expected.get(key, 0) + cents
    if result:
        key = ("120" if result > 0 else "129", "")
        expected[key] = expected.get(key, 0) - result
    told = [line for draft in _open(entries) for line in _lines(draft)]
    assert len({(number, auxiliary) for number, auxiliary, _ in told}) == len(told)
    assert {(number, auxiliary): cents for number, auxiliary, cents in told} == {
        key: cents for key, cents in expected.items() if cents
    }


@given(entries_of_a_year)
def test_opening_twice_is_opening_once(entries: list[Entry]) -> None:
    opened = number(list(_open(entries)), NEXT_YEAR)
    later = FiscalYear(first_on=datetime.date(2028, 1, 1), last_on=datetime.date(2028, 12, 31))
    again = open_year(compute_balances(opened), before=NEXT_YEAR, year=later, chart=CHART, piece=OPENED)
    assert [_lines(draft) for draft in again] == [_lines(entry.draft) for entry in opened]


def test_a_year_opens_after_the_one_before_it() -> None:
    with pytest.raises(InvalidFundYear):
        open_year((), before=YEAR, year=YEAR, chart=CHART, piece=OPENED)
