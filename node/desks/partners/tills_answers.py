"""What tills and companies are answered, as typed structs. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET, Struct, UnsetType

from node.partners.ceilings import YearUse
from node.partners.companies import PublicSheet
from node.partners.counterparts import Standing
from node.partners.grants import GrantState
from node.partners.reading_service import CampaignView
from node.partners.sales import RefundAnswer, RefundState, SaleAnswer, SaleState
from node.partners.vouchers import ClaimAnswer
from protocol.errors import Fact, Refusal
from protocol.identifiers import format_id
from protocol.running.explanations import explain
from protocol.times import format_instant


class PurchaseLine(Struct, frozen=True, omit_defaults=True):
    """What became of a sale: `status` is granted, pending, ticket or refused; a refused one says why.

    Pending: taken, and credited when the accounts answer; ask again with the same id.
    """

    id: str
    status: str
    cents: int = 0
    received_at: str = ""
    repeated: bool = False
    ticket: str = ""
    ticket_qr: str = ""
    expires_on: str = ""
    code: str = ""
    facts: dict[str, Fact] = {}
    explanation: str = ""


class BatchAnswer(Struct, frozen=True):
    """One line for each sale, in the same order."""

    items: list[PurchaseLine]


class RefundLine(Struct, frozen=True, omit_defaults=True):
    """What a refund did: cents of miles due, cents taken back, and `note`: taken, part_oriented, all_oriented, nothing_due.

    `status` is done or pending; `code` says why the accounts took nothing back.
    """

    id: str
    purchase: str
    status: str
    due_cents: int
    taken_cents: int
    repeated: bool
    note: str = ""
    code: str = ""
    explanation: str = ""


class ClaimLine(Struct, frozen=True):
    """A claimed ticket: `status` is granted or pending."""

    status: str
    cents: int
    repeated: bool


class ExpectationLine(Struct, frozen=True):
    """A payment that the fund expects; reference and IBAN are empty until the fund said them.

    `closed_on`: since that day it waits for the rest no more; empty while it does.
    """

    id: str
    cents: int
    arrived_cents: int
    due: str
    reference: str
    iban: str
    closed_on: str


class CampaignAnswer(Struct, frozen=True):
    """A campaign and its budget, in cents. `waiting`: granted, and not yet credited; `in_tickets`: not yet claimed."""

    id: str
    title: str
    state: str
    funding: str
    opens_on: str
    closes_on: str
    ceiling_cents: int
    funded_cents: int
    spent_cents: int
    left_cents: int
    waiting_cents: int
    in_tickets_cents: int
    expected: list[ExpectationLine]


class CampaignsAnswer(Struct, frozen=True):
    """The company's campaigns, the oldest first."""

    items: list[CampaignAnswer]


class YearLine(Struct, frozen=True):
    """A fiscal year: its legal ceiling, how much of it is used and left, and what is carried on and lost. Cents."""

    starts_on: str
    ends_on: str
    ceiling_cents: int
    used_cents: int
    of_year_cents: int
    of_earlier_cents: int
    left_cents: int
    carried_cents: int
    lost_cents: int


class CeilingsAnswer(Struct, frozen=True):
    """The fiscal years up to this one."""

    items: list[YearLine]


class StandingAnswer(Struct, frozen=True):
    """What the company gave this fiscal year, received in return, and may receive. Cents."""

    given_cents: int
    received_cents: int
    allowed_cents: int
    over_cents: int


class SheetAnswer(Struct, frozen=True):
    """What anybody may read of a company; `holders` is null where they are too few. Cents.

    `oriented_cents`: what citizens directed to projects; missing where the accounts have not told it, or `holders` is null.
    """

    siren: str
    name: str
    legal_form: str
    city: str
    group: list[str]
    campaigns: list[str]
    paid_cents: int
    granted_cents: int
    holders: int | None
    oriented_cents: int | UnsetType = UNSET


