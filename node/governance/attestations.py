"""What people say here with their own key, beside ballots: that work was done, that a pass counts, that an interest stands. Pure.

An attestation names its subject by id and, by a digest, what the subject said when it was signed: who signs, signs that and
nothing else. A bearer's are signed by a key that speaks for it, the committee's by members who sit.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from node.governance.errors import InvalidAttestation
from node.governance.texts import is_line
from protocol.canonical import decode_typed, encode_typed, prepare

ATTESTATION_VERSION: Final = 1
REASON_MAX: Final = 200
_BYTES_MAX: Final = 4_096


class AttestationKind(StrEnum):
    """What is said, and by whom."""

    WORK = "work"  # the bearer: the work that a pass claims was done so
    VALIDATION = "validation"  # a member of the committee: this pass counts
    HOURS = "hours"  # the bearer: these hours of a volunteer were done
    CONFLICT = "conflict"  # a member: an interest of my own in this project


class AttestationWords(Struct, frozen=True, array_like=True):
    """What is signed. `about` is the digest of what the subject says; empty where the id says all.

    `is_affirmed` is false where work, pass or hours are refused, and then `reason` says why; a conflict always does.
    """

    version: Annotated[int, Meta(ge=1)]
    territory: str
    id: bytes
    kind: str
    subject: bytes
    about: bytes
    is_affirmed: bool
    reason: str


def require_attestation(words: AttestationWords) -> AttestationKind:
    """Return the kind of an attestation that says what its kind must. Raises InvalidAttestation."""
    if words.version != ATTESTATION_VERSION:
        raise InvalidAttestation(field="version", reason=f"version {words.version} is not spoken here")
    if words.kind not in tuple(AttestationKind):
        raise InvalidAttestation(field="kind", reason=f"one of {', '.join(AttestationKind)}")
    kind = AttestationKind(words.kind)
    if kind is AttestationKind.CONFLICT and not words.is_affirmed:
        raise InvalidAttestation(field="is_affirmed", reason="a conflict is declared, and never taken back by a word")
    if (kind is AttestationKind.CONFLICT or not words.is_affirmed) is not is_line(words.reason, REASON_MAX):
        raise InvalidAttestation(
            field="reason", reason=f"a refusal and a conflict, and nothing else, say why in one line of {REASON_MAX}"
        )
    return kind


def write_attestation(words: AttestationWords) -> bytes:
    """Return the bytes that are signed, for the domain `officer`."""
    return b"citizen-miles/projects/attestation/v1\0" + encode_typed(words)


def read_attestation(data: bytes) -> AttestationWords:
    """Return the words as the base keeps them. Raises NotCanonical."""
    return decode_typed(data, AttestationWords, size_max=_BYTES_MAX)


def compute_about(kind: AttestationKind, content: bytes) -> bytes:
    """Return by which digest an attestation names what its subject says; empty content, empty digest."""
    return hashlib.sha256(b"citizen-miles/attestation/" + kind.encode() + b"\0" + content).digest() if content else b""


prepare(AttestationWords)
