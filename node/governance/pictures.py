"""Pictures of a sheet: PNG or JPEG by their bytes, not by their names; small, and silent on who made them where. Pure.

A photograph from a telephone says where it was taken (EXIF): such a file is refused, since it would be shown to all.
Source: PNG (ISO/IEC 15948), JPEG (ISO/IEC 10918-1), EXIF 2.3 [R].
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from node.governance.errors import InvalidPicture

PICTURE_BYTES_MAX: Final = 512 * 1024
SIDE_MAX: Final = 4_096
PNG: Final = "image/png"
JPEG: Final = "image/jpeg"
_PNG_HEAD: Final = b"\x89PNG\r\n\x1a\n"
_PNG_TOLD: Final = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"sBIT", b"bKGD"}
)
_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_SCAN: Final = 0xDA


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedPicture:
    """A picture that may be shown."""

    digest: bytes
    media: str
    body: bytes


def require_picture(body: bytes) -> CheckedPicture:
    """Return what a file is. Raises InvalidPicture."""
    if len(body) > PICTURE_BYTES_MAX:
        raise InvalidPicture(reason=f"{len(body)} bytes, {PICTURE_BYTES_MAX} allowed")
    if body.startswith(_PNG_HEAD):
        media, sides = PNG, _read_png(body)
    elif body.startswith(b"\xff\xd8\xff"):
        media, sides = JPEG, _read_jpeg(body)
    else:
        raise InvalidPicture(reason="neither PNG nor JPEG")
    if not all(1 <= side <= SIDE_MAX for side in sides):
        raise InvalidPicture(reason=f"{sides[0]} by {sides[1]}, each side at most {SIDE_MAX}")
    return CheckedPicture(digest=hashlib.sha256(body).digest(), media=media, body=body)


def _read_png(body: bytes) -> tuple[int, int]:
    """Return width and height of a PNG whose every chunk is one of a picture alone."""
    at, sides = len(_PNG_HEAD), (0, 0)
    names: list[bytes] = []
    while at + 12 <= len(body):
        length, name = int.from_bytes(body[at : at + 4], "big"), body[at + 4 : at + 8]
        if name not in _PNG_TOLD:
            raise InvalidPicture(reason=f"it carries {name.decode(errors='replace')!r}: save it without metadata")
        if not names and name == b"IHDR" and length == 13:
            sides = int.from_bytes(body[at + 8 : at + 12], "big"), int.from_bytes(body[at + 12 : at + 16], "big")
        names.append(name)
        at += 12 + length
        if name == b"IEND":
            break
    if at != len(body) or names[:1] != [b"IHDR"] or names[-1:] != [b"IEND"] or b"IDAT" not in names:
        raise InvalidPicture(reason="a PNG that is not whole, or goes on after its end")
    return sides


def _read_jpeg(body: bytes) -> tuple[int, int]:
    """Return width and height of a JPEG that has no segment of metadata before its first scan."""
    at, sides = 2, (0, 0)
    while at + 4 <= len(body) and body[at] == 0xFF:
        kind, length = body[at + 1], int.from_bytes(body[at + 2 : at + 4], "big")
        if 0xE1 <= kind <= 0xEF or kind == 0xFE:
            raise InvalidPicture(reason="it carries metadata (EXIF or a comment): save it without")
        if kind in _FRAMES and length >= 8:
            sides = int.from_bytes(body[at + 7 : at + 9], "big"), int.from_bytes(body[at + 5 : at + 7], "big")
        if kind == _SCAN:
            if sides == (0, 0) or not body.endswith(b"\xff\xd9"):
                raise InvalidPicture(reason="a JPEG that is not whole")
            return sides
        at += 2 + max(length, 2)
    raise InvalidPicture(reason="a JPEG that is not whole")
