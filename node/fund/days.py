"""Days by the names that the fund has for them. Pure."""

from __future__ import annotations

from protocol.times import day_at as day_at
from protocol.times import parse_day as parse_day
from protocol.times import read_day as day_of
from protocol.times import write_day as number_of

__all__ = ["day_at", "day_of", "number_of", "parse_day"]
