"""Counterfoils of a base: what each of its pages wrote, sealed for itself, in parts that travel beside its slips. Pure.

    page ──▶ statements ──▶ one body, compressed ──▶ parts, each sealed ──▶ beside a `Kept` slip that names their digests

A slip says what a neighbour must know; what a base needs to go on (a receipt's number, a till's secret, a sale) nobody
else may read. So each page goes out sealed with the slips that it told, before them: whoever heard a slip of a base holds
all that the base had written until then. Source: SPEC.md, "The house"; decision 0018.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Final

from msgspec import Meta, Struct

from protocol.book.recording_store import Statement
from protocol.canonical import decode, decode_typed, encode, encode_typed, prepare
from protocol.errors import NotCanonical
from protocol.house import Kept
from protocol.keys import Keyring, Unreadable, seal, unseal
from protocol.messages import Party

VERSION: Final = 1
PART_BYTES: Final = 1024 * 1024
PARTS_MAX: Final = 256
FOIL_BYTES_MAX: Final = 1024 * 1024 * 1024
_LEVEL: Final = 1
SEED_BYTES: Final = 32


class Written(Struct, frozen=True, array_like=True):
    """One statement. `rows`: the canonical encoding of its rows of values, which are whole numbers, texts, bytes or none."""

    sql: Annotated[str, Meta(max_length=200_000)]
    names: tuple[str, ...]
    rows: bytes


class Foil(Struct, frozen=True, array_like=True):
    """One page. `schema`: the revision its statements are for; `heard`: how much of each neighbour's log was done by then."""

    version: Annotated[int, Meta(ge=1, le=2**16)]
    schema: Annotated[str, Meta(max_length=32)]
    page: Annotated[int, Meta(ge=1, le=2**53)]
    heard: tuple[tuple[Party, Annotated[int, Meta(ge=0, le=2**53)]], ...]
    statements: tuple[Written, ...]


def write_statements(statements: Sequence[Statement]) -> tuple[Written, ...]:
    """Return what a page wrote as it travels."""
    return tuple(Written(one.sql, one.names, encode(one.rows)) for one in statements)


def read_statements(foil: Foil) -> list[Statement]:
    """Return what a page wrote. Raises FoilMissing."""
    try:
        return [
            Statement(one.sql, one.names, tuple(map(tuple, decode(one.rows, size_max=FOIL_BYTES_MAX))))
            for one in foil.statements
        ]
    except (NotCanonical, TypeError):
        raise FoilMissing(foil.page) from None


class FoilMissing(Exception):
    """A page that is needed is with nobody any more, or is not what its slip names. `page`: its number."""

    def __init__(self, page: int) -> None:
        super().__init__(f"page {page}")
        self.page = page


def seal_foil(foil: Foil, recipient: bytes, entropy: Callable[[int], bytes]) -> list[tuple[Kept, bytes]]:
    """Return the parts of a page, each with the message that names it. Raises ValueError where it is beyond all measure."""
    body = zlib.compress(encode_typed(foil), _LEVEL)
    count = -(-len(body) // PART_BYTES)
    if count > PARTS_MAX:
        raise ValueError("a page of more than 256 MB")
    parts = []
    for number in range(count):
        piece = body[number * PART_BYTES : (number + 1) * PART_BYTES]
        sealed = seal(recipient, piece, ephemeral_seed=entropy(SEED_BYTES))
        parts.append((Kept(foil.page, number, count, hashlib.sha256(sealed).digest()), sealed))
    return parts


def open_foil(page: int, parts: Sequence[tuple[Kept, bytes]], keyring: Keyring) -> Foil:
    """Return a page from its parts, in any order. Raises FoilMissing."""
    by_number: Mapping[int, bytes] = {
        kept.part: sealed for kept, sealed in parts if hashlib.sha256(sealed).digest() == kept.digest
    }
    count = parts[0][0].parts if parts else 1
    try:
        body = b"".join(_unseal(by_number[number], keyring) for number in range(count))
        plain = zlib.decompressobj().decompress(body, FOIL_BYTES_MAX)
        foil = decode_typed(plain, Foil, size_max=FOIL_BYTES_MAX)
    except (KeyError, Unreadable, zlib.error, NotCanonical):
        raise FoilMissing(page) from None
    if foil.page != page:
        raise FoilMissing(page)
    return foil


def _unseal(sealed: bytes, keyring: Keyring) -> bytes:
    for keys in (keyring.current, *keyring.older):
        try:
            return unseal(keys, sealed)
        except Unreadable:
            continue
    raise Unreadable(reason="sealed for none of our keys")


prepare(Foil)
