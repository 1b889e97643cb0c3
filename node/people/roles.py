"""Who has which duty at which base, from when until when. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.people.days import add_days, require_day, start_of_day
from node.people.errors import InvalidRole
from protocol.house import BaseName
from protocol.identifiers import Id16
from protocol.times import Instant

WORD_MAX: Final = 80
KEY_BYTES: Final = 8
DAY_MAX: Final = 99991231
NAME_PART_MIN: Final = 3
_BASE: Final = re.compile(r"[A-Z]{3,9}", re.ASCII)
_WORDS: Final = re.compile(r"[\W_]+")


class Duty(StrEnum):
    """What somebody is there for."""

    TREASURER = "treasurer"
    SIGNATORY = "signatory"
    COMMITTEE_SECRETARY = "committee_secretary"
    MODERATOR = "moderator"
    AUDITOR = "auditor"
    CAMPAIGN_OFFICER = "campaign_officer"
    ACCOUNTS_OFFICER = "accounts_officer"
    PEOPLE_OFFICER = "people_officer"


class WordState(StrEnum):
    """How far the base concerned is with a duty whose officer's word is known here."""

    NAMED = "named"  # in force, or its end is still to be told
    TOLD = "told"
    PLACED = "placed"  # it ended what there was
    UNPLACED = "unplaced"  # it knows no such word, or no such key: somebody has to look


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A duty at a base, named by `BaseName.name`. `until_day` is its last day, 0 where none was set; `ended_on` too."""

    id: Id16
    person: Id16
    base: str
    duty: Duty
    from_day: int
    until_day: int = 0
    ended_on: int = 0

    def is_in_force(self, day: int) -> bool:
        """Tell whether it is held on that day: on the day it ends it is not any more."""
        if self.ended_on and day >= self.ended_on:
            return False
        return self.from_day <= day and (not self.until_day or day <= self.until_day)

    @property
    def over_since(self) -> int:
        """Return the first day on which it is held no more, 0 where none is set."""
        days = [self.ended_on] if self.ended_on else []
        if self.until_day and self.until_day < DAY_MAX:
            days.append(add_days(self.until_day, 1))
        return min(days, default=0)

    def is_over(self, day: int) -> bool:
        """Tell whether it was ended, or its last day has passed."""
        return bool(self.over_since) and day >= self.over_since

    def overlaps(self, other: Role) -> bool:
        """Tell whether there may be a day on which both are held."""
        return not any(one.over_since and one.over_since <= two.from_day for one, two in ((self, other), (other, self)))

    def over_at(self, now: Instant, zone: str) -> Instant:
        """Return until when keys were made for a duty that is over: its last midnight, or now where that is still to come."""
        since = self.over_since
        return min(now, start_of_day(add_days(since, 1) if since == self.ended_on else since, zone))


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerWord:
    """How the base of a role knows its officer: by a word, a function or a pseudonym, and the name of the key he signs with.

    Raises InvalidRole.
    """

    word: str = ""
    key: bytes = b""

    def __post_init__(self) -> None:
        if len(self.word) > WORD_MAX or not self.word.isprintable():
            raise InvalidRole(field="word", reason=f"one line of {WORD_MAX} symbols at most")
        if len(self.key) not in (0, KEY_BYTES):
            raise InvalidRole(field="key", reason=f"the name of a key is {2 * KEY_BYTES} hexadecimal digits")

    def __bool__(self) -> bool:
        return bool(self.word or self.key)

    def require_no_name(self, name: str) -> None:
        """Raise InvalidRole where the word says somebody's name: it goes to a base that is not to learn it from here."""
        parts, words = _list_parts(name), _list_parts(self.word)
        together = "".join(words)
        is_said = any(len(part) >= NAME_PART_MIN and part in words for part in parts)
        is_said |= bool(parts) and set(parts) <= set(words)
        # Two short parts stand in many words that mean nobody; together they would be a name.
        is_long = sum(map(len, parts)) >= 2 * NAME_PART_MIN
        is_run_together = len(parts) > 1 and (
            "".join(parts) in together or (is_long and all(part in together for part in parts))
        )
        if is_said or is_run_together:
            raise InvalidRole(field="word", reason="a function or a pseudonym, never a name")


def _list_parts(text: str) -> list[str]:
    """Return the words of a text as anybody would type them: without accents and capitals."""
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return [part for part in _WORDS.split(plain) if part]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What is told of a duty that is over: what of its officer's word and key nothing else in force needs."""

    word: OfficerWord
    is_last: bool


def find_ending(role: Role, known: OfficerWord, others: Iterable[tuple[Role, OfficerWord]], day: int) -> Ending | None:
    """Return what ends with a role that is over on that day, or None where all of it goes on by another that is in force."""
    held = [(one, word) for one, word in others if one.id != role.id and one.base == role.base and one.is_in_force(day)]
    of_word = [one for one, word in held if known.word and word.word == known.word]
    word = "" if any(one.duty is role.duty for one in of_word) else known.word
    key = b"" if any(word.key == known.key for _, word in held) else known.key
    if known and not word and not key:
        return None
    return Ending(word=OfficerWord(word=word, key=key), is_last=bool(word) and not of_word)


def require_own_word(role: Role, known: OfficerWord, others: Iterable[tuple[Role, OfficerWord]]) -> None:
    """Raise InvalidRole where that base knows another officer by the same word on the same days, or by the same key."""
    for one, word in others:
        if one.person == role.person or one.base != role.base:
            continue
        if known.word and word.word == known.word and one.overlaps(role):
            raise InvalidRole(field="word", reason="another officer's, whose duty is not over by then")
        if known.key and word.key == known.key:
            raise InvalidRole(field="key", reason="another officer's")


def require_role(base: str, from_day: int, until_day: int) -> None:
    """Raises InvalidRole where this can be no role. A base that is not served yet may have its officers already."""
    if base not in BaseName.__members__ and _BASE.fullmatch(base) is None:
        raise InvalidRole(field="base", reason="a base is written in capitals")
    for field, day in (("from_day", from_day), ("until_day", until_day)):
        if field == "from_day" or day:
            require_day(day, field)
    if until_day and until_day < from_day:
        raise InvalidRole(field="until_day", reason="it ends before it begins")


def has_duty(roles: Iterable[Role], person: Id16, duty: Duty, base: str, day: int) -> bool:
    """Tell whether somebody holds a duty at a base on that day."""
    return any(
        role.person == person and role.duty is duty and role.base == base and role.is_in_force(day) for role in roles
    )
