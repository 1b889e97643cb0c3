"""Bytes as the text that credentials use: base58btc after a `z`, base64url without padding. Pure, and strict: one text each.

Source: Multibase, as named by W3C Controlled Identifiers 1.0, 2.4; RFC 4648, section 5.
"""

from __future__ import annotations

import base64
import re
from typing import Final

from node.governance.passes.errors import InvalidCredential

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUE: Final = {symbol: value for value, symbol in enumerate(_ALPHABET)}
BASE58_BYTES_MAX: Final = 128
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


def encode_base58(data: bytes) -> str:
    """Return `z` and the bytes in base58btc; each zero byte in front is a `1`."""
    number = int.from_bytes(data, "big")
    symbols = []
    while number:
        number, value = divmod(number, 58)
        symbols.append(_ALPHABET[value])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "z" + "1" * zeros + "".join(reversed(symbols))


def decode_base58(text: object) -> bytes:
    """Return the bytes of `z…`: no two texts give the same. Raises InvalidCredential."""
    if not isinstance(text, str) or not text.startswith("z") or len(text) > 2 * BASE58_BYTES_MAX:
        raise InvalidCredential(reason="not base58btc after a z")
    symbols = text[1:]
    number = 0
    for symbol in symbols:
        value = _VALUE.get(symbol)
        if value is None:
            raise InvalidCredential(reason="a symbol that base58btc does not have")
        number = number * 58 + value
    zeros = len(symbols) - len(symbols.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def encode_base64url(data: bytes) -> str:
    """Return the bytes in base64url, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_base64url(text: object) -> bytes:
    """Return the bytes of a text without padding, whose last bits are zero. Raises InvalidCredential."""
    if not isinstance(text, str) or _BASE64URL.fullmatch(text) is None or len(text) % 4 == 1:
        raise InvalidCredential(reason="not base64url without padding")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode_base64url(data) != text:
        raise InvalidCredential(reason="base64url with bits that say nothing")
    return data
