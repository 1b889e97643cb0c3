"""Orientation over HTTP: direct rights to projects, change one's mind, see what is directed."""

from __future__ import annotations

from aiohttp import web

from node.access.service import Scope
from node.desks.accounts.calls_api import Call, answer
from node.desks.accounts.orientation_answers import (
    OrientationsAnswer,
    ProjectsAnswer,
    StandingsAnswer,
    tell_directed,
    tell_oriented,
    tell_project,
    tell_standing,
    tell_taken_back,
)
from node.desks.accounts.orientation_requests import (
    OrientationRequest,
    OrientationReturnRequest,
    StandingRequest,
    read_orientation,
    read_orientation_return,
    read_standing,
)
from node.orientation import store
from node.orientation.errors import StandingUnknown
from node.orientation.standing_service import find_standing, load_standing
from protocol.errors import Malformed
from protocol.identifiers import parse_id


async def orient(request: web.Request) -> web.Response:
    """Direct rights to one or several projects, here or far; what a full one does not take goes on, or stays."""
    call = Call(request)
    grant = await call.grant(Scope.CEDE)
    asked = read_orientation(await call.body(OrientationRequest), call.app.home)
    grant.require(Scope.CEDE, asked.account)
    await call.app.guides.require_unguided(asked.account)
    view = await call.app.book.write(call.app.orientations.direct, asked)
    return answer(tell_directed(view, call.app.home, call.language), 200 if view.is_repeat else 201)


async def take_back_orientation(request: web.Request) -> web.Response:
    """Change one's mind before the project is committed: the very lots come back, from far away by a cession."""
    call = Call(request)
    grant = await call.grant(Scope.CEDE)
    if grant.account:
        await call.app.guides.require_unguided(grant.account)
    asked = read_orientation_return(await call.body(OrientationReturnRequest), request.match_info["id"])
    # What came from another territory is nobody's account here: a key that is bound to one does not reach it.
    view = await call.app.returns.take_back(asked, lambda account: grant.require(Scope.CEDE, account))
    return answer(tell_taken_back(view, call.app.home), 200 if view.is_repeat else 201)


async def list_orientations(request: web.Request) -> web.Response:
    """List what an account has directed to projects of this territory, the newest first."""
    call = Call(request)
    grant = await call.grant(Scope.READ)
    account = call.query_account(grant)
    if account is None:
        raise Malformed(field="account", reason="an account is named")
    grant.require(Scope.READ, account)
    before, limit = call.whole("cursor"), call.limit()
    rows = await call.app.book.read(
        lambda line: store.list_orientations(line, account=account, before=before, limit=limit)
    )
    cursor = rows[-1].id if len(rows) == limit else None
    return answer(OrientationsAnswer([tell_oriented(row, call.app.home) for row in rows], cursor))


async def list_support(request: web.Request) -> web.Response:
    """Show the projects that rights are directed to: how much and by how many, never by whom."""
    call = Call(request)
    await call.grant(Scope.READ)
    found = await call.app.book.read(store.load_all_projects)
    return answer(ProjectsAnswer([tell_project(one, call.app.home) for one in found]))


async def order_standing(request: web.Request) -> web.Response:
    """Give a standing order: a share of what is held or of what comes in, at the end of each period."""
    call = Call(request)
    grant = await call.grant(Scope.CEDE)
    asked = read_standing(await call.body(StandingRequest), call.app.home)
    grant.require(Scope.CEDE, asked.account)
    await call.app.guides.require_unguided(asked.account)
    view = await call.app.book.write(call.app.standing.give_orders, asked)
    return answer(tell_standing(view, call.app.home), 200 if view.is_repeat else 201)


async def stop_standing(request: web.Request) -> web.Response:
    """Stop a standing order: what was directed stays directed."""
    call = Call(request)
    grant = await call.grant(Scope.CEDE)
    op = parse_id(request.match_info["id"])
    found = await call.app.book.read(lambda line: find_standing(line, op))
    if found is None:
        raise StandingUnknown(id=op.hex())
    grant.require(Scope.CEDE, found.order.account)
    return answer(tell_standing(await call.app.book.write(call.app.standing.stop_orders, op), call.app.home))


async def list_standing(request: web.Request) -> web.Response:
    """List the standing orders of an account."""
    call = Call(request)
    grant = await call.grant(Scope.READ)
    account = call.query_account(grant)
    if account is None:
        raise Malformed(field="account", reason="an account is named")
    grant.require(Scope.READ, account)
    found = await call.app.book.read(lambda line: load_standing(line, account))
    return answer(StandingsAnswer([tell_standing(one, call.app.home) for one in found]))
