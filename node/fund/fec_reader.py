"""Reads a file of entries (FEC), ours or another software's, knowing nothing of how ours is written. Pure.

`read_table` takes the file apart as the law allows it to be: tab or bar, CRLF, LF or CR, ISO 8859-15 or UTF-8 with or
without its mark. Cells stay texts, so that `fec_checks.py` can say what is wrong with each. `read_day` and `read_cents`
read a cell as the law has it written, or give None.
Source: LPF art. A47 A-1; shared design, DOMAIN.md, 2.1 and 2.2.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Final

from node.fund.books_errors import FecUnreadable

BYTES_MAX: Final = 200_000_000
COLUMNS: Final = [
    *("JournalCode", "JournalLib", "EcritureNum", "EcritureDate"),
    *("CompteNum", "CompteLib", "CompAuxNum", "CompAuxLib"),
    *("PieceRef", "PieceDate", "EcritureLib"),
    *("Debit", "Credit", "EcritureLet", "DateLet", "ValidDate", "Montantdevise", "Idevise"),
]
_DAY: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})", re.ASCII)
_AMOUNT: Final = re.compile(r"([+-]?)([0-9]{1,18})(?:,([0-9]{1,2}))?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class FecTable:
    """The cells of a file; `rows[0]` stands on line 2 of the file."""

    heading: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def read_table(content: bytes, *, encoding: str | None = None) -> FecTable:
    """Return the cells of a file; without an encoding UTF-8 is tried first, as the official checker does.

    Raises FecUnreadable when it cannot be taken apart at all.
    """
    if len(content) > BYTES_MAX:
        raise FecUnreadable(reason=f"more than {BYTES_MAX} bytes")
    try:
        text = content.decode(encoding or "utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("iso8859-15")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        raise FecUnreadable(reason="it holds zero bytes: not a text file")
    lines = text.removesuffix("\n").split("\n")
    separator = "\t" if "\t" in lines[0] else "|"
    if separator not in lines[0]:
        raise FecUnreadable(reason="the first line has neither tabs nor bars: no heading")
    heading, *rows = (tuple(line.split(separator)) for line in lines)
    return FecTable(heading=heading, rows=tuple(rows))


def read_day(cell: str) -> datetime.date | None:
    """Return the day of 20261231; None if it is written otherwise or is in no calendar."""
    found = _DAY.fullmatch(cell)
    if found is None:
        return None
    year, month, day = map(int, found.groups())
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None


def read_cents(cell: str) -> int | None:
    """Return the cents of 1234,50; None if it is written otherwise: with a dot, thousands, or parts of a cent."""
    found = _AMOUNT.fullmatch(cell)
    if found is None:
        return None
    sign, euros, rest = found.groups()
    cents = int(euros) * 100 + int((rest or "0").ljust(2, "0"))
    return -cents if sign == "-" else cents
