"""Composing and taking envelopes against the logs of a book. The caller's page makes it durable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select

from protocol import envelopes, keys, merkle
from protocol.book import log_store
from protocol.book.log_store import Log
from protocol.book.prepared_store import Prepared
from protocol.book.rows_store import insert_rows
from protocol.book.tables import evidence as evidence_table
from protocol.book.tables import heads
from protocol.canonical import decode_typed, encode_typed
from protocol.directory import Directory
from protocol.envelopes import (
    SLIPS_MAX,
    STATEMENT_BYTES_MAX,
    AskOwn,
    CarriedSlip,
    Checkpoint,
    DirectoryPart,
    Envelope,
    HeadStatement,
    History,
    OwnSlips,
    Payload,
    Returned,
    SignedCheckpoint,
    Whisper,
)
from protocol.errors import BadEnvelope, Malformed, NotCanonical
from protocol.evidence import Evidence, EvidenceKind, SignedStatement, encode_evidence
from protocol.keys import Domain, Keyring
from protocol.messages import WIRE_VERSION, Restored, decode_slip
from protocol.times import DAY_MS, Instant

# The highest version we can speak; what we say is the lower of ours and the other's.
SPEAKS_VERSION: Final = WIRE_VERSION
SLIP_BYTES_BUDGET: Final = 4 * 1024 * 1024
EVERYBODY: Final = "*"
CHECKPOINT_BYTES_MAX: Final = 256

# A clock may be wrong by a time zone and a day: beyond that the statement is refused, and says why.
FUTURE_MAX_MS: Final = DAY_MS

Carry = Callable[[Connection, Log, int, Sequence[bytes]], list[CarriedSlip]]
# Tells whether a leaf says that its log goes on under this epoch, from this size on.
IsRestart = Callable[[bytes, int, int], bool]


_IS_HEAD = (heads.c.signer == bindparam("signer"), heads.c.reader == bindparam("reader"))
_FIND_HEAD = Prepared(select(heads.c.statement, heads.c.signature).where(*_IS_HEAD))
_DELETE_HEAD = Prepared(delete(heads).where(*_IS_HEAD))


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are on the wire."""

    network: str
    code: str
    keyring: Keyring


@dataclass(frozen=True, slots=True)
class Received:
    """An envelope whose author, digest and shape were verified; its log was not compared with ours yet."""

    statement: HeadStatement
    payload: Payload
    envelope: Envelope
    signing: bytes
    asked: int | None = (
        None  # the size of the national log that our question carried; None: which question, nobody knows
    )

    @property
    def signed(self) -> SignedStatement:
        return SignedStatement(self.statement.sender, self.signing, self.envelope.statement, self.envelope.signature)


class Forked(BadEnvelope):
    """The peer contradicts what it, or we, signed. `proof` is the evidence file's content."""

    def __init__(self, cause: str, kind: EvidenceKind, proof: bytes, accused: str) -> None:
        super().__init__(cause, reason="fork")
        self.kind = kind
        self.proof = proof
        self.accused = accused


def verify_envelope(data: bytes, identity: Identity, directory: Directory, now: Instant) -> Received:
    """Return the envelope if a known party wrote it to us. Raises BadEnvelope, one reason a line."""
    envelope, statement = envelopes.open_envelope(data)
    if statement.network != identity.network:
        raise BadEnvelope(f"network {statement.network}", reason="wrong_network")
    if statement.reader != identity.code:
        raise BadEnvelope(f"written to {statement.reader}", reason="wrong_reader")
    if statement.version != WIRE_VERSION:
        raise BadEnvelope(f"version {statement.version}", reason="wrong_version")
    member = directory.find(statement.sender)
    if member is None:
        raise BadEnvelope(f"nobody called {statement.sender}", reason="unknown_member")
    key = member.find_key(statement.key)
    if key is None:
        raise BadEnvelope(f"key {statement.key.hex()} is not valid", reason="unknown_key")
    if not envelopes.is_statement_signed(key.signing, envelope.statement, envelope.signature):
        raise BadEnvelope("the signature does not fit", reason="bad_signature")
    if statement.at > now + FUTURE_MAX_MS:
        raise BadEnvelope(f"written at {statement.at}, it is {now}", reason="from_the_future")
    return Received(statement, envelopes.open_payload(envelope, statement), envelope, key.signing)


def find_head(
    connection: Connection, directory: Directory, signer: str, reader: str
) -> tuple[SignedStatement, HeadStatement] | None:
    """Return the newest statement of `signer` to `reader` that told us something, signed and opened."""
    kept = load_kept_head(connection, signer, reader)
    if kept is None:
        return None
    body, signature, statement = kept
    key = directory.require(signer).find_any_key(statement.key)
    if key is None:
        return None
    return SignedStatement(signer, key.signing, body, signature), statement


