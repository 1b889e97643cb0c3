"""Steps of bearers, their proofs and their accounts, as the doors of the office describe them. Pure."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from node.desks.projects.duties import BRINGS
from node.desks.projects.office_kinds import office_step, read_step
from node.doors.shapes import Day, Hex, KnownId, Line, Name, OwnId
from node.governance.bearers import ProofKind


class ProjectBearerRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A body that may bear projects."""

    id: OwnId
    registry: Name
    name: Name
    category: Name
    holder: Name
    iban: Name


class ProjectBearerAnswer(Struct, frozen=True):
    """The body as entered."""

    bearer: str
    registry: str
    name: str


class ProjectBearerLine(ProjectBearerAnswer, frozen=True):
    """A bearer."""

    category: str
    holder: str
    iban: str


class ProjectBearersAnswer(Struct, frozen=True):
    """Bearers by name."""

    rows: list[ProjectBearerLine]


class ProofRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A dated proof that a bearer is eligible, by the digest of the paper."""

    id: OwnId
    bearer: KnownId
    kind: ProofKind
    sha256: Hex
    issued_on: Day
    valid_until: Day


class ProofAnswer(Struct, frozen=True):
    """The proof as entered."""

    proof: str
    sha256: str
    valid_until: str


class OneBearerRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One bearer."""

    bearer: KnownId


class ProofLine(ProofAnswer, frozen=True):
    """A proof."""

    kind: str
    issued_on: str


class ProofsAnswer(Struct, frozen=True):
    """A bearer's proofs."""

    rows: list[ProofLine]


class BearerIbanWordsRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Another account of a bearer. Who signs second gives the change's id alone."""

    id: OwnId
    bearer: Line = ""
    holder: Line = ""
    iban: Line = ""


class BearerIbanWords(Struct, frozen=True, forbid_unknown_fields=True):
    """What two stewards sign, each with a key that no base holds."""

    id: KnownId
    territory: Name
    bearer: KnownId
    holder: Line
    iban: Line


class BearerIbanSignRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One steward's signature of the words."""

    words: BearerIbanWords
    key: Hex
    signature: Hex


class BearerIbanSignedAnswer(Struct, frozen=True, rename={"first": "from"}):
    """What the change waits for, or from when it holds."""

    id: str
    waits_for: str
    first: str


class OneChangeRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One change of an account."""

    id: OwnId


class DroppedAnswer(Struct, frozen=True):
    """The change is given up."""

    id: str
    dropped: bool


BEARERS_STEPS: Final = (
    office_step("bearer_save", "Enter a bearer.", ProjectBearerRequest, ProjectBearerAnswer),
    read_step("bearers", "List bearers.", ProjectBearersAnswer),
    office_step("proof_add", "Enter a proof of a bearer.", ProofRequest, ProofAnswer),
    read_step("proofs", "List a bearer's proofs.", ProofsAnswer, OneBearerRequest),
    office_step(
        "iban_words", "Give what two stewards sign of another account.", BearerIbanWordsRequest, BearerIbanWords
    ),
    office_step(
        "iban_sign",
        "Bring a steward's signature.",
        BearerIbanSignRequest,
        BearerIbanSignedAnswer,
        duties=BRINGS,
    ),
    office_step("iban_drop", "Give a change of account up.", OneChangeRequest, DroppedAnswer),
)
