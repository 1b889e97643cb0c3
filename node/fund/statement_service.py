"""What the bank says becomes what it means: deposits, payments confirmed, or a place in the queue for a person.

A file is taken whole or not at all, in one page: its statements follow those before it, its movements are new or known,
and each new one is held against what is expected and what was ordered. The same file again changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from node.fund import movement_store as store
from node.fund.books_service import Books
from node.fund.camt import read_camt
from node.fund.debit_service import DebitDesk
from node.fund.decision_service import find_answer, keep_answer
from node.fund.deposit_service import DepositDesk
from node.fund.expectation_service import load_candidates, load_expectation
from node.fund.expectations import ExpectationState, Purpose
from node.fund.fund_errors import DecisionRefused, FundUnknown, NothingWaits
from node.fund.matching import PAYMENTS, Meaning, Order, Outcome, Why, match_movement
from node.fund.net_payment_service import NetPaymentDesk
from node.fund.netting import read_subject
from node.fund.outgoing_payments import PaymentEvent
from node.fund.payment_service import PaymentDesk
from node.fund.references import Iban, find_references
from node.fund.statements import Movement, MovementState, Notification, Statement, choose_news, require_follows
from protocol.amounts import Cents, require_amount
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.identifiers import Id16

DIGEST_BYTES: Final = 32
DECIDER_MAX: Final = 80


@dataclass(frozen=True, slots=True)
class BankFile:
    """A file that was read: what it tells of our account, and its digest."""

    told: tuple[Statement | Notification, ...]
    digest: bytes


@dataclass(slots=True)
class Taken:
    """What a file brought: counts of movements by what they mean, and what waits for a person."""

    statements: int = 0
    repeated: int = 0
    new: int = 0
    known: int = 0
    meanings: dict[str, int] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    deposited: int = 0  # cents

    def count(self, meaning: Meaning) -> None:
        self.meanings[meaning] = self.meanings.get(meaning, 0) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide:
    """What a person decides of a movement that waits. `expectation`: it is a payment of it; else why it is none.

    What belongs to none stays in the suspense account of the books, unless it was a fee of the bank.

    `cents`: this much of it; None is all that waits. `id`: whoever asks again under it decides nothing twice.
    """

    movement: str
    by: str
    expectation: Id16 | None = None
    cents: Cents | None = None
    reason: str = ""
    is_fee: bool = False  # of the bank
    debit: str = ""  # the EndToEndId of a debit that was taken back, with the bank's fee on top
    net: str = ""  # net:WINDOW:TERRITORY, another fund's payment at the end of a window
    id: Id16 | None = None

    def __post_init__(self) -> None:
        if not 0 < len(self.by) <= DECIDER_MAX or not self.by.isprintable():
            raise DecisionRefused(reason="who decides, in a line")
        if (self.expectation is None and not self.debit and not self.net) is not bool(self.reason):
            raise DecisionRefused(reason="either a payment that it belongs to, or a reason why it belongs to none")
        if bool(self.expectation) + bool(self.debit) + bool(self.net) > 1:
            raise DecisionRefused(reason="one thing that it is, not two")
        if self.cents is not None:
            require_amount(self.cents)
            if not (self.expectation or self.net):
                raise DecisionRefused(reason="a part of it may belong to a payment; all else is said of all that waits")


def read_bank_file(data: bytes, *, account: Iban, bytes_max: int) -> BankFile:
    """Return what a camt.053 or camt.054 tells of our account. Raises BankFileRefused, StatementRefused."""
    told = read_camt(data, account=account, bytes_max=bytes_max)
    return BankFile(told, digest_of(data))


def digest_of(data: bytes) -> bytes:
    """Return what tells a file from any other."""
    return hashlib.sha256(data).digest()


class StatementDesk:
    """Takes files of the bank, and decisions of people."""

    def __init__(
        self,
        deposits: DepositDesk,
        payments: PaymentDesk,
        debits: DebitDesk,
        net_payments: NetPaymentDesk,
        books: Books,
    ) -> None:
        self._deposits = deposits
        self._net_payments = net_payments
        self._debits = debits
        self._payments = payments
        self._books = books

    def take(self, page: Page, items: Sequence[BankFile]) -> list[Taken | Refusal]:
        """Take files, each whole or not at all."""
        results: list[Taken | Refusal] = []
        for file in items:
            point = page.connection.begin_nested()
            try:
                results.append(self._take_one(page, file))
            except Refusal as refusal:
                point.rollback()
                results.append(refusal)
            else:
                point.commit()
        return results

    def _take_one(self, page: Page, file: BankFile) -> Taken:
        taken = Taken()
        for told in file.told:
            number = None
            if isinstance(told, Statement):
                known = store.find_statement(page.connection, told)
                if known is not None and known[1] == file.digest:
                    taken.repeated += 1
                    taken.known += len(told.movements)
                    continue
                previous = store.find_last_statement(page.connection, told.iban)
                if previous is not None:
                    require_follows(previous, told)
                number = store.insert_statement(page.connection, told, file.digest, page.now)
                taken.statements += 1
            self._take_movements(page, told, number, taken)
        return taken

    def _take_movements(self, page: Page, told: Statement | Notification, number: int | None, taken: Taken) -> None:
        connection = page.connection
        known = store.load_known(connection, told.movements)
        news = choose_news(known.values(), told.movements)
        is_new = {one.id for one in (*news.new, *news.details)}
        for movement in news.new:
            self._note(page, movement, told.iban, number, taken, is_detail=False)
        for movement in news.details:
            self._note(page, movement, told.iban, number, taken, is_detail=True)
        for movement in told.movements:
            if movement.id in is_new:
                continue
            taken.known += 1
            before = known.get(movement.id)
            if before is None or before.state is MovementState.BOOKED or movement.state is not MovementState.BOOKED:
                continue
            outcome, waiting = self._act(page, movement, taken, was_waiting=False)
            store.change_movement(connection, movement, outcome, statement=number, waiting=waiting)
        if number is not None:
            store.note_statement(connection, [one.id for one in told.movements], number)

    def _note(
        self, page: Page, movement: Movement, iban: str, number: int | None, taken: Taken, *, is_detail: bool
    ) -> None:
        """Keep a movement that is new, and do what it means. A detail is money that waits as part of a sum."""
        connection = page.connection
        taken.new += 1
        whole = store.find_sum_waiting(connection, movement.entry) if is_detail else None
        # The row first: what is done with it names it.
        wait = Outcome(meaning=Meaning.WAIT, why=Why.NOT_BOOKED)
        store.insert_movement(
            connection, movement, wait, iban=iban, statement=number, waiting=0, is_detail=is_detail, at=page.now
        )
        if is_detail and (whole is None or whole[1] == 0):
            return  # a person has decided of the sum: its details are read, and change nothing
        outcome, waiting = self._act(page, movement, taken, was_waiting=whole is not None)
        if whole is not None:
            store.set_waiting(connection, whole[0], whole[1] - movement.cents)
        store.change_movement(connection, movement, outcome, statement=number, waiting=waiting)

    def _act(self, page: Page, movement: Movement, taken: Taken, *, was_waiting: bool) -> tuple[Outcome, int]:
        """Do what a movement means; return that, and the cents of it that wait for a person.

        `was_waiting`: it is in the books already, as a part of a sum that waits.
        """
        connection = page.connection
        references = (movement.reference,) if movement.reference else find_references(movement.text)
        candidates = load_candidates(connection, references, [movement.counterpart_iban], [movement.cents])
        orders = self._payments.load_orders(connection, movement.end_to_end_id)
        outcome = match_movement(
            movement,
            expected=[
                *(one.to_match() for one in candidates),
                *self._net_payments.load_expected(connection, movement, page.now),
            ],
            transfers=[Order(id=id_.hex(), cents=cents, end_to_end_id=movement.end_to_end_id) for id_, cents in orders],
            debits=self._debits.load_orders(connection, movement.end_to_end_id),
        )
        waiting = 0
        if outcome.meaning in PAYMENTS and read_subject(outcome.subject) is not None:
            received = self._net_payments.receive(
                page, movement, outcome.subject, movement.cents, was_waiting=was_waiting
            )
            waiting = movement.cents - received
        elif outcome.meaning in PAYMENTS:
            expectation = load_expectation(connection, bytes.fromhex(outcome.subject))
            due = expectation.left if expectation.state is ExpectationState.OPEN else 0
            cents = min(movement.cents, due)
            if cents:
                taken.deposited += cents
                self._deposits.deposit(page, movement, expectation, Cents(cents), was_waiting=was_waiting)
            waiting = movement.cents - cents
        elif outcome.meaning in (Meaning.TRANSFER_LEFT, Meaning.TRANSFER_CAME_BACK):
            event = PaymentEvent.CONFIRM if outcome.meaning is Meaning.TRANSFER_LEFT else PaymentEvent.RETURN
            payment = Id16(bytes.fromhex(outcome.subject))
            if not self._payments.follow(page, payment, event, movement, was_waiting=was_waiting):
                waiting = movement.cents
        elif outcome.meaning is Meaning.DEBIT_COLLECTED:
            collected = self._debits.collect(page, outcome.subject, movement, was_waiting=was_waiting)
            taken.deposited += collected
            waiting = movement.cents - collected
        elif outcome.meaning is Meaning.DEBIT_RETURNED:
            waiting = movement.cents + self._debits.give_back(page, outcome.subject, movement, was_waiting=was_waiting)
        elif outcome.meaning is not Meaning.WAIT:
            waiting = movement.cents
        taken.count(outcome.meaning)
        if waiting:
            taken.waiting.append(movement.id)
            if not was_waiting:
                self._books.wait(page, movement, waiting)
        return outcome, waiting

    def decide(self, page: Page, items: Sequence[Decide]) -> list[Taken | Refusal]:
        """Do with movements that wait what people decided of them."""
        results: list[Taken | Refusal] = []
        for asked in items:
            try:
                results.append(self._decide_one(page, asked))
            except Refusal as refusal:
                results.append(refusal)
        return results

    def _decide_one(self, page: Page, asked: Decide) -> Taken:
        before = find_answer(page.connection, asked.id, asked)
        if before is not None:
            return Taken(deposited=int(before))
        taken = self._decide_new(page, asked)
        keep_answer(page, asked.id, asked, str(taken.deposited))
        return taken

    def _decide_new(self, page: Page, asked: Decide) -> Taken:
        found = store.find_movement(page.connection, asked.movement)
        if found is None:
            raise FundUnknown(path=f"movement {asked.movement[:40]}")
        movement, waiting = found
        if waiting == 0:
            raise NothingWaits(movement=movement.id)
        taken = Taken()
        if asked.debit:
            returned = 0
            if all(order.cents <= -waiting for order in self._debits.load_orders(page.connection, asked.debit)):
                returned = self._debits.give_back(page, asked.debit, movement, was_waiting=True)
            if not returned:
                raise DecisionRefused(reason="no debit that was credited, of at most what left, is called so")
            store.set_waiting(page.connection, movement.id, waiting + returned, asked.by)
            return taken
        if asked.net:
            cents = asked.cents or waiting
            if waiting < 0 or cents > waiting:
                raise DecisionRefused(reason=f"{waiting} cents wait")
            received = self._net_payments.receive(page, movement, asked.net, cents, was_waiting=True)
            store.set_waiting(page.connection, movement.id, waiting - received, asked.by)
            return taken
        if asked.expectation is None:
            if asked.is_fee:
                if waiting > 0:
                    raise DecisionRefused(reason="a fee is money that left")
                self._books.find_fee(page, movement, Cents(-waiting))
            store.settle(page.connection, movement.id, waiting, f"{asked.by}: {asked.reason}", is_fee=asked.is_fee)
            return taken
        cents = asked.cents or Cents(waiting)
        if waiting < 0 or cents > waiting:
            raise DecisionRefused(reason=f"{waiting} cents wait")
        expectation = load_expectation(page.connection, asked.expectation)
        if expectation.purpose is Purpose.CALL and cents > expectation.left:
            raise DecisionRefused(reason=f"{expectation.left} cents are called: nobody pays more than a pledge")
        taken.deposited += cents
        self._deposits.deposit(page, movement, expectation, cents, was_waiting=True)
        store.set_waiting(page.connection, movement.id, waiting - cents, asked.by)
        return taken


def load_waiting(connection: Connection, limit: int = 500) -> list[object]:
    """Return the rows of movements that wait for a person."""
    return store.load_rows(connection, waiting_only=True, limit=limit)
