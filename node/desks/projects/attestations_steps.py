"""Steps of attestations, as the doors of the projects' office describe them. Pure."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from node.desks.projects.duties import ALL, BRINGS
from node.doors.shapes import Hex, KnownId, Name, OwnId
from node.doors.steps import Step
from node.governance.attestations import AttestationKind


class AttestWordsRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What is attested, and of what."""

    id: OwnId
    kind: AttestationKind
    subject: KnownId


class AttestWordsAnswer(Struct, frozen=True):
    """What is signed: `about` is the digest of the `content`, in hexadecimal."""

    version: int
    territory: str
    id: str
    kind: str
    subject: str
    about: str
    state: str
    content: str


class AttestText(Struct, frozen=True, forbid_unknown_fields=True):
    """What a bearer's speaker or a member signs."""

    version: Annotated[int, Meta(ge=1, le=100)]
    territory: Name
    id: KnownId
    kind: AttestationKind
    subject: KnownId
    about: Hex
    is_affirmed: bool
    reason: Annotated[str, Meta(max_length=8_000)]


class AttestGiveRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Words with their signature, by a key that no base holds."""

    words: AttestText
    key: Hex
    signature: Hex


class AttestGivenAnswer(Struct, frozen=True):
    """Where the subject stands, and how many are still missing."""

    id: str
    subject: str
    state: str
    missing: int


class AttestationsRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One subject."""

    subject: KnownId


class AttestationLine(Struct, frozen=True, rename={"speaker": "by"}):
    """Who said what of it: by function."""

    id: str
    kind: str
    speaker: str
    role: str
    says: str
    reason: str
    at: str


class AttestationsAnswer(Struct, frozen=True):
    """The oldest first."""

    rows: list[AttestationLine]


ATTESTATIONS_STEPS: Final = (
    Step(
        command="attest_words",
        summary="Give what is signed.",
        asks=AttestWordsRequest,
        answers=AttestWordsAnswer,
        duties=BRINGS,
    ),
    Step(
        command="attest_give",
        summary="Bring a signed attestation.",
        asks=AttestGiveRequest,
        answers=AttestGivenAnswer,
        duties=BRINGS,
    ),
    Step(
        command="attestations",
        summary="List what was attested.",
        asks=AttestationsRequest,
        answers=AttestationsAnswer,
        duties=ALL,
        reads=True,
    ),
)
