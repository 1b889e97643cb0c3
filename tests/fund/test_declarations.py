"""Declarations: the two figures of art. 222 bis, the prefect's list, a company's sheet; as values and as CSV."""

from __future__ import annotations

import csv
import dataclasses
import datetime
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.fund.declaration_csv import (
    write_company_sheet,
    write_foreign_resources,
    write_liberalities,
    write_receipts_declaration,
    write_redistributions,
)
from node.fund.declarations import (
    CompanyGift,
    FiscalYear,
    ForeignResource,
    ForeignSource,
    Liberality,
    Redistribution,
    compute_due_date,
    declare_receipts,
    list_for_prefect,
    make_company_sheet,
)
from node.fund.issued_receipts import Cancellation, IssuedReceipt, cancel, issue, mark_duplicate
from node.fund.receipt_errors import InvalidDeclaration
from node.fund.receipt_parameters_store import load_company_threshold, load_due_rule
from node.fund.receipts import Payment, PaymentMeans
from protocol.amounts import Cents
from protocol.errors import InvalidAmount
from tests.fund.receipt_makers import COMPANY, COMPANY_SIREN, make_gift_in_kind, make_number, make_receipt

YEAR = FiscalYear(first_on=datetime.date(2026, 1, 1), last_on=datetime.date(2026, 12, 31))
DUE_ON = datetime.date(2027, 5, 4)
THRESHOLD = 1_000_000


def _day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def _issue(sequence: int, issued_on: str, *paid: tuple[str, int]) -> IssuedReceipt:
    payments = tuple(
        Payment(received_on=_day(day), cents=Cents(cents), means=PaymentMeans.TRANSFER, reference=f"{sequence}/{place}")
        for place, (day, cents) in enumerate(paid)
    )
    return issue(make_receipt(number=make_number(sequence), payments=payments, issued_on=_day(issued_on)))


# ---------------------------------------------------------------- art. 222 bis


def test_cancelled_receipts_do_not_count_and_copies_count_once() -> None:
    plain = _issue(1, "2026-03-01", ("2026-02-01", 1_000))
    copied = mark_duplicate(_issue(2, "2026-03-02", ("2026-02-02", 2_000)), _day("2026-04-01"))
    cancelled = cancel(
        _issue(3, "2026-03-03", ("2026-02-03", 4_000)), Cancellation(on=_day("2026-03-04"), reason="Erreur")
    )
    told = declare_receipts([plain, copied, cancelled, dataclasses.replace(copied, duplicates=())], YEAR, DUE_ON)
    assert (told.count, told.cents, told.cents_issued_otherwise, told.due_on) == (2, 3_000, 0, DUE_ON)


def test_receipts_count_in_the_year_of_their_issue_and_gifts_in_the_year_they_came() -> None:
    december = _issue(
        1, "2027-01-15", ("2025-12-31", 1), ("2026-01-01", 10), ("2026-12-31", 100), ("2027-01-01", 1_000)
    )
    early = _issue(2, "2026-01-10", ("2025-12-30", 10_000))
    told = declare_receipts([december, early], YEAR, DUE_ON)
    assert (told.count, told.cents, told.cents_issued_otherwise) == (1, 110, 110)
    next_year = FiscalYear(first_on=_day("2027-01-01"), last_on=_day("2027-12-31"))
    told = declare_receipts([december, early], next_year, DUE_ON)
    assert (told.count, told.cents, told.cents_issued_otherwise) == (1, 1_000, 0)


def test_goods_of_companies_are_gifts_too() -> None:
    receipt = make_receipt(COMPANY, gifts_in_kind=(make_gift_in_kind(250_000),))
    told = declare_receipts([issue(receipt)], YEAR, DUE_ON)
    assert told.cents == 250_000 + 12_345


def test_two_receipts_of_one_number_are_a_bug() -> None:
    with pytest.raises(ValueError, match="000001"):
        declare_receipts(
            [_issue(1, "2026-03-01", ("2026-02-01", 1)), _issue(1, "2026-03-01", ("2026-02-01", 2))], YEAR, DUE_ON
        )


@given(st.lists(st.tuples(st.integers(0, 1_100), st.integers(1, 10**9), st.booleans()), max_size=12))
def test_each_gift_on_a_receipt_is_declared_in_one_year(gifts: list[tuple[int, int, bool]]) -> None:
    first = _day("2025-01-01")
    receipts = []
    expected = dict.fromkeys(range(2025, 2029), 0)
    for place, (days, cents, is_cancelled) in enumerate(gifts, start=1):
        day = first + datetime.timedelta(days=days)
        issued = _issue(place, day.isoformat(), (day.isoformat(), cents))
        if is_cancelled:
            issued = cancel(issued, Cancellation(on=day, reason="Erreur"))
        else:
            expected[day.year] += cents
        receipts.append(issued)
    declared = {
        year: declare_receipts(
            receipts, FiscalYear(first_on=datetime.date(year, 1, 1), last_on=datetime.date(year, 12, 31)), DUE_ON
        ).cents
        for year in expected
    }
    assert declared == expected


