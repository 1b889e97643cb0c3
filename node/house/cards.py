"""A base's card: territory, name and public keys as one line of text. Pure.

    cmb1-<base32 of the canonical bytes and a 4-byte checksum>

Whoever keeps the other bases compares the fingerprint by telephone or on paper before taking it: from then on what this
key signs is what that base says.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Annotated, Final

from msgspec import Meta, Struct

from protocol.canonical import decode_typed, encode_typed, prepare
from protocol.errors import NotCanonical
from protocol.keys import InvalidKey, PublicKeys
from protocol.messages import Party

PREFIX: Final = "cmb1-"
CARD_BYTES_MAX: Final = 200
_CHECKSUM_BYTES: Final = 4


class Card(Struct, frozen=True, array_like=True):
    """Who a base is."""

    territory: Party
    base: Party
    signing: Annotated[bytes, Meta(min_length=32, max_length=32)]
    sealing: Annotated[bytes, Meta(min_length=32, max_length=32)]

    @property
    def keys(self) -> PublicKeys:
        return PublicKeys(signing=self.signing, sealing=self.sealing)


def compute_fingerprint(card: Card) -> str:
    """Return eight groups of four symbols, to be read aloud."""
    digest = hashlib.sha256(b"citizen-miles/card/v1\0" + encode_typed(card)).digest()
    text = base64.b32encode(digest[:20]).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, 32, 4))


def format_card(card: Card) -> str:
    """Return the card's text."""
    body = encode_typed(card)
    return PREFIX + base64.b32encode(body + _checksum(body)).decode().rstrip("=").lower()


def parse_card(text: str) -> Card:
    """Return the card; white space is forgiven. Raises InvalidKey."""
    plain = "".join(text.split()).lower()
    symbols = plain.removeprefix(PREFIX).upper()
    try:
        data = base64.b32decode(symbols + "=" * (-len(symbols) % 8))
        card = decode_typed(data[:-_CHECKSUM_BYTES], Card, size_max=CARD_BYTES_MAX)
    except (binascii.Error, ValueError, NotCanonical):
        raise InvalidKey(reason=f"not a card: it begins with {PREFIX}, and every symbol counts") from None
    if format_card(card) != plain:
        raise InvalidKey(reason="a symbol of the card is wrong or missing")
    return card


def _checksum(body: bytes) -> bytes:
    return hashlib.sha256(b"citizen-miles/card/v1\0" + body).digest()[:_CHECKSUM_BYTES]


prepare(Card)
