"""What a member does when the hub's book was an old copy: give back what it holds, and never forget that it happened.

The hub says so by speaking under a later epoch. It is believed as far as what we hold continues what it still has: the
slips that it told us stay true, and are given back as it signed them. Only its national log may begin anew, once for
each epoch: the last checkpoint of the one before is kept for ever, for whoever wants to compare.
"""

from __future__ import annotations

import json
from typing import Final

from sqlalchemy import Connection

from node.federation import store
from node.federation.hub_recovery import FACT, HubRecovery, encode_hub_recovery
from node.federation.room_service import Room
from protocol.book import log_store
from protocol.book.log_store import Log
from protocol.book.service import Page
from protocol.envelopes import DirectoryPart, ProvedEntries, Returned, SignedCheckpoint
from protocol.errors import BadEnvelope
from protocol.exchange import service as exchange
from protocol.exchange.own_slips_service import carry_bare, compose_own_slips
from protocol.exchange.service import Received

RESTORED: Final = "hub_restored"
PROOF: Final = "directory_proof"


def notice(room: Room, page: Page, received: Received, theirs: Log, own: Log) -> None:
    """Take note that the hub goes on under a later epoch. Raises BadEnvelope where it contradicts what we hold."""
    connection, statement = page.connection, received.statement
    exchange.find_lost_slips(connection, theirs, received, None, page.now)
    if statement.ack_size > own.size or statement.ack_epoch > own.epoch:
        raise BadEnvelope(
            "the restored hub knows more of us than we do: restore this node first", reason="we_are_behind"
        )
    if log_store.load_root(connection, own, statement.ack_size) != statement.ack_root:
        raise BadEnvelope("the restored hub holds other slips of ours", reason="broken_log")
    log_store.raise_epoch(connection, theirs, statement.epoch)
    log_store.lower_acked(connection, own, statement.ack_size)
    row = store.find_checkpoint(connection)
    told = json.loads(store.find_fact(connection, RESTORED) or "[]")
    told.append(
        {
            "epoch": statement.epoch,
            "at": page.now,
            "size": 0 if row is None else row.size,
            "root": "" if row is None else bytes(row.root).hex(),
        }
    )
    store.save_fact(connection, RESTORED, json.dumps(told))
    store.delete_checkpoint(connection)


def follow(room: Room, page: Page, received: Received, theirs: Log) -> None:
    """Keep in mind what the hub still lacks, as its newest envelope says."""
    statement, before = received.statement, page.memo.get(FACT, room.hub_recovery)
    entries = received.payload.directory_size
    is_lacking = statement.log_size < theirs.size or entries < page.memo.get("directory", room.directory).size
    after = HubRecovery(statement.log_size, entries) if is_lacking else None
    if after == before:
        return
    page.memo[FACT] = after
    store.save_fact(page.connection, FACT, None if after is None else encode_hub_recovery(after))
    page.after_commit(FACT, lambda: setattr(room, "hub_recovery", after))


def compose_returned(room: Room, connection: Connection) -> Returned | None:
    """Return what our next envelope gives back to the hub."""
    lacking = room.hub_recovery
    if lacking is None:
        return None
    theirs = log_store.open_log_or_empty(connection, room.hub.hub, room.identity.code)
    slips = None
    if lacking.held < theirs.size:
        slips = compose_own_slips(connection, theirs, lacking.held, carry=carry_bare)
    return Returned(slips, _compose_entries(connection, lacking.entries))


def _compose_entries(connection: Connection, start: int) -> ProvedEntries | None:
    value = store.find_fact(connection, PROOF)
    if value is None:
        return None
    proved = json.loads(value)
    entries = store.load_entries(connection)[start : proved["size"]]
    if not entries:
        return None
    part = DirectoryPart(start, tuple(entries), proved["index"], tuple(map(bytes.fromhex, proved["proof"])))
    return ProvedEntries(part, SignedCheckpoint(*(bytes.fromhex(part) for part in proved["checkpoint"])))


def keep_proof(connection: Connection, part: DirectoryPart, checkpoint: SignedCheckpoint) -> None:
    """Keep the proof of the newest directory entry: it proves them all, should the hub lose them."""
    store.save_fact(
        connection,
        PROOF,
        json.dumps(
            {
                "size": part.start + len(part.entries),
                "index": part.index,
                "proof": [node.hex() for node in part.proof],
                "checkpoint": [checkpoint.body.hex(), checkpoint.key.hex(), checkpoint.signature.hex()],
            }
        ),
    )
