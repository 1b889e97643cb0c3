"""What nodes ask each other and answer within seconds, or not at all: confirmation of payee, and what comes back.

Before rights are sent far, one sees whom they would reach. And a holder who directed some to a project far away asks that
they come back: his node asks the project's, which does what it does for its own holders, or says by a code why not.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from node.federation.room_service import Room
from node.federation.whispers import (
    BackQuestion,
    BackReply,
    Question,
    Reply,
    Said,
    WhisperRefused,
    make_whisper,
    open_whisper,
)
from node.ledger.accounts import AccountState
from node.ledger.reading_service import find_account
from protocol.book.service import Book
from protocol.book.store import StorageUnavailable
from protocol.envelopes import WHISPERS_MAX, Whisper
from protocol.errors import Refusal
from protocol.identifiers import AccountNumber, Address, TerritoryCode, mask_name
from protocol.times import MINUTE_MS

ANSWER_SECONDS: Final = 5.0
PENDING_MAX: Final = 1_000
QUESTIONS_PER_MINUTE_MAX: Final = 60  # from one territory: names are shown, not harvested
Answer = TypeVar("Answer", Reply, BackReply)


class PayeeDesk:
    """Asks other nodes about their accounts, and answers about ours. Holds nothing that outlives the process."""

    def __init__(
        self,
        room: Room,
        book: Book,
        *,
        entropy: Callable[[int], bytes],
        on_outgoing: Callable[[], None],
    ) -> None:
        self._room = room
        self._book = book
        self._entropy = entropy
        self._on_outgoing = on_outgoing
        # Who gives back what another territory's holder directed to a project of ours; returns its cents, or raises.
        self.on_back: Callable[[str, BackQuestion], Awaitable[int]] | None = None
        self._pending: dict[bytes, tuple[str, type[Reply | BackReply], asyncio.Future[Reply | BackReply]]] = {}
        self._outgoing: deque[Whisper] = deque(maxlen=PENDING_MAX)
        self._asked: dict[str, deque[int]] = {}

    async def ask(self, address: Address, *, seconds: float = ANSWER_SECONDS) -> Reply | None:
        """Return what the account's node says of it, or None where it does not answer in time."""
        if address.territory == self._room.identity.code:
            return await self._look_up(address.number)
        question = Question(address.number, self._book.clock())
        return await self._ask(question, Reply, address.territory, seconds)

    async def ask_back(
        self, territory: TerritoryCode, question: BackQuestion, *, seconds: float = ANSWER_SECONDS
    ) -> BackReply | None:
        """Ask for what a holder of ours directed to a project there; None where it does not answer in time."""
        return await self._ask(question, BackReply, territory, seconds)

    async def _ask(self, said: Said, kind: type[Answer], territory: TerritoryCode, seconds: float) -> Answer | None:
        if len(self._pending) >= PENDING_MAX:
            return None
        self._room.directory.require_active(territory)
        id_ = self._entropy(16)
        self._outgoing.append(self._make(said, id_, territory))
        future: asyncio.Future[Reply | BackReply] = asyncio.get_running_loop().create_future()
        self._pending[id_] = (territory, kind, future)
        self._on_outgoing()
        try:
            told = await asyncio.wait_for(future, seconds)
        except TimeoutError:
            return None
        finally:
            del self._pending[id_]
        assert isinstance(told, kind), "only an answer of its kind is taken"
        return told

    def take_outgoing(self) -> list[Whisper]:
        """Return the whispers to send with the next envelope, and forget them."""
        return [self._outgoing.popleft() for _ in range(min(len(self._outgoing), WHISPERS_MAX))]

    @property
    def has_outgoing(self) -> bool:
        return bool(self._outgoing)

    async def hear(self, whisper: Whisper) -> None:
        """Answer a question, or hand an answer to who waits for it. What cannot be believed is dropped."""
        identity, directory = self._room.identity, self._room.directory
        try:
            said = open_whisper(
                whisper,
                home=identity.code,
                keyring=identity.keyring,
                directory=directory,
                now=self._book.clock(),
            )
        except WhisperRefused:
            return
        if isinstance(said, Reply | BackReply):
            waiting = self._pending.get(whisper.id)
            if waiting is not None and waiting[:2] == (whisper.sender, type(said)) and not waiting[2].done():
                waiting[2].set_result(said)
            return
        if self._is_too_curious(whisper.sender):
            return
        if isinstance(said, Question):
            reply: Reply | BackReply | None = await self._look_up(AccountNumber(said.number))
        else:
            reply = await self._give_back(whisper.sender, said)
        if reply is not None:
            self._outgoing.append(self._make(reply, whisper.id, whisper.sender))
            self._on_outgoing()

    async def _give_back(self, sender: str, asked: BackQuestion) -> BackReply | None:
        """Do what a holder there asks of ours; what our base cannot do now is not answered, and is asked again."""
        if self.on_back is None:
            return None
        try:
            cents = await self.on_back(sender, asked)
        except StorageUnavailable:
            return None
        except Refusal as refusal:
            return BackReply(0, refusal.code[:48], self._book.clock())
        return BackReply(cents, "", self._book.clock())

    async def _look_up(self, number: AccountNumber) -> Reply:
        account = await self._book.read(lambda connection: find_account(connection, number))
        is_open = account is not None and account.state is AccountState.OPEN
        shown = mask_name(account.shown_name) if is_open and account is not None and account.shown_name else ""
        return Reply(is_open, shown, self._book.clock())

    def _make(self, said: Said, id_: bytes, reader: str) -> Whisper:
        identity = self._room.identity
        return make_whisper(
            said,
            id_=id_,
            sender=identity.code,
            reader=reader,
            secret=identity.keyring.current,
            directory=self._room.directory,
            ephemeral_seed=self._entropy(32),
        )

    def _is_too_curious(self, member: str) -> bool:
        now = self._book.clock()
        asked = self._asked.setdefault(member, deque(maxlen=QUESTIONS_PER_MINUTE_MAX))
        if len(asked) == QUESTIONS_PER_MINUTE_MAX and asked[0] > now - MINUTE_MS:
            return True
        asked.append(now)
        return False
