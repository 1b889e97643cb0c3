"""Cessions of one commit into slips: columns for everybody, beneficiaries for the receiver alone. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

import msgspec

from node.ledger.lots import LotName
from protocol.canonical import encode_typed
from protocol.envelopes import hash_sealed
from protocol.identifiers import Address
from protocol.keys import PublicKeys, seal
from protocol.messages import (
    CESSIONS_MAX,
    DRAWS_MAX,
    WIRE_VERSION,
    Beneficiaries,
    Cede,
    Convert,
    Counterfoil,
    Lot,
    Message,
    Orders,
    SealedColumn,
    Slip,
    encode_slip,
)
from protocol.times import Instant

Told = TypeVar("Told", str, Instant)

# Words of one slip: with numbers and givers beside them, the sealed column stays under its limit.
WORDS_BYTES_MAX: Final = 512 * 1024


class Leaving(msgspec.Struct, frozen=True, gc=False):
    """One cession about to leave: who receives, what is said, and the lots drawn. `written` is the address as text."""

    op: bytes
    account: str
    beneficiary: Address
    giver: str
    words: str
    term: Instant
    draws: tuple[tuple[LotName, int], ...]
    told: bytes = bytes(6)  # what the caller said beside the amount, in six bytes
    written: str = ""

    @property
    def cents(self) -> int:
        return sum([cents for _, cents in self.draws])


def group_leaving(leaving: Iterable[Leaving]) -> list[tuple[str, list[Leaving]]]:
    """Return the cessions by receiving territory, in parts that fit a slip."""
    by_taker: dict[str, list[Leaving]] = {}
    for one in leaving:
        by_taker.setdefault(one.beneficiary.territory, []).append(one)
    groups: list[tuple[str, list[Leaving]]] = []
    for taker, rows in by_taker.items():
        if _fits_one_slip(rows):
            groups.append((taker, rows))
            continue
        part: list[Leaving] = []
        draws = words = 0
        for one in rows:
            said = len(one.words.encode()) if one.words else 0
            if part and (
                len(part) == CESSIONS_MAX or draws + len(one.draws) > DRAWS_MAX or words + said > WORDS_BYTES_MAX
            ):
                groups.append((taker, part))
                part, draws, words = [], 0, 0
            part.append(one)
            draws += len(one.draws)
            words += said
        groups.append((taker, part))
    return groups


def _fits_one_slip(rows: Sequence[Leaving]) -> bool:
    return (
        len(rows) <= CESSIONS_MAX
        and sum([len(one.draws) for one in rows]) <= DRAWS_MAX
        and sum([len(one.words.encode()) for one in rows if one.words]) <= WORDS_BYTES_MAX
    )


def make_slip(
    origin: str, taker: str, keys: PublicKeys, rows: Sequence[Leaving], *, now: Instant, entropy: bytes
) -> tuple[bytes, bytes]:
    """Return the leaf, and the sealed column that travels beside it.

    `entropy` is 48 fresh random bytes: a salt and an ephemeral key, used for this slip only.
    """
    column = Beneficiaries(
        origin=origin,
        numbers=tuple([row.beneficiary.number for row in rows]),
        givers=_column([row.giver for row in rows]),
        words=_column([row.words for row in rows]),
    )
    return _seal_slip(taker, keys, rows, encode_typed(column), (), now=now, entropy=entropy)


def make_conversion_slip(
    origin: str,
    taker: str,
    keys: PublicKeys,
    rows: Sequence[Leaving],
    convert: Convert,
    orders: Sequence[bytes],
    *,
    now: Instant,
    entropy: bytes,
) -> tuple[bytes, bytes]:
    """Return the same for cessions that convert: one project, round and order for each."""
    column = Orders(origin=origin, orders=tuple(orders))
    return _seal_slip(taker, keys, rows, encode_typed(column), (convert,), now=now, entropy=entropy)


def _seal_slip(
    taker: str,
    keys: PublicKeys,
    rows: Sequence[Leaving],
    column: bytes,
    beside: tuple[Message, ...],
    *,
    now: Instant,
    entropy: bytes,
) -> tuple[bytes, bytes]:
    places: dict[LotName, int] = {}
    lot_places: list[int] = []
    amounts: list[int] = []
    counts = [len(row.draws) for row in rows]
    for row in rows:
        for lot, cents in row.draws:
            lot_places.append(places.setdefault(lot, len(places)))
            amounts.append(cents)
    salt, ephemeral = entropy[:16], entropy[16:48]
    sealed = seal(keys.sealing, column, ephemeral_seed=ephemeral)
    cede = Cede(
        lots=tuple(Lot(lot.issuer, lot.ref, int(lot.lot_class), lot.month) for lot in places),
        counts=() if len(amounts) == len(rows) else tuple(counts),
        lot_places=tuple(lot_places),
        cents=tuple(amounts),
        terms=_column([row.term for row in rows]),
        seal_key=keys.id,
        commit=hash_sealed(salt, sealed),
    )
    return encode_slip(Slip(WIRE_VERSION, taker, now, (cede, *beside))), encode_typed(SealedColumn(salt, sealed))


def _column(values: list[Told]) -> tuple[Told, ...]:
    """Return a column; one of which nothing is told is empty."""
    return tuple(values) if any(values) else ()


def make_reference(beneficiary: str, told: bytes) -> str:
    """Return a cession's words in the ledger: to whom, and in six bytes what the caller said beside the amount."""
    return f"to {beneficiary} #{told.hex()}"


def make_counterfoil(own: PublicKeys, rows: Sequence[Leaving], *, entropy: bytes) -> bytes:
    """Return what we keep of a slip's cessions, sealed for ourselves: it travels with the slip, nobody else reads it.

    `entropy` is 32 fresh random bytes.
    """
    counterfoil = Counterfoil(
        ops=tuple([row.op for row in rows]),
        accounts=tuple([row.account for row in rows]),
        numbers=tuple([row.beneficiary.number for row in rows]),
        told=tuple([row.told for row in rows]),
    )
    return seal(own.sealing, encode_typed(counterfoil), ephemeral_seed=entropy)


def derive_op(label: str, *parts: str | int) -> bytes:
    """Return the 16-byte id of a posting that follows from a place in a log: the same place, the same id."""
    text = "/".join(str(part) for part in (label, *parts))
    return hashlib.sha256(f"citizen-miles/op/v1/{text}".encode()).digest()[:16]
