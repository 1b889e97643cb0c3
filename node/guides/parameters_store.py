"""Reads the dated table of consent."""

from __future__ import annotations

import datetime
import tomllib
from functools import cache
from importlib import resources

from node.guides.consents import ConsentRules


def load_consent_rules(day: int) -> ConsentRules:
    """Return the rules of a day (yyyymmdd). Raises LookupError."""
    on = datetime.date(day // 10_000, day // 100 % 100, day % 100)
    return _load(on)


@cache
def _load(on: datetime.date) -> ConsentRules:
    text = (resources.files("node.guides") / "parameters" / "consent.toml").read_text(encoding="utf-8")
    rows = [
        row for row in tomllib.loads(text)["rules"] if row["valid_from"] <= on <= row.get("valid_to", datetime.date.max)
    ]
    if len(rows) != 1:
        raise LookupError(f"{len(rows)} sets of rules of consent in force on {on}")
    [row] = rows
    return ConsentRules(
        more_than_percent=row["more_than_percent"],
        consent_days_max=row["consent_days_max"],
        mandate_days_max=row["mandate_days_max"],
    )
