"""A credential inside a PNG: one iTXt chunk of the keyword `openbadgecredential`, not compressed. Pure.

Taking it out gives back the very bytes that went in. Every chunk's check is verified on the way, so a byte that is wrong
is seen before anybody asks what it says.
Source: Open Badges 3.0, 5.3.1; PNG (Third Edition), 5 and 11.3.3.4.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from node.governance.passes.errors import InvalidBadge
from node.governance.passes.web_tokens import TOKEN_MAX

PICTURE_BYTES_MAX: Final = 2_000_000
CHUNKS_MAX: Final = 4_096
SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
KEYWORD: Final = b"openbadgecredential"
# Keyword, its end, not compressed, no method, no language, no translated keyword.
_HEAD: Final = KEYWORD + b"\0\0\0\0\0"


def is_png(data: bytes) -> bool:
    """Tell whether it begins as a PNG."""
    return data.startswith(SIGNATURE)


def bake_png(picture: bytes, credential: str) -> bytes:
    """Return the picture with the credential in it, right after its header. Raises InvalidBadge."""
    body = _HEAD + credential.encode()
    at = 0
    for place, kind, data in _chunks(picture):
        if _is_ours(kind, data):
            raise InvalidBadge(reason="it carries a credential already")
        if kind == b"IHDR":
            at = place + 12 + len(data)
    baked = picture[:at] + _write_chunk(b"iTXt", body) + picture[at:]
    if len(baked) > PICTURE_BYTES_MAX:
        raise InvalidBadge(reason=f"more than {PICTURE_BYTES_MAX} bytes")
    return baked


def unbake_png(baked: bytes) -> tuple[bytes, str]:
    """Return the picture as it was before, and the credential. Raises InvalidBadge."""
    found = [(place, data) for place, kind, data in _chunks(baked) if _is_ours(kind, data)]
    if len(found) != 1:
        raise InvalidBadge(reason="it carries no credential, or more than one")
    place, data = found[0]
    if not data.startswith(_HEAD):
        raise InvalidBadge(reason="the credential is compressed, or has a language: no badge has")
    text = data[len(_HEAD) :]
    if len(text) > TOKEN_MAX:
        raise InvalidBadge(reason=f"a credential of more than {TOKEN_MAX} bytes")
    try:
        credential = text.decode()
    except UnicodeDecodeError:
        raise InvalidBadge(reason="the credential is not UTF-8") from None
    return baked[:place] + baked[place + 12 + len(data) :], credential


def _is_ours(kind: bytes, data: bytes) -> bool:
    return kind == b"iTXt" and data.partition(b"\0")[0] == KEYWORD


def _write_chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def _chunks(picture: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield where each chunk begins, its kind and its data, from IHDR to IEND with nothing after it."""
    if len(picture) > PICTURE_BYTES_MAX:
        raise InvalidBadge(reason=f"more than {PICTURE_BYTES_MAX} bytes")
    if not is_png(picture):
        raise InvalidBadge(reason="not a PNG")
    at, kind = len(SIGNATURE), b""
    for number in range(CHUNKS_MAX):
        length = int.from_bytes(picture[at : at + 4], "big")
        end = at + 12 + length
        if end > len(picture) or len(picture) < at + 12:
            raise InvalidBadge(reason="it is cut off")
        kind, data = picture[at + 4 : at + 8], picture[at + 8 : end - 4]
        if picture[end - 4 : end] != zlib.crc32(kind + data).to_bytes(4, "big"):
            raise InvalidBadge(reason="a chunk was altered: its check is wrong")
        if (number == 0) is not (kind == b"IHDR"):
            raise InvalidBadge(reason="a PNG begins with its header, and has one")
        yield at, kind, data
        at = end
        if kind == b"IEND":
            break
    if kind != b"IEND" or at != len(picture):
        raise InvalidBadge(reason="a PNG ends with its end")
