"""What a project elsewhere sends back goes on to the next choice of the list that its holder gave.

A project here is seen to be full before anything is posted; one elsewhere says so by sending the rights back whole. Then
they go to the choices that came after it, each as far as it takes, until nothing is left or the list ends: what then
remains stays with the holder. What he asked to recall, or spent meanwhile, goes nowhere; while his account is frozen it waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from node.federation.store import find_cession
from node.ledger.errors import InsufficientRights
from node.ledger.reading_service import load_draws
from node.ledger.service import Ledger
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

    def __init__(self, ledger: Ledger, orientations: Orientations) -> None:
        self._ledger = ledger
        self._orientations = orientations

    def go_on(self, page: Page, items: Sequence[None]) -> list[int]:
        """Lead on what has come back since; return of how many cessions it was decided. A worker repeats it until it is zero."""
        self._ledger.flush(page)
        ended = store.list_ended_onward(page.connection, NOTES_AT_ONCE)
        for row in ended:
            if CessionState(row.state) in _GOES_ON and not row.recall and self._is_there(page, row):
                self._lead(page, row)
        if ended:
            store.end_onward(page.connection, [bytes(row.op) for row in ended], page.now)
        return [len(ended) if place == 0 else 0 for place in range(len(items))]

    def _is_there(self, page: Page, row: Any) -> bool:
        """Tell whether the very rights that came back are with their holder still."""
        sheet = self._ledger.look_at(page, AccountNumber(row.account))
        if sheet is None:
            return False
        came_back = load_draws(page.connection, Id16(bytes(row.op)))
        return all(sheet.holdings.get(lot, 0) >= cents for lot, cents in came_back)

    def _lead(self, page: Page, row: Any) -> None:
        choices = [parse_address(one) for one in row.choices.split(" ")]
        ops = [derive_onward_op(Id16(bytes(row.op)), place) for place in range(len(choices))]
        # After an old copy our own log brings cessions back that this note had led on to: they are not led on twice.
        gone = {place: kept for place, op in enumerate(ops) if (kept := find_cession(page.connection, op)) is not None}
        left = row.cents - sum(kept.cents for kept in gone.values())
        for place in gone:
            store.insert_onward(page.connection, ops[place], row.account, choices[place + 1 :], row.giver, page.now)
        for place, to in enumerate(choices):
            if left <= 0:
                return
            if place in gone:
                continue
            asked = Direct(
                op=ops[place],
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
