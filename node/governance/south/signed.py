"""Words and one person's signature of them, as they are handed in: one line of hexadecimal digits. Pure."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from node.governance.south.errors import InvalidProgramme
from protocol.canonical import decode_typed, encode_typed, prepare
from protocol.keys import Domain, SecretKeys, sign

SIGNED_BYTES_MAX: Final = 40_960


class SignedWords(Struct, frozen=True, array_like=True):
    """`words` are the very bytes that were signed; `key` names the signer's."""

    words: Annotated[bytes, Meta(max_length=SIGNED_BYTES_MAX)]
    key: Annotated[bytes, Meta(min_length=8, max_length=8)]
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]


def sign_words(words: bytes, domain: Domain, keys: SecretKeys) -> SignedWords:
    """Sign words with one's own key."""
    return SignedWords(words, keys.public.id, sign(keys, domain, words))


def write_signed(signed: SignedWords) -> str:
    """Return the line that is handed in."""
    return encode_typed(signed).hex()


def read_signed(text: object) -> SignedWords:
    """Return what such a line holds. Raises InvalidProgramme, NotCanonical."""
    compact = "".join(text.split()) if isinstance(text, str) and len(text) <= 3 * SIGNED_BYTES_MAX else ""
    try:
        data = bytes.fromhex(compact)
    except ValueError:
        raise InvalidProgramme(field="signed", reason="hexadecimal digits") from None
    return decode_typed(data, SignedWords, size_max=SIGNED_BYTES_MAX)


prepare(SignedWords)
