"""What became of a company's miles: kept as the accounts say it, and read for the company and for its public sheet."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from node.partners import tables
from node.partners.companies import Siren
from node.partners.companies_service import load_company
from node.partners.store import load_campaigns
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.house import EffectTold
from protocol.identifiers import Id16

_effects = tables.effects
_campaigns = tables.campaigns


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One campaign's miles in one project. Cents; `waiting` in whole hundreds of euros, `title` perhaps empty."""

    campaign: Id16
    campaign_title: str
    territory: str
    project: Id16
    title: str
    waiting: Cents
    converted: Cents
    paid: Cents
    netted: Cents
    confirmed: Cents

    @property
    def owed(self) -> Cents:
        return Cents(self.converted - self.paid - self.netted)


def take_effect(page: Page, told: EffectTold) -> None:
    """Keep what the accounts say of a campaign and a project, in place of what they said before. Of no campaign here: passed over."""
    row = load_campaigns(page.connection, "uid", [told.campaign]).get(told.campaign)
    if row is None:
        return
    key = {"campaign_id": row.row, "territory": told.territory, "project": told.project}
    page.connection.execute(delete(_effects).where(*(_effects.c[name] == value for name, value in key.items())))
    page.connection.execute(
        insert(_effects).values(
            **key,
            title=told.title,
            waiting=told.waiting,
            converted=told.converted,
            paid=told.paid,
            netted=told.netted,
            confirmed=told.confirmed,
            at=page.now,
        )
    )


def load_company_effects(connection: Connection, siren: Siren) -> list[Effect]:
    """Return what became of a company's miles: its campaigns in their order, projects by territory. Raises CompanyUnknown."""
    load_company(connection, siren)
    rows = connection.execute(
        select(_effects, _campaigns.c.uid)
        .join(_campaigns, _campaigns.c.id == _effects.c.campaign_id)
        .where(_campaigns.c.siren == siren)
        .order_by(_campaigns.c.id, _effects.c.territory, _effects.c.title, _effects.c.project)
    ).all()
    campaigns = load_campaigns(connection, "id", {row.campaign_id for row in rows})
    return [
        Effect(
            campaign=Id16(bytes(row.uid)),
            campaign_title=campaigns[row.campaign_id].campaign.terms.title,
            territory=row.territory,
            project=Id16(bytes(row.project)),
            title=row.title,
            waiting=Cents(row.waiting),
            converted=Cents(row.converted),
            paid=Cents(row.paid),
            netted=Cents(row.netted),
            confirmed=Cents(row.confirmed),
        )
        for row in rows
        if row.waiting or row.converted
    ]


def find_oriented(connection: Connection, siren: Siren) -> Cents | None:
    """Return what citizens directed of a company's miles, as far as it was told; None where nothing was."""
    told = connection.execute(
        select(func.sum(_effects.c.waiting + _effects.c.converted))
        .join(_campaigns, _campaigns.c.id == _effects.c.campaign_id)
        .where(_campaigns.c.siren == siren)
    ).scalar()
    return None if told is None else Cents(int(told))


def load_all_effects(connection: Connection) -> dict[tuple[bytes, str, bytes], tuple[str, int, int, int, int, int]]:
    """Return what the accounts said last, by campaign, territory and project: the title, and the five figures in their order."""
    figures = (_effects.c.waiting, _effects.c.converted, _effects.c.paid, _effects.c.netted, _effects.c.confirmed)
    rows = connection.execute(
        select(_campaigns.c.uid, _effects.c.territory, _effects.c.project, _effects.c.title, *figures).join(
            _campaigns, _campaigns.c.id == _effects.c.campaign_id
        )
    )
    return {(bytes(uid), territory, bytes(project)): tuple(rest) for uid, territory, project, *rest in rows}


def load_campaign_ids(connection: Connection) -> frozenset[bytes]:
    """Return the ids of all campaigns here: what is told of another is passed over."""
    return frozenset(bytes(uid) for uid in connection.execute(select(_campaigns.c.uid)).scalars())
