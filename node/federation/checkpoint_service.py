"""The national log as it was shown to us, and as it was shown to others: one history, or evidence.

Every envelope of the hub carries its signed checkpoint, with the proof that it continues the one we carried. Every
slip handed over carries, in its author's signed head, the checkpoint that the *author* was shown. A hub that shows two
members two histories is therefore found out at the first slip that passes between them.

To prove nothing is no way out: an answer to our own call, and an envelope that hands slips over, must bring the proofs.
What lacks them convicts nobody before a judge, but it is a finding with that very envelope.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from node.federation import store
from protocol import merkle
from protocol.canonical import decode_typed
from protocol.directory import Directory
from protocol.envelopes import Checkpoint, ForwardedSlip, HeadStatement, SignedCheckpoint, open_checkpoint
from protocol.errors import BadEnvelope, NotCanonical
from protocol.evidence import EvidenceKind, SignedStatement
from protocol.exchange.service import Received, make_fork
from protocol.times import Instant

# A few envelopes may answer older questions (files); a hub that never proves its history in one is named all the same.
UNLINKED_MAX: Final = 20
PLACE: Final = "national log"
_UNLINKED: Final = "unlinked_checkpoints"


def open_hub_checkpoint(received: Received) -> Checkpoint | None:
    """Return the checkpoint of the hub's envelope, its signature verified. Raises BadEnvelope."""
    signed = received.statement.checkpoint
    if signed is None:
        return None
    if signed.key != received.statement.key:
        raise BadEnvelope("the checkpoint is signed by another key than the envelope", reason="bad_checkpoint")
    checkpoint = open_checkpoint(signed, received.signing)
    if (checkpoint.network, checkpoint.hub) != (received.statement.network, received.statement.sender):
        raise BadEnvelope("the checkpoint is of another network or hub", reason="bad_checkpoint")
    return checkpoint


def require_continued(connection: Connection, received: Received, now: Instant) -> None:
    """Move on to the envelope's checkpoint if it continues the one we know. Raises Forked where it contradicts it."""
    checkpoint = open_hub_checkpoint(received)
    if checkpoint is None or not checkpoint.size:
        return
    row = store.find_checkpoint(connection)
    if row is not None:
        first = SignedStatement(
            received.statement.sender, bytes(row.signing), bytes(row.statement), bytes(row.statement_signature)
        )
        known_signed = SignedCheckpoint(bytes(row.body), bytes(row.key), bytes(row.signature))
        known = decode_typed(known_signed.body, Checkpoint, size_max=256)
        if not _is_continued(received, checkpoint, known, known_signed, first, now):
            is_old = (checkpoint.epoch, checkpoint.size) <= (known.epoch, known.size)
            if not is_old and checkpoint.epoch == known.epoch and received.asked == known.size:
                _note_unproved(connection, now, "the one we were shown", "no proof in the answer to our own call")
            _count_unlinked(connection, now, is_linked=is_old)
            return
    _count_unlinked(connection, now, is_linked=True)
    signed = received.statement.checkpoint
    assert signed is not None
    store.save_checkpoint(
        connection,
        size=checkpoint.size,
        root=checkpoint.root,
        signed=signed,
        statement=received.envelope.statement,
        signature=received.envelope.signature,
        signing=received.signing,
    )


def require_shared(
    connection: Connection,
    received: Received,
    forwarded: ForwardedSlip,
    statement: HeadStatement,
    directory: Directory,
    now: Instant,
) -> None:
    """Compare the checkpoint that a slip's author was shown with the one in the hub's envelope to us. Raises Forked.

    Whoever hands a slip over holds its author's head, and so can prove the one to continue the other: what does not is
    named. So is a contradiction between words under two keys of the hub, which no evidence file can hold.
    """
    signed, current = statement.checkpoint, open_hub_checkpoint(received)
    hub = directory.find(received.statement.sender)
    author = directory.find(statement.sender)
    if signed is None or current is None or hub is None or author is None:
        return
    hub_key = hub.find_any_key(signed.key)
    author_key = author.find_any_key(statement.key)
    if hub_key is None or author_key is None:
        return
    try:
        theirs = open_checkpoint(signed, hub_key.signing)
    except (BadEnvelope, NotCanonical):
        return  # the author carried something that is not the hub's word: it proves nothing against anybody
    if not theirs.size or theirs.epoch != current.epoch:
        return
    is_linked = False
    if hub_key.signing == received.signing:
        first = SignedStatement(statement.sender, author_key.signing, forwarded.statement, forwarded.signature)
        is_linked = _is_continued(received, current, theirs, signed, first, now)
    elif current.size == theirs.size:
        is_linked = current.root == theirs.root
    else:
        is_linked = any(_find_proofs(received, current, theirs))
    if not is_linked:
        shown = f"of {current.size} leaves no proof, {statement.sender} was shown {theirs.size}"
        _note_unproved(connection, now, f"the one that {statement.sender} was shown", shown)


def _is_continued(
    received: Received,
    current: Checkpoint,
    known: Checkpoint,
    known_signed: SignedCheckpoint,
    first: SignedStatement,
    now: Instant,
) -> bool:
    """Tell whether the envelope proves that its checkpoint continues the known one. Raises Forked on a contradiction."""
    fork: EvidenceKind | None = None
    if current.epoch != known.epoch:
        return (
            False  # between them the hub was restored: `hub_recovery_service` took note of it, or it is an old answer
        )
    if current.size == known.size:
        fork = EvidenceKind.TWO_HEADS if current.root != known.root else None
        is_linked = True
    elif current.size < known.size:
        fork = EvidenceKind.BROKEN_HISTORY if current.at > known.at else None
        is_linked = False
    else:
        proofs = _find_proofs(received, current, known)
        is_linked = any(proofs)
        fork = EvidenceKind.BROKEN_HISTORY if proofs and not is_linked else None
    if fork is not None:
        raise make_fork(
            fork,
            f"national logs of {known.size} and {current.size} leaves contradict each other",
            first=first,
            second=received.signed,
            accused=received.statement.sender,
            now=now,
            first_checkpoint=known_signed,
            payload=received.envelope.payload,
        )
    return is_linked


def _find_proofs(received: Received, current: Checkpoint, known: Checkpoint) -> list[bool]:
    """Return, for each proof that the envelope brings from the known size, whether it verifies."""
    return [
        merkle.verify_consistency(known.size, known.root, current.size, current.root, list(history.proof))
        for history in received.payload.histories
        if history.size == known.size
    ]


def _note_unproved(connection: Connection, now: Instant, whose: str, found: str) -> None:
    store.save_break(connection, now, place=PLACE, expected=f"a proof that it continues {whose}", found=found)


def _count_unlinked(connection: Connection, now: Instant, *, is_linked: bool) -> None:
    count = 0 if is_linked else store.find_count(connection, _UNLINKED) + 1
    store.save_count(connection, _UNLINKED, count)
    if count > UNLINKED_MAX:
        _note_unproved(
            connection, now, "the one we were shown", f"no proof in more than {UNLINKED_MAX} envelopes in a row"
        )
