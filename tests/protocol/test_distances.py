"""Distances as atlases give them, half a percent off at most."""

from __future__ import annotations

import pytest

from protocol.distances import compute_metres

BREST, LYON, DAKAR = (48_390_000, -4_486_000), (45_764_000, 4_836_000), (14_693_000, -17_447_000)


@pytest.mark.parametrize(
    ("first", "second", "kilometres"),
    [(BREST, LYON, 765), (BREST, DAKAR, 3_914), (BREST, BREST, 0), ((0, 0), (0, 180_000_000), 20_015)],
)
def test_a_distance_is_the_great_circle(first: tuple[int, int], second: tuple[int, int], kilometres: int) -> None:
    assert abs(compute_metres(first, second) / 1_000 - kilometres) <= max(1, kilometres * 0.005)
    assert compute_metres(first, second) == compute_metres(second, first)


def test_a_degree_of_the_meridian_is_111_195_metres() -> None:
    assert compute_metres((0, 0), (1_000_000, 0)) == 111_195
    assert compute_metres((60_000_000, 0), (60_000_000, 1_000_000)) == 55_597
