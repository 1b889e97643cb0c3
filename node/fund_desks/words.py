"""What officers sign, as JSON between a command and the fund. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from node.fund.outgoing_payments import DueWords, Payable, PaymentWords, PledgeWords, RefundWords
from protocol.errors import Malformed


def read_bytes(text: str) -> bytes:
    """Raises Malformed."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Malformed(reason="not a hexadecimal text") from None


def show_words(words: Payable) -> dict[str, Any]:
    told = msgspec.structs.asdict(words) | {"id": words.id.hex()}
    if isinstance(words, RefundWords):
        return told
    told |= {"bearer": words.bearer.hex()}
    return told | {"dues": [[due.hex(), cents] for due, cents in words.dues]} if isinstance(words, DueWords) else told


def read_words(told: Mapping[str, Any]) -> Payable:
    """Return the words of a payment: of a refund where they name a movement, of dues where they name some.

    Raises Malformed.
    """
    words = dict(told) | {"id": read_bytes(told["id"])}
    if "movement" in words:
        return RefundWords(**words)
    words |= {"bearer": read_bytes(told["bearer"])}
    if "dues" in words:
        return DueWords(**words | {"dues": tuple((read_bytes(due), int(cents)) for due, cents in told["dues"])})
    return PaymentWords(**words)


def show_pledge_words(words: PledgeWords) -> dict[str, Any]:
    told = msgspec.structs.asdict(words)
    return told | {field: told[field].hex() for field in ("id", "donor", "letter")}


def read_pledge_words(told: Mapping[str, Any]) -> PledgeWords:
    """Raises Malformed."""
    return PledgeWords(**dict(told) | {field: read_bytes(told[field]) for field in ("id", "donor", "letter")})