@pytest.mark.parametrize(
    ("closing", "holidays", "due"),
    [
        ("2022-12-31", [], "2023-05-03"),  # 1 May a Monday: Tuesday, Wednesday
        ("2024-12-31", [], "2025-05-05"),  # a Thursday: Friday, Monday
        ("2025-12-31", [], "2026-05-05"),  # a Friday: Monday, Tuesday
        ("2026-12-31", [], "2027-05-04"),  # a Saturday: Monday, Tuesday
        ("2034-12-31", ["2035-05-03"], "2035-05-04"),  # Ascension on the Thursday between
        ("2026-06-30", [], "2026-09-30"),
        ("2026-11-30", [], "2027-02-28"),
        ("2026-02-28", [], "2026-05-31"),
        ("2026-03-15", [], "2026-06-15"),
        ("2026-10-31", [], "2027-01-31"),
        ("2026-12-15", [], "2027-03-15"),
        ("2027-11-29", [], "2028-02-29"),
        ("2026-11-29", [], "2027-02-28"),
    ],
)
def test_the_day_by_which_receipts_are_declared(closing: str, holidays: list[str], due: str) -> None:
    assert compute_due_date(_day(closing), RULE_OF_2027, [_day(day) for day in holidays]) == _day(due)


RULE_OF_2027 = load_due_rule(_day("2027-12-31"))


# ---------------------------------------------------------------- the prefect


def _pay(cents: int = 100, **changed: Any) -> Redistribution:
    told: dict[str, Any] = {
        "code": "W691234567",
        "name": "Les Jardins partagés",
        "seat": "1 place du Marché, 69100 Villeurbanne",
        "mail": "contact@jardins.example",
        "phone": "+33 4 72 00 00 00",
        "nature": "Subvention de projet",
        "cents": Cents(cents),
    }
    return Redistribution(**{**told, **changed})


def test_each_body_and_nature_is_one_row_at_its_last_address() -> None:
    told = list_for_prefect(
        YEAR,
        redistributions=[
            _pay(100),
            _pay(250),
            _pay(7, nature="Prix"),
            _pay(1, code=COMPANY_SIREN, name="Abri"),
            _pay(3, seat="Lyon"),
        ],
        liberalities=[],
        foreign=[],
    )
    assert [(row.name, row.nature, row.cents, row.seat[:4]) for row in told.redistributions] == [
        ("Abri", "Subvention de projet", 1, "1 pl"),
        ("Les Jardins partagés", "Prix", 7, "1 pl"),
        ("Les Jardins partagés", "Subvention de projet", 353, "Lyon"),
    ]


@pytest.mark.parametrize("field", ["code", "name", "seat", "mail", "phone", "nature"])
def test_a_body_is_named_with_all_that_the_law_asks(field: str) -> None:
    with pytest.raises(InvalidDeclaration) as refusal:
        _pay(**{field: ""})
    assert refusal.value.facts["field"] == f"redistribution.{field}"


def test_a_gift_of_another_year_is_not_in_the_list() -> None:
    gift = Liberality(received_on=_day("2025-12-31"), donor="Durand", nature="Don manuel", cents=Cents(1))
    with pytest.raises(InvalidDeclaration):
        list_for_prefect(YEAR, redistributions=[], liberalities=[gift], foreign=[])
    foreign = ForeignResource(
        received_on=_day("2027-01-01"),
        source=ForeignSource.TRUST,
        name="A",
        country="Suisse",
        nature="Don",
        cents=Cents(1),
    )
    with pytest.raises(InvalidDeclaration):
        list_for_prefect(YEAR, redistributions=[], liberalities=[], foreign=[foreign])


def test_nothing_of_nothing_is_listed() -> None:
    for wrong in (0, -1):
        with pytest.raises(InvalidAmount):
            _pay(wrong)
        with pytest.raises(InvalidAmount):
            Liberality(received_on=_day("2026-12-31"), donor="Durand", nature="Don", cents=Cents(wrong))


def test_the_prefects_lists_as_csv() -> None:
    told = list_for_prefect(
        YEAR,
        redistributions=[_pay(123_456)],
        liberalities=[
            Liberality(received_on=_day("2026-02-01"), donor="Durand; Marie", nature="Don manuel", cents=Cents(5)),
            Liberality(received_on=_day("2026-01-31"), donor='Legs "B"', nature="Legs", cents=Cents(10_000)),
        ],
        foreign=[
            ForeignResource(
                received_on=_day("2026-03-01"),
                source=ForeignSource.NON_RESIDENT,
                name="Sow",
                country="Sénégal",
                nature="Don",
                cents=Cents(2_000),
            )
        ],
    )
    assert write_redistributions(told) == (
        "Dénomination;SIREN ou RNA;Siège;Courriel;Téléphone;Nature;Montant en euros\r\n"
        "Les Jardins partagés;W691234567;1 place du Marché, 69100 Villeurbanne;contact@jardins.example;"
        "+33 4 72 00 00 00;Subvention de projet;1234,56\r\n"
    )
    assert write_liberalities(told) == (
        "Date;Donateur;Nature;Montant en euros\r\n"
        '31/01/2026;"Legs ""B""";Legs;100,00\r\n'
        '01/02/2026;"Durand; Marie";Don manuel;0,05\r\n'
    )
    assert write_foreign_resources(told) == (
        "Date;Origine;Nom;Pays;Nature;Montant en euros\r\n"
        "01/03/2026;Personne physique non résidente;Sow;Sénégal;Don;20,00\r\n"
    )


