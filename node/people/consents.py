"""Consent: to which text, for what, given or withdrawn when. Pure. Nothing of it is ever changed, only added to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.people.errors import ConsentNotGiven, ConsentTextUnknown, InvalidConsentText
from protocol.identifiers import Id16
from protocol.times import Instant

TEXT_MAX: Final = 4_000


class ConsentPurpose(StrEnum):
    """What somebody agrees to. What the law asks (receipts, accounting) needs no consent and is not here."""

    ACCOUNT = "account"
    NEWS = "news"
    STATISTICS = "statistics"
    VOLUNTEERING = "volunteering"
    SHOWN_NAME = "shown_name"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentText:
    """One version of what is agreed to, in both languages. Raises InvalidConsentText."""

    purpose: ConsentPurpose
    version: int
    french: str
    english: str

    def __post_init__(self) -> None:
        for field, text in (("french", self.french), ("english", self.english)):
            if not text.strip() or len(text) > TEXT_MAX:
                raise InvalidConsentText(field=field, reason=f"1 to {TEXT_MAX} characters")
        if self.version < 1:
            raise InvalidConsentText(field="version", reason="versions count from 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEvent:
    """`version` is that of the text that was shown; of a withdrawal, that of the text that was agreed to."""

    id: Id16
    purpose: ConsentPurpose
    version: int
    is_given: bool
    at: Instant


def compute_standing(events: Iterable[ConsentEvent]) -> dict[ConsentPurpose, ConsentEvent]:
    """Return the last word on each purpose, in the order in which they were said."""
    standing: dict[ConsentPurpose, ConsentEvent] = {}
    for event in events:
        standing[event.purpose] = event
    return standing


def is_given(events: Iterable[ConsentEvent], purpose: ConsentPurpose) -> bool:
    """Tell whether somebody agrees now: silence is no consent."""
    last = compute_standing(events).get(purpose)
    return last is not None and last.is_given


def choose_version(
    events: Iterable[ConsentEvent], newest: Mapping[ConsentPurpose, int], purpose: ConsentPurpose, *, give: bool
) -> int:
    """Return of which version a new event speaks: the newest for a consent, the agreed one for a withdrawal.

    Raises ConsentTextUnknown, ConsentNotGiven.
    """
    if give:
        if purpose not in newest:
            raise ConsentTextUnknown(purpose=str(purpose), version=0)
        return newest[purpose]
    last = compute_standing(events).get(purpose)
    if last is None or not last.is_given:
        raise ConsentNotGiven(purpose=str(purpose))
    return last.version
