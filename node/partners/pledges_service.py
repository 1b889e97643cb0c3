"""Called campaigns: the pledge that the fund is told, what it calls month by month, and what is left at the end.

    draft ──open──▶ (a pool is asked) ──PoolOpened──▶ (the fund is told a pledge) ──PledgeAccepted──▶ running

The campaign runs from the page in which the fund's acceptance arrives: before, its pool is empty. When it is over, the fund
is told what it gave, and again where a till that was offline changes it.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from node.partners import tables
from node.partners.campaigns import CampaignEvent, CampaignState, Funding, advance
from node.partners.companies import Siren
from node.partners.companies_service import CompanyDesk
from node.partners.grants import make_id
from node.partners.letters import make_pledge
from node.partners.outbox_service import Outbox
from node.partners.seals import seal
from node.partners.store import CampaignRow, load_campaigns, save_step
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.house import BaseName, PaymentArrived, PaymentCalled, PledgeAccepted, PledgeEnded, PledgeSpent
from protocol.identifiers import Id16
from protocol.times import read_day

_pledges = tables.pledges
_calls = tables.calls
_parts = tables.call_parts
_payments = tables.call_payments


@dataclass(frozen=True, slots=True, kw_only=True)
class PledgeView:
    """The pledge of a campaign. `released` and `unconverted` are the fund's words, once the campaign is over."""

    id: Id16
    cents: Cents
    until: datetime.date
    is_accepted: bool
    code: str
    called: Cents
    released: Cents | None
    unconverted: Cents | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView:
    """What the fund called of a company for a month (yyyymm), and what of it arrived."""

    id: Id16
    month: int
    cents: Cents
    arrived: Cents
    due: datetime.date
    reference: str
    iban: str


