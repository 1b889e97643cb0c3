"""Bugs planted by the tests: each replaces one function of the product, for as long as the test runs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pytest
from sqlalchemy import select, update

from node import accounts_recovery_service
from node.fund import deposit_service, payment_service, receipt_service
from node.fund.deposit_service import DepositDesk
from node.fund.expectation_service import load_expectation
from node.fund.outgoing_payments import PaymentState
from node.fund.recovery_service import RecoveryDesk
from node.fund.statement_service import StatementDesk
from node.fund.tables import deposits, payments
from node.grants.service import GrantDesk
from node.partners import answers_service, store, tables
from node.partners.answers_service import AnswerDesk
from node.partners.operations_service import OperationDesk
from node.partners.purchases_service import SaleDesk
from node.partners.refunds_service import RefundDesk
from node.partners.tickets import read_origin, verify_ticket
from node.partners.tickets_service import TicketDesk
from node.partners.tills_service import find_till_of
from node.partners.vouchers import VoucherState
from protocol.amounts import Cents
from protocol.book.store import StorageUnavailable
from protocol.errors import Refusal
from protocol.exchange import peer_recovery_service
from protocol.exchange import service as exchange
from protocol.exchange.peer_service import PeerExchange
from protocol.house import BaseName, Granted
from protocol.identifiers import Id16

Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Planted:
    """A bug, how it is planted, and within how many seeds of 80 steps it is found; the tests begin at `first`."""

    name: str
    plant: Plant
    seeds: int
    first: int = 1


def _tell_a_deposit_twice(patch: pytest.MonkeyPatch) -> None:
    """The accounts are told of the same euros under a second id."""
    make = deposit_service.make_message
    deposit = DepositDesk.deposit

    def twice(self: DepositDesk, page: Any, movement: Any, expectation: Any, cents: Any, **more: Any) -> Any:
        state = deposit(self, page, movement, expectation, cents, **more)
        if expectation.pool:
            message = make(Id16(expectation.id), expectation, cents, 20261125)
            self._tell(page, BaseName.ACCOUNTS, [message])
        return state

    patch.setattr(DepositDesk, "deposit", twice)


def _answer_a_grant_before_commit(patch: pytest.MonkeyPatch) -> None:
    """What the accounts answer goes out although their disk refused to keep it."""
    answer = PeerExchange.answer

    async def early(self: PeerExchange, data: bytes) -> bytes:
        try:
            return await answer(self, data)
        except StorageUnavailable:
            received = self._verify(data)
            sender, held = received.statement.sender, received.statement.log_size
            sign = exchange.envelopes.sign_envelope

            def more(secret: Any, statement: Any, payload: bytes) -> bytes:
                return sign(secret, msgspec.structs.replace(statement, ack_size=held), payload)

            exchange.envelopes.sign_envelope = more
            try:
                return self.book.read_now(lambda line: self._compose(line, sender, received.statement.ack_size))[0]
            finally:
                exchange.envelopes.sign_envelope = sign

    patch.setattr(PeerExchange, "answer", early)


def _keep_what_was_refused(patch: pytest.MonkeyPatch) -> None:
    """A grant that the accounts refused stays spent."""
    take = AnswerDesk._take_refused_grants

    def keep(self: AnswerDesk, page: Any, refused: dict[bytes, str]) -> None:
        give_back = answers_service.give_back
        answers_service.give_back = lambda *_: None  # type: ignore[assignment]
        try:
            take(self, page, refused)
        finally:
            answers_service.give_back = give_back

    patch.setattr(AnswerDesk, "_take_refused_grants", keep)


def _refund_again_as_another(patch: pytest.MonkeyPatch) -> None:
    """A refund that is told again is another refund, as long as the sale has something left."""
    refund = RefundDesk._refund

    def again(self: RefundDesk, page: Any, asked: Any) -> Any:
        told = refund(self, page, asked)
        if told.is_repeat:
            with contextlib.suppress(Refusal):
                refund(self, page, replace(asked, refund=f"{asked.refund}-", take_back=asked.take_back))
        return told

    patch.setattr(RefundDesk, "_refund", again)


def _forget_claims_when_started(patch: pytest.MonkeyPatch) -> None:
    """A ticket that was claimed before the process started can be claimed by somebody else."""
    claim = TicketDesk._claim
    seen: dict[int, set[str]] = {}

    def forget(self: TicketDesk, page: Any, asked: Any) -> Any:
        mine = seen.setdefault(id(self._tills), set())
        if asked.text not in mine:
            siren, number, _ = read_origin(asked.text)
            till = find_till_of(page.connection, siren, number)
            table = tables.vouchers
            if till is not None:
                ticket = verify_ticket(asked.text, self._tills.ticket_keys(siren, number), day=asked.day)
                page.connection.execute(
                    update(table)
                    .where(
                        table.c.till_id == till.row,
                        table.c.digest == ticket.purchase,
                        table.c.state == VoucherState.CLAIMED,
                        table.c.holder != asked.holder,
                    )
                    .values(state=VoucherState.OPEN, holder=None, grant_id=None, ended_at=None)
                )
        told = claim(self, page, asked)
        mine.add(asked.text)
        return told

    patch.setattr(TicketDesk, "_claim", forget)


def _count_a_statement_again(patch: pytest.MonkeyPatch) -> None:
    """A statement that comes again is deposited again, under the next part's id."""
    take = StatementDesk._take_one

    def again(self: StatementDesk, page: Any, file: Any) -> Any:
        taken = take(self, page, file)
        if not taken.repeated:
            return taken
        for told in file.told:
            for movement in told.movements:
                row = page.connection.execute(select(deposits).where(deposits.c.movement == movement.id)).first()
                if row is not None:
                    load = load_expectation
                    expectation = load(page.connection, bytes(row.expectation))
                    self._deposits.deposit(page, movement, expectation, Cents(row.cents), was_waiting=False)
        return taken

    patch.setattr(StatementDesk, "_take_one", again)


