"""The loop that calls the hub: sends what waits, fetches what is new, and waits well when nobody answers.

One call waits at the hub while there is nothing to say; what we have goes out beside it, one call at a time. What a
lost call carried is sent again by the next one.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection

from node.federation import hub_recovery_service, recovery_service, store
from node.federation.hearing_service import TakenReply
from node.federation.payee_service import PayeeDesk
from node.federation.service import Federation
from protocol.book import log_store
from protocol.book.service import Book
from protocol.envelopes import SignedCheckpoint, Whisper
from protocol.errors import BadEnvelope, Refusal
from protocol.exchange import service as exchange
from protocol.exchange.client import BackOff, HubUnreachable, Transport, wait_or_wake
from protocol.exchange.service import Identity, Received, verify_envelope
from protocol.running.logs_service import find_logger
from protocol.times import Instant

LONG_POLL_MS: Final = 25_000
_HEARD_MAX: Final = 4_096
_TROUBLE_CHARACTERS_MAX: Final = 300
log = find_logger("federation")


@dataclass(frozen=True, slots=True)
class _Question:
    """An envelope to the hub, and the size of the national log that it carries on; None where we were shown none.

    `acked`: how many of our slips the hub had acknowledged by then.
    """

    envelope: bytes
    national: int | None
    acked: int


class HubTookNothing(Refusal):
    """The hub answered, took none of the slips that we sent, and had nothing for us. Facts: slips."""

    code = "hub_took_nothing"


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
        long_poll_ms: int = LONG_POLL_MS,
    ) -> None:
        self._federation = federation
        self._payees = payees
        self._book = book
        self._transport = transport
        self._chance = chance
        self.back_off = back_off or BackOff()
        self._long_poll_ms = long_poll_ms
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told: tuple[object, ...] | None = None
        self._stopping = False
        self._waiting: asyncio.Task[tuple[TakenReply | None, int]] | None = None  # the call that waits at the hub
        self._keys_back = 0  # how many keys before the newest we sign with
        self._heard: OrderedDict[bytes, Instant] = OrderedDict()  # the hub's last answers, and when each came first
        self.contact_at: Instant | None = None  # when the hub last answered anew
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
                    self._note(refusal)
                    wait = self.back_off.next_wait_ms(self._chance())
                    cause = refusal.cause if isinstance(refusal, BadEnvelope) else str(refusal)
                    log.warning("exchange failed", code=refusal.code, cause=cause, retry_in_ms=wait)
                    if isinstance(refusal, HubUnreachable) and self._waiting is not None:
                        self._waiting.cancel()  # its line is no better, and would be waited for in silence
                        self._waiting = None
                    await wait_or_wake(self._wake, wait)
                except Exception as error:  # said here, logged by who runs us
                    self._note(error)
                    raise
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
            try:
                taken, acked = await self._call(question, 0)
                if count and acked <= question.acked and (taken is None or not (taken.fresh or taken.cut_short)):
                    # Asked again at once it would say the same at once, as fast as both can.
                    refusal = HubTookNothing(slips=count)
                    self._note(refusal)
                    raise refusal
                self.back_off.reset()
            except Refusal:
                self._wake.clear()  # what came meanwhile waits with the rest; a dead call that only waited delays nothing
                raise
            return
        if self._waiting is None:
            self._waiting = asyncio.create_task(self._call(question, self._long_poll_ms))
        waking = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait({self._waiting, waking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waking.cancel()
        if self._waiting.done():
            answered, self._waiting = self._waiting, None
            await answered
            self.back_off.reset()

    def _has_outgoing(self, connection: Connection) -> bool:
        return log_store.count_unacked(connection, self._federation.identity.code, self._federation.hub.hub) > 0

    async def exchange_once(self, wait_ms: int = 0) -> TakenReply | None:
        """Send one envelope and take the answer. Raises HubUnreachable, HubRefused, BadEnvelope, StorageUnavailable."""
        question, _ = await self._export(self._payees.take_outgoing())
        taken, _ = await self._call(question, wait_ms)
        self.back_off.reset()
        return taken

    def _note(self, error: Exception) -> None:
        """Say why there is no exchange, until there is one."""
        if isinstance(error, BadEnvelope):
            said = f"{error}: {error.cause}"
        else:
            said = str(error) if isinstance(error, Refusal) else f"internal_error ({type(error).__name__}: {error})"
        self.trouble = said[:_TROUBLE_CHARACTERS_MAX]

    async def _call(self, question: _Question, wait_ms: int) -> tuple[TakenReply | None, int]:
        """Return what came of the answer, and how many of our slips it acknowledges."""
        try:
            return await self._try_call(question, wait_ms)
        except Exception as error:  # whatever it is, the status says it; nothing is swallowed
            self._note(error)
            raise

    async def _try_call(self, question: _Question, wait_ms: int) -> tuple[TakenReply | None, int]:
        asked_at = self._book.clock()
        try:
            reply = await self._transport.call(question.envelope, wait_ms)
        except Refusal as refusal:
            if refusal.facts.get("reason") == "unknown_key":
                self._keys_back += 1
            raise
        received = self._verify(reply)
        is_repeated = self._is_repeated(received, asked_at)
        taken = await self._take(replace(received, asked=question.national))
        if is_repeated:
            # Harmless, but no contact: the hub signs another word each time that it is asked.
            raise HubUnreachable(reason="an old answer of the hub came again: something on the line repeats it")
        self.contact_at = self._book.clock()
        self.trouble = None
        return taken, received.statement.ack_size

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
            recovery=recovery_service.ask_own(federation.room, connection)
            or hub_recovery_service.compose_returned(federation.room, connection),
        )
        own = log_store.open_log_or_empty(connection, federation.identity.code, federation.hub.hub)
        return _Question(envelope, None if row is None else row.size, own.acked), count

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
        return await self._take(replace(self._verify(reply), asked=asked))

    def _verify(self, reply: bytes) -> Received:
        return verify_envelope(reply, self._federation.identity, self._federation.room.trusted, self._book.clock())

    def _is_repeated(self, received: Received, asked_at: Instant) -> bool:
        """Tell whether this answer was heard before its question was asked; remember it."""
        first = self._heard.setdefault(received.envelope.signature, self._book.clock())
        if len(self._heard) > _HEARD_MAX:
            self._heard.popitem(last=False)
        return first < asked_at

    async def _take(self, received: Received) -> TakenReply | None:
        for whisper in received.payload.whispers:
            await self._payees.hear(whisper)
        told = _what_it_tells(received)
        is_old = told == self._told and not received.payload.slips and received.payload.directory is None
        if is_old and self._federation.recovery is None and self._federation.room.hub_recovery is None:
            return None
        taken: TakenReply = await self._book.write(self._federation.take, received)
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
