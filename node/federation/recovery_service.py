"""Bringing an old copy of a node's book back to the present: use cases of the accounts base.

What the copy lacks is pulled from the hub and believed only because we once signed it ourselves; then it is booked
again (`rebooking_service`, `given_answers_service`), in an order in which it can have happened.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from node.federation import hub_slips_service, rebooking_service, store
from node.federation.arriving_service import Opened
from node.federation.recovery import (
    BEHIND,
    FACT,
    SLIPS_AT_ONCE,
    NotBehind,
    Recovery,
    RecoveryPhase,
    encode_recovery,
    find_needed,
)
from node.federation.room_service import Room
from protocol.book import log_store
from protocol.book.log_store import Log
from protocol.book.service import Page
from protocol.envelopes import AskOwn, OwnSlips
from protocol.errors import BadEnvelope, Refusal
from protocol.exchange.epochs import choose_epoch
from protocol.exchange.own_slips_service import verify_own_slips
from protocol.exchange.service import Received
from protocol.messages import Restored, Slip


def begin(room: Room, page: Page, items: Sequence[None]) -> list[Recovery | Refusal]:
    """Start the way back; asked twice it is begun once. Raises NotBehind where the hub never said that we are."""
    return [_begin(room, page) for _ in items]


def _begin(room: Room, page: Page) -> Recovery | Refusal:
    running = store.find_recovery(page.connection)
    if running is not None:
        return running
    if room.behind is None:
        return NotBehind()
    own = room.open_own_log(page.connection)
    recovery = Recovery(
        phase=RecoveryPhase.PULLING,
        since=page.now,
        start=own.size,
        end=own.size,
        booked=own.size,
        epoch=own.epoch,
        nonce=room.entropy(16).hex(),
    )
    _save(room, page, recovery)
    if room.come_back is not None:
        room.come_back.begin(page)
    return recovery


def _save(room: Room, page: Page, recovery: Recovery | None) -> None:
    page.memo[FACT] = recovery  # another envelope of this page goes on from here
    store.save_fact(page.connection, FACT, None if recovery is None else encode_recovery(recovery))
    if recovery is None:
        store.save_fact(page.connection, BEHIND, None)
    page.after_commit("recovery", lambda: room.use_recovery(recovery))


def ask_own(room: Room, connection: Connection) -> AskOwn | None:
    """Return what our next envelope asks the hub for; nothing while a hub that was restored too lacks what we can give."""
    if room.recovery is None or (room.recovery.phase is RecoveryPhase.REPLAYING and room.hub_recovery is not None):
        return None
    own = log_store.open_log_or_empty(connection, room.identity.code, room.hub.hub)
    return AskOwn(own.size, bytes.fromhex(room.recovery.nonce))


def pull(room: Room, page: Page, received: Received, recovery: Recovery) -> int:
    """Lay the slips that the hub gave back into our log; return how many. With the last one the epoch is raised."""
    part, statement = received.payload.recovery, received.statement
    connection = page.connection
    own = room.open_own_log(connection)
    if not isinstance(part, OwnSlips) or not _answers(received, recovery):
        return 0
    if not part.statement and not own.size and not statement.ack_size:  # we never told the hub anything
        _go_on(room, page, recovery, own, statement.ack_epoch)
        return 0
    ring = room.identity.keyring
    member = room.directory.find(own.owner)
    keys = [
        *(keys.public for keys in (ring.current, *ring.older)),
        *(() if member is None else (*member.keys, *member.retired)),
    ]
    fresh, head = verify_own_slips(own, part, room.identity, keys)
    first = log_store.append_leaves(connection, own, [slip.leaf for slip in fresh], page.now)
    beside = [(first + place, slip.beside) for place, slip in enumerate(fresh) if len(slip.beside) == 2]
    log_store.save_attachments(connection, own.id, [(index, sealed) for index, (sealed, _) in beside if sealed])
    log_store.save_counterfoils(connection, own.id, [(index, kept) for index, (_, kept) in beside if kept])
    if own.size < head.log_size:
        _save(room, page, msgspec.structs.replace(recovery, end=own.size))
        return len(fresh)
    if statement.ack_size > own.size or log_store.load_root(connection, own, statement.ack_size) != statement.ack_root:
        raise BadEnvelope("the hub acknowledges other slips than it gave back", reason="bad_own_slips")
    if statement.ack_size < own.size:
        # A hub that was restored too, from a copy that is older than ours: it is sent again what it lacks of us.
        log_store.lower_acked(connection, own, statement.ack_size)
        return len(fresh)
    log_store.save_acked(connection, own, own.size)
    _go_on(room, page, recovery, own, statement.ack_epoch)
    return len(fresh)


def _answers(received: Received, recovery: Recovery) -> bool:
    part = received.payload.recovery
    return isinstance(part, OwnSlips) and part.nonce.hex() == recovery.nonce


def _go_on(room: Room, page: Page, recovery: Recovery, own: Log, known_epoch: int) -> None:
    """All our slips are here again: the log goes on under an epoch that nobody has heard of."""
    before = own.epoch
    epoch = choose_epoch(max(before, known_epoch), bytes.fromhex(recovery.nonce))
    log_store.raise_epoch(page.connection, own, epoch)
    end = own.size
    room.write_slip(page, room.hub.hub, Restored(own.epoch, end))
    _save(room, page, msgspec.structs.replace(recovery, phase=RecoveryPhase.REPLAYING, end=end, before=before))


def hear(room: Room, page: Page, received: Received, recovery: Recovery, own: Log) -> Recovery:
    """Return the recovery after the hub's word on whether it holds our `Restored`.

    Where it took something else in its place, an envelope of the lost book or of an earlier recovery was on its way and
    arrived first. Then our word is taken back, unheard, and what arrived is pulled like the rest.
    """
    statement = received.statement
    if statement.ack_size <= recovery.end:
        return recovery
    if statement.ack_epoch == own.epoch:
        after = msgspec.structs.replace(recovery, is_heard=True)
    else:
        log_store.cut_back(page.connection, own, recovery.end, recovery.before)
        nonce = room.entropy(16).hex()
        after = msgspec.structs.replace(recovery, phase=RecoveryPhase.PULLING, nonce=nonce)
    _save(room, page, after)
    return after


def replay(
    room: Room,
    page: Page,
    received: Received,
    recovery: Recovery,
    first: int,
    slips: Sequence[tuple[Slip, list[Opened]]],
    *,
    is_whole: bool,
) -> bool:
    """Book the hub's slips and our own again, each when it can have happened; return whether more is to come.

    `is_whole`: with these we hold the hub's log as far as the hub does.
    """
    # An older envelope, delivered late, may hold nothing new although the hub has more for us: only an answer to this
    # recovery's question says that nothing from before the loss is still to come. And only where our log of the hub
    # reaches as far as the hub's: one that recovers itself sends none of its slips, however many it has for us.
    is_end_of_log = _answers(received, recovery) and not slips and is_whole
    queue = [(first + place, slip, opened) for place, (slip, opened) in enumerate(slips)]
    step = rebooking_service.Step(recovery.booked, recovery.epoch)
    pause_at = recovery.booked + SLIPS_AT_ONCE
    while True:
        while queue and (step.booked == recovery.end or _needs(queue[0]) <= step.booked):
            hub_slips_service.apply_slip(room, page, *queue.pop(0))
        if step.booked == recovery.end or (step.booked >= pause_at and not queue):
            break
        # Rights that one of our slips spent may come with the hub's next slips: they are waited for.
        if not rebooking_service.book_own(room, page, step, may_wait=not is_end_of_log and not queue):
            break
    is_done = step.booked == recovery.end and is_end_of_log
    after = msgspec.structs.replace(
        recovery,
        booked=step.booked,
        epoch=step.epoch,
        unplaced=recovery.unplaced + step.unplaced,
        reopened=recovery.reopened + step.reopened,
    )
    if is_done and room.come_back is not None:
        room.come_back.end(page)
    _save(room, page, None if is_done else after)
    return not is_done


def _needs(waiting: tuple[int, Slip, list[Opened]]) -> int:
    _, slip, opened = waiting
    return find_needed(slip, [one[1] for one in opened if not isinstance(one, Refusal)])
