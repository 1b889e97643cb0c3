"""The doors of a fund and of a companies' base over loopback, on the worlds that their own tests live in.

Each answer is held against the step that says what it is: every word of it is described, and nothing is left out but what
is given as a file.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import aiohttp
import msgspec
from aiohttp.test_utils import TestServer

from node.desks.fund.admin_commands import FUND_COMMANDS
from node.desks.fund.api import open_fund_doors
from node.desks.fund.steps import FUND_DUTIES
from node.desks.partners.admin_commands import PARTNERS_COMMANDS
from node.desks.partners.api import open_partners_doors
from node.desks.partners.steps import PARTNERS_DUTIES
from node.desks.people.admin_commands import PEOPLE_COMMANDS
from node.desks.people.api import open_people_doors
from node.desks.people.steps import PEOPLE_DUTIES
from node.desks.projects.admin_commands import PROJECTS_COMMANDS
from node.desks.projects.duties import PROJECTS_DUTIES
from node.desks.projects.office_api import open_projects_doors
from node.doors.keys_service import KeyDesk
from node.doors.steps import Step, fit_answer
from node.doors.steps_api import Doors
from node.fund.seal_store import sealed
from node.fund.tables import door_keys as fund_keys
from node.governance.store import seal_values
from node.governance.tables import door_keys as projects_keys
from node.partners.seals import seal
from node.partners.tables import door_keys as partners_keys
from node.partners_app import PartnersApp, PartnersConfig
from node.people.tables import door_keys as people_keys
from node.people_app import PeopleApp
from protocol.running.http_service import Metrics, make_application
from tests.fund.fund_world import SETTINGS, FundWorld
from tests.governance.world import World as ProjectsWorld
from tests.partners.house import BREST, PARTNERS, House
from tests.people.people_world import PEOPLE, PeopleWorld

ADDRESS = {"street": "1 rue de Siam", "postcode": "29200", "town": "Brest"}


def new_id() -> str:
    return str(uuid.uuid4())


class Told(NamedTuple):
    """An answer: its status, its JSON where it is some, its bytes, its headers."""

    status: int
    json: Any
    body: bytes
    headers: Any


class DoorsPlace:
    """The doors of one base, served, and callers with keys."""

    def __init__(self, app: Any, doors: Doors, commands: Mapping[str, Any]) -> None:
        self.app = app
        self.doors = doors
        self.steps = {f"{doors.steps.prefix}/{step.called}": step for step in doors.steps.steps}
        self._commands = commands
        self.application = make_application(
            body_bytes_max=2 * 1024 * 1024, probe=lambda: None, metrics=Metrics(lambda: ()), larger=doors.bodies()
        )
        doors.add(self.application)
        self.server = TestServer(self.application)
        self.session: aiohttp.ClientSession
        self.reached: set[str] = set()  # the commands of which an answer was seen

    async def open(self) -> None:
        await self.server.start_server()
        self.session = aiohttp.ClientSession()

    async def close(self) -> None:
        await self.session.close()
        await self.server.close()

    async def ask(self, command: str, **arguments: Any) -> Any:
        """What a person does on the machine."""
        return await self._commands[command](self.app, arguments)

    async def key(self, *duties: str, company: str = "", officer: str = "a test") -> str:
        """Return the text of a new key."""
        told = await self.ask("key_new", id=new_id(), name=officer, duties=",".join(duties), company=company)
        return str(told["key"])

    async def call(
        self,
        key: str,
        name: str,
        body: dict[str, Any] | None = None,
        *,
        data: Any = None,
        accept: str = "application/json",
        query: dict[str, Any] | None = None,
    ) -> Told:
        """Take a step by its door. A refusal is a whole problem, with an explanation."""
        path = f"{self.doors.steps.prefix}/{name}"
        step = self.steps[path]
        headers = {"Accept-Language": "en", "Accept": accept} | ({"Authorization": f"Bearer {key}"} if key else {})
        asked = {} if body is None else body
        params = _write_query(query or asked) if step.reads or step.upload else {}
        sent = data if step.upload else None if step.reads else json.dumps(asked).encode()
        method = "GET" if step.reads else "POST"
        url = self.server.make_url(path)
        async with self.session.request(method, url, params=params, data=sent, headers=headers) as response:
            raw, status, told_headers = await response.read(), response.status, response.headers
        kind = told_headers["Content-Type"]
        told = Told(status, json.loads(raw) if "json" in kind else None, raw, told_headers)
        if status >= 400:
            require_problem(told)
        else:
            self.reached.add(step.command)
            if told.json is not None:
                require_described(step, told.json)
        return told

    async def do(self, key: str, name: str, body: dict[str, Any] | None = None, **more: Any) -> Any:
        """The same where no refusal is expected: return the JSON. What the command says beside it is nothing but the file."""
        told = await self.call(key, name, body, **more)
        assert told.status < 300, told.body
        return told.json

    async def refusal(self, key: str, name: str, body: dict[str, Any] | None = None, **more: Any) -> tuple[int, str]:
        """The same where it is refused: return status and code."""
        told = await self.call(key, name, body, **more)
        assert told.status >= 400, told.body
        return told.status, str(told.json["code"])


def _write_query(asked: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in asked.items()}


def require_problem(told: Told) -> None:
    """A refusal is told as RFC 9457 says, and with our own members."""
    assert told.headers["Content-Type"].startswith("application/problem+json"), told.body
    assert set(told.json) == {"type", "title", "status", "detail", "code", "facts", "explanation"}
    assert told.json["status"] == told.status
    assert told.json["explanation"] == told.json["detail"]
    assert not told.json["explanation"].startswith("Refused: "), f"no sentence for {told.json['code']}"


def require_described(step: Step, told: Any) -> None:
    """Every word of an answer stands in the struct that describes it."""
    again = msgspec.json.encode(msgspec.convert(told, type=step.answers))
    assert json.loads(again) == told, step.called


def require_whole(step: Step, told: Any) -> None:
    """What a command answers is all in its struct, but for what is given as a file."""
    plain = {"rows": told} if isinstance(told, list) else dict(told)
    if step.file is not None:
        plain.pop(step.file.part)
    fitted = msgspec.json.decode(msgspec.json.encode(fit_answer(step, told)))
    assert fitted == json.loads(json.dumps(plain)), step.called


def _watch(doors: Doors, commands: Mapping[str, Any]) -> None:
    """Hold every answer of a command against its step, before the door writes it."""
    by_command = {step.command: step for step in doors.steps.steps}

    def watched(name: str, command: Any) -> Any:
        async def run(app: Any, asked: Any) -> Any:
            told = await command(app, asked)
            require_whole(by_command[name], told)
            return told

        return run

    doors._commands = {name: watched(name, commands[name]) for name in by_command}


async def _any_officer(name: str) -> str:
    return name


def make_fund_place(world: FundWorld, folder: Path) -> DoorsPlace:
    """Return the doors of a world's fund."""
    app: Any = SimpleNamespace(
        book=world.book,
        fund=world.fund,
        settings=SETTINGS,
        home=BREST,
        folder=folder,
        duties=FUND_DUTIES,
        choose_officer=_any_officer,
        keys=KeyDesk(world.book, fund_keys, partial(sealed, fund_keys)),
    )
    doors = open_fund_doors(app)
    _watch(doors, FUND_COMMANDS)
    return DoorsPlace(app, doors, FUND_COMMANDS)