def _keep_what_a_ticket_was_worth(patch: pytest.MonkeyPatch) -> None:
    """A ticket expires, and its budget stays spent."""
    expire = TicketDesk._expire

    def keep(self: TicketDesk, page: Any, asked: Any) -> int:
        save = store.save_spent
        store.save_spent = lambda *_: None  # type: ignore[assignment]
        try:
            return expire(self, page, asked)
        finally:
            store.save_spent = save

    patch.setattr(TicketDesk, "_expire", keep)


def _book_a_page_of_a_file_twice(patch: pytest.MonkeyPatch) -> None:
    """After a start a file goes on one page too early, and knows none of its rows."""
    book = OperationDesk._book_part

    def early(self: OperationDesk, page: Any, id_: Any) -> Any:
        seen = self.__dict__.setdefault("planted", set())
        if id_ not in seen:
            seen.add(id_)
            _go_back_a_row(page, id_)
        return book(self, page, id_)

    patch.setattr(OperationDesk, "_book_part", early)


def _go_back_a_row(page: Any, id_: Any) -> None:
    runs, rows = tables.runs, tables.run_rows
    run = page.connection.execute(select(runs).where(runs.c.id == id_, runs.c.state == "booking")).first()
    booked = select(rows.c.number, rows.c.cents).where(rows.c.run_id == id_, rows.c.grant_id.is_not(None))
    row = page.connection.execute(booked.order_by(rows.c.number.desc())).first()
    if run is None or row is None:
        return
    one = (rows.c.run_id == id_, rows.c.number == row.number)
    page.connection.execute(update(rows).where(*one).values(grant_id=None, key=None))
    values = {"booked": row.number - 1, "aside": runs.c.aside + row.cents}
    page.connection.execute(update(runs).where(runs.c.id == id_).values(**values))


def _drop_deduplication(patch: pytest.MonkeyPatch) -> None:
    """Slips that arrive a second time are taken a second time."""
    find = exchange._compare_slips

    def again(connection: Any, theirs: Any, received: Any, before: Any, now: Any) -> Any:
        return find(connection, theirs, received, before, now) or list(received.payload.slips)

    patch.setattr(exchange, "_compare_slips", again)


def _pay_in_two_orders(patch: pytest.MonkeyPatch) -> None:
    """What was ordered is still to be ordered the next day."""
    order = payment_service.PaymentDesk._order_one

    def twice(self: Any, page: Any, day: Any) -> Any:
        page.connection.execute(
            update(payments).where(payments.c.state == PaymentState.ORDERED).values(state=PaymentState.SIGNED)
        )
        return order(self, page, day)

    patch.setattr(payment_service.PaymentDesk, "_order_one", twice)


