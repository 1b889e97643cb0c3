"""Claim tickets once, and let those that nobody claimed expire.

Two claims at once are two items of one writer: the first one wins. A claim that the accounts refuse (no such account)
opens the ticket again.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from node.partners import store, tables
from node.partners.answering import answer_each
from node.partners.companies_service import CompanyDesk
from node.partners.decisions_service import find_answer, keep_answer
from node.partners.errors import OwnGroup, TicketClaimed, TicketExpired, TicketForged, TicketUnknown, TicketVoid
from node.partners.grants import GrantLine, GrantSource, GrantState, shorten_words
from node.partners.outbox_service import Outbox
from node.partners.purchases import RevocationReason, cut_to_day
from node.partners.purchases_service import holder_day_key
from node.partners.tickets import read_origin, verify_ticket
from node.partners.tills_service import TillDesk, find_till_of
from node.partners.vouchers import ClaimAnswer, VoucherState
from protocol.amounts import Cents
from protocol.book.rows_store import select_rows
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.identifiers import AccountNumber, Id16, require_number
from protocol.times import day_of, read_day, write_day

_vouchers = tables.vouchers
_sales = tables.sales


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimTicket:
    """A ticket as typed or scanned, and the account that it is for. `day` is today, where the shop is; `id` of who asks."""

    text: str
    holder: AccountNumber
    day: datetime.date
    grant_id: Id16
    id: Id16 | None = None

    def __post_init__(self) -> None:
        require_number(self.holder)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireTickets:
    """Let up to `count` tickets expire whose last day is before `day`."""

    day: datetime.date
    count: int


class TicketDesk:
    """Operations for the book's writer, on tickets."""

    def __init__(self, outbox: Outbox, companies: CompanyDesk, tills: TillDesk) -> None:
        self._outbox = outbox
        self._companies = companies
        self._tills = tills

    def claim(self, page: Page, items: Sequence[ClaimTicket]) -> list[ClaimAnswer | Refusal]:
        """Credit each ticket to the account, or answer again where it was claimed for that one."""
        return answer_each(items, lambda item: self._claim(page, item))

    def expire(self, page: Page, items: Sequence[ExpireTickets]) -> list[int]:
        """Give back to their budgets what tickets were worth that are over; return how many. Repeat it until it is 0."""
        return [self._expire(page, item) for item in items]

    def _claim(self, page: Page, asked: ClaimTicket) -> ClaimAnswer:
        # By an id of its own, a claim is answered as it was then, whatever became of the ticket.
        words = ("claim", asked.text, asked.holder)
        then = find_answer(page.connection, asked.id, *words)
        if then is not None:
            grant_id, _, cents = then.partition(" ")
            return ClaimAnswer(cents=Cents(int(cents)), grant_id=Id16(bytes.fromhex(grant_id)), is_repeat=True)
        told = self._claim_now(page, asked)
        keep_answer(page, asked.id, f"{told.grant_id.hex()} {told.cents}", *words)
        return told

    def _claim_now(self, page: Page, asked: ClaimTicket) -> ClaimAnswer:
        siren, number, _ = read_origin(asked.text)
        till = find_till_of(page.connection, siren, number)
        if till is None:
            raise TicketForged(reason="no such till")
        ticket = verify_ticket(asked.text, self._tills.ticket_keys(siren, number), day=asked.day)
        voucher = page.connection.execute(
            select(_vouchers).where(_vouchers.c.till_id == till.row, _vouchers.c.digest == ticket.purchase)
        ).first()
        if voucher is None:
            raise TicketUnknown
        self._require_claimable(asked, voucher, till.credential.reason)
        row = store.load_campaigns(page.connection, "id", [voucher.campaign_id])[voucher.campaign_id]
        if voucher.state == VoucherState.CLAIMED:
            return ClaimAnswer(cents=voucher.cents, grant_id=Id16(bytes(voucher.grant_id)), is_repeat=True)
        if asked.holder in self._companies.circle(page, siren).accounts:
            raise OwnGroup(company=siren, other=asked.holder)
        sold_on = page.connection.execute(select(_sales.c.day).where(_sales.c.id == voucher.sale_id)).scalar_one()
        key = holder_day_key(row.row, asked.holder, sold_on)
        ceilings = row.campaign.terms.ceilings
        found = select_rows(page.connection, tables.holder_days, ("cents",), column="key", values=[key])
        cents = cut_to_day(ceilings, voucher.cents, Cents(found[0][0] if found else 0))
        cut = voucher.cents - cents
        row.spent -= cut
        store.save_spent(page.connection, [row])
        if ceilings.day_and_holder is not None:
            store.add_to_holder_days(page.connection, {key: cents})
        page.connection.execute(
            _vouchers.update()
            .where(_vouchers.c.sale_id == voucher.sale_id)
            .values(
                state=VoucherState.CLAIMED,
                holder=asked.holder,
                cents=cents,
                cut=voucher.cut + cut,
                grant_id=asked.grant_id,
                ended_at=page.now,
            )
        )
        page.connection.execute(
            tables.grants.insert().values(
                id=asked.grant_id,
                campaign_id=row.row,
                account=asked.holder,
                cents=cents,
                source=GrantSource.VOUCHER,
                source_id=voucher.sale_id,
                at=page.now,
                state=GrantState.TOLD,
            )
        )
        assert row.pool is not None
        words = shorten_words(row.campaign.terms.title)
        self._outbox.grant(page, row.pool, GrantLine(asked.grant_id, asked.holder, cents, words))
        return ClaimAnswer(cents=cents, grant_id=asked.grant_id, is_repeat=False)

    @staticmethod
    def _require_claimable(asked: ClaimTicket, voucher: Any, reason: RevocationReason | None) -> None:
        """Raise why the ticket is worth nothing to this holder."""
        if voucher.state == VoucherState.CLAIMED:
            if voucher.holder == asked.holder:
                return
            claimed_on = datetime.date(1970, 1, 1) + datetime.timedelta(days=day_of(voucher.ended_at))
            raise TicketClaimed(claimed_on=claimed_on.isoformat())
        if voucher.state == VoucherState.VOID:
            raise TicketVoid(reason="the purchase was refunded")
        if voucher.state == VoucherState.EXPIRED or write_day(asked.day) > voucher.expires_on:
            raise TicketExpired(expires_on=read_day(voucher.expires_on).isoformat(), day=asked.day.isoformat())
        if reason is RevocationReason.COMPROMISED:
            raise TicketVoid(reason="its till was reported lost or stolen")

    def _expire(self, page: Page, asked: ExpireTickets) -> int:
        rows = page.connection.execute(
            select(_vouchers.c.sale_id, _vouchers.c.campaign_id, _vouchers.c.cents)
            .where(_vouchers.c.state == VoucherState.OPEN, _vouchers.c.expires_on < write_day(asked.day))
            .order_by(_vouchers.c.expires_on)
            .limit(asked.count)
        ).all()
        campaigns = store.load_campaigns(page.connection, "id", {row.campaign_id for row in rows})
        for row in rows:
            campaigns[row.campaign_id].spent -= row.cents
            page.connection.execute(
                _vouchers.update()
                .where(_vouchers.c.sale_id == row.sale_id)
                .values(state=VoucherState.EXPIRED, ended_at=page.now)
            )
        store.save_spent(page.connection, campaigns.values())
        return len(rows)
