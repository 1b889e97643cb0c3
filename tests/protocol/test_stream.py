"""Rows are read a few thousand at a time, and two ordered series are laid side by side."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from protocol.book import stream_store

_SERIES = st.lists(st.integers(0, 30), unique=True).map(sorted)


def test_more_rows_than_fit_at_once_come_in_order_and_once() -> None:
    count = 2 * stream_store.ROWS_AT_ONCE + 1
    with create_engine("sqlite://").connect() as connection:
        rows = text(f"WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT {count}) SELECT x FROM n")
        assert [row[0] for row in stream_store.stream(connection, rows)] == list(range(1, count + 1))


@given(_SERIES, _SERIES)
def test_rows_of_two_series_stand_side_by_side_where_both_have_them(left: list[int], right: list[int]) -> None:
    pairs = list(stream_store.pair_by_first(((one, "l") for one in left), ((one, "r") for one in right)))
    expected = [
        ((one, "l") if one in left else None, (one, "r") if one in right else None)
        for one in sorted(set(left) | set(right))
    ]
    assert pairs == expected