def _sell_a_revoked_till(patch: pytest.MonkeyPatch) -> None:
    """A till is believed as it stood when it last spoke."""
    take = SaleDesk._take

    def believe(self: SaleDesk, page: Any, desk: Any, item: Any) -> Any:
        till = desk.tills[item.till.row]
        issued = replace(till.credential, revoked_at=None, reason=None)
        desk.tills[item.till.row] = replace(till, credential=issued)
        return take(self, page, desk, item)

    patch.setattr(SaleDesk, "_take", believe)


def _refund_what_was_oriented(patch: pytest.MonkeyPatch) -> None:
    """The companies believe that all that a refund asked for came back."""
    back = GrantDesk._take_back

    def more(self: GrantDesk, page: Any, asked: Any) -> Any:
        told = back(self, page, asked)
        return msgspec.structs.replace(told, cents=asked.cents) if hasattr(told, "cents") else told

    patch.setattr(GrantDesk, "_take_back", more)


def _receipt_for_all_that_came(patch: pytest.MonkeyPatch) -> None:
    """A cancelled receipt keeps its deposits, and is written again over them."""
    load = receipt_service.load_unreceipted

    def every(connection: Any, donor: Any, first: Any, last: Any) -> Any:
        connection.execute(update(deposits).where(deposits.c.donor == donor).values(receipt=None))
        return load(connection, donor, first, last)

    patch.setattr(receipt_service, "load_unreceipted", every)


def _write_a_page_again_twice(patch: pytest.MonkeyPatch) -> None:
    """A base that comes back counts what its last page added up a second time."""
    collect = peer_recovery_service.collect_foils

    def twice(peer: Any, connection: Any, recovery: Any) -> Any:
        foils = collect(peer, connection, recovery)
        sums = [
            one for foil in foils[-1:] for one in foil.statements if one.sql.startswith("UPDATE campaigns SET spent")
        ]
        return [
            *foils[:-1],
            *(msgspec.structs.replace(foil, statements=(*foil.statements, *sums)) for foil in foils[-1:]),
        ]

    patch.setattr(peer_recovery_service, "collect_foils", twice)


def _do_again_what_pages_hold(patch: pytest.MonkeyPatch) -> None:
    """A base that comes back answers anew what it had answered, and has other words for it: a refusal."""
    find = accounts_recovery_service._read_told

    def forget(lost: Any) -> Any:
        told = find(lost)
        told.granted = set(sorted(told.granted)[1:])
        told.refused |= {id_ for one in lost.own.values() for slip in one for id_ in _granted_in(slip)} - told.granted
        return told

    patch.setattr(accounts_recovery_service, "_read_told", forget)


def _granted_in(slip: Any) -> set[bytes]:
    return {id_ for message in slip.messages if isinstance(message, Granted) for id_ in message.ids}


def _number_as_if_nothing_was_printed(patch: pytest.MonkeyPatch) -> None:
    """After a recovery receipts are numbered from where the copy ends."""
    patch.setattr(RecoveryDesk, "_void", lambda *_: ())


PLANTED = (
    Planted("deposit told twice under two ids", _tell_a_deposit_twice, seeds=3),
    Planted("grant answered before commit", _answer_a_grant_before_commit, seeds=9, first=6),
    Planted("refused grant not given back to the budget", _keep_what_was_refused, seeds=3),
    Planted("refund told again taken again", _refund_again_as_another, seeds=7, first=5),
    Planted("ticket claimable twice after a start", _forget_claims_when_started, seeds=4),
    Planted("statement counts again", _count_a_statement_again, seeds=3),
    Planted("expired ticket stays spent", _keep_what_a_ticket_was_worth, seeds=9, first=6),
    Planted("file goes on a row too early", _book_a_page_of_a_file_twice, seeds=7, first=5),
    Planted("dropped deduplication", _drop_deduplication, seeds=3),
    Planted("payment in two orders", _pay_in_two_orders, seeds=15, first=13),
    Planted("revoked till believed", _sell_a_revoked_till, seeds=4, first=2),
    Planted("refund of what was oriented", _refund_what_was_oriented, seeds=17, first=15),
    Planted("a page written twice when a base comes back", _write_a_page_again_twice, seeds=9, first=7),
    Planted("a grant forgotten when the accounts come back", _do_again_what_pages_hold, seeds=3),
    Planted("printed receipt numbered again after a recovery", _number_as_if_nothing_was_printed, seeds=11, first=9),
    Planted("one deposit on two receipts", _receipt_for_all_that_came, seeds=3),
)
