"""Volunteering by the doors: anybody looks for offers; a program with a key applies, leaves and tells hours for an account."""

from __future__ import annotations

from functools import partial
from typing import Final

from aiohttp import web

from node.desks.projects.calls_api import Call, answer, door
from node.desks.projects.volunteering_answers import (
    ApplicationsAnswer,
    MatchesAnswer,
    OffersAnswer,
    StateAnswer,
    tell_application,
    tell_match,
    tell_offer,
)
from node.desks.projects.volunteering_requests import (
    ApplicationRequest,
    HoursRequest,
    LeaveRequest,
    SearchRequest,
    read_application,
    read_hours,
    read_search,
    read_wishes,
)
from node.governance.volunteering import tables
from node.governance.volunteering.offers import OfferState
from node.governance.volunteering.volunteering_service import LeaveOffer, TellHours, find_matches
from node.governance.volunteering.volunteering_store import list_applications, list_hours, list_offers, load_offer
from protocol.identifiers import format_id, parse_id


async def search_offers(request: web.Request) -> web.Response:
    """Look for offers near a place, with the reasons, the best first; from afar too, unless remote is no."""
    call = Call(request)
    wishes, people = read_wishes(request.query, call.today)
    return answer(
        MatchesAnswer(
            [tell_match(one) for one in await call.book.read(partial(find_matches, wishes=wishes, people=people))]
        )
    )


async def show_offers(request: web.Request) -> web.Response:
    """Show what a project asks of volunteers now."""
    call, table = Call(request), tables.volunteer_offers
    shown = (OfferState.OPEN, OfferState.FULL)
    project = parse_id(request.match_info["project"])
    found = await call.book.read(lambda line: list_offers(line, table.c.project == project, table.c.state.in_(shown)))
    return answer(OffersAnswer([tell_offer(one) for one in found]))


async def ask_for_work(request: web.Request) -> web.Response:
    """Keep that somebody looks for something to do, so that projects find out."""
    call = Call(request)
    grant = await call.grant()
    asked = await call.body(SearchRequest)
    new = read_search(asked, call.require_account(grant, asked.account))
    return answer(StateAnswer(format_id(await call.book.write(call.projects.volunteers.request, new)), "open"))


async def apply_to_offer(request: web.Request) -> web.Response:
    """Offer to take part, for an account: a person or a group."""
    call = Call(request)
    grant = await call.grant()
    asked = await call.body(ApplicationRequest)
    offer = parse_id(request.match_info["offer"])
    new = read_application(asked, offer, call.require_account(grant, asked.account))
    await call.book.read(partial(load_offer, id_=offer))
    return answer(StateAnswer(asked.id, await call.book.write(call.projects.volunteers.apply, new)))


async def leave_offer(request: web.Request) -> web.Response:
    """Leave: no reason is asked."""
    call = Call(request)
    grant = await call.grant()
    asked = await call.body(LeaveRequest)
    application = parse_id(request.match_info["application"])
    told = LeaveOffer(
        id=parse_id(asked.id), application=application, account=call.require_account(grant, asked.account)
    )
    state = await call.book.write(call.projects.volunteers.leave, told)
    return answer(StateAnswer(format_id(application), state))


async def tell_own_hours(request: web.Request) -> web.Response:
    """Tell what was done on one day: the bearer looks at it."""
    call = Call(request)
    grant = await call.grant()
    asked = await call.body(HoursRequest)
    told = TellHours(
        hours=read_hours(parse_id(asked.id), asked.on, asked.minutes, asked.words),
        application=parse_id(request.match_info["application"]),
        account=call.require_account(grant, asked.account),
    )
    return answer(StateAnswer(asked.id, await call.book.write(call.projects.volunteers.tell_hours, told)))


async def list_own_applications(request: web.Request) -> web.Response:
    """List the applications of an account, with the hours that were told."""
    call, table = Call(request), tables.applications
    grant = await call.grant()
    account = call.require_account(grant, request.query.get("account", ""))
    found = await call.book.read(lambda line: list_applications(line, table.c.account == account))
    told = [tell_application(one, await call.book.read(partial(list_hours, application=one.id))) for one in found]
    return answer(ApplicationsAnswer(told))


DOORS: Final = (
    door("/offers", search_offers, MatchesAnswer, query="commune latitude longitude radius_km skills remote people"),
    door("/offers/requests", ask_for_work, StateAnswer, body=SearchRequest),
    door("/offers/applications", list_own_applications, ApplicationsAnswer, query="account", is_own=True),
    door("/offers/{offer}/applications", apply_to_offer, StateAnswer, body=ApplicationRequest),
    door("/applications/{application}/leave", leave_offer, StateAnswer, body=LeaveRequest),
    door("/applications/{application}/hours", tell_own_hours, StateAnswer, body=HoursRequest),
    door("/{project}/offers", show_offers, OffersAnswer),
)
