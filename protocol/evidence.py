"""Evidence: signed words that contradict each other, in a file that anyone can judge. Pure.

    two_heads        the same signer, the same log, two roots for one size (or for a size the longer one contains)
    rewound          the same signer, the same epoch: it later says it holds less of a log than it had acknowledged
    broken_log       a signed head, then signed slips that do not follow from it
    broken_history   a signed checkpoint, then a signed envelope whose proof from it fails or is missing
    disputed_ack     the owner signed one root for a size, the reader acknowledged another: one of the two forked

Judging needs only the file and the accused's public key, which the file names and the reader compares with the
fingerprint he trusts. Source: SPEC.md, "Evidence".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from protocol import keys, merkle
from protocol.canonical import decode_typed, encode_typed, prepare
from protocol.envelopes import (
    ENVELOPE_BYTES_MAX,
    STATEMENT_BYTES_MAX,
    Checkpoint,
    HeadStatement,
    Payload,
    SignedCheckpoint,
    compute_digest,
    is_statement_signed,
)
from protocol.errors import NotCanonical, Refusal
from protocol.keys import Domain
from protocol.merkle import Frontier
from protocol.messages import Hash, Key32, Millis, Party, Signature

# Statements made at the same time may cross; a minute later they cannot.
EVIDENCE_BYTES_MAX: Final = 2 * ENVELOPE_BYTES_MAX


class NotEvidence(Refusal):
    """The file proves nothing. Facts: reason."""

    code = "not_evidence"


class EvidenceKind(StrEnum):
    """Which contradiction."""

    TWO_HEADS = "two_heads"
    REWOUND = "rewound"
    BROKEN_LOG = "broken_log"
    BROKEN_HISTORY = "broken_history"
    DISPUTED_ACK = "disputed_ack"


class SignedStatement(Struct, frozen=True, array_like=True):
    """A statement's exact bytes, who signed, with which public key."""

    signer: Party
    signing: Key32
    body: Annotated[bytes, Meta(max_length=STATEMENT_BYTES_MAX)]
    signature: Signature


