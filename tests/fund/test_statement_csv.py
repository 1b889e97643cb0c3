"""Statements as CSV, by a mapping."""

from __future__ import annotations

import csv
import datetime
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.fund.bank_errors import BankFileTooLarge, BankFileUnreadable, StatementRowsRefused, StatementUnbalanced
from node.fund.references import Iban, make_reference
from node.fund.statement_csv import CsvMapping, read_csv
from node.fund.statements import Balance, Statement

OURS = Iban("FR7630006000011234567890189")
DAY = datetime.date(2026, 11, 24)
MAPPING = CsvMapping(booked_on="Date", amount="Montant", text="Libellé", counterpart_iban="IBAN", bank_reference="Réf")
TWO_COLUMNS = CsvMapping(
    booked_on="date", credit="in", debit="out", separator=",", decimal_mark=".", date_format="%Y-%m-%d"
)


def _read(text: str, mapping: CsvMapping = MAPPING, *, closing: int = 0, encoding: str = "utf-8") -> Statement:
    return read_csv(
        text.encode(encoding),
        mapping=mapping,
        iban=OURS,
        id="S",
        sequence=None,
        opening=Balance(cents=0, day=DAY),
        closing=Balance(cents=closing, day=DAY),
        bytes_max=100_000,
    )


def test_rows_are_read_by_their_heading() -> None:
    text = (
        "Réf;Date;Montant;Libellé;IBAN\r\n"
        f"B1;24/11/2026;1 234,50;Don {make_reference(9)};BE68 5390 0754 7034\r\n"
        '"B2";25/11/2026;-34,5;"Frais ; de tenue";\r\n'
    )
    told = _read(text, closing=120000)
    first, second = told.movements
    assert (first.cents, first.booked_on, first.bank_reference) == (123450, DAY, "B1")
    assert (first.reference, first.counterpart_iban) == (make_reference(9), "BE68539007547034")
    assert (second.cents, second.text) == (-3450, "Frais ; de tenue")
    assert told == _read(text, closing=120000)


@given(st.lists(st.integers(-(10**9), 10**9), max_size=20), st.booleans())
def test_amounts_come_back_as_written(amounts: list[int], has_two_columns: bool) -> None:
    out = io.StringIO()
    if has_two_columns:
        writer = csv.writer(out)
        writer.writerow(["date", "in", "out"])
        for cents in amounts:
            written = f"{abs(cents) // 100}.{abs(cents) % 100:02d}"
            writer.writerow(["2026-11-24", *((written, "") if cents >= 0 else ("", written))])
        mapping = TWO_COLUMNS
    else:
        writer = csv.writer(out, delimiter=";")
        writer.writerow(["Date", "Montant", "Libellé", "IBAN", "Réf"])
        for cents in amounts:
            grouped = f"{abs(cents) // 100:,}".replace(",", "\u202f")
            writer.writerow(["24/11/2026", f"{'-' if cents < 0 else ''}{grouped},{abs(cents) % 100:02d}", "", "", ""])
        mapping = MAPPING
    told = _read(out.getvalue(), mapping, closing=sum(amounts))
    assert [movement.cents for movement in told.movements] == amounts
    assert len({movement.id for movement in told.movements}) == len(amounts)


def test_every_wrong_row_is_named() -> None:
    text = (
        "Date;Montant;Libellé;IBAN;Réf\n"
        "24/11/2026;1,00;;;\n"
        "31/11/2026;1,00;;;\n"
        "24/11/2026;1,005;;;\n"
        "24/11/2026;1.00;;;\n"
        "\n"
        "24/11/2026;1,00;;BE00;\n"
        "24/11/2026;1,00\n"
    )
    with pytest.raises(StatementRowsRefused) as refusal:
        _read(text)
    assert [(error.row, error.column) for error in refusal.value.errors] == [
        (3, "Date"),
        (4, "Montant"),
        (5, "Montant"),
        (7, "IBAN"),
        (8, ""),
    ]
    assert refusal.value.facts["rows"] == 5


def test_both_or_neither_of_credit_and_debit_is_refused() -> None:
    with pytest.raises(StatementRowsRefused) as refusal:
        _read("date,in,out\n2026-11-24,1.00,2.00\n2026-11-24,,\n2026-11-24,,-2.00\n", TWO_COLUMNS)
    assert [error.row for error in refusal.value.errors] == [2, 3]


def test_a_statement_that_does_not_add_up_is_refused() -> None:
    with pytest.raises(StatementUnbalanced):
        _read("Date;Montant;Libellé;IBAN;Réf\n24/11/2026;1,00;;;\n", closing=99)


def test_a_file_of_another_shape_is_refused() -> None:
    with pytest.raises(BankFileUnreadable):
        _read("Date;Montant\n24/11/2026;1,00\n")
    with pytest.raises(BankFileUnreadable):
        _read("Date;Montant;Montant;Libellé;IBAN;Réf\n")
    with pytest.raises(BankFileUnreadable):
        _read("Date;Montant;Libellé;IBAN;Réf\n", encoding="iso8859-15")
    with pytest.raises(BankFileUnreadable):
        _read('Date;Montant;Libellé;IBAN;Réf\n"24/11/2026;1,00;;;\n')
    with pytest.raises(BankFileTooLarge):
        _read("x" * 100_001)


def test_the_lines_before_the_heading_and_another_encoding() -> None:
    mapping = CsvMapping(booked_on="Date", amount="Montant €", encoding="iso8859-15", lines_before=2)
    told = _read("Relevé\nCompte\nDate;Montant €\n24/11/2026;2,00\n", mapping, closing=200, encoding="iso8859-15")
    assert told.movements[0].cents == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"amount": "a", "credit": "c", "debit": "d"},
        {"credit": "c"},
        {"amount": "a", "debit": "d"},
        {"amount": "a", "separator": "x"},
        {"amount": "a", "encoding": "utf-7"},
        {"amount": "a", "date_format": "%s"},
    ],
)
def test_a_mapping_that_means_nothing_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        CsvMapping(booked_on="Date", **wrong)  # type: ignore[arg-type]
