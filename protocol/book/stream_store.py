"""Rows read without holding them all: tables grow to tens of millions, memory does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Executable

ROWS_AT_ONCE: Final = 5_000
_Right = TypeVar("_Right", bound=tuple[Any, ...])


def stream(connection: Connection, statement: Executable) -> Iterator[Any]:
    """Yield the rows of a query in its order, a few thousand in memory at a time."""
    options = {"stream_results": True, "max_row_buffer": ROWS_AT_ONCE}
    with connection.execute(statement, execution_options=options) as streamed:
        for rows in streamed.partitions(ROWS_AT_ONCE):
            yield from rows


def pair_by_first(left: Iterator[Any], right: Iterator[_Right]) -> Iterator[tuple[Any, _Right | None]]:
    """Yield rows of two series side by side where their first values are equal, and alone where only one has it.

    Both must rise strictly by their first value.
    """
    one, other = next(left, None), next(right, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[0] < other[0]):
            yield one, None
            one = next(left, None)
        elif one is None or other[0] < one[0]:
            yield None, other
            other = next(right, None)
        else:
            yield one, other
            one, other = next(left, None), next(right, None)
