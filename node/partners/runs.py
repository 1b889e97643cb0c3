"""One booking of a file of operations, and how far it is. Pure.

    LOADING ──last row──▶ LOADED ──started──▶ BOOKING ──last row──▶ DONE

Rows are kept in the base first, right and wrong ones, and booked from there: whatever stops it, it goes on without the
file. The budget for all accepted rows is set aside when it starts, so that no purchase in between leaves it half done.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

import msgspec

from node.partners.errors import BudgetTooSmall, OperationFieldWrong, OperationKnown
from node.partners.operations_file import Row
from protocol.amounts import Cents
from protocol.errors import Refusal
from protocol.identifiers import Id16, TerritoryCode


class RunState(StrEnum):
    LOADING = "loading"
    LOADED = "loaded"
    BOOKING = "booking"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How far a booking is. `loaded` and `booked` are the last lines of the file that are kept, and booked."""

    id: Id16
    campaign: Id16
    name: str
    digest: bytes
    budget_left: Cents
    loaded: int
    read: int
    accepted: int
    accepted_cents: Cents
    aside: Cents
    booked: int
    state: RunState

    @property
    def is_clean(self) -> bool:
        return self.read == self.accepted


def judge_rows(
    rows: Iterable[Row],
    *,
    home: TerritoryCode,
    left: int,
    find_known: Callable[[Sequence[str]], Collection[str]],
    chunk: int = 1_000,
) -> Iterator[Row]:
    """Give out each row as it was read, or refused: an account elsewhere, an id of an earlier file, beyond the budget.

    `find_known` says which ids were booked before. Rows are counted against the budget in order, refused ones not.
    """
    reading = iter(rows)
    while part := list(islice(reading, chunk)):
        known = find_known([row.operation.id for row in part if row.operation is not None])
        for row in part:
            refusal = _judge(row, home, left, known)
            if refusal is not None:
                yield msgspec.structs.replace(row, operation=None, refusal=refusal)
                continue
            if row.operation is not None:
                left -= row.operation.cents
            yield row


def _judge(row: Row, home: TerritoryCode, left: int, known: Collection[str]) -> Refusal | None:
    operation = row.operation
    if operation is None:
        return None
    if operation.account.territory != home:
        reason = f"an account of {operation.account.territory}, not of this territory"
        return OperationFieldWrong(column="account", value=str(operation.account), reason=reason)
    if operation.id in known:
        return OperationKnown(id=operation.id)
    if operation.cents > left:
        return BudgetTooSmall(available=left, asked=operation.cents, missing=operation.cents - left)
    return None
