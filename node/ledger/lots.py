"""Lots: classes of miles that share issuer, donor, campaign, month and class. Pure.

Outside its issuer a lot is known by (issuer, ref) only: `ref` is 16 opaque bytes, so nobody learns who the donor is.
What a lot may be used for is its class, a set of flags that the hub sees and that never changes; the text of a
restriction stays at home. `seal` is a short digest stored beside the four, so that a byte changed by hand is seen.
Source: shared design, ARCHITECTURE.md, "Money and rights".
"""

from __future__ import annotations

import hashlib
from enum import IntFlag
from typing import NamedTuple, NewType

import msgspec

from protocol.errors import Malformed
from protocol.identifiers import TerritoryCode

LotId = NewType("LotId", int)

REF_BYTES = 16
SEAL_BYTES = 8
RESTRICTION_MAX = 200
MONTH_MIN = 190001
MONTH_MAX = 999912


class LotClass(IntFlag):
    """What a lot is good for. Stored and sent as one whole number."""

    ELIGIBLE = 1  # the donor may deduct it: fiscal eligibility of the gift
    PUBLIC_GENEROSITY = 2  # collected from the public, accounted for apart
    SOUTH_FIT = 4  # may reach a community of the South
    RESTRICTED = 8  # bound to a theme or a territory
    CALLED = 16  # issued against a pledge: its euros are called once it is converted


CLASS_MAX = int(~LotClass(0))


class LotName(NamedTuple):
    """A lot as every book knows it."""

    issuer: TerritoryCode
    ref: bytes
    lot_class: int
    month: int


class Lot(NamedTuple):
    """A lot as this book knows it."""

    id: LotId
    issuer: TerritoryCode
    month: int


def require_month(month: int) -> int:
    """Return the month (yyyymm) if it is one. Raises Malformed."""
    if not MONTH_MIN <= month <= MONTH_MAX or not 1 <= month % 100 <= 12:
        raise Malformed(field="month", reason="a month is written yyyymm")
    return month


def require_lot_class(lot_class: int) -> LotClass:
    """Return the class if it holds known flags only. Raises Malformed."""
    if not 0 <= lot_class <= CLASS_MAX:
        raise Malformed(field="lot_class", reason="flags that this version does not know")
    return LotClass(lot_class)


def require_lot_name(name: LotName) -> LotName:
    """Return the name if its parts have the right shape. Raises Malformed."""
    if type(name.ref) is not bytes or len(name.ref) != REF_BYTES:
        raise Malformed(field="ref", reason="a lot's reference is 16 bytes")
    require_lot_class(name.lot_class)
    require_month(name.month)
    return name


def compute_seal(name: LotName) -> bytes:
    """Return the digest stored beside a lot: BLAKE2b-64 over issuer, ref, class and month."""
    written = msgspec.msgpack.encode((name.issuer, name.ref, name.lot_class, name.month))
    return hashlib.blake2b(written, digest_size=SEAL_BYTES, person=b"cm-lot").digest()