def tell_purchase(id_: str, told: SaleAnswer | Refusal, language: str) -> PurchaseLine:
    """Return the line of one sale."""
    refusal = told if isinstance(told, Refusal) else told.refusal
    if refusal is not None:
        words = explain(refusal.code, refusal.facts, language)
        return PurchaseLine(id_, "refused", code=refusal.code, facts=refusal.facts, explanation=words)
    assert isinstance(told, SaleAnswer)
    status = "granted"
    if told.state is SaleState.VOUCHER:
        status = "ticket"
    elif told.is_pending:
        status = "pending"
    return PurchaseLine(
        id_,
        status,
        cents=told.cents,
        received_at=format_instant(told.received_at),
        repeated=told.is_repeat,
        ticket=told.ticket or "",
        ticket_qr=told.ticket_qr or "",
        expires_on="" if told.expires_on is None else told.expires_on.isoformat(),
    )


def tell_refund(purchase: str, told: RefundAnswer, language: str) -> RefundLine:
    """Return what a refund did."""
    return RefundLine(
        id=told.id,
        purchase=purchase,
        status="done" if told.state is RefundState.DONE else "pending",
        due_cents=told.due,
        taken_cents=told.taken,
        repeated=told.is_repeat,
        note=str(told.note or ""),
        code=told.code,
        explanation=explain(told.code, {}, language) if told.code else "",
    )


def tell_claim(told: ClaimAnswer, state: GrantState) -> ClaimLine:
    """Return what a claim did; a refused one is raised before."""
    return ClaimLine("pending" if state is GrantState.TOLD else "granted", told.cents, told.is_repeat)


def tell_campaign(view: CampaignView) -> CampaignAnswer:
    """Return a campaign as its company sees it."""
    row, terms = view.row, view.row.campaign.terms
    return CampaignAnswer(
        id=format_id(row.campaign.id),
        title=terms.title,
        state=str(row.campaign.state),
        funding=str(terms.funding),
        opens_on=terms.opens_on.isoformat(),
        closes_on=terms.closes_on.isoformat(),
        ceiling_cents=terms.ceilings.campaign,
        funded_cents=row.funded,
        spent_cents=row.spent,
        left_cents=row.budget.left,
        waiting_cents=view.waiting,
        in_tickets_cents=view.in_tickets,
        expected=[
            ExpectationLine(
                id=format_id(one.id),
                cents=one.cents,
                arrived_cents=one.arrived,
                due=one.due.isoformat(),
                reference=one.reference,
                iban=one.iban,
                closed_on="" if one.closed_on is None else one.closed_on.isoformat(),
            )
            for one in view.expectations
        ],
    )


def tell_years(uses: Sequence[YearUse]) -> CeilingsAnswer:
    """Return how the legal ceiling is used, year by year."""
    return CeilingsAnswer(
        [
            YearLine(
                starts_on=use.year.starts_on.isoformat(),
                ends_on=use.year.ends_on.isoformat(),
                ceiling_cents=use.ceiling,
                used_cents=use.used,
                of_year_cents=use.of_year,
                of_earlier_cents=sum(cents for _, cents in use.of_earlier),
                left_cents=use.left,
                carried_cents=sum(one.cents for one in use.carried),
                lost_cents=sum(cents for _, cents in use.lost),
            )
            for use in uses
        ]
    )


def tell_standing(standing: Standing) -> StandingAnswer:
    """Return the running test of counterparts."""
    return StandingAnswer(standing.given, standing.received, standing.allowed, standing.over)


def tell_sheet(sheet: PublicSheet) -> SheetAnswer:
    """Return the public sheet."""
    return SheetAnswer(
        siren=sheet.siren,
        name=sheet.name,
        legal_form=sheet.legal_form,
        city=sheet.city,
        group=list(sheet.group),
        campaigns=list(sheet.campaigns),
        paid_cents=sheet.paid,
        granted_cents=sheet.granted,
        holders=sheet.holders,
        oriented_cents=UNSET if sheet.oriented is None else sheet.oriented,
    )
