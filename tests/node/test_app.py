"""What the node does by itself: each job may be woken at any time, and twice is once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest

from node.federation import store as federation_store
from node.federation.errors import BookIsBehind
from node.guides.acts import ActWords, CedeAct, sign_act
from node.guides.errors import ConsentMissing
from node.guides.service import DeclareGroup, GiveConsent
from node.orientation.standing import StandingOrder
from node.orientation.standing_service import load_standing
from protocol.book import log_store
from protocol.book.worker import Page
from protocol.house import HOUSE_VERSION, BaseName, GuideAccredited, HouseSlip, encode_house_slip
from protocol.identifiers import Id16, parse_address
from protocol.keys import make_keys
from protocol.times import DAY_MS, format_instant
from tests.node.place import HubPlace, Place, new_id

WITHIN_SECONDS = 120


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


async def test_what_may_have_been_taken_back_since_the_copy_holds_no_more(place: Place) -> None:
    """A consent that was withdrawn, an order that was stopped: nobody else knows of it, and neither comes alive again."""
    app, now = place.app, place.app.book.clock()
    written = [await place.person(kind=kind) for kind in ("group", "person")]
    group, friend = [parse_address(one).number for one in written]
    await place.endow(1_000)
    await place.credit(written[0], 500)
    keys, ids = make_keys(bytes(64)), [Id16(bytes([number]) * 16) for number in range(1, 8)]

    def accredit(page: Page, items: Sequence[GuideAccredited]) -> list[Any]:
        log = log_store.open_log(page.connection, BaseName.PROJECTS, BaseName.ACCOUNTS)
        leaf = encode_house_slip(HouseSlip(HOUSE_VERSION, BaseName.ACCOUNTS, page.now, tuple(items)))
        log_store.append_leaves(page.connection, log, [leaf], page.now)
        return [app.guides.apply(page, BaseName.PROJECTS, items)]

    def sign(id_: bytes) -> Any:
        words = ActWords(
            version=1,
            territory=app.home,
            id=id_,
            guide=ids[0],
            account=group,
            until=now + DAY_MS,
            act=CedeAct(friend, 10, ""),
        )
        return sign_act(words, keys)

    await app.book.write(accredit, GuideAccredited(ids[0], keys.public.signing, 20200101, 20991231))
    await app.book.write(app.guides.declare, DeclareGroup(op=ids[1], account=group))
    paper = GiveConsent(op=ids[2], account=group, guide=ids[0], days=30, digest=bytes(32))
    await app.book.write(app.guides.consent, paper)
    await app.book.write(app.standing.give_orders, StandingOrder(op=ids[3], account=friend, share=100))
    assert (await app.book.write(app.guides.act, sign(ids[4]))).cents == 10
    # Here the book was lost; the copy, on which both stand, takes its place.
    app.federation.room.behind = BookIsBehind(ours=3, theirs=5)
    await app.book.write(app.federation.begin_recovery, None)
    with pytest.raises(ConsentMissing):
        await app.book.write(app.guides.act, sign(ids[5]))
    [order] = await app.book.read(lambda line: load_standing(line, friend))
    assert order.stopped_at is not None
    # Given again, it holds.
    await app.book.write(
        app.guides.consent, GiveConsent(op=ids[6], account=group, guide=ids[0], days=30, digest=bytes(32))
    )
    assert (await app.book.write(app.guides.act, sign(ids[5]))).cents == 10