def load_kept_head(connection: Connection, signer: str, reader: str) -> tuple[bytes, bytes, HeadStatement] | None:
    """Return the same as bytes, signature and what it says, whatever key signed it."""
    row = _FIND_HEAD.row(connection, signer=signer, reader=reader)
    if row is None:
        return None
    return bytes(row[0]), bytes(row[1]), decode_typed(bytes(row[0]), HeadStatement, size_max=STATEMENT_BYTES_MAX)


def sign_own_head(connection: Connection, identity: Identity, own: Log, size: int, now: Instant) -> SignedStatement:
    """Return our signed word on our own log at `size`, with nothing else in it: for evidence."""
    body = encode_typed(
        HeadStatement(
            version=WIRE_VERSION,
            speaks=SPEAKS_VERSION,
            network=identity.network,
            sender=identity.code,
            reader=own.reader,
            key=identity.keyring.current.public.id,
            epoch=own.epoch,
            at=now,
            log_size=size,
            log_root=log_store.load_root(connection, own, size),
            ack_epoch=1,
            ack_size=0,
            ack_root=merkle.EMPTY_ROOT,
            checkpoint=None,
            payload=bytes(32),
        )
    )
    secret = identity.keyring.current
    return SignedStatement(identity.code, secret.public.signing, body, keys.sign(secret, Domain.STATEMENT, body))


def save_head(connection: Connection, received: Received, now: Instant) -> None:
    """Keep the newest signed word of a peer, in place of the one before."""
    statement = received.statement
    _DELETE_HEAD.rows(connection, signer=statement.sender, reader=statement.reader)
    insert_rows(
        connection,
        heads,
        ("signer", "reader", "log_size", "ack_size", "statement", "signature", "at"),
        [
            (
                statement.sender,
                statement.reader,
                statement.log_size,
                statement.ack_size,
                received.envelope.statement,
                received.envelope.signature,
                now,
            )
        ],
    )


def save_evidence(connection: Connection, forked: Forked, now: Instant) -> None:
    """Keep a contradiction for ever; the same one twice is kept once."""
    known = connection.execute(select(evidence_table.c.id).where(evidence_table.c.body == forked.proof)).first()
    if known is None:
        connection.execute(
            evidence_table.insert().values(at=now, accused=forked.accused, kind=str(forked.kind), body=forked.proof)
        )


def make_fork(
    kind: EvidenceKind,
    cause: str,
    *,
    first: SignedStatement,
    second: SignedStatement,
    accused: str,
    now: Instant,
    first_checkpoint: SignedCheckpoint | None = None,
    peaks: tuple[bytes, ...] = (),
    payload: bytes = b"",
) -> Forked:
    """Return the fork, with its evidence file made."""
    proof = encode_evidence(Evidence(1, str(kind), now, accused, first, second, first_checkpoint, peaks, payload))
    return Forked(cause, kind, proof, accused)


def require_not_behind(own: Log, received: Received) -> None:
    """Raise BadEnvelope where a peer holds more of our log than we do."""
    statement = received.statement
    if statement.ack_size > own.size or statement.ack_epoch > own.epoch:
        raise BadEnvelope(
            f"acknowledges {statement.ack_size} of our {own.size} slips, epoch {statement.ack_epoch} of our {own.epoch}:"
            " our book is older than theirs",
            reason="we_are_behind",
        )


def take_ack(connection: Connection, identity: Identity, own: Log, received: Received, now: Instant) -> None:
    """Compare what the peer acknowledges of our log with our log. Raises Forked, BadEnvelope.

    A peer that has not heard of our present epoch acknowledges an earlier one: the log is the same, and so is its root.
    """
    statement = received.statement
    require_not_behind(own, received)
    if log_store.load_root(connection, own, statement.ack_size) != statement.ack_root:
        if statement.ack_epoch != own.epoch:
            raise BadEnvelope(f"acknowledges other slips of epoch {statement.ack_epoch}", reason="wrong_epoch")
        raise make_fork(
            EvidenceKind.DISPUTED_ACK,
            f"acknowledges another root at {statement.ack_size}",
            first=sign_own_head(connection, identity, own, statement.ack_size, now),
            second=received.signed,
            accused=statement.sender,
            now=now,
        )
    log_store.save_acked(connection, own, statement.ack_size)


def is_restored(leaf: bytes, epoch: int, size: int) -> bool:
    """Tell whether a leaf of a node or the hub says that its log goes on under an epoch."""
    try:
        return Restored(epoch, size) in decode_slip(leaf).messages
    except (NotCanonical, Malformed):
        return False


