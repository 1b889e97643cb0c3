"""The exchange between two bases of one house: either may call, both answer alike.

A base writes what it has to tell into its log for the other (`tell`), in the page that changes its own state. `call`
sends what the other has not acknowledged and takes its answer; `answer` is the other side of the same. The work that a
slip asks for is done in the page that stores it: what was acknowledged is done, and nothing is done twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import Connection

from protocol.book import log_store
from protocol.book.service import Book
from protocol.book.worker import Page
from protocol.directory import Directory
from protocol.errors import BadEnvelope, NotCanonical, Refusal
from protocol.exchange import service as exchange
from protocol.exchange.client import Transport
from protocol.exchange.service import Forked, Identity, Received, verify_envelope
from protocol.house import (
    HOUSE_VERSION,
    MESSAGES_MAX,
    HouseMessage,
    HouseSlip,
    decode_house_slip,
    encode_house_slip,
)

CALLS_MAX: Final = 1_000

# Does what a slip of a neighbour asks for: (page, who wrote it, its messages) -> what to answer. It raises no Refusal.
Apply = Callable[[Page, str, Sequence[HouseMessage]], Sequence[HouseMessage]]


class PeerExchange:
    """One base's side of its talk with the others."""

    def __init__(
        self,
        book: Book,
        identity: Identity,
        neighbours: Directory,
        apply: Apply,
        *,
        on_news: Callable[[], None] = lambda: None,
    ) -> None:
        self.book = book
        self.identity = identity
        self._neighbours = neighbours
        self._apply = apply
        self._on_news = on_news  # called in the writer's thread when a page left something to be sent

    @property
    def code(self) -> str:
        return self.identity.code

    @property
    def neighbours(self) -> Directory:
        """The bases of the house, by whose keys their slips are verified."""
        return self._neighbours

    def tell(self, page: Page, reader: str, messages: Sequence[HouseMessage]) -> int:
        """Append one slip to our log for a neighbour, in the page; return its index."""
        log = log_store.open_log(page.connection, self.code, reader)
        leaf = encode_house_slip(HouseSlip(HOUSE_VERSION, reader, page.now, tuple(messages)))
        page.after_commit(PeerExchange, self._on_news)
        return log_store.append_leaves(page.connection, log, [leaf], page.now)

    def take(self, page: Page, items: Sequence[Received]) -> list[int | Refusal]:
        """Apply envelopes whose signature was verified; return how many new slips each brought."""
        results: list[int | Refusal] = []
        for received in items:
            try:
                results.append(self._take_one(page, received))
            except Forked as forked:
                exchange.save_evidence(page.connection, forked, page.now)
                results.append(forked)
            except BadEnvelope as refusal:
                results.append(refusal)
        return results

    def _take_one(self, page: Page, received: Received) -> int:
        connection, sender = page.connection, received.statement.sender
        theirs = log_store.open_log(connection, sender, self.code)
        own = log_store.open_log(connection, self.code, sender)
        before = exchange.find_head(connection, self._neighbours, sender, self.code)
        fresh = exchange.find_new_slips(connection, theirs, received, before, page.now)
        exchange.take_ack(connection, self.identity, own, received, page.now)
        # Everything must be readable before the first leaf is written: afterwards the page is kept.
        slips = [self._read(carried.leaf) for carried in fresh]
        log_store.append_leaves(connection, theirs, [carried.leaf for carried in fresh], page.now)
        for slip in slips:
            answers = self._apply(page, sender, slip.messages)
            # One question may have many answers, and a slip holds so many messages: more would be refused as unreadable.
            for start in range(0, len(answers), MESSAGES_MAX):
                self.tell(page, sender, answers[start : start + MESSAGES_MAX])
        if received.statement.log_size == theirs.size:
            exchange.save_head(connection, received, page.now)
        return len(slips)

    def _read(self, leaf: bytes) -> HouseSlip:
        try:
            slip = decode_house_slip(leaf)
        except NotCanonical as error:
            raise BadEnvelope(f"a slip that cannot be read: {error}", reason="bad_slip") from None
        if slip.to != self.code:
            raise BadEnvelope(f"a slip for {slip.to}", reason="bad_slip")
        return slip

    async def answer(self, data: bytes) -> bytes:
        """Return the answer to an envelope. Raises BadEnvelope, StorageUnavailable; nothing is changed then."""
        received = self._verify(data)
        await self.book.write(self.take, received)
        sender, held = received.statement.sender, received.statement.ack_size
        return (await self.book.read_soon(lambda connection: self._compose(connection, sender, held)))[0]

    async def call(self, neighbour: str, transport: Transport) -> int:
        """Exchange until neither side has anything new; return how many calls it took. Raises what the transport raises."""
        for calls in range(1, CALLS_MAX + 1):
            envelope, sent = await self.book.read_soon(lambda connection: self._compose(connection, neighbour, None))
            received = self._verify(await transport.call(envelope, 0))
            if received.statement.sender != neighbour:
                raise BadEnvelope(f"{received.statement.sender} answers for {neighbour}", reason="unknown_member")
            fresh = await self.book.write(self.take, received)
            if not sent and not fresh:
                return calls
        return CALLS_MAX

    def _verify(self, data: bytes) -> Received:
        return verify_envelope(data, self.identity, self._neighbours, self.book.clock())

    def _compose(self, connection: Connection, reader: str, start: int | None) -> tuple[bytes, int]:
        return exchange.compose_envelope(connection, self.identity, reader, now=self.book.clock(), start=start)
