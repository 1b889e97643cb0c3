"""Groups with a guide by HTTP and by command: whose key does what, no other door, and both languages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from node.commands import app as commands
from node.guides.acts import ActWords, CedeAct, OrientAct, sign_act, write_signed_act
from protocol.exchange.peer_service import PeerExchange
from protocol.exchange.service import Identity
from protocol.house import GuideAccredited, GuideEnded, HouseMessage, house_of, make_neighbours
from protocol.identifiers import AccountNumber, TerritoryCode, format_id, parse_id, write_address
from protocol.keys import SecretKeys, make_keys
from protocol.running.keys_store import create_keys
from tests.node.place import BREST, Place, make_folder, new_id

GUIDE = bytes(range(16))
KEYS = make_keys(bytes(range(64)))


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    make_folder(tmp_path / "node", BREST)
    made = await Place.open(tmp_path / "node")
    yield made
    findings = made.check()
    await made.close()
    assert findings == []


async def tell(place: Place, *messages: HouseMessage) -> None:
    """Take what the projects' base would have signed."""
    keyring = place.app.federation.identity.keyring
    logs = {
        code: PeerExchange(
            place.app.book,
            Identity(house_of(place.app.home), code, keyring),
            make_neighbours({}),
            lambda _page, _sender, _messages: [],
        )
        for code in ("PROJECTS", "ACCOUNTS")
    }

    def write(page: Any, items: Any) -> list[Any]:
        for item in items:
            logs["PROJECTS"].tell(page, "ACCOUNTS", item)
            logs["ACCOUNTS"].tell(page, "PROJECTS", place.app.guides.apply(page, "PROJECTS", item))
        return list(items)

    await place.app.book.write(write, messages)


def sign(account: str, act: Any, keys: SecretKeys = KEYS) -> dict[str, str]:
    words = ActWords(1, BREST, parse_id(new_id()), GUIDE, account, 2**50, act)
    return {"signed": write_signed_act(sign_act(words, keys))}


async def open_account(place: Place, kind: str = "person") -> str:
    return str((await place.admin("open", id=new_id(), kind=kind))["number"])


async def fill(place: Place, account: str, cents: int) -> None:
    await place.admin(
        "endow",
        id=new_id(),
        donor=new_id(),
        campaign="bread",
        month=202611,
        lot_class=1,
        into=place.pool,
        cents=cents,
        reason="bank line",
    )
    await place.admin("credit", id=new_id(), pool=place.pool, to=account, cents=cents)


