"""Reads which projects are audited, by how many and within which days, as they stand on a day: parameters/audits.toml."""

from __future__ import annotations

import datetime
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from node.governance.auditing.gate import AuditTier
from node.governance.days import read_day
from node.governance.parameters_store import Word


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRules:
    """Days are whole days; `tiers` say what is required from which target on."""

    answer_days: int
    mission_days_min: int
    remind_days: int
    overdue_days: int
    auditors_max: int
    tiers: tuple[AuditTier, ...]
    criteria: tuple[Word, ...]


def load_audit_rules(day: int) -> AuditRules:
    """Return the rules of a day (yyyymmdd). Raises LookupError."""
    on = read_day(day)
    found = [row for row in _told()["rules"] if row["valid_from"] <= on <= row.get("valid_to", datetime.date.max)]
    if len(found) != 1:
        raise LookupError(f"{len(found)} sets of rules of audits in force on {day}")
    row = found[0]
    return AuditRules(
        **{name: row[name] for name in ("answer_days", "mission_days_min", "remind_days", "overdue_days")},
        auditors_max=row["auditors_max"],
        tiers=tuple(AuditTier(**one) for one in row["tiers"]),
        criteria=tuple(Word(key=one["key"], french=one["fr"], english=one["en"]) for one in row["criteria"]),
    )


@cache
def _told() -> dict[str, Any]:
    text = (resources.files("node.governance") / "parameters" / "audits.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
