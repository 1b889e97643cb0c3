"""Declarations as CSV for a spreadsheet in French: semicolons, decimal commas, days as 31/12/2026. Pure.

A text that a spreadsheet would take for a formula begins with an apostrophe; the file is UTF-8, without a byte order mark.
"""

from __future__ import annotations

import csv
import datetime
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

from node.fund.declarations import CompanySheet, ForeignSource, PrefectList, ReceiptsDeclaration
from node.fund.issued_receipts import IssuedReceipt
from node.fund.receipts import Individual

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_PHONE: Final = re.compile(r"\+[0-9][0-9 .]*", re.ASCII)
_SOURCES: Final = {
    ForeignSource.STATE: "État étranger",
    ForeignSource.LEGAL_PERSON: "Personne morale étrangère",
    ForeignSource.TRUST: "Fiducie ou trust",
    ForeignSource.NON_RESIDENT: "Personne physique non résidente",
}
Cell = str | int | datetime.date


class _Euros(int):
    """Cents that are written as euros."""


def write_receipts_declaration(declaration: ReceiptsDeclaration) -> str:
    """Return the two figures with their year and the last day to declare them."""
    return _write(
        (
            "Premier jour",
            "Dernier jour",
            "Nombre de reçus délivrés",
            "Montant des dons en euros",
            "À déclarer avant le",
        ),
        [
            (
                declaration.year.first_on,
                declaration.year.last_on,
                declaration.count,
                _Euros(declaration.cents),
                declaration.due_on,
            )
        ],
    )


def write_receipts_register(issued: Iterable[IssuedReceipt]) -> str:
    """Return every receipt in the order of its number, cancelled ones too. Cancelled ones count in no total."""
    return _write(
        (
            "Numéro",
            "Formulaire",
            "Donateur",
            "Du",
            "Au",
            "Montant en euros",
            "Délivré le",
            "État",
            "Annulé le",
            "Motif",
            "Remplacé par",
            "Duplicatas",
        ),
        [_register_row(one) for one in issued],
    )


def _register_row(issued: IssuedReceipt) -> tuple[Cell, ...]:
    receipt, cancelled = issued.receipt, issued.cancellation
    donor = receipt.donor
    return (
        str(receipt.number),
        receipt.form_version,
        f"{donor.first_name} {donor.name}" if isinstance(donor, Individual) else donor.name,
        receipt.first_on,
        receipt.last_on,
        _Euros(receipt.cents),
        receipt.issued_on,
        "délivré" if cancelled is None else "annulé",
        "" if cancelled is None else cancelled.on,
        "" if cancelled is None else cancelled.reason,
        "" if cancelled is None or cancelled.replaced_by is None else str(cancelled.replaced_by),
        len(issued.duplicates),
    )


def write_redistributions(told: PrefectList) -> str:
    """Return the legal persons that were paid."""
    return _write(
        ("Dénomination", "SIREN ou RNA", "Siège", "Courriel", "Téléphone", "Nature", "Montant en euros"),
        [
            (row.name, row.code, row.seat, row.mail, row.phone, row.nature, _Euros(row.cents))
            for row in told.redistributions
        ],
    )


def write_liberalities(told: PrefectList) -> str:
    """Return the gifts received, with their donors."""
    return _write(
        ("Date", "Donateur", "Nature", "Montant en euros"),
        [(row.received_on, row.donor, row.nature, _Euros(row.cents)) for row in told.liberalities],
    )


def write_foreign_resources(told: PrefectList) -> str:
    """Return what came from abroad."""
    return _write(
        ("Date", "Origine", "Nom", "Pays", "Nature", "Montant en euros"),
        [
            (row.received_on, _SOURCES[row.source], row.name, row.country, row.nature, _Euros(row.cents))
            for row in told.foreign
        ],
    )


def write_company_sheet(sheet: CompanySheet) -> str:
    """Return a company's gifts; what it got in return only above the threshold. The last row is the total."""
    head: tuple[str, ...] = ("Date", "Bénéficiaire", "SIREN ou RNA", "Montant en euros")
    rows: list[tuple[Cell, ...]] = [
        (gift.given_on, gift.beneficiary, gift.beneficiary_code, _Euros(gift.cents)) for gift in sheet.gifts
    ]
    total: tuple[Cell, ...] = ("Total", sheet.company, sheet.siren, _Euros(sheet.cents))
    if sheet.must_detail:
        head = (*head, "Valeur des contreparties en euros")
        rows = [(*row, _Euros(gift.counterpart_cents)) for row, gift in zip(rows, sheet.gifts, strict=True)]
        total = (*total, _Euros(sheet.counterpart_cents))
    return _write(head, [*rows, total])


def _write(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([_show(cell) for cell in row] for row in rows)
    return text.getvalue()


def _show(cell: Cell) -> str:
    if isinstance(cell, _Euros):
        return f"{cell // 100},{cell % 100:02d}"
    if isinstance(cell, datetime.date):
        return f"{cell.day:02d}/{cell.month:02d}/{cell.year:04d}"
    if isinstance(cell, str) and cell.startswith(_FORMULA) and _PHONE.fullmatch(cell) is None:
        return f"'{cell}"
    return str(cell)