class PledgeDesk:
    """Operations for the book's writer, on called campaigns."""

    def __init__(self, outbox: Outbox, companies: CompanyDesk, *, entropy: Callable[[int], bytes]) -> None:
        self._outbox = outbox
        self._companies = companies
        self._entropy = entropy

    def ask(self, page: Page, row: CampaignRow) -> None:
        """Tell the fund the pledge of a campaign that has its pool."""
        assert row.pool is not None
        terms = row.campaign.terms
        donor = self._companies.introduce(page, row.campaign.company)
        letter = make_pledge(make_id(page.now, self._entropy(10)), row.campaign, donor=donor, pool=row.pool)
        values = {
            "campaign_id": row.row,
            "id": letter.id,
            "cents": terms.ceilings.campaign,
            "until": letter.until,
            "at": page.now,
        }
        page.connection.execute(_pledges.insert().values(**seal("pledges", values)))
        self._outbox.send(page, BaseName.FUND, letter)

    def take_accepted(self, page: Page, told: PledgeAccepted) -> None:
        """Start the campaign; told again, nothing changes."""
        row = _find(page.connection, _pledges.c.id == told.id)
        if row is None or row.accepted_at is not None:
            return
        page.connection.execute(_pledges.update().where(_pledges.c.id == told.id).values(accepted_at=page.now, code=""))
        campaign = load_campaigns(page.connection, "id", [row.campaign_id])[row.campaign_id]
        if campaign.campaign.state is CampaignState.DRAFT:
            save_step(page.connection, campaign, advance(campaign.campaign, CampaignEvent.STARTED, page.now))

    def take_refused(self, page: Page, id_: Id16, code: str) -> bool:
        """Note that the fund does not take a pledge; tell whether the id is a pledge's or of its end."""
        done = page.connection.execute(
            _pledges.update()
            .where((_pledges.c.id == id_) | (_pledges.c.told_id == id_), _pledges.c.released.is_(None))
            .values(code=code)
        )
        return bool(done.rowcount)

    def take_called(self, page: Page, told: PaymentCalled) -> None:
        """Keep what the fund calls."""
        connection = page.connection
        siren = connection.execute(
            select(tables.companies.c.siren).where(tables.companies.c.donor == told.donor)
        ).scalar()
        known = connection.execute(select(_calls.c.id).where(_calls.c.id == told.id)).first()
        if siren is None or known is not None:
            return
        values: dict[str, Any] = {
            "id": told.id,
            "siren": siren,
            "month": told.month,
            "cents": told.cents,
            "due": told.due,
            "reference": told.reference,
            "iban": told.iban,
        }
        connection.execute(_calls.insert().values(**seal("calls", values)))
        campaigns = {
            bytes(row.id): row.campaign_id
            for row in connection.execute(select(_pledges).where(_pledges.c.id.in_(told.pledges)))
        }
        for pledge, cents in zip(told.pledges, told.parts, strict=True):
            if pledge in campaigns:
                part = {"call": told.id, "campaign_id": campaigns[pledge], "cents": cents}
                connection.execute(_parts.insert().values(**seal("call_parts", part)))

    def take_payment(self, page: Page, told: PaymentArrived) -> bool:
        """Keep euros of a call, each deposit once; tell whether the id is a call's."""
        connection = page.connection
        if connection.execute(select(_calls.c.id).where(_calls.c.id == told.id)).first() is None:
            return False
        known = select(_payments.c.deposit).where(_payments.c.deposit == told.deposit)
        if connection.execute(known).first() is None:
            values = {"deposit": told.deposit, "call": told.id, "cents": told.cents, "on_day": told.on}
            connection.execute(_payments.insert().values(**values))
        return True

    def take_ended(self, page: Page, told: PledgeEnded) -> None:
        """Keep what the fund releases, and what it may still call."""
        page.connection.execute(
            _pledges.update()
            .where(_pledges.c.told_id == told.id)
            .values(released=told.released, unconverted=told.unconverted, code="")
        )

    def tell_spent(self, page: Page, items: Sequence[datetime.date]) -> list[int]:
        """Tell the fund what campaigns gave that are over on that day, once for each sum; return how many were told."""
        return [self._tell_spent(page, today) for today in items]

    def _tell_spent(self, page: Page, today: datetime.date) -> int:
        rows = page.connection.execute(select(_pledges).where(_pledges.c.accepted_at.is_not(None))).all()
        campaigns = load_campaigns(page.connection, "id", {row.campaign_id for row in rows})
        count = 0
        for row in rows:
            campaign = campaigns[row.campaign_id]
            is_over = campaign.campaign.state is CampaignState.ENDED or campaign.campaign.terms.closes_on < today
            if not is_over or row.told_spent == campaign.spent:
                continue
            id_ = make_id(page.now, self._entropy(10))
            page.connection.execute(
                _pledges.update()
                .where(_pledges.c.id == row.id)
                .values(told_spent=campaign.spent, told_id=id_, released=None, unconverted=None)
            )
            self._outbox.send(page, BaseName.FUND, PledgeSpent(id_, bytes(row.id), campaign.spent))
            count += 1
        return count


def is_called(row: CampaignRow) -> bool:
    return row.campaign.terms.funding is Funding.CALLED


def _find(connection: Connection, where: Any) -> Any:
    return connection.execute(select(_pledges).where(where)).first()


def find_pledge(connection: Connection, campaign_row: int) -> PledgeView | None:
    """Return the pledge of a campaign; None where it has none."""
    row = _find(connection, _pledges.c.campaign_id == campaign_row)
    if row is None:
        return None
    called = connection.execute(select(func.sum(_parts.c.cents)).where(_parts.c.campaign_id == campaign_row)).scalar()
    return PledgeView(
        id=Id16(bytes(row.id)),
        cents=Cents(row.cents),
        until=read_day(row.until),
        is_accepted=row.accepted_at is not None,
        code=row.code,
        called=Cents(int(called or 0)),
        released=None if row.released is None else Cents(row.released),
        unconverted=None if row.unconverted is None else Cents(row.unconverted),
    )


def list_calls(connection: Connection, siren: Siren) -> list[CallView]:
    """Return what the fund called of a company, the oldest month first."""
    arrived = {
        bytes(row[0]): int(row[1])
        for row in connection.execute(select(_payments.c.call, func.sum(_payments.c.cents)).group_by(_payments.c.call))
    }
    return [
        CallView(
            id=Id16(bytes(row.id)),
            month=row.month,
            cents=Cents(row.cents),
            arrived=Cents(arrived.get(bytes(row.id), 0)),
            due=read_day(row.due),
            reference=row.reference,
            iban=row.iban,
        )
        for row in connection.execute(
            select(_calls).where(_calls.c.siren == siren).order_by(_calls.c.month, _calls.c.id)
        )
    ]
