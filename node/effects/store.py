"""SQL of effects: loads and saves, decides nothing. `campaign` is a campaign's id as lots name it, in text."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Select, and_, case, delete, func, insert, select

from node.catalogue.tables import listed_projects
from node.effects.effects import Figures, Line, Place
from node.effects.givers import Given
from node.effects.tables import listed_titles, told_effects
from node.federation.tables import arrivals, cessions, conversions, sent_slips
from node.ledger.tables import origins, transfers
from node.orientation.tables import directed_lots, dues, orientations, projects, round_lots, rounds
from protocol.cession import CessionState
from protocol.identifiers import AccountNumber, TerritoryCode

_AT_ONCE: Final = 500
_TAKEN: Final = ("taken", "paid")
# Whoever hid his address is somebody: all of them together count as one.
_HOLDER: Final = case((orientations.c.holder.like("arrival %"), "arrival"), else_=orientations.c.holder)


class Waiting(NamedTuple):
    """What waits of a campaign in a project here, and of how many holders."""

    campaign: str
    project: bytes
    title: str
    cents: int
    people: int


class Taken(NamedTuple):
    """What one due took of a campaign's lots, for a project here (`people` known) or elsewhere (by its conversion)."""

    campaign: str
    territory: str
    project: bytes
    title: str
    due: bytes
    cents: int
    people: int
    at: int
    confirmed_on: int


def load_waiting(connection: Connection) -> list[Waiting]:
    """Return what is directed to projects here and not converted, of lots that name a campaign."""
    held = directed_lots.c.held
    rows = connection.execute(
        select(
            origins.c.campaign,
            projects.c.op,
            projects.c.shown_name,
            func.sum(held),
            func.count(_HOLDER.distinct()),
        )
        .join_from(directed_lots, origins, origins.c.lot_id == directed_lots.c.lot_id)
        .join(orientations, orientations.c.id == directed_lots.c.orientation_id)
        .join(projects, projects.c.id == directed_lots.c.project_id)
        .where(held > 0, origins.c.campaign != "")
        .group_by(origins.c.campaign, projects.c.op, projects.c.shown_name)
    )
    return [Waiting(row[0], bytes(row[1]), row[2], int(row[3]), int(row[4])) for row in rows]


def _join_home() -> Any:
    return (
        dues.join(rounds, rounds.c.op == dues.c.round_op)
        .join(projects, projects.c.id == rounds.c.project_id)
        .join(round_lots, and_(round_lots.c.round_op == dues.c.round_op, round_lots.c.payer == dues.c.payer))
        .join(orientations, orientations.c.id == round_lots.c.orientation_id)
        .join(origins, origins.c.lot_id == round_lots.c.lot_id)
    )


def load_taken_home(connection: Connection, home: str) -> list[Taken]:
    """Return what our fund owes for rounds of projects here, round by round, up to the first that it has not answered."""
    asked = (
        select(rounds.c.project_id, func.min(rounds.c.round).label("round"))
        .join_from(rounds, dues, dues.c.round_op == rounds.c.op)
        .where(dues.c.payer == home, dues.c.state == "told")
        .group_by(rounds.c.project_id)
        .subquery()
    )
    named = (origins.c.campaign, projects.c.op, projects.c.shown_name, dues.c.id, rounds.c.round)
    rows = connection.execute(
        select(*named, func.sum(round_lots.c.cents), func.count(_HOLDER.distinct()))
        .select_from(_join_home().outerjoin(asked, asked.c.project_id == rounds.c.project_id))
        .where(
            dues.c.payer == home,
            dues.c.state.in_(_TAKEN),
            origins.c.campaign != "",
            (asked.c.round.is_(None)) | (rounds.c.round < asked.c.round),
        )
        .group_by(*named)
        .order_by(projects.c.op, rounds.c.round)
    )
    return [
        Taken(campaign, home, bytes(project), title, bytes(due), int(cents), int(people), number, 0)
        for campaign, project, title, due, number, cents, people in rows
    ]


def load_people(connection: Connection, due: bytes, campaign: str) -> frozenset[str]:
    """Return who had directed what a due took of a campaign's lots."""
    rows = connection.execute(
        select(_HOLDER).distinct().select_from(_join_home()).where(dues.c.id == due, origins.c.campaign == campaign)
    )
    return frozenset(rows.scalars())


