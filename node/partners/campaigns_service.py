"""Draft, open and lead campaigns; ask the accounts for a pool and the fund to expect euros; take what they answer.

    draft ──open──▶ (a pool is asked) ──PoolOpened──▶ running, and the fund expects the first payment

The campaign runs from the page in which the pool's number arrives: before, there is nothing to draw from. A called one runs
once the fund accepts its pledge: see `pledges_service`.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from node.partners import store, tables
from node.partners.answering import answer_each
from node.partners.campaigns import Campaign, CampaignEvent, CampaignState, Terms, advance, amend, draft
from node.partners.companies import Siren
from node.partners.companies_service import CompanyDesk, load_company
from node.partners.decisions_service import find_answer, keep_answer
from node.partners.errors import CampaignOpening, CampaignStepRefused
from node.partners.grants import make_id
from node.partners.letters import make_expectation, make_opening
from node.partners.outbox_service import Outbox
from node.partners.pledges_service import PledgeDesk, is_called
from node.partners.seals import seal
from node.partners.store import CampaignRow, load_campaign, load_campaigns, save_step
from protocol.amounts import Cents, require_amount
from protocol.book.worker import Page
from protocol.errors import IdMismatch, Refusal
from protocol.house import BaseName, ExpectationClosed, PaymentArrived, PaymentExpected, PoolOpened
from protocol.identifiers import Id16, format_id, require_id
from protocol.times import read_day, write_day

_campaigns = tables.campaigns
_expectations = tables.expectations


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftCampaign:
    """A campaign as a company asks for it; told again with other terms, the draft is amended."""

    id: Id16
    company: Siren
    terms: Terms

    def __post_init__(self) -> None:
        require_id(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCampaign:
    """Open a drafted campaign: so much is to be paid first, by that day. None: all of its ceiling."""

    campaign: Id16
    due: datetime.date
    cents: Cents | None = None

    def __post_init__(self) -> None:
        if self.cents is not None:
            require_amount(self.cents)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectMore:
    """One payment more of an open campaign. Raises InvalidAmount, InvalidId."""

    id: Id16
    campaign: Id16
    cents: Cents
    due: datetime.date

    def __post_init__(self) -> None:
        require_id(self.id)
        require_amount(self.cents)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadCampaign:
    """Pause, resume or end a campaign; `id` is of who asks."""

    campaign: Id16
    event: CampaignEvent
    id: Id16 | None = None


class CampaignDesk:
    """Operations for the book's writer, on campaigns."""

    def __init__(
        self, outbox: Outbox, companies: CompanyDesk, pledges: PledgeDesk, *, entropy: Callable[[int], bytes]
    ) -> None:
        self._outbox = outbox
        self._pledges = pledges
        self._companies = companies
        self._entropy = entropy

    def draft(self, page: Page, items: Sequence[DraftCampaign]) -> list[Campaign | Refusal]:
        """Draft each campaign, or amend its draft."""
        return answer_each(items, lambda item: self._draft(page, item))

    def open(self, page: Page, items: Sequence[OpenCampaign]) -> list[Campaign | Refusal]:
        """Ask for a pool, and tell the fund who will pay. Asked twice is done once."""
        return answer_each(items, lambda item: self._open(page, item))

    def lead(self, page: Page, items: Sequence[LeadCampaign]) -> list[Campaign | Refusal]:
        """Pause, resume or end each campaign."""
        return answer_each(items, lambda item: self._lead(page, item))

    def expect(self, page: Page, items: Sequence[ExpectMore]) -> list[Id16 | Refusal]:
        """Tell the fund to expect one payment more for each."""
        return answer_each(items, lambda item: self._expect_more(page, item))

    # What other bases answer.

    def take_pool(self, page: Page, opened: PoolOpened) -> None:
        """Start the campaign that asked for this pool, and tell the fund what to expect."""
        row = load_campaigns(page.connection, "asked", [opened.id]).get(opened.id)
        if row is None or row.pool is not None or row.campaign.state is not CampaignState.DRAFT:
            return
        page.connection.execute(_campaigns.update().where(_campaigns.c.id == row.row).values(pool=opened.number))
        row.pool = opened.number
        if is_called(row):
            self._pledges.ask(page, row)
            return
        save_step(page.connection, row, advance(row.campaign, CampaignEvent.STARTED, page.now))
        assert row.first_cents is not None
        assert row.first_due is not None
        id_, due = make_id(page.now, self._entropy(10)), read_day(row.first_due)
        self._tell_expectation(page, row, id_, Cents(row.first_cents), due)

    def take_refused_pools(self, page: Page, refused: Mapping[bytes, str]) -> set[bytes]:
        """Let campaigns whose pool was refused be opened again; return which of these ids are of pools."""
        found = load_campaigns(page.connection, "asked", refused)
        for id_, row in found.items():
            if row.pool is None:
                page.connection.execute(
                    _campaigns.update().where(_campaigns.c.id == row.row).values(asked=None, code=refused[id_])
                )
        return set(found)

    def take_expected(self, page: Page, told: PaymentExpected) -> None:
        """Keep what the payer writes on its transfer."""
        page.connection.execute(
            _expectations.update()
            .where(_expectations.c.id == told.id)
            .values(reference=told.reference, iban=told.iban, code="")
        )

    def take_refused_payment(self, page: Page, id_: Id16, code: str) -> bool:
        """Note that the fund expects nothing; tell whether the id is an expectation's."""
        done = page.connection.execute(_expectations.update().where(_expectations.c.id == id_).values(code=code))
        return bool(done.rowcount)

    def take_closed(self, page: Page, told: ExpectationClosed) -> None:
        """Note that the fund waits for the rest no more; the first word counts."""
        page.connection.execute(
            _expectations.update()
            .where(_expectations.c.id == told.id, _expectations.c.closed_on.is_(None))
            .values(closed_on=told.on)
        )

    def take_payment(self, page: Page, arrived: PaymentArrived) -> None:
        """Raise the budget by euros that arrived, each deposit once."""
        payments = tables.payments
        campaign_id = page.connection.execute(
            select(_expectations.c.campaign_id).where(_expectations.c.id == arrived.id)
        ).scalar()
        is_known = page.connection.execute(
            select(payments.c.cents).where(payments.c.deposit == arrived.deposit)
        ).first()
        if campaign_id is None or is_known is not None:
            return
        page.connection.execute(
            payments.insert().values(
                deposit=arrived.deposit,
                expectation=arrived.id,
                campaign_id=campaign_id,
                cents=arrived.cents,
                on_day=arrived.on,
                at=page.now,
            )
        )
        page.connection.execute(
            _campaigns.update().where(_campaigns.c.id == campaign_id).values(funded=_campaigns.c.funded + arrived.cents)
        )

    # One at a time.

    def _draft(self, page: Page, asked: DraftCampaign) -> Campaign:
        load_company(page.connection, asked.company)
        group = self._companies.circle(page, asked.company).group
        row = load_campaigns(page.connection, "uid", [asked.id]).get(asked.id)
        terms = asked.terms
        values: dict[str, Any] = {
            "terms": store.write_terms(terms),
            "funding": terms.funding,
            "ceiling": terms.ceilings.campaign,
        }
        if row is None:
            made = draft(id=asked.id, company=asked.company, terms=terms, group=group, at=page.now)
            number = store.next_id(page.connection, _campaigns)
            values |= {"id": number, "uid": made.id, "siren": made.company}
            page.connection.execute(_campaigns.insert().values(state=made.state, **seal("campaigns", values)))
            first = {"campaign_id": number, "ix": 0, "state": made.state, "at": page.now}
            page.connection.execute(tables.campaign_steps.insert().values(**seal("campaign_steps", first)))
            return made
        if row.campaign.company != asked.company:
            raise IdMismatch(id=format_id(asked.id), field="company")
        if row.campaign.terms == terms:
            return row.campaign
        amended = amend(row.campaign, terms, group=group)
        if row.asked is not None:
            raise CampaignOpening(campaign=format_id(asked.id))
        values |= {"id": row.row, "uid": asked.id, "siren": asked.company}
        page.connection.execute(
            _campaigns.update().where(_campaigns.c.id == row.row).values(**seal("campaigns", values))
        )
        return amended

    def _open(self, page: Page, asked: OpenCampaign) -> Campaign:
        row = load_campaign(page.connection, asked.campaign)
        if row.asked is not None:
            return row.campaign
        if row.campaign.state is not CampaignState.DRAFT:
            raise CampaignStepRefused(state=row.campaign.state, event=CampaignEvent.STARTED)
        self._companies.introduce(page, row.campaign.company)
        opening = make_opening(make_id(page.now, self._entropy(10)), row.campaign)
        page.connection.execute(
            _campaigns.update()
            .where(_campaigns.c.id == row.row)
            .values(
                asked=opening.id,
                code="",
                first_cents=row.campaign.terms.ceilings.campaign if asked.cents is None else asked.cents,
                first_due=write_day(asked.due),
            )
        )
        self._outbox.send(page, BaseName.ACCOUNTS, opening)
        return row.campaign

    def _lead(self, page: Page, asked: LeadCampaign) -> Campaign:
        row = load_campaign(page.connection, asked.campaign)
        words = ("lead", asked.campaign.hex(), asked.event)
        then = find_answer(page.connection, asked.id, *words)
        if then is not None:
            return replace(row.campaign, steps=row.campaign.steps[: int(then)])  # as it stood then
        if asked.event is CampaignEvent.STARTED and row.campaign.state is CampaignState.DRAFT:
            raise CampaignStepRefused(state=row.campaign.state, event=asked.event)  # `open` starts it
        after = advance(row.campaign, asked.event, page.now)
        if after is not row.campaign:
            save_step(page.connection, row, after)
        keep_answer(page, asked.id, str(len(after.steps)), *words)
        return after

    def _expect_more(self, page: Page, asked: ExpectMore) -> Id16:
        row = load_campaign(page.connection, asked.campaign)
        known = page.connection.execute(select(_expectations).where(_expectations.c.id == asked.id)).first()
        if known is not None:
            for field, kept, told in (
                ("campaign", known.campaign_id, row.row),
                ("cents", known.cents, asked.cents),
                ("due", known.due, write_day(asked.due)),
            ):
                if kept != told:
                    raise IdMismatch(id=format_id(asked.id), field=field)
            return asked.id
        if row.pool is None or is_called(row):  # a pledge is called by the fund
            raise CampaignStepRefused(state=row.campaign.state, event="paid")
        self._tell_expectation(page, row, asked.id, asked.cents, asked.due)
        return asked.id

    def _tell_expectation(self, page: Page, row: CampaignRow, id_: Id16, cents: Cents, due: datetime.date) -> None:
        assert row.pool is not None
        donor = self._companies.introduce(page, row.campaign.company)
        letter = make_expectation(id_, row.campaign, donor=donor, pool=row.pool, cents=cents, due=due)
        values = {"id": id_, "campaign_id": row.row, "cents": cents, "due": write_day(due), "at": page.now}
        page.connection.execute(_expectations.insert().values(**seal("expectations", values)))
        self._outbox.send(page, BaseName.FUND, letter)
