"""Orientation over HTTP: direct rights to projects, change one's mind, see what is directed."""

from __future__ import annotations

from aiohttp import web

from node.access.service import Scope
from node.calls_api import Call, answer
from node.orientation import store
from node.orientation.errors import OrientationUnknown
from node.orientation_answers import (
    OrientationsAnswer,
    ProjectsAnswer,
    tell_directed,
    tell_oriented,
    tell_project,
    tell_taken_back,
)
from node.orientation_requests import (
    OrientationRequest,
    OrientationReturnRequest,
    read_orientation,
    read_orientation_return,
)
from protocol.errors import Malformed


async def orient(request: web.Request) -> web.Response:
    """Direct rights to one or several projects, here or far; what a full one does not take goes on, or stays."""
    call = Call(request)
    grant = await call.grant(Scope.CEDE)
    asked = read_orientation(await call.body(OrientationRequest), call.app.home)
    grant.require(Scope.CEDE, asked.account)
    view = await call.app.book.write(call.app.orientations.direct, asked)
    return answer(tell_directed(view, call.app.home, call.language), 200 if view.is_repeat else 201)


async def take_back_orientation(request: web.Request) -> web.Response:
    """Change one's mind before the project is committed: the very lots come back."""
    call = Call(request)
    grant = await call.grant(Scope.CEDE)
    asked = read_orientation_return(await call.body(OrientationReturnRequest), request.match_info["id"])
    found = await call.app.book.read(lambda line: store.find_orientations(line, (asked.orientation,)))
    if not found:
        raise OrientationUnknown(id=asked.orientation.hex())
    # What came from another territory is nobody's account here: a key that is bound to one does not reach it.
    grant.require(Scope.CEDE, found[asked.orientation].account)
    view = await call.app.book.write(call.app.orientations.take_back, asked)
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
