"""What the operator of the companies base sets. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from node.partners.purchases import ArrivalBounds
from protocol.identifiers import TerritoryCode
from protocol.times import DAY_MS, MINUTE_MS

DEFAULT_BOUNDS: Final = ArrivalBounds(
    clock_off_max_ms=10 * MINUTE_MS,
    ahead_max_ms=10 * MINUTE_MS,
    age_max_ms=30 * DAY_MS,
    late_after_end_ms=15 * DAY_MS,
    late_after_revocation_ms=7 * DAY_MS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnersSettings:
    """`zone` is the time zone whose days tills mean. With fewer holders than `holders_min`, a sheet is silent on them."""

    home: TerritoryCode
    zone: str = "Europe/Paris"
    bounds: ArrivalBounds = DEFAULT_BOUNDS
    ticket_days: int = 90
    rows_max: int = 1_000_000
    run_rows: int = 1_000  # of a file, in one page
    holders_min: int = 10
    months_max: int = 24  # of a fiscal year
