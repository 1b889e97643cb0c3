"""Canonical msgpack: one encoding per value. Pure.

Libraries accept several encodings of a value (long integers, duplicate keys): what does not re-encode to the bytes
received is refused, so a signature over bytes is a signature over a value. Sizes and depths are bounded before
anything is decoded. Source: SPEC.md, "Encoding".
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

import msgspec
from msgspec import inspect

from protocol.errors import NotCanonical

Value = None | bool | int | bytes | str | list["Value"] | dict[str, "Value"]
Typed = TypeVar("Typed")

INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**64 - 1
DEPTH_MAX: Final = 16

_encoder = msgspec.msgpack.Encoder(order="sorted")


def encode(value: Any) -> bytes:
    """Return the one encoding of a value. Raises ValueError on what is no value of ours: that is a bug."""
    _require_value(value, DEPTH_MAX)
    return _encoder.encode(value)


def _require_value(value: Any, depth: int) -> None:
    if value is None or type(value) in (bool, bytes):
        return
    if depth == 0 and type(value) in (list, tuple, dict):
        raise ValueError("nested too deep")
    if type(value) is int:
        if not INT_MIN <= value <= INT_MAX:
            raise ValueError("an integer of more than 64 bits")
    elif type(value) is str:
        value.encode()  # a surrogate raises UnicodeEncodeError, a ValueError
    elif type(value) in (list, tuple):
        for item in value:
            _require_value(item, depth - 1)
    elif type(value) is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise ValueError("a map has text keys")
            key.encode()
            _require_value(item, depth - 1)
    else:
        raise ValueError(f"{type(value).__name__} has no canonical encoding")


def decode(data: bytes, *, size_max: int, depth_max: int = DEPTH_MAX) -> Any:
    """Return the value of its one encoding. Raises NotCanonical."""
    _require_size(data, size_max)
    _scan(data, depth_max)
    try:
        value = msgspec.msgpack.decode(data)
        again = encode(value)  # refuses what is no value of ours: a map whose keys are not text
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise _refusal(error) from None
    if again != data:
        raise NotCanonical(reason="not the shortest encoding, or keys out of order or twice")
    return value


def decode_typed(data: bytes, type_: type[Typed], *, size_max: int, depth_max: int = DEPTH_MAX) -> Typed:
    """Return the typed value of its one encoding. Raises NotCanonical.

    No scan: msgspec follows the type, so the type bounds the depth (a type that does not raises ValueError), and it
    makes room for items as it reads them, whatever their announced count (both are tested).
    """
    _require_size(data, size_max)
    decoder = _decoder(cast(Hashable, type_), depth_max)
    try:
        value = decoder.decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError, MemoryError) as error:
        raise _refusal(error) from None
    if _encoder.encode(value) != data:
        raise NotCanonical(reason="not the one encoding of its value")
    return value  # type: ignore[no-any-return]


def encode_typed(value: Any) -> bytes:
    """Return the encoding of one of our structs."""
    return _encoder.encode(value)


@lru_cache(maxsize=256)
def _decoder(type_: Hashable, depth_max: int) -> msgspec.msgpack.Decoder[Any]:
    _require_type(inspect.type_info(type_), depth_max)
    return msgspec.msgpack.Decoder(cast(Any, type_))


_PLAIN_TYPES: Final = (
    inspect.NoneType,
    inspect.BoolType,
    inspect.IntType,
    inspect.StrType,
    inspect.BytesType,
    inspect.EnumType,
    inspect.LiteralType,
)
_COLLECTIONS: Final = (inspect.ListType, inspect.VarTupleType, inspect.SetType, inspect.FrozenSetType)


def _require_type(info: inspect.Type, depth: int) -> None:
    """Require that a type says all of what it holds, and ends. Raises ValueError: Any, a float or a loop is a bug."""
    match info:
        case inspect.Metadata(type=inner):
            _require_type(inner, depth)
            return
        case inspect.UnionType(types=parts):
            for part in parts:
                _require_type(part, depth)
            return
        case inspect.StructType(fields=fields, array_like=True):
            inside = [field.type for field in fields]
        case inspect.TupleType(item_types=items):
            inside = list(items)
        case _ if isinstance(info, _COLLECTIONS):
            inside = [info.item_type]
        case _ if isinstance(info, _PLAIN_TYPES):
            return
        case _:
            raise ValueError(f"{info} has no canonical encoding")
    if depth == 0:
        raise ValueError("a type nested too deep, or in itself")
    for part in inside:
        _require_type(part, depth - 1)


def _refusal(error: Exception) -> NotCanonical:
    # A library's message may quote what was sent: short enough for a log.
    return NotCanonical(reason=str(error)[:200])


def _require_size(data: bytes, size_max: int) -> None:
    if len(data) > size_max:
        raise NotCanonical(reason=f"{len(data)} bytes, {size_max} allowed")


_HEADS: Final = {
    0xC4: (1, "raw"),
    0xC5: (2, "raw"),
    0xC6: (4, "raw"),
    0xD9: (1, "raw"),
    0xDA: (2, "raw"),
    0xDB: (4, "raw"),
    0xDC: (2, "array"),
    0xDD: (4, "array"),
    0xDE: (2, "map"),
    0xDF: (4, "map"),
}
_FIXED: Final = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}


def _scan(data: bytes, depth_max: int) -> None:
    """Walk the structure without decoding: bounded in time, memory and depth. Raises NotCanonical."""
    at, size = 0, len(data)
    open_items = [1]  # how many items are still to come, at each depth
    while open_items:
        if not open_items[-1]:
            open_items.pop()
            continue
        open_items[-1] -= 1
        if at >= size:
            raise NotCanonical(reason="truncated", offset=at)
        head = data[at]
        at += 1
        items = -1
        if head <= 0x7F or head >= 0xE0 or head in (0xC0, 0xC2, 0xC3):
            continue
        if head <= 0x8F:
            items = 2 * (head & 0x0F)
        elif head <= 0x9F:
            items = head & 0x0F
        elif head <= 0xBF:
            at += head & 0x1F
        elif head in _FIXED:
            at += _FIXED[head]
        elif head in _HEADS:
            width, kind = _HEADS[head]
            length = int.from_bytes(data[at : at + width], "big")
            at += width
            if kind == "raw":
                at += length
            else:
                items = length * (2 if kind == "map" else 1)
        else:
            raise NotCanonical(reason=f"type byte 0x{head:02x} is not used here", offset=at - 1)
        if at > size:
            raise NotCanonical(reason="truncated", offset=size)
        if items >= 0:
            if items > size - at:
                raise NotCanonical(reason="more items than bytes left", offset=at)
            if len(open_items) > depth_max:
                raise NotCanonical(reason="nested too deep", offset=at)
            open_items.append(items)
    if at != size:
        raise NotCanonical(reason="trailing bytes", offset=at)
