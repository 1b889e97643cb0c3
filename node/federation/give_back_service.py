"""What arrived goes back to its giver, the very same lots."""

from __future__ import annotations

from collections.abc import Sequence

from node.federation import leaving_service, store
from node.federation.arrivals import sum_draws
from node.federation.cessions import AskCession, CessionView
from node.federation.errors import NothingToGiveBack
from node.federation.outgoing import derive_op
from node.federation.room_service import Room
from node.ledger.accounts import AccountKind
from protocol.amounts import Cents
from protocol.book.service import Page
from protocol.errors import Refusal
from protocol.identifiers import AccountNumber, parse_address
from protocol.messages import decode_slip, draws_of
from protocol.national import find_cede


def give_back(room: Room, page: Page, items: Sequence[bytes]) -> list[CessionView | Refusal]:
    """Give what arrived back to its giver, the very same lots: (id of the arrival). Done twice is done once."""
    results: list[CessionView | Refusal] = []
    for op in items:
        try:
            if (directed := _give_back_directed(room, page, op)) is not None:
                results.append(directed)
                continue
            results += leaving_service.cede(room, page, [_ask_back(room, page, op)])
        except Refusal as refusal:
            results.append(refusal)
    return results


def _give_back_directed(room: Room, page: Page, op: bytes) -> CessionView | None:
    """Give back an arrival that is directed to a project, or None where it is at a holder's."""
    row = store.find_arrival(page.connection, op)
    if row is None or row.state != "delivered":
        return None
    number = AccountNumber(row.account)
    if room.ledger.find_projects(page, (number,), (AccountKind.SOLIDARITY,)):
        raise NothingToGiveBack(id=op.hex(), reason="it is a gift to solidarity: solidarity take-back gives it back")
    if room.projects is None or not room.ledger.find_projects(page, (number,)):
        return None
    return room.projects.give_back(page, op)


def _ask_back(room: Room, page: Page, op: bytes) -> AskCession:
    """Return the cession that undoes an arrival. Raises NothingToGiveBack."""
    row = store.find_arrival(page.connection, op)
    if row is None or row.state != "delivered":
        raise NothingToGiveBack(id=op.hex(), reason="it did not arrive here")
    if not row.giver:
        raise NothingToGiveBack(id=op.hex(), reason="its giver did not say who he is")
    leaf = store.find_received_leaf(page.connection, row.origin, row.epoch, row.ix)
    cede = None if leaf is None else find_cede(decode_slip(leaf))
    assert cede is not None, "what arrived has its slip"
    draws = draws_of(cede)[row.place]
    ids, _ = room.ensure_lots(page, list({(lot.issuer, lot.ref): lot for lot, _ in draws}.values()))
    asked = AskCession(
        op=derive_op("give back", op.hex()),
        account=AccountNumber(row.account),
        beneficiary=parse_address(row.giver),
        cents=row.cents,
    )
    asked.draws = tuple((ids[key], Cents(cents)) for key, cents in sum_draws(draws).items())
    return asked
