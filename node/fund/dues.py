"""What the fund owes for miles that were converted: shares, groups, and which payment pays them. Pure.

A due is paid in shares that are never mixed: what donors had paid in before; what is called of pledges, which is payable
once its donor has paid; and what other funds owe us for bearers of ours, which is payable once its window is paid. No cent
is split: a part of a due, which is of one lot, is paid whole.
Source: SPEC.md, "The house"; shared design, ARCHITECTURE.md, "Conversion and settlement".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from node.fund.fund_errors import LotNotOurs, LotSpent
from protocol.amounts import Cents
from protocol.canonical import encode_typed
from protocol.identifiers import Id16

DUES_MAX: Final = 500  # conversions that one payment pays; the rest is another payment


class DueState(StrEnum):
    TAKEN = "taken"  # the fund owes it
    REFUSED = "refused"  # it does not: the rights go back


class Share(StrEnum):
    """Where the euros of a part come from."""

    PREFUNDED = "prefunded"
    CALLED = "called"
    NETTED = "netted"  # another fund owes it to ours: a window settles it


def bearer_id(registry: str) -> Id16:
    """Return the id of a bearer that an order names, the same for the same SIREN or RNA."""
    return Id16(hashlib.blake2b(registry.encode(), digest_size=16, person=b"cm-bearer").digest())


def due_payment_id(share: Share, paid: Sequence[tuple[bytes, int]], attempt: int) -> Id16:
    """Return the id of the payment of these (due, cents); `attempt` counts those of the same that came to nothing."""
    told = encode_typed((share.value, tuple(paid), attempt))
    return Id16(hashlib.blake2b(told, digest_size=16, person=b"cm-due-payment").digest())


def count_covered(parts: Sequence[Cents], received: Cents) -> int:
    """Return how many of the first parts are paid with what was received: none is paid in part."""
    left = received
    for place, cents in enumerate(parts):
        if cents > left:
            return place
        left = Cents(left - cents)
    return len(parts)


def require_covered(asked: Mapping[bytes, int], issued: Mapping[bytes, int], spent: Mapping[bytes, int]) -> None:
    """Hold what is converted of each lot against what was issued of it and converted before.

    Raises LotNotOurs, LotSpent.
    """
    for ref, cents in asked.items():
        if ref not in issued:
            raise LotNotOurs(lot=ref.hex())
        left = issued[ref] - spent.get(ref, 0)
        if cents > left:
            raise LotSpent(lot=ref.hex(), left=left, asked=cents)
