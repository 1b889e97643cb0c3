"""What a call has that changes something at the projects' doors: a key of the node's access room, an account, a typed body.

Keys live with the accounts. Where the projects' base is served apart from them nobody can show one, and these doors are
closed: people go to the office.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import msgspec
from aiohttp import web
from msgspec import Struct

from node.access.service import Grant, NotAuthorised, Scope
from node.desks.accounts.requests import read_account
from node.doors.bodies import read_body
from node.governance.days import local_day, write_day
from node.governance.service import Projects
from protocol.identifiers import AccountNumber
from protocol.running.http_service import JsonResponse
from protocol.running.openapi import Route

PREFIX: Final = "/v1/projects"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Authorise = Callable[[str], Awaitable[Grant]]
PROJECTS: Final = web.AppKey("projects", Projects)
AUTHORISE: Final[web.AppKey[Authorise]] = web.AppKey("projects_authorise")
Body = TypeVar("Body")


class Call:
    """One request, as handlers see it."""

    def __init__(self, request: web.Request) -> None:
        self.request = request
        self.projects = request.app[PROJECTS]
        self.book = self.projects.book

    @property
    def today(self) -> int:
        return write_day(local_day(self.book.clock(), self.projects.settings.zone))

    async def grant(self) -> Grant:
        """Return what the caller's key allows here. Raises NotAuthorised, NotAllowed."""
        kind, _, text = self.request.headers.get("Authorization", "").partition(" ")
        authorise = self.request.app.get(AUTHORISE)
        if authorise is None or kind.lower() != "bearer" or not text:
            raise NotAuthorised
        grant = await authorise(text.strip())
        grant.require(Scope.PROJECTS)
        return grant

    def require_account(self, grant: Grant, text: str) -> AccountNumber:
        """Return the account that the caller acts for. Raises NotAllowed, InvalidAddress."""
        number = read_account(text, self.projects.settings.home)
        grant.require(Scope.PROJECTS, number)
        return number

    async def body(self, type_: type[Body]) -> Body:
        """Return the typed body. Raises Malformed."""
        return read_body(await self.request.read(), type_)


def answer(value: Any, status: int = 200) -> web.Response:
    """Return the JSON of a typed answer."""
    return JsonResponse(msgspec.json.encode(value), status)


def door(
    path: str,
    handler: Handler,
    *answers: type[Struct],
    query: str = "",
    body: type[Struct] | None = None,
    is_own: bool = False,
) -> tuple[Route, Handler]:
    """Return a door as it is served and described: one with a body, or that shows what is an account's own, takes a key."""
    route = Route(
        method="GET" if body is None else "POST",
        path=PREFIX + path,
        name=handler.__name__,
        summary=(handler.__doc__ or "").strip(),
        answers=answers,
        query=tuple(query.split()),
        body=body,
        scope=str(Scope.PROJECTS) if is_own or body is not None else "",
        creates=body is not None,
    )
    return route, handler
