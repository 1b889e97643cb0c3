"""What is shown of catalogues: projects that fit a search, and how old each territory's word is. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from node.catalogue.words import LIMIT_MAX, OLD_AFTER_DAYS
from protocol.catalogue import fold_text
from protocol.distances import compute_metres
from protocol.errors import Malformed
from protocol.identifiers import require_territory
from protocol.times import read_day

TEXT_MAX: Final = 80
METRES_MAX: Final = 20_100_000  # half way round the Earth


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for; what is empty or zero does not matter. `near` is latitude and longitude in microdegrees."""

    text: str = ""
    theme: str = ""
    territory: str = ""
    urgency: int = 0
    near: tuple[int, int] | None = None
    within_m: int = METRES_MAX
    start: int = 0
    limit: int = 50

    def __post_init__(self) -> None:
        if len(self.text) > TEXT_MAX or len(self.theme) > TEXT_MAX:
            raise Malformed(field="text", reason=f"at most {TEXT_MAX} symbols")
        if self.territory:
            require_territory(self.territory)
        if not 0 <= self.urgency <= 3:
            raise Malformed(field="urgency", reason="from 0, calm, to 3, days")
        if not 0 <= self.within_m <= METRES_MAX:
            raise Malformed(field="within", reason=f"up to {METRES_MAX} metres")
        if self.near is not None and (abs(self.near[0]) > 90_000_000 or abs(self.near[1]) > 180_000_000):
            raise Malformed(field="near", reason="latitude and longitude, on Earth")
        if not 1 <= self.limit <= LIMIT_MAX or self.start < 0:
            raise Malformed(field="limit", reason=f"1 to {LIMIT_MAX}")


@dataclass(frozen=True, slots=True)
class Found:
    """A project that fits, with its distance where one can be told."""

    row: Any
    metres: int | None


def choose_found(search: Search, rows: Iterable[Any]) -> list[Found]:
    """Return the projects that fit: the nearest first where a place is given, else the most urgent, else as they come."""
    words = fold_text(search.text).split()
    theme = search.theme.casefold()
    found: list[Found] = []
    for row in rows:
        if row.urgency < search.urgency or (theme and row.theme.casefold() != theme):
            continue
        if any(word not in row.searched for word in words):
            continue
        metres = None
        if search.near is not None and row.latitude is not None:
            metres = compute_metres(search.near, (row.latitude, row.longitude))
        if search.near is not None and search.within_m < METRES_MAX and (metres is None or metres > search.within_m):
            continue
        found.append(Found(row, metres))
    if search.near is not None:
        found.sort(key=lambda one: METRES_MAX + 1 if one.metres is None else one.metres)
    else:
        found.sort(key=lambda one: -one.row.urgency)
    return found


def parse_place(text: str) -> tuple[int, int]:
    """Return the microdegrees of `48.39,-4.48`. Raises Malformed."""
    parts = text.split(",")
    if len(parts) != 2:
        raise Malformed(field="near", reason="latitude,longitude in degrees, as 48.39,-4.48")
    return _microdegrees(parts[0].strip()), _microdegrees(parts[1].strip())


def format_place(place: tuple[int, int]) -> str:
    """Return a place as `parse_place` reads it: `48.39,-4.48`."""
    return ",".join(_degrees(one) for one in place)


def _degrees(value: int) -> str:
    whole, part = divmod(abs(value), 1_000_000)
    return f"{'-' if value < 0 else ''}{whole}.{part:06d}".rstrip("0").rstrip(".")


def _microdegrees(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    whole, _, decimals = text.removeprefix("-").partition(".")
    is_number = (whole + decimals).isascii() and (whole + decimals).isdigit()
    if not is_number or not whole or len(whole) > 3 or len(decimals) > 12:
        raise Malformed(field="near", reason="latitude,longitude in degrees, as 48.39,-4.48")
    return sign * (int(whole) * 1_000_000 + int(decimals[:6].ljust(6, "0")))


def compute_age(day: int, today: date) -> int:
    """Return how many days ago a word was signed."""
    return max(0, (today - read_day(day)).days)


def is_old(day: int, today: date) -> bool:
    """Tell whether nothing new was heard for so long that the word may be withheld from us."""
    return compute_age(day, today) > OLD_AFTER_DAYS
