"""A book that was an old copy goes on under an epoch that is later than every known one, and its own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from protocol.exchange.epochs import LEAP_BYTES, choose_epoch


@given(st.integers(1, 10**6), st.binary(min_size=LEAP_BYTES, max_size=16))
def test_an_epoch_is_later_than_every_known_one_and_not_far(known: int, drawn: bytes) -> None:
    assert 1 <= choose_epoch(known, drawn) - known <= 65_536


@given(st.integers(1, 10**6), st.binary(min_size=2, max_size=2), st.binary(min_size=2, max_size=2))
def test_two_recoveries_that_drew_otherwise_speak_under_two_epochs(known: int, one: bytes, two: bytes) -> None:
    assert (choose_epoch(known, one) == choose_epoch(known, two)) == (one == two)
