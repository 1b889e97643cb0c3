"""Canonical msgpack: one encoding per value. Pure.

Libraries accept several encodings of a value (long integers, duplicate keys): what does not re-encode to the bytes
received is refused, so a signature over bytes is a signature over a value. Sizes are bounded before anything is decoded;
msgspec makes room for items as it reads them, whatever their announced count, and stops where Python's stack would
(both are tested). Source: SPEC.md, "Encoding".
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

import msgspec
from msgspec import inspect

from protocol.errors import NotCanonical

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
    if value is None or type(value) in (bool, bytes, str):  # a surrogate in a text is refused by the encoder
        return
    if depth == 0 and type(value) in (list, tuple, dict):
        raise ValueError("nested too deep")
    if type(value) is int:
        if not INT_MIN <= value <= INT_MAX:
            raise ValueError("an integer of more than 64 bits")
    elif type(value) in (list, tuple):
        for item in value:
            _require_value(item, depth - 1)
    elif type(value) is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise ValueError("a map has text keys")
            _require_value(item, depth - 1)
    else:
        raise ValueError(f"{type(value).__name__} has no canonical encoding")


def decode(data: bytes, *, size_max: int, depth_max: int = DEPTH_MAX) -> Any:
    """Return the value of its one encoding. Raises NotCanonical."""
    _require_size(data, size_max)
    try:
        value = msgspec.msgpack.decode(data)
        _require_value(value, depth_max)  # a float, a map whose keys are not text, too deep
    except (msgspec.DecodeError, ValueError, RecursionError, MemoryError) as error:
        raise _refusal(error) from None
    if _encoder.encode(value) != data:
        raise NotCanonical(reason="not the shortest encoding, or keys out of order or twice")
    return value


def decode_typed(data: bytes, type_: type[Typed], *, size_max: int, depth_max: int = DEPTH_MAX) -> Typed:
    """Return the typed value of its one encoding. Raises NotCanonical.

    msgspec follows the type, so the type bounds the depth: one that does not raises ValueError.
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


def prepare(*types: Hashable) -> None:
    """Make the decoders of these types now, while modules are imported and nothing else runs.

    msgspec (0.22) learns the shape of a struct when it is first decoded, and shows it half learnt to other threads: two
    that decode a type for the first time at once end the whole process. So every type that `decode_typed` is asked for
    is prepared by the module that defines it.
    """
    for type_ in types:
        _decoder(type_, DEPTH_MAX)


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
