"""What is answered about volunteering, as typed structs. Pure. Accounts are told to who acts for them, and to the office."""

from __future__ import annotations

from msgspec import Struct

from node.governance.days import format_day, write_day
from node.governance.volunteering.hours import Hours
from node.governance.volunteering.matching import Match
from node.governance.volunteering.offers import Application, Offer
from protocol.identifiers import Id16, format_id


class OfferLine(Struct, frozen=True):
    """An offer; `place` is empty where it is wholly done from afar."""

    id: str
    project: str
    title: str
    words: str
    domain: str
    remote: str
    place: str
    place_name: str
    first_on: str
    last_on: str
    minutes: int
    places: int
    needed: list[str]
    wanted: list[str]
    state: str


class MatchLine(Struct, frozen=True):
    """An offer that fits, and why: how far (missing from afar), and which of the asked skills are met by which held ones."""

    offer: OfferLine
    metres: int | None
    skills: list[str]
    score: int


class MatchesAnswer(Struct, frozen=True):
    """The best first: a list to choose from."""

    offers: list[MatchLine]


class OffersAnswer(Struct, frozen=True):
    offers: list[OfferLine]


class HoursLine(Struct, frozen=True):
    """`pass_id` is the pass that they stand in, or empty."""

    id: str
    on: str
    minutes: int
    words: str
    state: str
    pass_id: str


class ApplicationLine(Struct, frozen=True):
    id: str
    offer: str
    account: str
    people: int
    label: str
    state: str
    reason: str
    hours: list[HoursLine]


class ApplicationsAnswer(Struct, frozen=True):
    applications: list[ApplicationLine]


class StateAnswer(Struct, frozen=True):
    """Where something stands now, by its id."""

    id: str
    state: str


def tell_offer(offer: Offer) -> OfferLine:
    return OfferLine(
        id=format_id(offer.id),
        project=format_id(offer.project),
        title=offer.title,
        words=offer.words,
        domain=offer.domain,
        remote=offer.remote,
        place="" if offer.place is None else offer.place.code,
        place_name="" if offer.place is None else offer.place.name,
        first_on=format_day(write_day(offer.first_on)),
        last_on=format_day(write_day(offer.last_on)),
        minutes=offer.minutes,
        places=offer.places,
        needed=list(offer.needed),
        wanted=list(offer.wanted),
        state=offer.state,
    )


def tell_match(match: Match) -> MatchLine:
    return MatchLine(
        offer=tell_offer(match.offer),
        metres=match.metres,
        skills=[f"{one.asked} by {one.held}" if one.steps else one.asked for one in match.met],
        score=match.score,
    )


def tell_hours(one: Hours) -> HoursLine:
    return HoursLine(
        id=format_id(one.id),
        on=format_day(one.on_day),
        minutes=one.minutes,
        words=one.words,
        state=one.state,
        pass_id=format_id(Id16(one.pass_id)) if one.pass_id else "",
    )


def tell_application(one: Application, hours: list[Hours]) -> ApplicationLine:
    return ApplicationLine(
        id=format_id(one.id),
        offer=format_id(one.offer),
        account=one.account,
        people=one.people,
        label=one.label,
        state=one.state,
        reason=one.reason,
        hours=[tell_hours(told) for told in hours],
    )
