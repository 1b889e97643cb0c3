"""Companies that give, the groups they belong to, and what the public sees of them. Pure.

A company is known by its SIREN. It never funds itself or its group: that would be a gift without a donor. Groups are
declared as sets of companies; one that stands in two of them joins both, so that a holding cannot be hidden by
declaring its halves apart.
Sources: CGI art. 238 bis; shared design, DOMAIN.md 1.1 "Miles and intention libérale" (iii).
"""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NewType

from stdnum.exceptions import ValidationError
from stdnum.fr import siren as stdnum_siren

from node.partners.errors import InvalidCompany, InvalidFiscalYear, InvalidSiren, OwnGroup
from protocol.amounts import Cents, require_balance
from protocol.identifiers import Id16, require_id

Siren = NewType("Siren", str)

NAME_MAX: Final = 140
FORM_MAX: Final = 60
LINE_MAX: Final = 100
FRANCE: Final = "FR"
_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)
_FRENCH_POSTCODE: Final = re.compile(r"[0-9]{5}", re.ASCII)
_SIREN_WRITTEN_MAX: Final = 20
_LEAP_YEAR: Final = 2000


def require_siren(written: object) -> Siren:
    """Return the 9 digits of a SIREN, written with or without spaces or full stops. Raises InvalidSiren."""
    if not isinstance(written, str) or len(written) > _SIREN_WRITTEN_MAX:
        raise InvalidSiren(siren=_show(written), reason="a SIREN is 9 digits")
    try:
        digits = stdnum_siren.validate(written)
    except ValidationError as error:
        raise InvalidSiren(siren=_show(written), reason=_why(error)) from None
    if digits == "000000000":
        raise InvalidSiren(siren=digits, reason="all zeros is nobody's SIREN")
    return Siren(digits)


def _why(error: ValidationError) -> str:
    if type(error).__name__ == "InvalidChecksum":
        return "its own check digit is wrong: a digit is wrong or two are swapped"
    return "a SIREN is 9 digits"


def _show(value: object) -> str:
    return value[:40].encode(errors="backslashreplace").decode() if isinstance(value, str) else type(value).__name__


def is_line(text: object, length_max: int) -> bool:
    """Tell whether a text is one line that can be printed: neither empty, padded, too long nor of control symbols."""
    return isinstance(text, str) and 0 < len(text) <= length_max and text == text.strip() and text.isprintable()


@dataclass(frozen=True, slots=True, kw_only=True)
class PostalAddress:
    """An address in the parts that receipts and banks ask for. Raises InvalidCompany."""

    street: str  # number and street
    postcode: str
    city: str
    country: str = FRANCE

    def __post_init__(self) -> None:
        if not _COUNTRY.fullmatch(self.country):
            raise InvalidCompany(field="country", reason="two capital letters, as FR")
        if self.country == FRANCE and not _FRENCH_POSTCODE.fullmatch(self.postcode):
            raise InvalidCompany(field="postcode", reason="five digits in France")
        for field, text, length_max in (
            ("street", self.street, LINE_MAX),
            ("postcode", self.postcode, 16),
            ("city", self.city, LINE_MAX),
        ):
            if not is_line(text, length_max):
                raise InvalidCompany(field=field, reason=f"one line of 1 to {length_max} symbols")


