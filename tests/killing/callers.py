"""Callers: each asks its node for one thing after another, and asks again under the same id what was not answered.

They touch the world over HTTP alone, as a till or a portal does, and write down in the oracle what they were told.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from tests.killing.oracle import UNDECIDED, Asked, Oracle

ANSWER_SECONDS: Final = 10.0
ASK_AGAIN_SECONDS: Final = (0.03, 0.25)
THINK_SECONDS: Final = (0.0, 0.08)
GIVE_UP_SECONDS: Final = 120.0
_REMEMBERED: Final = 200


@dataclass
class Counts:
    """What callers lived through."""

    requests: int = 0
    asked_again: int = 0  # requests sent again, under the same ids
    storage_refusals: int = 0


@dataclass
class Counter:
    """A node as its callers know it: where it listens, its key, its pool, the accounts of its people."""

    code: str
    port: Callable[[], int]
    key: str
    pool: str
    people: list[str] = field(default_factory=list)  # addresses
    credits: deque[Asked] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    leaving: deque[str] = field(default_factory=lambda: deque(maxlen=8))


class NeverAnswered(Exception):
    """A node did not answer in the time in which any caller would have given up."""


class Line:
    """The HTTP session of all callers. `send` goes on until there is an answer that decides."""

    def __init__(self, oracle: Oracle, dice: random.Random) -> None:
        self.oracle = oracle
        self.counts = Counts()
        self._dice = dice
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS, sock_connect=2.0)
        self._session = aiohttp.ClientSession(timeout=timeout)

    async def close(self) -> None:
        await self._session.close()

    async def try_once(self, counter: Counter, method: str, path: str, body: Any = None) -> tuple[int, Any] | None:
        """Return status and JSON, or None where there was no answer."""
        url = f"http://127.0.0.1:{counter.port()}{path}"
        headers = {"Authorization": f"Bearer {counter.key}", "Accept-Language": "en"}
        try:
            async with self._session.request(method, url, json=body, headers=headers) as response:
                return response.status, await response.json()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return None

    async def send(
        self,
        counter: Counter,
        method: str,
        path: str,
        body: Any = None,
        *,
        about: list[Asked] | None = None,
        is_decided: Callable[[Any], bool] = lambda _told: True,
    ) -> tuple[int, Any]:
        """Ask until the answer decides. Raises NeverAnswered."""
        give_up = asyncio.get_running_loop().time() + GIVE_UP_SECONDS
        self.counts.requests += 1
        while asyncio.get_running_loop().time() < give_up:
            for one in about or ():
                one.times += 1
            told = await self.try_once(counter, method, path, body)
            if told is not None:
                status, answer = told
                if status == 500:
                    self.oracle.wrong(f"{counter.code} {path}: an incident, {answer}")
                elif status == 503:
                    self.counts.storage_refusals += 1
                elif is_decided(answer):
                    return status, answer
            self.counts.asked_again += 1
            await asyncio.sleep(self._dice.uniform(*ASK_AGAIN_SECONDS))
        raise NeverAnswered(f"{counter.code} did not answer {path} in {GIVE_UP_SECONDS:.0f} seconds")


class Caller:
    """One caller of one node, with dice of its own."""

    def __init__(self, line: Line, here: Counter, others: list[Counter], dice: random.Random) -> None:
        self._line = line
        self._oracle = line.oracle
        self._here = here
        self._others = others
        self._dice = dice

    async def run(self, stop: asyncio.Event) -> None:
        """Ask for one thing after another until told to stop; what was begun is brought to its answer."""
        doings: Mapping[Callable[[], Any], int] = {
            self._credit_one: 20,
            self._credit_many: 12,
            self._cede_home: 12,
            self._cede_abroad: 20,
            self._cede_many: 10,
            self._reverse: 8,
            self._recall: 10,
            self._open: 8,
        }
        while not stop.is_set():
            (doing,) = self._dice.choices(list(doings), list(doings.values()))
            await doing()
            await asyncio.sleep(self._dice.uniform(*THINK_SECONDS))

    def _id(self) -> str:
        return str(uuid.UUID(bytes=self._dice.randbytes(16), version=4))

    async def _open(self) -> None:
        here = self._here
        one = self._oracle.ask("open", here.code, self._id(), {"kind": "person"})
        answer = await ask_singly(self._line, here, one)
        if answer is not None:
            here.people.append(answer["address"])

    def _credit(self) -> Asked:
        line = {"pool": self._here.pool, "to": self._dice.choice(self._here.people), "cents": self._cents(4_000)}
        return self._oracle.ask("credit", self._here.code, self._id(), line)

    async def _credit_one(self) -> None:
        await self._send_credits([self._credit()])

    async def _credit_many(self) -> None:
        await self._send_credits([self._credit() for _ in range(self._dice.randint(2, 40))])

    async def _send_credits(self, lines: list[Asked]) -> None:
        await ask_lines(self._line, self._here, lines)
        self._here.credits.extend(one for one in lines if one.is_done)

    def _cession(self, takers: list[Counter]) -> Asked:
        taker = self._dice.choice([one for one in takers if one.people])
        line = {
            "from": self._dice.choice(self._here.people),
            "to": self._dice.choice(taker.people),
            "cents": self._cents(900),
        }
        if line["from"] == line["to"]:
            line["to"] = next(one for one in self._here.people if one != line["from"])
        return self._oracle.ask("cede", self._here.code, self._id(), line)

    async def _cede_home(self) -> None:
        await self._send_cessions([self._cession([self._here])])

    async def _cede_abroad(self) -> None:
        await self._send_cessions([self._cession(self._others)])

    async def _cede_many(self) -> None:
        takers = [self._here, *self._others]
        await self._send_cessions([self._cession(takers) for _ in range(self._dice.randint(2, 20))])

    async def _send_cessions(self, lines: list[Asked]) -> None:
        await ask_lines(self._line, self._here, lines)
        home = f"@{self._here.code}"
        self._here.leaving.extend(one.id for one in lines if one.is_done and not one.line["to"].endswith(home))

    async def _reverse(self) -> None:
        if self._here.credits:
            credit = self._dice.choice(self._here.credits)
            cents = self._dice.choice((None, max(1, credit.line["cents"] // 2)))
            one = self._oracle.ask("reverse", self._here.code, self._id(), {"credit": credit.id, "cents": cents})
            await ask_singly(self._line, self._here, one)

    async def _recall(self) -> None:
        if self._here.leaving:
            line = {"cession": self._dice.choice(self._here.leaving)}
            await ask_singly(self._line, self._here, self._oracle.ask("recall", self._here.code, self._id(), line))

    def _cents(self, most: int) -> int:
        return self._dice.randint(1, most)


async def ask_singly(line: Line, here: Counter, one: Asked) -> dict[str, Any] | None:
    """Ask for what has a call of its own; return the answer, or None where it was refused."""
    match one.kind:
        case "open":
            path, body = "/v1/accounts", {"id": one.id, **one.line}
        case "reverse":
            path, body = "/v1/reversals", {"id": one.id, **one.line}
        case _:
            path, body = f"/v1/cessions/{one.line['cession']}/recall", {}
    status, answer = await line.send(here, "POST", path, body, about=[one])
    refused = status >= 400
    line.oracle.hear(one, refused=refused, answer=answer, is_repeat=None if refused else answer["repeated"])
    return None if refused else answer


async def ask_lines(line: Line, here: Counter, lines: list[Asked]) -> None:
    """Ask for credits of one pool, or for cessions, in one call; each line has its answer."""
    items = [{"id": one.id, **{name: value for name, value in one.line.items() if name != "pool"}} for one in lines]
    if lines[0].kind == "credit":
        path, body = "/v1/credits", {"from": here.pool, "items": items}
    else:
        path, body = "/v1/cessions", {"items": items}

    def is_decided(told: Any) -> bool:
        """Note what is decided; the rest is asked again with it."""
        if "items" not in told:
            return True
        undecided = False
        for one, row in zip(lines, told["items"], strict=True):
            if row.get("code") in UNDECIDED:
                undecided = True
                line.counts.storage_refusals += 1
                continue
            refused = row["status"] == "refused"
            answer = row if refused or one.kind == "credit" else row["cession"]
            line.oracle.hear(one, refused=refused, answer=answer, is_repeat=row["status"] == "repeated")
        return not undecided

    status, told = await line.send(here, "POST", path, body, about=lines, is_decided=is_decided)
    if status != 200:
        line.oracle.wrong(f"{here.code} {path}: {status} {told}")
