"""How far two places are from each other. Pure. Whole microdegrees in, whole metres out.

The distance is along a great circle on a sphere of the Earth's mean radius: at most half a percent off, which is less than
the size of a commune.
"""

from __future__ import annotations

import math
from typing import Final

RADIUS_M: Final = 6_371_009
MICRO: Final = 1_000_000


def compute_metres(first: tuple[int, int], second: tuple[int, int]) -> int:
    """Return the metres between two places, each latitude and longitude, rounded to the nearest."""
    up_first, up_second = math.radians(first[0] / MICRO), math.radians(second[0] / MICRO)
    across = math.radians((second[1] - first[1]) / MICRO)
    # The haversine: sound for neighbours, where the cosine rule loses its digits.
    chord = (
        math.sin((up_second - up_first) / 2) ** 2 + math.cos(up_first) * math.cos(up_second) * math.sin(across / 2) ** 2
    )
    return round(2 * RADIUS_M * math.asin(math.sqrt(min(chord, 1.0))))
