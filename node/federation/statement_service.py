"""The hub's view of us against ours, at the very point of the log that it speaks of."""

from __future__ import annotations

from node.federation import store, unplaced_service
from node.federation.room_service import Room
from node.federation.statements import OwnView, compare
from node.ledger.reading_service import load_totals
from protocol import clearing
from protocol.book.service import Page
from protocol.identifiers import TerritoryCode
from protocol.messages import Statement, decode_slip
from protocol.national import find_cede


def take_statement(room: Room, page: Page, hub_index: int, statement: Statement) -> None:
    """Compare the hub's view with ours, here and now: both speak of this very point."""
    room.ledger.flush(page)
    own = _own_view(room, page, statement.taken)
    found = compare(statement, own)
    store.insert_reconciliation(page.connection, hub_index=hub_index, taken=statement.taken, now=page.now, rows=found)
    room.count("statements_compared")


def _own_view(room: Room, page: Page, taken: int) -> OwnView:
    connection, home = page.connection, room.identity.code
    totals = load_totals(connection, TerritoryCode(home))
    foreign: dict[str, int] = {}
    for rows in (totals.foreign_held, totals.foreign_in_transit, totals.foreign_unclaimed):
        for row in rows:
            foreign[row.territory] = foreign.get(row.territory, 0) + row.cents
    for issuer, cents in unplaced_service.sum_unplaced(connection).items():
        if issuer != home:
            foreign[issuer] = foreign.get(issuer, 0) - cents
    early: dict[tuple[str, str], int] = {}
    for origin, epoch, index, leaf in store.load_unanswered(connection, taken):
        cede = find_cede(decode_slip(leaf))
        assert cede is not None
        places = store.load_delivered_places(connection, origin, epoch, index)
        for (issuer, _), cents in clearing.sum_by_lot(cede, places).items():
            early[issuer, origin] = early.get((issuer, origin), 0) + cents
    late = 0
    for sent in store.load_unfinished(connection, taken):
        cede = room.load_own_cede(page, sent)
        late += sum(
            cents for (issuer, _), cents in clearing.sum_by_lot(cede, range(cede.count)).items() if issuer == home
        )
    return OwnView(
        home=home,
        foreign=foreign,
        abroad={row.territory: row.cents for row in totals.abroad},
        transit=totals.home_in_transit,
        early=early,
        late=late,
    )
