"""A slip that the hub handed over: is it its author's, and what does it credit? Pure.

Nothing the hub says of another member is believed: the author's signature covers a head, the inclusion proof ties the
slip to that head, the slip names us, and the sealed column opens with our keys. Source: SPEC.md, "Hand-over".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from itertools import islice
from typing import TypeVar

from protocol import merkle
from protocol.canonical import decode_typed
from protocol.directory import Directory
from protocol.envelopes import (
    STATEMENT_BYTES_MAX,
    ForwardedSlip,
    HeadStatement,
    hash_sealed,
    is_statement_signed,
)
from protocol.errors import Malformed, NotCanonical, Refusal
from protocol.keys import Keyring, Unreadable, unseal
from protocol.messages import (
    SEALED_BYTES_MAX,
    Beneficiaries,
    Cede,
    Forward,
    Lot,
    Orders,
    SealedColumn,
    Slip,
    decode_beneficiaries,
    decode_orders,
    decode_slip,
)

UNREADABLE = "unreadable"
Column = TypeVar("Column", Beneficiaries, Orders)


class NotProven(Refusal):
    """What was handed over is not proved to be its author's. Facts: reason."""

    code = "not_proven"


def open_forward(
    forward: Forward, forwarded: ForwardedSlip, *, network: str, home: str, hub: str, directory: Directory
) -> tuple[Slip, HeadStatement]:
    """Return the author's slip and signed head. Raises NotProven, saying at which step."""
    author = directory.find(forward.origin)
    if author is None:
        raise NotProven(reason=f"{forward.origin} is in no directory we know")
    try:
        statement = decode_typed(forwarded.statement, HeadStatement, size_max=STATEMENT_BYTES_MAX)
    except NotCanonical:
        raise NotProven(reason="the author's head cannot be read") from None
    if (statement.network, statement.sender, statement.reader) != (network, forward.origin, hub):
        raise NotProven(reason="the head is not the author's word to the hub")
    key = author.find_any_key(statement.key)
    if key is None or not is_statement_signed(key.signing, forwarded.statement, forwarded.signature):
        raise NotProven(reason="the author did not sign the head")
    leaf_hash = merkle.hash_leaf(forwarded.leaf)
    if leaf_hash != forward.leaf_hash:
        raise NotProven(reason="the slip is not the one the hub committed to")
    if statement.epoch < forward.epoch or not merkle.verify_inclusion(
        leaf_hash, forward.index, statement.log_size, list(forwarded.proof), statement.log_root
    ):
        raise NotProven(reason="the slip is not in the author's log")
    try:
        slip = decode_slip(forwarded.leaf)
    except (NotCanonical, Malformed):
        raise NotProven(reason="the slip cannot be read") from None
    if slip.to != home:
        raise NotProven(reason=f"the slip is for {slip.to}")
    return slip, statement


def open_column(cede: Cede, sealed: bytes, *, origin: str, keyring: Keyring) -> Beneficiaries:
    """Return who receives. Raises Unreadable."""
    return _open(cede, sealed, keyring, lambda plain: decode_beneficiaries(plain, cede, origin))


def open_orders(cede: Cede, sealed: bytes, *, origin: str, keyring: Keyring) -> Orders:
    """Return what our fund is asked, of cessions that convert. Raises Unreadable."""
    return _open(cede, sealed, keyring, lambda plain: decode_orders(plain, cede, origin))


def _open(cede: Cede, sealed: bytes, keyring: Keyring, decode: Callable[[bytes], Column]) -> Column:
    try:
        column = decode_typed(sealed, SealedColumn, size_max=SEALED_BYTES_MAX + 64)
        if hash_sealed(column.salt, column.sealed) != cede.commit:
            raise Unreadable(reason="the sealed column is not the one the author committed to")
        keys = keyring.find(cede.seal_key)
        if keys is None:
            raise Unreadable(reason="sealed for a key we no longer hold")
        return decode(unseal(keys, column.sealed))
    except (NotCanonical, Malformed):
        raise Unreadable(reason="the sealed column cannot be read") from None


def sum_draws(draws: Sequence[tuple[Lot, int]]) -> dict[tuple[str, bytes], int]:
    """Return cents per lot: a cession may draw on one lot in several places."""
    sums: dict[tuple[str, bytes], int] = {}
    for lot, cents in draws:
        key = (lot.issuer, lot.ref)
        sums[key] = sums.get(key, 0) + cents
    return sums


def sum_places(cede: Cede) -> list[dict[int, int]]:
    """Return, for each cession, the cents per place in the slip's list of lots."""
    if not cede.counts:
        return [{lot: cents} for lot, cents in zip(cede.lot_places, cede.cents, strict=True)]
    sums: list[dict[int, int]] = []
    draws = zip(cede.lot_places, cede.cents, strict=True)
    for count in cede.counts:
        drawn: dict[int, int] = {}
        for lot, cents in islice(draws, count):
            drawn[lot] = drawn.get(lot, 0) + cents
        sums.append(drawn)
    return sums


def begin_ops(forward: Forward, handed_at: int) -> bytes:
    """Return the 14 bytes with which the ids of a slip's arrivals begin: when the hub handed it over, and which slip.

    Whoever asks gets the same; ids that rise with time let the base's index grow at its end.
    """
    slip = f"citizen-miles/arrival/v1/{forward.origin}/{forward.epoch}/{forward.index}"
    return (handed_at % 2**48).to_bytes(6, "big") + sha256(slip.encode()).digest()[:8]


def arrival_op(beginning: bytes, place: int) -> bytes:
    """Return the id under which a cession of the slip is credited here."""
    return beginning + place.to_bytes(2, "big")


def foreign_op(op: bytes) -> bytes:
    """Return the id of the part of an arrival that is drawn from lots of others."""
    return op[:14] + bytes((op[14] | 0x80, op[15]))
