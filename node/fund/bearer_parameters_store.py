"""Reads which bodies a fund may pay by their legal category, from parameters/bearers.toml."""

from __future__ import annotations

import datetime
import tomllib
from functools import cache
from importlib import resources
from typing import Any, Final

from protocol.errors import NotInForce

ELIGIBLE: Final = "eligible"
_VERDICTS: Final = (ELIGIBLE, "company", "person", "other")


def find_verdict(category: str, day: datetime.date) -> str:
    """Return what a legal category is on a day: eligible, company, person or other, by the longest prefix. Raises NotInForce."""
    rows = [row for row in _told() if row["valid_from"] <= day <= row.get("valid_to", datetime.date.max)]
    if len(rows) != 1:
        raise NotInForce(what="legal categories", day=day.isoformat())
    fitting = [(len(one), verdict) for verdict in _VERDICTS for one in rows[0][verdict] if category.startswith(one)]
    return max(fitting, default=(0, "other"))[1]


@cache
def _told() -> list[dict[str, Any]]:
    text = (resources.files("node.fund") / "parameters" / "bearers.toml").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = tomllib.loads(text)["table"]
    return rows
