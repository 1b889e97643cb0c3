"""What stories of several bases share: who they are, how one goes on after a crash, and who speaks with whom."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import text

from protocol.book.service import Book
from protocol.book.worker import Operation
from protocol.errors import BadEnvelope, Refusal
from protocol.exchange.peer_service import PeerExchange
from tests.simulation.faults import BookFault, write_together
from tests.simulation.house.oracle import Wrong

# Whoever asks again this often without an answer never gets one.
ATTEMPTS: Final = 6
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Carried:
    """An envelope on its way to a base, as a question or as an answer."""

    to: str
    is_question: bool
    envelope: bytes


class Parties:
    """Bases by name, each with a book, a fault that stands before it, and a side of the talk. `dice`: of the present step."""

    dice: random.Random

    def __init__(self) -> None:
        self.story: list[str] = []
        self.met: Counter[str] = Counter()
        self.under_way: list[Carried] = []
        self.books: dict[str, Book] = {}
        self.peers: dict[str, PeerExchange] = {}
        self.faults: dict[str, BookFault] = {}

    def restart(self, name: str) -> None:
        """Start a base again on the files it has."""
        raise NotImplementedError

    def code_of(self, name: str) -> str:
        """Return what the others of its house call a base."""
        return name

    def find_beside(self, _name: str, code: str) -> str:
        """Return the name of the base that one calls so."""
        return code

    def tell(self, line: str) -> None:
        self.story.append(line)

    def read(self, name: str, sql: str, **values: Any) -> list[Any]:
        """Return rows by SQL of our own."""
        return self.books[name].read_now(lambda line: list(line.execute(text(sql), values).all()))

    def must_ask_again(self, name: str, error: object) -> bool:
        """Tell whether nobody can know what was done: the process died, which starts it again, or its disk was full."""
        if self.faults[name].is_dead:
            self.restart(name)
            return True
        if getattr(error, "code", "") == "storage_unavailable":
            self.tell(f"{name}: the disk is full")
            return True
        return False

    def ask(self, name: str, find: Callable[[], Operation], item: Any) -> Any:
        """Ask a base until it is acknowledged, as a caller does who got no answer. Raises its Refusal."""
        (answer,) = self.ask_together(name, [(find, item)])
        if isinstance(answer, Refusal):
            raise answer
        return answer

    def ask_together(self, name: str, asked: Sequence[tuple[Callable[[], Operation], Any]]) -> list[Any]:
        """The same in one group, with each refusal in its place. Operations are found anew after a restart."""
        for _ in range(ATTEMPTS):
            answers = write_together(self.books[name], [(find(), item) for find, item in asked])
            errors = [one for one in answers if getattr(one, "code", "") == "storage_unavailable"]
            if self.must_ask_again(name, errors[0] if errors else None):
                continue
            for answer in answers:
                if isinstance(answer, BaseException) and not isinstance(answer, Refusal):
                    raise answer
            return answers
        raise Wrong("an operation is never acknowledged")

    def lead(self, name: str, call: Callable[[], Answer]) -> Answer:
        """Call something that writes many pages, again from its beginning wherever it stopped. Raises its Refusal."""
        for _ in range(ATTEMPTS):
            try:
                return call()
            except Exception as error:
                if not self.must_ask_again(name, error):
                    raise
        raise Wrong("a loop never comes to its end")

    async def survive(self, name: str, call: Awaitable[Answer]) -> Answer | None:
        """Await what a base does with an envelope; None where it died of it, or could not store it."""
        answer: Answer | None = None
        try:
            answer = await call
        except Exception as error:
            if not self.faults[name].is_dead and getattr(error, "code", "") != "storage_unavailable":
                raise
        if self.faults[name].is_dead:
            self.restart(name)
            return None
        return answer

    def note_refusal(self, name: str, refusal: Refusal) -> None:
        self.tell(f"{name}: {refusal.code}")
        if isinstance(refusal, BadEnvelope):
            raise Wrong(f"{name} met {refusal.code}, {refusal.facts}: {refusal.cause}")
