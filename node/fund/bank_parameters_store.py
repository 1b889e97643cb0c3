"""Reads what banks and schemes decide, as it stands on a day, from parameters/bank.toml in the package."""

from __future__ import annotations

import datetime
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any

from node.fund.direct_debits import DebitRules
from node.fund.target_days import TargetCalendar
from protocol.errors import NotInForce


@dataclass(frozen=True, slots=True, kw_only=True)
class BankParameters:
    sepa_countries: frozenset[str]
    calendar: TargetCalendar
    debit_rules: DebitRules
    refund_weeks: int  # in which a payer may take a debit back without a reason


def load_bank_parameters(day: datetime.date) -> BankParameters:
    """Return what is in force on that day. Raises LookupError when the file has nothing for it."""
    told = tomllib.loads((resources.files("node.fund") / "parameters" / "bank.toml").read_text(encoding="utf-8"))
    target = _in_force(told, "target", day)
    debit = _in_force(told, "direct_debit", day)
    fixed = frozenset((int(text[:2]), int(text[3:])) for text in target["fixed"])
    return BankParameters(
        sepa_countries=frozenset(_in_force(told, "sepa", day)["countries"]),
        calendar=TargetCalendar(fixed=fixed, from_easter=frozenset(target["from_easter"])),
        debit_rules=DebitRules(
            notice_days=debit["notice_days"],
            submission_days=debit["submission_days"],
            mandate_months=debit["mandate_months"],
        ),
        refund_weeks=debit["refund_weeks"],
    )


def _in_force(told: dict[str, Any], name: str, day: datetime.date) -> dict[str, Any]:
    found: list[dict[str, Any]] = [
        row for row in told[name] if row["valid_from"] <= day <= row.get("valid_to", datetime.date.max)
    ]
    if not found:
        raise NotInForce(what=name, day=day.isoformat())
    if len(found) != 1:
        raise LookupError(f"{len(found)} sets of {name} in force on {day.isoformat()}")
    return found[0]
