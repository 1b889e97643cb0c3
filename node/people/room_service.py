"""What all desks of the base share: keys, who may do what, and that what is asked twice is done once."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import Connection

from node.people import store, tables
from node.people.authority import Action, Purpose, require_entitled
from node.people.days import local_day
from node.people.journal_store import Journal, seal_row
from node.people.requests import Request
from node.people.vault import NONCE_BYTES, BaseKeys, compute_content, compute_mark
from node.people.vault_store import load_data_key
from protocol.book.worker import Page
from protocol.errors import IdMismatch, Refusal
from protocol.house import BaseName, Ended, HouseMessage
from protocol.identifiers import Id16, format_id
from protocol.times import Instant

# Appends a slip to the log for a base: (page, reader, messages). It is called in the page, from the writer's thread.
Tell = Callable[[Page, str, Sequence[HouseMessage]], object]
# Ends the keys of this base's doors that these officers have, by their ids, in the page.
EndKeys = Callable[[Page, Collection[str]], None]
Answer = dict[str, Any]
Asked = TypeVar("Asked")
Answered = TypeVar("Answered")
ID_BYTES: Final = 16


class Room:
    """The keys of the base while it is open, and how its desks work."""

    def __init__(
        self,
        *,
        base_keys: BaseKeys,
        book_key: bytes,
        tell: Tell,
        entropy: Callable[[int], bytes],
        zone: str,
        knows: Callable[[str], bool] = lambda _base: True,
        end_keys: EndKeys = lambda _page, _officers: None,
    ) -> None:
        """`knows` says whether a base is in this house: what is told to no one would wait for ever. `end_keys` ends the keys
        that officers have of this base's own doors.
        """
        self.base_keys = base_keys
        self.book_key = book_key
        self.zone = zone
        self._tell = tell
        self.knows = knows
        self.end_keys = end_keys
        self._entropy = entropy

    def new_id(self) -> Id16:
        return Id16(self._entropy(ID_BYTES))

    def random(self, count: int) -> bytes:
        return self._entropy(count)

    def nonce(self) -> bytes:
        return self._entropy(NONCE_BYTES)

    def day(self, now: Instant) -> int:
        return local_day(now, self.zone)

    def data_key(self, connection: Connection, person: bytes) -> bytes:
        """Raises PersonUnknown, PersonErased, RecordUnreadable."""
        return load_data_key(connection, self.base_keys, person)

    def tell(self, page: Page, base: str, messages: Sequence[HouseMessage]) -> None:
        """Tell a base of this house, in the page."""
        self._tell(page, base, messages)

    def ask_accounts(self, page: Page, messages: Sequence[HouseMessage]) -> None:
        """Tell the accounts, in the page."""
        if messages:
            self._tell(page, BaseName.ACCOUNTS, messages)

    def require_entitled(self, page: Page, action: Action, actor: Id16, subject: Id16 | None) -> None:
        """Raises NotEntitled."""
        line = page.connection
        require_entitled(
            action,
            actor,
            subject,
            roles=store.list_roles(line, actor),
            delegations=[] if subject is None else store.list_delegations(line, person=subject, delegate=actor),
            day=self.day(page.now),
        )

    def each(self, page: Page, items: Iterable[Asked], do: Callable[[Asked], Answered]) -> list[Answered | Refusal]:
        """Return what `do` returns for each item, or its refusal: then nothing of that item is written."""
        answers: list[Answered | Refusal] = []
        for item in items:
            try:
                with page.connection.begin_nested():
                    answers.append(do(item))
            except Refusal as refusal:
                answers.append(refusal)
        return answers

    def once(
        self,
        page: Page,
        asked: Request,
        action: Action,
        subject: Id16 | None,
        work: Callable[[Journal], Answer],
        *,
        content: object = None,
        is_entitled: bool = False,
    ) -> Answer:
        """Do what is asked, or return what was answered under its id before. Raises NotEntitled, IdMismatch.

        `content` stands for the request where that holds what chance made.
        """
        if not is_entitled:
            self.require_entitled(page, action, asked.by, subject)
        digest = compute_content(self.book_key, type(asked).__name__, asked if content is None else content)
        known = store.find_row(page.connection, tables.operations, id=asked.id)
        if known is not None:
            if bytes(known.digest) != digest:
                raise IdMismatch(id=format_id(asked.id), field="content")
            return {**json.loads(known.answer), "is_repeat": True}
        journal = self.open_journal(page, action, asked.purpose, actor=asked.by, op=asked.id)
        answer = work(journal)
        if not journal.count:
            journal.note(subject)
        values = {"id": asked.id, "digest": digest, "answer": json.dumps(answer), "at": page.now}
        seal = seal_row(self.book_key, tables.operations, values)
        page.connection.execute(tables.operations.insert().values(**values, seal=seal))
        return answer

    def look(self, page: Page, asked: Request, action: Action, subject: Id16 | None) -> Journal:
        """Note that somebody looks at a record. What is read is kept nowhere. Raises NotEntitled."""
        self.require_entitled(page, action, asked.by, subject)
        journal = self.open_journal(page, action, asked.purpose, actor=asked.by, op=asked.id)
        journal.note(subject)
        return journal

    def open_journal(
        self, page: Page, action: Action, purpose: Purpose, *, actor: Id16 | None = None, op: Id16 | None = None
    ) -> Journal:
        return Journal(
            page.connection,
            self.book_key,
            page.now,
            actor=actor,
            action=action,
            purpose=purpose,
            op=op,
            on_ended=lambda name: self.tell_ended(page, name),
        )

    def tell_ended(self, page: Page, name: str) -> None:
        """Leave a mark of what ended with the accounts, in the page: an old copy of this base hears it again."""
        self.ask_accounts(page, [Ended(compute_mark(self.book_key, name))])
