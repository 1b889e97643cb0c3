"""Keys: Ed25519 to sign, X25519 to seal, named together by one key id. Pure: entropy is an argument.

Why sign a digest? A signature covers `domain ‖ BLAKE2b-512(bytes)`: four times faster on large bodies, and a signature
made for one purpose can never serve another. One verifier everywhere (libsodium, through PyNaCl): libraries disagree
on odd signatures. Keys of small order are refused when they are announced.
Source: SPEC.md, "Keys"; RFC 8032, RFC 7748, libsodium's sealed boxes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NewType

from nacl import bindings
from nacl.exceptions import BadSignatureError, CryptoError
from nacl.signing import SigningKey, VerifyKey

from protocol.errors import Malformed, Refusal

KeyId = NewType("KeyId", bytes)

SEED_BYTES = 32
PUBLIC_BYTES = 32
KEY_ID_BYTES = 8
PAD_BLOCK = 256


class InvalidKey(Malformed):
    """A public key that is not a point, or of small order. Facts: key, reason."""

    code = "invalid_key"


class Unreadable(Refusal):
    """A sealed part that our keys cannot open. Facts: reason."""

    code = "unreadable"


class Domain(StrEnum):
    """What a signature is for."""

    STATEMENT = "statement"
    CHECKPOINT = "checkpoint"
    ENROLMENT = "enrolment"
    KEY = "key"
    WHISPER = "whisper"
    OFFICER = "officer"
    CONVERSION = "conversion"
    VOTE = "vote"
    MINUTES = "minutes"
    AUDIT = "audit"
    CARD = "card"
    SETTLEMENT = "settlement"
    CATALOGUE = "catalogue"
    BASE_KEY = "base-key"


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """What others know of a party's keys."""

    signing: bytes
    sealing: bytes

    @property
    def id(self) -> KeyId:
        return compute_key_id(self.signing, self.sealing)


@dataclass(frozen=True, slots=True)
class SecretKeys:
    """A party's own keys, made from two seeds. Never printed: `repr` shows the public id only."""

    signing_seed: bytes
    sealing_seed: bytes

    def __repr__(self) -> str:
        return f"SecretKeys({self.public.id.hex()})"

    @property
    def public(self) -> PublicKeys:
        return _public_of(self.signing_seed, self.sealing_seed)


@dataclass(frozen=True, slots=True)
class Keyring:
    """All of a party's own keys: `current` signs, the older ones still open what was sealed for them."""

    current: SecretKeys
    older: tuple[SecretKeys, ...] = ()

    def find(self, key_id: bytes) -> SecretKeys | None:
        """Return the keys of that id, or None where they were destroyed or never ours."""
        return next((keys for keys in (self.current, *self.older) if keys.public.id == key_id), None)


@lru_cache(maxsize=64)
def _public_of(signing_seed: bytes, sealing_seed: bytes) -> PublicKeys:
    return PublicKeys(
        signing=bytes(SigningKey(signing_seed).verify_key),
        sealing=bindings.crypto_scalarmult_base(sealing_seed),
    )


@lru_cache(maxsize=4096)
def compute_key_id(signing: bytes, sealing: bytes) -> KeyId:
    """Return the first 8 bytes of SHA-256 over a label and both public keys."""
    return KeyId(hashlib.sha256(b"citizen-miles/key-id/v1\0" + signing + sealing).digest()[:KEY_ID_BYTES])


def make_keys(entropy: bytes) -> SecretKeys:
    """Return the keys grown from 64 random bytes given by the caller."""
    if len(entropy) != 2 * SEED_BYTES:
        raise ValueError("64 bytes of entropy make one set of keys")
    return SecretKeys(entropy[:SEED_BYTES], entropy[SEED_BYTES:])


