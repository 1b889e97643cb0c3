"""What an orientation, a return and a conversion change in the rows of projects, in the page that moves the rights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from node.ledger.draws import Draws
from node.ledger.lots import LotId
from node.ledger.reading_service import load_lot_terms
from node.orientation import store
from node.orientation.projects import LotTerms
from node.orientation.store import KeptReturn, Oriented
from protocol.book.worker import Page
from protocol.house import BaseName, HouseMessage, Support

# Appends a slip to the log for a base: (page, reader, messages). It is called in the page, from the writer's thread.
Tell = Callable[[Page, str, Sequence[HouseMessage]], object]

HOME: Final = "home"
ABROAD: Final = "abroad"
_CHANGED: Final = "projects whose support changed"
_TERMS: Final = "terms of lots"
MESSAGES_AT_ONCE: Final = 1_000


class Given(Struct, frozen=True):
    """Rights that were posted to a project: under which id, for whom they count, and of which lots."""

    op: bytes
    origin: str
    account: str
    holder: str
    draws: Draws


class Gone(Struct, frozen=True):
    """Rights of one orientation that went back: under which id, and of which lots."""

    op: bytes
    oriented: Oriented
    draws: Draws


class ProjectBooks:
    """Keeps the rows; `tell` is None where there is no base of projects to be told."""

    def __init__(self, tell: Tell | None = None) -> None:
        self._tell = tell

    def note_given(self, page: Page, project_id: int, given: Sequence[Given]) -> None:
        """Rights are directed to a project."""
        connection = page.connection
        first = store.load_next_orientation(connection)
        rows: list[Oriented] = []
        parts: list[tuple[int, int, int, int]] = []
        changes: dict[str, int] = {}
        for id_, one in enumerate(given, first):
            cents = sum(drawn for _, drawn in one.draws)
            rows.append(Oriented(id_, one.op, project_id, one.origin, one.account, one.holder, cents, page.now))
            parts += [(id_, lot, project_id, drawn) for lot, drawn in one.draws]
            changes[one.holder] = changes.get(one.holder, 0) + cents
        store.insert_orientations(connection, rows)
        store.insert_parts(connection, parts)
        self._change_support(page, project_id, changes)

    def note_gone(self, page: Page, project_id: int, gone: Sequence[Gone], why: str) -> None:
        """Rights went back to who had directed them, or are on their way."""
        connection = page.connection
        store.insert_returns(
            connection,
            [KeptReturn(one.op, one.oriented.id, sum(cents for _, cents in one.draws), why, "done") for one in gone],
            page.now,
        )
        store.save_parts(connection, [(-cents, 0, one.oriented.id, lot) for one in gone for lot, cents in one.draws])
        self._change_support(page, project_id, _sum_gone(gone, -1))

    def note_again(self, page: Page, project_id: int, gone: Sequence[Gone]) -> None:
        """What had gone back could not be delivered: it stands directed as before."""
        connection = page.connection
        store.save_came_back(connection, [one.op for one in gone])
        store.save_parts(connection, [(cents, 0, one.oriented.id, lot) for one in gone for lot, cents in one.draws])
        self._change_support(page, project_id, _sum_gone(gone, 1))

    def note_converted(self, page: Page, project_id: int, taken: Iterable[tuple[int, LotId, int]], sign: int) -> None:
        """Rights were converted (`sign` 1), or the fund refused them (-1). (orientation, lot, cents); support stays."""
        rows = list(taken)
        store.save_parts(
            page.connection, [(-sign * cents, sign * cents, orientation, lot) for orientation, lot, cents in rows]
        )
        store.add_figures(page.connection, project_id, converted=sign * sum(cents for _, _, cents in rows))

    def _change_support(self, page: Page, project_id: int, changes: Mapping[str, int]) -> None:
        more = store.add_supports(page.connection, project_id, changes)
        store.add_figures(page.connection, project_id, directed=sum(changes.values()), supporters=more)
        self.note_changed(page, project_id)

    def note_changed(self, page: Page, project_id: int) -> None:
        """Have the projects base told when the page closes, once however often it changed."""
        if self._tell is None:
            return
        changed: set[int] = page.memo.setdefault(_CHANGED, set())
        changed.add(project_id)
        page.at_close(_CHANGED, lambda: self._tell_support(page))

    def _tell_support(self, page: Page) -> None:
        untold = store.load_untold(page.connection, page.memo.pop(_CHANGED, ()))
        if untold:
            self.tell(page, BaseName.PROJECTS, [Support(op, cents, count) for _, op, cents, count in untold])
            store.save_told(page.connection, untold)

    def tell(self, page: Page, reader: BaseName, messages: Sequence[HouseMessage]) -> None:
        """Tell a base of the house, if there is one."""
        for start in range(0, len(messages) if self._tell is not None else 0, MESSAGES_AT_ONCE):
            assert self._tell is not None
            self._tell(page, reader, messages[start : start + MESSAGES_AT_ONCE])


def _sum_gone(gone: Sequence[Gone], sign: int) -> dict[str, int]:
    changes: dict[str, int] = {}
    for one in gone:
        cents = sign * sum(cents for _, cents in one.draws)
        changes[one.oriented.holder] = changes.get(one.oriented.holder, 0) + cents
    return changes


def load_terms(page: Page, lots: Iterable[LotId]) -> dict[LotId, LotTerms]:
    """Return what lots may be used for; what never changes is asked once a page."""
    known: dict[LotId, LotTerms] = page.memo.setdefault(_TERMS, {})
    missing = [lot for lot in lots if lot not in known]
    if missing:
        for lot, (issuer, lot_class, month, restriction) in load_lot_terms(page.connection, missing).items():
            known[lot] = LotTerms(issuer, lot_class, month, restriction)
    return known
