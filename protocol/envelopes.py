"""Envelopes: what one exchange carries. Pure.

    envelope  = [statement, signature, payload]
    statement = who speaks to whom, my log's head, how much of *your* log I hold and its root, the last national
                checkpoint I know, and the digest of the payload. One signature covers it, and with it any number of
                slips. It is short, stands alone, and can be shown to a third party: it is the evidence.
    payload   = new slips with what travels beside them, proofs, directory entries, whispers.

Acknowledging is signing: whoever signs (ack_size, ack_root) becomes a witness of the other's log.
Source: SPEC.md, "Envelopes".
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Final

from msgspec import Meta, Struct

from protocol import keys
from protocol.canonical import decode_typed, encode_typed, prepare
from protocol.errors import BadEnvelope, NotCanonical
from protocol.keys import Domain, SecretKeys
from protocol.messages import LEAF_BYTES_MAX, SEALED_BYTES_MAX, Hash, Key32, KeyName, Millis, Party, Signature, Size

ENVELOPE_BYTES_MAX: Final = 16 * 1024 * 1024
SLIPS_MAX: Final = 512
DIRECTORY_MAX: Final = 512
WHISPERS_MAX: Final = 64
HISTORIES_MAX: Final = (
    513  # from the checkpoint in the question, and from that of each author whose slips are handed over
)
STATEMENT_BYTES_MAX: Final = 1_024
COLUMN_BYTES_MAX: Final = SEALED_BYTES_MAX + 64  # a SealedColumn, encoded

Proof = Annotated[tuple[Hash, ...], Meta(max_length=128)]
Nonce = Annotated[bytes, Meta(min_length=16, max_length=16)]


class Checkpoint(Struct, frozen=True, array_like=True):
    """The head of the national log, as the hub signs it. Heads of two epochs say nothing about each other."""

    network: Annotated[str, Meta(min_length=1, max_length=32)]
    hub: Party
    epoch: Size
    size: Size
    root: Hash
    at: Millis


class SignedCheckpoint(Struct, frozen=True, array_like=True):
    """A checkpoint's exact bytes, the key that signed, the signature."""

    body: Annotated[bytes, Meta(max_length=256)]
    key: KeyName
    signature: Signature


class HeadStatement(Struct, frozen=True, array_like=True):
    """What one party says to another, signed. `checkpoint` is None until the first is known."""

    version: Annotated[int, Meta(ge=1, le=2**16)]
    speaks: Annotated[int, Meta(ge=1, le=2**16)]
    network: Annotated[str, Meta(min_length=1, max_length=32)]
    sender: Party
    reader: Party
    key: KeyName
    epoch: Size
    at: Millis
    log_size: Size
    log_root: Hash
    ack_epoch: Size
    ack_size: Size
    ack_root: Hash
    checkpoint: SignedCheckpoint | None
    payload: Hash


class ForwardedSlip(Struct, frozen=True, array_like=True):
    """What travels beside a Forward: the author's own leaf, signed head and inclusion proof, and the sealed part."""

    leaf: Annotated[bytes, Meta(max_length=LEAF_BYTES_MAX)]
    statement: Annotated[bytes, Meta(max_length=STATEMENT_BYTES_MAX)]
    signature: Signature
    proof: Proof
    sealed: Annotated[bytes, Meta(max_length=COLUMN_BYTES_MAX)]


class CarriedSlip(Struct, frozen=True, array_like=True):
    """A leaf, and what travels beside it: one sealed column, or one ForwardedSlip per Forward, each as bytes."""

    leaf: Annotated[bytes, Meta(max_length=LEAF_BYTES_MAX)]
    beside: Annotated[tuple[Annotated[bytes, Meta(max_length=2 * 1024 * 1024)], ...], Meta(max_length=2_048)]


class DirectoryPart(Struct, frozen=True, array_like=True):
    """Directory entries from number `start`; the last is proved to be leaf `index` of the checkpoint's log."""

    start: Size
    entries: Annotated[tuple[Annotated[bytes, Meta(max_length=8_192)], ...], Meta(max_length=DIRECTORY_MAX)]
    index: Size
    proof: Proof


class Whisper(Struct, frozen=True, array_like=True):
    """A question or an answer that lives for seconds and is in no log; `body` is sealed for its reader."""

    id: Annotated[bytes, Meta(min_length=16, max_length=16)]
    sender: Party
    reader: Party
    is_answer: bool
    key: KeyName
    body: Annotated[bytes, Meta(max_length=2_048)]


class History(Struct, frozen=True, array_like=True):
    """Proof that the national log of `size` is a prefix of the checkpoint in this envelope's statement."""

    size: Size
    proof: Proof


class AskOwn(Struct, frozen=True, array_like=True, tag=1):
    """My book is an old copy: send me my own slips from this index of my log on. `nonce`: what answers it repeats it."""

    start: Size
    nonce: Nonce


class OwnSlips(Struct, frozen=True, array_like=True, tag=2):
    """The reader's own slips as the sender holds them, with the head that the reader itself once signed over them.

    `nonce` is that of the question: an answer to an older one, delivered late, would tell too little. Zeros where nobody
    asked. `statement` is empty where no head of the reader was ever kept. `proof` shows that the log after these slips is a prefix of the one under that head; empty where it ends there.
    """

    nonce: Nonce
    start: Size
    slips: Annotated[tuple[CarriedSlip, ...], Meta(max_length=SLIPS_MAX)]
    statement: Annotated[bytes, Meta(max_length=STATEMENT_BYTES_MAX)]
    signature: Signature
    proof: Proof