def find_new_slips(
    connection: Connection,
    theirs: Log,
    received: Received,
    before: tuple[SignedStatement, HeadStatement] | None,
    now: Instant,
    *,
    may_rewind: bool = False,
    is_restart: IsRestart = is_restored,
) -> list[CarriedSlip]:
    """Return the slips that follow what we hold, after comparing roots; none on a resend or a gap.

    `may_rewind`: the peer may be a book restored from a backup. It may acknowledge less of our log than it once did,
    and speak under an earlier epoch: it is answered, and learns from the answer that it is behind. It may go on under
    a later epoch, once it holds all that we hold of it, with a `Restored` that says so.

    `before` is the peer's last signed word, which a fork contradicts. Raises Forked, BadEnvelope.
    """
    statement, payload = received.statement, received.payload
    if not is_epoch_fit(theirs, received, may_rewind=may_rewind, is_restart=is_restart):
        raise BadEnvelope(f"epoch {statement.epoch}, ours is {theirs.epoch}", reason="wrong_epoch")
    if before is not None and before[1].epoch != statement.epoch:
        before = None  # what was said under another epoch contradicts nothing said under this one
    if statement.log_size != payload.start + len(payload.slips):
        raise BadEnvelope("the head does not end with the last slip", reason="bad_payload")
    if not may_rewind:
        _require_no_rewind(before, received, now)
    return _compare_slips(connection, theirs, received, before, now)


def find_lost_slips(
    connection: Connection,
    theirs: Log,
    received: Received,
    before: tuple[SignedStatement, HeadStatement] | None,
    now: Instant,
) -> list[CarriedSlip]:
    """Return the same where either book may be an old copy: whatever the epoch, roots must agree. Raises the same."""
    if received.statement.log_size != received.payload.start + len(received.payload.slips):
        raise BadEnvelope("the head does not end with the last slip", reason="bad_payload")
    if before is not None and before[1].epoch != received.statement.epoch:
        before = None
    return _compare_slips(connection, theirs, received, before, now)


def _compare_slips(
    connection: Connection,
    theirs: Log,
    received: Received,
    before: tuple[SignedStatement, HeadStatement] | None,
    now: Instant,
) -> list[CarriedSlip]:
    statement, payload = received.statement, received.payload
    held = theirs.size
    if statement.log_size <= held:
        prefix_root = log_store.load_root(connection, theirs, statement.log_size)
        if prefix_root != statement.log_root:
            if statement.epoch < theirs.epoch:
                # Written before its author's book was lost, and not among what came back: nobody goes on from it.
                raise BadEnvelope(f"holds other slips of epoch {statement.epoch}", reason="wrong_epoch")
            raise _fork_at_held_size(connection, theirs, received, before, prefix_root, now)
        return []
    if payload.start > held:
        return []
    fresh = payload.slips[held - payload.start :]
    frontier, _ = theirs.frontier.extend([merkle.hash_leaf(slip.leaf) for slip in fresh])
    if merkle.root(frontier) != statement.log_root:
        cause = "new slips do not follow from the log we hold"
        if before is None:
            raise BadEnvelope(cause, reason="broken_log")
        raise make_fork(
            EvidenceKind.BROKEN_LOG,
            cause,
            first=before[0],
            second=received.signed,
            accused=statement.sender,
            now=now,
            peaks=log_store.load_frontier(connection, theirs, min(before[1].log_size, held)).peaks,
            payload=received.envelope.payload,
        )
    return list(fresh)


def is_epoch_fit(theirs: Log, received: Received, *, may_rewind: bool, is_restart: IsRestart) -> bool:
    """Tell whether the statement's epoch may speak of the log we hold."""
    statement, payload = received.statement, received.payload
    if statement.epoch == theirs.epoch:
        return True
    if not may_rewind:
        return False
    if statement.epoch < theirs.epoch:
        return statement.log_size <= theirs.size
    place = theirs.size - payload.start
    if not 0 <= place < len(payload.slips):
        return False
    return is_restart(payload.slips[place].leaf, statement.epoch, theirs.size)


def _require_no_rewind(before: tuple[SignedStatement, HeadStatement] | None, received: Received, now: Instant) -> None:
    """Raise Forked where the peer later says it holds less of our log than it had acknowledged."""
    statement = received.statement
    if before is None or (before[1].epoch, before[1].ack_epoch) != (statement.epoch, statement.ack_epoch):
        return
    if statement.ack_size < before[1].ack_size and _is_later(before[1].checkpoint, statement.checkpoint):
        raise make_fork(
            EvidenceKind.REWOUND,
            f"acknowledged {before[1].ack_size} slips before, {statement.ack_size} now",
            first=before[0],
            second=received.signed,
            accused=statement.sender,
            now=now,
        )


