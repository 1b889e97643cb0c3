"""Offers, requests and hours as people and programs write them: JSON with days as yyyy-mm-dd and degrees as text. Pure."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from node.desks.accounts.requests import AccountText, Id, read_account
from node.desks.projects.requests import read_degrees
from node.doors.bodies import read_whole
from node.governance.days import parse_day, read_day
from node.governance.passes.errors import InvalidOffer
from node.governance.skills import SkillCode
from node.governance.volunteering.hours import Hours
from node.governance.volunteering.matching import Wishes
from node.governance.volunteering.offers import Application, Domain, Offer, Remote
from node.governance.volunteering.places import Place
from node.governance.volunteering.volunteering_service import NewRequest
from protocol.identifiers import AccountNumber, Id16, TerritoryCode, parse_id

RADIUS_KM: Final = 30


class PlaceItem(Struct, frozen=True, forbid_unknown_fields=True):
    """A commune by its INSEE code, as {"code": "29019", "name": "Brest", "latitude": "48.3904", "longitude": "-4.4861"}."""

    code: str
    name: str
    latitude: str
    longitude: str


class OfferRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What a project asks of volunteers; fields and words are those of API Engagement. `minutes` are for one person."""

    project: Id
    title: str
    words: str
    domain: Domain
    first_on: str
    last_on: str
    minutes: int
    places: int
    remote: Remote = Remote.NO
    place: PlaceItem | None = None
    needed: Annotated[list[str], Meta(max_length=12)] = []
    wanted: Annotated[list[str], Meta(max_length=12)] = []


class SearchRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody, or a group of `people`, looks for something to do near a place, until a day."""

    id: Id
    account: AccountText
    place: PlaceItem
    until: str
    radius_km: int = RADIUS_KM
    skills: Annotated[list[str], Meta(max_length=12)] = []
    takes_remote: bool = True
    people: int = 1


class ApplicationRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody, or a group of `people` with a public name, offers to take part."""

    id: Id
    account: AccountText
    words: Annotated[str, Meta(max_length=4_000)] = ""
    people: int = 1
    label: Annotated[str, Meta(max_length=80)] = ""


class LeaveRequest(Struct, frozen=True, forbid_unknown_fields=True):
    id: Id
    account: AccountText


class HoursRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What was done on one day; `minutes` are those of all people of a group together."""

    id: Id
    account: AccountText
    on: str
    minutes: int
    words: Annotated[str, Meta(max_length=200)]


def read_place(asked: PlaceItem) -> Place:
    """Return the place. Raises InvalidOffer, InvalidSheet."""
    return Place(
        code=asked.code,
        name=asked.name,
        latitude=read_degrees(asked.latitude, "latitude", 90),
        longitude=read_degrees(asked.longitude, "longitude", 180),
    )


def read_offer(id_: Id16, told: Any) -> Offer:
    """Return the offer of a JSON value. Raises InvalidOffer, InvalidId, InvalidTime."""
    try:
        asked = msgspec.convert(told, OfferRequest)
    except msgspec.ValidationError as error:
        raise InvalidOffer(field="file", reason=str(error)[:200]) from None
    return Offer(
        id=id_,
        project=parse_id(asked.project),
        title=asked.title,
        words=asked.words,
        domain=asked.domain,
        remote=asked.remote,
        place=None if asked.place is None else read_place(asked.place),
        first_on=read_day(parse_day(asked.first_on, "first_on")),
        last_on=read_day(parse_day(asked.last_on, "last_on")),
        minutes=asked.minutes,
        places=asked.places,
        needed=tuple(SkillCode(one) for one in asked.needed),
        wanted=tuple(SkillCode(one) for one in asked.wanted),
    )


def read_search(asked: SearchRequest, account: AccountNumber) -> NewRequest:
    """Return the request. Raises InvalidOffer, InvalidId, InvalidTime."""
    return NewRequest(
        id=parse_id(asked.id),
        account=account,
        home=read_place(asked.place),
        radius=asked.radius_km * 1_000,
        skills=tuple(SkillCode(one) for one in asked.skills),
        takes_remote=asked.takes_remote,
        people=asked.people,
        until_day=parse_day(asked.until, "until"),
    )


def read_search_file(id_: str, told: Any, home: TerritoryCode) -> NewRequest:
    """Return the request of a JSON value without its id. Raises InvalidOffer, InvalidAddress, InvalidId, InvalidTime."""
    try:
        asked = msgspec.convert({"id": id_, **told} if isinstance(told, dict) else told, SearchRequest)
    except msgspec.ValidationError as error:
        raise InvalidOffer(field="file", reason=str(error)[:200]) from None
    return read_search(asked, read_account(asked.account, home))


def read_application(asked: ApplicationRequest, offer: Id16, account: AccountNumber) -> Application:
    """Return the application. Raises InvalidOffer, InvalidId."""
    return Application(
        id=parse_id(asked.id),
        offer=offer,
        account=account,
        words=asked.words,
        people=asked.people,
        label=asked.label,
    )


def read_hours(id_: Id16, on: str, minutes: int, words: str) -> Hours:
    """Return what was done on a day. Raises InvalidOffer, InvalidTime."""
    return Hours(id=id_, on_day=parse_day(on, "on"), minutes=minutes, words=words)


def read_wishes(query: Any, today: int) -> tuple[Wishes, int]:
    """Return what a query looks for, and for how many people. Raises InvalidOffer, InvalidSheet, Malformed."""
    home = Place(
        code=query.get("commune", "29000"),
        name="-",
        latitude=read_degrees(query.get("latitude", ""), "latitude", 90),
        longitude=read_degrees(query.get("longitude", ""), "longitude", 180),
    )
    radius = read_whole(query.get("radius_km"), "radius_km")
    people = read_whole(query.get("people"), "people")
    codes = [one for one in query.get("skills", "").split(",") if one]
    if len(codes) > 12:
        raise InvalidOffer(field="skills", reason="at most 12")
    wishes = Wishes(
        home=home,
        radius=(RADIUS_KM if radius is None else radius) * 1_000,
        skills=tuple(SkillCode(one) for one in codes),
        today=read_day(today),
        takes_remote=query.get("remote", "yes") != "no",
    )
    return wishes, 1 if people is None else people
