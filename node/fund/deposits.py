"""Euros of a donor that reached the account for one expectation: what they become. Pure."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from protocol.identifiers import Id16


class DepositState(StrEnum):
    GIFT = "gift"  # outside the miles: nothing is issued
    CALLED = "called"  # what was called of a pledge: its miles were issued before
    TOLD = "told"  # the accounts are told, and have not answered
    ISSUED = "issued"  # they issued the lot
    UNDONE = "undone"  # a debit that the bank took back: no gift, and no receipt
    REFUSED = "refused"  # they did not: the euros are here, a person decides


def deposit_id(movement: str, source: bytes, part: int) -> Id16:
    """Return the id of what one movement brings to one expectation or debit; `part` counts what a person split off later.

    Made of what it stands for: whoever computes it again, in a book restored from an old copy too, finds the same.
    """
    told = b"\0".join((movement.encode(), source, part.to_bytes(2, "big")))
    return Id16(hashlib.blake2b(told, digest_size=16, person=b"cm-deposit").digest())
