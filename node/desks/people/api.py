"""The doors of the people's base: an application of their own, apart from every other door of the house."""

from __future__ import annotations

from aiohttp import web

from node.desks.people.admin_commands import PEOPLE_COMMANDS
from node.desks.people.steps import PEOPLE_STEPS
from node.doors.duties import Caller
from node.doors.steps_api import Doors
from node.people_app import PeopleApp
from protocol.identifiers import parse_id
from protocol.running.http_service import Metrics, make_application

BODY_BYTES_MAX = 128 * 1024


def open_people_doors(app: PeopleApp) -> Doors:
    """Return the doors of the people's steps. A key opens them as long as its officer has a duty at this base."""

    async def authorise(text: str) -> Caller:
        caller = await app.keys.authorise(text)
        await app.require_officer(parse_id(caller.officer))
        return caller

    return Doors(
        app,
        PEOPLE_COMMANDS,
        PEOPLE_STEPS,
        folder=app.folder,
        clock=app.book.clock,
        authorise=authorise,
        is_silent=True,
    )


def make_people_application(app: PeopleApp) -> web.Application:
    """Return what is served at the base's own address: its doors, and nothing of another base."""
    doors = open_people_doors(app)
    application = make_application(
        body_bytes_max=BODY_BYTES_MAX, probe=app.probe, metrics=Metrics(app.figures), larger=doors.bodies()
    )
    doors.add(application)
    return application
