"""What every call of a node's API has: a key with a scope, a typed body, bounded query values, a typed answer."""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec
from aiohttp import web

from node.access.service import Grant, NotAllowed, NotAuthorised, Scope
from node.app import NodeApp
from node.desks.accounts.requests import read_account
from node.doors.bodies import read_body, read_limit, read_whole
from node.ledger.reading_service import find_operation
from protocol.identifiers import AccountNumber, Id16
from protocol.running.http_service import JsonResponse, choose_language

NODE: Final = web.AppKey("node", NodeApp)
Body = TypeVar("Body")


class Call:
    """One request, as handlers see it.

    An old copy of the book answers questions and takes no new work: a call that would change something raises
    BookIsBehind.
    """

    def __init__(self, request: web.Request) -> None:
        self.request = request
        self.app = request.app[NODE]
        behind = self.app.federation.behind
        if behind is not None and request.method != "GET":
            raise behind

    @property
    def language(self) -> str:
        """fr or en, as the caller prefers."""
        return choose_language(self.request)

    async def grant(self, scope: Scope) -> Grant:
        """Return what the caller's key allows; asked before anything else is read. Raises NotAuthorised, NotAllowed."""
        kind, _, text = self.request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not text:
            raise NotAuthorised
        grant = await self.app.access.authorise(text.strip())
        grant.require(scope)
        return grant

    async def grant_unbound(self, scope: Scope) -> Grant:
        """The same for what touches more than one account."""
        grant = await self.grant(scope)
        grant.require_unbound(scope)
        return grant

    async def grant_account(self, scope: Scope) -> AccountNumber:
        """The same for the account that the path names, which is returned. Raises InvalidAddress too."""
        grant = await self.grant(scope)
        number = read_account(self.request.match_info["account"], self.app.home)
        grant.require(scope, number)
        return number

    async def require_posting(self, grant: Grant, scope: Scope, op: Id16) -> None:
        """Raise NotAllowed where the key is bound to an account on neither side of what was posted under this id."""
        if grant.account:
            view = await self.app.ledger.read(find_operation, op)
            if grant.account not in (view.debit, view.credit):
                raise NotAllowed(scope=str(scope))

    async def body(self, type_: type[Body]) -> Body:
        """Return the typed body. Raises Malformed."""
        return read_body(await self.request.read(), type_)

    def query_account(self, grant: Grant) -> AccountNumber | None:
        """The account that the query names: a bound key's own by default. Raises InvalidAddress."""
        text = self.request.query.get("account") or grant.account
        return read_account(text, self.app.home) if text else None

    def whole(self, name: str) -> int | None:
        """Return a whole number of the query. Raises Malformed."""
        return read_whole(self.request.query.get(name), name)

    def limit(self) -> int:
        """Return how many rows are wanted. Raises Malformed."""
        return read_limit(self.request.query.get("limit"))

    def note_refused(self, code: str) -> None:
        """Count a refused line with the refused calls."""
        refusals = self.app.metrics.refusals
        refusals[code] = refusals.get(code, 0) + 1


def answer(value: Any, status: int = 200) -> web.Response:
    """Return the JSON of a typed answer."""
    return JsonResponse(msgspec.json.encode(value), status)
