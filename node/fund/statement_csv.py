"""Reads a statement that a bank gives as CSV, by a mapping of its columns. Pure.

All rows are read before anything is refused, so that one refusal names every wrong row. The balances and the id come
from the person who imports the file: few banks write them in a CSV.
"""

from __future__ import annotations

import csv
import datetime
import io
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from node.fund.bank_errors import (
    BankFileTooLarge,
    BankFileUnreadable,
    InvalidIban,
    InvalidReference,
    RowError,
    StatementRowsRefused,
)
from node.fund.references import NOT_PROVIDED, Iban, find_references, require_iban, require_reference
from node.fund.statements import Balance, Movement, MovementState, Statement, take_id
from protocol.amounts import CENTS_MAX

ENCODINGS: Final = frozenset({"utf-8-sig", "iso8859-15", "cp1252"})
_DATE_PARTS: Final = re.compile(r"(?:%[dmYy]|[/.\-])+")


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvMapping:
    """Which heading holds what. Either `amount` with a sign, or `credit` and `debit`. Raises ValueError."""

    booked_on: str
    amount: str = ""
    credit: str = ""
    debit: str = ""
    valued_on: str = ""
    bank_reference: str = ""
    end_to_end_id: str = ""
    reference: str = ""
    counterpart_name: str = ""
    counterpart_iban: str = ""
    text: str = ""
    currency: str = ""
    separator: str = ";"
    decimal_mark: str = ","
    date_format: str = "%d/%m/%Y"
    encoding: str = "utf-8-sig"
    lines_before: int = 0  # of the heading

    def __post_init__(self) -> None:
        if bool(self.amount) == bool(self.credit and self.debit) or bool(self.credit) != bool(self.debit):
            raise ValueError("a mapping names one column of amounts, or one of credits and one of debits")
        if self.separator not in {";", ",", "\t", "|"} or self.decimal_mark not in {",", "."}:
            raise ValueError("the separator is one of ; , tab |, and the decimal mark , or .")
        if self.encoding not in ENCODINGS:
            raise ValueError(f"the encoding is one of {', '.join(sorted(ENCODINGS))}")
        if not _DATE_PARTS.fullmatch(self.date_format) or self.lines_before < 0:
            raise ValueError("the date format has %d, %m, %Y or %y, parted by / . or -")

    def columns(self) -> tuple[str, ...]:
        """The headings that the file must have."""
        named = (
            *(self.booked_on, self.amount, self.credit, self.debit, self.valued_on, self.bank_reference),
            *(self.end_to_end_id, self.reference, self.counterpart_name, self.counterpart_iban, self.text),
            self.currency,
        )
        return tuple(column for column in named if column)


class _Wrong(Exception):
    def __init__(self, column: str, reason: str) -> None:
        super().__init__(column, reason)
        self.column = column
        self.reason = reason


def read_csv(
    data: bytes,
    *,
    mapping: CsvMapping,
    iban: Iban,
    id: str,
    sequence: int | None,
    opening: Balance,
    closing: Balance,
    bytes_max: int,
    errors_max: int = 1000,
) -> Statement:
    """Return the statement.

    Raises BankFileTooLarge, BankFileUnreadable, StatementRowsRefused (with `errors_max` errors at most),
    StatementUnbalanced.
    """
    if len(data) > bytes_max:
        raise BankFileTooLarge(bytes=len(data), bytes_max=bytes_max)
    try:
        text = data.decode(mapping.encoding)
    except UnicodeDecodeError:
        raise BankFileUnreadable(reason=f"it is not {mapping.encoding}") from None
    movements: list[Movement] = []
    errors: list[RowError] = []
    twins: Counter[str] = Counter()
    lines = io.StringIO(text, newline="")
    for _ in range(mapping.lines_before):
        lines.readline()
    rows = csv.reader(lines, delimiter=mapping.separator, strict=True)
    try:
        heading = [name.strip() for name in next(rows, [])]
        _require_heading(heading, mapping)
        for cells in rows:
            if not any(cell.strip() for cell in cells):
                continue
            row = mapping.lines_before + rows.line_num
            try:
                if len(cells) != len(heading):
                    raise _Wrong("", f"{len(cells)} cells where the heading has {len(heading)}")
                told = {name: cell.strip() for name, cell in zip(heading, cells, strict=True)}
                movements.append(_read_row(told, mapping, iban, twins))
            except _Wrong as wrong:
                errors.append(RowError(row=row, column=wrong.column, reason=wrong.reason))
                if len(errors) >= errors_max:
                    break
    except csv.Error as error:
        raise BankFileUnreadable(reason=f"line {mapping.lines_before + rows.line_num}: {error}") from None
    if errors:
        raise StatementRowsRefused(tuple(errors))
    return Statement(iban=iban, id=id, sequence=sequence, opening=opening, closing=closing, movements=tuple(movements))


