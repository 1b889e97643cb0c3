"""A disk that is full or read-only, under processes: said, waited for, nothing lost, and well again by itself."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.killing.disks import Disk, small_disk
from tests.node.parties import Party, serve_parties, wait_for
from tests.node.place import BREST
from tests.ports import choose_port

pytestmark = pytest.mark.timeout(240)
WITHIN_SECONDS = 120.0
ENDED = ("delivered", "returned", "refused")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "disk") as made:
        yield made


@pytest.fixture
def node_on_it(disk: Disk, tmp_path: Path) -> Iterator[tuple[Party, Party, Party]]:
    """A hub, Brest with its folder on the small disk, and Lyon."""
    (tmp_path / BREST).symlink_to(disk.folder / "node")
    (disk.folder / "node").mkdir()
    yield from serve_parties(tmp_path, lambda: "")


@pytest.fixture
def hub_on_it(disk: Disk, tmp_path: Path) -> Iterator[tuple[Party, Party, Party]]:
    """A hub with its folder on the small disk, Brest and Lyon."""
    (tmp_path / "hub").symlink_to(disk.folder / "hub")
    (disk.folder / "hub").mkdir()
    yield from serve_parties(tmp_path, lambda: "")


def _until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WITHIN_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"it never came to this: {what}"
        time.sleep(0.05)


def _is_ready(party: Party) -> bool:
    return bool(party.call("GET", "/readyz")[1]["ready"])


def _open_account(node: Party) -> dict[str, str]:
    status, told = node.call("POST", "/v1/accounts", {"id": str(uuid.uuid4()), "kind": "person"})
    assert status == 201, told
    return {"address": told["address"], "number": told["number"]}


def _open_pool(node: Party, cents: int) -> str:
    pool = str(node.json("account", "open", node.folder, "--kind", "pool")["number"])
    node.json("endow", node.folder, "--into", pool, "--reason", "disks", "--cents", cents)
    return pool


def _balance(node: Party, account: dict[str, str]) -> int:
    status, told = node.call("GET", f"/v1/accounts/{account['number']}/balance")
    assert status == 200, told
    return int(told["cents"])


def _credit(node: Party, pool: str, to: dict[str, str], ids: list[str]) -> tuple[int, Any]:
    items = [{"id": id_, "to": to["address"], "cents": 1} for id_ in ids]
    return node.call("POST", "/v1/credits", {"from": pool, "items": items})


def _require_clean(*parties: Party) -> None:
    for party in parties:
        done = party.run("check", party.folder)
        assert done.returncode == 0, done.stdout + done.stderr
        log = (party.folder / "log").read_text(errors="replace")
        assert "Traceback" not in log, log[-3_000:]
        assert '"incident"' not in log, log[-3_000:]


def test_a_node_whose_disk_fills_says_so_keeps_what_it_acknowledged_and_goes_on_by_itself(
    disk: Disk, node_on_it: tuple[Party, Party, Party]
) -> None:
    hub, brest, lyon = node_on_it
    pool, ana, carl = _open_pool(brest, 1_000_000), _open_account(brest), _open_account(lyon)
    acknowledged = [str(uuid.uuid4()) for _ in range(500)]
    assert _credit(brest, pool, ana, acknowledged)[0] == 200
    disk.fill(brest)
    refused: list[str] = []
    while not refused:  # what the log of the base has already taken from the disk is still to be used up
        ids = [str(uuid.uuid4()) for _ in range(500)]
        status, told = _credit(brest, pool, ana, ids)
        if status == 200:
            acknowledged += ids
        else:
            assert (status, told["code"]) == (503, "storage_unavailable"), told
            assert told["explanation"]
            refused = ids
    # It says so and goes on saying so, whatever it does by itself every few seconds; and it still answers questions.
    began = time.monotonic()
    while time.monotonic() - began < 7:
        assert brest.call("GET", "/readyz")[0] == 503
        time.sleep(0.25)
    assert _balance(brest, ana) == len(acknowledged)
    assert brest.call("POST", "/v1/cessions", _cession(ana, carl))[0] == 503
    assert brest.call("GET", "/healthz")[0] == 200
    # The others do not notice.
    assert _is_ready(hub)
    assert _is_ready(lyon)

    disk.clear(brest)
    _until(lambda: _is_ready(brest), "the node is ready again")
    status, told = _credit(brest, pool, ana, refused)
    assert status == 200, told
    cession = _cession(ana, carl)
    assert brest.call("POST", "/v1/cessions", cession)[0] == 200
    wait_for(brest, cession["items"][0]["id"], *ENDED)
    assert _balance(brest, ana) == len(acknowledged) + len(refused) - 5
    for ids in (acknowledged[:500], refused):  # asked again: answered as before, and nothing is done twice
        status, told = _credit(brest, pool, ana, ids)
        assert status == 200, told
    assert _balance(brest, ana) == len(acknowledged) + len(refused) - 5
    _require_clean(hub, brest, lyon)


def _cession(giver: dict[str, str], taker: dict[str, str]) -> dict[str, Any]:
    return {"items": [{"id": str(uuid.uuid4()), "from": giver["address"], "to": taker["address"], "cents": 5}]}


def test_a_hub_whose_disk_fills_has_rights_wait_and_loses_none(
    disk: Disk, hub_on_it: tuple[Party, Party, Party]
) -> None:
    hub, brest, lyon = hub_on_it
    pool, ana, carl = _open_pool(brest, 100_000), _open_account(brest), _open_account(lyon)
    assert _credit(brest, pool, ana, [str(uuid.uuid4()) for _ in range(1_000)])[0] == 200
    disk.fill(hub)
    asked: list[str] = []

    def is_refusing() -> bool:
        cession = _cession(ana, carl)
        assert brest.call("POST", "/v1/cessions", cession)[0] == 200, "a node needs no hub to take what is asked"
        asked.append(cession["items"][0]["id"])
        return hub.call("GET", "/readyz")[0] == 503

    _until(is_refusing, "the hub says that its disk is full")
    _until(
        lambda: brest.json("federation", "status", brest.folder)["trouble"] is not None, "the node says that it waits"
    )
    assert "storage_unavailable" in brest.json("federation", "status", brest.folder)["trouble"]
    assert _is_ready(brest)
    waiting = [brest.call("GET", f"/v1/cessions/{id_}")[1]["state"] for id_ in asked]
    assert waiting[-1] == "queued"

    disk.clear(hub)
    _until(lambda: _is_ready(hub), "the hub is ready again")
    for id_ in asked:
        wait_for(brest, id_, *ENDED)
    assert _balance(lyon, carl) == 5 * len(asked)
    _require_clean(hub, brest, lyon)


@pytest.mark.parametrize("kind", ["full", "read-only"])
@pytest.mark.parametrize("who", ["hub", "node"])
def test_nobody_starts_on_a_disk_that_takes_nothing_and_the_folder_is_unharmed(
    disk: Disk, tmp_path: Path, kind: str, who: str
) -> None:
    if not disk.is_mounted:
        pytest.fail("this needs a disk of its own: let the tests mount one (root, or a user name space)")
    party = Party(who, disk.folder / who)
    words = ["--territory", BREST, "--name", "Brest"] if who == "node" else []
    words += ["--network", "test", "--listen", f"127.0.0.1:{choose_port()}"]
    made = party.run("init", party.folder, *words)
    assert made.returncode == 0, made.stderr
    party.start()
    assert party.end(9) == -9  # as a machine stops
    if kind == "full":
        disk.fill(party)
    else:
        disk.set_read_only(True)
    for command in ("serve", "check"):
        done = party.run(command, party.folder)
        if command == "serve":
            assert done.returncode == 1, done.stdout
        assert "Traceback" not in done.stderr, done.stderr
        if done.returncode:
            *before, said = done.stderr.strip().splitlines()
            assert "storage_unavailable" in said, done.stderr
            assert all(line.startswith("{") for line in before), "the log, and one line for a person"
    held = {path.name for path in party.folder.iterdir()}
    if kind == "full":
        disk.clear(party)
    else:
        disk.set_read_only(False)
    party.start()
    assert _is_ready(party)
    assert held <= {path.name for path in party.folder.iterdir()} | {"port"}
    assert party.end(15) == 0
    _require_clean(party)
    # And making one: refused in a line, and made once there is room.
    disk.fill(party)
    another = party.folder.with_name("another")
    told = ["init", another, *words]
    done = party.run(*told)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr, done.stderr
    disk.clear(party)
    done = party.run(*told)
    assert done.returncode == 0, done.stderr
