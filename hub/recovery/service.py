"""The hub's way back from an old copy of its book: collect from the members, then decide again what was decided.

What binds the hub is what it told: each member holds the hub's slips to it, under a head that the hub signed. They are
taken back as they were. The members' own slips follow, under heads that they signed. Then every slip is taken again,
with the outcome that was told wherever anybody was told one, in an order in which no position falls below zero. Only
the order of the national log is lost: it goes on under a new epoch, and says so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Final

import msgspec
from sqlalchemy import Connection, select

from hub.clearing import store as clearing_store
from hub.clearing.service import Desk, Sequencer
from hub.clearing.store import StoredSlip
from hub.clearing.windows_service import note_window
from hub.directory.service import Registry
from hub.recovery.recovery import (
    FACT,
    RESTORED,
    HubRecovery,
    MembersMissing,
    NotRecovering,
    RecoveryStuck,
    Returning,
    Told,
    decode_recovery,
    encode_recovery,
)
from hub.settlement import store as settlement_store
from hub.transparency.service import note
from protocol import merkle
from protocol.book import log_store
from protocol.book.log_store import Log
from protocol.book.service import Page
from protocol.book.tables import facts
from protocol.canonical import decode_typed
from protocol.cession import CessionState
from protocol.clearing import Outcome, Positions
from protocol.directory import MemberKind, decode_entry
from protocol.envelopes import CarriedSlip, Checkpoint, HeadStatement, ProvedEntries, Returned, open_checkpoint
from protocol.errors import BadEnvelope, NotCanonical, Refusal
from protocol.exchange import service as exchange
from protocol.exchange.epochs import choose_epoch
from protocol.exchange.own_slips_service import verify_own_slips
from protocol.exchange.service import Forked, Received
from protocol.messages import (
    AddKey,
    Answer,
    Forward,
    HandedOver,
    Message,
    NetSettled,
    Recall,
    Restored,
    RetireKey,
    Settled,
    Slip,
    Stopped,
    Verdict,
    decode_slip,
)
from protocol.national import (
    DirectoryChanged,
    HubRestored,
    SlipKey,
    SlipRetaken,
    SlipsHandedOver,
    encode_national,
    find_cede,
    read_slip,
    repeat_slip,
)
from protocol.windows import netted_of

_LEAVES_AT_ONCE: Final = 512


@dataclass(slots=True)
class RecoveryDesk(Desk):
    """A desk that tells nobody twice."""

    told: Told = field(default_factory=Told)

    def tell(self, member: str, message: Message, *, beside_bytes: int = 0) -> None:
        left = self.told.leave_out(member, message)
        if left is not None:
            Desk.tell(self, member, left, beside_bytes=beside_bytes)


class Turn(IntEnum):
    """What comes first when slips are taken again."""

    TOLD = 0  # what somebody was told, and what follows from it
    FRESH = 1  # cessions of which nobody was told anything: they are decided now
    UNFIT = 2  # answers to what was never handed over: they had no effect, and have none


@dataclass(slots=True)
class Pending:
    """A member's slip that is taken again."""

    key: SlipKey
    leaf: bytes
    slip: Slip | None


def load_recovery(connection: Connection) -> HubRecovery | None:
    """Return the recovery that runs, if one does."""
    value = connection.execute(select(facts.c.value).where(facts.c.name == FACT)).scalar()
    return None if value is None else decode_recovery(value)


def is_restored(connection: Connection) -> bool:
    """Tell whether this book was put back from a copy and did not begin to recover yet."""
    return connection.execute(select(facts.c.value).where(facts.c.name == RESTORED)).first() is not None


