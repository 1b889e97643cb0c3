"""Giving a party its own slips back: what one side's book lost, the other side still holds, signed by the loser itself.

A book restored from an old copy does not have to believe what it is given: the slips must lead from the log it still
has to a head that its own key signed.

    what the old copy holds ──▶ + slips given back ──▶ root ──(consistency proof)──▶ the head it once signed
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import Connection

from protocol import merkle
from protocol.book import log_store
from protocol.book.log_store import Log
from protocol.canonical import decode_typed
from protocol.envelopes import (
    SLIPS_MAX,
    STATEMENT_BYTES_MAX,
    CarriedSlip,
    HeadStatement,
    OwnSlips,
    is_statement_signed,
)
from protocol.errors import BadEnvelope, NotCanonical
from protocol.exchange.service import Identity, load_kept_head
from protocol.keys import PublicKeys

OWN_BYTES_BUDGET: Final = 4 * 1024 * 1024
UNASKED: Final = bytes(16)

Carry = Callable[[Connection, Log, int, Sequence[bytes]], list[CarriedSlip]]


def carry_all(connection: Connection, log: Log, start: int, leaves: Sequence[bytes]) -> list[CarriedSlip]:
    """Return slips with what still lies beside them: the sealed column (or nothing in its place) and the counterfoil."""
    sealed = log_store.load_attachments(connection, log.id, start, len(leaves))
    kept = log_store.load_counterfoils(connection, log.id, start, len(leaves))
    carried: list[CarriedSlip] = []
    for index, leaf in enumerate(leaves, start):
        beside = (sealed.get(index, b""), kept.get(index, b""))
        carried.append(CarriedSlip(leaf, beside if any(beside) else ()))
    return carried


def carry_bare(connection: Connection, log: Log, start: int, leaves: Sequence[bytes]) -> list[CarriedSlip]:
    """Return slips with nothing beside them."""
    return [CarriedSlip(leaf, ()) for leaf in leaves]


def compose_own_slips(
    connection: Connection, log: Log, start: int, *, carry: Carry, nonce: bytes = UNASKED
) -> OwnSlips:
    """Return the owner's slips from `start`, as many as an envelope takes; none where no head of its was ever kept."""
    kept = load_kept_head(connection, log.owner, log.reader)
    if kept is None:
        return OwnSlips(nonce, 0, (), b"", bytes(64), ())
    body, signature, statement = kept
    size = min(statement.log_size, log.size)
    begin = min(start, size)
    slips: list[CarriedSlip] = []
    weight = 0
    leaves = log_store.load_leaves(connection, log.id, begin, min(SLIPS_MAX, size - begin))
    for slip in carry(connection, log, begin, leaves):
        weight += len(slip.leaf) + sum(map(len, slip.beside))
        if slips and weight > OWN_BYTES_BUDGET:
            break
        slips.append(slip)
    end = begin + len(slips)
    proof: tuple[bytes, ...] = ()
    if 0 < end < size:
        proof = tuple(log_store.load_consistency(connection, log.id, end, size))
    return OwnSlips(nonce, begin, tuple(slips), body, signature, proof)


def verify_own_slips(
    own: Log, part: OwnSlips, identity: Identity, keys: Sequence[PublicKeys]
) -> tuple[list[CarriedSlip], HeadStatement]:
    """Return the slips that follow what we hold, and the head that we once signed, if they lead to it.

    None follow where the part came late, or does not reach us. `keys` are all that were ever ours. Raises BadEnvelope
    with reason `bad_own_slips`.
    """
    try:
        statement = decode_typed(part.statement, HeadStatement, size_max=STATEMENT_BYTES_MAX)
    except NotCanonical as error:
        raise _bad(f"our head cannot be read: {error}") from None
    if (statement.network, statement.sender, statement.reader) != (identity.network, own.owner, own.reader):
        raise _bad("the head is not our word to this party")
    key = next((one for one in keys if one.id == statement.key), None)
    if key is None or not is_statement_signed(key.signing, part.statement, part.signature):
        raise _bad("the head was not signed by us")
    if part.start > own.size or (part.start < own.size and part.start + len(part.slips) <= own.size):
        return [], statement
    fresh = list(part.slips[own.size - part.start :])
    frontier, _ = own.frontier.extend([merkle.hash_leaf(slip.leaf) for slip in fresh])
    root = merkle.root(frontier)
    if frontier.size == statement.log_size:
        follows = root == statement.log_root
    elif not frontier.size:
        follows = True  # nothing given yet: nothing to prove
    else:
        follows = frontier.size < statement.log_size and merkle.verify_consistency(
            frontier.size, root, statement.log_size, statement.log_root, list(part.proof)
        )
    if not follows:
        raise _bad("the slips do not lead to the head that we signed")
    return fresh, statement


def _bad(cause: str) -> BadEnvelope:
    return BadEnvelope(cause, reason="bad_own_slips")