@pytest.mark.parametrize("name", ["=1+1", "@SUM(A1)", "-2+3", "+33 4 72=cmd"])
def test_a_name_is_never_a_formula(name: str) -> None:
    gift = Liberality(received_on=_day("2026-02-01"), donor=name, nature="Don", cents=Cents(5))
    told = list_for_prefect(YEAR, redistributions=[], liberalities=[gift], foreign=[])
    rows = list(csv.reader(io.StringIO(write_liberalities(told)), delimiter=";"))
    assert rows[1][1] == f"'{name}"


def test_the_two_figures_as_csv() -> None:
    told = declare_receipts([_issue(1, "2026-03-01", ("2026-02-01", 100_001))], YEAR, DUE_ON)
    assert write_receipts_declaration(told).splitlines()[1] == "01/01/2026;31/12/2026;1;1000,01;04/05/2027"


# ---------------------------------------------------------------- a company's sheet


def _gift(day: str, cents: int, counterpart: int = 0) -> CompanyGift:
    return CompanyGift(
        given_on=_day(day),
        cents=Cents(cents),
        beneficiary="Fonds",
        beneficiary_code="732829320",
        counterpart_cents=Cents(counterpart),
    )


def _sheet(*gifts: CompanyGift) -> Any:
    return make_company_sheet(
        company="Au Bon Pain", siren=COMPANY_SIREN, year=YEAR, gifts=gifts, threshold_cents=THRESHOLD
    )


def test_counterparts_are_told_above_the_threshold_only() -> None:
    below = _sheet(_gift("2026-03-01", THRESHOLD - 1, 5), _gift("2026-02-01", 1))
    assert not below.must_detail
    assert write_company_sheet(below) == (
        "Date;Bénéficiaire;SIREN ou RNA;Montant en euros\r\n"
        "01/02/2026;Fonds;732829320;0,01\r\n"
        "01/03/2026;Fonds;732829320;9999,99\r\n"
        "Total;Au Bon Pain;552100554;10000,00\r\n"
    )
    above = _sheet(_gift("2026-03-01", THRESHOLD, 250_000), _gift("2026-02-01", 1))
    assert above.must_detail
    assert write_company_sheet(above) == (
        "Date;Bénéficiaire;SIREN ou RNA;Montant en euros;Valeur des contreparties en euros\r\n"
        "01/02/2026;Fonds;732829320;0,01;0,00\r\n"
        "01/03/2026;Fonds;732829320;10000,00;2500,00\r\n"
        "Total;Au Bon Pain;552100554;10000,01;2500,00\r\n"
    )


@given(st.lists(st.tuples(st.integers(0, 364), st.integers(1, 10**9), st.integers(0, 10**9)), max_size=20))
def test_no_cent_of_the_gifts_is_lost(gifts: list[tuple[int, int, int]]) -> None:
    made = [
        _gift((YEAR.first_on + datetime.timedelta(days=day)).isoformat(), cents, back) for day, cents, back in gifts
    ]
    sheet = _sheet(*made)
    assert sheet.cents == sum(cents for _, cents, _ in gifts)
    assert sheet.counterpart_cents == sum(back for _, _, back in gifts)
    rows = list(csv.reader(io.StringIO(write_company_sheet(sheet)), delimiter=";"))[1:]
    cents = [int(row[3].replace(",", "")) for row in rows]
    assert sum(cents[:-1]) == cents[-1] == sheet.cents


def test_a_companys_year_is_its_own() -> None:
    with pytest.raises(InvalidDeclaration):
        _sheet(_gift("2027-01-01", 1))
    with pytest.raises(InvalidDeclaration):
        make_company_sheet(company="A", siren="552100555", year=YEAR, gifts=[], threshold_cents=THRESHOLD)
    with pytest.raises(InvalidDeclaration):
        FiscalYear(first_on=YEAR.last_on, last_on=YEAR.first_on)
    with pytest.raises(InvalidAmount):
        _gift("2026-01-01", 1, -1)


def test_the_threshold_is_a_parameter_of_its_day() -> None:
    assert load_company_threshold(YEAR.last_on) == THRESHOLD
    with pytest.raises(LookupError):
        load_company_threshold(_day("2018-12-31"))
