"""Reads the vocabularies of skills, and the rules of the CEC as they stand in a year, from parameters/."""

from __future__ import annotations

import datetime
import tomllib
from functools import cache
from importlib import resources
from typing import Any

from node.governance.passes.engagement import EngagementRules
from node.governance.skills import Skill, SkillCode, Skills, Vocabulary


@cache
def load_skills() -> Skills:
    """Return every skill of parameters/skills.toml."""
    told = _told("skills.toml")
    return Skills(
        vocabularies={
            row["name"]: Vocabulary(
                name=row["name"],
                title=row["title"],
                version=row["version"],
                dated=row["dated"],
                url=row["url"],
                source=row["source"],
            )
            for row in told["vocabulary"]
        },
        known={
            row["code"]: Skill(
                code=SkillCode(row["code"]),
                words={"fr": row["fr"], "en": row["en"]},
                parent=SkillCode(row["parent"]) if "parent" in row else None,
            )
            for row in told["skill"]
        },
    )


def load_engagement_rules(year: int) -> EngagementRules:
    """Return what the law asks of a volunteer in that calendar year. Raises LookupError where the file has none for it."""
    day = datetime.date(year, 12, 31)
    rows = [
        row
        for row in _told("engagement.toml")["cec"]
        if row["valid_from"] <= day <= row.get("valid_to", datetime.date.max)
    ]
    if len(rows) != 1:
        raise LookupError(f"{len(rows)} sets of rules of the CEC in force in {year}")
    row = rows[0]
    return EngagementRules(
        minutes_total=60 * row["hours_total"],
        minutes_in_one=60 * row["hours_in_one"],
        association_years=row["association_years"],
        declare_by=(row["declare_month"], row["declare_day"]),
        attest_by=(row["attest_month"], row["attest_day"]),
    )


@cache
def _told(file: str) -> dict[str, Any]:
    return tomllib.loads((resources.files("node.governance") / "parameters" / file).read_text(encoding="utf-8"))
