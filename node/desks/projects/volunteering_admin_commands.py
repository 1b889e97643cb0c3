"""What each `citizen-miles node projects volunteer` command does in the process that holds the projects' book."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, Protocol

import msgspec
from sqlalchemy import ColumnElement

from node.desks.accounts.requests import read_account
from node.desks.projects.volunteering_answers import tell_application, tell_match, tell_offer
from node.desks.projects.volunteering_requests import read_hours, read_offer, read_search_file
from node.governance.days import format_day, local_day, write_day
from node.governance.passes.errors import InvalidOffer
from node.governance.passes.passes import Duty
from node.governance.service import Projects
from node.governance.skills import SkillCode
from node.governance.volunteering import tables
from node.governance.volunteering.offers import Application, ApplicationEvent, OfferEvent, OfferState
from node.governance.volunteering.volunteering_service import (
    ClaimHours,
    LeaveOffer,
    NewOffer,
    StepApplication,
    StepOffer,
    TellHours,
    find_matches,
    find_requests,
)
from node.governance.volunteering.volunteering_store import (
    list_applications,
    list_hours,
    list_offers,
    load_request,
    make_wishes,
)
from protocol.book.service import Book
from protocol.identifiers import AccountNumber, Id16, format_id, parse_id
from protocol.running.admin_client import Command

Asked = Mapping[str, Any]


class HoldsVolunteers(Protocol):
    """The app of the projects' base, as far as volunteering needs it."""

    home: Any
    book: Book
    projects: Projects


def _word(kind: Any, text: str, field: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise InvalidOffer(field=field, reason=f"one of {', '.join(kind)}") from None


def _today(app: HoldsVolunteers) -> int:
    return write_day(local_day(app.book.clock(), app.projects.settings.zone))


def _account(app: HoldsVolunteers, asked: Asked) -> AccountNumber:
    return read_account(asked["account"], app.home)


async def _offer(app: HoldsVolunteers, asked: Asked) -> Any:
    new = NewOffer(offer=read_offer(parse_id(asked["id"]), asked["offer"]), by=asked["by"])
    state = await app.book.write(app.projects.volunteers.offer, new)
    return {"offer": format_id(new.offer.id), "state": str(state)}


async def _step(app: HoldsVolunteers, asked: Asked) -> Any:
    step = StepOffer(
        id=parse_id(asked["id"]),
        offer=parse_id(asked["offer"]),
        event=_word(OfferEvent, asked["event"], "event"),
        by=asked["by"],
        reason=asked.get("reason", ""),
    )
    state = await app.book.write(app.projects.volunteers.step_offers, step)
    return {"offer": format_id(step.offer), "state": str(state)}


async def _offers(app: HoldsVolunteers, asked: Asked) -> Any:
    table, where = tables.volunteer_offers, list[ColumnElement[bool]]()
    if asked.get("project"):
        where.append(table.c.project == parse_id(asked["project"]))
    if asked.get("state"):
        where.append(table.c.state == _word(OfferState, asked["state"], "state"))
    found = await app.book.read(lambda line: list_offers(line, *where))
    return [msgspec.to_builtins(tell_offer(one)) for one in found]


async def _request(app: HoldsVolunteers, asked: Asked) -> Any:
    new = read_search_file(asked["id"], asked["request"], app.home)
    return {"request": format_id(await app.book.write(app.projects.volunteers.request, new))}


async def _close(app: HoldsVolunteers, asked: Asked) -> Any:
    id_ = parse_id(asked["request"])
    return {"request": format_id(await app.book.write(app.projects.volunteers.close_requests, id_)), "closed": True}


async def _match(app: HoldsVolunteers, asked: Asked) -> Any:
    """Return the offers that a request fits, or the requests that an offer fits."""
    today = _today(app)
    if asked.get("offer"):
        found = await app.book.read(partial(find_requests, offer=parse_id(asked["offer"]), today=today))
        return [
            {
                "request": format_id(Id16(bytes(one.request.id))),
                "account": one.request.account,
                "people": one.request.people,
                "until": format_day(one.request.until_day),
                "metres": one.match.metres,
                "score": one.match.score,
            }
            for one in found
        ]
    row = await app.book.read(partial(load_request, id_=parse_id(asked["request"])))
    wishes = make_wishes(row, local_day(app.book.clock(), app.projects.settings.zone))
    matches = await app.book.read(partial(find_matches, wishes=wishes, people=row.people))
    return [msgspec.to_builtins(tell_match(one)) for one in matches]


async def _apply(app: HoldsVolunteers, asked: Asked) -> Any:
    new = Application(
        id=parse_id(asked["id"]),
        offer=parse_id(asked["offer"]),
        account=_account(app, asked),
        words=asked.get("words", ""),
        people=int(asked.get("people", 1)),
        label=asked.get("label", ""),
    )
    state = await app.book.write(app.projects.volunteers.apply, new)
    return {"application": format_id(new.id), "state": str(state)}


async def _decide(app: HoldsVolunteers, asked: Asked) -> Any:
    told = StepApplication(
        id=parse_id(asked["id"]),
        application=parse_id(asked["application"]),
        event=_word(ApplicationEvent, asked["event"], "event"),
        by=asked["by"],
        reason=asked.get("reason", ""),
    )
    state = await app.book.write(app.projects.volunteers.step_applications, told)
    return {"application": format_id(told.application), "state": str(state)}


async def _leave(app: HoldsVolunteers, asked: Asked) -> Any:
    told = LeaveOffer(
        id=parse_id(asked["id"]), application=parse_id(asked["application"]), account=_account(app, asked)
    )
    state = await app.book.write(app.projects.volunteers.leave, told)
    return {"application": format_id(told.application), "state": str(state)}


async def _applications(app: HoldsVolunteers, asked: Asked) -> Any:
    table = tables.applications
    where = table.c.offer == parse_id(asked["offer"]) if asked.get("offer") else table.c.account == _account(app, asked)
    found = await app.book.read(lambda line: list_applications(line, where))
    return [
        msgspec.to_builtins(tell_application(one, await app.book.read(partial(list_hours, application=one.id))))
        for one in found
    ]


async def _hours(app: HoldsVolunteers, asked: Asked) -> Any:
    told = TellHours(
        hours=read_hours(parse_id(asked["id"]), asked["on"], int(asked["minutes"]), asked["words"]),
        application=parse_id(asked["application"]),
        account=_account(app, asked),
    )
    state = await app.book.write(app.projects.volunteers.tell_hours, told)
    return {"hours": format_id(told.hours.id), "state": str(state)}


async def _claim(app: HoldsVolunteers, asked: Asked) -> Any:
    told = ClaimHours(
        id=parse_id(asked["id"]),
        application=parse_id(asked["application"]),
        role=asked["role"],
        duty=_word(Duty, asked["duty"], "duty"),
        skills=tuple(SkillCode(one) for one in asked.get("skills", ())),
        language="en" if asked.get("pass_language") == "en" else "fr",
    )
    claimed = await app.book.write(app.projects.volunteers.claim, told)
    return {"pass": format_id(claimed.pass_id), "state": str(claimed.state)}


VOLUNTEERS_COMMANDS: Final[Mapping[str, Command]] = {
    "volunteer_offer": _offer,
    "volunteer_step": _step,
    "volunteer_offers": _offers,
    "volunteer_request": _request,
    "volunteer_close": _close,
    "volunteer_match": _match,
    "volunteer_apply": _apply,
    "volunteer_decide": _decide,
    "volunteer_leave": _leave,
    "volunteer_applications": _applications,
    "volunteer_hours": _hours,
    "volunteer_claim": _claim,
}
