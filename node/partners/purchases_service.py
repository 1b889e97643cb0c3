"""Take what tills tell: decide each sale, spend the budget and tell the accounts, all in one page.

Everything that the sales of a page touch is loaded in a few statements, decided in memory one after another by
`purchases.decide`, and saved in a few statements more; so the budget is exact, whatever comes at once.
What is decided stays: the same id with the same content is answered again, a refusal too. What cannot be believed
(a wrong clock, a purchase too old, a credential that ended) is not kept: it may be told again.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection

from node.partners import store, tables
from node.partners.campaigns import Budget, spend
from node.partners.companies_service import Circle, CompanyDesk
from node.partners.errors import CampaignUnknown, InvalidPurchase, OwnGroup, PartnersRefusal, remake
from node.partners.grants import GrantLine, GrantSource, GrantState, shorten_words
from node.partners.outbox_service import Outbox
from node.partners.purchases import Purchase, PurchaseId, TillNumber, decide, require_arrival, require_clock
from node.partners.sales import SaleAnswer, SaleState
from node.partners.seals import SEALED
from node.partners.settings import PartnersSettings
from node.partners.store import CampaignRow
from node.partners.tickets import CENTS_MAX as TICKET_CENTS_MAX
from node.partners.tickets import Ticket, digest_purchase, format_ticket, format_ticket_qr
from node.partners.tills_service import Till, TillDesk, load_tills
from node.partners.vouchers import VoucherState
from protocol.amounts import Cents
from protocol.book.rows_store import insert_rows, select_rows
from protocol.book.seals import compute_seal
from protocol.book.worker import Page
from protocol.errors import IdMismatch, Refusal
from protocol.identifiers import Id16, format_id
from protocol.times import Instant, read_day, write_day

_SALE: Final = SEALED["sales"]
_GRANT: Final = ("id", "campaign_id", "account", "cents", "source", "source_id", "at", "state")
_VOUCHER: Final = (*SEALED["vouchers"], "cents", "state", "seal")
_COMPARED: Final = ("campaign_id", "at", "day", "sale", "holder", "buyer")


@dataclass(frozen=True, slots=True, kw_only=True)
class TellSales:
    """Sales of one till for one campaign. `sent_at` is the till's clock now; `grant_ids` are new, one a sale."""

    till: Till
    campaign: Id16
    sent_at: Instant
    purchases: tuple[Purchase, ...]
    grant_ids: tuple[Id16, ...]

    def __post_init__(self) -> None:
        number = self.till.require_number()
        if len(self.purchases) != len(self.grant_ids):
            raise ValueError("one id a sale")
        if any(purchase.till != number for purchase in self.purchases):
            raise ValueError("sales of one till")


Told = SaleAnswer | Refusal


@dataclass(slots=True)
class _Desk:
    """What the sales of a page touch, and what was decided of them."""

    known: dict[str, dict[str, Any]]
    grant_states: dict[bytes, tuple[GrantState, str]]  # and why the accounts refused
    last_days: dict[int, int]  # of the tickets of known sales
    campaigns: dict[Id16, CampaignRow] = field(default_factory=dict)
    budgets: dict[int, Budget] = field(default_factory=dict)  # after what was decided in this page
    tills: dict[int, Till] = field(default_factory=dict)
    digests: set[tuple[int, bytes]] = field(default_factory=set)
    days: dict[str, int] = field(default_factory=dict)
    next_row: int = 0
    day_sums: dict[str, int] = field(default_factory=dict)
    sales: list[tuple[Any, ...]] = field(default_factory=list)
    grants: list[tuple[Any, ...]] = field(default_factory=list)
    new_vouchers: list[tuple[Any, ...]] = field(default_factory=list)


