"""Bugs of the second half, planted by tests: each replaces one function of the product, for as long as the test runs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select, update

from node.federation import conversions_store
from node.federation.conversion_service import Conversions
from node.fund import due_payment_service, due_service, net_payment_service
from node.fund.due_payment_service import DuePayments
from node.fund.outgoing_payments import PaymentState
from node.fund.seal_store import change
from node.fund.statement_service import StatementDesk
from node.fund.tables import due_lots, net_payments, payments
from node.orientation.service import Orientations
from protocol.house import DueState
from tests.simulation.house.planted import Planted


def _convert_twice(patch: pytest.MonkeyPatch) -> None:
    """What others ask of our fund is posted a second time, as far as there is anything left to post."""
    post = Conversions._post_owed

    def twice(self: Conversions, page: Any, cede: Any, rows: Any) -> None:
        post(self, page, cede, rows)
        again = [row._replace(op=hashlib.blake2b(row.op, digest_size=16).digest()) for row in rows]
        post(self, page, cede, again)

    patch.setattr(Conversions, "_post_owed", twice)


def _answer_before_the_fund(patch: pytest.MonkeyPatch) -> None:
    """Who asked is told that the rights are converted before the fund has said whether it owes."""
    receive = Conversions.receive

    def early(self: Conversions, page: Any, forward: Any, forwarded: Any, convert: Any, cede: Any, **more: Any) -> Any:
        answer = receive(self, page, forward, forwarded, convert, cede, **more)
        if answer is not None or more["given"] is not None:
            return answer
        key = (forward.origin, forward.epoch, forward.index)
        for row in conversions_store.load_slip(page.connection, key):
            if row.state == "asked":
                conversions_store.save_state(page.connection, row, "owed", "")
        return self._write_answer(page, key, cede, conversions_store.load_slip(page.connection, key))

    patch.setattr(Conversions, "receive", early)


def _forget_what_is_ordered_when_started(patch: pytest.MonkeyPatch) -> None:
    """A fund that was started takes what is ordered, and not booked yet, for open."""
    take = StatementDesk.take

    def forget(self: StatementDesk, page: Any, items: Any) -> Any:
        if not self.__dict__.setdefault("planted", False):
            self.__dict__["planted"] = True
            ordered = select(payments.c.id).where(payments.c.state == PaymentState.ORDERED)
            change(page.connection, update(due_lots).where(due_lots.c.payment.in_(ordered)).values(payment=None))
        return take(self, page, items)

    patch.setattr(StatementDesk, "take", forget)


def _return_the_oldest_lots(patch: pytest.MonkeyPatch) -> None:
    """What goes back to a holder is as much as he gave, and not the lots that he gave."""
    back = Orientations.send_back

    def oldest(self: Orientations, page: Any, project: Any, wanted: Any, why: str) -> Any:
        ledger = self._ledger
        post = ledger.post

        def draw(page: Any, items: Any) -> Any:
            return post(page, [msgspec.structs.replace(item, draws=None) for item in items])

        ledger.post = draw  # type: ignore[method-assign]
        try:
            return back(self, page, project, wanted, why)
        finally:
            del ledger.post

    patch.setattr(Orientations, "send_back", oldest)


def _keep_a_payment_that_came_back(patch: pytest.MonkeyPatch) -> None:
    """Whoever decided is not told that the bank sent the euros of a conversion back."""
    settle = DuePayments.settle

    def quietly(self: DuePayments, page: Any, payment: Any, state: Any, on: Any) -> None:
        if state is not DueState.REJECTED:
            settle(self, page, payment, state, on)

    patch.setattr(DuePayments, "settle", quietly)


def _pay_bearers_with_the_first_euros(patch: pytest.MonkeyPatch) -> None:
    """A window counts as here as soon as something of each of its payers has come, or one of them has paid."""

    def load_untouched(connection: Any) -> set[int]:
        table = net_payments.c
        rows = connection.execute(
            select(table.window_no, func.sum(table.received)).where(table.is_ours.is_(False)).group_by(table.window_no)
        )
        return {int(window) for window, received in rows if not received}

    patch.setattr(due_payment_service, "load_unpaid_windows", load_untouched)


def _believe_a_rejected_payment(patch: pytest.MonkeyPatch) -> None:
    """A payment between funds that the bank's report rejected stands as if it were on its way: nobody signs another."""
    patch.setattr(net_payment_service, "DEAD", (PaymentState.CANCELLED, PaymentState.RETURNED))


def _share_an_id(patch: pytest.MonkeyPatch) -> None:
    """Two funds that pay the same third at the end of a window call both payments the same."""
    make = net_payment_service.net_payment_id
    patch.setattr(net_payment_service, "net_payment_id", lambda window, _home, other, at: make(window, "", other, at))


def _revoke_only_what_was_entered(patch: pytest.MonkeyPatch) -> None:
    """A key that a card shows, and nobody typed, is believed on when a treasurer revokes it."""
    patch.setattr(due_service, "load_deciders_told", lambda _connection, _territory: [])


@dataclass(frozen=True)
class PlantedHere(Planted):
    """Found in stories of so many steps, and their ends."""

    steps: int = 60


PLANTED = (
    PlantedHere("conversion posted twice", _convert_twice, seeds=1, steps=20),
    PlantedHere("answered before the fund's word", _answer_before_the_fund, seeds=2, first=2),
    PlantedHere("due paid twice after a start", _forget_what_is_ordered_when_started, seeds=1, steps=20),
    PlantedHere("returned rights to the wrong lot", _return_the_oldest_lots, seeds=2, first=2),
    PlantedHere("a payment that came back still counts", _keep_a_payment_that_came_back, seeds=1, steps=20),
    PlantedHere(
        "bearers paid with the first euros of a window", _pay_bearers_with_the_first_euros, seeds=2, first=2, steps=20
    ),
    PlantedHere("two payments between funds of one id", _share_an_id, seeds=1, steps=20),
    PlantedHere("a rejected payment between funds stands", _believe_a_rejected_payment, seeds=1, steps=20),
    PlantedHere("a key on a card is not revoked", _revoke_only_what_was_entered, seeds=2, first=2),
)