def make_office_place(house: House, folder: Path) -> DoorsPlace:
    """Return the doors of a house's companies."""
    app: Any = SimpleNamespace(
        book=house.books[PARTNERS],
        partners=house.partners,
        settings=house.settings,
        config=PartnersConfig(),
        home=BREST,
        folder=folder,
        duties=PARTNERS_DUTIES,
        choose_officer=_any_officer,
        keys=KeyDesk(house.books[PARTNERS], partners_keys, partial(seal, "door_keys")),
    )
    app.require_company = partial(PartnersApp.require_company, app)
    doors = open_partners_doors(app)
    _watch(doors, PARTNERS_COMMANDS)
    return DoorsPlace(app, doors, PARTNERS_COMMANDS)


def make_people_place(world: PeopleWorld, folder: Path) -> DoorsPlace:
    """Return the doors of a world's people; its two officers are named."""
    app: Any = SimpleNamespace(
        book=world.books[PEOPLE],
        people=world.people,
        home=BREST,
        folder=folder,
        duties=PEOPLE_DUTIES,
        is_served=False,
    )
    app.require_officer = partial(PeopleApp.require_officer, app)
    app.choose_officer = partial(PeopleApp.choose_officer, app)
    app.require_company = partial(PeopleApp.require_company, app)
    app.keys = KeyDesk(app.book, people_keys, partial(PeopleApp._seal_key, app))
    doors = open_people_doors(app)
    doors._is_silent = False  # a failed test says why
    _watch(doors, PEOPLE_COMMANDS)
    return DoorsPlace(app, doors, PEOPLE_COMMANDS)


def make_projects_place(world: ProjectsWorld, folder: Path) -> DoorsPlace:
    """Return the doors of a world's projects' office."""
    app: Any = SimpleNamespace(
        book=world.book,
        projects=world.projects,
        settings=world.settings,
        home=BREST,
        folder=folder,
        duties=PROJECTS_DUTIES,
        choose_officer=_any_officer,
        find_fund=lambda: None,
        keys=KeyDesk(world.book, projects_keys, partial(seal_values, projects_keys)),
    )
    doors = open_projects_doors(app)
    _watch(doors, PROJECTS_COMMANDS)
    return DoorsPlace(app, doors, PROJECTS_COMMANDS)
