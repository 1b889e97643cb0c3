"""The exchange between two bases of one house: either may call, both answer alike.

A base writes what it has to tell into its log for the other (`tell`), in the page that changes its own state. `call`
sends what the other has not acknowledged and takes its answer; `answer` is the other side of the same. The work that a
slip asks for is done in the page that stores it: what was acknowledged is done, and nothing is done twice.

A base that keeps its pages (`Keeping`) sends each of them, sealed for itself, before the slips that the page told: from
them it comes back where it was put back from an old copy (`peer_recovery_service`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from sqlalchemy import Connection

from protocol.book import log_store
from protocol.book.migration_service import History, find_head
from protocol.book.recording_store import Recorder, find_numbered
from protocol.book.service import Book
from protocol.book.worker import Page
from protocol.directory import Directory
from protocol.envelopes import AskOwn
from protocol.errors import BadEnvelope, NotCanonical, Refusal
from protocol.exchange import peer_keys_service as keying
from protocol.exchange import peer_recovery_service as recovering
from protocol.exchange import service as exchange
from protocol.exchange.client import Transport
from protocol.exchange.foils import VERSION, Foil, seal_foil, write_statements
from protocol.exchange.peer_keys import UNKNOWN_KEY, KeyLink, Rotation, choose_signer, use_as_current
from protocol.exchange.peer_keys_store import know_keys, load_links
from protocol.exchange.peer_recovery import FACT, PAGE, BaseIsBehind, Lost, PeerRecovery
from protocol.exchange.service import Forked, Identity, Received, verify_envelope
from protocol.house import (
    ABOUT_THE_TALK,
    HOUSE_VERSION,
    MESSAGES_MAX,
    HouseMessage,
    HouseSlip,
    decode_house_slip,
    encode_house_slip,
)
from protocol.keys import Keyring, SecretKeys

CALLS_MAX: Final = 1_000

# Does what a slip of a neighbour asks for: (page, who wrote it, its messages) -> what to answer. It raises no Refusal.
Apply = Callable[[Page, str, Sequence[HouseMessage]], Sequence[HouseMessage]]
# Makes true again what an old copy lacked, in the page that ends its recovery: (page, what was lost).
Replay = Callable[[Page, Lost], None]


@dataclass(frozen=True, slots=True)
class Keeping:
    """What a base needs to send its own pages to its neighbours: who keeps them, for which schema, and fresh randomness."""

    recorder: Recorder
    schema: str
    entropy: Callable[[int], bytes]


def keep_pages(history: History, entropy: Callable[[int], bytes]) -> Keeping:
    """Return the keeping of all tables that a base has beside those of every book."""
    names = [name for tables in history.tables for name in tables.tables]
    return Keeping(Recorder(names, find_numbered(history.tables)), find_head(history), entropy)


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
        keeping: Keeping | None = None,
        replay: Replay | None = None,
        on_recovered: Callable[[Page], None] = lambda _page: None,
    ) -> None:
        """`replay` makes true again what an old copy lacked and no page says, with `apply` where it is None;
        `on_recovered` is the last work of the page that ends a recovery.
        """
        self.book = book
        self.identity = identity
        self.base_directory = neighbours  # as persons entered them; what they announced since stands in the book
        self._apply = apply
        self._on_news = on_news  # called in the writer's thread when a page left something to be sent
        self.keeping = keeping
        self._replay = replay or self._do_lost
        self._on_recovered = on_recovered
        if keeping is not None:
            book.keep(keeping.recorder, self._close_page)
        behind, self.recovery = book.read_now(recovering.load_recovery)
        if behind is not None or self.recovery is not None:
            self.hold()
        self.links: dict[tuple[str, str], tuple[KeyLink, ...]] = book.read_now(load_links)
        self._known = know_keys(neighbours, self.links, self.code)
        self.use_keyring(keying.find_current(self))

    @property
    def code(self) -> str:
        return self.identity.code

    @property
    def neighbours(self) -> Directory:
        """The bases of the house, by whose keys their slips are verified: as entered, and as they announced since."""
        return self._known

    @property
    def others(self) -> list[str]:
        """The other bases of the house."""
        return sorted(code for code in self.base_directory.members if code != self.code)

    @property
    def is_behind(self) -> bool:
        """Whether this base is an old copy, and takes nothing new."""
        return self.book.held is not None

    def hold(self) -> None:
        """Take nothing new: this base is an old copy."""
        self.book.hold(BaseIsBehind(base=self.code), [self.take, self.begin_recovery])

    def note_behind(self, page: Page) -> None:
        """Somebody outside the house holds more of this book than it does: take nothing new before the way back in the house."""
        if not self.is_behind:
            recovering.note_behind(self, page)

    def use_recovery(self, recovery: PeerRecovery | None) -> None:
        """Called by the writer's thread once a step of a recovery is durable."""
        self.recovery = recovery
        if recovery is None:
            self.book.hold(None)
        self._on_news()

    def use_keyring(self, keyring: Keyring) -> None:
        """Sign with other keys from now on, to whoever heard of them."""
        self.identity = replace(self.identity, keyring=keyring)

    def use_links(self, owner: str, reader: str, links: tuple[KeyLink, ...]) -> None:
        """Called by the writer's thread once an announcement of keys is durable."""
        self.links = {**self.links, (owner, reader): links}
        self._known = know_keys(self.base_directory, self.links, self.code)

    def rotate(self, page: Page, items: Sequence[Rotation]) -> list[keying.Rotated | Refusal]:
        """Change our key for a new one that the neighbours believe by themselves."""
        return keying.rotate(self, page, items)

    def begin_recovery(self, page: Page, items: Sequence[bytes]) -> list[PeerRecovery | Refusal]:
        """Begin to bring an old copy back to the present. Items: 32 fresh random bytes each."""
        return recovering.begin(self, page, items)

    def tell(self, page: Page, reader: str, messages: Sequence[HouseMessage]) -> None:
        """Append one slip to our log for a neighbour, in the page."""
        if self.keeping is None:
            self.append(page, reader, messages)
            return
        # Our page goes before what it told: both are appended when all of the page is known.
        page.memo.setdefault((PeerExchange, self.code), []).append((reader, tuple(messages)))

    def append(self, page: Page, reader: str, messages: Sequence[HouseMessage], beside: bytes = b"") -> None:
        """Append a slip at once, with what lies beside it."""
        log = log_store.open_log(page.connection, self.code, reader)
        leaf = encode_house_slip(HouseSlip(HOUSE_VERSION, reader, page.now, tuple(messages)))
        page.after_commit(PeerExchange, self._on_news)
        index = log_store.append_leaves(page.connection, log, [leaf], page.now)
        if beside:
            log_store.save_counterfoils(page.connection, log.id, [(index, beside)])

    def _close_page(self, page: Page) -> None:
        """Send what the page wrote, sealed for ourselves, and then what it told."""
        assert self.keeping is not None
        statements = self.keeping.recorder.take()
        if statements:
            number = int(recovering.find_fact(page.connection, PAGE) or 0) + 1
            recovering.save_fact(page.connection, PAGE, str(number))
            heard = [
                (other, log_store.open_log_or_empty(page.connection, other, self.code).size) for other in self.others
            ]
            foil = Foil(VERSION, self.keeping.schema, number, tuple(heard), write_statements(statements))
            parts = seal_foil(foil, self.identity.keyring.current.public.sealing, self.keeping.entropy)
            for other in self.others:
                for kept, sealed in parts:
                    self.append(page, other, [kept], sealed)
        told: Iterable[tuple[str, tuple[HouseMessage, ...]]] = page.memo.pop((PeerExchange, self.code), ())
        for reader, messages in told:
            self.append(page, reader, messages)

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
                if refusal.facts.get("reason") == "we_are_behind" and not self.is_behind:
                    recovering.note_behind(self, page)
                results.append(refusal)
        return results

    def _take_one(self, page: Page, received: Received) -> int:
        connection, sender = page.connection, received.statement.sender
        keying.require_signer(self, page, received)
        theirs = log_store.open_log(connection, sender, self.code)
        own = log_store.open_log(connection, self.code, sender)
        recovery = recovering.running_in(self, page)
        if recovery is None:
            exchange.require_not_behind(own, received)
        fresh = recovering.find_new(self, page, theirs, received, recovery)
        if recovery is None:
            exchange.take_ack(connection, self.identity, own, received, page.now)
            if self.is_behind and FACT not in page.memo:  # what is told now would be done on a base of yesterday
                raise BadEnvelope("this base is an old copy: recover it first", reason="we_are_behind")
            recovering.forget_foils(connection, own, page.now)
        if fresh is None:
            return 0
        # Everything must be readable before the first leaf is written: afterwards the page is kept.
        slips = [self._read(carried.leaf) for carried in fresh]
        keying.require_announced(self, page, sender, slips)
        if received.statement.epoch > theirs.epoch:
            log_store.raise_epoch(connection, theirs, received.statement.epoch)
        first = log_store.append_leaves(connection, theirs, [carried.leaf for carried in fresh], page.now)
        keying.note(self, page, sender, self.code, first, slips)
        recovering.keep_foils(connection, theirs, first, fresh)
        recovering.forget_foils(connection, theirs, page.now)
        if received.statement.log_size == theirs.size:
            exchange.save_head(connection, received, page.now)
        if recovery is not None:
            return recovering.take_lost(self, page, received, recovery, fresh)
        for slip in slips:
            self._do(page, sender, slip)
        recovering.answer_ask(self, page, received, own)
        return len(slips)

    def _do(self, page: Page, sender: str, slip: HouseSlip) -> None:
        """Do what a slip asks for, and answer."""
        messages = [message for message in slip.messages if not isinstance(message, ABOUT_THE_TALK)]
        self.reply(page, sender, self._apply(page, sender, messages) if messages else ())

    def reply(self, page: Page, sender: str, answers: Sequence[HouseMessage]) -> None:
        """Tell a neighbour how what it asked ended."""
        # One question may have many answers, and a slip holds so many messages: more would be refused as unreadable.
        for start in range(0, len(answers), MESSAGES_MAX):
            self.tell(page, sender, answers[start : start + MESSAGES_MAX])

    def _do_lost(self, page: Page, lost: Lost) -> None:
        """Do what the neighbours said since the last page that came back."""
        for sender in lost.theirs:
            self.do_again(page, sender, lost)

    def do_again(self, page: Page, sender: str, lost: Lost) -> None:
        """Do what a neighbour said, and answer what was not answered in the same words before."""
        said = {message for slip in lost.own.get(sender, ()) for message in slip.messages}
        for slip in lost.theirs.get(sender, ()):
            messages = [message for message in slip.messages if not isinstance(message, ABOUT_THE_TALK)]
            answers = self._apply(page, sender, messages) if messages else ()
            self.reply(page, sender, [answer for answer in answers if answer not in said])

    def replay(self, page: Page, lost: Lost) -> None:
        """Make true what an old copy lacked: called in the page that ends its recovery."""
        self._replay(page, lost)
        keying.announce_again(self, page)
        self._on_recovered(page)

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
        asked = received.payload.recovery
        return (await self.book.read_soon(lambda connection: self._compose(connection, sender, held, asked)))[0]

    async def call(self, neighbour: str, transport: Transport) -> int:
        """Exchange until neither side has anything new; return how many calls it took. Raises what the transport raises."""
        asked: object = None
        for calls in range(1, CALLS_MAX + 1):
            compose = partial(self._compose, reader=neighbour, start=None, asked=asked)
            envelope, sent = await self.book.read_soon(compose)
            try:
                reply = await transport.call(envelope, 0)
            except Refusal as refusal:
                reply = await self._call_with_others(neighbour, transport, asked, refusal)
            received = self._verify(reply)
            if received.statement.sender != neighbour:
                raise BadEnvelope(f"{received.statement.sender} answers for {neighbour}", reason="unknown_member")
            fresh = await self.book.write(self.take, received)
            before, asked = asked, received.payload.recovery
            is_asked = isinstance(asked, AskOwn) and asked != before
            if not sent and not fresh and not is_asked:
                return calls
        return CALLS_MAX

    async def _call_with_others(self, neighbour: str, transport: Transport, asked: object, refusal: Refusal) -> bytes:
        """Return the answer to the same in another key of ours: a neighbour did not know the one that we took it to know.

        It heard of our new key and its answer was lost, or one of us is an old copy. Raises what the transport raises.
        """
        for keys in (self.identity.keyring.current, *self.identity.keyring.older):
            if refusal.facts.get("reason") != UNKNOWN_KEY:
                break
            compose = partial(self._compose, reader=neighbour, start=None, asked=asked, signer=keys)
            envelope, _ = await self.book.read_soon(compose)
            try:
                return await transport.call(envelope, 0)
            except Refusal as another:
                refusal = another
        raise refusal

    def _verify(self, data: bytes) -> Received:
        return verify_envelope(data, self.identity, self._known, self.book.clock())

    def _choose_identity(
        self, connection: Connection, reader: str, start: int | None, signer: SecretKeys | None
    ) -> Identity:
        """Return who we are to a neighbour that holds our log to it as far as `start` (none: as it acknowledged)."""
        links = self.links.get((self.code, reader), ())
        if signer is None and links:
            held = log_store.open_log_or_empty(connection, self.code, reader).acked if start is None else start
            signer = choose_signer(self.identity.keyring, links, held)
        if signer is None:
            return self.identity
        return replace(self.identity, keyring=use_as_current(self.identity.keyring, signer.public.id))

    def _compose(
        self,
        connection: Connection,
        reader: str,
        start: int | None,
        asked: object = None,
        signer: SecretKeys | None = None,
    ) -> tuple[bytes, int]:
        """Return the next envelope; `asked` is what the reader's last one asked for, where its base is an old copy."""
        return exchange.compose_envelope(
            connection,
            self._choose_identity(connection, reader, start, signer),
            reader,
            now=self.book.clock(),
            start=start,
            recovery=recovering.compose_own(connection, self, reader, asked)
            or recovering.ask_own(self, connection, reader),
        )
