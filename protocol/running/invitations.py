"""An invitation as one line of text: who invites whom, the one-time token, and the fingerprint of the hub's keys. Pure.

    cm1-<base32 of the canonical bytes and a 4-byte checksum>

The fingerprint is what makes the first call safe: the node talks only to the hub that the operator's letter named.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Annotated, Final

from msgspec import Meta, Struct

from protocol.canonical import decode_typed, encode_typed, prepare
from protocol.errors import Malformed, NotCanonical
from protocol.messages import Hash, Party

PREFIX: Final = "cm1-"
INVITATION_BYTES_MAX: Final = 1_000
_CHECKSUM_BYTES: Final = 4


class InvalidInvitation(Malformed):
    """Facts: reason."""

    code = "invalid_invitation"


class Invitation(Struct, frozen=True, array_like=True):
    """What the operator hands to a municipality."""

    network: Annotated[str, Meta(min_length=1, max_length=32)]
    hub: Party
    fingerprint: Hash
    member: Party
    token: Annotated[bytes, Meta(min_length=16, max_length=16)]
    url: Annotated[str, Meta(max_length=200)]


def compute_fingerprint(signing: bytes, sealing: bytes) -> bytes:
    """Return the fingerprint of a hub's public keys."""
    return hashlib.sha256(b"citizen-miles/hub/v1\0" + signing + sealing).digest()


def format_invitation(invitation: Invitation) -> str:
    """Return the invitation's text. Raises InvalidInvitation where nobody could read it again."""
    body = encode_typed(invitation)
    _decode(body)
    return _write(body)


def _write(body: bytes) -> str:
    return PREFIX + base64.b32encode(body + _checksum(body)).decode().rstrip("=").lower()


def _decode(body: bytes) -> Invitation:
    try:
        return decode_typed(body, Invitation, size_max=INVITATION_BYTES_MAX)
    except NotCanonical as refusal:
        raise InvalidInvitation(reason=str(refusal.facts.get("reason", "not an invitation"))) from None


def parse_invitation(text: str) -> Invitation:
    """Return the invitation; white space from a letter or a screen is forgiven. Raises InvalidInvitation."""
    plain = "".join(text.split()).lower()
    if not plain.startswith(PREFIX):
        raise InvalidInvitation(reason=f"it begins with {PREFIX}")
    symbols = plain.removeprefix(PREFIX).upper()
    try:
        data = base64.b32decode(symbols + "=" * (-len(symbols) % 8))
    except (binascii.Error, ValueError):
        raise InvalidInvitation(reason="a symbol is wrong or missing") from None
    body, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
    if _checksum(body) != checksum:
        raise InvalidInvitation(reason="a symbol is wrong or missing")
    if _write(body) != plain:  # the last symbol has bits to spare
        raise InvalidInvitation(reason="a symbol is wrong or missing")
    return _decode(body)


def _checksum(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()[:_CHECKSUM_BYTES]


prepare(Invitation)
