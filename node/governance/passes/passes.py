"""A pass: what work was done, who says so, and where it stands. Pure.

    CLAIMED ──bearer──▶ CHECKED ──committee──▶ VALIDATED ──issued──▶ ISSUED ──suspended──▶ SUSPENDED
       │                   │                       │                   │  ◀────restored─────┘  │
       └───────────────────┴──────refused──────────┴─▶ REFUSED         └──────revoked──────────┴─▶ REVOKED

Hours are whole minutes, told by calendar year: the CEC counts years. The bearer is the body whose project it was; the
committee is another body, though it may be of the same territory: one never says both. That a pass has ended is seen by its date, and is no state.
Who checked is named by the body and the number of its decision, never by a person.
Source: shared design, DOMAIN.md, 6 (fields of the Passeport Bénévole).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from node.governance.passes.errors import InvalidPass, PassStepRefused, ValidatorRefused
from node.governance.passes.holders import Holder
from node.governance.passes.printed_lines import is_line, is_printed_line
from node.governance.skills import SkillCode
from protocol.identifiers import Id16, require_id
from protocol.times import Instant, require_instant

NAME_MAX: Final = 120
TASKS_MAX: Final = 1_000
SKILLS_MAX: Final = 12
EVIDENCE_MAX: Final = 8
URL_MAX: Final = 300
YEARS_MAX: Final = 3
MINUTES_A_DAY: Final = 24 * 60
YEARS_VALID_MAX: Final = 30
REASON_MAX: Final = 200
LANGUAGES: Final = ("fr", "en")
_BODY: Final = re.compile(r"[0-9]{9}|W[0-9][0-9A-Z][0-9]{7}|S[0-9A-Z]{8}", re.ASCII)
_URL: Final = re.compile(
    r"https://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?", re.ASCII
)


class Duty(StrEnum):
    """What the CEC asks of a volunteer: to sit in the body that governs, or to lead other volunteers."""

    GOVERNING = "governing"
    SUPERVISING = "supervising"
    OTHER = "other"


class PassState(StrEnum):
    CLAIMED = "claimed"
    CHECKED = "checked"
    VALIDATED = "validated"
    ISSUED = "issued"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    REFUSED = "refused"


class PassEvent(StrEnum):
    CHECKED = "checked"
    VALIDATED = "validated"
    ISSUED = "issued"
    SUSPENDED = "suspended"
    RESTORED = "restored"
    REVOKED = "revoked"
    REFUSED = "refused"


_S = PassState
_E = PassEvent

NEXT_STATE: Final[Mapping[PassState, Mapping[PassEvent, PassState]]] = {
    _S.CLAIMED: {_E.CHECKED: _S.CHECKED, _E.REFUSED: _S.REFUSED},
    _S.CHECKED: {_E.CHECKED: _S.CHECKED, _E.VALIDATED: _S.VALIDATED, _E.REFUSED: _S.REFUSED},
    _S.VALIDATED: {_E.VALIDATED: _S.VALIDATED, _E.ISSUED: _S.ISSUED, _E.REFUSED: _S.REFUSED},
    _S.ISSUED: {
        _E.ISSUED: _S.ISSUED,
        _E.SUSPENDED: _S.SUSPENDED,
        _E.RESTORED: _S.ISSUED,
        _E.REVOKED: _S.REVOKED,
    },
    _S.SUSPENDED: {_E.SUSPENDED: _S.SUSPENDED, _E.RESTORED: _S.ISSUED, _E.REVOKED: _S.REVOKED},
    _S.REVOKED: {_E.REVOKED: _S.REVOKED},
    _S.REFUSED: {_E.REFUSED: _S.REFUSED},
}
# What the two status lists say of a pass that was issued.
LISTED: Final = frozenset({_S.ISSUED, _S.SUSPENDED, _S.REVOKED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """An association, a fund, a municipality: its SIREN or RNA and its name. Raises InvalidPass."""

    number: str
    name: str

    def __post_init__(self) -> None:
        if _BODY.fullmatch(self.number) is None:
            raise InvalidPass(field="body", reason="a SIREN of 9 digits, an RNA as W751000000, or a South code")
        if not is_printed_line(self.name, NAME_MAX):
            raise InvalidPass(field="body", reason=f"a name of one line, 1 to {NAME_MAX} symbols")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Something that anybody can look at: the project's sheet, a report, an audit. Raises InvalidPass."""

    url: str
    words: str

    def __post_init__(self) -> None:
        if len(self.url) > URL_MAX or _URL.fullmatch(self.url) is None:
            raise InvalidPass(field="evidence", reason=f"an https address of at most {URL_MAX} symbols")
        if not is_printed_line(self.words, NAME_MAX):
            raise InvalidPass(field="evidence", reason=f"words of one line, 1 to {NAME_MAX} symbols")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What was done, in one project. Both days are included; `minutes` are by calendar year, of all people together.

    Raises InvalidPass, InvalidId.
    """

    project: Id16
    project_name: str
    bearer: Body
    role: str
    duty: Duty
    first_on: datetime.date
    last_on: datetime.date
    minutes: tuple[tuple[int, int], ...]
    skills: tuple[SkillCode, ...]
    tasks: str = ""
    evidence: tuple[Evidence, ...] = ()

    def __post_init__(self) -> None:
        require_id(self.project)
        for name, text in (("project_name", self.project_name), ("role", self.role)):
            if not is_printed_line(text, NAME_MAX):
                raise InvalidPass(field=name, reason=f"one line of 1 to {NAME_MAX} symbols")
        if self.tasks and not is_printed_line(self.tasks, TASKS_MAX):
            raise InvalidPass(field="tasks", reason=f"one paragraph of at most {TASKS_MAX} symbols")
        if self.last_on < self.first_on:
            raise InvalidPass(field="last_on", reason="it ends before it begins")
        if len(self.evidence) > EVIDENCE_MAX:
            raise InvalidPass(field="evidence", reason=f"at most {EVIDENCE_MAX}")
        if len(self.skills) > SKILLS_MAX or len(set(self.skills)) != len(self.skills):
            raise InvalidPass(field="skills", reason=f"at most {SKILLS_MAX}, each once")
        years = [year for year, _ in self.minutes]
        if not 1 <= len(years) <= YEARS_MAX or years != sorted(set(years)):
            raise InvalidPass(field="minutes", reason=f"1 to {YEARS_MAX} years in order, each once")

    @property
    def total(self) -> int:
        """All minutes of all years."""
        return sum(minutes for _, minutes in self.minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """Who confirmed, on which day, by the number of which decision. Raises InvalidId."""

    body: Body
    on: datetime.date
    decision: Id16

    def __post_init__(self) -> None:
        require_id(self.decision)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A pass in the base. Its id is that of the request: asked again, it is the same pass.

    `valid_until` is its last day, or None; `replaces` the pass that this one corrects. Raises InvalidPass, InvalidId.
    """

    id: Id16
    holder: Holder
    work: Work
    language: str = "fr"
    valid_until: datetime.date | None = None
    replaces: Id16 | None = None
    state: PassState = PassState.CLAIMED
    checked: Validation | None = None
    validated: Validation | None = None
    issued_at: Instant | None = None
    reason: str = field(default="")

    def __post_init__(self) -> None:
        require_id(self.id)
        if self.language not in LANGUAGES:
            raise InvalidPass(field="language", reason=" or ".join(LANGUAGES))
        if self.replaces is not None and require_id(self.replaces) == self.id:
            raise InvalidPass(field="replaces", reason="a pass does not replace itself")
        if self.valid_until is not None and not self.work.last_on <= self.valid_until <= _years_later(
            self.work.last_on
        ):
            raise InvalidPass(
                field="valid_until", reason=f"a day from the last of the work to {YEARS_VALID_MAX} years later"
            )
        if self.reason and not is_line(self.reason, REASON_MAX):
            raise InvalidPass(field="reason", reason=f"one line of at most {REASON_MAX} symbols")
        for year, minutes in self.work.minutes:
            possible = days_in(year, self.work.first_on, self.work.last_on) * MINUTES_A_DAY * self.holder.people
            if type(minutes) is not int or not 1 <= minutes <= possible:
                raise InvalidPass(field="minutes", reason=f"{year}: more than the days and people allow, or nothing")


