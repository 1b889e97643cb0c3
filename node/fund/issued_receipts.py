"""What becomes of a receipt once it is issued: cancelled, never deleted; copied, and the copy says so. Pure.

    ISSUED ──▶ CANCELLED

What the receipt says is frozen with its digest; only what stands beside it changes.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from node.fund.frozen_receipts import compute_digest
from node.fund.printed_text import find_fault
from node.fund.receipt_errors import InvalidReceipt, ReceiptCancelled
from node.fund.receipt_numbers import ReceiptNumber
from node.fund.receipts import Receipt

REASON_MAX: Final = 200


class ReceiptState(StrEnum):
    """Whether a receipt holds."""

    ISSUED = "issued"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """Why and when a receipt ceased to hold, and which one replaces it. Raises InvalidReceipt."""

    on: datetime.date
    reason: str
    replaced_by: ReceiptNumber | None = None

    def __post_init__(self) -> None:
        if type(self.on) is not datetime.date:
            raise InvalidReceipt(field="cancellation.on", reason="a date")
        fault = find_fault(self.reason, REASON_MAX)
        if fault is not None:
            raise InvalidReceipt(field="cancellation.reason", reason=fault)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedReceipt:
    """A receipt with its digest. Raises InvalidReceipt when they disagree: something was changed after the issue.

    `duplicates` are the days on which a copy was asked, the last one last.
    """

    receipt: Receipt
    digest: bytes
    cancellation: Cancellation | None = None
    duplicates: tuple[datetime.date, ...] = ()

    def __post_init__(self) -> None:
        if compute_digest(self.receipt) != self.digest:
            raise InvalidReceipt(field="digest", reason="the receipt is not the one that was issued")
        if self.cancellation is not None:
            if self.cancellation.on < self.receipt.issued_on:
                raise InvalidReceipt(field="cancellation.on", reason="before the receipt was issued")
            if self.cancellation.replaced_by == self.receipt.number:
                raise InvalidReceipt(field="cancellation.replaced_by", reason="a receipt does not replace itself")
        if list(self.duplicates) != sorted(self.duplicates) or min(self.duplicates, default=datetime.date.max) < (
            self.receipt.issued_on
        ):
            raise InvalidReceipt(field="duplicates", reason="a copy comes after what it copies")

    @property
    def state(self) -> ReceiptState:
        """Whether it holds."""
        return ReceiptState.ISSUED if self.cancellation is None else ReceiptState.CANCELLED


def issue(receipt: Receipt) -> IssuedReceipt:
    """Return the receipt with its digest: from here on what it says is frozen."""
    return IssuedReceipt(receipt=receipt, digest=compute_digest(receipt))


def cancel(issued: IssuedReceipt, cancellation: Cancellation) -> IssuedReceipt:
    """Return the receipt as cancelled. Raises ReceiptCancelled when it is, InvalidReceipt."""
    if issued.cancellation is not None:
        raise ReceiptCancelled(number=str(issued.receipt.number))
    return replace(issued, cancellation=cancellation)


def mark_duplicate(issued: IssuedReceipt, on: datetime.date) -> IssuedReceipt:
    """Return the receipt as it is drawn for a copy. Raises ReceiptCancelled: what does not hold is not copied."""
    if issued.cancellation is not None:
        raise ReceiptCancelled(number=str(issued.receipt.number))
    return replace(issued, duplicates=(*issued.duplicates, on))
