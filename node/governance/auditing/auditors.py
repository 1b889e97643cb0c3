"""Volunteer auditors: who they are, without a name, what conflicts they have, and who of them may be drawn. Pure.

What shows by itself: the auditor proposed the project, or sits in the committee that decides on it. What the auditor says:
comes from the body that carries it, has a part in the project, supports it. What somebody finds later counts like the rest.
Source: issue 5, "Audits and recognition" (SVDD: students, retired people, volunteers).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.governance.auditing.words import ConflictWords, JoinWords
from node.governance.bearers import require_registry
from node.governance.days import read_day
from node.governance.errors import InvalidAudit
from node.governance.skills import SkillCode, Skills
from node.governance.texts import is_line
from node.governance.volunteering.matching import meet
from node.governance.volunteering.places import Place, compute_distance
from protocol.identifiers import AccountNumber, Id16, require_number

TERM_YEARS_MAX: Final = 6
REASON_MAX: Final = 400


class AuditorKind(StrEnum):
    """Why somebody has the time."""

    STUDENT = "student"
    RETIRED = "retired"
    OTHER = "other"


class ConflictKind(StrEnum):
    """What an auditor is not to look at."""

    PROJECT = "project"  # has a part in it
    ORGANISATION = "organisation"  # comes from the body that carries it
    SUPPORT = "support"  # directs own rights to it


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """One project, or all of one body; the other is empty."""

    kind: ConflictKind
    project: bytes
    organisation: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Auditor:
    """An auditor of the register as a drawing sees it. `away_until` is a day (yyyymmdd) or 0; `open` counts missions."""

    id: Id16
    key: bytes
    account: AccountNumber
    kind: AuditorKind
    place: Place
    radius: int
    skills: tuple[SkillCode, ...]
    from_day: int
    until_day: int
    missions_max: int
    away_until: int
    has_left: bool
    open: int
    conflicts: tuple[Conflict, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is to be audited, as far as it decides of who may. `sitting` are accounts of the committee's members."""

    project: Id16
    proposer: str
    bearer: str
    latitude: int
    longitude: int
    due_on: int
    needed: tuple[SkillCode, ...]
    sitting: frozenset[str]


def require_join(words: JoinWords, skills: Skills) -> Place:
    """Return the place of who joins, once all of the words can be. Raises InvalidAudit, InvalidOffer, InvalidSkill, InvalidTime."""
    require_number(words.account)
    if words.kind not in tuple(AuditorKind):
        raise InvalidAudit(field="kind", reason=f"one of {', '.join(AuditorKind)}")
    read_day(words.from_day)
    read_day(words.until_day)
    if not words.from_day <= words.until_day <= words.from_day + TERM_YEARS_MAX * 10_000:
        raise InvalidAudit(field="term", reason=f"from one day to a later one, {TERM_YEARS_MAX} years at most")
    if len(set(words.skills)) != len(words.skills):
        raise InvalidAudit(field="skills", reason="each once")
    for code in words.skills:
        skills.require(code)
    return Place(code=words.place, name=words.place_name, latitude=words.latitude, longitude=words.longitude)


def require_conflict(words: ConflictWords) -> Conflict:
    """Return a conflict that can be. Raises InvalidAudit, InvalidBearer."""
    return make_conflict(words.kind, words.project, words.organisation, words.reason)


def make_conflict(kind: str, project: bytes, organisation: str, reason: str) -> Conflict:
    """Return a conflict with a project, or with a body. Raises InvalidAudit, InvalidBearer."""
    if kind not in tuple(ConflictKind):
        raise InvalidAudit(field="kind", reason=f"one of {', '.join(ConflictKind)}")
    if not is_line(reason, REASON_MAX):
        raise InvalidAudit(field="reason", reason=f"one line of 1 to {REASON_MAX} symbols")
    is_body = kind == ConflictKind.ORGANISATION
    if is_body is not bool(organisation) or is_body is bool(project):
        raise InvalidAudit(field="kind", reason="a conflict is with one project, or with one organisation")
    if organisation and require_registry(organisation) != organisation:
        raise InvalidAudit(field="organisation", reason="a registry number without spaces")
    return Conflict(kind=ConflictKind(kind), project=project, organisation=organisation, reason=reason)


def find_conflict(auditor: Auditor, subject: Subject) -> str:
    """Return why an auditor must not look at it, or nothing."""
    if auditor.account == subject.proposer:
        return "proposed the project"
    if auditor.account in subject.sitting:
        return "sits in the committee"
    for one in auditor.conflicts:
        if one.project == subject.project or (one.organisation and one.organisation == subject.bearer):
            return one.reason
    return ""


def find_unfit(auditor: Auditor, subject: Subject, today: int, skills: Skills) -> str:
    """Return why an auditor is not on the list of who is drawn, or nothing: conflict, term, absence, work, place, skills."""
    conflict = find_conflict(auditor, subject)
    if conflict:
        return conflict
    if auditor.has_left or not (auditor.from_day <= today and subject.due_on <= auditor.until_day):
        return "no term until that day"
    if auditor.away_until >= today:
        return "is away"
    if auditor.open >= auditor.missions_max:
        return "has as many missions as wanted"
    there = Place(code=auditor.place.code, name="-", latitude=subject.latitude, longitude=subject.longitude)
    if compute_distance(auditor.place, there) > auditor.radius:
        return "lives too far away"
    if any(meet(code, auditor.skills, skills) is None for code in subject.needed):
        return "lacks a skill"
    return ""


def choose_candidates(
    auditors: Iterable[Auditor], subject: Subject, today: int, skills: Skills
) -> tuple[AccountNumber, ...]:
    """Return the accounts among which the lot decides, sorted."""
    return tuple(sorted(one.account for one in auditors if not find_unfit(one, subject, today, skills)))
