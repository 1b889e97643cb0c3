"""What is read of companies: budgets, payments expected, the legal ceiling used, counterparts, the public sheet."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from node.partners import store, tables
from node.partners.campaigns import CampaignState
from node.partners.ceilings import YearFigures, YearUse, list_years, use_ceilings, year_of
from node.partners.companies import PublicSheet, Siren, make_public_sheet
from node.partners.companies_service import load_circle, load_company
from node.partners.counterparts import Standing, compute_standing
from node.partners.counterparts_service import load_calendar, load_gifts, load_register
from node.partners.effects_service import find_oriented
from node.partners.grants import GrantState
from node.partners.parameters_store import load_ceiling_rules, load_counterpart_limit
from node.partners.pledges_service import PledgeView, find_pledge
from node.partners.store import CampaignRow
from protocol.amounts import Cents
from protocol.identifiers import Id16
from protocol.times import read_day, write_day

_campaigns = tables.campaigns
_grants = tables.grants


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A payment that the fund expects: what the company writes on its transfer, once the fund said it.

    `closed_on`: since when it waits for the rest no more.
    """

    id: Id16
    cents: Cents
    arrived: Cents
    due: datetime.date
    reference: str
    iban: str
    code: str  # why the fund refused it
    closed_on: datetime.date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignView:
    """A campaign as its company sees it. `waiting`: told to the accounts, which have not answered yet."""

    row: CampaignRow
    waiting: Cents
    in_tickets: Cents
    expectations: tuple[Expectation, ...]
    pledge: PledgeView | None


def load_campaign_view(connection: Connection, uid: Id16) -> CampaignView:
    """Return a campaign with what is waited for. Raises CampaignUnknown."""
    row = store.load_campaign(connection, uid)
    waiting = connection.execute(
        select(func.sum(_grants.c.cents)).where(_grants.c.campaign_id == row.row, _grants.c.state == GrantState.TOLD)
    ).scalar()
    vouchers = tables.vouchers
    in_tickets = connection.execute(
        select(func.sum(vouchers.c.cents)).where(vouchers.c.campaign_id == row.row, vouchers.c.state == "open")
    ).scalar()
    return CampaignView(
        row=row,
        waiting=Cents(int(waiting or 0)),
        in_tickets=Cents(int(in_tickets or 0)),
        expectations=_load_expectations(connection, row.row),
        pledge=find_pledge(connection, row.row),
    )


def _load_expectations(connection: Connection, campaign_row: int) -> tuple[Expectation, ...]:
    table, payments = tables.expectations, tables.payments
    arrived = {
        bytes(id_): int(cents)
        for id_, cents in connection.execute(
            select(payments.c.expectation, func.sum(payments.c.cents))
            .where(payments.c.campaign_id == campaign_row)
            .group_by(payments.c.expectation)
        )
    }
    rows = connection.execute(select(table).where(table.c.campaign_id == campaign_row).order_by(table.c.id))
    return tuple(
        Expectation(
            id=Id16(bytes(row.id)),
            cents=Cents(row.cents),
            arrived=Cents(arrived.get(bytes(row.id), 0)),
            due=read_day(row.due),
            reference=row.reference,
            iban=row.iban,
            code=row.code,
            closed_on=None if row.closed_on is None else read_day(row.closed_on),
        )
        for row in rows
    )


def list_company_campaigns(connection: Connection, siren: Siren) -> list[CampaignRow]:
    """Return a company's campaigns, the oldest first."""
    return store.list_campaigns(connection, _campaigns.c.siren == siren)


def load_ceiling_use(
    connection: Connection, siren: Siren, until: datetime.date, *, months_max: int
) -> tuple[YearUse, ...]:
    """Return how the legal ceiling is used in each fiscal year, to the one that holds `until`: from euros that arrived.

    A year whose turnover is not entered counts with none: its ceiling is the fixed sum.
    Raises CompanyUnknown, InvalidFiscalYear.
    """
    calendar = load_calendar(connection, siren, months_max=months_max)
    gifts = load_gifts(connection, siren)
    table = tables.turnovers
    turnovers = {
        row[0]: row[1]
        for row in connection.execute(select(table.c.starts_on, table.c.cents).where(table.c.siren == siren))
    }
    return use_ceilings(
        [
            YearFigures(
                year=year,
                paid=Cents(sum(gift.cents for gift in gifts if year.holds(gift.day))),
                turnover=Cents(turnovers.get(write_day(year.starts_on), 0)),
                rules=load_ceiling_rules(year.ends_on),
            )
            for year in list_years(calendar, until)
        ]
    )


def load_standing(connection: Connection, siren: Siren, on: datetime.date, *, months_max: int) -> Standing:
    """Return what a company received in return, against what it may. Raises CompanyUnknown, InvalidFiscalYear."""
    year = year_of(load_calendar(connection, siren, months_max=months_max), on)
    register = load_register(connection, siren, year)
    return compute_standing(register, on=on, basis_points=load_counterpart_limit(on))


def load_public_sheet(connection: Connection, siren: Siren, *, holders_min: int) -> PublicSheet:
    """Return what anybody may read of a company; what citizens oriented as far as the accounts told it. Raises CompanyUnknown."""
    company = load_company(connection, siren)
    rows = list_company_campaigns(connection, siren)
    ids = [row.row for row in rows]
    granted, holders = connection.execute(
        select(func.sum(_grants.c.cents - _grants.c.taken), func.count(func.distinct(_grants.c.account))).where(
            _grants.c.campaign_id.in_(ids), _grants.c.state == GrantState.GRANTED, _grants.c.cents > _grants.c.taken
        )
    ).one()
    oriented = find_oriented(connection, siren)
    # What a pool gave to solidarity was given out by no till, and may be oriented all the same: the sheet counts none of it.
    of_granted = None if oriented is None else Cents(min(oriented, int(granted or 0)))
    return make_public_sheet(
        company,
        group=load_circle(connection, siren).group,
        campaigns=[row.campaign.terms.title for row in rows if row.campaign.state is CampaignState.RUNNING],
        paid=Cents(sum(gift.cents for gift in load_gifts(connection, siren))),
        granted=Cents(int(granted or 0)),
        oriented=of_granted,
        holders=int(holders),
        holders_min=holders_min,
    )
