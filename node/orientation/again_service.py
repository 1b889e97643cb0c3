"""Rounds converted after an old copy of the accounts was made, made true again from what was told of them.

Which lots became euros is known: our fund was told, and other funds were, through the hub. Whose orientations they were is
known as far as the copy holds them, the oldest first, as rounds take them. The rest was directed after the copy was made: it
did become euros, so it is brought, directed by nobody who is known, and is `unplaced` until a person says whose it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from node.federation import store as federation_store
from node.federation.outgoing import derive_op
from node.ledger.accounts import CONVERTED, ISSUANCE, AccountEvent
from node.ledger.lots import LotId
from node.ledger.naming_service import find_lot_ids
from node.ledger.openings import ChangeState
from node.ledger.postings import Posting, PostingKind
from node.ledger.service import Ledger
from node.orientation import store
from node.orientation.books_service import ABROAD, Given, ProjectBooks
from node.orientation.conversions import Taken
from node.orientation.projects import Project, compute_asked
from node.orientation.store import KeptDue, KeptOrder
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.house import ConvertProject, Due, ProjectConverted, make_due_id
from protocol.identifiers import Id16

_AT_ONCE: Final = 500


class RoundsAgain:
    """Keeps again what a round took. Only the book's writer thread runs it."""

    def __init__(self, ledger: Ledger, books: ProjectBooks) -> None:
        self._ledger = ledger
        self._books = books

    def begin(self, page: Page, asked: ConvertProject, told: ProjectConverted, due: Due | None) -> None:
        """Keep a round as it was answered, and what our fund was told of it. What others owe comes with our slips to them."""
        connection = page.connection
        project = store.find_project(connection, asked.project)
        if project is None or store.find_order(connection, asked.id) is not None:
            return
        order = KeptOrder(asked.id, project.id, "convert", compute_asked(asked), asked.cents, None)
        store.insert_order(connection, order, page.now)
        store.insert_round(
            connection,
            op=asked.id,
            project_id=project.id,
            number=asked.round,
            cents=asked.cents,
            waiting=told.waiting,
            now=page.now,
        )
        if due is not None:
            self._convert_home(page, project, asked, due)

    def _convert_home(self, page: Page, project: Project, asked: ConvertProject, due: Due) -> None:
        home = self._ledger.home
        if not self._ledger.is_open(page, project.number):  # frozen on the copy, and not when the round was converted
            self._ledger.change_states(page, [ChangeState(account=project.number, event=AccountEvent.REOPEN)])
        names = [(home, ref) for ref in due.refs]
        ids = find_lot_ids(page.connection, names)
        lots = {LotId(ids[name]): cents for name, cents in zip(names, due.cents, strict=True) if name in ids}
        taken, missing = self._choose(page, project, lots, home)
        brought = Id16(derive_op("unplaced round", asked.id.hex()))
        if missing:
            cents = sum(missing.values())
            self._post(page, brought, PostingKind.CEDE_IN, project, missing, f"unplaced, round {asked.round}")
            federation_store.insert_unplaced(
                page.connection, op=brought, account=project.number, cents=cents, epoch=0, index=0, place=asked.round
            )
        self._post(page, Id16(derive_op("converted", asked.id.hex())), PostingKind.CONVERSION, project, lots, "")
        self._note(page, project, asked.id, home, taken, brought, missing)

    def take_abroad(self, page: Page, round_id: bytes, payer: str, lots: Mapping[LotId, int], brought: bytes) -> None:
        """Keep what another fund was asked, whose rights are booked again; `brought`: under which id those that lacked came."""
        connection = page.connection
        order = store.find_order(connection, round_id)
        if order is None or store.find_due(connection, make_due_id(round_id, payer)) is not None:
            return
        project = store.load_project(connection, order.project_id)
        taken, missing = self._choose(page, project, lots, payer)
        self._note(page, project, round_id, payer, taken, Id16(brought) if brought else None, missing)

    def _choose(
        self, page: Page, project: Project, lots: Mapping[LotId, int], payer: str
    ) -> tuple[list[Taken], dict[LotId, int]]:
        """Return which orientations held these lots, the oldest first, and what of them none did."""
        left = dict(lots)
        taken: list[Taken] = []
        last = 0
        while any(left.values()):
            rows = store.load_held(page.connection, project.id, after=last, limit=_AT_ONCE)
            if not rows:
                break
            last = rows[-1][0]
            for orientation, lot, held in rows:
                if part := min(left.get(lot, 0), held):
                    left[lot] -= part
                    taken.append(Taken(orientation, lot, part, payer))
        return taken, {lot: cents for lot, cents in left.items() if cents}

    def _post(
        self, page: Page, op: Id16, kind: PostingKind, project: Project, lots: Mapping[LotId, int], reference: str
    ) -> None:
        is_in = kind is PostingKind.CEDE_IN
        posting = Posting(
            op=op,
            kind=kind,
            debit=ISSUANCE if is_in else project.number,
            credit=project.number if is_in else CONVERTED,
            cents=Cents(sum(lots.values())),
            draws=tuple((lot, Cents(cents)) for lot, cents in lots.items()),
            reference=reference,
        )
        [posted] = self._ledger.post(page, [posting])
        if isinstance(posted, Refusal):
            raise ValueError(f"a round cannot be booked again: {posted}")

    def _note(
        self,
        page: Page,
        project: Project,
        round_id: bytes,
        payer: str,
        taken: list[Taken],
        brought: Id16 | None,
        missing: Mapping[LotId, int],
    ) -> None:
        connection = page.connection
        if missing and brought is not None:
            draws = tuple((lot, Cents(cents)) for lot, cents in missing.items())
            # Of somebody, so that it is counted once and nobody is named.
            given = Given(brought, ABROAD, "", f"unplaced {brought.hex()}", draws)
            self._books.note_given(page, project.id, [given])
            orientation = store.find_orientations(connection, [brought])[brought].id
            taken = [*taken, *(Taken(orientation, lot, cents, payer) for lot, cents in missing.items())]
        store.insert_round_lots(connection, round_id, taken)
        due = KeptDue(make_due_id(round_id, payer), round_id, payer, sum(one.cents for one in taken), "told")
        store.insert_due(connection, due, page.now)
        self._books.note_converted(page, project.id, [(one.orientation, one.lot, one.cents) for one in taken], 1)