def _require_heading(heading: list[str], mapping: CsvMapping) -> None:
    missing = [column for column in mapping.columns() if column not in heading]
    if missing:
        raise BankFileUnreadable(reason=f"no column named {', '.join(missing)}"[:200])
    twice = [column for column in mapping.columns() if heading.count(column) > 1]
    if twice:
        raise BankFileUnreadable(reason=f"two columns named {', '.join(twice)}"[:200])


def _read_row(told: Mapping[str, str], mapping: CsvMapping, iban: Iban, twins: Counter[str]) -> Movement:
    if mapping.currency and told[mapping.currency] != "EUR":
        raise _Wrong(mapping.currency, "not EUR")
    booked_on = _read_day(told, mapping.booked_on, mapping)
    valued_on = _read_day(told, mapping.valued_on, mapping) if told.get(mapping.valued_on) else None
    cents = _read_cents(told, mapping)
    bank_reference = told.get(mapping.bank_reference, "")
    end_to_end_id = told.get(mapping.end_to_end_id, "")
    if end_to_end_id.upper() == NOT_PROVIDED:
        end_to_end_id = ""
    text = told.get(mapping.text, "")
    name = told.get(mapping.counterpart_name, "")
    counterpart = told.get(mapping.counterpart_iban, "")
    if counterpart:
        try:
            counterpart = require_iban(counterpart)
        except InvalidIban:
            raise _Wrong(mapping.counterpart_iban, "not an IBAN") from None
    written = told.get(mapping.reference, "")
    try:
        reference = require_reference(written) if written else None
    except InvalidReference:
        raise _Wrong(mapping.reference, "not an RF reference") from None
    if reference is None and len(found := find_references(text)) == 1:
        reference = found[0]
    if bank_reference:
        id_ = take_id(twins, iban, cents, False, bank_reference)
    else:
        said = (booked_on.isoformat(), end_to_end_id, reference or "", counterpart, name, text)
        id_ = take_id(twins, iban, cents, False, *said)
    return Movement(
        id=id_,
        entry=id_,
        cents=cents,
        state=MovementState.BOOKED,
        booked_on=booked_on,
        valued_on=valued_on,
        bank_reference=bank_reference,
        end_to_end_id=end_to_end_id,
        reference=reference,
        counterpart_name=name,
        counterpart_iban=counterpart,
        text=text,
    )


def _read_day(told: Mapping[str, str], column: str, mapping: CsvMapping) -> datetime.date:
    try:
        return datetime.datetime.strptime(told[column], mapping.date_format).date()
    except ValueError:
        raise _Wrong(column, "not a day in the format of the mapping") from None


def _read_cents(told: Mapping[str, str], mapping: CsvMapping) -> int:
    if mapping.amount:
        return _read_amount(told[mapping.amount], mapping.amount, mapping)
    credit, debit = told[mapping.credit], told[mapping.debit]
    if bool(credit) == bool(debit):
        raise _Wrong(mapping.credit, "one of credit and debit is filled, and only one")
    if credit:
        return _read_amount(credit, mapping.credit, mapping)
    # Some banks write a debit with its sign, some without: in its own column both take money away.
    return -abs(_read_amount(debit, mapping.debit, mapping))


def _read_amount(written: str, column: str, mapping: CsvMapping) -> int:
    thousands = "." if mapping.decimal_mark == "," else ","
    shape = (
        rf"([+\-−]?)([0-9]{{1,3}}(?:[ \u00a0\u202f'{re.escape(thousands)}][0-9]{{3}})+|[0-9]{{1,15}})"
        rf"(?:{re.escape(mapping.decimal_mark)}([0-9]*))?(?:[ \u00a0]?€)?"
    )
    match = re.fullmatch(shape, written)
    if match is None:
        raise _Wrong(column, "not an amount")
    decimals = match.group(3) or ""
    if len(decimals) > 2:
        raise _Wrong(column, "more than two decimals")
    cents = int(re.sub("[^0-9]", "", match.group(2))) * 100 + int(decimals.ljust(2, "0"))
    if cents > CENTS_MAX:
        raise _Wrong(column, f"more than {CENTS_MAX} cents")
    return -cents if match.group(1) in {"-", "−"} else cents