class ProvedEntries(Struct, frozen=True, array_like=True):
    """Directory entries that the hub's book lost, the last one under a checkpoint that the hub once signed."""

    part: DirectoryPart
    checkpoint: SignedCheckpoint


class Returned(Struct, frozen=True, array_like=True, tag=3):
    """To a hub whose book is an old copy: what it told us since, and the directory as it was then."""

    slips: OwnSlips | None
    directory: ProvedEntries | None


class Payload(Struct, frozen=True, array_like=True):
    """The body of an envelope. `start`: log index of the first slip; `directory_size`: entries the sender holds."""

    start: Size
    slips: Annotated[tuple[CarriedSlip, ...], Meta(max_length=SLIPS_MAX)]
    directory_size: Size
    directory: DirectoryPart | None
    histories: Annotated[tuple[History, ...], Meta(max_length=HISTORIES_MAX)]
    whispers: Annotated[tuple[Whisper, ...], Meta(max_length=WHISPERS_MAX)]
    recovery: AskOwn | OwnSlips | Returned | None


class Envelope(Struct, frozen=True, array_like=True):
    """One exchange in one direction."""

    statement: Annotated[bytes, Meta(max_length=STATEMENT_BYTES_MAX)]
    signature: Signature
    payload: Annotated[bytes, Meta(max_length=ENVELOPE_BYTES_MAX)]


class Enrolment(Struct, frozen=True, array_like=True):
    """A node's request to join: the invitation's token and its first keys, signed by them."""

    network: Annotated[str, Meta(min_length=1, max_length=32)]
    member: Party
    token: Annotated[bytes, Meta(min_length=16, max_length=16)]
    name: Annotated[str, Meta(min_length=1, max_length=120)]
    signing: Key32
    sealing: Key32
    at: Millis


class SignedEnrolment(Struct, frozen=True, array_like=True):
    """The request's exact bytes and the new key's signature."""

    body: Annotated[bytes, Meta(max_length=1_024)]
    signature: Signature


class Welcome(Struct, frozen=True, array_like=True):
    """The hub's answer to an enrolment: who it is and its keys. The invitation's fingerprint vouches for them."""

    network: Annotated[str, Meta(min_length=1, max_length=32)]
    hub: Party
    signing: Key32
    sealing: Key32


def compute_digest(payload: bytes) -> bytes:
    """Return the 32-byte digest of a payload that its statement carries."""
    return hashlib.blake2b(payload, digest_size=32).digest()


def hash_sealed(salt: bytes, sealed: bytes) -> bytes:
    """Return the commitment of a leaf to its sealed column."""
    return hashlib.sha256(salt + sealed).digest()


def sign_envelope(secret: SecretKeys, statement: HeadStatement, payload: bytes) -> bytes:
    """Return the envelope's bytes. The statement must already carry the payload's digest."""
    body = encode_typed(statement)
    return encode_typed(Envelope(body, keys.sign(secret, Domain.STATEMENT, body), payload))


def sign_checkpoint(secret: SecretKeys, checkpoint: Checkpoint) -> SignedCheckpoint:
    """Return the checkpoint signed by the hub."""
    body = encode_typed(checkpoint)
    return SignedCheckpoint(body, secret.public.id, keys.sign(secret, Domain.CHECKPOINT, body))


def open_envelope(data: bytes) -> tuple[Envelope, HeadStatement]:
    """Return envelope and statement, not yet believed: verify before use. Raises BadEnvelope."""
    try:
        envelope = decode_typed(data, Envelope, size_max=ENVELOPE_BYTES_MAX)
        statement = decode_typed(envelope.statement, HeadStatement, size_max=STATEMENT_BYTES_MAX)
        if statement.checkpoint is not None:  # it travels on inside this statement: others must be able to read it
            decode_typed(statement.checkpoint.body, Checkpoint, size_max=256)
    except NotCanonical as error:
        raise BadEnvelope(f"envelope: {error}") from error
    return envelope, statement


def open_payload(envelope: Envelope, statement: HeadStatement) -> Payload:
    """Return the payload if its digest is the one signed. Raises BadEnvelope."""
    if compute_digest(envelope.payload) != statement.payload:
        raise BadEnvelope("the payload is not the one that was signed", reason="bad_payload")
    try:
        return decode_typed(envelope.payload, Payload, size_max=ENVELOPE_BYTES_MAX)
    except NotCanonical as error:
        raise BadEnvelope(f"payload: {error}", reason="bad_payload") from error


def open_checkpoint(signed: SignedCheckpoint, signing: bytes) -> Checkpoint:
    """Return the checkpoint if this key signed it. Raises BadEnvelope."""
    if not keys.is_signed(signing, Domain.CHECKPOINT, signed.body, signed.signature):
        raise BadEnvelope("the checkpoint is not signed by the hub", reason="bad_checkpoint")
    try:
        return decode_typed(signed.body, Checkpoint, size_max=256)
    except NotCanonical as error:
        raise BadEnvelope(f"checkpoint: {error}", reason="bad_checkpoint") from error


def is_statement_signed(signing: bytes, statement: bytes, signature: bytes) -> bool:
    """Tell whether these statement bytes carry that key's signature."""
    return keys.is_signed(signing, Domain.STATEMENT, statement, signature)


prepare(Envelope, HeadStatement, Checkpoint, Payload, Welcome, Enrolment, SignedEnrolment, ForwardedSlip)
