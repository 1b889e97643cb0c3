"""The ledger's door: operations for the book's writer, and how to run them.

Each operation takes the page and its items, and returns one result or one Refusal an item. Operations of one page share
one desk, which is saved when the page closes; so another room of the same base may call `ledger.post(page, ...)` in the
middle of its own operation, and has the chosen draws and the transfer ids at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, Concatenate, Final, ParamSpec, TypeVar, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, MetaData

from node.ledger import (
    account_service,
    lot_service,
    posting_service,
    reservation_service,
    reversal_service,
    store,
)
from node.ledger.accounts import AccountKind, AccountState
from node.ledger.credits import CreditBatch, Credited
from node.ledger.desk import Desk, Sheet, turn_page
from node.ledger.endowments import Endow, Endowed
from node.ledger.lots import LotId, LotName
from node.ledger.openings import ChangeState, OpenAccount, Opened, ShowName, StateChanged
from node.ledger.postings import Posted, Posting
from node.ledger.reservations import Released, Reserve, Reserved
from node.ledger.reversals import Reverse, Reversed
from node.ledger.tables import metadata
from protocol.book.migration_service import History
from protocol.book.service import Book, Page
from protocol.errors import Refusal
from protocol.identifiers import AccountNumber, Id16, TerritoryCode

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
Found = TypeVar("Found")
Rest = ParamSpec("Rest")

# More accounts than this are not kept from page to page: some 50 MB.
SHEETS_MAX: Final = 100_000
_MIGRATIONS: Final = Path(__file__).parent / "migrations" / "versions"


def ledger_history(*more: MetaData) -> History:
    """Return the schema history of the accounts base; `more` are tables that other rooms keep in it."""
    return History(name="ledger", folder=_MIGRATIONS, tables=(metadata, *more))


class Ledger:
    """The accounts of one territory, in one book.

    The book has one writer, so what a committed page left on its desk is still true for the next one: accounts that
    are often used are not read again. A page that fails loses its desk, and the next one loads what it needs.
    """

    _desks: ClassVar[WeakKeyDictionary[Book, Desk]] = WeakKeyDictionary()  # one a book, whoever has a Ledger on it

    def __init__(self, book: Book, home: TerritoryCode) -> None:
        self.book = book
        self.home = home

    # Operations: given to `write`, or called with a page by operations of the same base.

    def post(self, page: Page, items: Sequence[Posting]) -> list[Posted | Refusal]:
        """Move rights. A refused item changes nothing and harms no other."""
        return posting_service.post(page.connection, self._desk(page), items)

    def post_groups(self, page: Page, items: Sequence[Sequence[Posting]]) -> list[list[Posted | Refusal]]:
        """The same for items that are groups: one wait for a whole group, one answer for each posting in it."""
        answers = self.post(page, [posting for group in items for posting in group])
        if len(items) == 1:
            return [answers]
        parts: list[list[Posted | Refusal]] = []
        at = 0
        for group in items:
            parts.append(answers[at : at + len(group)])
            at += len(group)
        return parts

    def credit(self, page: Page, items: Sequence[CreditBatch]) -> list[Credited | list[Posted | Refusal]]:
        """Credit many accounts from one pool: columns in, and columns out where every line was done for the first time."""
        return posting_service.credit(page.connection, self._desk(page), items)

    def endow(self, page: Page, items: Sequence[Endow]) -> list[Endowed | Refusal]:
        """Issue rights for euros that reached the fund. Nothing else issues."""
        return lot_service.endow(page.connection, self._desk(page), items)

    def ensure_lots(self, page: Page, items: Sequence[LotName]) -> list[LotId | Refusal]:
        """Return the id here of each lot, noting foreign lots at first sight."""
        return lot_service.ensure_lots(page.connection, self._desk(page), items)

    def adopt_lots(self, page: Page, items: Sequence[LotName]) -> None:
        """Note home lots that an old copy of this book does not know."""
        lot_service.adopt_lots(page.connection, self._desk(page), items)

    def open_accounts(self, page: Page, items: Sequence[OpenAccount]) -> list[Opened | Refusal]:
        """Open ordinary accounts."""
        return account_service.open_accounts(page.connection, self._desk(page), items)

    def change_states(self, page: Page, items: Sequence[ChangeState]) -> list[StateChanged | Refusal]:
        """Freeze, reopen or close accounts."""
        return account_service.change_states(page.connection, self._desk(page), items)

    def show_names(self, page: Page, items: Sequence[ShowName]) -> list[ShowName | Refusal]:
        """Show names to payers, or none."""
        return account_service.show_names(page.connection, self._desk(page), items)

    def reserve(self, page: Page, items: Sequence[Reserve]) -> list[Reserved | Refusal]:
        """Set sums aside until they are used, released or expired."""
        return reservation_service.reserve(page.connection, self._desk(page), items)

    def release(self, page: Page, items: Sequence[Id16]) -> list[Released | Refusal]:
        """Free reservations, named by their ids."""
        return reservation_service.release(page.connection, self._desk(page), items)

    def expire_reservations(self, page: Page, items: Sequence[int]) -> list[int]:
        """End up to `item` reservations whose time is over; return how many. A worker repeats it until it is zero."""
        return reservation_service.expire_reservations(page.connection, self._desk(page), items)

    def reverse(self, page: Page, items: Sequence[Reverse]) -> list[Reversed | Refusal]:
        """Take back credits as far as their lots are still held and not reserved."""
        return reversal_service.reverse(page.connection, self._desk(page), items)

    def find_projects(
        self,
        page: Page,
        numbers: Collection[AccountNumber],
        kinds: Collection[AccountKind] = frozenset({AccountKind.PROJECT}),
    ) -> set[AccountNumber]:
        """Return which of these accounts are projects' (or of other kinds). Lays them out, as posting to them would."""
        desk = self._desk(page)
        posting_service.load_sheets(page.connection, desk, numbers)
        sheets = desk.sheets
        return {number for number in numbers if (sheet := sheets.get(number)) is not None and sheet.kind in kinds}

    def is_open(self, page: Page, number: AccountNumber) -> bool:
        """Tell whether rights may leave the account now. A posting that is refused is refused for ever: this asks before."""
        desk = self._desk(page)
        posting_service.load_sheets(page.connection, desk, (number,))
        sheet = desk.sheets.get(number)
        return sheet is not None and sheet.state is AccountState.OPEN

    def look_at(self, page: Page, number: AccountNumber) -> Sheet | None:
        """Return the account with all that it holds as it stands in this page, or None. It is looked at, not changed."""
        desk = self._desk(page)
        posting_service.load_sheets(page.connection, desk, (number,))
        sheet = desk.sheets.get(number)
        if sheet is not None and not sheet.is_whole:
            posting_service.load_whole(page.connection, desk, (sheet,))
        return sheet

    def flush(self, page: Page) -> None:
        """Save what was decided so far, so that SQL of the same page can see it."""
        store.save_desk(page.connection, self._desk(page))

    def _desk(self, page: Page) -> Desk:
        desk: Desk | None = page.memo.get(Ledger)
        if desk is None:
            desk = self._take_desk(page)
            page.memo[Ledger] = desk
        laid_out = desk
        page.at_close(Ledger, lambda: store.save_desk(page.connection, laid_out))
        return desk

    def _take_desk(self, page: Page) -> Desk:
        """Go on with the desk of the page before, which is kept only where that page was committed."""
        desk = self._desks.pop(self.book, None)
        if desk is None:
            desk = store.load_desk(page.connection, self.home, page.now)
        else:
            turn_page(desk, page.now)
        if len(desk.sheets) <= SHEETS_MAX:
            page.after_commit(Ledger, partial(self._desks.__setitem__, self.book, desk))
        return desk

    # Running them.

    async def write(
        self, operation: Callable[[Page, Sequence[Asked]], Sequence[Answer | Refusal]], item: Asked
    ) -> Answer:
        """Run one item durably, e.g. `await ledger.write(ledger.post, posting)`. Raises its Refusal."""
        return cast(Answer, await self.book.write(operation, item))

    def write_now(
        self, operation: Callable[[Page, Sequence[Asked]], Sequence[Answer | Refusal]], item: Asked
    ) -> Answer:
        """The same for the command line, without an event loop."""
        return cast(Answer, self.book.write_now(operation, item))

    async def read(
        self, find: Callable[Concatenate[Connection, Rest], Found], *args: Rest.args, **named: Rest.kwargs
    ) -> Found:
        """Run a reading on a snapshot, e.g. `await ledger.read(load_balance, number)`. Raises its Refusal."""
        return await self.book.read(lambda connection: find(connection, *args, **named))

    def read_now(
        self, find: Callable[Concatenate[Connection, Rest], Found], *args: Rest.args, **named: Rest.kwargs
    ) -> Found:
        """The same for the command line."""
        return self.book.read_now(lambda connection: find(connection, *args, **named))
