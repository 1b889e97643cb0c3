"""Loads and saves offers, requests, applications and hours. Decides nothing."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from node.governance.days import read_day, write_day
from node.governance.passes import tables as pass_tables
from node.governance.passes.errors import ApplicationUnknown, OfferUnknown, RequestUnknown
from node.governance.passes.passes import PassState
from node.governance.skills import SkillCode
from node.governance.store import save
from node.governance.volunteering import tables
from node.governance.volunteering.hours import Hours, HoursState
from node.governance.volunteering.matching import Wishes
from node.governance.volunteering.offers import PLACED, Application, ApplicationState, Domain, Offer, OfferState, Remote
from node.governance.volunteering.places import Place
from protocol.book.worker import Page
from protocol.identifiers import AccountNumber, Id16, format_id

_offers, _requests = tables.volunteer_offers, tables.volunteer_requests
_applications, _hours = tables.applications, tables.told_hours


def _codes(text: str) -> tuple[SkillCode, ...]:
    return tuple(SkillCode(one) for one in text.split())


def save_offer(page: Page, offer: Offer, *, by: str) -> None:
    """Keep a new offer."""
    place = offer.place
    save(
        page.connection,
        _offers,
        id=offer.id,
        project=offer.project,
        title=offer.title,
        words=offer.words,
        domain=offer.domain,
        remote=offer.remote,
        place=None if place is None else place.code,
        place_name=None if place is None else place.name,
        latitude=None if place is None else place.latitude,
        longitude=None if place is None else place.longitude,
        first_on=write_day(offer.first_on),
        last_on=write_day(offer.last_on),
        minutes=offer.minutes,
        places=offer.places,
        needed=" ".join(offer.needed),
        wanted=" ".join(offer.wanted),
        state=offer.state,
        reason="",
        by=by,
        at=page.now,
    )


def list_offers(connection: Connection, *where: ColumnElement[bool]) -> list[Offer]:
    """Return the offers that fit, the oldest first."""
    rows = connection.execute(select(_offers).where(*where).order_by(_offers.c.at, _offers.c.id))
    return [
        Offer(
            id=Id16(bytes(row.id)),
            project=Id16(bytes(row.project)),
            title=row.title,
            words=row.words,
            domain=Domain(row.domain),
            remote=Remote(row.remote),
            place=None
            if row.place is None
            else Place(code=row.place, name=row.place_name, latitude=row.latitude, longitude=row.longitude),
            first_on=read_day(row.first_on),
            last_on=read_day(row.last_on),
            minutes=row.minutes,
            places=row.places,
            needed=_codes(row.needed),
            wanted=_codes(row.wanted),
            state=OfferState(row.state),
        )
        for row in rows
    ]


def load_offer(connection: Connection, id_: bytes) -> Offer:
    """Return an offer. Raises OfferUnknown."""
    found = list_offers(connection, _offers.c.id == id_)
    if not found:
        raise OfferUnknown(offer=format_id(Id16(bytes(id_))))
    return found[0]


def count_placed(connection: Connection, offer: bytes) -> int:
    """Return how many people hold a place of an offer."""
    held = select(func.sum(_applications.c.people)).where(
        _applications.c.offer == offer, _applications.c.state.in_(PLACED)
    )
    return int(connection.execute(held).scalar() or 0)


def list_applications(connection: Connection, *where: ColumnElement[bool]) -> list[Application]:
    """Return the applications that fit, the oldest first."""
    rows = connection.execute(select(_applications).where(*where).order_by(_applications.c.at, _applications.c.id))
    return [
        Application(
            id=Id16(bytes(row.id)),
            offer=Id16(bytes(row.offer)),
            account=AccountNumber(row.account),
            words=row.words,
            people=row.people,
            label=row.label,
            state=ApplicationState(row.state),
            reason=row.reason,
        )
        for row in rows
    ]


def load_application(connection: Connection, id_: bytes) -> Application:
    """Return an application. Raises ApplicationUnknown."""
    found = list_applications(connection, _applications.c.id == id_)
    if not found:
        raise ApplicationUnknown(application=format_id(Id16(bytes(id_))))
    return found[0]


def list_hours(connection: Connection, application: bytes) -> list[Hours]:
    """Return what was told of an application, by day."""
    passes = pass_tables.passes
    rows = connection.execute(
        select(_hours, passes.c.state.label("pass_state"))
        .join(passes, passes.c.id == _hours.c["pass"], isouter=True)
        .where(_hours.c.application == application)
        .order_by(_hours.c.on_day, _hours.c.at, _hours.c.id)
    )
    return [
        Hours(
            id=Id16(bytes(row.id)),
            on_day=row.on_day,
            minutes=row.minutes,
            words=row.words,
            state=HoursState(row.state),
            pass_id=bytes(row._mapping["pass"] or b""),
            is_free=row.pass_state in (None, PassState.REFUSED),
        )
        for row in rows
    ]


def load_request(connection: Connection, id_: bytes) -> Any:
    """Return a request as a row. Raises RequestUnknown."""
    row = connection.execute(select(_requests).where(_requests.c.id == id_)).first()
    if row is None:
        raise RequestUnknown(request=format_id(Id16(bytes(id_))))
    return row


def list_requests(connection: Connection, today: int) -> list[Any]:
    """Return the requests that are open on a day, as rows, the oldest first."""
    return list(
        connection.execute(
            select(_requests)
            .where(_requests.c.closed_at.is_(None), _requests.c.until_day >= today)
            .order_by(_requests.c.at, _requests.c.id)
        ).all()
    )


def make_wishes(row: Any, today: datetime.date) -> Wishes:
    """Return what a request asks for, as it is matched."""
    return Wishes(
        home=Place(code=row.place, name=row.place_name, latitude=row.latitude, longitude=row.longitude),
        radius=row.radius,
        skills=_codes(row.skills),
        today=today,
        takes_remote=bool(row.takes_remote),
    )
