"""Questions that live for seconds: does this account exist, and whom does it show? May what was directed come back? Pure.

A whisper passes through the hub's memory, sealed for its reader and signed by its author: the hub learns neither the
account asked for nor the answer. Only what the beneficiary chose to show is told, masked.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from protocol import keys
from protocol.canonical import decode_typed, encode_typed, prepare
from protocol.directory import Directory
from protocol.envelopes import Whisper
from protocol.errors import NotCanonical, Refusal
from protocol.keys import Domain, Keyring, SecretKeys, Unreadable
from protocol.messages import Epoch, Millis, Place, Signature, Size

BODY_MAX: Final = 1_024
AGE_MAX_MS: Final = 60_000


class WhisperRefused(Refusal):
    """A whisper that cannot be believed. Facts: reason."""

    code = "whisper_refused"


class Question(Struct, frozen=True, array_like=True, tag=1):
    """Does this account take rights?"""

    number: Annotated[str, Meta(pattern=r"^[0-9A-Z]{8}\Z")]
    at: Millis


class Reply(Struct, frozen=True, array_like=True, tag=2):
    """It does or does not; `shown` is the masked name its holder chose to show, or nothing."""

    takes_rights: bool
    shown: Annotated[str, Meta(max_length=80)]
    at: Millis


class BackQuestion(Struct, frozen=True, array_like=True, tag=3):
    """May so much come back (0: all that is left) of what reached your project by that place of our log? `id` is the holder's."""

    epoch: Epoch
    index: Size
    place: Place
    id: Annotated[bytes, Meta(min_length=16, max_length=16)]
    cents: Annotated[int, Meta(ge=0, le=10**15)]
    at: Millis


class BackReply(Struct, frozen=True, array_like=True, tag=4):
    """So much is on its way back; or why nothing is, by a code."""

    cents: Annotated[int, Meta(ge=0, le=10**15)]
    code: Annotated[str, Meta(max_length=48)]
    at: Millis


Said = Question | Reply | BackQuestion | BackReply


class _Signed(Struct, frozen=True, array_like=True):
    body: Annotated[bytes, Meta(max_length=BODY_MAX)]
    signature: Signature


class _Body(Struct, frozen=True, array_like=True):
    id: Annotated[bytes, Meta(min_length=16, max_length=16)]
    sender: str
    reader: str
    said: Said


def make_whisper(
    said: Said,
    *,
    id_: bytes,
    sender: str,
    reader: str,
    secret: SecretKeys,
    directory: Directory,
    ephemeral_seed: bytes,
) -> Whisper:
    """Return the whisper, signed and sealed. Raises UnknownMember."""
    target = directory.require(reader).keys[-1]
    body = encode_typed(_Body(id_, sender, reader, said))
    signed = encode_typed(_Signed(body, keys.sign(secret, Domain.WHISPER, body)))
    sealed = keys.seal(target.sealing, signed, ephemeral_seed=ephemeral_seed)
    return Whisper(id_, sender, reader, isinstance(said, Reply | BackReply), target.id, sealed)


def open_whisper(whisper: Whisper, *, home: str, keyring: Keyring, directory: Directory, now: int) -> Said:
    """Return what was said, if its author said it to us just now. Raises WhisperRefused."""
    own = keyring.find(whisper.key)
    author = directory.find(whisper.sender)
    if own is None or author is None:
        raise WhisperRefused(reason="unknown key or author")
    try:
        signed = decode_typed(keys.unseal(own, whisper.body), _Signed, size_max=2 * BODY_MAX)
        body = decode_typed(signed.body, _Body, size_max=BODY_MAX)
    except (Unreadable, NotCanonical):
        raise WhisperRefused(reason="unreadable") from None
    if not any(keys.is_signed(key.signing, Domain.WHISPER, signed.body, signed.signature) for key in author.keys):
        raise WhisperRefused(reason="not signed by its author")
    if (body.id, body.sender, body.reader) != (whisper.id, whisper.sender, home):
        raise WhisperRefused(reason="made for another reader")
    if abs(now - body.said.at) > AGE_MAX_MS:
        raise WhisperRefused(reason="too old")
    return body.said


prepare(_Signed, _Body)
