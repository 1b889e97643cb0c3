"""Reads a CSV of operations that are not tied to a sale: miles for staff, suppliers and prospects. Pure.

A row is a line; there are no line breaks within quotes, so that one open quote spoils one row and not the rest of the
file. What is read is what came so far: the file is an iterator over pieces of any size, and each row is given out as
soon as it was read. A dry run is this same function, whose rows nobody books.

    id;kind;account;amount;label           or in French: identifiant;nature;compte;montant;libelle
    E-2026-001;staff;7K3F-92QX-C@200046977;12,50;end of year

Separator: the one of ; , tab | with which the heading has all its columns. Encoding: the first line that is not ASCII
decides between UTF-8 and Windows-1252; a later line that does not fit is a wrong row.
Kept in memory: one line, and the ids of the rows so far (some 200 bytes each, `rows_max` of them).
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final

import msgspec

from node.partners.errors import (
    BudgetTooSmall,
    OperationDuplicate,
    OperationFieldWrong,
    OperationsFileRefused,
    OwnGroup,
    RowUnreadable,
)
from protocol.amounts import CENTS_MAX, Cents
from protocol.errors import InvalidAddress, InvalidAmount, Refusal
from protocol.identifiers import Address, parse_address, tidy_address

LINE_BYTES_MAX: Final = 4_096
ID_MAX: Final = 64
LABEL_MAX: Final = 140
SEPARATORS: Final = (";", ",", "\t", "|")
_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_AMOUNT: Final = re.compile(r"([0-9]{1,13})(?:[.,]([0-9]{1,2}))?", re.ASCII)
_TOO_FINE: Final = re.compile(r"[0-9]{1,13}[.,][0-9]{3,}", re.ASCII)


class OperationKind(StrEnum):
    """Who is given miles without a sale."""

    STAFF = "staff"
    SUPPLIER = "supplier"
    PROSPECT = "prospect"


_KINDS: Final = {
    **{kind.value: kind for kind in OperationKind},
    "salarie": OperationKind.STAFF,
    "salarié": OperationKind.STAFF,
    "fournisseur": OperationKind.SUPPLIER,
}
_COLUMNS: Final = {
    **{name: name for name in ("id", "kind", "account", "amount", "label")},
    **{"identifiant": "id", "nature": "kind", "compte": "account", "montant": "amount"},
    **{"libelle": "label", "libellé": "label"},
}
_NEEDED: Final = ("id", "kind", "account", "amount")


class Operation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Miles that a company gives outside a sale. A struct, because a file makes a million of them."""

    id: str
    kind: OperationKind
    account: Address
    cents: Cents
    label: str


class Row(msgspec.Struct, frozen=True, gc=False):
    """One row: its operation, or why it is none. `number` is its line, the heading being 1.

    `end` is how many bytes of the file are read with it, for a progress bar. What to do about a refusal is said by
    `explain(row.refusal.code, row.refusal.facts)`.
    """

    number: int
    end: int
    operation: Operation | None
    refusal: Refusal | None


