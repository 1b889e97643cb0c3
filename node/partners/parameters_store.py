"""Reads what the law sets for companies that give, as it stands on a day, from parameters/companies.toml."""

from __future__ import annotations

import datetime
import tomllib
from functools import cache
from importlib import resources
from typing import Any

from node.partners.ceilings import CeilingRules
from protocol.amounts import Cents
from protocol.errors import NotInForce


def load_ceiling_rules(closes_on: datetime.date) -> CeilingRules:
    """Return the rules of a fiscal year that closes on that day. Raises LookupError where the file has none for it."""
    row = _in_force("ceiling", closes_on)
    return CeilingRules(fixed=Cents(row["fixed_cents"]), per_mille=row["per_mille"], carry_years=row["carry_years"])


def load_counterpart_limit(day: datetime.date) -> int:
    """Return what a company may receive in return on that day, in basis points of its gifts. Raises LookupError."""
    limit: int = _in_force("counterpart", day)["basis_points"]
    return limit


@cache
def _told() -> dict[str, Any]:
    path = resources.files("node.partners") / "parameters" / "companies.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _in_force(name: str, day: datetime.date) -> dict[str, Any]:
    found: list[dict[str, Any]] = [
        row for row in _told()[name] if row["valid_from"] <= day <= row.get("valid_to", datetime.date.max)
    ]
    if not found:
        raise NotInForce(what=name, day=day.isoformat())
    if len(found) != 1:
        raise LookupError(f"{len(found)} sets of {name} in force on {day.isoformat()}")
    return found[0]
