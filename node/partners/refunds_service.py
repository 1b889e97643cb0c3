"""Take back what a refund is worth, as far as the customer has not directed it on: for other customers, never the company.

A ticket that nobody claimed is worth so much less at once. Of a grant the accounts are asked, and the note for the till
comes with their answer. A refund of what gave no miles is noted all the same, so that it is refunded once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from node.partners import store, tables
from node.partners.answering import answer_each
from node.partners.answers_service import load_grants_of_sales
from node.partners.errors import InvalidPurchase, SaleUnknown
from node.partners.grants import GrantState
from node.partners.outbox_service import Outbox
from node.partners.purchases import Grant, PurchaseId, refund, require_purchase_id
from node.partners.purchases_service import sale_key
from node.partners.sales import RefundAnswer, RefundState, choose_note
from node.partners.seals import seal
from node.partners.tills_service import Till, load_tills
from node.partners.vouchers import VoucherState
from protocol.amounts import CENTS_MAX, Cents, require_amount
from protocol.book.worker import Page
from protocol.errors import IdMismatch, Refusal
from protocol.house import BaseName, TakeBack
from protocol.identifiers import Id16

_sales = tables.sales
_refunds = tables.refunds
_vouchers = tables.vouchers
_grants = tables.grants


@dataclass(frozen=True, slots=True, kw_only=True)
class AskRefund:
    """`cents` of a sale are refunded. `refund` is the till's own id of it, `take_back` a new one for the accounts."""

    till: Till
    purchase: PurchaseId
    refund: str
    cents: Cents
    take_back: Id16

    def __post_init__(self) -> None:
        require_purchase_id(self.purchase)
        require_amount(self.cents)
        try:
            require_purchase_id(self.refund)
        except InvalidPurchase as refusal:
            raise InvalidPurchase(field="refund", reason=str(refusal.facts["reason"])) from None


class RefundDesk:
    """Operations for the book's writer, on refunds."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def refund(self, page: Page, items: Sequence[AskRefund]) -> list[RefundAnswer | Refusal]:
        """Refund each, or answer again what its id did."""
        return answer_each(items, lambda item: self._refund(page, item))

    def _refund(self, page: Page, asked: AskRefund) -> RefundAnswer:
        load_tills(page.connection, [asked.till.row])[asked.till.row].require_in_force(page.now)
        sale = page.connection.execute(
            select(_sales).where(_sales.c.key == sale_key(asked.till.row, asked.purchase))
        ).first()
        if sale is None:
            raise SaleUnknown(id=asked.purchase)
        key = f"{sale.id}/{asked.refund}"
        known = page.connection.execute(select(_refunds).where(_refunds.c.key == key)).first()
        if known is not None:
            if known.cents != asked.cents:
                raise IdMismatch(id=asked.refund, field="cents")
            return tell_refund(asked.refund, known._mapping, is_repeat=True)
        # What is due depends on how much of the sale is refunded in all: what came back before is not asked here.
        granted = sale.granted or 1
        worth = refund(
            Grant(sale=sale.sale, granted=Cents(granted), refunded=sale.refunded),
            asked.cents,
            unoriented=Cents(CENTS_MAX),
        )
        due = worth.taken if sale.granted else 0
        values = self._take(page, sale, due, asked)
        row = {
            "id": store.next_id(page.connection, _refunds),
            "key": key,
            "sale_id": sale.id,
            "cents": asked.cents,
            "at": page.now,
            "code": "",
            **values,
        }
        page.connection.execute(_refunds.insert().values(**seal("refunds", row)))
        page.connection.execute(
            _sales.update().where(_sales.c.id == sale.id).values(refunded=_sales.c.refunded + asked.cents)
        )
        return tell_refund(asked.refund, row, is_repeat=False)

    def _take(self, page: Page, sale: Any, due: int, asked: AskRefund) -> dict[str, Any]:
        """Take what is due from the ticket, or ask the accounts; return what is kept of it."""
        nothing = {"due": 0, "taken": 0, "state": RefundState.DONE, "take_back": None, "grant_id": None}
        if not due:
            return nothing
        voucher = page.connection.execute(select(_vouchers).where(_vouchers.c.sale_id == sale.id)).first()
        if voucher is not None and voucher.state == VoucherState.OPEN:
            taken = min(due, voucher.cents)
            left = voucher.cents - taken
            state = VoucherState.OPEN if left else VoucherState.VOID
            page.connection.execute(
                _vouchers.update()
                .where(_vouchers.c.sale_id == sale.id)
                .values(cents=left, state=state, ended_at=None if left else page.now)
            )
            row = store.load_campaigns(page.connection, "id", [sale.campaign_id])[sale.campaign_id]
            row.spent -= taken
            store.save_spent(page.connection, [row])
            return nothing | {"due": taken, "taken": taken}
        grant = load_grants_of_sales(page.connection, {sale.id}).get(sale.id)
        if grant is None or grant["state"] == GrantState.REFUSED:
            return nothing
        due = min(due, grant["cents"] - grant["asked_back"])
        if not due:
            return nothing
        grant_id = Id16(bytes(grant["id"]))
        page.connection.execute(
            _grants.update().where(_grants.c.id == grant_id).values(asked_back=_grants.c.asked_back + due)
        )
        self._outbox.send(page, BaseName.ACCOUNTS, TakeBack(asked.take_back, grant_id, due))
        return nothing | {
            "due": due,
            "state": RefundState.ASKED,
            "take_back": asked.take_back,
            "grant_id": grant_id,
        }


def tell_refund(id_: str, row: Mapping[Any, Any], *, is_repeat: bool) -> RefundAnswer:
    """Return what the till is told of a refund that is kept."""
    state = RefundState(row["state"])
    return RefundAnswer(
        id=id_,
        state=state,
        due=Cents(row["due"]),
        taken=Cents(row["taken"]),
        note=None if row["code"] or state is RefundState.ASKED else choose_note(row["due"], row["taken"]),
        code=row["code"],
        take_back=None if row["take_back"] is None else Id16(bytes(row["take_back"])),
        is_repeat=is_repeat,
    )


def find_settled(connection: Any, take_back: Id16) -> Mapping[Any, Any] | None:
    """Return the refund that asked the accounts under this id, once they answered."""
    row = connection.execute(select(_refunds).where(_refunds.c.take_back == take_back)).one()
    return None if row.state == RefundState.ASKED else row._mapping
