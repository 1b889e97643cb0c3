"""What the hub answers to our calls: an envelope whose signature was verified, taken or refused as a whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from node.federation import (
    arriving_service,
    checkpoint_service,
    directory_service,
    hub_recovery_service,
    hub_slips_service,
    recovery_service,
    store,
)
from node.federation.arriving_service import Opened
from node.federation.errors import BookIsBehind
from node.federation.hub_recovery import FACT as HUB_FACT
from node.federation.recovery import BEHIND, FACT, Recovery, RecoveryPhase
from node.federation.room_service import Room
from protocol.book import log_store
from protocol.book.service import Page
from protocol.errors import BadEnvelope, Malformed, NotCanonical, Refusal
from protocol.exchange import service as exchange
from protocol.exchange.service import Forked, Received
from protocol.messages import Forward, Slip, decode_slip


@dataclass(frozen=True, slots=True)
class TakenReply:
    """What came of the hub's envelope: new slips applied, whether anything waits to be sent, and if more may follow."""

    fresh: int
    cut_short: bool


def take(room: Room, page: Page, items: Sequence[Received]) -> list[TakenReply | Refusal]:
    """Apply envelopes of the hub whose signature was verified. A contradiction is kept as evidence and refused."""
    results: list[TakenReply | Refusal] = []
    for received in items:
        try:
            results.append(_take_one(room, page, received))
        except Forked as forked:
            exchange.save_evidence(page.connection, forked, page.now)
            room.count("forks")
            results.append(forked)
        except BadEnvelope as refusal:
            if refusal.facts.get("reason") == "we_are_behind":
                _note_behind(room, page, received)
            results.append(refusal)
    return results


def _take_one(room: Room, page: Page, received: Received) -> TakenReply:
    connection = page.connection
    hub, home = room.hub.hub, room.identity.code
    if received.statement.sender != hub:  # every member is in the directory, but only the hub answers us
        raise BadEnvelope(f"written by {received.statement.sender}, not by our hub", reason="unknown_member")
    recovery: Recovery | None = page.memo.get(FACT, room.recovery)
    if recovery is not None and recovery.phase is RecoveryPhase.PULLING:
        return TakenReply(recovery_service.pull(room, page, received, recovery), True)
    theirs, own = log_store.open_log(connection, hub, home), log_store.open_log(connection, home, hub)
    if recovery is not None and not recovery.is_heard:
        recovery = recovery_service.hear(room, page, received, recovery, own)
        if recovery.phase is RecoveryPhase.PULLING:
            return TakenReply(0, True)
    if received.statement.epoch > theirs.epoch:
        hub_recovery_service.notice(room, page, received, theirs, own)
    if recovery is not None and not recovery.is_heard:
        hub_recovery_service.follow(room, page, received, theirs)
        return TakenReply(0, True)
    before = exchange.find_head(connection, room.trusted, hub, home)
    fresh = exchange.find_new_slips(connection, theirs, received, before, page.now)
    exchange.take_ack(connection, room.identity, own, received, page.now)
    checkpoint_service.require_continued(connection, received, page.now)
    directory = directory_service.take_directory(room, page, received)
    slips: list[tuple[Slip, list[Opened]]] = []
    for carried in fresh:
        try:
            slip = decode_slip(carried.leaf)
        except (NotCanonical, Malformed) as error:
            raise BadEnvelope(f"the hub signed a slip that cannot be read: {error}", reason="bad_slip") from None
        forwards = [message for message in slip.messages if isinstance(message, Forward)]
        if any(directory.find(forward.origin) is None for forward in forwards):
            break  # the directory that names its author comes with the next exchange
        # A contradiction must be seen before the first leaf is written: afterwards the page is kept.
        slips.append((slip, arriving_service.open_forwards(room, page, received, directory, forwards, carried.beside)))
    first = log_store.append_leaves(connection, theirs, [carried.leaf for carried in fresh[: len(slips)]], page.now)
    is_whole = len(slips) == len(fresh) and received.statement.log_size == theirs.size
    is_recovering = recovery is not None and recovery_service.replay(
        room, page, received, recovery, first, slips, is_whole=is_whole
    )
    for place, (slip, opened) in enumerate(slips if recovery is None else ()):
        hub_slips_service.apply_slip(room, page, first + place, slip, opened)
    hub_recovery_service.follow(room, page, received, theirs)
    if is_whole and (before is None or slips or received.statement.ack_size > before[1].ack_size):
        exchange.save_head(connection, received, page.now)
    is_lacking = page.memo.get(HUB_FACT, room.hub_recovery) is not None
    # A directory of a whole country comes in parts: there is more while they come.
    is_growing = room.directory.size < directory.size < received.payload.directory_size
    return TakenReply(len(slips), is_recovering or is_lacking or is_growing or len(slips) < len(fresh))


def _note_behind(room: Room, page: Page, received: Received) -> None:
    own = room.open_own_log(page.connection)
    room.behind = BookIsBehind(ours=own.size, theirs=received.statement.ack_size)
    store.save_fact(page.connection, BEHIND, json.dumps(room.behind.facts))
    if room.come_back is not None:
        room.come_back.notice(page)
