"""What the rooms of the accounts do while their book, an old copy, is brought back to the present.

What a person gave and may take back, consent to a guide and standing orders, leaves no trace with anybody else: nobody
knows whether it was taken back since the copy. So none of it holds any more, until it is given again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from protocol.book.worker import Page
from protocol.house import HouseMessage


class Consents(Protocol):
    def withdraw_all(self, page: Page) -> None: ...


class StandingOrders(Protocol):
    def stop_all(self, page: Page) -> None: ...


class Closings(Protocol):
    def close_again(self, page: Page) -> list[HouseMessage]: ...


class TellPeople(Protocol):
    def __call__(self, page: Page, messages: Sequence[HouseMessage]) -> None: ...


class OldCopyDesk:
    """What the federation tells of the way back, and the house. Only the book's writer thread runs it."""

    def __init__(
        self,
        consents: Consents,
        orders: StandingOrders,
        *,
        closings: Closings | None = None,
        tell_people: TellPeople = lambda page, messages: None,
        hold_house: Callable[[Page], None] = lambda page: None,
    ) -> None:
        """Where the node stands in a house: `closings` of the accounts of people, and `hold_house`, which keeps this book from
        everything until its way back in the house is done.
        """
        self._consents = consents
        self._orders = orders
        self._closings = closings
        self._tell_people = tell_people
        self._hold_house = hold_house

    def notice(self, page: Page) -> None:
        """The hub knows more of us than we do. What a round took stands with the house: the hub's way back finds it there."""
        self._hold_house(page)

    def begin(self, page: Page) -> None:
        """The way back begins, from the hub or in the house."""
        self._consents.withdraw_all(page)
        self._orders.stop_all(page)

    def end(self, page: Page) -> None:
        """All that left the territory is booked again."""
        if self._closings is not None and (answers := self._closings.close_again(page)):
            self._tell_people(page, answers)