def _is_later(before: SignedCheckpoint | None, after: SignedCheckpoint | None) -> bool:
    """Tell whether the hub signed one after the other: its national log only grows, and nothing is taken without a leaf.

    Its clock would not tell: it may be set back, and an old answer may arrive late.
    """
    if before is None or after is None:
        return False
    one = decode_typed(before.body, Checkpoint, size_max=CHECKPOINT_BYTES_MAX)
    two = decode_typed(after.body, Checkpoint, size_max=CHECKPOINT_BYTES_MAX)
    return one.epoch == two.epoch and two.size > one.size


def _fork_at_held_size(
    connection: Connection,
    theirs: Log,
    received: Received,
    before: tuple[SignedStatement, HeadStatement] | None,
    prefix_root: bytes,
    now: Instant,
) -> BadEnvelope:
    size = received.statement.log_size
    cause = f"another root for the {size} slips we hold"
    if before is None or before[1].log_size < size or not size:
        # Nothing that it signed before contradicts this; an empty log has one root, and no proof begins there.
        return BadEnvelope(cause, reason="broken_log")
    longer = before[1].log_size
    proof: tuple[bytes, ...] = ()
    if longer != size:
        proof = (prefix_root, *log_store.load_consistency(connection, theirs.id, size, longer))
    return make_fork(
        EvidenceKind.TWO_HEADS,
        cause,
        first=before[0],
        second=received.signed,
        accused=received.statement.sender,
        now=now,
        peaks=proof,
    )


def carry_plain(connection: Connection, log: Log, start: int, leaves: Sequence[bytes]) -> list[CarriedSlip]:
    """Return slips with what still lies beside them: the sealed column, and after it the author's counterfoil."""
    sealed = log_store.load_attachments(connection, log.id, start, len(leaves))
    kept = log_store.load_counterfoils(connection, log.id, start, len(leaves))
    carried: list[CarriedSlip] = []
    for index, leaf in enumerate(leaves, start):
        if index in kept:
            carried.append(CarriedSlip(leaf, (sealed.get(index, b""), kept[index])))
        else:
            carried.append(CarriedSlip(leaf, (sealed[index],) if index in sealed else ()))
    return carried


def compose_envelope(
    connection: Connection,
    identity: Identity,
    reader: str,
    *,
    now: Instant,
    start: int | None = None,
    carry: Carry = carry_plain,
    checkpoint: SignedCheckpoint | None = None,
    directory_size: int = 0,
    directory: DirectoryPart | None = None,
    find_histories: Callable[[Sequence[CarriedSlip]], Sequence[History]] = lambda _slips: (),
    whispers: Sequence[Whisper] = (),
    recovery: AskOwn | OwnSlips | Returned | None = None,
) -> tuple[bytes, int]:
    """Return an envelope with the slips from `start` (default: what the reader acknowledged) and how many it carries.

    The statement's head ends with the last slip carried, so that the reader can verify what it holds, whole or in part.
    """
    own = log_store.open_log_or_empty(connection, identity.code, reader)
    theirs = log_store.open_log_or_empty(connection, reader, identity.code)
    begin = own.acked if start is None else min(start, own.size)
    slips: list[CarriedSlip] = []
    size = 0
    for slip in carry(connection, own, begin, log_store.load_leaves(connection, own.id, begin, SLIPS_MAX)):
        size += len(slip.leaf) + sum(map(len, slip.beside))
        if slips and size > SLIP_BYTES_BUDGET:
            break
        slips.append(slip)
    end = begin + len(slips)
    payload = encode_typed(
        Payload(
            start=begin,
            slips=tuple(slips),
            directory_size=directory_size,
            directory=directory,
            histories=tuple(find_histories(slips)),
            whispers=tuple(whispers),
            recovery=recovery,
        )
    )
    statement = HeadStatement(
        version=WIRE_VERSION,
        speaks=SPEAKS_VERSION,
        network=identity.network,
        sender=identity.code,
        reader=reader,
        key=identity.keyring.current.public.id,
        epoch=own.epoch,
        at=now,
        log_size=end,
        log_root=log_store.load_root(connection, own, end),
        ack_epoch=theirs.epoch,
        ack_size=theirs.size,
        ack_root=theirs.root,
        checkpoint=checkpoint,
        payload=envelopes.compute_digest(payload),
    )
    return envelopes.sign_envelope(identity.keyring.current, statement, payload), len(slips)
