"""What could not be placed after an old copy came back: a person says from which account it had come."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from node.federation import store
from node.federation.outgoing import derive_op
from node.federation.room_service import Room
from node.ledger.postings import Posted, Posting, PostingKind
from node.ledger.reading_service import find_operation, load_draws, load_lot_names
from protocol.amounts import Cents
from protocol.book.service import Page
from protocol.errors import Refusal
from protocol.identifiers import AccountNumber, Id16


class UnplacedUnknown(Refusal):
    """Facts: id."""

    code = "unplaced_unknown"


def sum_unplaced(connection: Connection) -> dict[str, int]:
    """Return, by issuer, the cents that stand here twice until somebody says from which account they had come."""
    drawn = [draw for row in store.load_unplaced(connection) for draw in load_draws(connection, Id16(bytes(row.op)))]
    names = load_lot_names(connection, {lot for lot, _ in drawn})
    sums: dict[str, int] = {}
    for lot, cents in drawn:
        sums[names[lot].issuer] = sums.get(names[lot].issuer, 0) + cents
    return sums


def settle_unplaced(room: Room, page: Page, items: Sequence[tuple[int, AccountNumber]]) -> list[Posted | Refusal]:
    """Take from an account the rights that it had given at home, by an operation that the old copy had lost.

    Items: (id of the unplaced row, the account that rights were credited from: a pool, most often).
    """
    return [_settle_one(room, page, id_, account) for id_, account in items]


def _settle_one(room: Room, page: Page, id_: int, account: AccountNumber) -> Posted | Refusal:
    row = store.find_unplaced(page.connection, id_)
    if row is None:
        return UnplacedUnknown(id=id_)
    brought = find_operation(page.connection, Id16(bytes(row.op)))
    assert brought.debit is not None, "what was brought has its posting"
    op = Id16(derive_op("settled", bytes(row.op).hex(), account))
    if (
        row.settled_by is not None and bytes(row.settled_by) != op
    ):  # from another account: it is settled, and once is enough
        return UnplacedUnknown(id=id_)
    (answer,) = room.ledger.post(
        page,
        [
            Posting(
                op=op,
                kind=PostingKind.CEDE_OUT,
                debit=account,
                credit=brought.debit,
                cents=Cents(row.cents),
                draws=load_draws(page.connection, Id16(bytes(row.op))),
                reference=f"settles unplaced {id_}",
            )
        ],
    )
    if isinstance(answer, Posted):
        store.save_settled(page.connection, id_, op, page.now)
    return answer
