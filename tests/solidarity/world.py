"""A town with a room of solidarity."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from node.federation.cessions import AskCession
from node.federation.service import Federation
from node.ledger.accounts import AccountKind
from node.ledger.checks import check_ledger
from node.ledger.postings import PostingKind
from node.ledger.reading_service import load_draws, load_history
from node.ledger.statements import Entry
from node.solidarity import store
from node.solidarity.checks import check_solidarity
from node.solidarity.operations import Operation, OperationEvent
from node.solidarity.reading_service import list_receivers
from node.solidarity.rules import Givers, PoolRule, Sharing
from node.solidarity.service import (
    Enrol,
    EnrolledView,
    ListGivers,
    OpenOperation,
    OpenPool,
    OperationView,
    Order,
    ProgressView,
    Solidarity,
    TakeGiftBack,
)
from node.solidarity.store import Gift, Share
from protocol.envelopes import Welcome
from protocol.exchange.service import Identity
from protocol.findings import Checked, Finding
from protocol.identifiers import AccountNumber, Address, Id16, write_address
from protocol.keys import Keyring
from protocol.times import DAY_MS
from tests.orientation.world import HOME, KEYS, TODAY, Town

ANYBODY = (Givers.ANYBODY,)
EVERYBODY = (Givers.ANYBODY, Givers.COMPANIES)
EQUAL = PoolRule(givers=EVERYBODY, classes=1, sharing=Sharing.EQUAL)
LAST_DAY = 20261130


class SolidarityTown(Town):
    """A territory with pools."""

    def open_book(self) -> None:
        super().open_book()
        self.federation = Federation(
            self.ledger,
            Identity("test", HOME, Keyring(KEYS)),
            Welcome("", "HUB-FR", bytes(32), bytes(32)),
            entropy=lambda count: bytes(count),
            on_outgoing=lambda: None,
        )
        self.room = Solidarity(self.ledger, self.federation, at_once=self.at_once, lots_at_once=2)

    # What the office does

    def new_pool(self, rule: PoolRule = EQUAL) -> Id16:
        id_ = self.id()
        self.book.write_now(self.room.open_pools, OpenPool(op=id_, title="Le pot commun", rule=rule))
        return id_

    def list_giver(self, pool: Id16, giver: str, *, is_listed: bool = True) -> None:
        asked = ListGivers(op=self.id(), pool=pool, givers=(giver,), is_listed=is_listed)
        self.book.write_now(self.room.list_givers, asked)

    def enrol(self, pool: Id16, *accounts: AccountNumber, number: int = 1) -> EnrolledView:
        asked = Enrol(op=self.id(), pool=pool, lines=tuple((account, number) for account in accounts))
        view: EnrolledView = self.book.write_now(self.room.enrol, asked)
        return view

    def new_operation(self, pool: Id16, **more: Any) -> Operation:
        salt = self.id()[::-1]
        terms = {"title": "Noël pour tous", "starts": TODAY, "until": LAST_DAY, "target": 1_000_000} | more
        asked = OpenOperation(op=self.id(), pool=pool, salt=salt, **terms)
        self.book.write_now(self.room.open_operations, asked)
        return self.operation(asked.op)

    def operation(self, op: bytes) -> Operation:
        found = self.book.read_now(lambda line: store.find_operation(line, op))
        assert found is not None
        return found

    def order(self, operation: Operation, event: OperationEvent, op: Id16 | None = None) -> OperationView:
        asked = Order(op=op or self.id(), operation=Id16(operation.op), event=event)
        view: OperationView = self.book.write_now(self.room.decide, asked)
        return view

    def pass_days(self, days: int = 30) -> None:
        self.clock.now += days * DAY_MS

    def share(self, operation: Operation) -> Operation:
        """Share all of it, when its days are over."""
        self.pass_days()
        self.order(operation, OperationEvent.SHARE)
        return self.finish(operation)

    def go_on(self, operation: Operation) -> ProgressView:
        view: ProgressView = self.book.write_now(self.room.go_on, Id16(operation.op))
        return view

    def finish(self, operation: Operation) -> Operation:
        while self.go_on(operation).moved:
            continue
        return self.operation(operation.op)

    def work(self) -> int:
        """Run the job until nothing is left to do; return how often something was."""
        times = 0
        while self.book.write_now(self.room.go_on_all, None):
            times += 1
        return times

    # What people do

    def cede(self, giver: AccountNumber, to: str, cents: int, op: Id16 | None = None) -> Id16:
        op = op or self.id()
        asked = AskCession(
            op=op,
            account=giver,
            beneficiary=Address(AccountNumber(to), HOME),
            cents=cents,
            giver=write_address(giver, HOME),
        )
        self.book.write_now(self.federation.cede, asked)
        return op

    def give(self, operation: Operation, cents: int, **of_lot: Any) -> tuple[AccountNumber, Id16]:
        """Let a new person give all that it holds."""
        giver = self.holder(cents, **of_lot)
        return giver, self.cede(giver, operation.number, cents)

    def give_as_company(self, operation: Operation, cents: int) -> Id16:
        self.endow(cents)
        posting = self.posting(self.pool, operation.number, cents, PostingKind.CREDIT)
        self.ledger.write_now(self.ledger.post, posting)
        return posting.op

    def take_gift_back(self, gift: Id16, op: Id16 | None = None) -> Any:
        return self.book.write_now(self.room.take_back, TakeGiftBack(op=op or self.id(), gift=gift))

    # What is seen

    def gifts(self, operation: Operation) -> list[Gift]:
        return self.book.read_now(lambda line: store.list_gifts(line, operation.id))

    def shares(self, operation: Operation) -> list[Share]:
        return self.book.read_now(lambda line: store.load_shares(line, operation.id))

    def draws(self, op: Id16) -> dict[int, int]:
        return {int(lot): int(cents) for lot, cents in self.book.read_now(lambda line: load_draws(line, op))}

    def entries(self, account: AccountNumber) -> list[Entry]:
        return list(self.ledger.read_now(load_history, account, limit=200).entries)

    def people(self, count: int) -> list[AccountNumber]:
        return [self.open(AccountKind.PERSON) for _ in range(count)]

    def enrolled(self, pool: Id16) -> list[str]:
        found = self.book.read_now(lambda line: list_receivers(line, pool, after="", limit=1_000))
        return list(found)

    def cancel(self, operation: Operation) -> Operation:
        """Cancel it, and let all of it go back."""
        self.order(operation, OperationEvent.CANCEL)
        return self.finish(operation)

    def work_once(self) -> None:
        """Run one page of the job."""
        self.book.write_now(self.room.go_on_all, None)

    def wrongs(self) -> list[Finding]:
        """Check the ledger and the room, and not what they stand beside: a tenth of the work."""

        def look(line: Connection) -> list[Checked]:
            return check_ledger(line, lambda _table, _rows: None, home=HOME) + check_solidarity(line)

        return [finding for one in self.book.read_now(look) for finding in one.findings]
