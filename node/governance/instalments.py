"""How much of what was directed to a project may be converted, instalment by instalment. Pure.

Instalments are shares of the target. A project that reached its minimum and not its target gets the same shares of what
it has: each rounded down, the odd cents with the last. The first is free once the project is in progress; each next one
when the proofs of the one before were accepted; none while the last finding of an audit is that it failed, or while one
that was asked for has not ended; no second one while a required audit is missing (auditing/gate).
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.governance.errors import RoundRefused


class ProofState(StrEnum):
    """A proof of what an instalment was spent on."""

    GIVEN = "given"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class RoundState(StrEnum):
    """A round of conversion: told to the accounts, done, or refused by them."""

    ASKED = "asked"
    CONVERTED = "converted"
    REFUSED = "refused"


class DueMark(StrEnum):
    """How far the euros of a round from one fund are."""

    OWED = "owed"
    PAID = "paid"  # the bank carried it out
    REJECTED = "rejected"  # the bank sent it back; it stays owed
    NETTED = "netted"  # the project's own fund pays it
    REFUSED = "refused"  # that fund does not owe it: the rights went back
    CONFIRMED = "confirmed"  # the bearer has the euros


# What the bearer still waits for.
AWAITED: Final = frozenset({DueMark.OWED, DueMark.REJECTED, DueMark.NETTED})


def count_waiting_days(mark: DueMark, owed_on: datetime.date, today: datetime.date) -> int:
    """Return for how many days the bearer has waited for what a fund owes; 0 where it waits for nothing."""
    return max((today - owed_on).days, 0) if mark in AWAITED else 0


class AuditVerdict(StrEnum):
    """What an auditor found."""

    SOUND = "sound"
    RESERVED = "reserved"  # go on, and mend what is said
    FAILED = "failed"  # nothing more is paid until another finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What decides of the next round. `accepted` are the instalments (from 1) of which a proof was accepted.

    `audit_running` says which audit has not ended, `audit_missing` which one is required before the second instalment.
    """

    shares: tuple[int, ...]  # of the target, by instalment
    total: int  # directed to it, converted or not
    converted: int  # asked, or done and not refused
    accepted: frozenset[int]
    is_round_open: bool
    verdict: AuditVerdict | None
    audit_running: RoundRefused | None = None
    audit_missing: RoundRefused | None = None


def compute_cumulated(shares: Sequence[int], total: int) -> tuple[int, ...]:
    """Return how much may have been converted after each instalment. More than the target goes with the last."""
    target, reached, sums = sum(shares), 0, []
    for share in shares[:-1]:
        reached += share
        sums.append(min(total, target) * reached // target)
    return (*sums, total)


def count_free(progress: Progress) -> int:
    """Return how many instalments are free."""
    free = 1
    while free < len(progress.shares) and free in progress.accepted and progress.audit_missing is None:
        free += 1
    return free


def choose_round(progress: Progress) -> tuple[int, int]:
    """Return the instalment (from 1) and the cents of the next round. Raises RoundRefused."""
    if progress.verdict is AuditVerdict.FAILED:
        raise RoundRefused(reason="the audit found that it failed: another finding must come first")
    if progress.audit_running is not None:
        raise progress.audit_running
    if progress.is_round_open:
        raise RoundRefused(reason="the accounts have not answered the round before")
    free = count_free(progress)
    cents = compute_cumulated(progress.shares, progress.total)[free - 1] - progress.converted
    if cents > 0:
        return free, cents
    if free in progress.accepted and progress.audit_missing is not None:
        raise progress.audit_missing
    if free < len(progress.shares):
        raise RoundRefused(reason=f"instalment {free + 1} waits for accepted proofs of instalment {free}")
    raise RoundRefused(reason="all that was directed to it is converted")