class Recoverer:
    """Brings the book back. Only the book's writer thread runs its operations."""

    def __init__(
        self, registry: Registry, sequencer: Sequencer, on_change: Callable[[HubRecovery | None], None]
    ) -> None:
        self._registry = registry
        self._sequencer = sequencer
        self._on_change = on_change

    def _save(self, page: Page, recovery: HubRecovery | None) -> None:
        page.memo[FACT] = recovery
        page.connection.execute(facts.delete().where(facts.c.name == FACT))
        if recovery is not None:
            page.connection.execute(facts.insert().values(name=FACT, value=encode_recovery(recovery)))
        page.after_commit(FACT, lambda: self._on_change(recovery))

    def _find(self, page: Page) -> HubRecovery | None:
        if FACT in page.memo:
            found: HubRecovery | None = page.memo[FACT]
            return found
        return load_recovery(page.connection)

    def _own_logs(self, page: Page) -> list[Log]:
        return [log for log in log_store.load_logs(page.connection) if log.owner == self._registry.identity.code]

    # Operations

    def begin(self, page: Page, items: Sequence[bytes]) -> list[HubRecovery | Refusal]:
        """Decide nothing from here on, speak under a new epoch, and take back; asked twice it is begun once.

        Items: what is drawn to choose the epoch by.
        """
        return [self._find(page) or self._begin(page, drawn) for drawn in items]

    def _begin(self, page: Page, drawn: bytes) -> HubRecovery:
        page.connection.execute(facts.delete().where(facts.c.name == RESTORED))
        hub = self._registry.identity.code
        logs = self._own_logs(page)
        epoch = choose_epoch(max((log.epoch for log in logs), default=1), drawn)
        members: dict[str, Returning] = {}
        for code, member in self._registry.on_page(page).members.items():
            if member.kind is MemberKind.HUB:
                continue
            own = log_store.open_log(page.connection, hub, code)
            theirs = log_store.open_log(page.connection, code, hub)
            members[code] = Returning(told=own.size, taken=theirs.size, epoch=theirs.epoch)
        recovery = HubRecovery(epoch=epoch, drawn=drawn.hex(), since=page.now, members=members)
        self._raise_epochs(page, epoch)
        self._save(page, recovery)
        return recovery

    def _raise_epochs(self, page: Page, epoch: int) -> None:
        for log in self._own_logs(page):
            if log.epoch < epoch:
                log_store.raise_epoch(page.connection, log, epoch)
        note(page, self._registry.identity.code, HubRestored(page.now, epoch))

    def collect(self, page: Page, items: Sequence[Received]) -> list[bool | Refusal]:
        """Take back what a member holds; return whether it gave anything. A fork is kept as evidence and refused."""
        results: list[bool | Refusal] = []
        for received in items:
            try:
                results.append(self._collect_one(page, received))
            except Forked as forked:
                exchange.save_evidence(page.connection, forked, page.now)
                results.append(forked)
            except Refusal as refusal:
                results.append(refusal)
        return results

    def _collect_one(self, page: Page, received: Received) -> bool:
        recovery = self._find(page)
        if recovery is None:
            return False
        connection, statement = page.connection, received.statement
        member, identity = statement.sender, self._registry.identity
        own = log_store.open_log(connection, identity.code, member)
        theirs = log_store.open_log(connection, member, identity.code)
        line = recovery.members.get(member) or Returning(told=own.size, taken=theirs.size, epoch=theirs.epoch)
        is_met = self._has_heard(page, recovery, statement)
        if not is_met and statement.ack_epoch >= recovery.epoch:
            # An earlier recovery, lost with this book, spoke under this epoch: take one that nobody has heard.
            recovery = self._outgrow(page, recovery, statement.ack_epoch)
            own = log_store.open_log(connection, identity.code, member)
        if own.epoch < recovery.epoch:  # a member that joined after the copy was made
            log_store.raise_epoch(connection, own, recovery.epoch)
        given = received.payload.recovery
        gave = False
        if isinstance(given, Returned):
            gave = self._take_directory(page, given.directory)
            gave = self._take_back(page, own, given) or gave
        gave = self._take_slips(page, theirs, received) > 0 or gave
        knows_more = received.payload.directory_size > self._registry.on_page(page).size
        is_done = not gave and statement.ack_size <= own.size and statement.log_size == theirs.size and not knows_more
        if is_met:  # an envelope from before the loss, delivered late, does not say what its author holds now
            recovery = recovery.with_member(member, msgspec.structs.replace(line, is_met=True, is_done=is_done))
        self._save(page, self._with_newcomers(page, recovery))
        return gave

    def _has_heard(self, page: Page, recovery: HubRecovery, statement: HeadStatement) -> bool:
        """Tell whether a member wrote this after it had heard of this very recovery: it was shown a checkpoint of it."""
        if statement.checkpoint is None:
            return False
        shown = decode_typed(statement.checkpoint.body, Checkpoint, size_max=256)
        national = log_store.open_log(page.connection, self._registry.identity.code, exchange.EVERYBODY)
        return (
            shown.epoch == recovery.epoch
            and shown.size <= national.size
            and shown.root == log_store.load_root(page.connection, national, shown.size)
        )

    def _outgrow(self, page: Page, recovery: HubRecovery, heard: int) -> HubRecovery:
        epoch = choose_epoch(heard, bytes.fromhex(recovery.drawn))
        self._raise_epochs(page, epoch)
        lines = {code: msgspec.structs.replace(line, is_met=False) for code, line in recovery.members.items()}
        return msgspec.structs.replace(recovery, epoch=epoch, members=lines)

    def _with_newcomers(self, page: Page, recovery: HubRecovery) -> HubRecovery:
        """Wait also for those who joined after the copy was made, as soon as the directory names them."""
        for code, member in self._registry.on_page(page).members.items():
            if code not in recovery.members and member.kind is not MemberKind.HUB:
                recovery = recovery.with_member(code, Returning(told=0, taken=0, epoch=1))
        return recovery

    def _take_back(self, page: Page, own: Log, given: Returned) -> bool:
        """Append our own slips as the member holds them."""
        part = given.slips
        if part is None or not part.slips or part.start + len(part.slips) <= own.size:
            return False
        ring = self._registry.identity.keyring
        member = self._registry.on_page(page).find(self._registry.identity.code)
        ours = [*(keys.public for keys in (ring.current, *ring.older))]
        if member is not None:
            ours += [*member.keys, *member.retired]
        fresh, _head = verify_own_slips(own, part, self._registry.identity, ours)
        log_store.append_leaves(page.connection, own, [slip.leaf for slip in fresh], page.now)
        return bool(fresh)

    def _take_slips(self, page: Page, theirs: Log, received: Received) -> int:
        """Append the member's own slips that we hold no more. What they did is decided when all are here."""
        connection = page.connection
        directory = self._registry.on_page(page)
        before = exchange.find_head(connection, directory, theirs.owner, theirs.reader)
        fresh = exchange.find_lost_slips(connection, theirs, received, before, page.now)
        first = log_store.append_leaves(connection, theirs, [slip.leaf for slip in fresh], page.now)
        for index, carried in enumerate(fresh, first):
            for message in () if (slip := read_slip(carried.leaf)) is None else slip.messages:
                if isinstance(message, Restored) and message.size == index and message.epoch > theirs.epoch:
                    log_store.raise_epoch(connection, theirs, message.epoch)
            log_store.save_attachments(connection, theirs.id, [(index, body) for body in carried.beside[:1] if body])
            log_store.save_counterfoils(connection, theirs.id, [(index, body) for body in carried.beside[1:2] if body])
        if fresh:
            exchange.save_head(connection, received, page.now)
        return len(fresh)

    def _take_directory(self, page: Page, given: ProvedEntries | None) -> bool:
        """Take directory entries that we had written and lost, under a checkpoint that we had signed."""
        directory = self._registry.on_page(page)
        if given is None or given.part.start > directory.size:
            return False
        fresh = given.part.entries[directory.size - given.part.start :]
        if not fresh:
            return False
        ring = self._registry.identity.keyring
        secret = ring.find(given.checkpoint.key)
        if secret is None:
            raise BadEnvelope("the checkpoint over the directory was not signed by us", reason="bad_directory")
        checkpoint = open_checkpoint(given.checkpoint, secret.public.signing)
        try:
            last = decode_entry(fresh[-1])
        except NotCanonical as error:
            raise BadEnvelope(f"directory: {error}", reason="bad_directory") from None
        leaf = merkle.hash_leaf(encode_national(DirectoryChanged(last.at, fresh[-1])))
        if not merkle.verify_inclusion(
            leaf, given.part.index, checkpoint.size, list(given.part.proof), checkpoint.root
        ):
            raise BadEnvelope("the directory entries were not in our national log", reason="bad_directory")
        self._registry.retake(page, fresh)
        return True

    def finish(self, page: Page, items: Sequence[Sequence[str]]) -> list[int | Refusal]:
        """Decide again what was decided, and go on; items name members not to wait for. Return the slips taken again."""
        results: list[int | Refusal] = []
        for without in items:
            recovery = self._find(page)
            if recovery is None:
                results.append(NotRecovering())
                continue
            missing = [code for code in recovery.waiting if code not in without]
            if missing:
                results.append(MembersMissing(members=", ".join(missing)))
                continue
            results.append(self._rebuild(page, recovery))
            self._save(page, None)
        return results

    # Deciding again

    def _rebuild(self, page: Page, recovery: HubRecovery) -> int:
        """Raises RecoveryStuck, and then the page is not kept."""
        connection, hub = page.connection, self._registry.identity.code
        members = dict(self._registry.on_page(page).members)
        desk = RecoveryDesk(page, hub, members, Positions(members))
        self._sequencer.use_desk(page, desk)
        waiting: dict[str, deque[Pending]] = {}
        for code, line in sorted(recovery.members.items()):
            own = desk.log(hub, code)
            for _index, leaf in _load_from(connection, own, line.told):
                desk.told.add(code, decode_slip(leaf))
            theirs = desk.log(code, hub)
            epoch = line.epoch
            waiting[code] = deque()
            for index, leaf in _load_from(connection, theirs, line.taken):
                slip = read_slip(leaf)
                for message in () if slip is None else slip.messages:
                    if isinstance(message, Restored) and message.size == index:
                        epoch = max(epoch, message.epoch)
                waiting[code].append(Pending((code, epoch, index), leaf, slip))
            Desk.tell(desk, code, Restored(recovery.epoch, own.size))
        count = sum(map(len, waiting.values()))
        self._end_as_told(desk)
        while any(waiting.values()) or desk.told.windows:
            moved = self._close_as_told(desk)
            if not any(self._advance(desk, waiting, turn) for turn in Turn) and not moved:
                stuck = [
                    f"{queue[0].key[0]}/{queue[0].key[1]}/{queue[0].key[2]}" for queue in waiting.values() if queue
                ]
                stuck += [f"window {number}" for number in desk.told.windows]
                raise RecoveryStuck(slips=", ".join(stuck))
        return count

    def _close_as_told(self, desk: RecoveryDesk) -> bool:
        """Close again, in their order, the windows that somebody was told; return whether one could be."""
        moved = False
        for number in sorted(desk.told.windows):
            window, connection = desk.told.windows[number], desk.page.connection
            if number <= settlement_store.find_last_closed(connection):
                del desk.told.windows[number]  # the old copy holds it
                moved = True
                continue
            waiting = {(one.key, one.place) for one in settlement_store.load_netted(connection)}
            if any((one.key, one.place) not in waiting for one in netted_of(window)):
                break
            if settlement_store.find_open_window(connection) != number:
                settlement_store.forget_open_window(connection)
                settlement_store.insert_window(connection, number, desk.page.now)
            note_window(desk, window)
            del desk.told.windows[number]
            moved = True
        return moved

    def _advance(self, desk: RecoveryDesk, waiting: dict[str, deque[Pending]], turn: Turn) -> bool:
        """Take again what can be at this turn, each member's slips in their order; return whether anything could."""
        moved = False
        for queue in waiting.values():
            while queue and self._retake(desk, queue[0], turn):
                desk.save()
                queue.popleft()
                moved = True
                if turn is not Turn.TOLD:
                    return True  # what was told comes first, again and again
        return moved

    def _retake(self, desk: RecoveryDesk, pending: Pending, turn: Turn) -> bool:
        """Take one slip again; False, with nothing done, where it is not its turn."""
        key, slip = pending.key, pending.slip
        cede = None if slip is None else find_cede(slip)
        if slip is None or cede is None:
            if turn is not Turn.UNFIT and slip is not None and not self._can_act(desk, slip, key[0]):
                return False
            self._note(desk, pending, Outcome(slip_code="malformed" if slip is None else ""))
            if slip is not None:
                self._sequencer.act(desk, key[0], key, self._leave_known(desk, key[0], slip), _carry(desk, pending))
            return True
        told = desk.told.find_refused(key)
        if told is None:
            if turn is not Turn.FRESH:
                return False
            desk.load_for(key[0], [cede])
            self._sequencer.take_slip(desk, key[0], key, slip, _carry(desk, pending))
            return True
        outcome = repeat_slip(key[0], cede, *told)
        desk.load_for(key[0], [cede])
        if any(desk.positions.cents.get(place, 0) + cents < 0 for place, cents in outcome.cents.items()):
            return False
        self._note(desk, pending, outcome)
        self._sequencer.keep_cede(desk, key, slip, cede, outcome, _carry(desk, pending))
        self._end_one_as_told(desk, key)
        return True

    def _note(self, desk: RecoveryDesk, pending: Pending, outcome: Outcome) -> None:
        key = pending.key
        national = note(
            desk.page,
            desk.hub,
            SlipRetaken(
                desk.page.now,
                *key,
                merkle.hash_leaf(pending.leaf),
                outcome.slip_code,
                tuple(place for place, _ in outcome.refused),
                tuple(code for _, code in outcome.refused),
            ),
        )
        if pending.slip is None or find_cede(pending.slip) is not None:
            desk.tell(
                key[0],
                Verdict(
                    key[2],
                    national,
                    outcome.slip_code,
                    tuple(place for place, _ in outcome.refused),
                    tuple(code for _, code in outcome.refused),
                ),
            )

    def _can_act(self, desk: RecoveryDesk, slip: Slip, taker: str) -> bool:
        """Tell whether the slips that it answers are where they were when it answered."""
        for message in slip.messages:
            if isinstance(message, Answer):
                stored = clearing_store.find_slip(desk.page.connection, (slip.to, message.epoch, message.index))
                if stored is None or stored.record.state is not CessionState.HANDED_OVER:
                    return False
            if isinstance(message, Settled):
                key = (message.giver, message.epoch, message.index)
                if clearing_store.find_slip(desk.page.connection, key) is None:
                    return False
            if isinstance(message, NetSettled) and message.window in desk.told.windows:
                return False
        return True

    def _leave_known(self, desk: RecoveryDesk, member: str, slip: Slip) -> Slip:
        """Return the slip without what the directory or the told slips already show: recalls answered, keys announced."""
        known = desk.members.get(member)
        kept: list[Message] = []
        for message in slip.messages:
            match message:
                case Recall() if desk.told.has_answered(member, message.index, message.places):
                    continue
                case AddKey() if known is not None and any(
                    key.signing == message.signing for key in (*known.keys, *known.retired)
                ):
                    continue
                case RetireKey() if known is not None and any(key.id == message.key for key in known.retired):
                    continue
                case _:
                    kept.append(message)
        return msgspec.structs.replace(slip, messages=tuple(kept))

    def _end_as_told(self, desk: RecoveryDesk) -> None:
        """Stop and hand over, as was told, what the old copy itself still shows as waiting."""
        connection = desk.page.connection
        keys = {key for key in desk.told.forwards if clearing_store.find_slip(connection, key) is not None}
        for giver, index in sorted({*desk.told.stopped, *desk.told.handed}):
            epoch = desk.log(giver, desk.hub).epoch
            stored = clearing_store.find_slip_at(connection, giver, epoch, index)
            if stored is not None:
                keys.add((stored.origin, stored.epoch, stored.index))
        for key in sorted(keys):
            self._end_one_as_told(desk, key)

    def _end_one_as_told(self, desk: RecoveryDesk, key: SlipKey) -> None:
        stored = clearing_store.find_slip(desk.page.connection, key)
        if stored is None or stored.record.state is not CessionState.CLEARED:
            return
        stopped = desk.told.find_stopped(key[0], key[2])
        forwarded = desk.told.forwards.get(key)
        # Skipped by the receiver and told to nobody else: it ended before hand-over, whatever ended it.
        unsaid = [place for place in (forwarded[1].skipped if forwarded else ()) if place in stored.record.remaining]
        stopped.update({place: True for place in unsaid if place not in stopped})
        for is_recall, state in ((True, CessionState.RECALLED), (False, CessionState.EXPIRED)):
            places = tuple(sorted(place for place, recalled in stopped.items() if recalled == is_recall))
            places = tuple(place for place in places if place in stored.record.remaining)
            if places:
                self._sequencer.stop(desk, stored, places, state)
                known = desk.told.find_stopped(key[0], key[2])
                if new := tuple(place for place in places if place not in known):
                    desk.tell(
                        stored.origin, Stopped(stored.index, new if is_recall else (), () if is_recall else new, ())
                    )
        is_handed = forwarded is not None or (key[0], key[2]) in desk.told.handed
        if is_handed and stored.record.state is CessionState.CLEARED:
            self._hand_over(desk, stored)

    def _hand_over(self, desk: RecoveryDesk, stored: StoredSlip) -> None:
        """Hand over what was told to be: the giver counts on it even where the receiver's own envelope was lost."""
        leaf_hash, weight = self._sequencer.weigh(desk, stored)
        forward = Forward(stored.origin, stored.epoch, stored.index, leaf_hash, stored.record.skipped)
        desk.tell(stored.record.taker, forward, beside_bytes=weight)
        stored.record = replace(stored.record, state=CessionState.HANDED_OVER)
        clearing_store.save_state(desk.page.connection, stored, desk.page.now)
        key = (stored.origin, stored.epoch, stored.index)
        note(desk.page, desk.hub, SlipsHandedOver(desk.page.now, stored.record.taker, (key,)))
        desk.tell(stored.origin, HandedOver((stored.index,)))


def _load_from(connection: Connection, log: Log, start: int) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    for begin in range(start, log.size, _LEAVES_AT_ONCE):
        found += enumerate(log_store.load_leaves(connection, log.id, begin, _LEAVES_AT_ONCE), begin)
    return found


def _carry(desk: RecoveryDesk, pending: Pending) -> CarriedSlip:
    """Return the slip with what lay beside it when it came back; it is stored already."""
    log = desk.log(pending.key[0], desk.hub)
    sealed = log_store.load_attachments(desk.page.connection, log.id, pending.key[2], 1)
    return CarriedSlip(pending.leaf, tuple(sealed.values()))
