"""What auditors sign, and what this base signs for them: canonical bytes, each kind with a head of its own. Pure.

A signature is of the whole text, head included, for the domain `audit`. An auditor's key never signs what looks like a
mission, nor the base's a report: who reads says which kind he expects.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Final

from msgspec import Meta, Struct

from node.governance.errors import InvalidAudit
from protocol.canonical import decode_typed, encode_typed, prepare
from protocol.errors import NotCanonical
from protocol.keys import Domain, PublicKeys, SecretKeys, is_signed, sign

WORDS_VERSION: Final = 1
WORDS_BYTES_MAX: Final = 64 * 1024
TEXT_MAX: Final = 2_000
REASON_MAX: Final = 400
CRITERIA_MAX: Final = 20
PICTURES_MAX: Final = 12
SKILLS_MAX: Final = 12

_Version = Annotated[int, Meta(ge=1, le=2**16)]
_Territory = Annotated[str, Meta(min_length=9, max_length=9)]
_Id = Annotated[bytes, Meta(min_length=16, max_length=16)]
_OptionalId = Annotated[bytes, Meta(max_length=16)]
_Digest = Annotated[bytes, Meta(min_length=32, max_length=32)]
_Key = Annotated[bytes, Meta(min_length=8, max_length=8)]
_Word = Annotated[str, Meta(min_length=1, max_length=40)]
_Reason = Annotated[str, Meta(max_length=REASON_MAX)]
_Day = Annotated[int, Meta(ge=19000101, le=99991231)]


class JoinWords(Struct, frozen=True, array_like=True):
    """An auditor enters the register: for a term, in a place (microdegrees) and around it (metres), so many at once."""

    version: _Version
    territory: _Territory
    id: _Id
    account: Annotated[str, Meta(min_length=8, max_length=8)]
    kind: _Word
    place: Annotated[str, Meta(min_length=1, max_length=11)]
    place_name: Annotated[str, Meta(min_length=1, max_length=80)]
    latitude: Annotated[int, Meta(ge=-90_000_000, le=90_000_000)]
    longitude: Annotated[int, Meta(ge=-180_000_000, le=180_000_000)]
    radius: Annotated[int, Meta(ge=0, le=20_100_000)]
    skills: Annotated[tuple[Annotated[str, Meta(max_length=60)], ...], Meta(max_length=SKILLS_MAX)]
    from_day: _Day
    until_day: _Day
    missions_max: Annotated[int, Meta(ge=1, le=20)]


class ConflictWords(Struct, frozen=True, array_like=True):
    """An auditor's own word: no mission on this project, or on any of this body (SIREN, RNA). The other one is empty."""

    version: _Version
    territory: _Territory
    id: _Id
    kind: _Word
    project: _OptionalId
    organisation: Annotated[str, Meta(max_length=20)]
    reason: _Reason


class MissionWords(Struct, frozen=True, array_like=True):
    """What the base asks of one auditor. `instalment` 0 is the whole; `rank` his place in the drawing, from 0."""

    version: _Version
    territory: _Territory
    id: _Id
    audit: _Id
    project: _Id
    title: Annotated[str, Meta(min_length=1, max_length=80)]
    sheet: _Digest
    instalment: Annotated[int, Meta(ge=0, le=1_000)]
    rank: Annotated[int, Meta(ge=0, le=20_000)]
    key: _Key
    criteria: Annotated[tuple[_Word, ...], Meta(min_length=1, max_length=CRITERIA_MAX)]
    answer_by: _Day
    due_on: _Day


class ReplyWords(Struct, frozen=True, array_like=True):
    """The auditor takes the mission of that digest, or not. Declining may say why."""

    version: _Version
    territory: _Territory
    id: _Id
    mission: _Id
    digest: _Digest
    is_accepted: bool
    reason: _Reason


class ReportLine(Struct, frozen=True, array_like=True):
    """A verdict on one criterion: sound, reserved or failed. All but sound say why."""

    criterion: _Word
    verdict: _Word
    text: Annotated[str, Meta(max_length=TEXT_MAX)]


class ReportWords(Struct, frozen=True, array_like=True):
    """What was found. One that follows another names it, and the answer that it looked at, where there was one."""

    version: _Version
    territory: _Territory
    id: _Id
    mission: _Id
    lines: Annotated[tuple[ReportLine, ...], Meta(min_length=1, max_length=CRITERIA_MAX)]
    pictures: Annotated[tuple[_Digest, ...], Meta(max_length=PICTURES_MAX)]
    follows: _OptionalId
    answer: _OptionalId


AuditWords = JoinWords | ConflictWords | MissionWords | ReplyWords | ReportWords
_HEADS: Final[Mapping[type[AuditWords], bytes]] = {
    kind: b"citizen-miles/projects/audit-" + name + b"/v1\0"
    for kind, name in (
        (JoinWords, b"join"),
        (ConflictWords, b"conflict"),
        (MissionWords, b"mission"),
        (ReplyWords, b"reply"),
        (ReportWords, b"report"),
    )
}


class SignedWords(Struct, frozen=True, array_like=True):
    """A text and its signature by the key of that name."""

    body: Annotated[bytes, Meta(min_length=1, max_length=WORDS_BYTES_MAX)]
    key: _Key
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]


def write_words(words: AuditWords) -> bytes:
    """Return the text that is signed."""
    return _HEADS[type(words)] + encode_typed(words)


def read_words(body: bytes) -> AuditWords:
    """Return what such a text says. Raises InvalidAudit."""
    if len(body) > WORDS_BYTES_MAX:
        raise InvalidAudit(field="words", reason=f"at most {WORDS_BYTES_MAX} bytes")
    kind = next((kind for kind, head in _HEADS.items() if body.startswith(head)), None)
    if kind is None:
        raise InvalidAudit(field="words", reason="nothing that auditors or this base sign")
    try:
        words = _decode(kind, body[len(_HEADS[kind]) :])
    except NotCanonical as error:
        raise InvalidAudit(field="words", reason=str(error.facts["reason"])) from None
    if words.version != WORDS_VERSION:
        raise InvalidAudit(field="version", reason=f"version {words.version} is not spoken here")
    return words


def _decode(kind: type[AuditWords], data: bytes) -> AuditWords:
    if kind is JoinWords:
        return decode_typed(data, JoinWords, size_max=WORDS_BYTES_MAX)
    if kind is ConflictWords:
        return decode_typed(data, ConflictWords, size_max=WORDS_BYTES_MAX)
    if kind is MissionWords:
        return decode_typed(data, MissionWords, size_max=WORDS_BYTES_MAX)
    if kind is ReplyWords:
        return decode_typed(data, ReplyWords, size_max=WORDS_BYTES_MAX)
    return decode_typed(data, ReportWords, size_max=WORDS_BYTES_MAX)


def compute_words_digest(body: bytes) -> bytes:
    """Return the 32 bytes by which a mission is named where somebody answers to it."""
    return hashlib.sha256(b"citizen-miles/audit-words/v1\0" + body).digest()


def sign_words(words: AuditWords, keys: SecretKeys) -> SignedWords:
    """Return the words with a signature."""
    body = write_words(words)
    return SignedWords(body, keys.public.id, sign(keys, Domain.AUDIT, body))


def is_words_signed(signed: SignedWords, keys: PublicKeys) -> bool:
    """Tell whether the owner of that key signed this text."""
    return signed.key == keys.id and is_signed(keys.signing, Domain.AUDIT, signed.body, signed.signature)


prepare(JoinWords, ConflictWords, MissionWords, ReplyWords, ReportWords, SignedWords)
