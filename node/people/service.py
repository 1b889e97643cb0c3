"""The people's base, wired by hand: its desks on one book.

people = open_people(book, base_keys, tell, entropy=..., zone=...)
peer = PeerExchange(book, identity, neighbours, people.apply, on_news=...)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, cast

from node.people import store, tables
from node.people.accounts import LinkState
from node.people.accounts_service import AccountDesk
from node.people.authority import Action, Purpose
from node.people.consents_service import ConsentDesk
from node.people.declarations import DeclarationKind, DeclarationState
from node.people.declarations_service import DeclarationDesk
from node.people.delegations_service import DelegationDesk
from node.people.duties_service import DutyDesk
from node.people.erasures_service import ErasureDesk
from node.people.exports_service import ExportDesk
from node.people.identities_service import Attempt, IdentityDesk, is_right
from node.people.journal_store import Journal
from node.people.lost_service import LostDesk
from node.people.paper_codes import Cost, PaperCode, parse_code
from node.people.persons_service import PersonDesk
from node.people.recovery_service import PeopleRecovery
from node.people.requests import EnrolPaper, LookAtCard, PrintCards
from node.people.roles_service import RoleDesk
from node.people.room_service import Answer, EndKeys, Room, Tell
from node.people.vault import KEY_BYTES, BaseKeys, require_open, unwrap, wrap
from node.people.vault_store import find_book_key, list_wrapped_otherwise, save_book_key, save_wrapped, scrub
from protocol.book.migration_service import History
from protocol.book.service import Book
from protocol.book.worker import Page
from protocol.exchange.peer_recovery import Lost
from protocol.house import BaseName, DutyHeard, HouseMessage
from protocol.identifiers import Id16

PEOPLE_HISTORY: Final = History(
    name="people", folder=Path(__file__).parent / "migrations" / "versions", tables=(tables.metadata,)
)
ROTATE_AT_ONCE: Final = 500


class People:
    """The people of one territory, in one book."""

    def __init__(self, book: Book, room: Room, *, cost: Cost) -> None:
        self.book = book
        self.room = room
        self._cost = cost
        self.persons = PersonDesk(room)
        self.accounts = AccountDesk(room)
        self.consents = ConsentDesk(room)
        self.duties = DutyDesk(room)
        self.roles = RoleDesk(room, self.duties)
        self.declarations = DeclarationDesk(room, self.accounts, self.duties)
        self.delegations = DelegationDesk(room)
        self.erasures = ErasureDesk(room, self.accounts, self.duties)
        self.identities = IdentityDesk(room, self.declarations)
        self.exports = ExportDesk(room)
        self.lost = LostDesk(room)
        self._recovery = PeopleRecovery(room, self.accounts, self.erasures, self.lost, go_on=self._go_on)

    def apply(self, page: Page, sender: str, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
        """Hear what other bases answer, in the page that stores it. Nothing is asked of us. For `PeerExchange`."""
        heard = [message for message in messages if isinstance(message, DutyHeard)]
        if heard:
            self.duties.hear(page, sender, heard)
        if sender != BaseName.ACCOUNTS:
            return []
        journal = self.room.open_journal(page, Action.HEAR, Purpose.REQUEST_OF_PERSON)
        for message in messages:
            row = self.accounts.hear(page, journal, message)
            if row is not None and row.person is not None:
                self.lost.found_again(page, journal, row)
                self._go_on(page, journal, bytes(row.person))
        return []

    def replay(self, page: Page, lost: Lost) -> frozenset[bytes]:
        """Make true again what an old copy of this base lacked; return the marks of what had ended since."""
        self.duties.replay(page, lost.own)
        marks = self._recovery.replay(page, lost)
        for sender, slips in lost.theirs.items():  # what ended and was told before the copy, and answered since
            messages = [message for slip in slips for message in slip.messages]
            self.duties.hear(page, sender, [message for message in messages if isinstance(message, DutyHeard)])
        return marks

    def _go_on(self, page: Page, journal: Journal, person: bytes) -> None:
        """Do what waited for an answer about one of a person's accounts."""
        self.erasures.heard(page, journal, person)
        is_waiting = any(
            row.state not in ("done", "cancelled")
            for row in store.list_rows(page.connection, tables.erasures, person=person)
        )
        has_pool = bool(self.declarations.find_pool_of(page, person))
        is_dead = any(
            row.kind == DeclarationKind.DEATH and row.state == DeclarationState.DECLARED
            for row in store.list_rows(page.connection, tables.declarations, person=person)
        )
        for row in store.list_rows(page.connection, tables.accounts, person=person):
            if row.state == LinkState.BUSY and not is_waiting and not has_pool:  # nobody wants it closed any more
                journal.change(tables.accounts, row, person, state=str(LinkState.OPEN), code="")
            elif row.state == LinkState.OPEN and is_dead and not row.is_frozen:  # it was being opened when he died
                self.accounts.freeze(page, journal, person, is_frozen=True)

    # What is slow, or takes several pages.

    async def enrol_paper(
        self, *, id_: Id16, by: Id16, purpose: Purpose, person: Id16
    ) -> tuple[Answer, PaperCode | None]:
        """Enrol a card for a person; its code is given out once, and None where it was before."""
        [(code, card)] = await self._slowly(lambda: self.identities.make_cards(1, self._cost))
        asked = EnrolPaper(
            id=id_, by=by, purpose=purpose, person=person, found_by=code.found_by, salt=card.salt, hash=card.hash
        )
        answer: Answer = await self.book.write(self.identities.enrol_paper, asked)
        return answer, None if answer.get("is_repeat") else code

    async def print_cards(
        self, *, id_: Id16, by: Id16, purpose: Purpose, count: int
    ) -> tuple[Answer, list[tuple[str, PaperCode]]]:
        """Print so many cards on free accounts: (account, code), given out once, and none where they were before."""
        made = await self._slowly(lambda: self.identities.make_cards(count, self._cost))
        asked = PrintCards(id=id_, by=by, purpose=purpose, cards=tuple(card for _, card in made))
        answer: Answer = await self.book.write(self.identities.print_cards, asked)
        if answer.get("is_repeat"):
            return answer, []
        return answer, list(zip(answer["accounts"], (code for code, _ in made), strict=True))

    async def show_card(self, asked: LookAtCard, typed: str) -> Answer:
        """Verify a card as an officer, who is noted first. Raises NotEntitled, and what `verify_paper` raises."""
        await self.book.write(self.identities.look, asked)
        return await self.verify_paper(typed)

    async def verify_paper(self, typed: str) -> Answer:
        """Return who or which account a card signs in. Raises InvalidPaperCode, PaperCodeWrong, PaperCodeLocked."""
        code = parse_code(typed)
        identity, salt, kept = await self.book.write(self.identities.spend_attempt, code.found_by)
        right = await self._slowly(lambda: is_right(code, salt, kept, self._cost))
        answer: Answer = await self.book.write(self.identities.settle_attempt, Attempt(identity, right))
        return answer

    async def _slowly(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(None, work)

    async def rotate(self, base_keys: BaseKeys, *, by: Id16 | None = None) -> int:
        """Wrap every key under another base key, so many a page; return how many data keys. Begun again, it goes on.

        From the first page on the new key wraps what is new; once this is done, the older files open nothing here.
        """
        self.room.base_keys = base_keys
        count = 0
        while done := cast(int, await self.book.write(self._rotate_some, by)):
            count += done
        return count

    def _rotate_some(self, page: Page, items: Sequence[Id16 | None]) -> list[int]:
        keys = self.room.base_keys
        answers = []
        for by in items:
            found = list_wrapped_otherwise(page.connection, keys.current.id, ROTATE_AT_ONCE)
            for person, base_key, wrapped in found:
                key = require_open(unwrap(keys, base_key, wrapped, person), person)
                save_wrapped(
                    page.connection, person, keys.current.id, wrap(keys.current, key, person, self.room.nonce())
                )
            if not found:
                save_book_key(page.connection, keys, self.room.book_key, self.room.nonce())
                self.room.open_journal(page, Action.ROTATE, Purpose.SECURITY, actor=by).note(None)
            answers.append(len(found))
        return answers

    async def catch_up(self) -> None:
        """Do what time brings: apply rules whose term is over, ask again what had to wait. Run twice is run once."""
        await self.book.write(self.declarations.settle, None)
        await self.book.write(self.duties.settle, None)
        await self.book.write(self.erasures.ask_again, None)
        await self.book.write(self._close_again, None)
        await self.scrub()

    async def scrub(self) -> None:
        """Leave no destroyed key in the files of the book."""
        await self._slowly(lambda: scrub(self.book.url))

    def _close_again(self, page: Page, items: Sequence[None]) -> list[None]:
        """Ask again to close accounts whose rights go into a pool, and that had rights on their way."""
        journal = self.room.open_journal(page, Action.SETTLE, Purpose.LEGAL_DUTY)
        for row in store.list_rows(page.connection, tables.accounts, state=str(LinkState.BUSY)):
            pool = self.declarations.find_pool_of(page, bytes(row.person)) if row.person is not None else ""
            if pool:
                self.accounts.close(page, journal, row, pool)
        return [None] * len(items)


def open_people(
    book: Book,
    base_keys: BaseKeys,
    tell: Tell,
    *,
    entropy: Callable[[int], bytes],
    zone: str = "Europe/Paris",
    cost: Cost | None = None,
    knows: Callable[[str], bool] = lambda _base: True,
    end_keys: EndKeys = lambda _page, _officers: None,
) -> People:
    """Open the base with the key of its book, made now where it has none. Raises KeyMissing."""
    key = book.read_now(lambda line: find_book_key(line, base_keys))
    if key is None:
        fresh, nonce = entropy(KEY_BYTES), entropy(24)

        def make(page: Page, items: Sequence[None]) -> list[bytes]:
            save_book_key(page.connection, base_keys, fresh, nonce)
            return [fresh] * len(items)

        key = cast(bytes, book.write_now(make, None))
    room = Room(
        base_keys=base_keys, book_key=key, tell=tell, entropy=entropy, zone=zone, knows=knows, end_keys=end_keys
    )
    return People(book, room, cost=cost or Cost())
