"""What is wrong with a file of entries (FEC): all of it, each fault with its line. Pure.

The official checker looks at the form alone: a file of 1400 against 1300 euros passed it. Here are its checks, and those
that it lacks: each entry balances, and all of them; numbers go from 1 without a gap in each journal; after the opening
entries the validation days never go back, nor the numbers; every day of an entry lies in the fiscal year.
A file of another software may number over all journals at once: then `is_numbered_by_journal` is false.
Source: shared design, DOMAIN.md, 2.1 and 2.2.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from node.fund.declarations import FiscalYear
from node.fund.fec_reader import COLUMNS, FecTable, read_cents, read_day, read_table

_NEVER_EMPTY: Final = frozenset(COLUMNS) - frozenset(
    {"CompAuxNum", "CompAuxLib", "EcritureLet", "DateLet", "Montantdevise", "Idevise"}
)
_DAYS: Final = ("EcritureDate", "PieceDate", "DateLet", "ValidDate")
_AMOUNTS: Final = ("Debit", "Credit", "Montantdevise")
_ACCOUNT: Final = re.compile(r"[0-9]{3}[0-9A-Za-z]*", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2099


class FecFaultKind(StrEnum):
    """What can be wrong."""

    NAME = "name"
    HEADING = "heading"
    NO_ROW = "no_row"
    CELL_COUNT = "cell_count"
    EMPTY_CELL = "empty_cell"
    ACCOUNT = "account"
    NUMBER = "number"
    DAY = "day"
    AMOUNT = "amount"
    SIDES = "sides"
    HALF_PAIR = "half_pair"
    TWO_ENTRIES = "two_entries"
    UNBALANCED_ENTRY = "unbalanced_entry"
    UNBALANCED_FILE = "unbalanced_file"
    NUMBER_GAP = "number_gap"
    OPENING_LATE = "opening_late"
    OUT_OF_ORDER = "out_of_order"
    OUTSIDE_YEAR = "outside_year"
    VALIDATED_EARLY = "validated_early"


@dataclass(frozen=True, slots=True, kw_only=True)
class FecFault:
    """One fault; `line` counts from 1 with the heading, and is 0 for the file as a whole."""

    kind: FecFaultKind
    line: int
    detail: str


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the right shape, read."""

    line: int
    journal: str
    number: int
    on: datetime.date
    validated_on: datetime.date
    piece: str
    debit: int
    credit: int


def check_fec(
    name: str,
    content: bytes,
    *,
    siren: str,
    year: FiscalYear,
    opening_journal: str,
    is_numbered_by_journal: bool = True,
) -> tuple[FecFault, ...]:
    """Return every fault of a file, in the order of its lines; none when it is right. Raises FecUnreadable."""
    table = read_table(content)
    faults: list[FecFault] = []
    expected = f"{siren}FEC{year.last_on:%Y%m%d}.txt"
    if name != expected:
        faults.append(FecFault(kind=FecFaultKind.NAME, line=0, detail=f"{name}, expected {expected}"))
    if list(table.heading) != COLUMNS:
        # What follows would look into the wrong columns.
        return (*faults, FecFault(kind=FecFaultKind.HEADING, line=1, detail="the 18 columns, in their order"))
    if not table.rows:
        return (*faults, FecFault(kind=FecFaultKind.NO_ROW, line=0, detail="no entry at all"))
    rows, form_faults = _read_rows(table)
    faults += form_faults
    faults += _check_balance(rows, is_numbered_by_journal=is_numbered_by_journal)
    faults += _check_numbers(rows, is_numbered_by_journal=is_numbered_by_journal)
    faults += _check_order(rows, opening_journal)
    faults += _check_calendar(rows, year)
    return tuple(sorted(faults, key=lambda fault: (fault.line, fault.kind)))


# ---------------------------------------------------------------- the form, as the official checker has it


def _read_rows(table: FecTable) -> tuple[list[_Row], list[FecFault]]:
    rows: list[_Row] = []
    faults: list[FecFault] = []
    for line, cells in enumerate(table.rows, start=2):
        if len(cells) != len(COLUMNS):
            faults.append(FecFault(kind=FecFaultKind.CELL_COUNT, line=line, detail=f"{len(cells)} cells, not 18"))
            continue
        told = dict(zip(COLUMNS, cells, strict=True))
        found = list(_find_form_faults(told, line))
        faults += found
        row = _make_row(told, line)
        if row is not None:
            rows.append(row)
    return rows, faults


