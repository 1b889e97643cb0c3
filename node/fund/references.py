"""What names a payment and an account: RF references, IBAN, BIC, EndToEndId, and the letters that banks carry. Pure.

An RF reference is ours: made from a number, it comes back with the company's transfer and says which payment it is.
Source: ISO 11649, ISO 13616, ISO 9362, EPC217-08 (character set) [R].
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Final, NewType

from stdnum import bic as stdnum_bic
from stdnum import iban as stdnum_iban
from stdnum import iso11649
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_97_10

from node.fund.bank_errors import (
    InvalidBic,
    InvalidEndToEndId,
    InvalidIban,
    InvalidPaymentText,
    InvalidReference,
)

Reference = NewType("Reference", str)
Iban = NewType("Iban", str)
Bic = NewType("Bic", str)
EndToEndId = NewType("EndToEndId", str)

REFERENCE_DIGITS: Final = 12
REFERENCE_NUMBER_MAX: Final = 10**REFERENCE_DIGITS - 1
NOT_PROVIDED: Final = "NOTPROVIDED"  # what banks write where the payer gave no EndToEndId
NAME_MAX: Final = 70
TEXT_MAX: Final = 140
ID_MAX: Final = 35

_SEPARATORS: Final = re.compile(r"[\s\-.]")
_LETTERS_AND_DIGITS: Final = re.compile(r"[A-Z0-9]+")
_RF_WORDS: Final = re.compile(r"(?<![A-Z0-9])RF((?:[ \-.]?[0-9]){14})(?![0-9])")
_ID: Final = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]{1,35}")
_SEPA: Final = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]*")
# What has no accent to lose and yet a usual way to be written in the letters of all banks.
_REWRITTEN: Final = str.maketrans(
    {
        **{"&": "+", "€": "EUR", "œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "ø": "o", "Ø": "O"},
        **{"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "TH", "ı": "i"},
        **{"’": "'", "‘": "'", "ʼ": "'", "`": "'", "“": "'", "”": "'", '"': "'", "«": "'", "»": "'"},
        **{"–": "-", "—": "-", "‑": "-", "_": "-", "@": "(at)", ";": ",", "°": "o", "№": "No", "…": "..."},
    }
)


# ---------------------------------------------------------------- RF


def make_reference(number: int) -> Reference:
    """Return the RF reference of a number from 1 to REFERENCE_NUMBER_MAX. Raises ValueError."""
    if not 1 <= number <= REFERENCE_NUMBER_MAX:
        raise ValueError(f"an RF reference is made from 1 to {REFERENCE_NUMBER_MAX}")
    digits = f"{number:0{REFERENCE_DIGITS}d}"
    return Reference(f"RF{mod_97_10.calc_check_digits(digits + 'RF')}{digits}")


def require_reference(text: str) -> Reference:
    """Return an RF reference without its spaces, ours or another's. Raises InvalidReference."""
    compact = _SEPARATORS.sub("", text).upper()
    if not _LETTERS_AND_DIGITS.fullmatch(compact):
        raise InvalidReference(reference=_show(text), reason="letters, digits and spaces only")
    try:
        iso11649.validate(compact)
    except ValidationError:
        raise InvalidReference(reference=_show(text), reason="length or check digits are wrong") from None
    # 97 apart, two pairs of digits pass the check; only one of them is what the standard computes.
    if compact[2:4] != mod_97_10.calc_check_digits(compact[4:] + "RF"):
        raise InvalidReference(reference=_show(text), reason="length or check digits are wrong")
    return Reference(compact)


def number_of(reference: Reference) -> int | None:
    """Return the number a reference of ours was made from; None if another body made it."""
    digits = reference[4:]
    ours = len(digits) == REFERENCE_DIGITS and digits.isascii() and digits.isdigit()
    return int(digits) if ours and int(digits) else None


