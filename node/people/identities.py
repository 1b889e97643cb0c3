"""By what somebody signs in: a passkey, an account elsewhere (OIDC), a code on paper. Pure.

ACTIVE ──▶ LOCKED      too many wrong codes
   └─────▶ REVOKED     (LOCKED ──▶ REVOKED as well)
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from node.people.errors import InvalidIdentity

PER_PERSON_MAX: Final = 20
CREDENTIAL_BYTES_MAX: Final = 1_023  # WebAuthn, "Credential ID"
KEY_BYTES_MAX: Final = 2_048
ISSUER_MAX: Final = 255
SUBJECT_MAX: Final = 255  # OpenID Connect Core, "sub"


class IdentityKind(StrEnum):
    PASSKEY = "passkey"
    OIDC = "oidc"
    PAPER = "paper"


class IdentityState(StrEnum):
    ACTIVE = "active"
    LOCKED = "locked"
    REVOKED = "revoked"


class Passkey(msgspec.Struct, frozen=True, array_like=True, tag="passkey"):
    """A credential of WebAuthn: its id, and the public key (COSE) that signs for it. Raises InvalidIdentity."""

    credential: bytes
    public_key: bytes

    def __post_init__(self) -> None:
        if not 1 <= len(self.credential) <= CREDENTIAL_BYTES_MAX:
            raise InvalidIdentity(field="credential", reason=f"1 to {CREDENTIAL_BYTES_MAX} bytes")
        if not 1 <= len(self.public_key) <= KEY_BYTES_MAX:
            raise InvalidIdentity(field="public_key", reason=f"1 to {KEY_BYTES_MAX} bytes")

    @property
    def handle(self) -> str:
        return self.credential.hex()


class Elsewhere(msgspec.Struct, frozen=True, array_like=True, tag="oidc"):
    """Who somebody is at an issuer of OpenID Connect. Raises InvalidIdentity."""

    issuer: str
    subject: str

    def __post_init__(self) -> None:
        if not self.issuer.startswith("https://") or len(self.issuer) > ISSUER_MAX:
            raise InvalidIdentity(field="issuer", reason=f"https://…, at most {ISSUER_MAX} characters")
        if not 1 <= len(self.subject) <= SUBJECT_MAX:
            raise InvalidIdentity(field="subject", reason=f"1 to {SUBJECT_MAX} characters")

    @property
    def handle(self) -> str:
        return f"{self.issuer}\n{self.subject}"


Credential = Passkey | Elsewhere


def kind_of(credential: Credential) -> IdentityKind:
    return IdentityKind.PASSKEY if isinstance(credential, Passkey) else IdentityKind.OIDC


def encode_credential(credential: Credential) -> bytes:
    return msgspec.msgpack.encode(credential)


def decode_credential(data: bytes) -> Credential:
    """Return the credential of bytes that we sealed ourselves. Raises msgspec.DecodeError."""
    return _decoder.decode(data)


_decoder: Final[msgspec.msgpack.Decoder[Credential]] = msgspec.msgpack.Decoder(Credential)
