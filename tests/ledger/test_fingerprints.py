"""What is kept of what was asked: eight bytes a field, enough to name the first that differs."""

from __future__ import annotations

import hashlib

import msgpack
from hypothesis import given
from hypothesis import strategies as st

from node.ledger.fingerprints import compute_fingerprint, find_difference

NAMES = ("account", "cents", "expires_at")
values_ = st.tuples(st.text(max_size=4), st.integers(0, 3), st.one_of(st.none(), st.integers(0, 3)))
operations = st.sampled_from(["reserve", "reverse"])


@given(operations, values_)
def test_a_fingerprint_is_eight_bytes_of_each_field_in_order(operation: str, values: tuple[object, ...]) -> None:
    expected = [
        hashlib.blake2b(msgpack.packb(value), digest_size=8, person=b"cm-asked").digest()
        for value in (operation, *values)
    ]
    assert compute_fingerprint(operation, values) == b"".join(expected)


@given(operations, values_, operations, values_)
def test_the_first_field_that_differs_is_named(
    first: str, kept: tuple[object, ...], second: str, asked: tuple[object, ...]
) -> None:
    pairs = zip(("operation", *NAMES), (first, *kept), (second, *asked), strict=True)
    expected = next((name for name, before, after in pairs if before != after), None)
    found = find_difference(compute_fingerprint(first, kept), compute_fingerprint(second, asked), NAMES)
    assert found == expected


def test_more_fields_than_have_names_are_another_operation() -> None:
    kept, asked = compute_fingerprint("reserve", (1, 2, 3, 4)), compute_fingerprint("reserve", (1, 2, 3))
    assert find_difference(kept, asked, NAMES) == "operation"
