"""Reads the dated tables of the projects' base: themes, legal categories, the committee's rules, what may wait."""

from __future__ import annotations

import datetime
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from node.governance.bearers import CategoryRule, EligibilityRules, ProofKind, Verdict
from node.governance.days import read_day
from node.governance.south.rules import SouthRules
from node.governance.votes import Criterion, VoteRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word of a vocabulary in French and English."""

    key: str
    french: str
    english: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitteeRules:
    """How the committee decides on a day."""

    vote: VoteRules
    criteria: tuple[Word, ...]
    appeal_days: int
    proof_percent: int  # of an instalment, before the next one is free
    payment_days: int  # after which what a fund owes is late


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipationRules:
    """How much of one account may wait that came by the doors, and how many members say that a pass counts."""

    proposals_waiting_max: int
    comments_waiting_max: int
    pass_members: int


def load_themes(day: int) -> tuple[Word, ...]:
    """Return the themes that take projects on a day (yyyymmdd)."""
    return tuple(_word(row) for row in _in_force("themes", "theme", day))


def load_all_themes() -> tuple[Word, ...]:
    """Return every theme that ever was, for what is read of older projects."""
    return tuple(_word(row) for row in _told("themes")["theme"])


def load_eligibility(day: int) -> EligibilityRules:
    """Return which bodies may be paid on a day, and by which proofs. Raises LookupError."""
    row = _only("legal_categories", "table", day)
    return EligibilityRules(
        categories=tuple(
            CategoryRule(prefix=prefix, verdict=verdict, reason=reason)
            for verdict in Verdict
            for prefix, reason in row.get(verdict, {}).items()
        ),
        proofs=tuple(frozenset(ProofKind(kind) for kind in kinds) for kinds in row["proofs"]),
    )


def load_committee_rules(day: int) -> CommitteeRules:
    """Return the committee's rules of a day. Raises LookupError."""
    row = _only("committee", "rules", day)
    return CommitteeRules(
        vote=VoteRules(
            criteria=tuple(Criterion(one["key"], one["max"]) for one in row["criteria"]),
            quorum=tuple(sorted(row["quorum"].items())),
            members_min=tuple(sorted(row["members_min"].items())),
        ),
        criteria=tuple(_word(one) for one in row["criteria"]),
        appeal_days=row["appeal_days"],
        proof_percent=row["proof_percent"],
        payment_days=row["payment_days"],
    )


def load_participation_rules(day: int) -> ParticipationRules:
    """Return how much of an account may wait on a day. Raises LookupError."""
    row = _only("participation", "rules", day)
    return ParticipationRules(
        proposals_waiting_max=row["proposals_waiting_max"],
        comments_waiting_max=row["comments_waiting_max"],
        pass_members=row["pass_members"],
    )


def load_purposes(day: int) -> tuple[Word, ...]:
    """Return the kinds of action that a programme outside Europe may be of, on a day (yyyymmdd)."""
    return tuple(_word(row) for row in _in_force("south", "purpose", day))


def load_south_rules(day: int) -> SouthRules:
    """Return what is asked of South programmes and of guides on a day. Raises LookupError."""
    row = _only("south", "rules", day)
    return SouthRules(
        purposes=frozenset(word.key for word in load_purposes(day)),
        clauses=frozenset(row["clauses"]),
        account_countries=frozenset(row["account_countries"]),
        clearance_days=row["clearance_days"],
        report_every_days=row["report_every_days"],
        report_grace_days=row["report_grace_days"],
        guide_members=row["guide_members"],
        guide_colleges=row["guide_colleges"],
        guide_days_max=row["guide_days_max"],
    )


def _word(row: dict[str, Any]) -> Word:
    return Word(key=row["key"], french=row["fr"], english=row["en"])


@cache
def _told(file: str) -> dict[str, Any]:
    path = resources.files("node.governance") / "parameters" / f"{file}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _in_force(file: str, name: str, day: int) -> list[dict[str, Any]]:
    on = read_day(day)
    return [row for row in _told(file)[name] if row["valid_from"] <= on <= row.get("valid_to", datetime.date.max)]


def _only(file: str, name: str, day: int) -> dict[str, Any]:
    found = _in_force(file, name, day)
    if len(found) != 1:
        raise LookupError(f"{len(found)} sets of {name} in force on {day}")
    return found[0]
