"""What anybody may ask of a credential or a picture that is shown: is it genuine, of whom, and does it still count? Pure.

A ladder: size, shape, proof, issuer, picture, dates, status. Nothing is fetched: the keys of the issuers that are known and
the status lists are arguments. A genuine credential of an issuer that is not known here is refused as such.
Source: Open Badges 3.0, 8 (verification); Bitstring Status List 1.0, 3.2.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from node.governance.passes.canonical_json import Document, decode_json
from node.governance.passes.credentials import CONTEXTS, PNG, SVG, TYPES, digest_of
from node.governance.passes.data_integrity import verify_proof
from node.governance.passes.errors import InvalidCredential, IssuerUnknown, PictureAltered
from node.governance.passes.png_baking import is_png, unbake_png
from node.governance.passes.status_lists import StatusPurpose, decode_list, is_set
from node.governance.passes.svg_baking import unbake_svg
from node.governance.passes.times import read_time
from node.governance.passes.web_tokens import verify_token
from protocol.times import Instant

ENTRIES_MAX: Final = 4
_LIST_TYPES: Final = ("VerifiableCredential", "BitstringStatusListCredential")

KnownIssuers = Mapping[str, Collection[bytes]]
"""The issuers that are trusted here, by DID, and the public keys that speak for each."""


class Standing(StrEnum):
    GOOD = "good"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    UNKNOWN = "unknown"  # a list that it names is missing, or out of date


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPlace:
    purpose: StatusPurpose
    list: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Genuine:
    """A credential whose proof holds, by an issuer that is known. The document is without proof and claims."""

    document: Document
    issuer: str
    id: str
    valid_from: Instant
    valid_until: Instant | None
    places: tuple[StatusPlace, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GenuineList:
    """A status list whose proof holds."""

    id: str
    issuer: str
    purpose: StatusPurpose
    bits: bytes
    valid_from: Instant
    valid_until: Instant | None


def verify_credential(text: str, known: KnownIssuers) -> Genuine:
    """Return what is said, in JSON or as a token, if it is genuine.

    Raises InvalidCredential, CredentialForged, IssuerUnknown.
    """
    document, issuer = _verify(text, known)
    if document.get("@context") != list(CONTEXTS) or document.get("type") != list(TYPES):
        raise InvalidCredential(reason="not an Open Badge 3.0 as passes are")
    if not isinstance(document.get("credentialSubject"), dict):
        raise InvalidCredential(reason="it is about nobody")
    return Genuine(
        document=document,
        issuer=issuer,
        id=_text(document, "id"),
        valid_from=read_time(document.get("validFrom")),
        valid_until=_until(document),
        places=_places(document.get("credentialStatus")),
    )


def verify_picture(picture: bytes, known: KnownIssuers) -> Genuine:
    """Return what a baked PNG or SVG says, if credential and picture are those that were issued.

    Raises InvalidBadge, PictureAltered, and as `verify_credential`.
    """
    kind = PNG if is_png(picture) else SVG
    plain, credential = unbake_png(picture) if kind == PNG else unbake_svg(picture)
    genuine = verify_credential(credential, known)
    resources = genuine.document.get("relatedResource")
    bound = {
        one.get("digestSRI")
        for one in (resources if isinstance(resources, list) else [])
        if isinstance(one, dict) and one.get("mediaType") == kind
    }
    if digest_of(plain) not in bound:
        raise PictureAltered(reason="this credential was not issued in this picture")
    return genuine


def verify_list(text: str, known: KnownIssuers) -> GenuineList:
    """Return a status list, if it is genuine. Raises InvalidCredential, CredentialForged, IssuerUnknown."""
    document, issuer = _verify(text, known)
    subject = document.get("credentialSubject")
    if document.get("type") != list(_LIST_TYPES) or not isinstance(subject, dict):
        raise InvalidCredential(reason="not a status list")
    return GenuineList(
        id=_text(document, "id"),
        issuer=issuer,
        purpose=_purpose(subject),
        bits=decode_list(subject.get("encodedList")),
        valid_from=read_time(document.get("validFrom")),
        valid_until=_until(document),
    )


def judge(genuine: Genuine, lists: Mapping[str, GenuineList], *, now: Instant) -> Standing:
    """Return where a genuine credential stands. `lists` are by their id.

    A list counts only if it is of the same issuer and of today; revoked is told before anything else.
    """
    standing = Standing.GOOD
    for place in genuine.places:
        found = lists.get(place.list)
        if found is None or not _counts(found, genuine, place, now):
            standing = Standing.UNKNOWN if standing is Standing.GOOD else standing
        elif is_set(found.bits, place.index):
            if place.purpose is StatusPurpose.REVOCATION:
                return Standing.REVOKED
            standing = Standing.SUSPENDED
    if now < genuine.valid_from:
        return Standing.NOT_YET
    if genuine.valid_until is not None and now > genuine.valid_until:
        return Standing.EXPIRED
    return standing


def _counts(found: GenuineList, genuine: Genuine, place: StatusPlace, now: Instant) -> bool:
    is_of_both = (found.id, found.issuer, found.purpose) == (place.list, genuine.issuer, place.purpose)
    return is_of_both and found.valid_from <= now and (found.valid_until is None or now <= found.valid_until)


def _verify(text: str, known: KnownIssuers) -> tuple[Document, str]:
    shown = text.strip()
    document, did, public = verify_proof(decode_json(shown)) if shown.startswith("{") else verify_token(shown)
    issuer = document.get("issuer")
    named = issuer.get("id") if isinstance(issuer, dict) else issuer
    # A key speaks for its own DID only, and only while that DID's document lists it.
    if named != did or public not in known.get(did, ()):
        raise IssuerUnknown(issuer=did)
    return document, did


def _places(entries: object) -> tuple[StatusPlace, ...]:
    if not isinstance(entries, list) or not 1 <= len(entries) <= ENTRIES_MAX:
        raise InvalidCredential(reason=f"1 to {ENTRIES_MAX} places in status lists")
    return tuple(_place(entry) for entry in entries)


def _place(entry: Any) -> StatusPlace:
    if not isinstance(entry, dict) or entry.get("type") != "BitstringStatusListEntry" or "statusSize" in entry:
        raise InvalidCredential(reason="not a place in a status list")
    index = entry.get("statusListIndex")
    if not isinstance(index, str) or not index.isascii() or not index.isdecimal() or len(index) > 6:
        raise InvalidCredential(reason="not a place in a status list")
    return StatusPlace(purpose=_purpose(entry), list=_text(entry, "statusListCredential"), index=int(index))


def _purpose(said: Document) -> StatusPurpose:
    for purpose in StatusPurpose:
        if said.get("statusPurpose") == purpose:
            return purpose
    raise InvalidCredential(reason="a status list of another purpose")


def _until(document: Document) -> Instant | None:
    return read_time(document["validUntil"]) if "validUntil" in document else None


def _text(said: Document, name: str) -> str:
    text = said.get(name)
    if not isinstance(text, str) or not text:
        raise InvalidCredential(reason=f"{name} is missing")
    return text
