"""What a guide signs to act for a group, and nothing else moves its rights on. Pure.

The words name the accreditation, the group, one act, and until when they may be used: a line that is carried by hand may
come days later. Their id is the act's own, so that it is done once.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from node.guides.errors import ActRefused
from protocol.amounts import CENTS_MAX
from protocol.canonical import decode_typed, encode_typed, prepare
from protocol.errors import NotCanonical
from protocol.keys import Domain, SecretKeys, is_signed, sign

ACT_VERSION: Final = 1
ACT_BYTES_MAX: Final = 8_192
CHOICES_MAX: Final = 20
_PREFIX: Final = b"citizen-miles/guide/act/v1\0"
_Id = Annotated[bytes, Meta(min_length=16, max_length=16)]
_Address = Annotated[str, Meta(min_length=8, max_length=40)]
_Cents = Annotated[int, Meta(ge=0, le=CENTS_MAX)]


class OrientAct(Struct, frozen=True, array_like=True, tag=1):
    """Direct rights to projects, in this order; 0 cents: what the other choices leave. `overflow` is next or back."""

    to: Annotated[tuple[_Address, ...], Meta(min_length=1, max_length=CHOICES_MAX)]
    cents: Annotated[tuple[_Cents, ...], Meta(min_length=1, max_length=CHOICES_MAX)]
    overflow: Annotated[str, Meta(max_length=8)]


class CedeAct(Struct, frozen=True, array_like=True, tag=2):
    """Cede rights to an account, here or far."""

    to: _Address
    cents: Annotated[int, Meta(ge=1, le=CENTS_MAX)]
    words: Annotated[str, Meta(max_length=280)]


class TakeBackAct(Struct, frozen=True, array_like=True, tag=3):
    """Take back what was directed under an id; 0 cents: all of it that is there."""

    orientation: _Id
    cents: _Cents


class RecallAct(Struct, frozen=True, array_like=True, tag=4):
    """Ask that a cession be stopped before it is handed over."""

    cession: _Id


Act = OrientAct | CedeAct | TakeBackAct | RecallAct
NAMES: Final = {OrientAct: "orient", CedeAct: "cede", TakeBackAct: "take_back", RecallAct: "recall"}


class ActWords(Struct, frozen=True, array_like=True):
    """`guide` is the accreditation's id, `account` the group's, `until` the last instant at which it is taken."""

    version: Annotated[int, Meta(ge=1)]
    territory: Annotated[str, Meta(max_length=12)]
    id: _Id
    guide: _Id
    account: Annotated[str, Meta(min_length=8, max_length=8)]
    until: Annotated[int, Meta(ge=0, le=2**53)]
    act: Act


class SignedAct(Struct, frozen=True, array_like=True):
    """`words` are the very bytes that were signed."""

    words: Annotated[bytes, Meta(max_length=ACT_BYTES_MAX)]
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]


def sign_act(words: ActWords, keys: SecretKeys) -> SignedAct:
    """Sign an act with one's own key."""
    body = write_act(words)
    return SignedAct(body, sign(keys, Domain.VOTE, body))


def write_act(words: ActWords) -> bytes:
    """Return the bytes that are signed."""
    return _PREFIX + encode_typed(words)


def read_act(body: bytes) -> ActWords:
    """Return the words of such bytes. Raises ActRefused, NotCanonical."""
    if not body.startswith(_PREFIX):
        raise NotCanonical(reason="no act of a guide")
    words = decode_typed(body[len(_PREFIX) :], ActWords, size_max=ACT_BYTES_MAX)
    if words.version != ACT_VERSION:
        raise ActRefused(reason=f"acts of version {words.version} are not known here")
    if isinstance(words.act, OrientAct) and len(words.act.to) != len(words.act.cents):
        raise NotCanonical(reason="an amount for each project")
    return words


def write_signed_act(signed: SignedAct) -> str:
    """Return the line that is handed in: hexadecimal digits."""
    return encode_typed(signed).hex()


def read_signed_act(text: object) -> SignedAct:
    """Return what such a line holds. Raises ActRefused, NotCanonical."""
    compact = "".join(text.split()) if isinstance(text, str) and len(text) <= 3 * ACT_BYTES_MAX else ""
    try:
        data = bytes.fromhex(compact)
    except ValueError:
        raise ActRefused(reason="hexadecimal digits") from None
    return decode_typed(data, SignedAct, size_max=2 * ACT_BYTES_MAX)


def is_act_signed(signed: SignedAct, key: bytes) -> bool:
    """Tell whether the guide who has this key signed."""
    return is_signed(key, Domain.VOTE, signed.words, signed.signature)


prepare(ActWords, SignedAct)