def _find_form_faults(told: dict[str, str], line: int) -> Iterator[FecFault]:
    def fault(kind: FecFaultKind, detail: str) -> FecFault:
        return FecFault(kind=kind, line=line, detail=detail)

    for column in COLUMNS:
        if column in _NEVER_EMPTY and not told[column].strip():
            yield fault(FecFaultKind.EMPTY_CELL, column)
    if told["CompteNum"].strip() and _ACCOUNT.fullmatch(told["CompteNum"]) is None:
        yield fault(FecFaultKind.ACCOUNT, f"{told['CompteNum']}: three digits first")
    if told["EcritureNum"].strip() and _NUMBER.fullmatch(told["EcritureNum"]) is None:
        yield fault(FecFaultKind.NUMBER, f"{told['EcritureNum']}: digits only")
    for column in _DAYS:
        day = read_day(told[column])
        if told[column].strip() and (day is None or not _FIRST_YEAR <= day.year <= _LAST_YEAR):
            yield fault(FecFaultKind.DAY, f"{column} {told[column]}")
    for column in _AMOUNTS:
        if told[column].strip() and read_cents(told[column]) is None:
            yield fault(FecFaultKind.AMOUNT, f"{column} {told[column]}")
    debit, credit = read_cents(told["Debit"]), read_cents(told["Credit"])
    if debit is not None and credit is not None and bool(debit) == bool(credit):
        yield fault(FecFaultKind.SIDES, "a debit or a credit: one, and not both")
    for first, second in (("CompAuxNum", "CompAuxLib"), ("EcritureLet", "DateLet"), ("Montantdevise", "Idevise")):
        if bool(told[first].strip()) != bool(told[second].strip()):
            yield fault(FecFaultKind.HALF_PAIR, f"{first} and {second} go together")


def _make_row(told: dict[str, str], line: int) -> _Row | None:
    """Return the row if all that the other checks need can be read."""
    on, validated_on = read_day(told["EcritureDate"]), read_day(told["ValidDate"])
    debit, credit = read_cents(told["Debit"]), read_cents(told["Credit"])
    if on is None or validated_on is None or debit is None or credit is None:
        return None
    if _NUMBER.fullmatch(told["EcritureNum"]) is None:
        return None
    return _Row(
        line=line,
        journal=told["JournalCode"],
        number=int(told["EcritureNum"]),
        on=on,
        validated_on=validated_on,
        piece=told["PieceRef"],
        debit=debit,
        credit=credit,
    )


# ---------------------------------------------------------------- what the official checker does not look at


def _check_balance(rows: list[_Row], *, is_numbered_by_journal: bool) -> Iterator[FecFault]:
    entries: dict[tuple[str, int], list[_Row]] = {}
    for row in rows:
        entries.setdefault((row.journal if is_numbered_by_journal else "", row.number), []).append(row)
    for lines in entries.values():
        first = lines[0]
        difference = sum(row.debit - row.credit for row in lines)
        if difference:
            yield FecFault(
                kind=FecFaultKind.UNBALANCED_ENTRY,
                line=first.line,
                detail=f"{first.journal} {first.number}: {difference} cents more of debits than of credits",
            )
        if len({(row.journal, row.on, row.validated_on) for row in lines}) > 1:
            yield FecFault(
                kind=FecFaultKind.TWO_ENTRIES,
                line=first.line,
                detail=f"{first.journal} {first.number} has two journals, days or validation days",
            )
        if lines[-1].line - first.line != len(lines) - 1:
            yield FecFault(
                kind=FecFaultKind.TWO_ENTRIES,
                line=first.line,
                detail=f"the lines of {first.journal} {first.number} are apart",
            )
    difference = sum(row.debit - row.credit for row in rows)
    if difference:
        yield FecFault(
            kind=FecFaultKind.UNBALANCED_FILE, line=0, detail=f"{difference} cents more of debits than of credits"
        )


def _check_numbers(rows: list[_Row], *, is_numbered_by_journal: bool) -> Iterator[FecFault]:
    last: dict[str, int] = {}
    for row in rows:
        journal = row.journal if is_numbered_by_journal else ""
        before = last.get(journal, 0)
        if row.number not in (before, before + 1) or row.number == 0:
            yield FecFault(
                kind=FecFaultKind.NUMBER_GAP,
                line=row.line,
                detail=f"{row.journal} {row.number} after {before}",
            )
        last[journal] = row.number


def _check_order(rows: list[_Row], opening_journal: str) -> Iterator[FecFault]:
    for before, after in pairwise(rows):
        if after.journal == opening_journal and before.journal != opening_journal:
            yield FecFault(kind=FecFaultKind.OPENING_LATE, line=after.line, detail="opening entries come first")
        elif before.journal == opening_journal != after.journal:
            continue  # books may open after the first entries of their year were validated
        elif after.validated_on < before.validated_on:
            yield FecFault(
                kind=FecFaultKind.OUT_OF_ORDER,
                line=after.line,
                detail=f"validated on {after.validated_on}, after a line of {before.validated_on}",
            )


def _check_calendar(rows: list[_Row], year: FiscalYear) -> Iterator[FecFault]:
    for row in rows:
        if not year.has(row.on):
            yield FecFault(kind=FecFaultKind.OUTSIDE_YEAR, line=row.line, detail=f"{row.on} is of another fiscal year")
        if row.validated_on < row.on:
            yield FecFault(
                kind=FecFaultKind.VALIDATED_EARLY, line=row.line, detail=f"{row.validated_on}, before {row.on}"
            )
