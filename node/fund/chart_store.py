"""Reads the chart of accounts of a fiscal year from parameters/chart.toml in the package."""

from __future__ import annotations

import datetime
import tomllib
from functools import cache
from importlib import resources
from typing import Any

from node.fund.chart import Account, AccountRole, Chart, Journal, JournalRole, Nature, Row
from protocol.errors import NotInForce


def load_chart(first_on: datetime.date) -> Chart:
    """Return the chart of a fiscal year that begins on that day. Raises LookupError before the first chart."""
    accounts = {
        AccountRole(row["role"]): Account(
            number=row["number"],
            label=row["label"],
            nature=Nature(row["nature"]),
            row=Row(row["row"]) if "row" in row else None,
            is_paid_on=row.get("is_paid_on", False),
        )
        for row in _in_force("account", first_on)
    }
    if not accounts:
        raise NotInForce(what="chart", day=first_on.isoformat())
    return Chart(
        accounts=accounts,
        journals={
            JournalRole(row["role"]): Journal(code=row["code"], label=row["label"])
            for row in _in_force("journal", first_on)
        },
        rows={Row(row["row"]): row["label"] for row in _in_force("statement_row", first_on)},
    )


def _in_force(name: str, day: datetime.date) -> list[dict[str, Any]]:
    return [row for row in _told()[name] if row["valid_from"] <= day <= row.get("valid_to", datetime.date.max)]


@cache
def _told() -> dict[str, Any]:
    return tomllib.loads((resources.files("node.fund") / "parameters" / "chart.toml").read_text(encoding="utf-8"))