class Evidence(Struct, frozen=True, array_like=True):
    """The file. `payload` is the second statement's; `peaks` the frontier at the first one's size."""

    version: Annotated[int, Meta(ge=1, le=1)]
    kind: Annotated[str, Meta(max_length=32)]
    found_at: Millis
    accused: Party
    first: SignedStatement
    second: SignedStatement
    first_checkpoint: SignedCheckpoint | None
    peaks: Annotated[tuple[Hash, ...], Meta(max_length=64)]
    payload: Annotated[bytes, Meta(max_length=ENVELOPE_BYTES_MAX)]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the evidence proves, against whom, under which key."""

    kind: EvidenceKind
    accused: str
    key_fingerprint: str
    summary: str


def encode_evidence(evidence: Evidence) -> bytes:
    return encode_typed(evidence)


def judge(data: bytes) -> Judgement:
    """Return what the file proves. Raises NotEvidence, saying which step fails."""
    try:
        evidence = decode_typed(data, Evidence, size_max=EVIDENCE_BYTES_MAX)
        kind = EvidenceKind(evidence.kind)
    except (NotCanonical, ValueError) as error:
        raise NotEvidence(reason=f"not an evidence file: {error}") from error
    first, second = _open(evidence.first), _open(evidence.second)
    summary = _JUDGES[kind](evidence, first, second)
    accused_key = evidence.second.signing
    return Judgement(kind, evidence.accused, accused_key.hex(), summary)


def _open(signed: SignedStatement) -> HeadStatement:
    if not is_statement_signed(signed.signing, signed.body, signed.signature):
        raise NotEvidence(reason="a statement is not signed by the key that is named")
    try:
        statement = decode_typed(signed.body, HeadStatement, size_max=STATEMENT_BYTES_MAX)
    except NotCanonical as error:
        raise NotEvidence(reason=f"a statement cannot be read: {error}") from error
    if statement.sender != signed.signer:
        raise NotEvidence(reason="a statement names another sender")
    return statement


def _open_checkpoint(signed: SignedCheckpoint, evidence: Evidence) -> Checkpoint:
    if not keys.is_signed(evidence.second.signing, Domain.CHECKPOINT, signed.body, signed.signature):
        raise NotEvidence(reason="a checkpoint is not signed by the accused")
    try:
        checkpoint = decode_typed(signed.body, Checkpoint, size_max=256)
    except NotCanonical as error:
        raise NotEvidence(reason=f"a checkpoint cannot be read: {error}") from error
    if checkpoint.hub != evidence.accused:
        raise NotEvidence(reason="a checkpoint is not the accused's")
    return checkpoint


def _require_same_voice(evidence: Evidence, first: HeadStatement, second: HeadStatement) -> None:
    if not (first.sender == second.sender == evidence.accused and first.network == second.network):
        raise NotEvidence(reason="the two statements are not the accused's")
    if evidence.first.signing != evidence.second.signing:
        raise NotEvidence(reason="the two statements are signed by different keys")


def _judge_two_heads(evidence: Evidence, first: HeadStatement, second: HeadStatement) -> str:
    if evidence.first_checkpoint is not None:
        # Two checkpoints of the national log; the statements only carry them, and may be those of two members.
        if second.checkpoint is None:
            raise NotEvidence(reason="the second checkpoint is missing")
        one = _open_checkpoint(evidence.first_checkpoint, evidence)
        two = _open_checkpoint(second.checkpoint, evidence)
        if (one.network, one.epoch, one.size) != (two.network, two.epoch, two.size) or one.root == two.root:
            raise NotEvidence(reason="the two checkpoints do not contradict each other")
        return (
            f"{evidence.accused} signed two national logs of {one.size} leaves: {one.root.hex()} and {two.root.hex()}"
        )
    _require_same_voice(evidence, first, second)
    if (first.reader, first.epoch) != (second.reader, second.epoch):
        raise NotEvidence(reason="the two heads are not of the same log")
    prefix_root = first.log_root
    if first.log_size != second.log_size:
        prefix_root, *proof = evidence.peaks or (b"",)
        if not merkle.verify_consistency(second.log_size, prefix_root, first.log_size, first.log_root, proof):
            raise NotEvidence(reason="the two heads are not of the same size, and no proof ties them")
    if prefix_root == second.log_root:
        raise NotEvidence(reason="the two heads agree")
    return (
        f"{evidence.accused} signed two logs of {second.log_size} slips for {first.reader}: "
        f"{prefix_root.hex()} and {second.log_root.hex()}"
    )


def _judge_rewound(evidence: Evidence, first: HeadStatement, second: HeadStatement) -> str:
    _require_same_voice(evidence, first, second)
    if (first.reader, first.epoch, first.ack_epoch) != (second.reader, second.epoch, second.ack_epoch):
        raise NotEvidence(reason="not about the same log")
    if first.checkpoint is None or second.checkpoint is None:
        raise NotEvidence(reason="without a checkpoint nobody knows which came first")
    one, two = _open_checkpoint(first.checkpoint, evidence), _open_checkpoint(second.checkpoint, evidence)
    if one.epoch != two.epoch or two.size <= one.size or second.ack_size >= first.ack_size:
        raise NotEvidence(reason="nothing went back")
    return f"{evidence.accused} acknowledged {first.ack_size} slips of {first.reader}, later only {second.ack_size}"


def _judge_broken_log(evidence: Evidence, first: HeadStatement, second: HeadStatement) -> str:
    _require_same_voice(evidence, first, second)
    if (first.reader, first.epoch) != (second.reader, second.epoch):
        raise NotEvidence(reason="not the same log")
    frontier = Frontier(first.log_size, evidence.peaks)
    # The same root can be cut into another number of peaks, from which honest slips would not follow.
    if len(evidence.peaks) != first.log_size.bit_count() or merkle.root(frontier) != first.log_root:
        raise NotEvidence(reason="the peaks do not belong to the first head")
    payload = _open_payload(evidence, second)
    if second.log_size < first.log_size:
        raise NotEvidence(reason="the second head is the shorter one: an honest resend")
    if payload.start > first.log_size or payload.start + len(payload.slips) != second.log_size:
        raise NotEvidence(reason="the slips do not begin where the first head ends")
    fresh = payload.slips[first.log_size - payload.start :]
    after, _ = frontier.extend([merkle.hash_leaf(slip.leaf) for slip in fresh])
    if merkle.root(after) == second.log_root:
        raise NotEvidence(reason="the second head follows from the first")
    return (
        f"{evidence.accused} signed {second.log_size} slips for {first.reader} "
        f"that do not follow from its first {first.log_size}"
    )


def _judge_broken_history(evidence: Evidence, first: HeadStatement, second: HeadStatement) -> str:
    if evidence.first_checkpoint is None or second.checkpoint is None or second.sender != evidence.accused:
        raise NotEvidence(reason="a checkpoint is missing")
    one = _open_checkpoint(evidence.first_checkpoint, evidence)
    two = _open_checkpoint(second.checkpoint, evidence)
    if (one.network, one.epoch) != (two.network, two.epoch):
        raise NotEvidence(reason="the checkpoints are of two networks, or of two epochs")
    if two.size < one.size:
        if two.at > one.at:
            return f"{evidence.accused} signed a national log of {one.size} leaves, then one of {two.size}"
        raise NotEvidence(reason="the second checkpoint is the older one")
    payload = _open_payload(evidence, second)
    for history in payload.histories:
        if history.size == one.size and merkle.verify_consistency(
            one.size, one.root, two.size, two.root, list(history.proof)
        ):
            raise NotEvidence(reason="the second national log continues the first")
    if not any(history.size == one.size for history in payload.histories):
        raise NotEvidence(reason="the envelope does not claim to continue the first checkpoint")
    return (
        f"{evidence.accused} signed national logs of {one.size} and {two.size} leaves; its own proof between them fails"
    )


def _judge_disputed_ack(evidence: Evidence, first: HeadStatement, second: HeadStatement) -> str:
    if (first.sender, first.reader) != (second.reader, second.sender) or first.network != second.network:
        raise NotEvidence(reason="the two statements are not about one log")
    if second.sender != evidence.accused:
        raise NotEvidence(reason="the second statement is not the accused's")
    if (first.epoch, first.log_size) != (second.ack_epoch, second.ack_size):
        raise NotEvidence(reason="the two statements are not about the same size")
    if first.log_root == second.ack_root:
        raise NotEvidence(reason="the two agree")
    return (
        f"{first.sender} signed root {first.log_root.hex()} for its {first.log_size} slips, {second.sender} "
        f"acknowledged {second.ack_root.hex()}: {second.sender} must show {first.sender}'s signature under it, or it forked"
    )


def _open_payload(evidence: Evidence, second: HeadStatement) -> Payload:
    if compute_digest(evidence.payload) != second.payload:
        raise NotEvidence(reason="the payload is not the one that was signed")
    try:
        return decode_typed(evidence.payload, Payload, size_max=ENVELOPE_BYTES_MAX)
    except NotCanonical as error:
        raise NotEvidence(reason=f"the payload cannot be read: {error}") from error


_JUDGES: Final = {
    EvidenceKind.TWO_HEADS: _judge_two_heads,
    EvidenceKind.REWOUND: _judge_rewound,
    EvidenceKind.BROKEN_LOG: _judge_broken_log,
    EvidenceKind.BROKEN_HISTORY: _judge_broken_history,
    EvidenceKind.DISPUTED_ACK: _judge_disputed_ack,
}


prepare(Evidence)
