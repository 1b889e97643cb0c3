"""What the bases of one territory tell each other: who they are, and the messages between them. Pure.

A territory keeps several bases: accounts, fund, companies. Each is a party with keys and logs of its own, and they meet
only in slips, exchanged as between a node and the hub: so one of them can be kept by somebody else, on another machine,
and neither can mint or pay alone. Their network is the territory's own (`house_of`): what is written in one house says
nothing in another.

    fund ── Deposit ──▶ accounts            euros reached the bank account: a lot may grow by as much
    fund ◀── DepositTaken, DepositRefused ── accounts

Ids of donors and deposits are 16 opaque bytes: no name, no number of a company stands in these logs.
Source: SPEC.md, "The house"; shared design, ARCHITECTURE.md, "One idea at three scales".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from protocol.canonical import decode_typed, encode_typed
from protocol.directory import Directory, Member, MemberKind, MemberStatus
from protocol.errors import NotCanonical
from protocol.identifiers import TerritoryCode
from protocol.keys import PublicKeys
from protocol.messages import LEAF_BYTES_MAX, Amount, Code, Millis, Party

HOUSE_VERSION: Final = 1
MESSAGES_MAX: Final = 2_048

Id = Annotated[bytes, Meta(min_length=16, max_length=16)]
Number = Annotated[str, Meta(min_length=8, max_length=8)]


class BaseName(StrEnum):
    """The parties of a house."""

    ACCOUNTS = "ACCOUNTS"
    FUND = "THE-FUND"


class Deposit(Struct, frozen=True, array_like=True, tag=1):
    """Euros of a donor reached the fund's bank account: the lot that they belong to may grow by as much.

    `lot_class` and `restriction` say what the lot is good for, `month` is yyyymm, `into` the pool it is issued into.
    """

    id: Id
    donor: Id
    campaign: Annotated[str, Meta(max_length=80)]
    month: Annotated[int, Meta(ge=190001, le=999912)]
    lot_class: Annotated[int, Meta(ge=0, le=2**16)]
    restriction: Annotated[str, Meta(max_length=200)]
    into: Number
    cents: Amount


class DepositTaken(Struct, frozen=True, array_like=True, tag=2):
    """The lot grew; `ref` is its reference, by which every book of the federation knows it."""

    id: Id
    ref: Id


class DepositRefused(Struct, frozen=True, array_like=True, tag=3):
    """Nothing was issued, for this reason. The euros stay in the fund, and a person decides."""

    id: Id
    code: Code


HouseMessage = Deposit | DepositTaken | DepositRefused


class HouseSlip(Struct, frozen=True, array_like=True):
    """One leaf of a log between two bases: messages of one commit. `at` is the writer's clock."""

    version: Annotated[int, Meta(ge=1, le=2**16)]
    to: Party
    at: Millis
    messages: Annotated[tuple[HouseMessage, ...], Meta(min_length=1, max_length=MESSAGES_MAX)]


def encode_house_slip(slip: HouseSlip) -> bytes:
    """Return the leaf: the canonical bytes of a slip."""
    return encode_typed(slip)


def decode_house_slip(leaf: bytes) -> HouseSlip:
    """Return the slip of a leaf. Raises NotCanonical."""
    slip = decode_typed(leaf, HouseSlip, size_max=LEAF_BYTES_MAX)
    if slip.version != HOUSE_VERSION:
        raise NotCanonical(reason=f"house slip version {slip.version} is not spoken here")
    return slip


def house_of(territory: TerritoryCode) -> str:
    """Return the name of the network in which the bases of a territory speak."""
    return f"house of {territory}"


def make_neighbours(keys: Mapping[str, Sequence[PublicKeys]]) -> Directory:
    """Return the bases of a house as a directory, each with the keys that it signs with, the newest last."""
    return Directory(
        size=0,
        members={
            code: Member(code, code.lower(), MemberKind.TERRITORY, MemberStatus.ACTIVE, tuple(held))
            for code, held in keys.items()
        },
    )
