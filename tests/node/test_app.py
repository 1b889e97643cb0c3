"""What the node does by itself: each job may be woken at any time, and twice is once."""

from __future__ import annotations

import asyncio
import time

from node.federation import store as federation_store
from node.federation.errors import BookIsBehind
from protocol.times import format_instant
from tests.node.place import HubPlace, Place, new_id

WITHIN_SECONDS = 30


async def test_reservations_end_when_their_time_is_over(place: Place) -> None:
    await place.endow(1_000)
    person = await place.person()
    await place.credit(person, 500)
    until = format_instant(place.app.book.clock() + 300)
    body = {"id": new_id(), "account": person, "cents": 400, "expires_at": until}
    assert (await place.call("POST", "/v1/reservations", body)).status == 201
    deadline = time.monotonic() + WITHIN_SECONDS
    while (await place.call("GET", f"/v1/accounts/{person}")).json["reserved_cents"]:
        assert time.monotonic() < deadline
        await place.app._expire_reservations()
    assert (await place.call("GET", f"/v1/accounts/{person}")).json["available_cents"] == 500


async def test_a_statement_is_asked_for_once_a_day(federation: tuple[HubPlace, Place, Place]) -> None:
    _, brest, _ = federation
    app = brest.app
    await app._ask_statement()
    deadline = time.monotonic() + WITHIN_SECONDS
    while await app.book.read(federation_store.find_reconciliation) is None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    pages = app.book.written
    await app._ask_statement()
    assert app.book.written == pages
    assert (await brest.admin("federation"))["last_statement"] == "equal"


async def test_a_node_without_a_hub_asks_for_nothing(place: Place) -> None:
    await place.app._ask_statement()
    await place.app._rotate_quietly()
    assert (await place.admin("federation"))["slips_waiting"] == 0


async def test_an_old_copy_of_the_book_is_not_ready(place: Place) -> None:
    place.app.federation.room.behind = BookIsBehind(ours=3, theirs=5)
    async with place.session.get(place.server.make_url("/readyz")) as response:
        assert response.status == 503
        assert "book_is_behind" in await response.text()
    place.app.federation.room.behind = None
    async with place.session.get(place.server.make_url("/readyz")) as response:
        assert response.status == 200