def find_references(text: str) -> tuple[Reference, ...]:
    """Return the valid references of ours written in a free text, spaces or not, each once, in order."""
    found: dict[Reference, None] = {}
    for match in _RF_WORDS.finditer(text.upper()):
        try:
            found[require_reference(match.group())] = None
        except InvalidReference:
            continue
    return tuple(found)


# ---------------------------------------------------------------- accounts


def require_iban(text: str) -> Iban:
    """Return an IBAN without its spaces. Raises InvalidIban."""
    compact = _SEPARATORS.sub("", text).upper()
    if not _LETTERS_AND_DIGITS.fullmatch(compact):
        raise InvalidIban(iban=_show(text), reason="letters, digits and spaces only")
    try:
        # Not its own checks of a country: the Belgian one knows the banks of one day, and refuses a bank founded since.
        stdnum_iban.validate(compact, check_country=False)
    except ValidationError:
        raise InvalidIban(iban=_show(text), reason="length, structure or check digits are wrong") from None
    if compact[2:4] != stdnum_iban.calc_check_digits(compact):
        raise InvalidIban(iban=_show(text), reason="length, structure or check digits are wrong")
    return Iban(compact)


def require_sepa_iban(text: str, countries: Collection[str]) -> Iban:
    """Return an IBAN of one of the SEPA countries (two letters each). Raises InvalidIban."""
    iban = require_iban(text)
    if iban[:2] not in countries:
        raise InvalidIban(iban=iban, reason="its country is outside SEPA")
    return iban


def require_bic(text: str) -> Bic:
    """Return a BIC of 8 or 11 characters. Raises InvalidBic."""
    compact = _SEPARATORS.sub("", text).upper()
    if not _LETTERS_AND_DIGITS.fullmatch(compact):
        raise InvalidBic(bic=_show(text), reason="letters and digits only")
    try:
        return Bic(stdnum_bic.validate(compact))
    except ValidationError:
        raise InvalidBic(bic=_show(text), reason="8 or 11 characters, of which a country") from None


# ---------------------------------------------------------------- ids and letters


def require_end_to_end_id(text: str) -> EndToEndId:
    """Return an EndToEndId that every bank carries unchanged. Raises InvalidEndToEndId."""
    if not _ID.fullmatch(text):
        raise InvalidEndToEndId(id=_show(text), reason="1 to 35 letters, digits and / - ? : ( ) . , ' +")
    if text != text.strip() or text.startswith("/") or text.endswith("/") or "//" in text:
        raise InvalidEndToEndId(id=text, reason="no space or slash at its ends, no two slashes")
    if text.upper() == NOT_PROVIDED:
        raise InvalidEndToEndId(id=text, reason="banks write it where there is none")
    return EndToEndId(text)


def write_for_banks(text: str, *, field: str, length_max: int) -> str:
    """Return a text in the letters that every SEPA bank carries: é becomes e, & becomes +, € becomes EUR.

    Nothing is cut and nothing is dropped in silence: a cut name is another name for the payee check.
    Raises InvalidPaymentText on a letter without a usual rewriting, on an empty text, and on one too long.
    """
    parted = unicodedata.normalize("NFKD", text.translate(_REWRITTEN)).translate(_REWRITTEN)
    written = " ".join("".join(letter for letter in parted if not unicodedata.combining(letter)).split())
    if not _SEPA.fullmatch(written):
        strange = next(letter for letter in written if not _SEPA.fullmatch(letter))
        raise InvalidPaymentText(field=field, reason=f"banks do not carry U+{ord(strange):04X}")
    if not written:
        raise InvalidPaymentText(field=field, reason="it is empty")
    if len(written) > length_max:
        raise InvalidPaymentText(field=field, reason=f"more than {length_max} characters")
    if written.startswith("/") or written.endswith("/") or "//" in written:
        raise InvalidPaymentText(field=field, reason="no slash at its ends, no two slashes")
    return written


def _show(text: str) -> str:
    return text[:40].encode(errors="backslashreplace").decode()
