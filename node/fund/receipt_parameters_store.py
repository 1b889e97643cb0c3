"""Reads the versions of the receipts' forms, and what the law sets for declarations, from parameters/receipts.toml."""

from __future__ import annotations

import datetime
import tomllib
from functools import cache
from importlib import resources
from typing import Any

from node.fund.declarations import DueRule
from node.fund.receipt_forms import CategoryBox, ReceiptForm
from node.fund.receipts import ReceiptKind
from protocol.errors import NotInForce


def load_form(kind: ReceiptKind, version: str) -> ReceiptForm:
    """Return one version of a form, in force or not. Raises LookupError."""
    found = [row for row in _told()["form"] if row["kind"] == kind and row["version"] == version]
    if len(found) != 1:
        raise LookupError(f"{len(found)} forms of {kind} called {version}")
    return _make_form(found[0])


def load_form_in_force(kind: ReceiptKind, day: datetime.date) -> ReceiptForm:
    """Return the form that a receipt issued on that day follows. Raises LookupError."""
    return _make_form(_in_force([row for row in _told()["form"] if row["kind"] == kind], day))


def load_due_rule(day: datetime.date) -> DueRule:
    """Return when the declaration of art. 222 bis is due for a year that closes on that day. Raises LookupError."""
    row = _in_force(_told()["due"], day)
    return DueRule(
        months=row["months"],
        year_end=(row["year_end"]["month"], row["year_end"]["day"]),
        year_end_after=(row["year_end_after"]["month"], row["year_end_after"]["day"]),
        year_end_working_days=row["year_end_working_days"],
    )


def load_company_threshold(day: datetime.date) -> int:
    """Return the cents of gifts in a fiscal year above which a company names each of them. Raises LookupError."""
    threshold: int = _in_force(_told()["company_threshold"], day)["cents"]
    return threshold


@cache
def _told() -> dict[str, Any]:
    return tomllib.loads((resources.files("node.fund") / "parameters" / "receipts.toml").read_text(encoding="utf-8"))


def _in_force(rows: list[dict[str, Any]], day: datetime.date) -> dict[str, Any]:
    found = [row for row in rows if row["valid_from"] <= day <= row.get("valid_to", datetime.date.max)]
    if not found:
        raise NotInForce(what="receipts", day=day.isoformat())
    if len(found) != 1:
        raise LookupError(f"{len(found)} sets in force on {day.isoformat()}")
    return found[0]


def _make_form(row: dict[str, Any]) -> ReceiptForm:
    boxes = {
        box["code"]: CategoryBox(words=box["words"], needs_detail=box.get("needs_detail", False))
        for box in _told()["category"]
        if row["version"] in box["versions"]
    }
    return ReceiptForm(
        kind=ReceiptKind(row["kind"]),
        model=row["model"],
        version=row["version"],
        title=row["title"],
        article=row["article"],
        certification=row["certification"],
        categories=boxes,
    )
