"""Changes to inputs, by a generator that the caller seeds. Pure.

A fuzzer that turns bytes of msgpack makes almost only bytes that no decoder takes, and what reads them is C, where no
coverage guides it. `mutate_value` changes the value instead, an item, a length, an order, and writes it canonically:
such inputs get past the decoder, to the rules behind it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Final

import msgspec

_BOUNDARIES: Final = (
    b"\x00",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\xc0",
    b"\x90",
    b"\xdd\xff\xff\xff\xff",
    b"\xcf" + b"\xff" * 8,
)
_INTEGERS: Final = (
    0,
    1,
    -1,
    2,
    127,
    128,
    255,
    999,
    1_000,
    2**31 - 1,
    2**31,
    2**53,
    2**53 + 1,
    10**15,
    2**63,
    2**64 - 1,
)
_TEXTS: Final = ("", "\0", "HUB-FR", "242900314", "200046977", "000000000", "é" * 9, "\u202e", "x" * 300)
_DEPTH_MAX: Final = 8


def mutate_bytes(dice: random.Random, inputs: Sequence[bytes]) -> bytes:
    """Return one of the inputs after a few changes: a bit, a byte, a boundary, a piece gone, doubled or from another."""
    data = bytearray(dice.choice(inputs))
    for _ in range(dice.choice((1, 1, 1, 2, 3, 8))):
        at = dice.randrange(len(data) + 1)
        stop = min(len(data), at + dice.choice((1, 1, 2, 4, 16)))
        match dice.randrange(6):
            case 0 if at < len(data):
                data[at] ^= 1 << dice.randrange(8)
            case 1 if at < len(data):
                data[at] = dice.randrange(256)
            case 2:
                data[at:stop] = dice.choice(_BOUNDARIES)
            case 3:
                del data[at:stop]
            case 4:
                data[at:at] = data[at:stop]
            case _:
                other = dice.choice(inputs)
                start = dice.randrange(len(other) + 1)
                data[at:stop] = other[start : start + dice.choice((1, 4, 32))]
    return bytes(data)


def mutate_value(dice: random.Random, data: bytes) -> bytes | None:
    """Return the msgpack of `data`'s value with one to three changes, or None where it is no msgpack."""
    try:
        value = msgspec.msgpack.decode(data)
        for _ in range(dice.choice((1, 1, 2, 3))):
            value = _change(dice, value, _DEPTH_MAX)
        return msgspec.msgpack.encode(value, order="deterministic")
    except (msgspec.DecodeError, ValueError, TypeError, OverflowError, RecursionError):
        return None


def _change(dice: random.Random, value: Any, depth: int) -> Any:
    """Return the value with one change somewhere in it."""
    if isinstance(value, list) and value and depth and dice.random() < 0.85:
        at = dice.randrange(len(value))
        match dice.randrange(10):
            case 0:
                return value[:at] + value[at + 1 :]
            case 1:
                return [*value[: at + 1], *value[at:]]
            case 2:
                return [*value[:at], *value[at:][::-1]]
            case 3:
                return [*value[:at], dice.choice(value), *value[at + 1 :]]
            case _:
                return [*value[:at], _change(dice, value[at], depth - 1), *value[at + 1 :]]
    if isinstance(value, bytes) and dice.random() < 0.8:
        inner = mutate_value(dice, value) if len(value) > 8 and dice.random() < 0.5 else None
        return mutate_bytes(dice, [value]) if inner is None else inner
    if isinstance(value, bool):
        return not value
    if isinstance(value, int) and dice.random() < 0.9:
        return dice.choice((value + 1, max(value - 1, 0), value * 2 % 2**64, dice.choice(_INTEGERS)))
    if isinstance(value, str) and dice.random() < 0.9:
        return dice.choice((value + "x", value[1:], value[::-1], dice.choice(_TEXTS)))
    return dice.choice((None, 0, 1, b"", bytes(16), bytes(32), "", [], [value], dice.choice(_INTEGERS)))
