"""Dues that another fund netted: our own fund pays the bearer, by an order that is written when the netting is heard.

Where the bearer cannot be paid today (a proof that ran out, an account that is being changed), or our fund sends the order
back, it is written again each day until it is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, select

from node.governance import tables
from node.governance.days import local_day, write_day
from node.governance.instalments import DueMark
from node.governance.letters_service import Letters
from node.governance.orders_service import OrderWriter
from node.governance.settings import ProjectsSettings
from node.governance.store import change, load_project
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.house import OrderNetted
from protocol.identifiers import Id16

WANTED: Final = "wanted"
SENT: Final = "sent"
_dues, _rounds = tables.dues, tables.rounds


class NettedOrders:
    """Writes to our own fund what another one netted."""

    def __init__(self, letters: Letters, settings: ProjectsSettings, orders: OrderWriter) -> None:
        self._letters = letters
        self._settings = settings
        self._orders = orders

    def begin(self, page: Page, due: Any) -> None:
        """A due was called netted: our own fund is to pay it. Said again, it changes nothing."""
        if due.own_order is None:
            change(page.connection, _dues, _dues.c.id == due.id, own_order=WANTED)
            self._send(page, due)

    def come_back(self, page: Page, id_: bytes, code: str) -> None:
        """Our fund cannot pay by the order that it has: another is written tomorrow."""
        change(page.connection, _dues, _dues.c.id == id_, _dues.c.own_order == SENT, own_order=code)

    def catch_up(self, page: Page, items: Sequence[None]) -> list[int]:
        """Write the orders that could not be written before, or came back on another day; return how many."""
        today = self._today(page)
        waiting = [due for due in load_unordered(page.connection) if due.ordered_on != today]
        done = sum(1 for due in waiting if self._send(page, due))
        return [done for _ in items]

    def _today(self, page: Page) -> int:
        return write_day(local_day(page.now, self._settings.zone))

    def _send(self, page: Page, due: Any) -> bool:
        round_ = page.connection.execute(select(_rounds).where(_rounds.c.id == due.round)).one()
        project = load_project(page.connection, Id16(bytes(round_.project)))
        today = self._today(page)
        try:
            order = self._orders.write_own(page.connection, project, round_.round, today)
        except Refusal:
            return False  # it stays wanted: `project show` says what is wrong with the bearer
        change(page.connection, _dues, _dues.c.id == due.id, own_order=SENT, ordered_on=today)
        self._letters.send(page, OrderNetted(bytes(due.id), order))
        return True


def load_unordered(connection: Connection) -> list[Any]:
    """Return the netted dues that our fund has no order for."""
    query = select(_dues).where(
        _dues.c.own_order.is_not(None), _dues.c.own_order != SENT, _dues.c.mark != DueMark.REFUSED
    )
    return list(connection.execute(query.order_by(_dues.c.id)).all())
