"""Bodies that carry projects, and whether the law lets a fund pay them. Pure.

A redistributing endowment fund that pays one body which is not eligible loses its own regime: so this is a gate, not a
note. A bearer is a body with a registry number (SIREN or RNA), a legal category of the dated table, and proofs that
hold on the day. A company or a person is none, whatever proof it shows.
Sources: CGI art. 200 and 238 bis; shared design, DOMAIN.md 0.1, 0.2, 5; parameters/legal_categories.toml.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NewType

from stdnum import iban as stdnum_iban
from stdnum.exceptions import ValidationError
from stdnum.fr import siren as stdnum_siren

from node.governance.days import format_day, read_day
from node.governance.errors import (
    BearerIsCompany,
    BearerIsPerson,
    CategoryNotEligible,
    EligibilityNotProven,
    InvalidBearer,
    InvalidProof,
)
from node.governance.texts import is_line, show_value
from protocol.identifiers import Id16, require_id

Registry = NewType("Registry", str)

NAME_MAX: Final = 120
HOLDER_MAX: Final = 70  # what banks carry
DIGEST_BYTES: Final = 32
_RNA: Final = re.compile(r"W[0-9][0-9A-Z][0-9]{7}", re.ASCII)  # a letter in Corsica and overseas: W2A…, W9R… [R]
_CATEGORY: Final = re.compile(r"[0-9]{4}", re.ASCII)
_SPACES: Final = re.compile(r"[\s.\-]")
_LETTERS_AND_DIGITS: Final = re.compile(r"[A-Z0-9]{15,34}", re.ASCII)
_WRITTEN_MAX: Final = 50


class ProofKind(StrEnum):
    """What a proof of eligibility is."""

    STATUTES = "statutes"  # with the declaration, or the act that made the body
    DECLARATION = "declaration"  # the body's own, that it may receive gifts
    RULING = "ruling"  # the tax office's answer (rescrit, LPF L. 80 C)


class Verdict(StrEnum):
    """What a legal category is, for the gate."""

    ELIGIBLE = "eligible"
    COMPANY = "company"
    PERSON = "person"
    NOT_ELIGIBLE = "not_eligible"


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryRule:
    """The categories that begin with `prefix`; the longest prefix that fits decides. `reason` where it is refused."""

    prefix: str
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityRules:
    """The table in force, and which proofs are asked: one of each set."""

    categories: tuple[CategoryRule, ...]
    proofs: tuple[frozenset[ProofKind], ...]


def require_registry(written: object) -> Registry:
    """Return a SIREN (its check digit is looked at) or an RNA, W and 9 symbols, without spaces. Raises InvalidBearer."""
    text = _SPACES.sub("", written).upper() if isinstance(written, str) and len(written) <= _WRITTEN_MAX else ""
    if _RNA.fullmatch(text):
        return Registry(text)
    try:
        digits = stdnum_siren.validate(text)
    except ValidationError:
        reason = f"{show_value(written)} is neither a SIREN (9 digits, of which the last checks the others) nor W and 9 symbols"
        raise InvalidBearer(field="registry", reason=reason) from None
    if digits == "000000000":
        raise InvalidBearer(field="registry", reason="all zeros is nobody's SIREN")
    return Registry(digits)


def require_iban(written: object) -> str:
    """Return an IBAN without its spaces, its check digits looked at. Raises InvalidBearer."""
    text = _SPACES.sub("", written).upper() if isinstance(written, str) and len(written) <= _WRITTEN_MAX else ""
    try:
        if not _LETTERS_AND_DIGITS.fullmatch(text):
            raise ValidationError
        stdnum_iban.validate(text, check_country=False)
        if text[2:4] != stdnum_iban.calc_check_digits(text):
            raise ValidationError
    except ValidationError:
        raise InvalidBearer(field="iban", reason="length, structure or check digits are wrong") from None
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """A body that carries projects. `category` is the four digits of INSEE's table. Raises InvalidBearer, InvalidId."""

    id: Id16
    registry: Registry
    name: str
    category: str
    holder_name: str  # of the account, as its bank writes it
    iban: str

    def __post_init__(self) -> None:
        require_id(self.id)
        if require_registry(self.registry) != self.registry:
            raise InvalidBearer(field="registry", reason="kept without spaces")
        if not _CATEGORY.fullmatch(self.category):
            raise InvalidBearer(field="category", reason="the four digits of the legal category")
        if require_iban(self.iban) != self.iban:
            raise InvalidBearer(field="iban", reason="kept without spaces")
        for field, length_max in (("name", NAME_MAX), ("holder_name", HOLDER_MAX)):
            if not is_line(getattr(self, field), length_max):
                raise InvalidBearer(field=field, reason=f"one line of 1 to {length_max} symbols")

    @property
    def country(self) -> str:
        return self.iban[:2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proof of eligibility: its file's SHA-256, its day, and the last day on which it holds. Raises InvalidProof."""

    id: Id16
    bearer: Id16
    kind: ProofKind
    digest: bytes
    issued_on: int
    valid_until: int

    def __post_init__(self) -> None:
        require_id(self.id)
        if len(self.digest) != DIGEST_BYTES:
            raise InvalidProof(field="digest", reason="the SHA-256 of the file")
        for day in (self.issued_on, self.valid_until):
            read_day(day)
        if self.valid_until < self.issued_on:
            raise InvalidProof(field="valid_until", reason="it would end before it begins")


def find_rule(category: str, rules: Sequence[CategoryRule]) -> CategoryRule:
    """Return the rule of a legal category: the one with the longest prefix."""
    fitting = [rule for rule in rules if category.startswith(rule.prefix)]
    unknown = CategoryRule(prefix="", verdict=Verdict.NOT_ELIGIBLE, reason="a category that the table does not name")
    return max(fitting, key=lambda rule: len(rule.prefix), default=unknown)


def require_category(registry: str, category: str, rules: EligibilityRules) -> None:
    """Let through what the table lets a fund pay. Raises BearerIsCompany, BearerIsPerson, CategoryNotEligible."""
    rule = find_rule(category, rules.categories)
    if rule.verdict is Verdict.COMPANY:
        raise BearerIsCompany(bearer=registry, category=category)
    if rule.verdict is Verdict.PERSON:
        raise BearerIsPerson(bearer=registry, category=category)
    if rule.verdict is not Verdict.ELIGIBLE:
        raise CategoryNotEligible(bearer=registry, category=category, reason=rule.reason)


def require_eligible(bearer: Bearer, proofs: Iterable[Proof], rules: EligibilityRules, on: int) -> Proof:
    """Return the proof that runs out first of those that let a fund pay this bearer on that day.

    Of each set of kinds that is asked, the proof that holds longest counts.
    Raises BearerIsCompany, BearerIsPerson, CategoryNotEligible, EligibilityNotProven.
    """
    require_category(bearer.registry, bearer.category, rules)
    holding = [proof for proof in proofs if proof.issued_on <= on <= proof.valid_until]
    counted: list[Proof] = []
    for kinds in rules.proofs:
        fitting = [proof for proof in holding if proof.kind in kinds]
        if not fitting:
            asked = " or ".join(sorted(kinds))
            raise EligibilityNotProven(bearer=bearer.registry, reason=f"{asked}: none that holds on {format_day(on)}")
        counted.append(max(fitting, key=lambda proof: (proof.valid_until, proof.id)))
    return min(counted, key=lambda proof: (proof.valid_until, proof.id))
