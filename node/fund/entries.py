"""Entries of the fund's books: balanced when made, numbered without a gap when validated, never changed. Pure.

A draft says what happened; an entry is a draft that took its number in its journal and fiscal year, and its validation
day. Whoever validates takes the number in the same transaction. A mistake is corrected by an entry that names the wrong
one. What stands off the balance sheet (commitments, work given) never shares an entry with what stands on it.
Source: shared design, DOMAIN.md, 2.1.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.fund.books_errors import InvalidEntry
from node.fund.chart import IN_KIND, Account, Auxiliary, Journal, Nature
from node.fund.declarations import FiscalYear
from node.fund.printed_text import find_fault
from node.fund.tags import Tag, find_tag_fault
from protocol.amounts import Cents, require_amount

LABEL_MAX: Final = 300  # the longest name of who stands behind it, and what happened
REFERENCE_MAX: Final = 80


class Side(StrEnum):
    DEBIT = "debit"
    CREDIT = "credit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """The document that proves an entry, and its day. Raises InvalidEntry."""

    reference: str
    on: datetime.date

    def __post_init__(self) -> None:
        _require_text("piece", self.reference, REFERENCE_MAX)
        _require_date("piece_on", self.on)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One amount on one side of one account. Raises InvalidEntry, InvalidAmount."""

    account: Account
    side: Side
    cents: Cents
    auxiliary: Auxiliary | None = None
    tag: Tag | None = None

    def __post_init__(self) -> None:
        require_amount(self.cents)
        fault = find_tag_fault(self.account.nature, self.tag)
        if fault is not None:
            raise InvalidEntry(field="tag", reason=fault)

    @property
    def debit(self) -> int:
        return self.cents if self.side is Side.DEBIT else 0

    @property
    def credit(self) -> int:
        return self.cents if self.side is Side.CREDIT else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What happened, in lines that balance. Raises InvalidEntry.

    `corrects` is the reference of the entry that this one takes back.
    """

    journal: Journal
    on: datetime.date
    piece: Piece
    label: str
    lines: tuple[Line, ...]
    corrects: str | None = None

    def __post_init__(self) -> None:
        _require_date("on", self.on)
        _require_text("label", self.label, LABEL_MAX)
        if type(self.lines) is not tuple or len(self.lines) < 2:
            raise InvalidEntry(field="lines", reason="an entry has two lines or more")
        difference = sum(line.debit for line in self.lines) - sum(line.credit for line in self.lines)
        if difference:
            raise InvalidEntry(field="lines", reason=f"debits less credits make {difference} cents, not 0")
        if len({_sheet_of(line.account.nature) for line in self.lines}) != 1:
            raise InvalidEntry(field="lines", reason="what is off the balance sheet has entries of its own")

    @property
    def cents(self) -> int:
        """The sum of its debits, which is that of its credits."""
        return sum(line.debit for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A validated draft: `number` counts from 1 in its journal and fiscal year. Raises InvalidEntry."""

    draft: Draft
    year: FiscalYear
    number: int
    validated_on: datetime.date

    def __post_init__(self) -> None:
        _require_date("validated_on", self.validated_on)
        if type(self.number) is not int or self.number < 1:
            raise InvalidEntry(field="number", reason="entries are counted from 1")
        if not self.year.has(self.draft.on):
            raise InvalidEntry(field="on", reason="a day of another fiscal year")
        if self.validated_on < self.draft.on:
            raise InvalidEntry(field="validated_on", reason="before the day of the entry")

    @property
    def journal(self) -> Journal:
        return self.draft.journal

    @property
    def lines(self) -> tuple[Line, ...]:
        return self.draft.lines

    @property
    def reference(self) -> str:
        """How another entry or a person names it: BQ-20261231-000001, with the closing day of its year."""
        return f"{self.journal.code}-{self.year.last_on:%Y%m%d}-{self.number:06d}"


def debit(account: Account, cents: int, *, auxiliary: Auxiliary | None = None, tag: Tag | None = None) -> Line:
    """Return a line on the left. Raises InvalidEntry, InvalidAmount."""
    return Line(account=account, side=Side.DEBIT, cents=Cents(cents), auxiliary=auxiliary, tag=tag)


def credit(account: Account, cents: int, *, auxiliary: Auxiliary | None = None, tag: Tag | None = None) -> Line:
    """Return a line on the right. Raises InvalidEntry, InvalidAmount."""
    return Line(account=account, side=Side.CREDIT, cents=Cents(cents), auxiliary=auxiliary, tag=tag)


def number_drafts(
    drafts: Iterable[Draft], *, year: FiscalYear, last_numbers: Mapping[str, int], validated_on: datetime.date
) -> tuple[Entry, ...]:
    """Return the drafts as entries, in their order, each with the next number of its journal.

    `last_numbers` are the last ones taken in that fiscal year, by journal code; a journal that is not there has none.
    Raises InvalidEntry.
    """
    taken = dict(last_numbers)
    entries = []
    for draft in drafts:
        taken[draft.journal.code] = taken.get(draft.journal.code, 0) + 1
        entries.append(Entry(draft=draft, year=year, number=taken[draft.journal.code], validated_on=validated_on))
    return tuple(entries)


def take_back(entry: Entry, *, journal: Journal, on: datetime.date, piece: Piece, why: str) -> Draft:
    """Return the entry that undoes another, side for side, and names it. Raises InvalidEntry."""
    return Draft(
        journal=journal,
        on=on,
        piece=piece,
        label=f"Extourne {entry.reference} : {why}",
        lines=tuple(
            Line(
                account=line.account,
                side=Side.CREDIT if line.side is Side.DEBIT else Side.DEBIT,
                cents=line.cents,
                auxiliary=line.auxiliary,
                tag=line.tag,
            )
            for line in entry.lines
        ),
        corrects=entry.reference,
    )


def _sheet_of(nature: Nature) -> int:
    if nature is Nature.COMMITMENT:
        return 1
    return 2 if nature in IN_KIND else 0


def _require_text(field: str, text: object, length_max: int) -> None:
    fault = find_fault(text, length_max)
    if fault is not None:
        raise InvalidEntry(field=field, reason=fault)


def _require_date(field: str, day: object) -> None:
    if type(day) is not datetime.date:  # a datetime is a date to isinstance
        raise InvalidEntry(field=field, reason="a date")