def load_taken_abroad(connection: Connection) -> list[Taken]:
    """Return what our fund owes for projects elsewhere, as it was asked, up to the first that it has not answered."""
    asked = (
        select(conversions.c.origin, conversions.c.project, func.min(conversions.c.at).label("at"))
        .where(conversions.c.state == "asked")
        .group_by(conversions.c.origin, conversions.c.project)
        .subquery()
    )
    is_same = and_(asked.c.origin == conversions.c.origin, asked.c.project == conversions.c.project)
    named = (
        *(origins.c.campaign, conversions.c.origin, conversions.c.project, conversions.c.id, conversions.c.at),
        *(conversions.c.confirmed_on, conversions.c.epoch, conversions.c.ix, conversions.c.place),
    )
    rows = connection.execute(
        select(*named, func.sum(transfers.c.cents))
        .select_from(
            conversions.join(transfers, transfers.c.op == conversions.c.op)
            .join(origins, origins.c.lot_id == transfers.c.lot)
            .outerjoin(asked, is_same)
        )
        .where(
            conversions.c.state == "owed",
            origins.c.campaign != "",
            (asked.c.at.is_(None)) | (conversions.c.at < asked.c.at),
        )
        .group_by(*named)
        .order_by(conversions.c.origin, conversions.c.epoch, conversions.c.ix, conversions.c.place)
    )
    return [
        Taken(campaign, origin, bytes(project), "", bytes(id_), int(cents), 0, at, confirmed)
        for campaign, origin, project, id_, at, confirmed, _, _, _, cents in rows
    ]


def load_taken(connection: Connection, home: str) -> list[Taken]:
    """Return what our fund owes, for projects here and elsewhere."""
    return [*load_taken_home(connection, home), *load_taken_abroad(connection)]


def load_given(connection: Connection, addresses: Collection[str]) -> list[Given]:
    """Return what accounts here gave to projects elsewhere, and what came back to them, each with its instant."""
    found: list[Given] = []
    state = func.coalesce(cessions.c.exception, sent_slips.c.state)
    wanted = sorted(addresses)
    for some in (wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE)):
        gave = (cessions.c.beneficiary, origins.c.campaign, cessions.c.account)
        sent = connection.execute(
            select(*gave, func.sum(transfers.c.cents), func.coalesce(sent_slips.c.ended_at, 0).label("ended_at"))
            .join_from(
                cessions,
                sent_slips,
                and_(sent_slips.c.epoch == cessions.c.epoch, sent_slips.c.ix == cessions.c.ix),
            )
            .join(transfers, transfers.c.op == cessions.c.op)
            .join(origins, origins.c.lot_id == transfers.c.lot)
            .where(cessions.c.beneficiary.in_(some), state == CessionState.DELIVERED, origins.c.campaign != "")
            .group_by(*gave, "ended_at")
        )
        found += [Given(*row) for row in sent]
        back = (arrivals.c.giver, origins.c.campaign, arrivals.c.account)
        came = connection.execute(
            select(*back, -func.sum(transfers.c.cents), transfers.c.at)
            .join_from(arrivals, transfers, transfers.c.op == arrivals.c.op)
            .join(origins, origins.c.lot_id == transfers.c.lot)
            .where(arrivals.c.giver.in_(some), arrivals.c.state == "delivered")
            .group_by(*back, transfers.c.at)
        )
        found += [Given(*row) for row in came]
    return found


def _query_new_titles(home: str) -> Select[tuple[str, str, str]]:
    """Titles of projects elsewhere that stand in a catalogue now and are not kept yet."""
    is_known = and_(
        listed_titles.c.territory == listed_projects.c.territory, listed_titles.c.number == listed_projects.c.number
    )
    return (
        select(listed_projects.c.territory, listed_projects.c.number, listed_projects.c.title)
        .outerjoin(listed_titles, is_known)
        .where(listed_titles.c.number.is_(None), listed_projects.c.territory != home)
    )


def keep_titles(connection: Connection, home: str) -> None:
    """Keep the titles of projects elsewhere that stand in a catalogue now."""
    rows = [dict(row._mapping) for row in connection.execute(_query_new_titles(home))]
    if rows:
        connection.execute(insert(listed_titles), rows)


def has_new_titles(connection: Connection, home: str) -> bool:
    """Tell whether a catalogue has titles that are not kept yet."""
    return connection.execute(_query_new_titles(home).limit(1)).first() is not None


def find_title(connection: Connection, territory: TerritoryCode, numbers: Sequence[AccountNumber]) -> str:
    """Return the title of a project elsewhere, or nothing where it was in no catalogue that we read."""
    found = connection.execute(
        select(listed_titles.c.title)
        .where(listed_titles.c.territory == territory, listed_titles.c.number.in_(numbers))
        .limit(1)
    ).scalar()
    return found or ""


def load_told(connection: Connection) -> dict[Place, Line]:
    """Return what was told last, by place."""
    table = told_effects.c
    found: dict[Place, Line] = {}
    for row in connection.execute(select(told_effects).order_by(table.campaign, table.territory, table.project)):
        place = Place(bytes(row.campaign), row.territory, bytes(row.project))
        figures = Figures(row.waiting, row.converted, row.paid, row.netted, row.confirmed)
        found[place] = Line(place, row.title, figures)
    return found


def save_told(connection: Connection, lines: Iterable[Line], now: int) -> None:
    """Keep what is told, in place of what was told before."""
    for line in lines:
        place = line.place._asdict()
        connection.execute(
            delete(told_effects).where(*(told_effects.c[name] == value for name, value in place.items()))
        )
        connection.execute(insert(told_effects).values(**place, title=line.title, **line.figures._asdict(), at=now))
