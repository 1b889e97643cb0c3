"""A house serves the doors of its fund and of its companies; keys are made by command, in the same process."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import aiohttp
from aiohttp.test_utils import TestServer

from node import commands as node_commands
from node.desks.fund import commands as fund_commands
from node.desks.fund.admin_commands import FUND_COMMANDS
from node.desks.partners import commands as partners_commands
from node.desks.partners.admin_commands import PARTNERS_COMMANDS
from node.fund.schema_service import FUND_HISTORY
from node.house_app import HouseApp
from node.ledger.service import ledger_history
from node.partners.service import PARTNERS_HISTORY
from protocol.house import BaseName
from tests.doors.place import ADDRESS, new_id
from tests.fund.camt_files import OURS
from tests.templates import lay


def make_folder(folder: Path) -> Path:
    """Make a node's folder with a fund and companies; empty books are copied, not brought up to date."""
    with contextlib.redirect_stdout(io.StringIO()):
        node_commands.init(
            folder,
            territory="242900314",
            name="Brest",
            network="test",
            hub="",
            listen="127.0.0.1:0",
            database="",
            back_off_ceiling_ms=500,
        )
        fund_commands.init(
            folder,
            name="Fonds du Ponant",
            siren="200046977",
            purpose="Soutenir le territoire",
            **ADDRESS,
            iban=OURS,
            bic="AGRIFRPP",
            holder="FONDS DU PONANT",
            signatory="Anne Le Goff",
            public_url="https://fonds.example",
        )
        partners_commands.init(folder)
    lay(f"sqlite:///{folder}/accounts.db", ledger_history())
    lay(f"sqlite:///{folder}/fund/fund.db", FUND_HISTORY)
    lay(f"sqlite:///{folder}/partners/partners.db", PARTNERS_HISTORY)
    return folder


async def test_a_house_serves_the_doors_of_its_bases_for_keys_of_each(tmp_path: Path) -> None:
    house = HouseApp(make_folder(tmp_path / "node"), (BaseName.ACCOUNTS, BaseName.FUND, BaseName.PARTNERS))
    server = TestServer(house.make_doors())
    await server.start_server()
    made = {}
    for base, app, commands, duty in (
        ("fund", house.fund, FUND_COMMANDS, "reader"),
        ("partners/office", house.partners, PARTNERS_COMMANDS, "clerk"),
    ):
        key = await commands["key_new"](app, {"id": new_id(), "name": "portal", "duties": duty})
        made[base] = f"Bearer {key['key']}"
    async with aiohttp.ClientSession() as session:
        for base, path in (("fund", "donors"), ("partners/office", "companies")):
            document = server.make_url(f"/v1/{base}/openapi.json")
            assert (await (await session.get(document)).json())["openapi"] == "3.1.0"
            url = server.make_url(f"/v1/{base}/{path}")
            for named, key in made.items():
                answer = await session.get(url, headers={"Authorization": key})
                assert answer.status == (200 if named == base else 401), (base, named)
        # The largest body is taken where a file is, and nowhere else.
        large = bytes(3 * 1024 * 1024)
        headers = {"Authorization": made["fund"]}
        for path, status in (("statement", 403), ("statement-csv", 413), ("decide", 413)):
            url = server.make_url(f"/v1/fund/{path}")
            with contextlib.suppress(aiohttp.ClientError):  # who is refused early may see the line end
                assert (await session.post(url, data=io.BytesIO(large), headers=headers)).status == status, path
    await server.close()
    await house.close()
