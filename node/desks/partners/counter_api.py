"""What the doors of the companies base share: the base, who calls, and how an answer is written."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Final

import msgspec
from aiohttp import web

from node.desks.partners.guesses import Guesses
from node.partners.errors import TillNotKnown
from node.partners.service import Partners
from node.partners.tills_service import Till
from protocol.running.http_service import JsonResponse
from protocol.times import local_day


class Counter:
    """The companies base as its doors see it. `proxies` are addresses whose word on who calls is believed."""

    def __init__(
        self,
        partners: Partners,
        *,
        note_refused: Callable[[str], None],
        wait_seconds: float,
        proxies: frozenset[str] = frozenset(),
    ) -> None:
        self.partners = partners
        self.note_refused = note_refused
        self.wait_seconds = wait_seconds
        self.proxies = proxies
        self.guesses = Guesses()
        self.zone = partners.settings.zone
        self.home = partners.settings.home

    def today(self) -> datetime.date:
        """The day where the tills are."""
        return local_day(self.partners.book.clock(), self.zone)


COUNTER: Final = web.AppKey("counter", Counter)


async def authorise(request: web.Request) -> Till:
    """Return who calls; asked before anything else is read. Raises TillNotKnown."""
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not text:
        raise TillNotKnown
    return await request.app[COUNTER].partners.tills.authorise(text.strip())


async def authorise_in_force(request: web.Request) -> Till:
    """The same, where a credential that ended counts no more. Raises CredentialRevoked, CredentialCompromised too."""
    till = await authorise(request)
    till.require_in_force(request.app[COUNTER].partners.book.clock())
    return till


async def authorise_office(request: web.Request) -> Till:
    """The same for what concerns the company's office only. Raises TillNotAllowed too."""
    till = await authorise_in_force(request)
    till.require_office()
    return till


def answer(value: object, status: int = 200) -> web.Response:
    """Return a JSON answer."""
    return JsonResponse(msgspec.json.encode(value), status)
