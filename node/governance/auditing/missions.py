"""The life of a mission, of the audit that it is a part of, and of the report that ends it. Pure.

    OFFERED ──accepted──▶ ACCEPTED ──reported──▶ DONE ──reported again (follow-up)──▶ DONE
       ├── declined ──▶ DECLINED ◀──┤              │
       ├── lapsed ────▶ LAPSED ◀────┤              │      no answer in time, no report in time, or left the register
       ├── conflicted ▶ CONFLICTED ◀┴──────────────┘      found before or after: what was reported then counts no more
       └── dropped ───▶ DROPPED ◀── ACCEPTED              nobody needs it any more

    audit: LISTED ──drawn──▶ CALLED ──as many done as asked──▶ ENDED ──a conflict shows──▶ CALLED
              └──────┴── dropped ──▶ DROPPED

Missions are offered in the order of the drawing, nobody is passed over: who cannot take one any more has a row that says why.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.governance.auditing.words import TEXT_MAX, ReportWords
from node.governance.errors import InvalidAudit, MissionStepRefused
from node.governance.instalments import AuditVerdict
from node.governance.texts import is_prose


class MissionState(StrEnum):
    OFFERED = "offered"
    ACCEPTED = "accepted"
    DONE = "done"
    DECLINED = "declined"
    LAPSED = "lapsed"
    CONFLICTED = "conflicted"
    DROPPED = "dropped"


class MissionEvent(StrEnum):
    ACCEPTED = "accepted"
    REPORTED = "reported"
    DECLINED = "declined"
    LAPSED = "lapsed"
    CONFLICTED = "conflicted"
    DROPPED = "dropped"


class AuditState(StrEnum):
    LISTED = "listed"
    CALLED = "called"
    ENDED = "ended"
    DROPPED = "dropped"


class ReminderKind(StrEnum):
    ANSWER = "answer"  # the offer waits for a word
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"


_S, _E = MissionState, MissionEvent
NEXT_STATE: Final[Mapping[MissionState, Mapping[MissionEvent, MissionState]]] = {
    _S.OFFERED: {
        _E.ACCEPTED: _S.ACCEPTED,
        _E.DECLINED: _S.DECLINED,
        _E.LAPSED: _S.LAPSED,
        _E.CONFLICTED: _S.CONFLICTED,
        _E.DROPPED: _S.DROPPED,
    },
    _S.ACCEPTED: {
        _E.REPORTED: _S.DONE,
        _E.DECLINED: _S.DECLINED,
        _E.LAPSED: _S.LAPSED,
        _E.CONFLICTED: _S.CONFLICTED,
        _E.DROPPED: _S.DROPPED,
    },
    _S.DONE: {_E.REPORTED: _S.DONE, _E.CONFLICTED: _S.CONFLICTED},
    _S.DECLINED: {},
    _S.LAPSED: {},
    _S.CONFLICTED: {},
    _S.DROPPED: {},
}
IS_OPEN: Final = frozenset({_S.OFFERED, _S.ACCEPTED})
HOLDS_PLACE: Final = frozenset({_S.OFFERED, _S.ACCEPTED, _S.DONE})
_BADNESS: Final = (AuditVerdict.SOUND, AuditVerdict.RESERVED, AuditVerdict.FAILED)


def advance(state: MissionState, event: MissionEvent) -> MissionState:
    """Return the state after `event`. Raises MissionStepRefused."""
    after = NEXT_STATE[state].get(event)
    if after is None:
        raise MissionStepRefused(state=state, event=event)
    return after


def tell_audit(states: Collection[MissionState], seats: int, *, is_drawn: bool, is_dropped: bool) -> AuditState:
    """Return where an audit stands by its missions."""
    if is_dropped:
        return AuditState.DROPPED
    if list(states).count(_S.DONE) >= seats:
        return AuditState.ENDED
    return AuditState.CALLED if is_drawn else AuditState.LISTED


def choose_next(ranked: Sequence[str], called: int, states: Iterable[MissionState], seats: int) -> tuple[str, ...]:
    """Return who is called now: the next of the drawing, as many as places are empty; fewer where nobody is left."""
    held = sum(state in HOLDS_PLACE for state in states)
    return tuple(ranked[called : called + max(seats - held, 0)])


def find_worst(verdicts: Iterable[str]) -> AuditVerdict:
    """Return the worst of some verdicts: of at least one."""
    return max((AuditVerdict(one) for one in verdicts), key=_BADNESS.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastReport:
    """The report of a mission that counts today, and the last answer to it, or nothing."""

    id: bytes
    verdict: AuditVerdict
    answer: bytes


def require_report(words: ReportWords, criteria: Sequence[str], before: LastReport | None) -> AuditVerdict:
    """Return the verdict of a report that fits its mission and what was reported before.

    Raises InvalidAudit; MissionStepRefused where a reserve would be lifted before anybody has answered.
    """
    if [line.criterion for line in words.lines] != list(criteria):
        raise InvalidAudit(field="lines", reason=f"a verdict for each criterion in this order: {', '.join(criteria)}")
    for line in words.lines:
        if line.verdict not in tuple(AuditVerdict):
            raise InvalidAudit(field=line.criterion, reason=f"one of {', '.join(AuditVerdict)}")
        if (line.text or line.verdict != AuditVerdict.SOUND) and not is_prose(line.text, TEXT_MAX):
            raise InvalidAudit(field=line.criterion, reason=f"say why, in 1 to {TEXT_MAX} symbols")
    if len(set(words.pictures)) != len(words.pictures):
        raise InvalidAudit(field="pictures", reason="each once")
    found = find_worst(line.verdict for line in words.lines)
    if words.follows != (b"" if before is None else before.id):
        raise InvalidAudit(field="follows", reason="the report before, or nothing where it is the first")
    if words.answer and (before is None or words.answer != before.answer):
        raise InvalidAudit(field="answer", reason="the last answer to the report before, or nothing")
    if before is not None and _BADNESS.index(found) < _BADNESS.index(before.verdict) and not words.answer:
        raise MissionStepRefused(state=before.verdict, event=f"{found} without an answer to it")
    return found
