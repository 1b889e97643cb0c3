"""Each fault of a file of entries is planted in a right one, found, and named with its line."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import pytest

from node.fund.balances import compute_balances
from node.fund.bookings import book_aid_paid, book_company_deposit, book_gift, book_identified_gift
from node.fund.declarations import FiscalYear
from node.fund.entries import Piece
from node.fund.fec import name_fec, write_fec
from node.fund.fec_checks import FecFault, FecFaultKind, check_fec
from node.fund.fec_reader import COLUMNS
from node.fund.openings import open_year
from protocol.amounts import Cents
from tests.fund.books_makers import (
    BANK,
    BEARER,
    CHART,
    COMPANY,
    DONOR,
    SIREN,
    WRITING,
    YEAR,
    number,
)

K = FecFaultKind
BEFORE = FiscalYear(first_on=datetime.date(2025, 1, 1), last_on=datetime.date(2025, 12, 31))
NAME = name_fec(SIREN, YEAR)
Rows = list[list[str]]
AT = {column: place for place, column in enumerate(COLUMNS)}


def _right() -> Rows:
    """Nine rows: an opening entry on lines 2 and 3, BQ 1 on 4 and 5, OD 1 on 6 and 7, BQ 2 on 8 and 9; all on one day."""
    piece = Piece(reference="BALANCE-2025", on=BEFORE.last_on)
    gift = book_gift(WRITING, bank=BANK, donor=DONOR, cents=Cents(5_000), is_public_appeal=True)
    opening = open_year(compute_balances([gift]), before=BEFORE, year=YEAR, chart=CHART, piece=piece)
    entries = [
        *number(list(opening)),
        *number(
            [
                book_company_deposit(WRITING, bank=BANK, company=COMPANY, cents=Cents(140_000), is_public_appeal=False),
                book_identified_gift(WRITING, donor=DONOR, cents=Cents(100), is_public_appeal=True),
                book_aid_paid(WRITING, bank=BANK, bearer=BEARER, cents=Cents(130_000)),
            ]
        ),
    ]
    content = write_fec(entries, siren=SIREN, year=YEAR, chart=CHART).content
    rows = [line.split("\t") for line in content.decode("iso8859-15").splitlines()]
    # By validation day, then journal: put the other journal between, as its day allows.
    return [*rows[:5], *rows[7:], *rows[5:7]]


def _bytes(rows: Rows) -> bytes:
    return "".join("\t".join(row) + "\r\n" for row in rows).encode("iso8859-15")


def _check(rows: Rows, name: str = NAME) -> tuple[FecFault, ...]:
    return check_fec(name, _bytes(rows), siren=SIREN, year=YEAR, opening_journal="AN")


def test_a_right_file_has_no_fault() -> None:
    assert _check(_right()) == ()
    assert len(_right()) == 9


def _set(line: int, column: str, text: str) -> Callable[[Rows], None]:
    def plant(rows: Rows) -> None:
        rows[line - 1][AT[column]] = text

    return plant


def _set_entry(lines: tuple[int, ...], column: str, text: str) -> Callable[[Rows], None]:
    def plant(rows: Rows) -> None:
        for line in lines:
            rows[line - 1][AT[column]] = text

    return plant


def _both(first: Callable[[Rows], None], second: Callable[[Rows], None]) -> Callable[[Rows], None]:
    def plant(rows: Rows) -> None:
        first(rows)
        second(rows)

    return plant


def _swap_entries(rows: Rows) -> None:
    rows[3:5], rows[7:9] = rows[7:9], rows[3:5]


def _opening_last(rows: Rows) -> None:
    rows.extend((rows.pop(1), rows.pop(1)))


def _part(rows: Rows) -> None:
    rows.append(rows.pop(3))


def _drop_entry(rows: Rows) -> None:
    del rows[3:5]


EMPTIES = [
    (_set(4, column, ""), {(K.EMPTY_CELL, 4)})
    for column in ("JournalLib", "CompteLib", "PieceRef", "EcritureLib", "CompteNum")
]
PLANTED: list[tuple[Callable[[Rows], None], set[tuple[FecFaultKind, int]]]] = [
    *EMPTIES,
    (_set(4, "PieceRef", "  "), {(K.EMPTY_CELL, 4)}),
    (_set(4, "PieceDate", ""), {(K.EMPTY_CELL, 4)}),
    # what the official checker let pass: 1400 against 1300
    (_set(5, "Credit", "1300,00"), {(K.UNBALANCED_ENTRY, 4), (K.UNBALANCED_FILE, 0)}),
    (_set(5, "Credit", "1400,01"), {(K.UNBALANCED_ENTRY, 4), (K.UNBALANCED_FILE, 0)}),
    # two entries off by as much, one up and one down: the file as a whole balances
    (
        _both(_set(5, "Credit", "1399,00"), _set(7, "Credit", "2,00")),
        {(K.UNBALANCED_ENTRY, 4), (K.UNBALANCED_ENTRY, 6)},
    ),
    (_drop_entry, {(K.NUMBER_GAP, 6)}),
    (_set_entry((8, 9), "EcritureNum", "3"), {(K.NUMBER_GAP, 8)}),
    (_set_entry((6, 7), "EcritureNum", "0"), {(K.NUMBER_GAP, 6), (K.NUMBER_GAP, 7)}),
    (_swap_entries, {(K.NUMBER_GAP, 4), (K.NUMBER_GAP, 8)}),
    (_set_entry((4, 5), "EcritureNum", "A1"), {(K.NUMBER, 4), (K.NUMBER, 5), (K.NUMBER_GAP, 8)}),
    (_part, {(K.TWO_ENTRIES, 4), (K.NUMBER_GAP, 9)}),
    (_set(5, "EcritureDate", "20260303"), {(K.TWO_ENTRIES, 4)}),
    (_set_entry((4, 5), "ValidDate", "20260305"), {(K.OUT_OF_ORDER, 6)}),
    (_opening_last, {(K.OPENING_LATE, 8)}),
    (_set_entry((4, 5), "EcritureDate", "20251231"), {(K.OUTSIDE_YEAR, 4), (K.OUTSIDE_YEAR, 5)}),
    (
        _set_entry((8, 9), "EcritureDate", "20270101"),
        {(K.OUTSIDE_YEAR, 8), (K.OUTSIDE_YEAR, 9), (K.VALIDATED_EARLY, 8), (K.VALIDATED_EARLY, 9)},
    ),
    (_set_entry((8, 9), "EcritureDate", "20260305"), {(K.VALIDATED_EARLY, 8), (K.VALIDATED_EARLY, 9)}),
    (_set(4, "CompteNum", "51"), {(K.ACCOUNT, 4)}),
    (_set(4, "CompteNum", "B12"), {(K.ACCOUNT, 4)}),
    (_set(4, "PieceDate", "20260230"), {(K.DAY, 4)}),
    (_set(4, "PieceDate", "18991231"), {(K.DAY, 4)}),
    (_set(4, "PieceDate", "21000101"), {(K.DAY, 4)}),
    (_set(4, "PieceDate", "2026-03-03"), {(K.DAY, 4)}),
    (_set(4, "Montantdevise", "1.5"), {(K.AMOUNT, 4), (K.HALF_PAIR, 4)}),
    (_set(4, "Idevise", "USD"), {(K.HALF_PAIR, 4)}),
    (_set(4, "CompAuxLib", "Au Bon Pain"), {(K.HALF_PAIR, 4)}),
    (_set(4, "EcritureLet", "AA"), {(K.HALF_PAIR, 4)}),
    (_set(4, "Credit", "1,00"), {(K.SIDES, 4), (K.UNBALANCED_ENTRY, 4), (K.UNBALANCED_FILE, 0)}),
    (
        _both(_set(4, "Debit", "0,00"), _set(5, "Credit", "0,00")),
        {(K.SIDES, 4), (K.SIDES, 5)},
    ),
    # a cell that cannot be read takes its row out of the sums, which then do not come out
    (_set(4, "Debit", "1400.00"), {(K.AMOUNT, 4), (K.UNBALANCED_ENTRY, 5), (K.UNBALANCED_FILE, 0)}),
    (_set(4, "Debit", "1 400,00"), {(K.AMOUNT, 4), (K.UNBALANCED_ENTRY, 5), (K.UNBALANCED_FILE, 0)}),
    (_set(4, "Debit", ""), {(K.EMPTY_CELL, 4), (K.UNBALANCED_ENTRY, 5), (K.UNBALANCED_FILE, 0)}),
    (_set(4, "ValidDate", ""), {(K.EMPTY_CELL, 4), (K.UNBALANCED_ENTRY, 5), (K.UNBALANCED_FILE, 0)}),
    (lambda rows: rows[3].append(""), {(K.CELL_COUNT, 4), (K.UNBALANCED_ENTRY, 5), (K.UNBALANCED_FILE, 0)}),
    (lambda rows: rows[0].reverse(), {(K.HEADING, 1)}),
    (_set(1, "CompAuxNum", "CompteAuxNum"), {(K.HEADING, 1)}),
    (lambda rows: rows[0].append("Tiers"), {(K.HEADING, 1)}),
    (lambda rows: rows.__delitem__(slice(1, None)), {(K.NO_ROW, 0)}),
]


@pytest.mark.parametrize(("plant", "faults"), PLANTED)
def test_a_planted_fault_is_found(plant: Callable[[Rows], None], faults: set[tuple[FecFaultKind, int]]) -> None:
    rows = _right()
    plant(rows)
    assert rows != _right()
    assert {(fault.kind, fault.line) for fault in _check(rows)} == faults


@pytest.mark.parametrize("day", ["19000101", "20991231"])
def test_the_first_and_the_last_day_that_are_taken(day: str) -> None:
    rows = _right()
    _set(4, "PieceDate", day)(rows)
    assert _check(rows) == ()


def test_books_may_open_after_the_first_entries_of_their_year() -> None:
    rows = _right()
    _set_entry((2, 3), "ValidDate", "20260601")(rows)
    assert _check(rows) == ()


def test_every_kind_of_fault_was_planted() -> None:
    planted = {kind for _, faults in PLANTED for kind, _ in faults}
    assert planted | {K.NAME} == set(FecFaultKind)


@pytest.mark.parametrize(
    "name", ["732829320FEC20261231.csv", "732829320fec20261231.txt", "732829320FEC20251231.txt", "FEC.txt"]
)
def test_the_name_of_the_file_is_checked(name: str) -> None:
    assert [(fault.kind, fault.line) for fault in _check(_right(), name)] == [(K.NAME, 0)]


def test_numbers_over_all_journals_are_another_softwares_right() -> None:
    rows = _right()
    for place, line in enumerate(range(1, 9)):
        rows[line][AT["EcritureNum"]] = str(place // 2 + 1)
    content = _bytes(rows)
    assert _check(rows)
    assert check_fec(NAME, content, siren=SIREN, year=YEAR, opening_journal="AN", is_numbered_by_journal=False) == ()


def test_what_a_fault_says() -> None:
    rows = _right()
    _set(5, "Credit", "1300,00")(rows)
    assert [fault.detail for fault in _check(rows)] == [
        "10000 cents more of debits than of credits",
        "BQ 1: 10000 cents more of debits than of credits",
    ]