def read_operations(
    pieces: Iterable[bytes],
    *,
    budget_left: Cents,
    company: str,
    own: frozenset[Address],
    rows_max: int,
) -> Iterator[Row]:
    """Give out each row of the file, in order; blank lines are passed over.

    `budget_left` is what the campaign may still spend: rows are counted against it in order, and one that does not fit
    is refused while smaller ones after it may fit. `own` are the accounts of the company itself (a SIREN) and its group.
    Raises OperationsFileRefused: at the first row where the heading or the encoding is not understood, later where
    there are more than `rows_max` rows; then nothing of the file is to be booked.
    """
    lines = _split_lines(pieces)
    start = next(lines, None)
    if start is None:
        raise OperationsFileRefused(reason="it is empty")
    heading, end = start
    if heading is None:
        raise OperationsFileRefused(reason=f"its first line has more than {LINE_BYTES_MAX} bytes")
    if heading.startswith(_UTF16):
        raise OperationsFileRefused(reason="it is UTF-16: save it as CSV UTF-8")
    decoder = _Decoder()
    if heading.startswith(_BOM):
        heading = heading[len(_BOM) :]
        decoder.encoding = "utf-8"
    try:
        first = decoder.decode(heading)
    except RowUnreadable as refusal:
        raise OperationsFileRefused(reason=f"its first line: {refusal.facts['reason']}") from None
    separator, columns = _read_heading(first)
    reader = _Reader(separator=separator, columns=columns, left=budget_left, company=company, own=own)
    rows = 0
    number = 1
    for line, end in lines:
        number += 1
        if line is not None and not line.strip():
            continue
        rows += 1
        if rows > rows_max:
            raise OperationsFileRefused(reason=f"more than {rows_max} rows: split it")
        try:
            if line is None:
                raise RowUnreadable(reason=f"more than {LINE_BYTES_MAX} bytes")
            yield Row(number, end, reader.read(decoder.decode(line), number), None)
        except Refusal as refusal:
            yield Row(number, end, None, refusal)


def _split_lines(pieces: Iterable[bytes]) -> Iterator[tuple[bytes | None, int]]:
    """Give out each line without its end, and where it ended; None for one that is too long, which is not kept."""
    rest = b""
    is_too_long = False
    end = 0
    for piece in pieces:
        if not piece:
            continue
        lines = (rest + piece).split(b"\n")
        end -= len(rest)
        rest = lines.pop()
        for line in lines:
            end += len(line) + 1
            if is_too_long or len(line) > LINE_BYTES_MAX:
                is_too_long = False
                yield None, end
            else:
                yield line.removesuffix(b"\r"), end
        end += len(rest)
        if len(rest) > LINE_BYTES_MAX:
            # What is thrown away stays counted in `end`.
            is_too_long, rest = True, b""
    if is_too_long or rest:
        yield None if is_too_long else rest.removesuffix(b"\r"), end


class _Decoder:
    """Decodes ASCII until a line is not; that one decides for the rest of the file."""

    encoding: str | None = None

    def decode(self, line: bytes) -> str:
        if line.isascii():
            text = line.decode("ascii")
        elif self.encoding is not None:
            text = self._decode_as(line, self.encoding)
        else:
            try:
                text = line.decode("utf-8")
                self.encoding = "utf-8"
            except UnicodeDecodeError:
                text = self._decode_as(line, "cp1252")
                self.encoding = "cp1252"
        if "\0" in text:
            raise RowUnreadable(reason="a symbol that is not text")
        return text

    @staticmethod
    def _decode_as(line: bytes, encoding: str) -> str:
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            raise RowUnreadable(reason=f"not {encoding}, as the lines before") from None


def _split_cells(line: str, separator: str) -> list[str]:
    """Return the cells of one line, not trimmed. Raises RowUnreadable."""
    if '"' not in line:
        return line.split(separator)
    try:
        rows = list(csv.reader([line], delimiter=separator, strict=True))
    except csv.Error:
        raise RowUnreadable(reason="a quote is not closed or stands in the middle") from None
    return rows[0]


def _read_heading(line: str) -> tuple[str, tuple[str | None, ...]]:
    """Return the separator, and for each place the column that stands there; None is a column that is not ours."""
    missing: list[str] = list(_NEEDED)
    for separator in SEPARATORS:
        try:
            cells = _split_cells(line, separator)
        except RowUnreadable:
            continue
        columns = tuple(_COLUMNS.get(cell.strip().lower()) for cell in cells)
        lacking = [name for name in _NEEDED if name not in columns]
        known = [name for name in columns if name]
        if not lacking:
            if len(set(known)) < len(known):
                raise OperationsFileRefused(reason="a column stands twice in its heading")
            return separator, columns
        missing = min(missing, lacking, key=len)
    raise OperationsFileRefused(reason=f"its first line lacks the columns {', '.join(missing)}")


