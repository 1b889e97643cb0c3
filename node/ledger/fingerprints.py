"""What an id was asked for the first time, kept small: eight bytes a field, so that the first difference can be named.

Pure. Used for refusals only: what was done is compared with the rows it left.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

FIELD_BYTES: Final = 8
_encoder: Final = msgspec.msgpack.Encoder()


def compute_fingerprint(operation: str, values: Sequence[object]) -> bytes:
    """Return the digests, one after another, of the operation's name and of each value asked."""
    return b"".join(
        hashlib.blake2b(_encoder.encode(value), digest_size=FIELD_BYTES, person=b"cm-asked").digest()
        for value in (operation, *values)
    )


def find_difference(kept: bytes, asked: bytes, names: Sequence[str]) -> str | None:
    """Return the name of the first field that differs, or None. `names` are the fields after the operation."""
    if kept == asked:
        return None
    for place, name in enumerate(("operation", *names), start=1):
        end = place * FIELD_BYTES
        if kept[:end] != asked[:end]:
            return name
    return "operation"