@dataclass(frozen=True, slots=True, kw_only=True)
class YearEnd:
    """The day on which a company's fiscal years end. Raises InvalidFiscalYear.

    29 February means the last day of February: the 28th in most years.
    """

    month: int
    day: int

    def __post_init__(self) -> None:
        if type(self.month) is not int or type(self.day) is not int or not 1 <= self.month <= 12:
            raise InvalidFiscalYear(field="year_end", reason="a month is 1 to 12")
        if not 1 <= self.day <= calendar.monthrange(_LEAP_YEAR, self.month)[1]:
            raise InvalidFiscalYear(field="year_end", reason="no such day in this month")

    def on(self, year: int) -> datetime.date:
        """The day in that calendar year."""
        return datetime.date(year, self.month, min(self.day, calendar.monthrange(year, self.month)[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A company as it declares itself; `name` is its legal one. Raises InvalidSiren or InvalidCompany."""

    siren: Siren
    legal_form: str  # as receipts print it: SAS, SARL, EI, ...
    name: str
    address: PostalAddress
    year_end: YearEnd

    def __post_init__(self) -> None:
        if require_siren(self.siren) != self.siren:
            raise InvalidSiren(siren=_show(self.siren), reason="kept as 9 digits without spaces")
        if not is_line(self.name, NAME_MAX):
            raise InvalidCompany(field="name", reason=f"one line of 1 to {NAME_MAX} symbols")
        if not is_line(self.legal_form, FORM_MAX):
            raise InvalidCompany(field="legal_form", reason=f"one line of 1 to {FORM_MAX} symbols")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyGroup:
    """Companies that stand under one control, as declared. Raises InvalidCompany, InvalidId or InvalidSiren."""

    id: Id16
    name: str
    members: frozenset[Siren]

    def __post_init__(self) -> None:
        require_id(self.id)
        if not is_line(self.name, NAME_MAX):
            raise InvalidCompany(field="group", reason=f"one line of 1 to {NAME_MAX} symbols")
        if not self.members:
            raise InvalidCompany(field="members", reason="a group has at least one company")
        for member in self.members:
            if require_siren(member) != member:
                raise InvalidSiren(siren=_show(member), reason="kept as 9 digits without spaces")


def group_of(company: Siren, groups: Iterable[CompanyGroup]) -> frozenset[Siren]:
    """Return the company and all that share a group with it, directly or through others."""
    found = {company}
    apart = [group.members for group in groups]
    while True:
        joined = [members for members in apart if not found.isdisjoint(members)]
        if not joined:
            return frozenset(found)
        # Before the found ones grow: a group that they reach only now is joined in the next round.
        apart = [members for members in apart if found.isdisjoint(members)]
        found.update(*joined)


def require_not_own(company: Siren, other: str | None, group: frozenset[Siren]) -> None:
    """Let through whom the company may fund: anybody but itself and its group; None is a person. Raises OwnGroup."""
    if other is not None and (other == company or other in group):
        raise OwnGroup(company=company, other=other)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSheet:
    """What anybody may read of a company: no street, no holder, only sums. Cents."""

    siren: Siren
    name: str
    legal_form: str
    city: str
    group: tuple[Siren, ...]  # without the company itself
    campaigns: tuple[str, ...]  # titles of those that run
    paid: Cents  # euros that the fund received
    granted: Cents  # miles given out, less what refunds took back
    oriented: Cents | None  # of these, what citizens have directed to projects; None where the accounts told nothing
    holders: int | None  # who received some; both None where they are too few to be told


def make_public_sheet(
    company: Company,
    *,
    group: frozenset[Siren],
    campaigns: Iterable[str],
    paid: Cents,
    granted: Cents,
    oriented: Cents | None,
    holders: int,
    holders_min: int,
) -> PublicSheet:
    """Return the sheet. With fewer holders than `holders_min`, neither they nor what they oriented are told.

    Raises InvalidAmount; ValueError where more is oriented than granted.
    """
    for cents in (paid, granted, oriented or Cents(0)):
        require_balance(cents)
    if (oriented or 0) > granted or holders < 0:
        raise ValueError("no more can be oriented than was granted, and holders are counted from 0")
    are_enough = holders >= holders_min
    return PublicSheet(
        siren=company.siren,
        name=company.name,
        legal_form=company.legal_form,
        city=company.address.city,
        group=tuple(sorted(group - {company.siren})),
        campaigns=tuple(sorted(campaigns)),
        paid=paid,
        granted=granted,
        oriented=oriented if are_enough else None,
        holders=holders if are_enough else None,
    )
