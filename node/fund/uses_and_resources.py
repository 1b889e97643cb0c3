"""Where a year's euros came from and what they went to: the data of the CROD and of the CER. Pure.

The statement by origin and destination (compte de résultat par origine et destination) has all income and expenses of
the fiscal year, and beside each what is of public generosity. The account of uses (compte d'emploi annuel des
ressources) has that second column alone, and what of it is carried from year to year. Income feeds the row of its
account, spending the row that its tag says. Both end in the ledger's own result: nothing is computed twice.
Funds that were bound and put aside are in their rows, and not in what is carried. Net investment out of public
generosity is passed in; a fund that only pays on has none.
Source: ANC 2018-06, art. 432-2 and 432-17 [R]; shared design, DOMAIN.md, 0.4 and 2.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from node.fund.chart import EXPENSES, INCOMES, Nature, Row
from node.fund.declarations import FiscalYear
from node.fund.entries import Entry, Line
from node.fund.tags import Place, Purpose, Tag

RESOURCES: Final = (
    Row.GIFTS,
    Row.LEGACIES,
    Row.PATRONAGE,
    Row.OTHER_GENEROSITY,
    Row.SPONSORSHIP,
    Row.CONTRIBUTIONS,
    Row.OTHER_INCOME,
    Row.FROM_DEDICATED,
)
USES: Final = (
    Row.FRANCE_OWN,
    Row.FRANCE_PAID,
    Row.ABROAD_OWN,
    Row.ABROAD_PAID,
    Row.PUBLIC_FUNDRAISING,
    Row.OTHER_FUNDRAISING,
    Row.RUNNING,
    Row.TO_DEDICATED,
)
_MISSIONS: Final[Mapping[tuple[Place, bool], Row]] = {
    (Place.FRANCE, False): Row.FRANCE_OWN,
    (Place.FRANCE, True): Row.FRANCE_PAID,
    (Place.ABROAD, False): Row.ABROAD_OWN,
    (Place.ABROAD, True): Row.ABROAD_PAID,
}
_OTHER_PURPOSES: Final[Mapping[Purpose, Row]] = {
    Purpose.PUBLIC_FUNDRAISING: Row.PUBLIC_FUNDRAISING,
    Purpose.OTHER_FUNDRAISING: Row.OTHER_FUNDRAISING,
    Purpose.RUNNING: Row.RUNNING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSum:
    """One row, in cents: all of it, and what of it is of public generosity. Below zero where more was taken back."""

    row: Row
    cents: int
    of_public_generosity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginAndDestination:
    """The CROD of a year. Every row is there, in the order of the form, empty ones too."""

    year: FiscalYear
    resources: tuple[RowSum, ...]
    uses: tuple[RowSum, ...]
    resources_in_kind: int
    uses_in_kind: tuple[RowSum, ...]

    @property
    def surplus(self) -> int:
        """Income less expenses, in cents; below zero a deficit."""
        return sum(row.cents for row in self.resources) - sum(row.cents for row in self.uses)

    @property
    def surplus_of_public_generosity(self) -> int:
        """The same of public generosity alone."""
        return sum(row.of_public_generosity for row in self.resources) - sum(
            row.of_public_generosity for row in self.uses
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UsesOfPublicGenerosity:
    """The CER of a year, in cents: what public generosity brought, went to, and leaves, without bound funds."""

    year: FiscalYear
    resources: tuple[tuple[Row, int], ...]
    uses: tuple[tuple[Row, int], ...]
    carried_in: int
    surplus: int
    net_investment: int
    carried_out: int


def compute_origin_and_destination(entries: Iterable[Entry], year: FiscalYear) -> OriginAndDestination:
    """Return the CROD of a fiscal year from its entries. Raises ValueError for an entry of another year."""
    sums: dict[Row, list[int]] = {row: [0, 0] for row in (*RESOURCES, *USES)}
    in_kind: dict[Row, list[int]] = {row: [0, 0] for row in USES}
    given_in_kind = 0
    for entry in entries:
        if entry.year != year:
            raise ValueError(f"{entry.reference} is of another fiscal year")
        for line in entry.lines:
            nature = line.account.nature
            if nature is Nature.RESOURCE_IN_KIND:
                given_in_kind += line.credit - line.debit
            elif nature is Nature.USE_IN_KIND:
                _add(in_kind, line, line.debit - line.credit)
            elif nature in INCOMES:
                _add(sums, line, line.credit - line.debit)
            elif nature in EXPENSES:
                _add(sums, line, line.debit - line.credit)
    return OriginAndDestination(
        year=year,
        resources=_rows(sums, RESOURCES),
        uses=_rows(sums, USES),
        resources_in_kind=given_in_kind,
        uses_in_kind=_rows(in_kind, USES),
    )


def compute_uses_of_public_generosity(
    told: OriginAndDestination, *, carried_in: int, net_investment: int = 0
) -> UsesOfPublicGenerosity:
    """Return the CER that goes with a CROD; `carried_in` is what the CER of the year before carried out."""
    return UsesOfPublicGenerosity(
        year=told.year,
        resources=tuple((row.row, row.of_public_generosity) for row in told.resources),
        uses=tuple((row.row, row.of_public_generosity) for row in told.uses),
        carried_in=carried_in,
        surplus=told.surplus_of_public_generosity,
        net_investment=net_investment,
        carried_out=carried_in + told.surplus_of_public_generosity - net_investment,
    )


def row_of(line: Line) -> Row:
    """Return the row of the statement that a line of income or spending feeds."""
    if line.account.row is not None:
        return line.account.row
    tag = _tag_of(line)
    assert tag.purpose is not None  # a line is not made without it
    assert tag.place is not None
    if tag.purpose is Purpose.MISSION:
        return _MISSIONS[tag.place, line.account.is_paid_on]
    return _OTHER_PURPOSES[tag.purpose]


def _add(sums: dict[Row, list[int]], line: Line, cents: int) -> None:
    held = sums[row_of(line)]
    held[0] += cents
    if _tag_of(line).is_public_appeal:
        held[1] += cents


def _rows(sums: Mapping[Row, list[int]], rows: Iterable[Row]) -> tuple[RowSum, ...]:
    return tuple(RowSum(row=row, cents=sums[row][0], of_public_generosity=sums[row][1]) for row in rows)


def _tag_of(line: Line) -> Tag:
    assert line.tag is not None  # a line is not made without it
    return line.tag