class SaleDesk:
    """Operations for the book's writer, on sales."""

    def __init__(self, outbox: Outbox, companies: CompanyDesk, tills: TillDesk, settings: PartnersSettings) -> None:
        self._outbox = outbox
        self._companies = companies
        self._tills = tills
        self._settings = settings

    def tell(self, page: Page, items: Sequence[TellSales]) -> list[list[Told] | Refusal]:
        """Return what became of each sale: an answer, or why it was not even taken. A wrong clock refuses all of a batch."""
        desk = _load_desk(page, items)
        answers: list[list[Told] | Refusal] = []
        for item in items:
            try:
                answers.append(self._take(page, desk, item))
            except Refusal as refusal:
                answers.append(refusal)
        _save_desk(page, desk)
        return answers

    def find(self, connection: Connection, till: Till, id_: PurchaseId) -> SaleAnswer | None:
        """Return what became of a sale of a till, or None where it was not told or not taken."""
        desk = _load_known(connection, {sale_key(till.row, id_)})
        kept = desk.known.get(sale_key(till.row, id_))
        return None if kept is None else self._answer(desk, kept, till, id_, is_repeat=True)

    def _take(self, page: Page, desk: _Desk, item: TellSales) -> list[Told]:
        require_clock(till_clock=item.sent_at, received_at=page.now, bounds=self._settings.bounds)
        row = desk.campaigns.get(item.campaign)
        if row is None or row.campaign.company != item.till.siren:
            raise CampaignUnknown(campaign=format_id(item.campaign))
        circle = self._companies.circle(page, item.till.siren)
        answers: list[Told] = []
        for purchase, grant_id in zip(item.purchases, item.grant_ids, strict=True):
            try:
                answers.append(self._take_one(page, desk, row, circle, item.till, purchase, grant_id))
            except Refusal as refusal:
                answers.append(refusal)
        return answers

    def _take_one(
        self,
        page: Page,
        desk: _Desk,
        row: CampaignRow,
        circle: Circle,
        till: Till,
        purchase: Purchase,
        grant_id: Id16,
    ) -> SaleAnswer:
        key = sale_key(till.row, purchase.id)
        known = desk.known.get(key)
        if known is not None:
            return self._answer_again(desk, known, row, till, purchase)
        # As the till stands in this transaction: a revocation that was written before counts.
        credential = desk.tills[till.row].credential
        require_arrival(purchase, row.campaign, credential, received_at=page.now, bounds=self._settings.bounds)
        day_key = _day_key(row.row, purchase)
        budget = desk.budgets.get(row.row) or row.budget
        refusal: PartnersRefusal | None = None
        granted = Cents(0)
        try:
            if purchase.holder is not None and purchase.holder in circle.accounts:
                raise OwnGroup(company=till.siren, other=purchase.holder)
            spent_today = 0 if day_key is None else desk.days.get(day_key, 0)
            granted = decide(
                row.campaign,
                purchase,
                holder_spent_today=Cents(spent_today),
                budget=budget,
                group=circle.group,
            )
        except PartnersRefusal as error:
            refusal = error
        if refusal is None and purchase.holder is None:
            if granted > TICKET_CENTS_MAX:
                raise InvalidPurchase(
                    field="holder", reason=f"more than {TICKET_CENTS_MAX} cents go to an account only"
                )
            if (till.row, digest_purchase(purchase.id)) in desk.digests:
                raise InvalidPurchase(field="id", reason="a ticket of this till looks the same: take another id")
        if refusal is None:
            budget = desk.budgets[row.row] = spend(budget, granted)
            row.spent = budget.spent
            if day_key is not None and row.campaign.terms.ceilings.day_and_holder is not None:
                desk.days[day_key] = desk.days.get(day_key, 0) + granted
                desk.day_sums[day_key] = desk.day_sums.get(day_key, 0) + granted
        return self._keep(page, desk, row, till, purchase, granted, refusal, grant_id)

    def _keep(
        self,
        page: Page,
        desk: _Desk,
        row: CampaignRow,
        till: Till,
        purchase: Purchase,
        granted: Cents,
        refusal: PartnersRefusal | None,
        grant_id: Id16,
    ) -> SaleAnswer:
        number = desk.next_row
        desk.next_row += 1
        if refusal is not None:
            state = SaleState.REFUSED
        elif purchase.holder is None:
            state = SaleState.VOUCHER
            expires_on = compute_expiry(purchase.day, self._settings.ticket_days)
            digest = digest_purchase(purchase.id)
            desk.digests.add((till.row, digest))
            desk.last_days[number] = write_day(expires_on)
            sealed = (number, row.row, till.row, digest, write_day(expires_on))
            desk.new_vouchers.append((*sealed, granted, VoucherState.OPEN, compute_seal("vouchers", sealed)))
        else:
            state = SaleState.GRANTED
            assert row.pool is not None, "a campaign runs from the moment it has a pool"
            line = GrantLine(grant_id, purchase.holder, granted, shorten_words(row.campaign.terms.title))
            self._outbox.grant(page, row.pool, line)
            desk.grant_states[grant_id] = (GrantState.TOLD, "")
            desk.grants.append(
                (grant_id, row.row, purchase.holder, granted, GrantSource.SALE, number, page.now, GrantState.TOLD)
            )
        values = (
            *(number, sale_key(till.row, purchase.id), row.row, till.row, purchase.at, write_day(purchase.day)),
            *(purchase.sale, purchase.holder, purchase.buyer or "", page.now, str(state), granted),
            "" if refusal is None else refusal.code,
            "" if refusal is None else store.write_facts(refusal),
            grant_id if state is SaleState.GRANTED else None,
        )
        desk.sales.append((*values, compute_seal("sales", values)))
        kept: dict[str, Any] = dict(zip(_SALE, values, strict=True))
        desk.known[kept["key"]] = kept
        return self._answer(desk, kept, till, purchase.id, is_repeat=False)

    def _answer_again(
        self, desk: _Desk, known: dict[str, Any], row: CampaignRow, till: Till, purchase: Purchase
    ) -> SaleAnswer:
        told = (row.row, purchase.at, write_day(purchase.day), purchase.sale, purchase.holder, purchase.buyer or "")
        for field_, value in zip(_COMPARED, told, strict=True):
            if known[field_] != value:
                raise IdMismatch(id=purchase.id, field=field_.removesuffix("_id"))
        return self._answer(desk, known, till, purchase.id, is_repeat=True)

    def _answer(
        self, desk: _Desk, kept: Mapping[str, Any], till: Till, id_: PurchaseId, *, is_repeat: bool
    ) -> SaleAnswer:
        state = SaleState(kept["state"])
        ticket = qr = expires_on = None
        if state is SaleState.VOUCHER:
            number = till.require_number()
            expires_on = read_day(desk.last_days[kept["id"]])
            made = self.make_ticket(till, number, id_, kept["granted"], expires_on)
            key = self._tills.ticket_key(till.siren, number)
            ticket, qr = format_ticket(made, key), format_ticket_qr(made, key)
        grant_id = None if kept["grant_id"] is None else Id16(bytes(kept["grant_id"]))
        grant_state, code = (None, "") if grant_id is None else desk.grant_states[grant_id]
        refusal = remake(kept["code"], store.read_facts(kept["facts"])) if kept["code"] else None
        return SaleAnswer(
            id=id_,
            state=state,
            cents=Cents(kept["granted"]),
            received_at=Instant(kept["received_at"]),
            refusal=remake(code, {}) if code else refusal,
            grant_id=grant_id,
            grant_state=grant_state,
            ticket=ticket,
            ticket_qr=qr,
            expires_on=expires_on,
            is_repeat=is_repeat,
        )

    @staticmethod
    def make_ticket(till: Till, number: TillNumber, id_: PurchaseId, cents: int, expires_on: datetime.date) -> Ticket:
        """Return the ticket of a sale, as its till could print it too."""
        return Ticket(
            company=till.siren,
            till=number,
            purchase=digest_purchase(id_),
            cents=Cents(cents),
            expires_on=expires_on,
        )


