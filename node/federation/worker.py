"""The loop that calls the hub: sends what waits, fetches what is new, and waits well when nobody answers.

One call waits at the hub while there is nothing to say; what we have goes out beside it, one call at a time. What a
lost call carried is sent again by the next one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import structlog
from sqlalchemy import Connection

from node.federation import hub_recovery_service, recovery_service, store
from node.federation.payee_service import PayeeDesk
from node.federation.service import Federation, TakenReply
from protocol.book import log_store
from protocol.book.service import Book
from protocol.envelopes import SignedCheckpoint, Whisper, compute_digest
from protocol.errors import BadEnvelope, Refusal
from protocol.exchange import service as exchange
from protocol.exchange.client import BackOff, HubUnreachable, Transport, wait_or_wake
from protocol.exchange.service import Identity, Received, verify_envelope
from protocol.times import Instant

LONG_POLL_MS: Final = 25_000
_ANSWERS_REMEMBERED: Final = 256
log = structlog.get_logger("federation")


@dataclass(frozen=True, slots=True)
class _Question:
    """An envelope to the hub, and the size of the national log that it carries on; None where we were shown none."""

    envelope: bytes
    national: int | None


class ExchangeWorker:
    """Carries the node's envelopes to the hub and back, over any transport, or one at a time by file."""

    def __init__(
        self,
        federation: Federation,
        payees: PayeeDesk,
        book: Book,
        transport: Transport,
        *,
        chance: Callable[[], float],
        back_off: BackOff | None = None,
    ) -> None:
        self._federation = federation
        self._payees = payees
        self._book = book
        self._transport = transport
        self._chance = chance
        self.back_off = back_off or BackOff()
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told: tuple[object, ...] | None = None
        self._stopping = False
        self._waiting: asyncio.Task[TakenReply | None] | None = None  # the call that waits at the hub
        self._heard: deque[bytes] = deque(maxlen=_ANSWERS_REMEMBERED)  # digests of the last answers
        self._keys_back = 0  # how many keys before the newest we sign with
        self.contact_at: Instant | None = None  # when the hub last answered
        self.trouble: str | None = None  # why it does not, while it does not

    def wake(self) -> None:
        """There is something to send. May be called from any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake.set)

    def stop(self) -> None:
        self._stopping = True
        self.wake()

    async def run(self) -> None:
        """Call for ever, until stopped."""
        self._loop = asyncio.get_running_loop()
        try:
            while not self._stopping:
                self._wake.clear()
                try:
                    await self._call_or_wait()
                except Refusal as refusal:
                    self.trouble = str(refusal)
                    wait = self.back_off.next_wait_ms(self._chance())
                    cause = refusal.cause if isinstance(refusal, BadEnvelope) else str(refusal)
                    log.warning("exchange failed", code=refusal.code, cause=cause, retry_in_ms=wait)
                    if isinstance(refusal, HubUnreachable) and self._waiting is not None:
                        self._waiting.cancel()  # its line is no better, and would be waited for in silence
                        self._waiting = None
                    self._wake.clear()
                    await wait_or_wake(self._wake, wait)
        finally:
            if self._waiting is not None:
                self._waiting.cancel()

    async def _call_or_wait(self) -> None:
        """Send what there is; where there is nothing, have a call wait at the hub until either side has something.

        What we then have goes out on a line beside the waiting call: ending that one would cost its connection. Answers
        that cross are as harmless as any envelope that comes late.
        """
        whispers = self._payees.take_outgoing()
        question, count = await self._export(whispers)
        if count or whispers:
            await self._call(question, 0)
            return
        if self._waiting is None:
            self._waiting = asyncio.create_task(self._call(question, LONG_POLL_MS))
        waking = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait({self._waiting, waking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waking.cancel()
        if self._waiting.done():
            answered, self._waiting = self._waiting, None
            await answered

    def _has_outgoing(self, connection: Connection) -> bool:
        own = log_store.find_log(connection, self._federation.identity.code, self._federation.hub.hub)
        return own is not None and own.size > own.acked

    async def exchange_once(self, wait_ms: int = 0) -> TakenReply | None:
        """Send one envelope and take the answer. Raises HubUnreachable, HubRefused, BadEnvelope, StorageUnavailable."""
        question, _ = await self._export(self._payees.take_outgoing())
        return await self._call(question, wait_ms)

    async def _call(self, question: _Question, wait_ms: int) -> TakenReply | None:
        try:
            reply = await self._transport.call(question.envelope, wait_ms)
        except Refusal as refusal:
            if refusal.facts.get("reason") == "unknown_key":
                self._keys_back += 1
            raise
        digest = compute_digest(reply)
        if digest in self._heard:
            raise HubUnreachable(reason="an old answer came again: is there a cache between us and the hub?")
        taken = await self.take_reply(reply, asked=question.national)
        self._heard.append(digest)
        self.contact_at = self._book.clock()
        self.trouble = None
        self.back_off.reset()
        return taken

    async def exchange_all(self, calls_max: int = 1_000) -> int:
        """Call until neither side has anything new; return how many calls it took."""
        for call in range(1, calls_max + 1):
            taken = await self.exchange_once(0)
            more = await self._book.read(self._has_outgoing)
            if not more and (taken is None or (not taken.fresh and not taken.cut_short)):
                return call
        return calls_max

    async def export(self, whispers: list[Whisper] | None = None) -> bytes:
        """Return an envelope with everything the hub has not acknowledged: for a call, or for a file."""
        return (await self._export(whispers or []))[0].envelope

    async def _export(self, whispers: list[Whisper]) -> tuple[_Question, int]:
        """Return the envelope, and how many slips it carries."""
        return await self._book.read_soon(lambda connection: self._compose(connection, whispers))

    def _compose(self, connection: Connection, whispers: list[Whisper]) -> tuple[_Question, int]:
        federation = self._federation
        row = store.find_checkpoint(connection)
        checkpoint = None if row is None else SignedCheckpoint(bytes(row.body), bytes(row.key), bytes(row.signature))
        envelope, count = exchange.compose_envelope(
            connection,
            self._choose_identity(),
            federation.hub.hub,
            now=self._book.clock(),
            checkpoint=checkpoint,
            directory_size=federation.directory.size,
            whispers=whispers,
            recovery=recovery_service.ask_own(federation, connection)
            or hub_recovery_service.compose_returned(federation, connection),
        )
        return _Question(envelope, None if row is None else row.size), count

    def _choose_identity(self) -> Identity:
        """Sign with our newest key; where the hub says that it knows it not, with the one before it.

        A hub restored from an old copy may have lost the entry of our newest key, which nobody but we can give back.
        """
        identity = self._federation.identity
        member = self._federation.directory.find(identity.code)
        held = [identity.keyring.find(key.id) for key in reversed(member.keys)] if member is not None else []
        valid = [keys for keys in held if keys is not None and keys != identity.keyring.current]
        chosen = [identity.keyring.current, *valid][self._keys_back % (len(valid) + 1)]
        return replace(identity, keyring=replace(identity.keyring, current=chosen))

    async def take_reply(self, reply: bytes, *, asked: int | None = None) -> TakenReply | None:
        """Take an envelope of the hub, from a call or from a file; None where it tells nothing new.

        `asked`: what it answers is known, and this is the size of the national log that the question carried.
        """
        received = verify_envelope(reply, self._federation.identity, self._federation.trusted, self._book.clock())
        for whisper in received.payload.whispers:
            await self._payees.hear(whisper)
        told = _what_it_tells(received)
        is_old = told == self._told and not received.payload.slips and received.payload.directory is None
        if is_old and self._federation.recovery is None and self._federation.hub_recovery is None:
            return None
        taken: TakenReply = await self._book.write(self._federation.take, replace(received, asked=asked))
        self._told = told
        return taken


def _what_it_tells(received: Received) -> tuple[object, ...]:
    statement = received.statement
    return (
        statement.epoch,
        statement.log_size,
        statement.log_root,
        statement.ack_epoch,
        statement.ack_size,
        statement.ack_root,
        statement.checkpoint,
    )
