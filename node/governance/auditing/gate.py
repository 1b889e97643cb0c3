"""What audits say of a project's next instalment and of its end. Pure.

While one that was asked for has not ended nothing more is converted; where one is required and is not there, the first
instalment is, and no further one. Of several audits of the same instalment the last that ended counts; of different
instalments all do, and the worst verdict is the project's. A finding outside of any mission counts until an audit ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from node.governance.auditing.missions import AuditState, find_worst
from node.governance.days import format_day
from node.governance.errors import AuditNotEnded, AuditRequired
from node.governance.instalments import AuditVerdict

WHOLE: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditTier:
    """From this target on so many auditors look, before the second instalment or before the end, or both."""

    target_min: int
    auditors_min: int
    before_second: bool
    before_end: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditStanding:
    """An audit as it stands. `verdict` and `ended_at` are there once it ended. `stand_ins`: drawn and not called yet."""

    id: bytes
    instalment: int
    state: AuditState
    seats: int
    due_on: int
    verdict: AuditVerdict | None
    ended_at: int | None
    is_exhausted: bool  # drawn, and nobody is left to be called for an empty place


def find_tier(tiers: Iterable[AuditTier], target: int) -> AuditTier | None:
    """Return what is required of a project of that target, or None."""
    fitting = [one for one in tiers if one.target_min <= target]
    return max(fitting, key=lambda one: one.target_min, default=None)


def find_running(audits: Iterable[AuditStanding]) -> AuditNotEnded | None:
    """Return the refusal of whoever converts now, where an audit that was asked for has not ended; or None."""
    for one in audits:
        if one.state not in (AuditState.LISTED, AuditState.CALLED):
            continue
        what = "of the whole" if one.instalment == WHOLE else f"of instalment {one.instalment}"
        where = "waits for its drawing" if one.state is AuditState.LISTED else f"is due on {format_day(one.due_on)}"
        if one.is_exhausted:
            where = "has no auditor left: drop it, and ask for another drawing"
        return AuditNotEnded(
            reason=f"the audit {what} has not ended: it {where}",
            instalment=one.instalment,
            state="exhausted" if one.is_exhausted else str(one.state),
            due_on=format_day(one.due_on),
        )
    return None


def find_missing(audits: Sequence[AuditStanding], tier: AuditTier | None, *, is_end: bool) -> AuditRequired | None:
    """Return the refusal where an audit is required before the second instalment, or before the end, and is not there."""
    if tier is None or not (tier.before_end if is_end else tier.before_second):
        return None
    for one in audits:
        if one.state is AuditState.ENDED and one.seats >= tier.auditors_min and (one.instalment == WHOLE or not is_end):
            return None
    what = "the whole" if is_end else "instalment 1"
    return AuditRequired(
        reason=f"an audit of {what} by {tier.auditors_min} drawn auditors is required: ask for it",
        instalment=WHOLE if is_end else 1,
        auditors=tier.auditors_min,
    )


def tell_verdict(outside: tuple[int, AuditVerdict] | None, audits: Iterable[AuditStanding]) -> AuditVerdict | None:
    """Return what audits say of a project, or None where there is nothing. `outside` is the last finding without a mission."""
    last: dict[int, AuditStanding] = {}
    for one in audits:
        if one.state is AuditState.ENDED and one.ended_at is not None:
            known = last.get(one.instalment)
            if known is None or (known.ended_at or 0) <= one.ended_at:
                last[one.instalment] = one
    verdicts = [one.verdict for one in last.values() if one.verdict is not None]
    newest = max((one.ended_at or 0 for one in last.values()), default=-1)
    if outside is not None and outside[0] > newest:
        verdicts.append(outside[1])
    return find_worst(verdicts) if verdicts else None