def compute_expiry(day: datetime.date, days: int) -> datetime.date:
    """Return the last day on which a ticket of that day can be claimed."""
    return day + datetime.timedelta(days=days)


def sale_key(till_row: int, id_: PurchaseId) -> str:
    """Return what names a sale in the base: tills' ids rise, so neighbours in time are neighbours here."""
    return f"{till_row}/{id_}"


def holder_day_key(campaign_row: int, holder: str, day: int) -> str:
    """Return what names a holder's day of a campaign."""
    return f"{campaign_row}/{day}/{holder}"


def _day_key(campaign_row: int, purchase: Purchase) -> str | None:
    holder = purchase.holder
    return None if holder is None else holder_day_key(campaign_row, holder, write_day(purchase.day))


def _load_desk(page: Page, items: Sequence[TellSales]) -> _Desk:
    connection = page.connection
    desk = _load_known(
        connection, {sale_key(item.till.row, purchase.id) for item in items for purchase in item.purchases}
    )
    desk.campaigns = store.load_campaigns(connection, "uid", {item.campaign for item in items})
    desk.tills = load_tills(connection, [item.till.row for item in items])
    desk.next_row = store.next_id(connection, tables.sales)
    nameless = {digest_purchase(one.id) for item in items for one in item.purchases if one.holder is None}
    digests = select_rows(connection, tables.vouchers, ("till_id", "digest"), column="digest", values=nameless)
    desk.digests = {(row[0], bytes(row[1])) for row in digests}
    day_keys = {
        key
        for item in items
        if (row := desk.campaigns.get(item.campaign)) and row.campaign.terms.ceilings.day_and_holder is not None
        for purchase in item.purchases
        if (key := _day_key(row.row, purchase))
    }
    for key, cents in select_rows(connection, tables.holder_days, ("key", "cents"), column="key", values=day_keys):
        desk.days[key] = cents
    return desk


def _load_known(connection: Connection, keys: Collection[str]) -> _Desk:
    """Return a desk with what was decided of these sales before."""
    known = {
        row[1]: dict(zip(_SALE, row, strict=True))
        for row in select_rows(connection, tables.sales, _SALE, column="key", values=keys)
    }
    grant_ids = [kept["grant_id"] for kept in known.values() if kept["grant_id"] is not None]
    states = select_rows(connection, tables.grants, ("id", "state", "code"), column="id", values=grant_ids)
    numbers = [kept["id"] for kept in known.values() if kept["state"] == SaleState.VOUCHER]
    vouchers = select_rows(connection, tables.vouchers, ("sale_id", "expires_on"), column="sale_id", values=numbers)
    return _Desk(
        known=known,
        grant_states={bytes(row[0]): (GrantState(row[1]), row[2]) for row in states},
        last_days=dict(vouchers),
    )


def _save_desk(page: Page, desk: _Desk) -> None:
    connection = page.connection
    insert_rows(connection, tables.sales, (*_SALE, "seal"), desk.sales)
    insert_rows(connection, tables.grants, _GRANT, desk.grants)
    insert_rows(connection, tables.vouchers, _VOUCHER, desk.new_vouchers)
    store.add_to_holder_days(connection, desk.day_sums)
    store.save_spent(connection, desk.campaigns.values())
