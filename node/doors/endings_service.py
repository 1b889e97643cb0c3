"""What a base does when the people's base tells that a duty ended: it ends the officer's keys, in the page that hears it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from node.doors.endings import HeldKey, is_ended_by
from protocol.book.worker import Page
from protocol.exchange.peer_service import Apply
from protocol.house import BaseName, DutyEnded, DutyHeard, HouseMessage


class Doors(Protocol):
    """The keys of a base's doors."""

    def list_held(self, page: Page) -> list[HeldKey]: ...
    def end(self, page: Page, ids: Sequence[str]) -> None: ...


# Ends the key of this name that somebody signs with; tells whether there is one, ended now or before.
EndSigner = Callable[[Page, bytes], bool]


class EndingDesk:
    """Hears the people's base of duties that ended. It keeps nothing: what was told and answered stands in the logs."""

    def __init__(self, doors: Doors, end_signer: EndSigner = lambda _page, _key: False) -> None:
        self._doors = doors
        self._end_signer = end_signer

    def hearing(self, apply: Apply) -> Apply:
        """Return what hears of duties that end, and of all else as `apply` does."""

        def hear(page: Page, sender: str, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
            return [*self.hear(page, sender, messages), *apply(page, sender, messages)]

        return hear

    def hear(self, page: Page, sender: str, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
        """End what each ending is about; return what to answer. From any other base it is passed over."""
        if sender != BaseName.PEOPLE:
            return []
        return [self._end(page, message) for message in messages if isinstance(message, DutyEnded)]

    def _end(self, page: Page, ended: DutyEnded) -> DutyHeard:
        named = [key for key in self._doors.list_held(page) if ended.word and key.name == ended.word]
        meant = [key for key in named if is_ended_by(ended, key)]
        self._doors.end(page, [key.id for key in meant if key.is_live])
        has_signer = bool(ended.key) and self._end_signer(page, ended.key)
        is_placed = (bool(named) or not ended.word) and (has_signer or not ended.key)
        return DutyHeard(ended.id, len(meant), int(has_signer), is_placed)
