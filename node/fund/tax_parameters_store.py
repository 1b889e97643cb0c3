"""Reads what gifts are worth to those who give, as it stands on a day, from parameters/tax.toml in the package."""

from __future__ import annotations

import datetime
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from node.fund.mecenat import CompanyRates
from node.fund.personal_reductions import CounterpartRules, HelpRules, PersonalRules
from protocol.amounts import Cents
from protocol.errors import NotInForce


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyCeiling:
    """What the companies' base needs to compute a ceiling: a fixed sum, thousandths of the turnover, years of carry."""

    fixed: Cents
    per_mille: int
    carry_years: int


def load_company_ceiling(closing: datetime.date) -> CompanyCeiling:
    """Return the ceiling of a fiscal year that closes on that day. Raises LookupError."""
    row = _in_force("company_ceiling", closing)
    return CompanyCeiling(fixed=Cents(row["fixed"]), per_mille=row["per_mille"], carry_years=row["carry_years"])


def load_company_rates(closing: datetime.date) -> CompanyRates:
    """Return the rates of a fiscal year that closes on that day. Raises LookupError."""
    row = _in_force("company_rate", closing)
    bound = row.get("full_rate_max")
    return CompanyRates(
        rate=row["rate"],
        full_rate_max=None if bound is None else Cents(bound),
        rate_above=row["rate"] if bound is None else row["rate_above"],
        reduction_carry_years=row["reduction_carry_years"],
    )


def load_personal_rules(year: int) -> PersonalRules:
    """Return what holds for the gifts of a civil year. Raises LookupError."""
    row = _in_force("personal", datetime.date(year, 12, 31))
    return PersonalRules(
        rate=row["rate"],
        income_limit=row["income_limit"],
        carry_years=row["carry_years"],
        earlier_first=row["earlier_first"],
    )


def load_help_rules(received_on: datetime.date) -> HelpRules:
    """Return the higher rate for a gift of that day. Raises LookupError."""
    row = _in_force("personal_help", received_on)
    return HelpRules(rate=row["rate"], cents_max=Cents(row["cents_max"]))


def load_counterpart_rules(day: datetime.date) -> CounterpartRules:
    """Return what a person may receive for gifts. Raises LookupError."""
    row = _in_force("personal_counterpart", day)
    return CounterpartRules(rate_max=row["rate_max"], cents_max=Cents(row["cents_max"]))


def _in_force(name: str, day: datetime.date) -> dict[str, Any]:
    found: list[dict[str, Any]] = [
        row for row in _told()[name] if row["valid_from"] <= day <= row.get("valid_to", datetime.date.max)
    ]
    if not found:
        raise NotInForce(what=name, day=day.isoformat())
    if len(found) != 1:
        raise LookupError(f"{len(found)} sets of {name} in force on {day.isoformat()}")
    return found[0]


@cache
def _told() -> dict[str, Any]:
    return tomllib.loads((resources.files("node.fund") / "parameters" / "tax.toml").read_text(encoding="utf-8"))
