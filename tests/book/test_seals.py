"""A seal is of a table's row, of every value and its place, and the same for what a database gives back otherwise."""

from __future__ import annotations

from enum import StrEnum

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.book.seals import SEAL_BYTES, compute_seal

VALUES = st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.text(max_size=9), st.binary(max_size=9)))


class Colour(StrEnum):
    RED = "red"


def test_a_seal_has_its_bytes() -> None:
    """Written down once: rows that were sealed must stay so."""
    assert compute_seal("sales", [1, None, "é", b"\x00"]).hex() == "a720d92edfe47c70"
    assert SEAL_BYTES == 8


@given(VALUES, VALUES)
def test_other_values_another_seal(one: list[object], other: list[object]) -> None:
    assert (compute_seal("t", one) == compute_seal("t", other)) == (one == other)
    assert compute_seal("t", one) != compute_seal("u", one)
    assert compute_seal("t", [*one, None]) != compute_seal("t", one)


@pytest.mark.parametrize(
    ("given", "read"),
    [(True, 1), (False, 0), (Colour.RED, "red"), (memoryview(b"ab"), b"ab"), (bytearray(b"ab"), b"ab")],
)
def test_what_a_database_gives_back_otherwise_is_the_same(given: object, read: object) -> None:
    assert compute_seal("t", [given]) == compute_seal("t", [read])


def test_a_text_a_number_and_bytes_are_not_the_same() -> None:
    assert len({compute_seal("t", [value]) for value in ("1", 1, b"1", None, "")}) == 5
    with pytest.raises((TypeError, msgspec.EncodeError)):
        compute_seal("t", [object()])
