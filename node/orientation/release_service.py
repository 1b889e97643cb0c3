"""What was directed to a project that ended goes back to its holders, lot by lot, in pages of a bounded size.

Each page takes the oldest orientations of which something is still there, so that after a stop the next one goes on
where the last was committed. An orientation whose way back is shut (its territory is not active) waits, and harms no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from node.federation.outgoing import derive_op
from node.ledger.draws import Draws
from node.orientation import store
from node.orientation.books_service import Gone, ProjectBooks
from node.orientation.projects import ProjectState
from node.orientation.service import Orientations
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.house import BaseName, HouseMessage, ProjectReleased

HOLDERS_AT_ONCE: Final = 500


class ReleaseService:
    """Lets go what is directed to closed projects."""

    def __init__(self, orientations: Orientations, books: ProjectBooks, *, at_once: int = HOLDERS_AT_ONCE) -> None:
        self._orientations = orientations
        self._books = books
        self._at_once = at_once

    def go_on(self, page: Page, project_id: int) -> list[HouseMessage]:
        """Let the oldest orientations of a closed project go back; return what tells that none is left."""
        self._return_some(page, project_id, 0)
        return self._end(page, project_id)

    def release_some(self, page: Page, items: Sequence[int]) -> list[int]:
        """Go on with every release after an orientation; return the last one looked at, or 0 where there is no more.

        A worker repeats it until it is 0, from 0 each time: what could not go is tried again then.
        """
        answers: list[int] = []
        for after in items:
            reached: list[int] = []
            for project_id in {order.project_id: None for order in store.load_waiting_releases(page.connection)}:
                if last := self._return_some(page, project_id, after):
                    reached.append(last)
                self._books.tell(page, BaseName.PROJECTS, self._end(page, project_id))
            answers.append(min(reached, default=0))
        return answers

    def begin_again(self, page: Page, project_id: int) -> None:
        """Rights came back to a closed project: its release is not over."""
        for order in store.load_releases(page.connection, project_id):
            store.save_done(page.connection, order.op, None)

    def _return_some(self, page: Page, project_id: int, after: int) -> int:
        """Let some go; return the last that was looked at, or 0 where there are no more behind it."""
        project = store.load_project(page.connection, project_id)
        assert project.state is ProjectState.CLOSED, "only what ended lets go"
        ids = store.find_held_orientations(page.connection, project_id, after=after, limit=self._at_once)
        if not ids or not self._orientations.may_leave(page, project):
            return 0
        oriented = store.load_orientations(page.connection, ids)
        parts = store.load_parts(page.connection, ids)
        counts = store.count_all_returns(page.connection, ids)
        wanted: list[Gone] = []
        for id_ in ids:
            draws: Draws = tuple((part.lot, Cents(part.held)) for part in parts[id_] if part.held)
            op = derive_op("released", oriented[id_].op.hex(), counts[id_])
            wanted.append(Gone(op, oriented[id_], draws))
        done = self._orientations.send_back(page, project, wanted, project.code)
        gone = [one for one, answer in zip(wanted, done, strict=True) if not isinstance(answer, Refusal)]
        cents = sum(cents for one in gone for _, cents in one.draws)
        for order in store.load_releases(page.connection, project_id)[:1]:
            store.add_released(page.connection, order.op, cents)
        return ids[-1] if len(ids) == self._at_once else 0

    def _end(self, page: Page, project_id: int) -> list[HouseMessage]:
        """Return what is told of each release of the project, if nothing waits any more."""
        if store.find_held_orientations(page.connection, project_id, after=0, limit=1):
            return []
        told: list[HouseMessage] = []
        for order in store.load_releases(page.connection, project_id):
            if order.done_at is None:
                store.save_done(page.connection, order.op, page.now)
                told.append(ProjectReleased(bytes(order.op), order.cents))
        return told
