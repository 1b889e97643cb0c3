"""What a project elsewhere sends back goes on to the next choice of the list that its holder gave.

A project here is seen to be full before anything is posted; one elsewhere says so by sending the rights back whole. Then
they go to the choices that came after it, each as far as it takes, until nothing is left or the list ends: what then
remains stays with the holder. What he recalled himself, or spent meanwhile, goes nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from node.ledger.errors import InsufficientRights
from node.orientation import store
from node.orientation.directions import Choice, Direct, derive_onward_op
from node.orientation.errors import AskedBefore
from node.orientation.service import DirectedView, Orientations
from protocol.book.worker import Page
from protocol.cession import CessionState
from protocol.identifiers import AccountNumber, Id16, parse_address

NOTES_AT_ONCE: Final = 100
_GOES_ON: Final = frozenset({CessionState.RETURNED, CessionState.REFUSED, CessionState.EXPIRED})


class OnwardService:
    """Leads on what came back."""

    def __init__(self, orientations: Orientations) -> None:
        self._orientations = orientations

    def go_on(self, page: Page, items: Sequence[None]) -> list[int]:
        """Lead on what has come back since; return of how many cessions it was decided. A worker repeats it until it is zero."""
        ended = store.list_ended_onward(page.connection, NOTES_AT_ONCE)
        for row in ended:
            if CessionState(row.state) in _GOES_ON:
                self._lead(page, row)
        if ended:
            store.end_onward(page.connection, [bytes(row.op) for row in ended], page.now)
        return [len(ended) if place == 0 else 0 for place in range(len(items))]

    def _lead(self, page: Page, row: Any) -> None:
        choices, left = [parse_address(one) for one in row.choices.split(" ")], row.cents
        for place, to in enumerate(choices):
            asked = Direct(
                op=derive_onward_op(Id16(bytes(row.op)), place),
                account=AccountNumber(row.account),
                choices=(Choice(to=to, cents=left),),
                giver=row.giver,
            )
            [done] = self._orientations.direct(page, [asked])
            if isinstance(done, DirectedView):
                left -= done.cents
                if done.placements[0].state == "sent":  # it may come back as well
                    store.insert_onward(
                        page.connection, asked.op, row.account, choices[place + 1 :], row.giver, page.now
                    )
            elif isinstance(done, InsufficientRights) or (
                isinstance(done, AskedBefore) and done.code == InsufficientRights.code
            ):
                return
            if not left:
                return
