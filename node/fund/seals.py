"""The seal of a row: a digest of all that stands in it, so that a change by hand shows. Pure.

Whatever changes a row seals it again (`seal_store.change`). No key is in it: who rewrites a row on purpose can seal it again. Against that stand the officers' signatures, the logs
that the other bases hold too, and the bank's own statements.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable


def compute_seal(table: str, values: Iterable[object]) -> bytes:
    """Return the seal of a row of a table: its values in the order of their columns; absent ones are None."""
    told = [table, *(_plain(value) for value in values)]
    return hashlib.blake2b(json.dumps(told).encode(), digest_size=16, person=b"cm-fund-row").digest()


def _plain(value: object) -> object:
    if value is None:
        return None
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return ["bytes", bytes(value).hex()]
    raise TypeError(f"no value of a column: {type(value)}")
