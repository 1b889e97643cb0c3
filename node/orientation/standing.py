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
COARSE: Final = 10_000  # microdegrees: a hundredth of a degree
METRES_MAX: Final = 20_100_000


class Basis(StrEnum):
    """What the share is of."""

    HELD = "held"  # what may leave the account when the period is run
    RECEIVED = "received"  # what others credited or ceded to it in the period


class Preference(StrEnum):
    """Which projects come first."""

    LISTED = "listed"  # as the holder lists them
    URGENCY = "urgency"  # the nearest last day first; those of which no day is known after them
    DISTANCE = "distance"  # the nearest to `near` first; without it those of this territory


class StandingOrder(Struct, frozen=True, kw_only=True):
    """What a holder asks. `share` is in thousandths; no `projects` means every open one of the theme, or of any.

    `is_everywhere`: of all territories, as the catalogue has them. `near` is a place in microdegrees, which is kept to a
    hundredth of a degree, some kilometre: a place that somebody likes, and not a home. `within_m` 0 is any distance.
    """

    op: Id16
    account: AccountNumber
    share: int
    basis: Basis = Basis.HELD
    period_days: int = 30
    preference: Preference = Preference.LISTED
    theme: str = ""
    projects: tuple[Address, ...] = ()
    is_everywhere: bool = False
    near: tuple[int, int] | None = None
    within_m: int = 0

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
        if self.near is not None and (any(one % COARSE for one in self.near) or abs(self.near[0]) > 90_000_000):
            raise Malformed(field="near", reason="latitude and longitude to a hundredth of a degree")
        if not 0 <= self.within_m <= METRES_MAX or (self.within_m and self.near is None):
            raise Malformed(field="within", reason="metres from a place that is given")


class Told(Struct, frozen=True):
    """What the catalogue tells of a project: where it is, until when it is needed (yyyymmdd), and how far from the place."""

    to: Address
    need_by: int
    metres: int | None


def is_catalogue_needed(order: StandingOrder, home: TerritoryCode) -> bool:
    """Tell whether an order cannot be run by what stands in the accounts alone."""
    is_sorted = order.preference is not Preference.LISTED and any(one.territory != home for one in order.projects)
    return order.is_everywhere or order.near is not None or is_sorted


def find_period(since: Instant, days: int, number: int) -> tuple[Instant, Instant]:
    """Return when a period starts and when it is over (not included)."""
    start = since + number * days * DAY_MS
    return Instant(start), Instant(start + days * DAY_MS)


def choose_projects(
    order: StandingOrder,
    home: TerritoryCode,
    open_here: Collection[Project],
    today: int,
    told: Sequence[Told] = (),
) -> list[Address]:
    """Return the projects of a run, the first to be served first. Those here that take nothing today are left out.

    `open_here` are the projects of this territory, in the order in which they were opened; `told` what the catalogue has
    of the theme, here and elsewhere.
    """
    known = {one.to: one for one in told}
    here = {
        Address(one.number, home): one
        for one in open_here
        if find_hindrance(one, today) is None and order.theme.casefold() in ("", one.theme.casefold())
    }
    if order.projects:
        listed = [one for one in order.projects if one.territory != home or one in here]
    else:
        listed = [*here, *(one.to for one in told if order.is_everywhere and one.to.territory != home)]

    def compute_distance(one: Address) -> int:
        metres = known[one].metres if one in known else None
        return metres if metres is not None else 0 if one.territory == home else METRES_MAX + 1

    def find_last_day(one: Address) -> int:
        return here[one].until if one in here else known[one].need_by if one in known else 99_999_999

    if order.within_m:
        listed = [one for one in listed if compute_distance(one) <= order.within_m]
    match order.preference:
        case Preference.URGENCY:
            listed.sort(key=find_last_day)
        case Preference.DISTANCE:
            listed.sort(key=compute_distance)
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
