"""Where a commune is, and how far another one is from it. Pure. Whole microdegrees in, whole metres out.

The distance is along a great circle on a sphere of the Earth's mean radius: at most half a percent off, which is less than
the size of a commune. Nobody's home is known here, only the commune that a person names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from node.governance.passes.errors import InvalidOffer
from node.governance.passes.printed_lines import is_line
from protocol.distances import MICRO, compute_metres

NAME_MAX: Final = 80
_CODE: Final = re.compile(r"[0-9][0-9AB][0-9]{3}|[A-Z]{2}-[A-Z0-9]{1,8}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A commune by its INSEE code (29019, 2A004), or a place elsewhere as SN-POD1. Raises InvalidOffer."""

    code: str
    name: str
    latitude: int  # microdegrees, north is positive
    longitude: int  # microdegrees, east is positive

    def __post_init__(self) -> None:
        if _CODE.fullmatch(self.code) is None:
            raise InvalidOffer(field="place", reason="an INSEE code, or a country and a code")
        if not is_line(self.name, NAME_MAX):
            raise InvalidOffer(field="place", reason=f"a name of one line, 1 to {NAME_MAX} symbols")
        for degrees, limit in ((self.latitude, 90), (self.longitude, 180)):
            if type(degrees) is not int or abs(degrees) > limit * MICRO:
                raise InvalidOffer(field="place", reason="whole microdegrees, on Earth")


def compute_distance(first: Place, second: Place) -> int:
    """Return the metres between two places, rounded to the nearest."""
    return compute_metres((first.latitude, first.longitude), (second.latitude, second.longitude))
