"""JSON in its one canonical form, as others sign it. Pure.

RFC 8785 without what we never write: numbers are whole and at most 2^53 - 1, so that no rule for fractions is needed, and
a document that has one is refused. Names are ordered by their UTF-16 units; a name that stands twice is refused, because
two readers could read two things.
Source: RFC 8785 (JSON Canonicalization Scheme), RFC 7493 (I-JSON).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from node.governance.passes.errors import InvalidCredential

DOCUMENT_BYTES_MAX: Final = 65_536
DEPTH_MAX: Final = 24
WHOLE_MAX: Final = 2**53 - 1

Document = dict[str, Any]


def encode_json(value: Any) -> bytes:
    """Return the canonical bytes of a value. Raises ValueError where it has none: a bug of ours."""
    return json.dumps(_ordered(value, 0), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def decode_json(data: bytes | str, *, bytes_max: int = DOCUMENT_BYTES_MAX) -> Document:
    """Return the object that a text holds, canonical or not. Raises InvalidCredential."""
    if len(data) > bytes_max:
        raise InvalidCredential(reason=f"more than {bytes_max} bytes")
    try:
        text = data.decode() if isinstance(data, bytes) else data
        text.encode()
        read = json.loads(
            text,
            object_pairs_hook=_once,
            parse_float=_no_fraction,
            parse_constant=_no_fraction,
            parse_int=_whole,
        )
        if not isinstance(read, dict):
            raise InvalidCredential(reason="not a JSON object")
        _ordered(read, 0)
    except (ValueError, RecursionError):
        raise InvalidCredential(reason="not readable as JSON in UTF-8") from None
    return read


def _ordered(value: Any, depth: int) -> Any:
    if depth > DEPTH_MAX:
        raise ValueError(f"more than {DEPTH_MAX} levels")
    if isinstance(value, Mapping):
        # Code points above U+FFFF come before U+E000 in UTF-16, and after it in Python's own order.
        names = sorted(value) if all(map(str.isascii, value)) else sorted(value, key=_utf_16)
        return {name: _ordered(value[name], depth + 1) for name in names}
    if isinstance(value, str):
        value.encode()  # a lone surrogate is no text
        return value
    if isinstance(value, list | tuple):
        return [_ordered(one, depth + 1) for one in value]
    if value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) <= WHOLE_MAX):
        return value
    raise ValueError(f"{type(value).__name__} has no canonical form here")


def _utf_16(name: str) -> bytes:
    return name.encode("utf-16-be")


def _once(pairs: list[tuple[str, Any]]) -> Document:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise InvalidCredential(reason="a name stands twice in one object")
    return read


def _no_fraction(_written: str) -> NoReturn:
    raise InvalidCredential(reason="a number that is not whole")


def _whole(written: str) -> int:
    if len(written) > 17 or abs(int(written)) > WHOLE_MAX:
        raise InvalidCredential(reason="a number of more than 2^53")
    if written == "-0":
        raise InvalidCredential(reason="a zero with a sign")
    return int(written)
