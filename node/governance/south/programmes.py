"""A South programme and what belongs to it: partners, their proofs, control agreements, budget lines. Pure.

Euros only: a line names the currency that is spent and the rate that was told beside it, and its sum is cents. A partner
is a named body, never a person and never a company. Values are validated when made.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.governance.days import read_day
from node.governance.south.errors import InvalidProgramme
from node.governance.texts import is_line
from protocol.amounts import require_amount
from protocol.identifiers import Id16, require_id

NAME_MAX: Final = 120
WORDS_MAX: Final = 200
REASON_MAX: Final = 200
LINES_MAX: Final = 40
PARTNERS_MAX: Final = 10
DIGEST_BYTES: Final = 32
KEY_BYTES: Final = 8
TERM_YEARS_MAX: Final = 10
RATE_UNIT: Final = 1_000_000  # a rate is millionths of the currency's unit for one euro
RATE_MAX: Final = 10**13
HOME_COUNTRY: Final = "FR"
ABROAD: Final = "99"  # INSEE's codes of countries begin so; those of communes do not
_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)


class PartnerKind(StrEnum):
    """What a partner abroad is."""

    ASSOCIATION = "association"
    FOUNDATION = "foundation"
    PUBLIC = "public"  # a commune, a school, a health centre
    COMMUNITY = "community"  # a village or a people with organs of its own
    INTERNATIONAL = "international"


class Clause(StrEnum):
    """What a control agreement may hold."""

    CONTROL = "control"  # the bearer defines and directs the use
    REPORTING = "reporting"  # the partner reports, line by line
    AUDIT = "audit"  # the bearer, the fund and who they send may look at the books and the place
    RETURN = "return"  # what is not used as agreed goes back


def is_abroad(commune: str) -> bool:
    """Tell whether a sheet's place is a country abroad."""
    return commune.startswith(ABROAD)


def require_country(text: str, field: str = "country") -> str:
    """Return a country's two letters (ISO 3166), other than France. Raises InvalidProgramme."""
    if not _COUNTRY.fullmatch(text) or text == HOME_COUNTRY:
        raise InvalidProgramme(field=field, reason="two letters of a country other than France")
    return text


def _require_line(text: str, field: str, length_max: int) -> None:
    if not is_line(text, length_max):
        raise InvalidProgramme(field=field, reason=f"one line of 1 to {length_max} symbols")


def _require_digest(digest: bytes) -> None:
    if len(digest) != DIGEST_BYTES:
        raise InvalidProgramme(field="digest", reason="the SHA-256 of the file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """The body that does the work there. `registration` is how its own country names it, `key` what it signs reports with.

    `ended_on`: the day from which it is none any more, or 0. Raises InvalidProgramme.
    """

    id: Id16
    name: str
    country: str
    kind: PartnerKind
    registration: str
    key: bytes = b""
    ended_on: int = 0

    def __post_init__(self) -> None:
        require_id(self.id)
        _require_line(self.name, "name", NAME_MAX)
        require_country(self.country)
        _require_line(self.registration, "registration", WORDS_MAX)
        if len(self.key) not in (0, KEY_BYTES):
            raise InvalidProgramme(field="key", reason="16 hexadecimal digits, or nothing")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerProof:
    """What shows that a partner is what it says: its file's SHA-256, its day, and its last day. Raises InvalidProgramme."""

    id: Id16
    partner: Id16
    words: str
    digest: bytes
    issued_on: int
    valid_until: int

    def __post_init__(self) -> None:
        require_id(self.id)
        _require_line(self.words, "words", WORDS_MAX)
        _require_digest(self.digest)
        read_day(self.issued_on)
        read_day(self.valid_until)
        if self.valid_until < self.issued_on:
            raise InvalidProgramme(field="valid_until", reason="it would end before it begins")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """The control agreement between bearer and partner, by the digest of its file. `ended_on` as of a partner.

    Raises InvalidProgramme.
    """

    id: Id16
    partner: Id16
    digest: bytes
    signed_on: int
    from_day: int
    until_day: int
    clauses: frozenset[Clause]
    ended_on: int = 0

    def __post_init__(self) -> None:
        require_id(self.id)
        _require_digest(self.digest)
        for day in (self.signed_on, self.from_day, self.until_day):
            read_day(day)
        if not self.signed_on <= self.until_day:
            raise InvalidProgramme(field="signed_on", reason="it would end before it was signed")
        if not self.from_day <= self.until_day <= self.from_day + TERM_YEARS_MAX * 10_000:
            raise InvalidProgramme(field="until_day", reason=f"a later day, {TERM_YEARS_MAX} years at most")

    @property
    def first_day(self) -> int:
        return max(self.signed_on, self.from_day)

    def is_over(self, today: int) -> bool:
        return today > self.until_day or (self.ended_on > 0 and today >= self.ended_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is spent where: cents, and the currency there with the rate that was told, in millionths of its unit for one euro.

    Raises InvalidProgramme.
    """

    words: str
    country: str
    currency: str
    rate: int
    cents: int

    def __post_init__(self) -> None:
        _require_line(self.words, "words", WORDS_MAX)
        if not _COUNTRY.fullmatch(self.country):
            raise InvalidProgramme(field="country", reason="two letters")
        if not _CURRENCY.fullmatch(self.currency):
            raise InvalidProgramme(field="currency", reason="three letters (ISO 4217)")
        if not 0 < self.rate <= RATE_MAX:
            raise InvalidProgramme(field="rate", reason="millionths of the currency's unit for one euro, above zero")
        if self.currency == "EUR" and self.rate != RATE_UNIT:
            raise InvalidProgramme(field="rate", reason="a euro is a euro")
        require_amount(self.cents)


def require_lines(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Return a budget. Raises InvalidProgramme."""
    if not 0 < len(lines) <= LINES_MAX:
        raise InvalidProgramme(field="lines", reason=f"1 to {LINES_MAX} lines")
    return tuple(lines)


def write_clauses(clauses: frozenset[Clause]) -> str:
    return ",".join(sorted(clauses))


def read_clauses(text: str) -> frozenset[Clause]:
    """Return the clauses of such a text. Raises InvalidProgramme."""
    try:
        return frozenset(Clause(word.strip()) for word in text.split(",") if word.strip())
    except ValueError:
        raise InvalidProgramme(field="clauses", reason=f"words among {', '.join(Clause)}") from None
