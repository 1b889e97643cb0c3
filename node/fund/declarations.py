"""What a fund declares: receipts of a year (art. 222 bis CGI), its list for the prefect, a company's 2069-RCI sheet. Pure.

Values first; `declaration_csv.py` writes them. Amounts are whole cents. Source: shared design, DOMAIN.md, 1.1, 1.5, 1.6.
"""

from __future__ import annotations

import calendar
import datetime
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.fund.issued_receipts import IssuedReceipt, ReceiptState
from node.fund.printed_text import find_fault
from node.fund.receipt_errors import InvalidDeclaration
from node.fund.receipt_numbers import ReceiptNumber, is_issuer_code, is_siren
from protocol.amounts import Cents, require_amount, require_balance

TEXT_MAX: Final = 400
_ONE_DAY: Final = datetime.timedelta(days=1)
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FiscalYear:
    """First and last day. Raises InvalidDeclaration."""

    first_on: datetime.date
    last_on: datetime.date

    def __post_init__(self) -> None:
        if self.last_on < self.first_on:
            raise InvalidDeclaration(field="fiscal_year", reason="it ends before it begins")

    def has(self, day: datetime.date) -> bool:
        """Whether a day lies in it."""
        return self.first_on <= day <= self.last_on


# ---------------------------------------------------------------- art. 222 bis: receipts of a year


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRule:
    """When a year's declaration is due: months after the closing, but for a closing on `year_end`."""

    months: int
    year_end: tuple[int, int]
    year_end_after: tuple[int, int]
    year_end_working_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptsDeclaration:
    """Two figures, of two questions: receipts *issued* in the year, and gifts *received* in it that a receipt tells.

    A gift of December whose receipt is of January counts in one year's cents and in the next year's receipts:
    `cents_issued_otherwise` is that part of `cents`.
    """

    year: FiscalYear
    count: int
    cents: int
    cents_issued_otherwise: int
    due_on: datetime.date


def declare_receipts(receipts: Iterable[IssuedReceipt], year: FiscalYear, due_on: datetime.date) -> ReceiptsDeclaration:
    """Return the two figures of art. 222 bis. Cancelled receipts are left out; a copy is the receipt itself.

    Raises ValueError when two receipts share a number: a bug of who asks.
    """
    known: dict[ReceiptNumber, IssuedReceipt] = {}
    count = cents = cents_issued_otherwise = 0
    for issued in receipts:
        receipt = issued.receipt
        before = known.setdefault(receipt.number, issued)
        if (before.digest, before.state) != (issued.digest, issued.state):
            raise ValueError(f"two receipts called {receipt.number}")
        if before is not issued or issued.state is ReceiptState.CANCELLED:
            continue
        given: list[tuple[datetime.date, int]] = [(paid.received_on, paid.cents) for paid in receipt.payments]
        given += [(gift.given_on, gift.cents) for gift in receipt.gifts_in_kind]
        received = sum(part for day, part in given if year.has(day))
        cents += received
        if year.has(receipt.issued_on):
            count += 1
        else:
            cents_issued_otherwise += received
    return ReceiptsDeclaration(
        year=year, count=count, cents=cents, cents_issued_otherwise=cents_issued_otherwise, due_on=due_on
    )


def compute_due_date(closing: datetime.date, rule: DueRule, holidays: Collection[datetime.date]) -> datetime.date:
    """Return the last day for the declaration of a year that closes on `closing`.

    A closing at the end of a month is due at the end of a month [D]. `holidays` are those of the days after
    `year_end_after` of the next year: only that count is in working days.
    """
    if (closing.month, closing.day) == rule.year_end:
        day = datetime.date(closing.year + 1, *rule.year_end_after)
        left = rule.year_end_working_days
        while left:
            day += _ONE_DAY
            left -= day.weekday() < _SATURDAY and day not in holidays
        return day
    years, month = divmod(closing.month - 1 + rule.months, 12)
    year, month = closing.year + years, month + 1
    length = calendar.monthrange(year, month)[1]
    is_month_end = closing.day == calendar.monthrange(closing.year, closing.month)[1]
    return datetime.date(year, month, length if is_month_end else min(closing.day, length))


# ---------------------------------------------------------------- the list for the prefect


@dataclass(frozen=True, slots=True, kw_only=True)
class Redistribution:
    """Euros paid on to a legal person. `code` is its SIREN or RNA. Raises InvalidDeclaration, InvalidAmount."""

    code: str
    name: str
    seat: str
    mail: str
    phone: str
    nature: str
    cents: Cents

    def __post_init__(self) -> None:
        if not is_issuer_code(self.code):
            raise InvalidDeclaration(field="redistribution.code", reason="a SIREN or an RNA: only bodies are paid")
        for field in ("name", "seat", "mail", "phone", "nature"):
            _require_text(f"redistribution.{field}", getattr(self, field))
        if "@" not in self.mail:
            raise InvalidDeclaration(field="redistribution.mail", reason="an e-mail address")
        require_amount(self.cents)


@dataclass(frozen=True, slots=True, kw_only=True)
class Liberality:
    """A gift or a legacy that the fund received, with its donor. Raises InvalidDeclaration, InvalidAmount."""

    received_on: datetime.date
    donor: str
    nature: str
    cents: Cents

    def __post_init__(self) -> None:
        _require_text("liberality.donor", self.donor)
        _require_text("liberality.nature", self.nature)
        require_amount(self.cents)


