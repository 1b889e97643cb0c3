"""Every step of the companies' office by its door, and no door that a company's key opens to another's things."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from node.desks.partners.steps import PARTNERS_STEPS
from node.doors.steps_api import UPLOADS_AT_ONCE
from protocol.house import EffectTold
from protocol.identifiers import write_address
from tests.doors.place import ADDRESS, DoorsPlace, make_office_place, new_id
from tests.node.counter import ClearingHouse
from tests.partners.house import BAKERY, BREST, OTHER, SISTER, TODAY, House
from tests.partners.test_effects import say
from tests.partners.test_runs import make_file, row

DAYS = {"opens_on": TODAY.isoformat(), "closes_on": TODAY.replace(month=12).isoformat()}


class Office:
    """Two companies with a campaign each; keys of the office that keeps them, and of each."""

    def __init__(self, house: House, place: DoorsPlace) -> None:
        self.house = house
        self.place = place
        self.clearing: ClearingHouse
        self.clerk = self.reader = self.own = self.other = ""

    async def open(self) -> None:
        await self.place.open()
        self.clearing = ClearingHouse(self.house)
        self.clerk = await self.place.key("clerk")
        for siren in (BAKERY, SISTER):
            await self.place.do(self.clerk, "company", self.company(siren))
        self.reader = await self.place.key("reader")
        self.own = await self.place.key("company", company=BAKERY)
        self.other = await self.place.key("company", "reader", company=SISTER)

    @staticmethod
    def company(siren: str) -> dict[str, Any]:
        return {"siren": siren, "name": f"Maison {siren}", "legal_form": "SARL", **ADDRESS}

    async def run(self) -> str:
        """Return a campaign of the bakery that runs, and whose euros have come."""
        place = self.place
        draft = {"id": new_id(), "siren": BAKERY, "title": "Pain", "ceiling": 100_000, "basis_points": 200, **DAYS}
        campaign = str((await place.do(self.own, "campaign-draft", draft))["id"])
        await place.do(self.own, "campaign-open", {"campaign": campaign, "due": "2026-12-20", "cents": 60_000})
        await self.house.exchange()
        [payment] = (await place.do(self.own, "campaign", {"campaign": campaign}))["payments"]
        self.house.fund.receive(bytes.fromhex(payment["id"]), 60_000, self.house.new_id(), TODAY)
        await self.house.exchange()
        return campaign


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    house = House(lambda name: f"sqlite:///{tmp_path / name}.db")
    made = Office(house, make_office_place(house, tmp_path))
    await made.open()
    yield made
    await made.place.close()
    await made.clearing.stop()
    await house.exchange()
    wrongs = house.find_wrongs()
    house.close()
    assert wrongs == []


async def test_every_step_of_the_office_is_taken_by_its_door(office: Office) -> None:
    place, house, clerk, own = office.place, office.house, office.clerk, office.own
    assert len((await place.do(office.reader, "companies"))["rows"]) == 2
    await place.do(clerk, "group", {"id": new_id(), "name": "Pains", "members": [BAKERY, SISTER]})
    await place.do(clerk, "own-account", {"siren": BAKERY, "account": house.account()})
    await place.do(own, "years", {"siren": BAKERY, "years": [["2026-01-01", "2026-12-31"]]})
    await place.do(own, "turnover", {"siren": BAKERY, "starts_on": "2026-01-01", "cents": 10**9})
    campaign = await office.run()
    more = {"id": new_id(), "campaign": campaign, "due": "2026-12-28", "cents": 1_000}
    assert len((await place.do(own, "campaign-pay", more))["payments"]) == 2
    assert len((await place.do(own, "campaign-pay", more))["payments"]) == 2
    await _lead(office, campaign)
    await _use_tills(office)
    await _take_files(office, campaign)
    await _hand_out_coupons(office)
    siren = {"siren": BAKERY}
    assert (await place.do(own, "campaigns", siren))["rows"][0]["left_cents"] < 60_000
    assert (await place.do(own, "calls", siren))["rows"] == []
    given = {"id": new_id(), "day": TODAY.isoformat(), "description": "Places", "cents": 100, "valuation": "cost"}
    await place.do(own, "counterpart", {**siren, **given, "giver": "Association"})
    assert (await place.do(own, "standing", siren))["received_cents"] == 100
    assert (await place.do(own, "sheet", siren))["paid_cents"] == 60_000
    await _read_effects(office)
    assert {step.command for step in PARTNERS_STEPS.steps} - place.reached == set()


async def _read_effects(office: Office) -> None:
    place, house, own = office.place, office.house, office.own
    uid = house.partners.book.read_now(_first_campaign)
    await say(house, EffectTold(uid, BREST, bytes(16), "A garden", 10_000, 900, 200, 300, 100))
    told = await place.do(own, "company-effects", {"siren": BAKERY})
    [line] = told.pop("projects")
    sums = {"directed": 10_900, "waiting": 10_000, "converted": 900, "owed": 400, "paid": 200, "netted": 300}
    assert told == {"siren": BAKERY, "confirmed_cents": 100} | {f"{name}_cents": cents for name, cents in sums.items()}
    assert told.items() - {("siren", BAKERY)} <= line.items(), "a total is the sum of what is shown"
    assert (line["territory"], line["title"]) == (BREST, "A garden")
    assert await place.refusal(own, "company-effects", {"siren": SISTER}) == (403, "another_company")


async def _lead(office: Office, campaign: str) -> None:
    place, own = office.place, office.own
    pause = {"id": new_id(), "campaign": campaign, "event": "paused"}
    assert (await place.do(own, "campaign-lead", pause))["state"] == "paused"
    await place.do(own, "campaign-lead", {"id": new_id(), "campaign": campaign, "event": "resumed"})
    assert (await place.do(own, "campaign-lead", pause))["state"] == "paused", "answered as it was then"
    assert (await place.do(own, "campaign", {"campaign": campaign}))["state"] == "running", "and not done again"
    assert await place.refusal(own, "campaign-lead", pause | {"event": "ended"}) == (409, "id_mismatch")


async def _use_tills(office: Office) -> None:
    place, house, own = office.place, office.house, office.own
    asked = {"id": new_id(), "siren": BAKERY, "name": "caisse 1", "number": 1}
    made = await place.do(own, "till-new", asked)
    again = await place.do(own, "till-new", asked)
    assert again == made | {"key": "", "repeated": True}, "one credential, whose secret is shown once"
    assert await place.refusal(own, "till-new", asked | {"name": "caisse 2"}) == (409, "id_mismatch")
    assert len((await place.do(own, "tills", {"siren": BAKERY}))["rows"]) == 1
    till = await house.partners.tills.authorise(made["key"])
    [told] = house.tell(till, house.partners.book.read_now(_first_campaign), house.purchase("s1", None, 50_000))
    await house.exchange()
    claim = {"id": new_id(), "ticket": told.ticket, "account": write_address(house.account(), BREST)}  # type: ignore[union-attr]
    first = await place.do(office.clerk, "claim", claim)
    assert first["cents"] == 1_000
    assert not first["repeated"]
    assert (await place.do(office.clerk, "claim", claim))["repeated"]
    other = claim | {"account": house.account()}
    assert await place.refusal(office.clerk, "claim", other) == (409, "id_mismatch")
    assert (await place.refusal(office.clerk, "claim", other | {"id": new_id()}))[1] == "ticket_claimed"
    revoke = {"key_id": made["key_id"], "stolen": True}
    assert (await place.do(own, "till-revoke", revoke))["reason"] == "compromised"


def _first_campaign(line: Any) -> Any:
    from sqlalchemy import select

    from node.partners.tables import campaigns

    return bytes(line.execute(select(campaigns.c.uid)).scalar_one())


async def _take_files(office: Office, campaign: str) -> None:
    place, house, own = office.place, office.house, office.own
    data = make_file([row(1, house.account()), row(2, house.account()), row(3, house.account(), "1,234")])
    tried = await place.do(own, "operations-try", {"campaign": campaign}, data=data)
    assert (tried["rows"], tried["accepted"]) == (3, 2)
    load = {"id": new_id(), "campaign": campaign, "name": "personnel.csv"}
    run = await place.do(own, "operations-load", load, data=data)
    assert await place.do(own, "operations-load", load, data=data) == run
    assert (await place.refusal(own, "operations-load", load, data=data + b"\n"))[1] == "run_mismatch"
    assert (await place.refusal(own, "operations-book", {"run": run["id"]}))[1] == "operations_file_refused"
    booked = await place.do(own, "operations-book", {"run": run["id"], "skips_wrong": True})
    assert booked["state"] == "done"
    assert await place.do(own, "operations-show", {"run": run["id"]}) == booked
    assert len((await place.do(own, "operations-report", {"run": run["id"], "after": 1}))["rows"]) >= 2
    assert list((place.app.folder / "uploads").iterdir()) == [], "what was taken is not left behind"


async def _hand_out_coupons(office: Office) -> None:
    place, own = office.place, office.own
    day = TODAY.isoformat()
    words = {"words": "Un pain", "occasion": "loyalty", "cents": 100, "valid_from": day, "valid_to": day}
    coupon = await place.do(own, "coupon", {"id": new_id(), "siren": BAKERY, **words})
    move = {"siren": BAKERY, "coupon": coupon["id"], "event": "withdrawn"}
    assert (await place.do(own, "coupon-move", move))["state"] == "withdrawn"
    assert len((await place.do(own, "coupons", {"siren": BAKERY}))["rows"]) == 1


async def test_no_door_opens_another_company_s_things(office: Office) -> None:
    place, house = office.place, office.house
    campaign = await office.run()
    data = make_file([row(1, house.account())])
    load = {"id": new_id(), "campaign": campaign, "name": "x"}
    run = (await place.do(office.own, "operations-load", load, data=data))["id"]
    till = await place.do(office.own, "till-new", {"id": new_id(), "siren": BAKERY, "name": "1", "number": 1})
    _, credential = house.till(None, SISTER)
    before = house.books["PARTNERS"].read_now(_count_rows)
    day = TODAY.isoformat()
    asked: dict[str, dict[str, Any]] = {
        "turnover": {"starts_on": "2026-01-01", "cents": 1},
        "years": {"years": [["2026-01-01", "2026-12-31"]]},
        "campaign-draft": {"id": new_id(), "title": "X", "ceiling": 10, "basis_points": 1, **DAYS},
        "campaign-open": {"due": day},
        "campaign-pay": {"id": new_id(), "due": day, "cents": 5},
        "campaign-lead": {"id": new_id(), "event": "ended"},
        "till-new": {"id": new_id(), "name": "x"},
        "operations-load": {"id": new_id(), "name": "x"},
        "counterpart": {
            "id": new_id(),
            "day": day,
            "description": "x",
            "cents": 1,
            "valuation": "cost",
            "giver": "x",
        },
        "coupon": {"id": new_id(), "words": "x", "occasion": "loyalty", "cents": 1, "valid_from": day, "valid_to": day},
        "coupon-move": {"coupon": new_id(), "event": "withdrawn"},
    }
    theirs = {"siren": BAKERY, "campaign": campaign, "run": run, "key_id": till["key_id"]}
    unknown = {"siren": OTHER, "campaign": new_id(), "run": new_id(), "key_id": "none"}
    bound = [step for step in PARTNERS_STEPS.steps if step.of_company]
    assert len(bound) >= 20
    for step in bound:
        field = step.of_company
        for key in (office.other, credential):
            for value in (theirs[field], unknown[field]):
                body = asked.get(step.called, {}) | {field: value}
                told = await place.call(key, step.called, body, data=data)
                assert told.status in (403, 404), (step.called, told.body)
                assert told.json["code"] in ("another_company", "campaign_unknown", "run_unknown", "till_unknown")
    for step in set(PARTNERS_STEPS.steps) - set(bound):
        code = (await place.refusal(office.other, step.called, {}, data=b""))[1]
        assert code in ("duty_missing", "another_company", "malformed"), step.called
        assert code != "malformed" or "clerk" in step.duties
    assert house.books["PARTNERS"].read_now(_count_rows) == before, "nothing of it was written"


def _count_rows(line: Any) -> dict[str, int]:
    from sqlalchemy import func, select

    from node.partners.tables import metadata

    return {
        table.name: line.execute(select(func.count()).select_from(table)).scalar_one()
        for table in metadata.sorted_tables
    }


async def test_a_company_s_office_comes_with_its_own_credential_and_a_till_does_not(office: Office) -> None:
    place, house = office.place, office.house
    credential, key = house.till(None)
    assert (await place.do(key, "tills", {"siren": BAKERY}))["rows"]
    assert await place.refusal(key, "tills", {"siren": SISTER}) == (403, "another_company")
    _, till = house.till(1)
    assert await place.refusal(till, "tills", {"siren": BAKERY}) == (403, "till_not_allowed")
    await place.do(office.clerk, "till-revoke", {"key_id": credential.key_id})
    assert (await place.refusal(key, "tills", {"siren": BAKERY}))[0] == 403
    assert await place.refusal("cmt_0_0", "tills", {"siren": BAKERY}) == (401, "key_not_known")


async def test_a_file_that_is_larger_than_a_door_takes_is_not_kept(office: Office) -> None:
    place = office.place
    campaign = await office.run()
    upload = next(step.upload for step in PARTNERS_STEPS.steps if step.called == "operations-try")
    assert upload is not None

    async def pieces() -> AsyncIterator[bytes]:  # without a length: only counting finds it
        for _ in range(upload.bytes_max // 2**20 + 1):
            yield bytes(2**20)

    asked = {"campaign": campaign}
    told = await place.refusal(office.own, "operations-try", asked, data=pieces())
    assert told == (413, "too_large")
    assert list((place.app.folder / "uploads").iterdir()) == []


async def test_a_file_goes_on_although_its_caller_hung_up(office: Office) -> None:
    place, house = office.place, office.house
    campaign = await office.run()
    load = {"id": new_id(), "campaign": campaign, "name": "x"}
    data = make_file([row(number, house.account()) for number in range(1, 4)])
    step = next(one for one in PARTNERS_STEPS.steps if one.called == "operations-load")
    plain, begun, let_go = place.doors._commands[step.command], asyncio.Event(), asyncio.Event()

    async def slow(app: Any, asked: Any) -> Any:
        begun.set()
        await let_go.wait()
        return await plain(app, asked)

    place.doors._commands[step.command] = slow  # type: ignore[index]
    caller = asyncio.ensure_future(place.call(office.own, "operations-load", load, data=data))
    await begun.wait()
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    let_go.set()
    for task in list(place.doors._working):
        await task
    run = await place.do(office.own, "operations-show", {"run": load["id"]})
    assert (run["state"], run["rows"]) == ("loaded", 3)
    assert list((place.app.folder / "uploads").iterdir()) == []


async def test_who_waits_long_is_told_how_far_it_is(office: Office) -> None:
    place, house = office.place, office.house
    campaign = await office.run()
    data = make_file([row(1, house.account())])
    load = {"id": new_id(), "campaign": campaign, "name": "x"}
    run = await place.do(office.own, "operations-load", load, data=data)
    plain, let_go = place.doors._commands["operations_book"], asyncio.Event()

    async def slow(app: Any, asked: Any) -> Any:
        await let_go.wait()
        return await plain(app, asked)

    place.doors._commands["operations_book"] = slow  # type: ignore[index]
    place.doors._wait_seconds = 0.001
    told = await place.call(office.own, "operations-book", {"run": run["id"]})
    assert (told.status, told.json["state"]) == (202, "loaded")
    let_go.set()
    for task in list(place.doors._working):
        await task
    assert (await place.do(office.own, "operations-show", {"run": run["id"]}))["state"] == "done"


async def test_no_more_files_are_taken_at_once_than_there_is_room_for(office: Office) -> None:
    place = office.place
    campaign = await office.run()
    let_go, begun = asyncio.Event(), asyncio.Semaphore(0)

    async def pieces() -> AsyncIterator[bytes]:
        yield b"id;kind"
        begun.release()
        await let_go.wait()
        yield b";account;amount\n"

    asked = {"campaign": campaign}
    first = [
        asyncio.ensure_future(place.call(office.own, "operations-try", asked, data=pieces()))
        for _ in range(UPLOADS_AT_ONCE)
    ]
    for _ in first:
        await begun.acquire()
    taken = [*(place.app.folder / "uploads").glob("*")]
    while len(taken) < UPLOADS_AT_ONCE:
        await asyncio.wait([asyncio.ensure_future(asyncio.to_thread(lambda: None))])
        taken = [*(place.app.folder / "uploads").glob("*")]
    told = await place.call(office.own, "operations-try", asked, data=b"")
    assert (told.status, told.json["code"], told.headers["Retry-After"]) == (429, "calls_used_up", "60")
    let_go.set()
    assert {one.status for one in await asyncio.gather(*first)} == {200}
    assert place.doors._uploads == 0
    assert (await place.call(office.own, "operations-try", asked, data=b"id;kind;account;amount\n")).status == 200
