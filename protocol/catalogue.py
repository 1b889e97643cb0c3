"""A territory's catalogue: its open projects, for holders in other territories to choose among. Pure.

It is what everybody may read at home, in one signed piece: by it somebody in Lille finds a project in Brest and directs
rights to its address. The projects' base signs it with the key that the territory's card names (`territory_card`); a
catalogue has a rising number and replaces every one before it. Support stands in it as it was on its day.
Source: SPEC.md, "Cards and catalogues"; docs/decisions/0025.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import date
from enum import IntEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from protocol.canonical import decode_typed, encode_typed, prepare
from protocol.errors import Malformed, NotCanonical, Refusal
from protocol.identifiers import require_number
from protocol.keys import Domain, PublicKeys, SecretKeys, is_signed, sign
from protocol.messages import Amount, KeyName, Party, Signature
from protocol.territory_card import Day, Number, is_shown_line
from protocol.times import read_day

CATALOGUE_VERSION: Final = 1
PROJECTS_MAX: Final = 256
CATALOGUE_BODY_BYTES_MAX: Final = 196_480
CATALOGUE_BYTES_MAX: Final = 196_608

Microdegrees = Annotated[int, Meta(ge=-180_000_000, le=180_000_000)]


class CatalogueRefused(Refusal):
    """A catalogue that cannot be believed. Facts: territory, reason."""

    code = "catalogue_refused"


class Urgency(IntEnum):
    """How soon a project needs what it asks for."""

    CALM = 0
    SEASON = 1
    WEEKS = 2
    DAYS = 3


# Whole days until the need-by day, up to which it is so urgent.
_DAYS_LEFT: Final = ((14, Urgency.DAYS), (45, Urgency.WEEKS), (120, Urgency.SEASON))


class ListedProject(Struct, frozen=True, array_like=True):
    """One open project. `number` is its account: with the territory, the address that rights are directed to.

    Sums are cents, `need_by` its last day, `commune` INSEE's code and `place` a name beside it, perhaps empty.
    `latitude` and `longitude` are microdegrees; None where nobody said where it is.
    """

    number: Annotated[str, Meta(min_length=8, max_length=8)]
    title: Annotated[str, Meta(min_length=1, max_length=80)]
    place: Annotated[str, Meta(max_length=80)]
    commune: Annotated[str, Meta(max_length=12)]
    theme: Annotated[str, Meta(max_length=40)]
    target: Amount
    minimum: Amount
    support: Annotated[int, Meta(ge=0, le=10**15)]
    need_by: Day
    urgency: Annotated[int, Meta(ge=0, le=3)]
    latitude: Microdegrees | None
    longitude: Microdegrees | None


class Catalogue(Struct, frozen=True, array_like=True):
    """The open projects of a territory on a day, by account number."""

    version: Annotated[int, Meta(ge=1, le=2**16)]
    territory: Party
    number: Number
    day: Day
    projects: Annotated[tuple[ListedProject, ...], Meta(max_length=PROJECTS_MAX)]


class SignedCatalogue(Struct, frozen=True, array_like=True):
    """The bytes of a catalogue, and the projects' base's signature of them."""

    body: Annotated[bytes, Meta(min_length=1, max_length=CATALOGUE_BODY_BYTES_MAX)]
    key: KeyName
    signature: Signature


def compute_urgency(today: date, need_by: int) -> Urgency:
    """Return how urgent a project is on a day. Raises InvalidTime."""
    left = (read_day(need_by) - today).days
    return next((urgency for days, urgency in _DAYS_LEFT if left <= days), Urgency.CALM)


def fold_text(text: str) -> str:
    """Return a text as it is searched: without accents and capitals."""
    parted = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(symbol for symbol in parted if not unicodedata.combining(symbol)).split())


def sign_catalogue(catalogue: Catalogue, keys: SecretKeys) -> bytes:
    """Return the catalogue with the signature of the projects' base, as bytes."""
    body = encode_typed(catalogue)
    return encode_typed(SignedCatalogue(body, keys.public.id, sign(keys, Domain.CATALOGUE, body)))


def open_catalogue(data: bytes) -> tuple[SignedCatalogue, Catalogue]:
    """Return a catalogue that nobody has verified yet. Raises CatalogueRefused."""
    try:
        signed = decode_typed(data, SignedCatalogue, size_max=CATALOGUE_BYTES_MAX)
        return signed, decode_typed(signed.body, Catalogue, size_max=CATALOGUE_BODY_BYTES_MAX)
    except NotCanonical:
        raise CatalogueRefused(territory="-", reason="unreadable") from None


def verify_catalogue(data: bytes, projects: Sequence[PublicKeys], territory: str) -> Catalogue:
    """Return the catalogue if one of these keys of that territory's projects signed it. Raises CatalogueRefused."""
    signed, catalogue = open_catalogue(data)

    def refuse(reason: str) -> CatalogueRefused:
        return CatalogueRefused(territory=territory, reason=reason)

    key = next((one for one in projects if one.id == signed.key), None)
    if key is None or not is_signed(key.signing, Domain.CATALOGUE, signed.body, signed.signature):
        raise refuse("not signed by the projects' base that its card names")
    if catalogue.version != CATALOGUE_VERSION:
        raise refuse(f"catalogue version {catalogue.version} is not spoken here")
    if catalogue.territory != territory:
        raise refuse("a catalogue of another territory")
    numbers = [one.number for one in catalogue.projects]
    if numbers != sorted(set(numbers)):
        raise refuse("projects stand by account number, each once")
    for one in catalogue.projects:
        try:
            _require_listed(one)
        except Malformed as error:
            raise refuse(f"project {one.number}: {error.facts.get('reason', error.code)}"[:160]) from None
    return catalogue


def _require_listed(one: ListedProject) -> None:
    require_number(one.number)
    read_day(one.need_by)
    if not all(map(is_shown_line, (one.title, one.place, one.commune, one.theme))):
        raise Malformed(reason="a text holds what is no text")
    if one.minimum > one.target:
        raise Malformed(reason="its minimum is more than its target")
    if (one.latitude is None) != (one.longitude is None) or abs(one.latitude or 0) > 90_000_000:
        raise Malformed(reason="a place that is none")


prepare(SignedCatalogue, Catalogue)
