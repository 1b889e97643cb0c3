"""The hub's view of us against our own book, exact at the point the statement speaks of. Pure.

Both sides are right about different moments: the hub has taken `taken` of our slips, we have applied all of its slips
before the statement. What one knows and the other cannot yet is named on both sides of each equation:

    rights of X held here      = position[X, us] + on the way from us        + credited here, our Answer not yet taken
    our rights held in Y       = position[us, Y] + on the way from Y         - credited here from Y, Answer not yet taken
    our rights on the way      = on the way from us, says the hub            + our slips not yet taken

Source: SPEC.md, "Statements"; invariant I4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from protocol.findings import Finding
from protocol.messages import Statement

INVARIANT = "I4"


@dataclass(frozen=True, slots=True)
class OwnView:
    """Our book at the moment of the statement, in cents.

    `foreign` by issuer: all rights present here, on their way out included, and what a recovery could not place once,
    not twice. `abroad` by holder. `transit`: our own
    lots on their way out. `early` by (issuer, giver): credited here while our Answer was not yet taken by the hub.
    `late`: our own lots in slips that the hub had not taken.
    """

    home: str
    foreign: Mapping[str, int]
    abroad: Mapping[str, int]
    transit: int
    early: Mapping[tuple[str, str], int]
    late: int


def compare(statement: Statement, own: OwnView) -> list[Finding]:
    """Return every equation that does not hold."""
    held: dict[str, int] = {}
    abroad: dict[str, int] = {}
    for issuer, holder, cents in zip(statement.issuers, statement.holders, statement.cents, strict=True):
        if holder == own.home:
            held[issuer] = held.get(issuer, 0) + cents
        if issuer == own.home:
            abroad[holder] = abroad.get(holder, 0) + cents
    transit = 0
    for issuer, giver, _taker, cents in statement.transit:
        if giver == own.home:
            if issuer == own.home:
                transit += cents
            else:
                held[issuer] = held.get(issuer, 0) + cents
        elif issuer == own.home:
            abroad[giver] = abroad.get(giver, 0) + cents
    for (issuer, giver), cents in own.early.items():
        if issuer == own.home:
            abroad[giver] = abroad.get(giver, 0) - cents
        else:
            held[issuer] = held.get(issuer, 0) + cents
    rows = [
        (f"rights of {issuer} held here", held.get(issuer, 0), own.foreign.get(issuer, 0))
        for issuer in sorted({*held, *own.foreign})
    ]
    rows += [
        (f"our rights held in {holder}", abroad.get(holder, 0), own.abroad.get(holder, 0))
        for holder in sorted({*abroad, *own.abroad})
    ]
    rows.append(("our rights on the way", transit + own.late, own.transit))
    return [
        Finding(INVARIANT, place, f"{hub} cents by the hub", f"{ours} cents in our book")
        for place, hub, ours in rows
        if hub != ours
    ]
