"""SQL that several rooms of the companies base share: campaigns with their budget, sums, ids. Decides nothing."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, select

from node.partners import tables
from node.partners.campaigns import (
    Budget,
    Campaign,
    CampaignState,
    Ceilings,
    FixedSum,
    Funding,
    PercentOfSale,
    Restriction,
    RestrictionKind,
    Rule,
    Step,
    Terms,
)
from node.partners.companies import Siren
from node.partners.errors import CampaignUnknown
from node.partners.seals import seal
from protocol.amounts import CENTS_MAX, Cents
from protocol.book.rows_store import insert_or_add, select_rows, update_rows
from protocol.errors import Fact, Refusal
from protocol.identifiers import Id16, format_id
from protocol.times import Instant, parse_day

_campaigns = tables.campaigns
_CAMPAIGN = (
    *("id", "uid", "siren", "terms", "funding", "state", "asked", "first_cents", "first_due", "pool"),
    *("code", "funded", "spent"),
)


@dataclass(slots=True, kw_only=True)
class CampaignRow:
    """A campaign as this page has it. `spent` moves with what is decided; `save_spent` writes the difference."""

    row: int
    campaign: Campaign
    asked: Id16 | None
    first_cents: int | None
    first_due: int | None
    pool: str | None
    code: str
    funded: int
    spent: int
    spent_before: int

    @property
    def budget(self) -> Budget:
        terms = self.campaign.terms
        return Budget(
            funding=terms.funding,
            ceiling=terms.ceilings.campaign,
            funded=Cents(min(self.funded, CENTS_MAX)),
            spent=Cents(self.spent),
        )


def next_id(connection: Connection, table: Table) -> int:
    """Return the next number of a row: the book has one writer."""
    return int(connection.execute(select(func.max(table.c.id))).scalar() or 0) + 1


def load_campaigns(connection: Connection, column: str, values: Iterable[Any]) -> dict[Any, CampaignRow]:
    """Return the campaigns whose `column` (id, uid or asked) is one of these, by it; what nobody has is missing."""
    rows = [
        dict(zip(_CAMPAIGN, row, strict=True))
        for row in select_rows(connection, _campaigns, _CAMPAIGN, column=column, values=set(values))
    ]
    return _make_campaigns(connection, rows, column)


def list_campaigns(connection: Connection, *where: ColumnElement[bool]) -> list[CampaignRow]:
    """Return the campaigns that fit, the oldest first."""
    found = connection.execute(
        select(*(_campaigns.c[name] for name in _CAMPAIGN)).where(*where).order_by(_campaigns.c.id)
    )
    return list(_make_campaigns(connection, [dict(row._mapping) for row in found], "id").values())


def load_campaign(connection: Connection, uid: Id16) -> CampaignRow:
    """Return the campaign. Raises CampaignUnknown."""
    found = load_campaigns(connection, "uid", [uid]).get(uid)
    if found is None:
        raise CampaignUnknown(campaign=format_id(uid))
    return found


def _make_campaigns(connection: Connection, rows: Sequence[Mapping[str, Any]], column: str) -> dict[Any, CampaignRow]:
    steps: dict[int, list[tuple[int, Step]]] = defaultdict(list)
    for campaign_id, ix, state, at in select_rows(
        connection,
        tables.campaign_steps,
        ("campaign_id", "ix", "state", "at"),
        column="campaign_id",
        values=[row["id"] for row in rows],
    ):
        steps[campaign_id].append((ix, Step(state=CampaignState(state), at=Instant(at))))
    found: dict[Any, CampaignRow] = {}
    for row in rows:
        key = row[column]
        found[bytes(key) if isinstance(key, bytes | memoryview) else key] = CampaignRow(
            row=row["id"],
            campaign=Campaign(
                id=Id16(bytes(row["uid"])),
                company=Siren(row["siren"]),
                terms=read_terms(row["terms"]),
                steps=tuple(step for _, step in sorted(steps[row["id"]], key=lambda one: one[0])),
            ),
            asked=None if row["asked"] is None else Id16(bytes(row["asked"])),
            first_cents=row["first_cents"],
            first_due=row["first_due"],
            pool=row["pool"],
            code=row["code"],
            funded=row["funded"],
            spent=row["spent"],
            spent_before=row["spent"],
        )
    return found


def save_spent(connection: Connection, rows: Iterable[CampaignRow]) -> None:
    """Write what was decided of budgets; the table refuses what goes beyond a limit."""
    moved = [(row.spent - row.spent_before, row.row) for row in rows if row.spent != row.spent_before]
    update_rows(connection, _campaigns, moved, adding=("spent",), key=("id",))
    for row in rows:
        row.spent_before = row.spent


def save_step(connection: Connection, row: CampaignRow, after: Campaign) -> None:
    """Add the last step of a campaign that advanced."""
    table = tables.campaign_steps
    step = after.steps[-1]
    connection.execute(
        table.insert().values(
            **seal(
                "campaign_steps",
                {"campaign_id": row.row, "ix": len(after.steps) - 1, "state": step.state, "at": step.at},
            )
        )
    )
    connection.execute(_campaigns.update().where(_campaigns.c.id == row.row).values(state=step.state))
    row.campaign = after


def add_to_holder_days(connection: Connection, sums: Mapping[str, int]) -> None:
    """Add to, or take from, what holders were given on days."""
    table = tables.holder_days
    insert_or_add(
        connection,
        table,
        ("key", "cents"),
        [(key, cents) for key, cents in sums.items() if cents > 0],
        key=("key",),
        adding=("cents",),
    )
    update_rows(
        connection, table, [(cents, key) for key, cents in sums.items() if cents < 0], adding=("cents",), key=("key",)
    )


def write_facts(refusal: Refusal) -> str:
    """Return the facts of a refusal as they are kept."""
    return json.dumps(refusal.facts, ensure_ascii=False)


def read_facts(text: str) -> dict[str, Fact]:
    """Return the facts as they were."""
    facts: dict[str, Fact] = json.loads(text)
    return facts


def write_terms(terms: Terms) -> str:
    """Return what a company promises, as JSON."""
    rule = terms.rule
    is_percent = isinstance(rule, PercentOfSale)
    return json.dumps(
        {
            "title": terms.title,
            "rule": "percent" if is_percent else "fixed",
            "rate": rule.basis_points if isinstance(rule, PercentOfSale) else rule.cents,
            "threshold": rule.threshold,
            "ceilings": [terms.ceilings.campaign, terms.ceilings.purchase, terms.ceilings.day_and_holder],
            "opens_on": terms.opens_on.isoformat(),
            "closes_on": terms.closes_on.isoformat(),
            "funding": terms.funding,
            "restriction": None if terms.restriction is None else [terms.restriction.kind, terms.restriction.value],
        },
        ensure_ascii=False,
    )


def read_terms(text: str) -> Terms:
    """Return the terms as they were kept."""
    told = json.loads(text)
    campaign, purchase, day_and_holder = told["ceilings"]
    threshold = Cents(told["threshold"])
    rule: Rule
    if told["rule"] == "percent":
        rule = PercentOfSale(basis_points=told["rate"], threshold=threshold)
    else:
        rule = FixedSum(cents=Cents(told["rate"]), threshold=threshold)
    restriction = told["restriction"]
    return Terms(
        title=told["title"],
        rule=rule,
        ceilings=Ceilings(campaign=campaign, purchase=purchase, day_and_holder=day_and_holder),
        opens_on=parse_day(told["opens_on"], "opens_on"),
        closes_on=parse_day(told["closes_on"], "closes_on"),
        funding=Funding(told["funding"]),
        restriction=None
        if restriction is None
        else Restriction(kind=RestrictionKind(restriction[0]), value=restriction[1]),
    )
