"""People who sign here with keys of their own, and the words that they sign beside ballots. Pure.

A key is made at its owner's place; the base is given the public part as one line of text. Stewards run this base: two
of them change a bearer's account. Auditors find. Members vote. Partners and guides report. A bearer's says what was
done for its projects. No name: a title is a function or a pseudonym.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from node.governance.errors import InvalidMember
from protocol.canonical import encode_typed, prepare
from protocol.keys import InvalidKey, PublicKeys, require_public_keys

WORDS_VERSION: Final = 1
TITLE_MAX: Final = 80
_KEY_BYTES: Final = 32


class SignerRole(StrEnum):
    MEMBER = "member"
    AUDITOR = "auditor"
    STEWARD = "steward"
    PARTNER = "partner"  # of a South programme: signs field reports
    GUIDE = "guide"  # of groups: signs field reports, and acts at the accounts
    BEARER = "bearer"  # speaks for one bearer: says that work and hours were done


class IbanWords(Struct, frozen=True, array_like=True):
    """What a steward signs to change where a bearer is paid."""

    version: Annotated[int, Meta(ge=1)]
    territory: str
    id: bytes
    bearer: bytes
    holder_name: str
    iban: str


class FindingWords(Struct, frozen=True, array_like=True):
    """What an auditor signs. `instalment` is the last one looked at; `text` what was found."""

    version: Annotated[int, Meta(ge=1)]
    territory: str
    id: bytes
    project: bytes
    instalment: int
    verdict: str
    text: str


_KINDS: Final = {IbanWords: b"iban", FindingWords: b"finding"}


def write_words(words: IbanWords | FindingWords) -> bytes:
    """Return the bytes that are signed."""
    return b"citizen-miles/projects/" + _KINDS[type(words)] + b"/v1\0" + encode_typed(words)


def write_public(keys: PublicKeys) -> str:
    """Return a public key as one line: 128 hexadecimal digits, signing then sealing."""
    return (keys.signing + keys.sealing).hex()


def read_public(text: object) -> PublicKeys:
    """Return the public key of such a line. Raises InvalidMember."""
    compact = "".join(text.split()) if isinstance(text, str) and len(text) <= 4 * _KEY_BYTES * 2 else ""
    try:
        data = bytes.fromhex(compact)
        if len(data) != 2 * _KEY_BYTES:
            raise ValueError
        return require_public_keys(data[:_KEY_BYTES], data[_KEY_BYTES:])
    except ValueError:
        raise InvalidMember(field="key", reason="a public key is 128 hexadecimal digits") from None
    except InvalidKey as error:
        raise InvalidMember(field="key", reason=str(error.facts["reason"])) from None


prepare(FindingWords, IbanWords)
