"""The federation's catalogue over HTTP, for everybody: open projects of all territories, and how each territory stands."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from node.catalogue.listing import METRES_MAX, Search, parse_place
from node.catalogue.reading_service import find_projects, load_words
from node.catalogue.words import ProjectNotListed
from node.desks.accounts.calls_api import Call, answer
from node.desks.accounts.catalogue_answers import TerritoriesAnswer, tell_found, tell_listed, tell_territory
from node.doors.bodies import read_limit, read_whole
from protocol.identifiers import parse_address, tidy_address, write_address
from protocol.times import day_at


def read_search(told: Mapping[str, str]) -> Search:
    """Return what is looked for. Raises Malformed, InvalidTerritory."""
    near = told.get("near", "")
    return Search(
        text=told.get("text", ""),
        theme=told.get("theme", ""),
        territory=told.get("territory", ""),
        urgency=read_whole(told.get("urgency"), "urgency") or 0,
        near=parse_place(near) if near else None,
        within_m=METRES_MAX if (within := read_whole(told.get("within"), "within")) is None else within,
        start=read_whole(told.get("cursor"), "cursor") or 0,
        limit=read_limit(told.get("limit")),
    )


async def list_catalogue(request: web.Request) -> web.Response:
    """List open projects of all territories: the nearest first where a place is given, else the most urgent."""
    call = Call(request)
    app, search = call.app, read_search(request.query)
    today, directory = day_at(app.book.clock()), app.federation.directory
    page = await app.book.read(lambda line: find_projects(line, search, directory, today))
    return answer(tell_found(page, search.start, directory, today, call.language))


async def show_listed(request: web.Request) -> web.Response:
    """Show one open project of a catalogue, by its address."""
    call = Call(request)
    app, address = call.app, parse_address(tidy_address(request.match_info["address"]))
    today, directory = day_at(app.book.clock()), app.federation.directory
    search = Search(territory=address.territory, limit=1)
    page = await app.book.read(lambda line: find_projects(line, search, directory, today, only=address.number))
    if not page.found:
        raise ProjectNotListed(address=write_address(address.number, address.territory))
    return answer(tell_listed(page.found[0], page.days[address.territory], directory, today, call.language))


async def list_territories(request: web.Request) -> web.Response:
    """List territories with the age of their cards and catalogues, and what of them was refused."""
    call = Call(request)
    app = call.app
    today, directory = day_at(app.book.clock()), app.federation.directory
    words = await app.book.read(lambda line: load_words(line, directory, today))
    return answer(TerritoriesAnswer([tell_territory(one, call.language) for one in words]))
