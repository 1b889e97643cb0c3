"""One call of one member: verify, take, hand over, answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from sqlalchemy import Connection

from hub.clearing import store as clearing_store
from hub.clearing.service import Sequencer
from hub.clearing.windows_service import Windows
from hub.directory.service import Registry, load_part
from hub.recovery.recovery import HubRecovering, HubRecovery, MembersMissing, NotRecovering
from hub.recovery.service import Recoverer, load_recovery
from hub.transparency.service import CheckpointSigner, find_histories
from protocol.book import log_store
from protocol.book.log_store import Log
from protocol.book.service import Book
from protocol.canonical import decode_typed, encode_typed
from protocol.envelopes import (
    HISTORIES_MAX,
    AskOwn,
    CarriedSlip,
    Checkpoint,
    ForwardedSlip,
    HeadStatement,
    History,
    SignedCheckpoint,
    Whisper,
)
from protocol.errors import BadEnvelope
from protocol.exchange import own_slips_service as own_slips
from protocol.exchange import service as exchange
from protocol.exchange.service import Identity, Received, verify_envelope
from protocol.messages import Forward, decode_slip

WHISPERS_KEPT_MAX: Final = 256
SIZE_MAX: Final = 2**53
AUTHORS_MAX: Final = HISTORIES_MAX - 1
_TURNS_OF_OTHERS: Final = 3  # of the event loop: the one who waits wakes, composes and writes
CALLS_MAX: Final = 8  # calls of one member that may be answered at the same time


class TooManyCalls(BadEnvelope):
    """One member calls too often at the same time."""

    code = "too_many_calls"

    def __init__(self) -> None:
        super().__init__("too many calls at once", reason="too_many_calls")


@dataclass(slots=True)
class _Line:
    """What we remember of a member while we run; losing it loses nothing."""

    news: asyncio.Event = field(default_factory=asyncio.Event)
    last: tuple[object, ...] | None = None
    whispers: deque[Whisper] = field(default_factory=lambda: deque(maxlen=WHISPERS_KEPT_MAX))
    calls: int = 0
    waiting: int = 0
    telling: int = 0  # calls that are about to be answered with all there is: who waits need not be woken for it
    is_late: bool = False  # news came since the last of them looked
    called_at: int = 0


class HubExchange:
    """Answers envelopes with envelopes, whatever carries them."""

    def __init__(self, book: Book, registry: Registry) -> None:
        self._book = book
        self._registry = registry
        self._identity = registry.identity
        self._signer = CheckpointSigner(registry.identity)
        self._lines: dict[str, _Line] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_stopping = False
        self.sequencer = Sequencer(registry, self._on_news, self.is_on_line)
        self.windows = Windows(self.sequencer)
        self.recovery: HubRecovery | None = None
        self.recoverer = Recoverer(registry, self.sequencer, self._use_recovery)

    def load(self, connection: Connection) -> None:
        """Know whether this book is an old copy on its way back."""
        self.recovery = load_recovery(connection)

    def _use_recovery(self, recovery: HubRecovery | None) -> None:
        """Called in the writer's thread after a commit."""
        is_over = recovery is None and self.recovery is not None
        self.recovery = recovery
        if is_over and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._forget_lines)

    def _forget_lines(self) -> None:
        for line in self._lines.values():
            line.last = None
        self.wake_all()

    async def begin_recovery(self, drawn: bytes) -> HubRecovery:
        """Take this book for an old copy: decide nothing until the members gave back what they hold.

        `drawn`: entropy to choose the new epoch by, `LEAP_BYTES` of it.
        """
        begun: HubRecovery = await self._book.write(self.recoverer.begin, drawn)
        return begun

    async def finish_recovery(self, without: Sequence[str] = ()) -> int:
        """Go on. Raises MembersMissing, RecoveryStuck, NotRecovering."""
        retaken: int = await self._book.write(self.recoverer.finish, tuple(without))
        return retaken

    def require_running(self) -> None:
        """Raise HubRecovering while nothing new is decided."""
        if self.recovery is not None:
            raise HubRecovering(waiting=", ".join(self.recovery.waiting))

    def _line(self, member: str) -> _Line:
        found = self._lines.get(member)
        if found is None:
            found = self._lines[member] = _Line()
        return found

    def is_on_line(self, member: str) -> bool:
        """Tell, to the writer's thread, whether a call of this member waits for news."""
        line = self._lines.get(member)
        return line is not None and line.waiting > 0

    def _on_news(self, members: set[str]) -> None:
        """Called in the writer's thread after a commit."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake, set(members))

    def _wake(self, members: set[str]) -> None:
        for member in members:
            line = self._line(member)
            if line.telling:
                line.is_late = True
            else:
                line.news.set()

    def wake_all(self) -> None:
        """Let every waiting call look again: the directory changed."""
        for line in self._lines.values():
            line.news.set()

    def stop_waiting(self) -> None:
        """Let every waiting call be answered now, and none wait any more: the hub closes."""
        self._is_stopping = True
        self.wake_all()

    def called_at(self) -> dict[str, int]:
        """Return when each member last called, for the operator."""
        return {member: line.called_at for member, line in self._lines.items() if line.called_at}

    def sign_checkpoint(self, connection: Connection) -> SignedCheckpoint:
        """Return the signed head of the national log as this snapshot sees it."""
        return self._signer.sign(connection, self._identity.keyring.current)[1]

    def has_terms_due(self, connection: Connection) -> bool:
        """Tell whether a cession that waits is past its term."""
        return bool(clearing_store.load_expiring(connection, self._book.clock(), None, 1))

    def use_identity(self, identity: Identity) -> None:
        """Sign with other keys from now on."""
        self._identity = identity
        self._signer = CheckpointSigner(identity)

    async def answer(self, data: bytes, *, wait_ms: int = 0) -> bytes:
        """Return the answer to an envelope. Raises BadEnvelope, StorageUnavailable; state is unchanged then."""
        self._loop = asyncio.get_running_loop()
        received = verify_envelope(data, self._identity, self._registry.directory, self._book.clock())
        member = received.statement.sender
        line = self._line(member)
        if line.calls >= CALLS_MAX:
            raise TooManyCalls
        line.calls += 1
        try:
            return await self._answer(received, line, wait_ms)
        finally:
            line.calls -= 1

    async def _answer(self, received: Received, line: _Line, wait_ms: int) -> bytes:
        loop = asyncio.get_running_loop()
        member = received.statement.sender
        line.called_at = self._book.clock()
        for whisper in received.payload.whispers:
            self._pass_on(member, whisper)
        told = _what_it_tells(received.statement)
        is_fresh = bool(received.payload.slips) or told != line.last
        if self.recovery is not None:
            is_fresh = await self._collect(received)
        elif received.payload.slips or (is_fresh and not wait_ms):
            return await self._take_and_tell(received, line, told)
        elif is_fresh:
            # It only says what it holds by now: noted, and the call waits as it was made to.
            await self._take(received, line, told)
            is_fresh = False
        deadline = loop.time() + wait_ms / 1000
        while True:
            line.news.clear()
            envelope, is_news = await self._tell(received, line)
            left = deadline - loop.time()
            if is_news or is_fresh or left <= 0 or self._is_stopping:
                return envelope
            line.waiting += 1
            try:
                async with asyncio.timeout(left):
                    await line.news.wait()
            except TimeoutError:
                deadline = 0.0
            finally:
                line.waiting -= 1

    async def _take(self, received: Received, line: _Line, told: tuple[object, ...]) -> None:
        """Take what a member says. Its other calls need not be woken for it, unless this one breaks."""
        line.telling += 1
        try:
            await self._book.write(self.sequencer.take, received)
            line.last = told
        except BaseException:
            line.news.set()
            raise
        finally:
            line.telling -= 1

    async def _take_and_tell(self, received: Received, line: _Line, told: tuple[object, ...]) -> bytes:
        """Take what a member says and answer at once. Whoever else waits for what it brought is answered first; a call of
        the same member that waits goes on waiting: this answer holds what it would be told.
        """
        line.telling += 1
        is_told = False
        try:
            await self._book.write(self.sequencer.take, received)
            line.last = told
            for _ in range(_TURNS_OF_OTHERS):
                await asyncio.sleep(0)
            line.is_late = False
            envelope, _ = await self._tell(received, line)
            is_told = not line.is_late
            return envelope
        finally:
            line.telling -= 1
            if not is_told:
                line.news.set()

    async def _tell(self, received: Received, line: _Line) -> tuple[bytes, bool]:
        """Return the answer to a member, everything for it handed over, and whether it holds anything new."""
        whispers = [line.whispers.popleft() for _ in range(min(len(line.whispers), 32))]
        composed = await self._book.read_soon(partial(self._compose_if_all_is_told, received, whispers))
        if composed is None:
            await self._book.write(self.sequencer.hand_over, received.statement.sender)
            composed = await self._book.read_soon(partial(self._compose, received, whispers))
        return composed

    async def _collect(self, received: Received) -> bool:
        """Take back what a member holds; when nobody holds anything more, decide again what was decided."""
        gave: bool = await self._book.write(self.recoverer.collect, received)
        if self.recovery is not None and not self.recovery.waiting:
            with contextlib.suppress(MembersMissing, NotRecovering):
                await self.finish_recovery()
        return gave

    def _pass_on(self, member: str, whisper: Whisper) -> None:
        """Keep a whisper for its reader, who is probably waiting on the line."""
        if whisper.sender != member or self._registry.directory.find(whisper.reader) is None:
            return
        line = self._line(whisper.reader)
        line.whispers.append(whisper)
        line.news.set()

    def _compose_if_all_is_told(
        self, received: Received, whispers: Sequence[Whisper], connection: Connection
    ) -> tuple[bytes, bool] | None:
        """Return the answer, or None where slips still wait to be handed over to the caller."""
        if self.recovery is None and clearing_store.has_waiting(connection, received.statement.sender):
            return None
        return self._compose(received, whispers, connection)

    def _compose(self, received: Received, whispers: Sequence[Whisper], connection: Connection) -> tuple[bytes, bool]:
        """Return the answer as this snapshot sees it, and whether it holds anything new for the caller."""
        statement = received.statement
        secret = self._registry.choose_keys(statement.sender, received.payload.directory_size)
        national, checkpoint = self._signer.sign(connection, secret)
        part = None
        if national.size:
            part = load_part(connection, national, received.payload.directory_size)
        theirs = _checkpoint_place(statement)

        def histories(slips: Sequence[CarriedSlip]) -> list[History]:
            shown = {theirs, *_forwarded_checkpoints(slips)}
            return find_histories(connection, national, {size for epoch, size in shown if epoch == national.epoch})

        given = None
        if isinstance(received.payload.recovery, AskOwn):
            theirs_log = log_store.open_log_or_empty(connection, statement.sender, self._identity.code)
            start = received.payload.recovery.start
            nonce = received.payload.recovery.nonce
            given = own_slips.compose_own_slips(connection, theirs_log, start, carry=own_slips.carry_all, nonce=nonce)
        envelope, count = exchange.compose_envelope(
            connection,
            replace(self._identity, keyring=replace(self._identity.keyring, current=secret)),
            statement.sender,
            now=self._book.clock(),
            # While it recovers, what a slip of ours hands over may not be here again: nothing is sent.
            start=statement.ack_size if self.recovery is None else SIZE_MAX,
            carry=self._carry,
            checkpoint=checkpoint,
            directory_size=self._registry.directory.size,
            directory=part,
            find_histories=histories,
            whispers=whispers,
            recovery=given,
        )
        return envelope, bool(count or part is not None or whispers or given is not None)

    def _carry(self, connection: Connection, log: Log, start: int, leaves: Sequence[bytes]) -> list[CarriedSlip]:
        """Return our slips with the forwarded slips of others beside them, each with its author's own proof."""
        carried: list[CarriedSlip] = []
        heads: dict[str, tuple[Log, bytes, bytes, int]] = {}
        for leaf in leaves:
            beside = tuple(
                encode_typed(self._forwarded(connection, message, heads))
                for message in decode_slip(leaf).messages
                if isinstance(message, Forward)
            )
            if carried and len(heads) > AUTHORS_MAX:
                break  # each author was shown another checkpoint, from which a proof must travel: the rest goes next time
            carried.append(CarriedSlip(leaf, beside))
        return carried

    def _forwarded(
        self, connection: Connection, forward: Forward, heads: dict[str, tuple[Log, bytes, bytes, int]]
    ) -> ForwardedSlip:
        if forward.origin not in heads:
            log = log_store.open_log_or_empty(connection, forward.origin, self._identity.code)
            head = exchange.find_head(connection, self._registry.directory, forward.origin, self._identity.code)
            assert head is not None, "a slip was taken, so its author's head is kept"
            heads[forward.origin] = (log, head[0].body, head[0].signature, head[1].log_size)
        log, body, signature, size = heads[forward.origin]
        sealed = log_store.load_attachments(connection, log.id, forward.index, 1).get(forward.index, b"")
        return ForwardedSlip(
            leaf=log_store.load_leaf(connection, log.id, forward.index),
            statement=body,
            signature=signature,
            proof=tuple(log_store.load_inclusion(connection, log.id, forward.index, size)),
            sealed=sealed,
        )


def _what_it_tells(statement: HeadStatement) -> tuple[object, ...]:
    """Return the part of a statement that, unchanged, needs no writing."""
    return (
        statement.epoch,
        statement.log_size,
        statement.log_root,
        statement.ack_epoch,
        statement.ack_size,
        statement.ack_root,
        statement.checkpoint,
    )


def _checkpoint_place(statement: HeadStatement) -> tuple[int, int]:
    """Return epoch and size of the national log that a statement carries on; zeros for none."""
    if statement.checkpoint is None:
        return 0, 0
    checkpoint = decode_typed(statement.checkpoint.body, Checkpoint, size_max=256)
    return checkpoint.epoch, checkpoint.size


def _forwarded_checkpoints(slips: Sequence[CarriedSlip]) -> set[tuple[int, int]]:
    """Return epochs and sizes of the checkpoints that forwarded authors carried on."""
    places: set[tuple[int, int]] = set()
    for slip in slips:
        for body in slip.beside:
            forwarded = decode_typed(body, ForwardedSlip, size_max=len(body))
            statement = decode_typed(forwarded.statement, HeadStatement, size_max=len(forwarded.statement))
            places.add(_checkpoint_place(statement))
    return places
