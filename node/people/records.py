"""Who somebody is, as the law asks it: a civil record, and the ways in which it is found again. Pure.

All but the name may be empty. What is looked up is normalised first, so that a capital, an accent or a space in a
telephone number hides nobody: `list_lookups` says which digests a record has.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from node.people.days import require_day
from node.people.errors import InvalidPerson
from protocol.canonical import decode_typed, encode_typed, prepare

RECORD_BYTES_MAX: Final = 4_096
_LENGTHS: Final = {"name": 120, "address": 300, "email": 254, "telephone": 32}
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]+")
_TELEPHONE: Final = re.compile(r"\+?[0-9]{6,15}", re.ASCII)
_COUNTRY: Final = "+33"


class PersonKind(StrEnum):
    """One person, those who live together, or those who act together."""

    PERSON = "person"
    HOUSEHOLD = "household"
    GROUP = "group"


class PersonState(StrEnum):
    """`erased`: what said who it was is destroyed; the id stays, and leads to nobody."""

    ACTIVE = "active"
    ERASED = "erased"


class LookupKind(StrEnum):
    """What somebody is found by."""

    EMAIL = "email"
    TELEPHONE = "telephone"
    NAME_AND_BIRTH = "name_and_birth"


class CivilRecord(Struct, frozen=True, array_like=True):
    """`birth_date` is yyyymmdd, or 0."""

    name: Annotated[str, Meta(min_length=1, max_length=120)]
    birth_date: Annotated[int, Meta(ge=0, le=99991231)] = 0
    address: Annotated[str, Meta(max_length=300)] = ""
    email: Annotated[str, Meta(max_length=254)] = ""
    telephone: Annotated[str, Meta(max_length=32)] = ""


def make_record(
    *, name: str, birth_date: int = 0, address: str = "", email: str = "", telephone: str = ""
) -> CivilRecord:
    """Return the record of what was typed, tidied. Raises InvalidPerson, InvalidTime."""
    told = {
        field: _tidy(field, text)
        for field, text in (("name", name), ("address", address), ("email", email), ("telephone", telephone))
    }
    if not told["name"]:
        raise InvalidPerson(field="name", reason="it is missing")
    if birth_date:
        require_day(birth_date, "birth_date")
    if told["email"] and _EMAIL.fullmatch(told["email"]) is None:
        raise InvalidPerson(field="email", reason="written name@domain.tld")
    if told["telephone"] and _TELEPHONE.fullmatch(normalise_telephone(told["telephone"])) is None:
        raise InvalidPerson(field="telephone", reason="6 to 15 digits, with + before a country")
    return CivilRecord(birth_date=birth_date, **told)


def _tidy(field: str, text: str) -> str:
    tidied = " ".join(unicodedata.normalize("NFC", text).split())
    if len(tidied) > _LENGTHS[field]:
        raise InvalidPerson(field=field, reason=f"more than {_LENGTHS[field]} characters")
    if not tidied.isprintable():
        raise InvalidPerson(field=field, reason="holds characters that are not text")
    return tidied


def encode_record(record: CivilRecord) -> bytes:
    return encode_typed(record)


def decode_record(data: bytes) -> CivilRecord:
    """Raises NotCanonical."""
    return decode_typed(data, CivilRecord, size_max=RECORD_BYTES_MAX)


def normalise_email(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()


def normalise_telephone(text: str) -> str:
    """Return digits after a country: 02 98 00 00 00 and 0033 2 98 00 00 00 are +33298000000."""
    kept = re.sub(r"[\s().\-/\u2010-\u2013]", "", text)
    if kept.startswith("00"):
        return f"+{kept[2:]}"
    return _COUNTRY + kept[1:] if kept.startswith("0") and len(kept) == 10 else kept


def normalise_name(text: str) -> str:
    """Return letters without accents or case, words in the order of the alphabet: surnames come first or last."""
    apart = unicodedata.normalize("NFKD", text).casefold()
    letters = "".join(symbol if symbol.isalnum() else " " for symbol in apart if not unicodedata.combining(symbol))
    return " ".join(sorted(letters.split()))


def normalise(kind: LookupKind, text: str, birth_date: int = 0) -> str:
    """Return what is digested to find somebody."""
    match kind:
        case LookupKind.EMAIL:
            return normalise_email(text)
        case LookupKind.TELEPHONE:
            return normalise_telephone(text)
        case LookupKind.NAME_AND_BIRTH:
            return f"{birth_date:08d} {normalise_name(text)}"


def list_lookups(record: CivilRecord) -> list[tuple[LookupKind, str]]:
    """Return what a record is found by: a name alone finds nobody, as too many share one."""
    found: list[tuple[LookupKind, str]] = []
    if record.email:
        found.append((LookupKind.EMAIL, normalise(LookupKind.EMAIL, record.email)))
    if record.telephone:
        found.append((LookupKind.TELEPHONE, normalise(LookupKind.TELEPHONE, record.telephone)))
    if record.birth_date:
        found.append((LookupKind.NAME_AND_BIRTH, normalise(LookupKind.NAME_AND_BIRTH, record.name, record.birth_date)))
    return found


prepare(CivilRecord)
