"""Skills: codes of public vocabularies, each with its words in two languages and the wider skill it belongs to. Pure.

    esco:60c78287-…   a skill of ESCO     esco:S1.8.1   a group of it     rome:300021   a macro-compétence of ROME 4.0

A skill that is narrower than the one asked for answers to it: who can instruct others can do some teaching.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NewType

from node.governance.passes.errors import InvalidSkill

SkillCode = NewType("SkillCode", str)

CODE_MAX: Final = 60
_ESCO: Final = "http://data.europa.eu/esco/skill/"  # identifiers, not addresses: they are written with http


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Where codes come from. `dated` is the day of its version."""

    name: str
    title: str
    version: str
    dated: datetime.date
    url: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """A skill, or a group of skills. `parent` is the wider one, or nothing."""

    code: SkillCode
    words: Mapping[str, str]
    parent: SkillCode | None = None

    @property
    def vocabulary(self) -> str:
        return self.code.partition(":")[0]

    @property
    def own_code(self) -> str:
        return self.code.partition(":")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Skills:
    """All skills that are known here, of all vocabularies. Raises ValueError where a parent is missing or its own child."""

    vocabularies: Mapping[str, Vocabulary]
    known: Mapping[SkillCode, Skill]

    def __post_init__(self) -> None:
        for code, skill in self.known.items():
            if skill.code != code or skill.vocabulary not in self.vocabularies:
                raise ValueError(f"{code}: of a vocabulary that is not here")
            list(self._upwards(code))

    def require(self, code: object) -> Skill:
        """Return the skill of that code. Raises InvalidSkill."""
        if not isinstance(code, str) or len(code) > CODE_MAX:
            raise InvalidSkill(skill=type(code).__name__, reason=f"a code of at most {CODE_MAX} symbols")
        found = self.known.get(SkillCode(code))
        if found is None:
            raise InvalidSkill(skill=code.encode(errors="backslashreplace").decode(), reason="no vocabulary has it")
        return found

    def widen(self, code: SkillCode) -> tuple[SkillCode, ...]:
        """Return the skill and all that are wider, the nearest first. Raises InvalidSkill."""
        return tuple(self._upwards(self.require(code).code))

    def steps_between(self, held: SkillCode, wanted: SkillCode) -> int | None:
        """Return how many steps up from the held skill the wanted one is; None where it is not above it."""
        wider = self.widen(held)
        return wider.index(self.require(wanted).code) if wanted in wider else None

    def _upwards(self, code: SkillCode | None) -> Iterator[SkillCode]:
        seen: set[SkillCode] = set()
        while code is not None:
            if code in seen or code not in self.known:
                raise ValueError(f"{code}: not here, or its own parent")
            seen.add(code)
            yield code
            code = self.known[code].parent


def write_skill_url(skill: Skill) -> str:
    """Return the identifier of a skill as others know it; ROME has none on the web, so an URN of ours names its code."""
    return f"{_ESCO}{skill.own_code}" if skill.vocabulary == "esco" else f"urn:citizen-miles:skill:{skill.code}"