def require_public_keys(signing: bytes, sealing: bytes) -> PublicKeys:
    """Return the keys if both are sound points of large order. Raises InvalidKey."""
    if len(signing) != PUBLIC_BYTES or len(sealing) != PUBLIC_BYTES:
        raise InvalidKey(key=signing.hex(), reason="a public key is 32 bytes")
    if not bindings.crypto_core_ed25519_is_valid_point(signing):
        raise InvalidKey(key=signing.hex(), reason="not a point of the prime-order group")
    try:
        bindings.crypto_scalarmult(b"\x42" * 32, sealing)
    except (CryptoError, RuntimeError):
        raise InvalidKey(key=sealing.hex(), reason="a point of small order") from None
    return PublicKeys(signing, sealing)


def _message(domain: Domain, body: bytes) -> bytes:
    return f"citizen-miles/{domain}/v1\0".encode() + hashlib.blake2b(body).digest()


@lru_cache(maxsize=64)
def _signer(seed: bytes) -> SigningKey:
    return SigningKey(seed)


@lru_cache(maxsize=4096)
def _verifier(public: bytes) -> VerifyKey:
    return VerifyKey(public)


def sign(keys: SecretKeys, domain: Domain, body: bytes) -> bytes:
    """Return the 64-byte signature of `body` for `domain`."""
    return bytes(_signer(keys.signing_seed).sign(_message(domain, body)).signature)


def is_signed(signing: bytes, domain: Domain, body: bytes, signature: bytes) -> bool:
    """Tell whether `signature` is that public key's signature of `body` for `domain`."""
    try:
        _verifier(signing).verify(_message(domain, body), signature)
    except (BadSignatureError, ValueError):
        return False
    return True


def derive_plain_seed(keys: SecretKeys, purpose: str) -> bytes:
    """Return the 32-byte seed of a second signing key, for one purpose that speaks another format than ours.

    It follows from the signing seed, so it is kept, lost and replaced with it.
    """
    label = f"citizen-miles/derived/{purpose}/v1".encode()
    return hashlib.blake2b(label, key=keys.signing_seed, digest_size=SEED_BYTES).digest()


def compute_plain_public(seed: bytes) -> bytes:
    """Return the 32 bytes of the Ed25519 public key of that seed."""
    return bytes(_signer(seed).verify_key)


def sign_plain(seed: bytes, message: bytes) -> bytes:
    """Return the 64-byte Ed25519 signature of a message as RFC 8032 has it, without a domain of ours.

    Only for formats that others read and that say by themselves what is signed, and only with a derived seed.
    """
    return bytes(_signer(seed).sign(message).signature)


def is_signed_plain(public: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether `signature` is that public key's, over the message as it stands; never for a key of small order."""
    if len(public) != PUBLIC_BYTES or not bindings.crypto_core_ed25519_is_valid_point(public):
        return False
    try:
        _verifier(public).verify(message, signature)
    except (BadSignatureError, ValueError):
        return False
    return True


def seal(recipient: bytes, plain: bytes, *, ephemeral_seed: bytes) -> bytes:
    """Return `plain` padded to 256-byte classes and sealed for an X25519 public key.

    The construction is libsodium's sealed box, with the ephemeral key as an argument so that the function stays pure:
    32 fresh random bytes, never used twice.
    """
    ephemeral = bindings.crypto_scalarmult_base(ephemeral_seed)
    nonce = hashlib.blake2b(ephemeral + recipient, digest_size=24).digest()
    padded = bindings.sodium_pad(plain, PAD_BLOCK)
    return ephemeral + bindings.crypto_box(padded, nonce, recipient, ephemeral_seed)


def unseal(keys: SecretKeys, sealed: bytes) -> bytes:
    """Return what was sealed for these keys. Raises Unreadable."""
    try:
        padded = bindings.crypto_box_seal_open(sealed, keys.public.sealing, keys.sealing_seed)
        return bytes(bindings.sodium_unpad(padded, PAD_BLOCK))
    except (CryptoError, ValueError, TypeError):
        raise Unreadable(reason="sealed for another key, or altered") from None
