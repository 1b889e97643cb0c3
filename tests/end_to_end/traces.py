"""What can be computed from what somebody is known by: digests, ids that follow from a word. Pure.

Who has a list of e-mail addresses or account numbers computes the same in seconds, so a plain digest is the word itself.
Such values are looked for where a program would put them: as values of a table, as byte strings of a message, as runs of
hexadecimal or base64 in any text. Their first eight bytes are enough to know them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping

KNOWN_BY = 8
_DIGESTS: tuple[Callable[[bytes], bytes], ...] = (
    *(lambda data, name=name: hashlib.new(name, data).digest() for name in ("md5", "sha1", "sha256", "sha512")),
    *(lambda data, name=name: hashlib.new(name, data).digest() for name in ("sha3_256", "blake2s")),
    *(lambda data, size=size: hashlib.blake2b(data, digest_size=size).digest() for size in (8, 16, 20, 32, 64)),
)
_NAMESPACES = (uuid.NAMESPACE_DNS, uuid.NAMESPACE_URL, uuid.NAMESPACE_OID, uuid.NAMESPACE_X500, uuid.UUID(int=0))
_VALUE = re.compile(rb"(?=\n(.{8}))", re.DOTALL)  # a value of a table, one a line
_BINARY = re.compile(rb"(?=\xc4[\x08-\x40](.{8}))|(?=\xc5\x00[\x08-\xff](.{8}))", re.DOTALL)  # of msgpack
_HEX = re.compile(rb"(?<![0-9A-Fa-f])[0-9A-Fa-f]{8}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{4}")
_BASE64 = re.compile(rb"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{11}")


def derive(words: Iterable[str | bytes]) -> dict[bytes, str]:
    """Return the first bytes of all that follows from these words alone, with the word."""
    found: dict[bytes, str] = {}
    for word in words:
        if isinstance(word, bytes):
            writings, named = {word}, [word.hex()]
        else:
            named = sorted({word, word.lower(), word.upper(), "".join(word.split()), word.replace("-", "")})
            named += [f"mailto:{word}"] if "@" in word else []
            writings = {one.encode() for one in named}
        for writing in writings:
            for digest in _DIGESTS:
                found[digest(writing)[:KNOWN_BY]] = str(word)
        for name in named:
            for space in _NAMESPACES:
                for made in (uuid.uuid5(space, name), uuid.uuid3(space, name)):
                    found[made.bytes[:KNOWN_BY]] = str(word)
    return found


def list_values(data: bytes) -> Iterator[bytes]:
    """Yield the first bytes of whatever could be a digest or an id in such bytes."""
    for match in _VALUE.finditer(data):
        yield match[1]
    for match in _BINARY.finditer(data):
        yield match[1] or match[2]
    for match in _HEX.finditer(data):
        yield bytes.fromhex(match[0].replace(b"-", b"").decode())
    for match in _BASE64.finditer(data):
        text = match[0].translate(bytes.maketrans(b"-_", b"+/")) + b"="
        try:
            yield base64.b64decode(text)[:KNOWN_BY]
        except binascii.Error:
            continue


def find_traces(words: Iterable[str | bytes], places: Mapping[str, bytes]) -> set[tuple[str, str]]:
    """Return (word, place) for each word of which something that follows from it stands there."""
    known = derive(words)
    return {(known[value], place) for place, data in places.items() for value in list_values(data) if value in known}
