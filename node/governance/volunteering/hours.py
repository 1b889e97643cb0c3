"""Hours that a volunteer tells, day by day, and the project's bearer confirms; what of them makes a pass. Pure.

    TOLD ──confirmed──▶ CONFIRMED        TOLD ──refused──▶ REFUSED, with a reason

Minutes are those of all people of a group together: a day has 24 hours for each. Only days of the offer count, and none to
come. Confirmed hours stand in one pass at most; where that pass was refused they are free again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.governance.days import format_day, read_day
from node.governance.passes.errors import HoursRefused, InvalidOffer
from node.governance.passes.printed_lines import is_line
from node.governance.volunteering.offers import Application, ApplicationState, Offer
from protocol.identifiers import Id16

DAY_MINUTES: Final = 24 * 60
TASK_MAX: Final = 200
MAY_TELL: Final = frozenset({ApplicationState.ACCEPTED, ApplicationState.DONE})


class HoursState(StrEnum):
    TOLD = "told"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """What was done on one day (yyyymmdd). `pass_id` is the pass it stands in; `is_free`: none, or one that was refused."""

    id: Id16
    on_day: int
    minutes: int
    words: str
    state: HoursState = HoursState.TOLD
    pass_id: bytes = b""
    is_free: bool = True

    def __post_init__(self) -> None:
        read_day(self.on_day)
        if type(self.minutes) is not int or self.minutes < 1:
            raise InvalidOffer(field="minutes", reason="whole minutes, one at least")
        if not is_line(self.words, TASK_MAX):
            raise InvalidOffer(field="words", reason=f"what was done, in one line of up to {TASK_MAX} symbols")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedWork:
    """What a pass says of hours: first and last day (yyyymmdd), minutes by calendar year, and which hours these are."""

    first_on: int
    last_on: int
    minutes: tuple[tuple[int, int], ...]
    hours: tuple[Id16, ...]


def require_hours(new: Hours, told: Iterable[Hours], offer: Offer, application: Application, today: int) -> Hours:
    """Return hours that may be told. Raises HoursRefused."""
    if application.state not in MAY_TELL:
        raise HoursRefused(reason=f"an application that is {application.state}")
    first, last = (int(f"{day:%Y%m%d}") for day in (offer.first_on, offer.last_on))
    if not first <= new.on_day <= last:
        raise HoursRefused(reason=f"a day from {format_day(first)} to {format_day(last)}")
    if new.on_day > today:
        raise HoursRefused(reason="a day that is not over yet, or today")
    same_day = sum(one.minutes for one in told if one.on_day == new.on_day and one.state is not HoursState.REFUSED)
    if same_day + new.minutes > DAY_MINUTES * application.people:
        raise HoursRefused(reason=f"a day has {DAY_MINUTES} minutes for each of {application.people}")
    return new


def collect_claim(told: Iterable[Hours]) -> ClaimedWork:
    """Return what a pass says of confirmed hours that stand in none yet. Raises HoursRefused where there are none."""
    free = [one for one in told if one.state is HoursState.CONFIRMED and one.is_free]
    if not free:
        raise HoursRefused(reason="no confirmed hours that stand in no pass yet")
    by_year: dict[int, int] = {}
    for one in free:
        by_year[one.on_day // 10_000] = by_year.get(one.on_day // 10_000, 0) + one.minutes
    days = [one.on_day for one in free]
    return ClaimedWork(
        first_on=min(days),
        last_on=max(days),
        minutes=tuple(sorted(by_year.items())),
        hours=tuple(one.id for one in free),
    )
