"""Reads what the law keeps of somebody who is erased, as it stands on a day, from parameters/retention.toml."""

from __future__ import annotations

import datetime
import tomllib
from functools import cache
from importlib import resources
from typing import Any

from node.people.erasures import RetentionRule


def load_retention(day: datetime.date) -> tuple[RetentionRule, ...]:
    """Return the rules in force on that day, in the order of the file."""
    return tuple(
        RetentionRule(
            what=row["what"],
            base=row["base"],
            years=row["years"],
            needs=row["needs"],
            source=row["source"],
            is_verified=row["is_verified"],
            french=row["french"],
            english=row["english"],
        )
        for row in _told()["keep"]
        if row["valid_from"] <= day <= row.get("valid_to", datetime.date.max)
    )


@cache
def _told() -> dict[str, Any]:
    path = resources.files("node.people") / "parameters" / "retention.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))