class _Reader:
    """Reads rows, and remembers the ids and the sum so far."""

    def __init__(
        self,
        *,
        separator: str,
        columns: tuple[str | None, ...],
        left: Cents,
        company: str,
        own: frozenset[Address],
    ) -> None:
        self._separator = separator
        self._width = len(columns)
        self._id, self._kind, self._account, self._amount = (columns.index(name) for name in _NEEDED)
        self._label = columns.index("label") if "label" in columns else None
        self._left: int = left
        self._company = company
        self._own = own
        self._seen: dict[str, int] = {}

    def read(self, line: str, number: int) -> Operation:
        cells = _split_cells(line, self._separator)
        if len(cells) != self._width:
            raise RowUnreadable(reason=f"{len(cells)} cells where the heading has {self._width}")
        id_ = cells[self._id].strip()
        if not id_ or len(id_) > ID_MAX or not id_.isprintable():
            raise _wrong("id", id_, f"1 to {ID_MAX} symbols that can be printed")
        # An id counts as used even where its row is wrong: two rows of one id are a mistake whichever is right.
        earlier = self._seen.setdefault(id_, number)
        if earlier != number:
            raise OperationDuplicate(id=id_, row=earlier)
        written = cells[self._kind]
        kind = _KINDS.get(written) or _KINDS.get(written.strip().lower())
        if kind is None:
            raise _wrong("kind", written, "staff, supplier or prospect")
        cents = _read_cents(cells[self._amount].strip())
        account = _read_account(cells[self._account])
        label = "" if self._label is None else cells[self._label].strip()
        if len(label) > LABEL_MAX or not label.isprintable():
            raise _wrong("label", label, f"at most {LABEL_MAX} symbols that can be printed")
        if self._own and account in self._own:
            raise OwnGroup(company=self._company, other=str(account))
        if cents > self._left:
            raise BudgetTooSmall(available=self._left, asked=cents, missing=cents - self._left)
        self._left -= cents
        return Operation(id=id_, kind=kind, account=account, cents=cents, label=label)


def _wrong(column: str, value: str, reason: str) -> OperationFieldWrong:
    shown = value[:40].encode(errors="backslashreplace").decode()
    return OperationFieldWrong(column=column, value=shown, reason=reason)


@lru_cache(maxsize=4_096)  # the same people come again in a file of a year; only what is right is remembered
def _read_account(written: str) -> Address:
    try:
        return parse_address(tidy_address(written))
    except InvalidAddress as refusal:
        raise _wrong("account", written, str(refusal.facts["reason"])) from None


def _read_cents(written: str) -> Cents:
    match = _AMOUNT.fullmatch(written)
    if match is None:
        if _TOO_FINE.fullmatch(written):
            raise _wrong("amount", written, "more than two decimals")
        raise _wrong("amount", written, "miles as 12,50 or 12.50, without spaces, sign or currency")
    whole, decimals = match.groups("00")
    cents = int(whole) * 100 + int(decimals) * (10 if len(decimals) == 1 else 1)
    if not 1 <= cents <= CENTS_MAX:
        raise InvalidAmount(amount=written[:40], reason="more than zero, and not beyond all measure")
    return Cents(cents)


@dataclass(slots=True, kw_only=True)
class Report:
    """What a file came to: for a dry run to show, and for the one who books to look at first."""

    rows: int = 0
    accepted: int = 0
    cents: int = 0
    by_kind: Counter[OperationKind] = field(default_factory=Counter)  # cents
    by_code: Counter[str] = field(default_factory=Counter)  # rows
    problems: list[Row] = field(default_factory=list)  # the first `problems_max` of them

    @property
    def is_clean(self) -> bool:
        return self.rows == self.accepted


def add_to_report(report: Report, row: Row, *, problems_max: int) -> None:
    """Count one more row."""
    report.rows += 1
    if row.operation is not None:
        report.accepted += 1
        report.cents += row.operation.cents
        report.by_kind[row.operation.kind] += row.operation.cents
    elif row.refusal is not None:
        report.by_code[row.refusal.code] += 1
        if len(report.problems) < problems_max:
            report.problems.append(row)
