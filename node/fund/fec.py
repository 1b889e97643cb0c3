"""The file of entries (fichier des écritures comptables, FEC) of a fiscal year, as the tax office reads it. Pure.

Eighteen columns in the order of the law, a heading, tabs, CRLF, days as 20261231, decimal commas; opening entries first,
then by validation day, then by journal and number. Each line of each entry is one row: nothing is added up.
The letters are ISO 8859-15, the one set of the text of the law that holds French, the euro and the capitals of Latin-9;
UTF-8 is read by the official checker and is not in the text. A letter that it lacks is written without its accents, or
as a question mark; how many were is told, so that the description that goes with the file can say so.
Source: LPF art. A47 A-1; shared design, DOMAIN.md, 2.1.
"""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from node.fund.books_errors import InvalidEntry
from node.fund.chart import Chart, JournalRole
from node.fund.declarations import FiscalYear
from node.fund.entries import Entry, Line
from node.fund.receipt_numbers import is_siren

HEADINGS: Final = (
    *("JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "CompAuxNum", "CompAuxLib"),
    *("PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit", "EcritureLet", "DateLet", "ValidDate"),
    *("Montantdevise", "Idevise"),
)
ENCODING: Final = "iso8859-15"
_LINE_END: Final = "\r\n"
# What printed texts may hold and Latin-9 lacks, with its usual stand-in. A narrow or fixed space is a space.
_REWRITTEN: Final = str.maketrans(
    {
        **{"\u2009": " ", "\u202f": " ", "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u2039": "<", "\u203a": ">"},
        **{"\u201b": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2032": "'", "\u2033": '"'},
        **{"\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2015": "-"},
        **{"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ħ": "h", "Ħ": "H", "ı": "i"},
        **{"\u2026": "...", "\u2022": "*", "\u2116": "No", "\u2122": "(TM)"},
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lettering:
    """Lines that answer each other, such as what was owed and what was paid: a mark, and the day it was set."""

    mark: str
    on: datetime.date

    def __post_init__(self) -> None:
        if not (self.mark.isascii() and self.mark.isalnum()):
            raise InvalidEntry(field="lettering", reason="letters and digits")


# of the line of an entry: the entry's reference, and the place of the line from 0
Letterings = Mapping[tuple[str, int], Lettering]


@dataclass(frozen=True, slots=True, kw_only=True)
class FecFile:
    """The file; `rows` under its heading; `cents` on each side; letters written otherwise than they are in the books."""

    name: str
    content: bytes
    rows: int
    cents: int
    letters_replaced: int


def write_fec(
    entries: Iterable[Entry],
    *,
    siren: str,
    year: FiscalYear,
    chart: Chart,
    letterings: Letterings | None = None,
) -> FecFile:
    """Return the file of a fiscal year, all of whose entries are given, in any order.

    Raises InvalidEntry for a wrong SIREN, ValueError for an entry of another year.
    """
    opening = chart.journals[JournalRole.OPENING].code
    told = sorted(
        entries, key=lambda entry: (entry.journal.code != opening, entry.validated_on, entry.journal.code, entry.number)
    )
    rows = ["\t".join(HEADINGS)]
    replaced = cents = 0
    for entry in told:
        if entry.year != year:
            raise ValueError(f"{entry.reference} is of another fiscal year")
        cents += entry.draft.cents
        for place, line in enumerate(entry.lines):
            cells, count = _fit(_cells(entry, line, (letterings or {}).get((entry.reference, place))))
            rows.append("\t".join(cells))
            replaced += count
    return FecFile(
        name=name_fec(siren, year),
        content="".join(row + _LINE_END for row in rows).encode(ENCODING),
        rows=len(rows) - 1,
        cents=cents,
        letters_replaced=replaced,
    )


def name_fec(siren: str, year: FiscalYear) -> str:
    """Return 732829320FEC20261231.txt. Raises InvalidEntry for a wrong SIREN."""
    if not is_siren(siren):
        raise InvalidEntry(field="siren", reason="nine digits of a SIREN, with its check digit")
    return f"{siren}FEC{_write_day(year.last_on)}.txt"


def _cells(entry: Entry, line: Line, lettering: Lettering | None) -> tuple[str, ...]:
    draft = entry.draft
    return (
        entry.journal.code,
        entry.journal.label,
        str(entry.number),
        _write_day(draft.on),
        line.account.number,
        line.account.label,
        line.auxiliary.number if line.auxiliary else "",
        line.auxiliary.label if line.auxiliary else "",
        draft.piece.reference,
        _write_day(draft.piece.on),
        draft.label,
        _write_euros(line.debit),
        _write_euros(line.credit),
        lettering.mark if lettering else "",
        _write_day(lettering.on) if lettering else "",
        _write_day(entry.validated_on),
        "",
        "",
    )


def _write_day(day: datetime.date) -> str:
    # strftime does not pad years below 1000 everywhere.
    return f"{day.year:04d}{day.month:02d}{day.day:02d}"


def _write_euros(cents: int) -> str:
    return f"{cents // 100},{cents % 100:02d}"


def _fit(cells: tuple[str, ...]) -> tuple[list[str], int]:
    """Return the cells in letters that the file has, and how many letters changed."""
    fitted = []
    replaced = 0
    for cell in cells:
        if cell.isascii():
            fitted.append(cell)
            continue
        letters = [_fit_letter(letter) for letter in cell]
        replaced += sum(new != old for new, old in zip(letters, cell, strict=True))
        fitted.append("".join(letters))
    return fitted, replaced


@lru_cache(maxsize=4_096)  # letters, not texts: a few hundred in a year
def _fit_letter(letter: str) -> str:
    if _is_in_the_set(letter):
        return letter
    other = letter.translate(_REWRITTEN)
    if other == letter:
        other = "".join(part for part in unicodedata.normalize("NFKD", letter) if _is_in_the_set(part))
    return other or "?"


def _is_in_the_set(letter: str) -> bool:
    try:
        letter.encode(ENCODING)
    except UnicodeEncodeError:
        return False
    return True