def days_in(year: int, first_on: datetime.date, last_on: datetime.date) -> int:
    """Return how many days from the first to the last, both included, lie in that year."""
    first = max(first_on, datetime.date(year, 1, 1))
    last = min(last_on, datetime.date(year, 12, 31))
    return max((last - first).days + 1, 0)


def _years_later(day: datetime.date) -> datetime.date:
    year = min(day.year + YEARS_VALID_MAX, datetime.MAXYEAR)
    return day.replace(year=year, day=28 if (day.month, day.day) == (2, 29) else day.day)


def check(asked: Pass, validation: Validation) -> Pass:
    """Return the pass as the project's bearer confirmed it. Raises PassStepRefused, ValidatorRefused."""
    if validation.body.number != asked.work.bearer.number:
        raise ValidatorRefused(reason="only the bearer of the project confirms the work")
    return _step(asked, _E.CHECKED, {"checked": validation})


def validate(asked: Pass, validation: Validation) -> Pass:
    """Return the pass as the committee validated it. Raises PassStepRefused, ValidatorRefused."""
    if validation.body == asked.work.bearer:
        raise ValidatorRefused(reason="the bearer does not validate what it confirmed")
    if asked.checked is not None and validation.decision == asked.checked.decision:
        raise ValidatorRefused(reason="one decision does not say both")
    return _step(asked, _E.VALIDATED, {"validated": validation})


