"""The catalogue over HTTP and by command, on PostgreSQL: published by one node, kept by the hub, found at another."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from msgspec import structs

from hub.catalogue.service import load_page
from node import commands as node_commands
from node.desks.accounts.catalogue_admin_commands import CATALOGUE_COMMANDS
from node.federation.store import load_cessions
from node.house.folders_store import save_house
from node.house.settings import HouseSettings, Neighbour, write_keys
from node.orientation.tables import standing_orders
from protocol.book.worker import Page
from protocol.catalogue import CATALOGUE_VERSION, Catalogue, sign_catalogue
from protocol.house import BaseName, CataloguePublished
from protocol.identifiers import write_address
from protocol.keys import make_keys
from protocol.publications import PUBLICATION_BYTES_MAX, decode_page, encode_publication, read_pages
from protocol.times import day_at, write_day
from tests.catalogue.world import GARDEN, HALL
from tests.node.place import BREST, LYON, HubPlace, Place, make_folder, new_id

PROJECTS = make_keys(b"the projects' base of a territory" + bytes(31))


class Two:
    """A hub and two nodes, served."""

    def __init__(self, hub: HubPlace, brest: Place, lyon: Place) -> None:
        self.hub, self.brest, self.lyon = hub, brest, lyon

    async def admin(self, place: Place, command: str, **asked: Any) -> Any:
        return await CATALOGUE_COMMANDS[f"catalogue_{command}"](place.app, {"language": "en", **asked})

    def list(self) -> None:
        """Let Brest's projects' base publish two projects."""
        app = self.brest.app
        now = app.book.clock()
        told = Catalogue(CATALOGUE_VERSION, BREST, now, write_day(day_at(now)), (in_time(GARDEN), in_time(HALL)))
        message = CataloguePublished(sign_catalogue(told, PROJECTS))

        def write(page: Page, items: Any) -> list[None]:
            app.catalogue.hear(page, BaseName.PROJECTS, items)
            return [None for _ in items]

        app.book.write_now(write, message)


def _end_periods(page: Page, items: Any) -> list[None]:
    page.connection.execute(standing_orders.update().values(due_at=0))
    return [None for _ in items]


def in_time(one: Any) -> Any:
    return structs.replace(one, need_by=20991231)


@pytest.fixture
async def two(postgres_url: Callable[[], str], tmp_path: Path) -> AsyncIterator[Two]:
    hub = await HubPlace.open(tmp_path / "hub", postgres_url())
    places = []
    for code in (BREST, LYON):
        folder = tmp_path / code
        make_folder(folder, code, hub_url=hub.url, database=postgres_url())
        invitation = (await hub.admin("invite", member=code, url=hub.url))["invitation"]
        await asyncio.to_thread(node_commands.enrol, folder, invitation)
        await hub.admin("accredit", member=code)
        if code == BREST:
            known = {str(BaseName.PROJECTS): Neighbour(keys=[write_keys(PROJECTS.public)])}
            save_house(folder, HouseSettings(territory=code, bases=known))
        place = await Place.open(folder)
        await place.app.worker.exchange_all()
        places.append(place)
    for place in places:
        await place.app.worker.exchange_all()
    yield Two(hub, *places)
    for place in places:
        assert place.check() == []
        await place.close()
    await hub.close()


async def test_what_one_node_publishes_is_found_at_another_and_carried_by_file(two: Two, tmp_path: Path) -> None:
    two.list()
    assert await two.admin(two.brest, "publish") == {"published": True, "trouble": ""}
    assert await two.admin(two.brest, "publish") == {"published": False, "trouble": ""}
    fetched = await two.admin(two.lyon, "fetch")
    assert (fetched["new"], fetched["refused"], fetched["trouble"]) == (1, 0, "")
    listed = (await two.lyon.call("GET", "/v1/catalogue?limit=1", key="")).json
    assert ([one["title"] for one in listed["projects"]], listed["total"], listed["cursor"]) == ([GARDEN.title], 2, 1)
    rest = (await two.lyon.call("GET", "/v1/catalogue?limit=5&cursor=1", key="")).json
    assert ([one["title"] for one in rest["projects"]], rest["cursor"]) == ([HALL.title], None)
    address = write_address(GARDEN.number, BREST)
    english = (await two.lyon.call("GET", f"/v1/catalogue/{address}", key="")).json
    french = (await two.lyon.call("GET", f"/v1/catalogue/{address}", key="", language="fr")).json
    assert (english["address"], english["support"], english["territory_name"]) == (
        address,
        12_345,
        f"Territory {BREST}",
    )
    assert (english["urgency_words"], french["urgency_words"]) == ("within weeks", "dans quelques semaines")
    assert (await two.admin(two.lyon, "show", address=address)) == english
    near = await two.lyon.call("GET", "/v1/catalogue?near=48.39,-4.486&within=100", key="")
    assert [one["metres"] for one in near.json["projects"]] == [0]
    [territory] = (await two.lyon.call("GET", "/v1/catalogue/territories", key="")).json["territories"]
    assert (territory["territory"], territory["projects"], territory["old"], territory["refused"]) == (
        BREST,
        2,
        False,
        "",
    )
    told = await two.admin(two.lyon, "status")
    assert (told["territories"], told["refused"], told["trouble"]) == ([territory], [], "")
    # A standing order finds there what nobody listed: the nearest of all territories, of a theme.
    await two.lyon.endow(1_000)
    alice = await two.lyon.person()
    await two.lyon.credit(alice, 1_000)
    order = {"id": new_id(), "from": alice, "share": 500, "period_days": 1, "preference": "distance"}
    wish = order | {"everywhere": True, "near": "48.3904,-4.4861", "within_km": 5}
    given = (await two.lyon.call("POST", "/v1/standing-orders", wish)).json
    assert (given["everywhere"], given["near"], given["within_km"]) == (True, "48.39,-4.49", 5)
    app = two.lyon.app
    app.book.write_now(_end_periods, None)
    assert app.book.write_now(app.standing.run_due, None) == 1
    [sent] = await app.book.read(lambda line: load_cessions(line, account=None, before=None, limit=9))
    assert (await two.lyon.cents(alice), sent.beneficiary, sent.cents) == (500, address, 500)
    unknown = await two.lyon.call("GET", f"/v1/catalogue/{write_address('ZZZZZZZZ', BREST)}", key="")
    assert (unknown.status, unknown.json["code"]) == (404, "project_not_listed")
    for query in (
        "near=1",
        "near=a,b",
        "near=91,0",
        "urgency=4",
        "within=-1",
        "territory=1",
        "cursor=x",
        "text=" + "a" * 99,
    ):
        assert (await two.lyon.call("GET", f"/v1/catalogue?{query}", key="")).status == 400, query

    exported = await two.admin(two.brest, "export", all=True)
    [own] = read_pages(base64.b64decode(exported["file"]))
    assert own.territory == BREST
    assert [row["outcome"] for row in await two.admin(two.lyon, "import", file=exported["file"])] == ["known"]
    assert [row["outcome"] for row in await two.hub.admin("catalogue_import", file=exported["file"])] == ["known"]
    from_hub = await two.hub.admin("catalogue_export")
    assert (from_hub["publications"], read_pages(base64.b64decode(from_hub["file"]))) == (1, [own])
    [kept] = await two.hub.admin("catalogue")
    assert (kept["member"], kept["card"] > 0, kept["catalogue"] > 0) == (BREST, True, True)

    bent = encode_publication(structs.replace(own, card=own.card[:-1] + bytes([own.card[-1] ^ 1])))
    async with aiohttp.ClientSession() as session:
        url = f"{two.hub.url}/v1/catalogue"
        for body, status, code in (
            (bent, 422, "card_refused"),
            (b"\xc0", 422, "publication_refused"),
            (bytes(PUBLICATION_BYTES_MAX + 1), 413, "too_large"),
        ):
            async with session.put(url, data=body) as response:
                assert (response.status, (await response.json())["code"]) == (status, code)
        for since in ("x", "-1", "9" * 16, "²"):
            async with session.get(url, params={"since": since}) as response:
                assert response.status == 400
        async with session.get(url) as response:
            page = decode_page(await response.read())
        assert [one.publication for one in page.entries] == [own]
        async with session.get(url, params={"since": str(page.next)}) as response:
            assert decode_page(await response.read()).entries == ()
    assert two.hub.app.book.read_now(lambda line: load_page(line, page.next - 1)).entries == page.entries
