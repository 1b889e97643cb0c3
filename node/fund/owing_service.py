"""What a payment makes the fund owe once two people signed it, and what it gives back where it comes to nothing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select, update

from node.fund.books_service import Books
from node.fund.days import day_at
from node.fund.due_payment_service import DEAD, DuePayments
from node.fund.outgoing_payments import DueWords, PaymentState
from node.fund.payment_words import words_of
from node.fund.seal_store import change
from node.fund.tables import movements, payments
from protocol.book.worker import Page


class Owing:
    """Payments are rows here. What a window lets the fund owe, it owes whatever becomes of one payment."""

    def __init__(self, books: Books, dues: DuePayments, fund: str) -> None:
        self._books = books
        self._dues = dues
        self._fund = fund

    def owe(self, page: Page, payment: Any) -> bool:
        """The fund owes what was signed; tell whether it can: what waits may be less by now than what goes back."""
        if payment.window_no is not None:
            # It is owed since its window was closed. One that was thought dead: another payment may be on its way by now.
            return payment.state != PaymentState.REJECTED or not self._is_paid_again(page.connection, payment)
        if payment.refund_of is None:
            # One that the bank had rejected, and confirms: another payment may pay its dues by now. Then a person looks.
            if payment.state == PaymentState.REJECTED and not self._take_dues_again(page, payment):
                return False
            self._books.decide_aid(page, payment)
            return True
        taken = change(
            page.connection,
            update(movements)
            .where(movements.c.id == payment.refund_of, movements.c.waiting >= payment.cents)
            .values(waiting=movements.c.waiting - payment.cents),
        )
        if taken:
            self._books.owe_refund(page, payment)
        return bool(taken)

    def _take_dues_again(self, page: Page, payment: Any) -> bool:
        words = words_of(payment, self._fund)
        return not isinstance(words, DueWords) or self._dues.take_again(page.connection, words, day_at(page.now))

    def _is_paid_again(self, connection: Connection, payment: Any) -> bool:
        others = select(payments.c.id).where(
            payments.c.window_no == payment.window_no,
            payments.c.paid_fund == payment.paid_fund,
            payments.c.id != payment.id,
            payments.c.state.not_in(DEAD),
        )
        return connection.execute(others).first() is not None

    def withdraw(self, page: Page, payment: Any) -> None:
        """The fund owes it no more; what was to go back waits again. What a window lets it owe, it owes still."""
        if payment.window_no is not None:
            return
        if payment.refund_of is None:
            self._dues.free(page.connection, payment)
            self._books.withdraw_aid(page, payment)
            return
        self.let_wait(page, payment)
        self._books.withdraw_refund(page, payment)

    def let_wait(self, page: Page, payment: Any) -> None:
        change(
            page.connection,
            update(movements)
            .where(movements.c.id == payment.refund_of)
            .values(waiting=movements.c.waiting + payment.cents),
        )
