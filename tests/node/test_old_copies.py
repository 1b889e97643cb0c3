"""Real processes on old copies of their books: a node, then the hub, killed, restored from a backup, and recovered."""

from __future__ import annotations

import signal
import time
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from tests.node.parties import WITHIN_SECONDS, Party, parties_on, wait_for
from tests.node.place import new_id

__all__ = ["parties_on"]


class Copies:
    """Backups of one party: by its own command on SQLite, by PostgreSQL's own means there."""

    def __init__(self, party: Party) -> None:
        self.party = party
        text = (party.folder / f"{party.kind}.toml").read_text()
        line = next((line for line in text.splitlines() if line.startswith("database") and "postgresql" in line), "")
        self.url = make_url(line.split('"')[1]) if line else None
        self.file = party.folder / "copy"

    def make(self) -> None:
        if self.url is None:
            done = self.party.run("backup", self.party.folder, self.file)
            assert done.returncode == 0, done.stderr
            return
        assert self.party.end(signal.SIGTERM) == 0
        self._create("copy_of", self.url.database)
        self.party.start()

    def put_back(self) -> None:
        assert self.party.end(signal.SIGKILL) == -signal.SIGKILL
        if self.url is None:
            done = self.party.run("restore", self.party.folder, self.file)
        else:
            with self._server() as server:
                server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(self.url.database or "")))
                server.execute(
                    sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                        sql.Identifier(f"copy_of_{self.url.database}"), sql.Identifier(self.url.database or "")
                    )
                )
            done = self.party.run("restore", self.party.folder)
        assert done.returncode == 0, done.stderr
        self.party.start()

    def _server(self) -> psycopg.Connection[Any]:
        assert self.url is not None
        address = self.url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
        return psycopg.connect(address, autocommit=True)

    def _create(self, prefix: str, template: str | None) -> None:
        with self._server() as server:
            server.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(f"{prefix}_{template}"), sql.Identifier(template or "")
                )
            )


@pytest.mark.timeout(240)
def test_node_then_hub_come_back_from_yesterday(parties_on: tuple[Party, Party, Party]) -> None:
    hub, brest, lyon = parties_on
    pool = brest.json("account", "open", brest.folder, "--kind", "pool")["number"]
    brest.json("endow", brest.folder, "--into", pool, "--euros", "100,00", "--reason", "bank statement 11")
    giver = brest.call("POST", "/v1/accounts", {"id": new_id(), "kind": "person"})[1]["address"]
    taker = lyon.call("POST", "/v1/accounts", {"id": new_id(), "kind": "person"})[1]["address"]
    line = {"id": new_id(), "to": giver, "cents": 5_000}
    assert brest.call("POST", "/v1/credits", {"from": pool, "items": [line]})[1]["items"][0]["status"] == "done"

    def cede(cents: int, origin: Party = brest, frm: str = giver, to: str = taker) -> dict[str, Any]:
        asked = {"id": new_id(), "from": frm, "to": to, "cents": cents}
        told = origin.call("POST", "/v1/cessions", {"items": [asked]})
        assert told[1]["items"][0]["status"] == "done", told
        wait_for(origin, asked["id"], "delivered")
        return asked

    cede(100)
    copies = Copies(brest)
    copies.make()
    lost = [cede(200), cede(300)]
    cede(50, lyon, taker, giver)
    copies.put_back()

    # Marked as an old copy: it answers questions, takes nothing new, and says what to do.
    status, told = brest.call(
        "POST", "/v1/cessions", {"items": [{"id": new_id(), "from": giver, "to": taker, "cents": 1}]}
    )
    assert (status, told["code"], "node recover" in told["explanation"]) == (503, "book_is_behind", True)
    assert brest.call("GET", "/readyz")[0] == 503
    assert brest.json("balance", brest.folder, giver)["cents"] == 4_900
    recovered = brest.json("recover", brest.folder)
    assert recovered["phase"] == "none", recovered
    assert brest.json("balance", brest.folder, giver)["cents"] == 5_000 - 600 + 50
    assert brest.call("GET", "/readyz")[0] == 200
    # Asked again by a caller that lost its answer: known.
    again = brest.call("POST", "/v1/cessions", {"items": [lost[0]]})[1]["items"][0]
    assert again["status"] == "repeated"
    cede(10)

    # The hub's turn.
    copies = Copies(hub)
    copies.make()
    cede(20)
    cede(30, lyon, taker, giver)
    copies.put_back()
    deadline = time.monotonic() + WITHIN_SECONDS
    while hub.json("recover", hub.folder)["phase"] != "none" if hub.call("GET", "/readyz")[0] == 503 else False:
        assert time.monotonic() < deadline
    cede(40)
    assert brest.json("balance", brest.folder, giver)["cents"] == 5_000 - 600 + 50 - 10 - 20 + 30 - 40
    assert brest.json("federation", "status", brest.folder)["hub_restored"]
    for party in parties_on:
        assert party.end(signal.SIGTERM) == 0
        assert "Traceback" not in (party.folder / "log").read_text()
        told = party.json("check", party.folder)
        assert told["ok"], told
