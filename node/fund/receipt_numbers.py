"""The order number of a receipt: FD-<SIREN or RNA>-<fiscal year>-<000001>. Pure.

What follows what is said here; that no number is skipped or used twice is kept by the base, which takes the number in
the transaction that writes the receipt. The fiscal year is named by the year of its closing day. Beyond 999 999
receipts a year the sequence grows a digit. Source: shared design, DOMAIN.md, 1.5 [D].
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from stdnum.fr import siren as siren_numbers

from node.fund.receipt_errors import InvalidReceiptNumber

YEAR_MIN: Final = 2009  # the decree on endowment funds
YEAR_MAX: Final = 9999
SEQUENCE_MAX: Final = 10**9 - 1
_SHAPE: Final = re.compile(r"FD-([0-9]{9}|W[0-9][0-9A-Z][0-9]{7})-([0-9]{4})-([0-9]{6,9})", re.ASCII)
_SIREN: Final = re.compile(r"[0-9]{9}", re.ASCII)
_RNA: Final = re.compile(r"W[0-9][0-9A-Z][0-9]{7}", re.ASCII)  # a letter in Corsica and overseas: W2A…, W9R… [R]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ReceiptNumber:
    """Ordered as it was taken. Raises InvalidReceiptNumber."""

    issuer: str
    year: int
    sequence: int

    def __post_init__(self) -> None:
        if not is_issuer_code(self.issuer):
            raise InvalidReceiptNumber(number=repr(self.issuer)[:40], reason="the issuer is neither a SIREN nor an RNA")
        if type(self.year) is not int or not YEAR_MIN <= self.year <= YEAR_MAX:
            raise InvalidReceiptNumber(number=repr(self.year)[:40], reason="the fiscal year is four digits")
        if type(self.sequence) is not int or not 1 <= self.sequence <= SEQUENCE_MAX:
            raise InvalidReceiptNumber(number=repr(self.sequence)[:40], reason="receipts are counted from 1")

    def __str__(self) -> str:
        return f"FD-{self.issuer}-{self.year}-{self.sequence:06d}"


def is_siren(text: object) -> bool:
    """Nine digits, with their check digit, and not all zero."""
    return (
        isinstance(text, str)
        and _SIREN.fullmatch(text) is not None
        and text != "000000000"
        and siren_numbers.is_valid(text)
    )


def is_rna(text: object) -> bool:
    """W and nine digits, of which the second is a letter in Corsica and overseas."""
    return isinstance(text, str) and _RNA.fullmatch(text) is not None


def is_issuer_code(text: object) -> bool:
    """A SIREN, or an RNA where there is none."""
    return is_siren(text) or is_rna(text)


def parse_number(text: object) -> ReceiptNumber:
    """Return the number of its one writing. Raises InvalidReceiptNumber."""
    shown = text[:40].encode(errors="backslashreplace").decode() if isinstance(text, str) else type(text).__name__
    found = _SHAPE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise InvalidReceiptNumber(number=shown, reason="written FD-<SIREN>-<year>-<000001>")
    issuer, year, sequence = found.groups()
    number = ReceiptNumber(issuer=issuer, year=int(year), sequence=int(sequence))
    if str(number) != text:
        raise InvalidReceiptNumber(number=shown, reason="zeros beyond six digits")
    return number


def first_number(issuer: str, year: int) -> ReceiptNumber:
    """Return the number of the first receipt of a fiscal year. Raises InvalidReceiptNumber."""
    return ReceiptNumber(issuer=issuer, year=year, sequence=1)


def next_number(number: ReceiptNumber) -> ReceiptNumber:
    """Return the number that follows in the same fiscal year. Raises InvalidReceiptNumber after the last."""
    return ReceiptNumber(issuer=number.issuer, year=number.year, sequence=number.sequence + 1)
