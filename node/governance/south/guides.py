"""Guides: who accredits them, for how long, and when they are none any more. Pure.

    PROPOSED ──▶ ACCREDITED ──▶ ENDED      by the committee's word, by the guide's own, or with the key
        └─────────────────────────▲        a term that is over ends by itself: nothing is written then

A guide is accredited once members of the committee, of several colleges, signed the same words with keys that this base
does not hold. A new term is a new accreditation, and needs new consent of each group.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from node.governance.days import add_days, read_day
from node.governance.south.errors import InvalidGuide
from node.governance.south.rules import SouthRules
from node.governance.texts import is_line
from protocol.canonical import decode_typed, encode_typed, prepare
from protocol.errors import NotCanonical

GUIDE_BYTES_MAX: Final = 4_096
TRAINING_MAX: Final = 200
_PREFIX: Final = b"citizen-miles/projects/guide/v1\0"
_Id = Annotated[bytes, Meta(min_length=16, max_length=16)]
_Digest = Annotated[bytes, Meta(min_length=32, max_length=32)]
_Key = Annotated[bytes, Meta(min_length=8, max_length=8)]


class GuideEnd(StrEnum):
    """Why a guide is none any more, before its term."""

    WITHDRAWN = "guide_withdrawn"
    LEFT = "guide_left"
    KEY_REVOKED = "guide_key_revoked"


class GuideState(StrEnum):
    """Where an accreditation stands on a day."""

    PROPOSED = "proposed"
    NOT_BEGUN = "not_begun"
    ACCREDITED = "accredited"
    OVER = "over"
    ENDED = "ended"


class GuideWords(Struct, frozen=True, array_like=True):
    """What each member signs: whose key, which training (and its certificate's SHA-256), from and until which day."""

    version: Annotated[int, Meta(ge=1)]
    territory: str
    id: _Id
    key: _Key
    training: Annotated[str, Meta(max_length=TRAINING_MAX)]
    certificate: _Digest
    trained_on: int
    from_day: int
    until_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Accreditation:
    """What decides of a guide's standing."""

    from_day: int
    until_day: int
    is_accredited: bool
    is_ended: bool


def write_guide(words: GuideWords) -> bytes:
    """Return the bytes that are signed."""
    return _PREFIX + encode_typed(words)


def read_guide(body: bytes) -> GuideWords:
    """Return the words of such bytes. Raises NotCanonical."""
    if not body.startswith(_PREFIX):
        raise NotCanonical(reason="no accreditation of a guide")
    return decode_typed(body[len(_PREFIX) :], GuideWords, size_max=GUIDE_BYTES_MAX)


def require_guide(words: GuideWords, rules: SouthRules) -> None:
    """Let through words that a committee may sign. Raises InvalidGuide, InvalidTime."""
    if not is_line(words.training, TRAINING_MAX):
        raise InvalidGuide(field="training", reason=f"one line of 1 to {TRAINING_MAX} symbols")
    for day in (words.trained_on, words.from_day, words.until_day):
        read_day(day)
    if words.trained_on > words.from_day:
        raise InvalidGuide(field="trained_on", reason="a guide is trained before the term begins")
    if not words.from_day <= words.until_day <= add_days(words.from_day, rules.guide_days_max):
        raise InvalidGuide(
            field="until_day", reason=f"from one day to a later one, {rules.guide_days_max} days at most"
        )


def is_enough(colleges: Iterable[str], rules: SouthRules) -> bool:
    """Tell whether approvals accredit: `colleges` has the college of each member who signed."""
    signed = list(colleges)
    return len(signed) >= rules.guide_members and len(set(signed)) >= rules.guide_colleges


def tell_guide(one: Accreditation, today: int) -> GuideState:
    """Return where an accreditation stands."""
    if one.is_ended:
        return GuideState.ENDED
    if not one.is_accredited:
        return GuideState.PROPOSED
    if today < one.from_day:
        return GuideState.NOT_BEGUN
    return GuideState.ACCREDITED if today <= one.until_day else GuideState.OVER


prepare(GuideWords)
