"""What the companies' base was told, against what was converted: for `check`."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection

from node.effects import store
from node.effects.effects import find_campaign
from protocol.findings import Checked, Finding

INVARIANT = "I2"
RULE = "no more of a campaign's miles is told than was converted"


def load_converted_by_due(connection: Connection, home: str) -> dict[tuple[bytes, str], int]:
    """Return what our fund took of the lots of each campaign of the companies, by due and campaign."""
    found: dict[tuple[bytes, str], int] = defaultdict(int)
    for one in store.load_taken(connection, home):
        if find_campaign(one.campaign) is not None:
            found[one.due, one.campaign] += one.cents
    return found


def check_effects(connection: Connection, *, home: str) -> Checked:
    """Hold each line that was told against the dues. What was told is an earlier state, and never more than there is now."""
    converted: dict[tuple[bytes | None, str, bytes], int] = defaultdict(int)
    for one in store.load_taken(connection, home):
        converted[find_campaign(one.campaign), one.territory, one.project] += one.cents
    findings: list[Finding] = []
    told = store.load_told(connection)
    for place, line in told.items():
        most = converted[place.campaign, place.territory, place.project]
        if line.figures.converted > most and not findings:
            where = f"told_effects, {place.campaign.hex()}, {place.territory}, {place.project.hex()}"
            findings.append(Finding(INVARIANT, where, f"at most {most} converted", f"{line.figures.converted} told"))
    return Checked(INVARIANT, RULE, len(told), tuple(findings))