class ForeignSource(StrEnum):
    """Who abroad the law has in mind."""

    STATE = "foreign_state"
    LEGAL_PERSON = "foreign_legal_person"
    TRUST = "trust"
    NON_RESIDENT = "non_resident_person"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignResource:
    """Money or an advantage from abroad. Raises InvalidDeclaration, InvalidAmount."""

    received_on: datetime.date
    source: ForeignSource
    name: str
    country: str
    nature: str
    cents: Cents

    def __post_init__(self) -> None:
        if type(self.source) is not ForeignSource:
            raise InvalidDeclaration(field="foreign.source", reason="one of the four")
        for field in ("name", "country", "nature"):
            _require_text(f"foreign.{field}", getattr(self, field))
        require_amount(self.cents)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefectList:
    """What goes with the yearly report: each body and nature once, gifts one by one, in the order of their days."""

    year: FiscalYear
    redistributions: tuple[Redistribution, ...]
    liberalities: tuple[Liberality, ...]
    foreign: tuple[ForeignResource, ...]


def list_for_prefect(
    year: FiscalYear,
    *,
    redistributions: Iterable[Redistribution],
    liberalities: Iterable[Liberality],
    foreign: Iterable[ForeignResource],
) -> PrefectList:
    """Return the list of a year: payments of one nature to one body are one row, in the body's last known address.

    Raises InvalidDeclaration for a gift outside the year.
    """
    rows: dict[tuple[str, str], Redistribution] = {}
    for paid in redistributions:
        before = rows.get((paid.code, paid.nature))
        total = paid.cents + (before.cents if before else 0)
        rows[paid.code, paid.nature] = Redistribution(
            code=paid.code,
            name=paid.name,
            seat=paid.seat,
            mail=paid.mail,
            phone=paid.phone,
            nature=paid.nature,
            cents=Cents(total),
        )
    gifts, resources = tuple(liberalities), tuple(foreign)
    days = [gift.received_on for gift in gifts] + [resource.received_on for resource in resources]
    for day in days:
        if not year.has(day):
            raise InvalidDeclaration(field="received_on", reason=f"{day} is of another year")
    return PrefectList(
        year=year,
        redistributions=tuple(sorted(rows.values(), key=lambda row: (row.name, row.code, row.nature))),
        liberalities=tuple(sorted(gifts, key=lambda gift: (gift.received_on, gift.donor))),
        foreign=tuple(sorted(resources, key=lambda resource: (resource.received_on, resource.name))),
    )


# ---------------------------------------------------------------- a company's 2069-RCI sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyGift:
    """One gift of a company. `counterpart_cents` is what it got in return, as the beneficiary valued it.

    Raises InvalidDeclaration, InvalidAmount.
    """

    given_on: datetime.date
    cents: Cents
    beneficiary: str
    beneficiary_code: str
    counterpart_cents: Cents

    def __post_init__(self) -> None:
        _require_text("gift.beneficiary", self.beneficiary)
        if not is_issuer_code(self.beneficiary_code):
            raise InvalidDeclaration(field="gift.beneficiary_code", reason="a SIREN or an RNA")
        require_amount(self.cents)
        require_balance(self.counterpart_cents)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanySheet:
    """The gifts of a company's fiscal year. Above the threshold the company names them; below, the sum is enough.

    `counterpart_cents` of a gift is there in either case; it goes into the declaration only when `must_detail`.
    """

    company: str
    siren: str
    year: FiscalYear
    gifts: tuple[CompanyGift, ...]
    cents: int
    counterpart_cents: int
    must_detail: bool


def share_counterpart(cents: int, gifts: Sequence[int]) -> list[int]:
    """Return what falls on each gift of a value got in return: in proportion, rounded down, odd cents to the first.

    Raises InvalidDeclaration for something in return of nothing.
    """
    require_balance(cents)
    total = sum(gifts)
    if not total:
        if cents:
            raise InvalidDeclaration(field="counterpart", reason="no gift of that year that it is a counterpart of")
        return []
    parts = [cents * gift // total for gift in gifts]
    for place in range(cents - sum(parts)):
        parts[place] += 1
    return parts


def make_company_sheet(
    *, company: str, siren: str, year: FiscalYear, gifts: Iterable[CompanyGift], threshold_cents: int
) -> CompanySheet:
    """Return the sheet of one company and one of *its* fiscal years. Raises InvalidDeclaration."""
    _require_text("company", company)
    if not is_siren(siren):
        raise InvalidDeclaration(field="siren", reason="nine digits of a SIREN, with its check digit")
    rows = tuple(sorted(gifts, key=lambda gift: (gift.given_on, gift.beneficiary, gift.cents)))
    for gift in rows:
        if not year.has(gift.given_on):
            raise InvalidDeclaration(field="gift.given_on", reason=f"{gift.given_on} is of another year")
    cents = sum(gift.cents for gift in rows)
    return CompanySheet(
        company=company,
        siren=siren,
        year=year,
        gifts=rows,
        cents=cents,
        counterpart_cents=sum(gift.counterpart_cents for gift in rows),
        must_detail=cents > threshold_cents,
    )


def _require_text(field: str, text: object) -> None:
    fault = find_fault(text, TEXT_MAX)
    if fault is not None:
        raise InvalidDeclaration(field=field, reason=fault)
