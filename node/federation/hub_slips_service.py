"""One slip of the hub, message by message."""

from __future__ import annotations

from collections.abc import Sequence

from node.federation import arriving_service, outcomes_service, statement_service
from node.federation.arriving_service import Opened
from node.federation.outgoing import derive_op
from node.federation.room_service import Room
from node.ledger.accounts import abroad
from node.ledger.lots import LotId
from node.ledger.naming_service import find_lot_ids
from node.ledger.postings import Posting, PostingKind
from protocol.amounts import Cents
from protocol.book.service import Page
from protocol.identifiers import Id16, TerritoryCode
from protocol.messages import Forward, HandedOver, Moved, Restored, Slip, Statement, Stopped, Verdict, WindowClosed


def apply_slip(room: Room, page: Page, hub_index: int, slip: Slip, opened: Sequence[Opened]) -> None:
    """Act on one slip of the hub, in order."""
    brought = iter(opened)
    for number, message in enumerate(slip.messages):
        match message:
            case Verdict():
                outcomes_service.take_verdict(room, page, slip, message)
            case HandedOver():
                outcomes_service.take_handed_over(room, page, slip, message)
            case Stopped():
                outcomes_service.take_stopped(room, page, slip, message)
            case Forward():
                arriving_service.take_forward(room, page, hub_index, message, next(brought), handed_at=slip.at)
            case Moved():
                _take_moved(room, page, hub_index, number, message)
            case Statement():
                statement_service.take_statement(room, page, hub_index, message)
            case WindowClosed() if room.windows is not None:
                room.windows.take(page, message)
            case Restored():
                room.count("hub_restored")
            case _:
                room.count("messages_ignored")


def _take_moved(room: Room, page: Page, hub_index: int, number: int, moved: Moved) -> None:
    """Rights on our lots moved between two other members."""
    names = [(room.identity.code, ref) for ref in moved.refs]
    ids = find_lot_ids(page.connection, names)
    if len(ids) != len(names):
        room.note_break(page, f"hub slip {hub_index}", "lots of ours", "a lot we never issued")
        return
    draws = tuple((LotId(ids[name]), Cents(cents)) for name, cents in zip(names, moved.cents, strict=True))
    room.post_or_break(
        page,
        Posting(
            op=Id16(derive_op("moved", hub_index, number)),
            kind=PostingKind.MOVED,
            debit=abroad(TerritoryCode(moved.giver)),
            credit=abroad(TerritoryCode(moved.taker)),
            cents=Cents(sum(moved.cents)),
            draws=draws,
            reference=f"hub slip {hub_index}",
        ),
    )