async def test_members_consent_with_their_own_keys_and_the_guide_acts(place: Place) -> None:
    await tell(place, GuideAccredited(GUIDE, KEYS.public.signing, 20200101, 20991231))
    group, anna, ben = await open_account(place, "group"), await open_account(place), await open_account(place)
    await fill(place, group, 1_000)
    of_anna = await place.make_key("read,cede,accounts", anna)
    of_group = await place.make_key("read,cede", group)
    there = f"/v1/groups/{group}"
    assert (await place.call("GET", there)).json["code"] == "group_unknown"
    assert (await place.call("POST", "/v1/groups", {"id": new_id(), "account": group}, key=of_anna)).status == 403
    assert (await place.call("POST", "/v1/groups", {"id": new_id(), "account": group})).json["guided"]
    for member in (anna, ben):
        joined = await place.call("POST", f"{there}/members", {"id": new_id(), "member": member})
        assert joined.json["is_member"]

    # No other door moves the group's rights on, whoever has the key.
    item = {"id": new_id(), "from": group, "to": write_address(AccountNumber(anna), TerritoryCode(BREST)), "cents": 5}
    asked: tuple[tuple[str, dict[str, Any]], ...] = (
        ("/v1/orientations", {"id": new_id(), "from": group, "choices": [{"to": anna}]}),
        ("/v1/standing-orders", {"id": new_id(), "from": group, "share": 10}),
        ("/v1/reservations", {"id": new_id(), "account": group, "cents": 5, "expires_at": "2099-01-01T00:00:00Z"}),
        (f"/v1/orientations/{new_id()}/return", {"id": new_id()}),
    )
    for path, body in asked:
        told = await place.call("POST", path, body, key=of_group)
        assert (told.status, told.json["code"]) == (422, "group_is_guided"), path
    line = (await place.call("POST", "/v1/cessions", {"items": [item]})).json["items"][0]
    assert line["code"] == "group_is_guided"
    with pytest.raises(Exception, match="group_is_guided"):
        await place.admin(
            "cede", id=new_id(), to=write_address(AccountNumber(anna), TerritoryCode(BREST)), cents=5, **{"from": group}
        )

    cede = sign(group, CedeAct(anna, 100, "merci"))
    told = await place.call("POST", "/v1/acts", cede, language="fr")
    assert (told.status, told.json["code"]) == (422, "consent_missing")
    assert "accord" in told.json["explanation"]
    consent = {"id": new_id(), "guide": format_id(GUIDE), "member": anna, "days": 30}
    assert (await place.call("POST", f"{there}/consents", consent | {"member": ben}, key=of_anna)).status == 403
    assert (await place.call("POST", f"{there}/consents", consent, key=of_anna)).status == 200
    assert (await place.call("POST", "/v1/acts", cede)).json["facts"]["needed"] == 2
    second = await place.call("POST", f"{there}/consents", consent | {"id": new_id(), "member": ben})
    done = await place.call("POST", "/v1/acts", cede, key=of_group)
    assert (done.status, done.json["act"], done.json["cents"]) == (201, "cede", 100)
    assert (await place.call("POST", "/v1/acts", cede)).status == 200
    shown = (await place.call("GET", there, key=of_group)).json
    assert (shown["members"], [one["act"] for one in shown["acts"]]) == (2, ["cede"])
    assert [(one["given"], one["code"]) for one in shown["guides"]] == [(2, "")]
    assert not [one for one in (anna, ben) if one in json.dumps(shown)], "never who"

    mine = f"{there}/consents/{consent['id']}"
    assert (await place.call("DELETE", f"{there}/consents/{second.json['consent']}", key=of_anna)).status == 403
    assert (await place.call("DELETE", mine, key=of_anna)).json["withdrawn"]
    refused = await place.call("POST", "/v1/acts", sign(group, CedeAct(anna, 1, "")))
    assert refused.json["code"] == "consent_missing"
    paper = {"id": new_id(), "guide": format_id(GUIDE), "sha256": "ab" * 32, "days": 5}
    assert (await place.call("POST", f"{there}/mandates", paper, key=of_anna)).status == 403
    assert (await place.call("POST", f"{there}/mandates", paper | {"sha256": "zz" * 32})).status == 400
    await place.call("POST", f"{there}/mandates", paper)
    assert (await place.call("POST", "/v1/acts", sign(group, CedeAct(anna, 1, "")))).status == 201
    assert not (await place.call("DELETE", f"{there}/members/{anna}", key=of_anna)).json["is_member"]
    assert (await place.call("DELETE", f"{there}/members/{ben}", key=of_anna)).status == 403
    await tell(place, GuideEnded(GUIDE, "guide_left"))
    gone = await place.call("POST", "/v1/acts", sign(group, OrientAct((anna,), (1,), "back")))
    assert gone.json["facts"]["reason"] == "guide_left"
    assert (await place.call("GET", there)).json["guides"][0]["code"] == "guide_not_accredited"
    assert (await place.call("POST", "/v1/acts", {"signed": "zz"})).json["code"] == "act_refused"


def test_a_group_by_command(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    make_folder(folder, BREST)
    runner = CliRunner()

    def run(*words: object, code: int = 0) -> Any:
        told = runner.invoke(
            commands, [str(word) for word in words], env={"CITIZEN_MILES_LANG": "en", "COLUMNS": "400"}
        )
        assert told.exit_code == code, told.output
        return json.loads(told.stdout) if "--json" in words else told.output

    async def prepare() -> tuple[str, str]:
        made = await Place.open(folder)
        keys = create_keys(tmp_path / "own", None, KEYS.signing_seed + KEYS.sealing_seed)
        await tell(made, GuideAccredited(GUIDE, keys.public.signing, 20200101, 20991231))
        group, anna = await open_account(made, "group"), await open_account(made)
        await fill(made, group, 500)
        await made.close()
        return group, anna

    group, anna = asyncio.run(prepare())
    run("group", "declare", folder, group, "--json")
    run("group", "join", folder, group, anna, "--json")
    (paper := tmp_path / "mandat.pdf").write_bytes(b"signed by all")
    guide = ("--guide", format_id(GUIDE))
    mandate = run("group", "mandate", folder, group, paper, *guide, "--days", 30, "--json")["consent"]
    run("group", "consent", folder, group, anna, *guide, "--days", 30, "--json")
    line = tmp_path / "act"
    own = (*guide, "--territory", BREST, "--keys", tmp_path / "own", "--out", line)
    run("group", "sign", "cede", group, anna, "--cents", 200, *own)
    assert run("group", "act", folder, line, "--json")["cents"] == 200
    run("group", "sign", "orient", group, f"{anna}=100", *own)
    assert "project_not_here" in run("group", "act", folder, line, code=1)
    assert "PROJECT=CENTS" in run("group", "sign", "orient", group, f"{anna}=x", *own, code=1)
    for name in ("take-back", "recall"):
        run("group", "sign", name, group, new_id(), *own)
        assert "unknown" in run("group", "act", folder, line, code=1)
    run("group", "withdraw", folder, group, mandate, "--json")
    shown = run("group", "show", folder, group, "--json")
    assert (shown["member_accounts"], len(shown["consents"]), shown["guides"][0]["code"]) == ([anna], 2, "")
    run("group", "leave", folder, group, anna, "--json")
    assert "consent_missing" in str(run("group", "show", folder, group, "--json"))
    assert "guides act" in run("check", folder) or "signed" in run("check", folder)