def issue(asked: Pass, *, at: Instant) -> Pass:
    """Return the pass as issued at that instant; issued already, it is returned as it was. Raises PassStepRefused."""
    return _step(asked, _E.ISSUED, {"issued_at": require_instant(at, "issued_at")})


def refuse(asked: Pass, *, reason: str) -> Pass:
    """Return the pass refused, with its reason. Raises PassStepRefused, InvalidPass."""
    return _step(asked, _E.REFUSED, {"reason": _require_reason(reason)})


def suspend(asked: Pass, *, reason: str) -> Pass:
    """Return the pass suspended, with its reason: it can come back. Raises PassStepRefused, InvalidPass."""
    return _step(asked, _E.SUSPENDED, {"reason": _require_reason(reason)})


def restore(asked: Pass) -> Pass:
    """Return a suspended pass as it was before. Raises PassStepRefused."""
    return _step(asked, _E.RESTORED, {"reason": ""})


def revoke(asked: Pass, *, reason: str) -> Pass:
    """Return the pass revoked, with its reason, for ever. Raises PassStepRefused, InvalidPass."""
    return _step(asked, _E.REVOKED, {"reason": _require_reason(reason)})


def reissue(old: Pass, new: Pass) -> Pass:
    """Return the corrected pass, not yet checked, that will replace an issued one of the same holder and project.

    The old one is revoked when the new one is issued, by the caller. Raises InvalidPass, PassStepRefused.
    """
    if old.state not in {_S.ISSUED, _S.SUSPENDED}:
        raise PassStepRefused(state=old.state, event="reissued")
    if (new.holder.account, new.work.project) != (old.holder.account, old.work.project):
        raise InvalidPass(field="replaces", reason="another holder or another project")
    return replace(new, replaces=old.id, state=_S.CLAIMED, checked=None, validated=None, issued_at=None, reason="")


def has_ended(asked: Pass, day: datetime.date) -> bool:
    """Tell whether the pass is past its last day."""
    return asked.valid_until is not None and day > asked.valid_until


def find_difference(kept: Pass, asked: Pass) -> str | None:
    """Return what a second request with the same id asks otherwise, or None: the same request gives the same pass."""
    names = ("holder", "work", "language", "valid_until", "replaces")
    return next((name for name in names if getattr(kept, name) != getattr(asked, name)), None)


def _require_reason(reason: str) -> str:
    if not is_line(reason, REASON_MAX):
        raise InvalidPass(field="reason", reason=f"one line of 1 to {REASON_MAX} symbols")
    return reason


def _step(asked: Pass, event: PassEvent, changes: Mapping[str, object]) -> Pass:
    after = NEXT_STATE[asked.state].get(event)
    if after is None:
        raise PassStepRefused(state=asked.state, event=event)
    return asked if after is asked.state else replace(asked, state=after, **changes)  # type: ignore[arg-type]
