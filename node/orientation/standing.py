"""Standing orders: a holder directs a share of what he holds, or of what came in, again and again. Pure.

Time is cut into periods of whole days since the order was given. Each period is run once, after its end; after days off
those that were missed are run one after another, as they would have been.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from node.orientation.directions import CHOICES_MAX
from node.orientation.projects import Project, find_hindrance
from protocol.errors import InvalidText, Malformed
from protocol.identifiers import AccountNumber, Address, Id16, TerritoryCode, require_id
from protocol.times import DAY_MS, Instant

SHARE_MAX: Final = 1_000
PERIOD_DAYS_MAX: Final = 366
THEME_MAX: Final = 40


class Basis(StrEnum):
    """What the share is of."""

    HELD = "held"  # what may leave the account when the period is run
    RECEIVED = "received"  # what others credited or ceded to it in the period


class Preference(StrEnum):
    """Which projects come first."""

    LISTED = "listed"  # as the holder lists them
    URGENCY = "urgency"  # the nearest last day first; those elsewhere, whose day is not known here, after them
    DISTANCE = "distance"  # those of this territory first


class StandingOrder(Struct, frozen=True, kw_only=True):
    """What a holder asks. `share` is in thousandths; no `projects` means every open one of the theme, or of any."""

    op: Id16
    account: AccountNumber
    share: int
    basis: Basis = Basis.HELD
    period_days: int = 30
    preference: Preference = Preference.LISTED
    theme: str = ""
    projects: tuple[Address, ...] = ()

    def __post_init__(self) -> None:
        require_id(self.op)
        if not 1 <= self.share <= SHARE_MAX:
            raise Malformed(field="share", reason=f"1 to {SHARE_MAX} thousandths")
        if not 1 <= self.period_days <= PERIOD_DAYS_MAX:
            raise Malformed(field="period_days", reason=f"1 to {PERIOD_DAYS_MAX} days")
        if len(self.projects) > CHOICES_MAX or len(set(self.projects)) != len(self.projects):
            raise Malformed(field="projects", reason=f"at most {CHOICES_MAX} projects, each once")
        if len(self.theme) > THEME_MAX or (self.theme and not self.theme.isprintable()):
            raise InvalidText(field="theme", reason=f"at most {THEME_MAX} printable characters")


def find_period(since: Instant, days: int, number: int) -> tuple[Instant, Instant]:
    """Return when a period starts and when it is over (not included)."""
    start = since + number * days * DAY_MS
    return Instant(start), Instant(start + days * DAY_MS)


def choose_projects(
    order: StandingOrder, home: TerritoryCode, open_here: Collection[Project], today: int
) -> list[Address]:
    """Return the projects of a run, the first to be served first. Those here that take nothing today are left out.

    `open_here` are the projects of this territory, in the order in which they were opened.
    """
    here = {
        Address(one.number, home): one
        for one in open_here
        if find_hindrance(one, today) is None and order.theme.casefold() in ("", one.theme.casefold())
    }
    listed = [one for one in order.projects if one.territory != home or one in here] if order.projects else list(here)
    match order.preference:
        case Preference.URGENCY:
            listed.sort(key=lambda one: here[one].until if one in here else 99_999_999)
        case Preference.DISTANCE:
            listed.sort(key=lambda one: one.territory != home)
        case Preference.LISTED:
            pass
    return listed[:CHOICES_MAX]


def compute_share(order: StandingOrder, base: int, available: int) -> int:
    """Return the cents of a run: the share of the base rounded down, and no more than may leave the account."""
    return min(base * order.share // SHARE_MAX, available)


def allot(cents: int, projects: Sequence[Address]) -> list[tuple[Address, int]]:
    """Return the cents in equal parts; the odd ones go to the first, one each. What gets nothing is left out."""
    if not projects:
        return []
    part, odd = divmod(cents, len(projects))
    shares = [part + (place < odd) for place in range(len(projects))]
    return [(project, share) for project, share in zip(projects, shares, strict=True) if share]
