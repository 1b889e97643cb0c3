"""The whole story: set up, load, kill, settle, ask everything again, judge."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
import uuid
from collections import Counter as Tally
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.killing.callers import Caller, Counter, Line, ask_lines, ask_singly
from tests.killing.killer import Killer
from tests.killing.oracle import ENDED, Account, Found, Oracle
from tests.killing.processes import Kept
from tests.killing.proxy import Fault, Proxy
from tests.node.parties import PROGRAM
from tests.node.place import BREST, LYON
from tests.ports import choose_port
from tests.postgres import PostgresServer

CALLERS: Final = 4  # of each node
PEOPLE: Final = 5
POOL_CENTS: Final = 10_000_000
SETTLE_SECONDS: Final = 90.0
FAULTS_SHARE: Final = 0.3  # of the calls between a node and the hub, while the line is bad
LINE_MS: Final = {"hub_wait_ms": 1_000, "hub_silence_ms": 2_000}  # so that a dead line is left in a test's time
PAGE: Final = 200
TOGETHER: Final = 50  # lines of one kind asked again in one call


@dataclass
class Outcome:
    """What came of a run."""

    kills: dict[str, dict[str, int]]  # party -> at work, starting
    pairs: int
    accidents: dict[str, int]
    asked: int
    acknowledged: int
    asked_again: int
    storage_refusals: int
    seconds: float
    lost: int
    twice: int
    wrongs: list[str] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)  # kind -> how often a call met it


async def run_story(
    folder: Path,
    *,
    kills: int,
    seed: int,
    faults: int = 0,
    acknowledged: int = 0,
    kinds: Sequence[Fault] = tuple(Fault),
    settle_seconds: float = SETTLE_SECONDS,
    server: PostgresServer | None = None,
    program: Sequence[str] = (str(PROGRAM),),
    on_kill: Callable[[int], Any] = lambda _: None,
) -> Outcome:
    """Run one story in this folder; the bases are SQLite in it, or databases of `server`. `program` serves the nodes.

    With `faults` a proxy stands between each node and the hub, and the story goes on until so many calls met a fault of
    these kinds. However slow the machine is, it goes on until so much was `acknowledged`: else nothing could have been lost.
    """
    began = time.monotonic()
    dice = random.Random(f"kill/{seed}")
    proxies: list[Proxy] = []
    hub, nodes = await set_up(folder, server, tuple(program), proxies=proxies if faults else None, seed=seed)
    parties = (hub, *nodes)
    oracle = Oracle()
    line = Line(oracle, dice)
    killer = Killer(parties, dice, server)
    try:
        for party in parties:
            party.keep(dice)
        counters = [await asyncio.to_thread(_open_counter, oracle, node) for node in nodes]
        stop = asyncio.Event()
        callers = [
            Caller(line, here, [one for one in counters if one is not here], random.Random(dice.random()))
            for here in counters
            for _ in range(CALLERS)
        ]
        working = [asyncio.create_task(caller.run(stop)) for caller in callers]
        for proxy in proxies:
            proxy.share, proxy.kinds = FAULTS_SHARE, kinds
        await asyncio.gather(
            killer.run(kills, on_kill),
            _wait_until(lambda: sum(proxy.met.total() for proxy in proxies) >= faults, working),
            _wait_until(lambda: oracle.count_acknowledged() >= acknowledged, working),
        )
        for proxy in proxies:
            proxy.calm()
        stop.set()
        await asyncio.gather(*working)
        await asyncio.gather(*(party.wait_up() for party in parties))
        await _settle(line, counters, settle_seconds)
        await _ask_again(line, counters)
        await _settle(line, counters, settle_seconds)
        oracle.judge(await _read_all(line, counters))
        for party in parties:
            await asyncio.to_thread(_require_sound, oracle, party)
    finally:
        await line.close()
        for party in parties:
            await party.stop()
        for proxy in proxies:
            await proxy.stop()
    return Outcome(
        kills={f"{party.kind} {party.code}".strip(): dict(party.kills) for party in parties},
        pairs=killer.pairs,
        accidents=dict(killer.accidents),
        asked=len(oracle.asked),
        acknowledged=oracle.count_acknowledged(),
        asked_again=line.counts.asked_again,
        storage_refusals=line.counts.storage_refusals,
        seconds=round(time.monotonic() - began, 1),
        lost=oracle.lost,
        twice=oracle.twice,
        wrongs=oracle.wrongs,
        faults=dict(sum((proxy.met for proxy in proxies), Tally())),
    )


async def _wait_until(is_so: Callable[[], bool], working: Sequence[asyncio.Task[None]]) -> None:
    """Wait until it is so, while somebody works."""
    while not is_so():
        done, _ = await asyncio.wait(working, timeout=0.05, return_when=asyncio.FIRST_COMPLETED)
        if done:
            return


async def set_up(
    folder: Path,
    server: PostgresServer | None,
    program: tuple[str, ...],
    *,
    proxies: list[Proxy] | None = None,
    seed: int = 0,
) -> tuple[Kept, list[Kept]]:
    """Enrol two territories at a hub. Everybody listens where he listened first. Appends a proxy for each node."""

    def base() -> list[str]:
        return [] if server is None else ["--database", server.create_database()]

    async def command(party: Kept, *words: object) -> None:
        done = await asyncio.to_thread(party.run, *words)
        assert done.returncode == 0, done.stderr

    hub = Kept("hub", folder / "hub", code="hub")
    await command(hub, "init", hub.folder, "--network", "test", "--listen", f"127.0.0.1:{choose_port()}", *base())
    hub.launch()
    await hub.wait_up()
    url = f"http://127.0.0.1:{hub.port}"
    nodes = []
    for code in (BREST, LYON):
        if proxies is not None:
            proxy = Proxy(hub.port, random.Random(f"line/{seed}/{code}"))
            await proxy.start()
            proxies.append(proxy)
            url = f"http://127.0.0.1:{proxy.port}"
        node = Kept("node", folder / code, code=code, program=program)
        words = ["--territory", code, "--name", code, "--hub", url, "--network", "test"]
        words += ["--listen", f"127.0.0.1:{choose_port()}"]
        await command(node, "init", node.folder, *words, *base(), "--back-off-ceiling-ms", 300)
        invited = await asyncio.to_thread(hub.json, "invite", hub.folder, code, "--url", url)
        await command(node, "enrol", node.folder, invited["invitation"])
        if proxies is not None:
            file = node.folder / "node.toml"
            text = re.sub(r"(?m)^hub_(wait|silence)_ms = .*\n", "", file.read_text())
            file.write_text(text + "".join(f"{name} = {value}\n" for name, value in LINE_MS.items()))
        await command(hub, "accredit", hub.folder, code)
        node.launch()
        await node.wait_up()
        nodes.append(node)
    return hub, nodes


def _open_counter(oracle: Oracle, node: Kept) -> Counter:
    """Endow a pool and open a few accounts, before anybody is killed."""
    pool = str(node.json("account", "open", node.folder, "--kind", "pool")["number"])
    told = node.json("endow", node.folder, "--into", pool, "--reason", "killing", "--cents", POOL_CENTS)
    key = node.json("api-key", "new", node.folder, "callers", "--scopes", "admin")["key"]
    node.key = key
    counter = Counter(node.code, lambda: node.port, key, pool)
    for _ in range(PEOPLE):
        one = oracle.ask("open", node.code, str(uuid.uuid4()), {"kind": "person"})
        status, answer = node.call("POST", "/v1/accounts", {"id": one.id, **one.line})
        assert status == 201, answer
        one.times = 1
        oracle.hear(one, refused=False, answer=answer, is_repeat=False)
        counter.people.append(answer["address"])
    oracle.issued[node.code] = POOL_CENTS
    oracle.endowments[node.code, pool] = (str(told["id"]), POOL_CENTS)
    return counter


async def _read_pages(line: Line, here: Counter, path: str, rows: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: int | None = None
    while True:
        mark = "&" if "?" in path else "?"
        more = "" if cursor is None else f"&cursor={cursor}"
        _, told = await line.send(here, "GET", f"{path}{mark}limit={PAGE}{more}")
        found += told[rows]
        cursor = told["cursor"]
        if cursor is None:
            return found


async def _settle(line: Line, counters: Sequence[Counter], seconds: float) -> None:
    """Wait until every cession has ended; what does not end is for the oracle to say."""
    give_up = time.monotonic() + seconds
    for here in counters:
        while time.monotonic() < give_up:
            _, totals = await line.send(here, "GET", "/v1/totals")
            if all(state in ENDED or not told["count"] for state, told in totals["sent"].items()):
                break
            await asyncio.sleep(0.1)


async def _ask_again(line: Line, counters: Sequence[Counter]) -> None:
    """Ask for everything that was answered once more, under the same ids: the oracle holds answer against answer."""
    for here in counters:
        for kind in ("credit", "cede"):
            lines = [one for one in line.oracle.pick(kind) if one.node == here.code]
            for start in range(0, len(lines), TOGETHER):
                await ask_lines(line, here, lines[start : start + TOGETHER])
        for kind in ("open", "reverse"):
            for one in line.oracle.pick(kind):
                if one.node == here.code:
                    await ask_singly(line, here, one)


async def _read_all(line: Line, counters: Sequence[Counter]) -> Found:
    found = Found()
    for here in counters:
        cessions = await _read_pages(line, here, "/v1/cessions", "cessions")
        found.cessions[here.code] = {one["id"]: one for one in cessions}
        found.arrivals[here.code] = await _read_pages(line, here, "/v1/arrivals", "arrivals")
        _, found.totals[here.code] = await line.send(here, "GET", "/v1/totals")
        opened = [one.answer["number"] for one in line.oracle.pick("open") if one.node == here.code and one.answer]
        for number in (here.pool, *opened):
            account: Account = (here.code, number)
            found.histories[account] = await _read_pages(line, here, f"/v1/accounts/{number}/history", "entries")
            _, balance = await line.send(here, "GET", f"/v1/accounts/{number}/balance")
            found.balances[account] = balance["cents"]
    return found


def _require_sound(oracle: Oracle, party: Kept) -> None:
    """No check finds anything, and no log names a bug of ours."""
    done = party.run("check", party.folder, "--json")
    if done.returncode != 0:
        told = json.loads(done.stdout or "{}")
        checks = next((part for part in told.values() if isinstance(part, list)), [])
        found = [finding for check in checks for finding in check["findings"]]
        oracle.wrong(f"{party.kind} {party.code}: check finds {found[:3] or done.stderr[-1_000:]}")
    for bug in party.find_bugs():
        oracle.wrong(f"{party.kind} {party.code} logged {bug}")


def count_kills(outcome: Outcome) -> Tally[str]:
    """Return the kills of each party."""
    return Tally({party: sum(kinds.values()) for party, kinds in outcome.kills.items()})
