"""Canonical msgpack against the msgpack-test-suite of npm (MIT), where it is at hand (`CITIZEN_MILES_VECTORS`).

For each value the suite lists the encodings that any reader understands. We write and read the shortest one and refuse
the others; floats, extensions and timestamps are refused whole. The data stays outside the project.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgpack
import pytest

from protocol.canonical import decode, encode
from protocol.errors import NotCanonical

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("CITIZEN_MILES_VECTORS") or ROOT.parent / "shared" / "vectors")
SUITE = VECTORS / "msgpack-test-suite" / "msgpack-test-suite.json"
STRANGE = ("timestamp", "ext")
FLOATS = (0xCA, 0xCB)


def cases() -> list[Any]:
    groups = json.loads(SUITE.read_text())
    return [
        pytest.param(case, id=f"{group}-{place}") for group, rows in groups.items() for place, case in enumerate(rows)
    ]


def value_of(case: dict[str, Any]) -> Any:
    """Return the Python value of a case; a float that is not whole has none with us."""
    if "binary" in case:
        return bytes.fromhex(case["binary"].replace("-", ""))
    if "bignum" in case:
        return int(case["bignum"])
    [value] = [value for kind, value in case.items() if kind != "msgpack"]
    return value


def is_ours(case: dict[str, Any]) -> bool:
    return not any(kind in case for kind in STRANGE) and not isinstance(value_of(case), float)


def encodings_of(case: dict[str, Any]) -> list[bytes]:
    return [bytes.fromhex(text.replace("-", "")) for text in case["msgpack"]]


if not SUITE.is_file():

    def test_the_outside_suite_of_msgpack_is_not_at_hand() -> None:
        print(f"not at hand: {SUITE.name}, so its encodings were not checked")

else:

    @pytest.mark.parametrize("case", cases())
    def test_of_each_value_the_shortest_encoding_is_taken(case: dict[str, Any]) -> None:
        taken = []
        for data in encodings_of(case):
            try:
                value = decode(data, size_max=1_000)
            except NotCanonical:
                continue
            assert value == value_of(case)
            taken.append(data)
        if is_ours(case):
            # Between an unsigned and a signed integer of the same length, the reference takes the unsigned one.
            assert taken == [encode(value_of(case))] == [msgpack.packb(value_of(case), use_bin_type=True)]
            assert len(taken[0]) == min(len(data) for data in encodings_of(case) if data[0] not in FLOATS)
        else:
            assert taken == []

    def test_the_cases_are_all_there() -> None:
        assert len(cases()) == 85
        assert len([case for case in cases() if is_ours(case.values[0])]) == 57
