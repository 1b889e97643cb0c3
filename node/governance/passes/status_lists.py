"""Bitstring status lists: one bit for each pass, in a list that says nothing else. Pure.

    index 0 is the first bit (the highest) of the first byte; gzip, then base64url after a `u`

A list has at least 131 072 bits, however few passes there are: who fetches it does not tell which pass is meant. A pass's
place is drawn from its id by a secret, not counted up: neighbours say nothing of who was served one after the other. The
same place is used in both lists, the one for revocation and the one for suspension.
Source: W3C Bitstring Status List 1.0; shared design, DOMAIN.md, 6 (herd).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final, NewType

from node.governance.passes.canonical_json import Document
from node.governance.passes.errors import InvalidCredential, StatusListFull
from node.governance.passes.issuers import Issuer
from node.governance.passes.multibase import decode_base64url, encode_base64url
from node.governance.passes.times import write_time
from protocol.identifiers import Id16
from protocol.times import Instant

BITS: Final = 131_072
PLACES_MAX: Final = BITS // 2  # fuller lists make drawing a free place slow; open the next one
LIST_BYTES: Final = BITS // 8
TTL_MS: Final = 3_600_000
# A list of random bits does not shrink: a little more than itself, in base64.
ENCODED_MAX: Final = 4 * LIST_BYTES // 3 + 1_024
_TRIES: Final = 1_000

StatusIndex = NewType("StatusIndex", int)


class StatusPurpose(StrEnum):
    REVOCATION = "revocation"
    SUSPENSION = "suspension"


def draw_index(secret: bytes, pass_id: Id16, number: int, taken: frozenset[int] | set[int]) -> StatusIndex:
    """Return the place of a pass in list `number`: the first free one of its own series. Raises StatusListFull."""
    if len(taken) < PLACES_MAX:
        for index in _series(secret, pass_id, number):
            if index not in taken:
                return StatusIndex(index)
    raise StatusListFull(list=number)


def _series(secret: bytes, pass_id: Id16, number: int) -> Iterator[int]:
    for attempt in range(_TRIES):
        said = pass_id + number.to_bytes(4, "big") + attempt.to_bytes(4, "big")
        digest = hashlib.blake2b(said, key=secret, digest_size=8, person=b"cm-pass-place").digest()
        yield int.from_bytes(digest, "big") % BITS  # BITS is a power of two: no place is likelier


def encode_list(indices: Iterable[int]) -> str:
    """Return the list in which these bits are set. The same bits give the same text."""
    bits = bytearray(LIST_BYTES)
    for index in indices:
        if not 0 <= index < BITS:
            raise ValueError(f"{index} is no place of a list")
        bits[index // 8] |= 0x80 >> index % 8
    # Without a time in its head, so that the same bits are written the same.
    return "u" + encode_base64url(gzip.compress(bytes(bits), compresslevel=9, mtime=0))


def decode_list(text: object) -> bytes:
    """Return the bytes of a list. Raises InvalidCredential."""
    if not isinstance(text, str) or not text.startswith("u") or len(text) > ENCODED_MAX:
        raise InvalidCredential(reason="not a status list")
    packed = decode_base64url(text[1:])
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
            bits = file.read(LIST_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        raise InvalidCredential(reason="not a status list") from None
    if len(bits) != LIST_BYTES:
        raise InvalidCredential(reason=f"a status list of another size than {BITS}")
    return bits


def is_set(bits: bytes, index: int) -> bool:
    """Tell whether the bit of that place is set."""
    if not 0 <= index < BITS:
        raise InvalidCredential(reason="no place of a status list")
    return bool(bits[index // 8] & 0x80 >> index % 8)


def place_of_list(issuer: Issuer, purpose: StatusPurpose, number: int) -> str:
    """Return where a list is served; a node without an address names it by its key and carries it in files."""
    return f"{issuer.node}/passes/status/{purpose}/{number}" if issuer.node else _urn(issuer, purpose, number)


def _urn(issuer: Issuer, purpose: StatusPurpose, number: int) -> str:
    return f"urn:citizen-miles:pass-status:{issuer.key.multikey}:{purpose}:{number}"


def write_entries(issuer: Issuer, number: int, index: StatusIndex) -> list[Document]:
    """Return what a credential says of its place in both lists."""
    return [
        {
            "id": f"{place}#{index}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": str(purpose),
            "statusListIndex": str(index),
            "statusListCredential": place,
        }
        for purpose in StatusPurpose
        for place in (place_of_list(issuer, purpose, number),)
    ]


def write_list(
    issuer: Issuer, purpose: StatusPurpose, number: int, indices: Iterable[int], *, at: Instant, until: Instant
) -> Document:
    """Return the list as a credential without proof, good from `at` to `until`."""
    place = place_of_list(issuer, purpose, number)
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": place,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer.did,
        "validFrom": write_time(at),
        "validUntil": write_time(until),
        "credentialSubject": {
            "id": f"{place}#list",
            "type": "BitstringStatusList",
            "statusPurpose": str(purpose),
            "encodedList": encode_list(indices),
            "ttl": TTL_MS,
        },
    }
