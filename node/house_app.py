"""The bases of a folder in one process: their doors, their commands, and the clearing house between them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from aiohttp import web

from node.api import BODY_BYTES_MAX, add_node_doors
from node.app import NodeApp, load_config
from node.desks.accounts.admin_commands import COMMANDS
from node.desks.fund.admin_commands import FUND_COMMANDS
from node.desks.fund.api import add_fund_doors, open_fund_doors
from node.desks.house.admin_commands import HOUSE_COMMANDS
from node.desks.partners.admin_commands import PARTNERS_COMMANDS
from node.desks.partners.api import open_partners_doors
from node.desks.partners.guesses import read_proxies
from node.desks.partners.tills_api import add_tills_doors
from node.desks.people.admin_commands import PEOPLE_COMMANDS
from node.desks.people.api import make_people_application
from node.desks.projects.admin_commands import PROJECTS_COMMANDS
from node.desks.projects.api import add_projects_doors
from node.desks.projects.office_api import open_projects_doors
from node.desks.projects.passes_api import add_passes_doors
from node.fund_app import FundApp
from node.house.clearing_service import ClearingHouse
from node.house.folders_store import find_house, find_local
from node.house.settings import HouseSettings
from node.partners_app import PartnersApp
from node.people_app import PeopleApp
from node.projects_app import ProjectsApp
from protocol.envelopes import ENVELOPE_BYTES_MAX
from protocol.exchange.client import CONTENT_TYPE, HttpTransport
from protocol.exchange.peer_keys_service import Rotated
from protocol.exchange.peer_service import PeerExchange
from protocol.house import BaseName
from protocol.running import clock_service
from protocol.running.admin_client import Command
from protocol.running.admin_service import AdminServer, wait_for_book
from protocol.running.http_service import (
    Beside,
    Metrics,
    make_application,
    make_tls,
    read_larger,
    serve_until_stopped,
)
from protocol.running.keys_store import write_private
from protocol.running.settings import NotConfigured, parse_listen

HOUSE_PATH: Final = "/v1/house/"
PORT: Final = "port"  # the file of a base's folder that tells the port of doors at an address of their own


class BaseApp(Protocol):
    """What the process needs of a base."""

    folder: Path
    on_house_news: Callable[[], None]

    async def begin(self, commands: AdminServer) -> None: ...
    async def end(self) -> None: ...
    async def stop(self) -> None: ...
    def let_go(self) -> None: ...
    def probe(self) -> str | None: ...
    def figures(self) -> Iterable[tuple[str, str, dict[str, str], float]]: ...
    async def rotate_key(self, id_: bytes) -> Rotated: ...


def read_bases(text: str, folder: Path) -> list[BaseName]:
    """Return the bases to be served: those named, or all that live in the folder. Raises NotConfigured."""
    local = find_local(folder)
    if not text:
        return local
    wanted = []
    for word in text.split(","):
        name = next((base for base in BaseName if base.name.lower() == word.strip().lower()), None)
        if name is None:
            raise NotConfigured(reason=f"{word.strip()} is none of {', '.join(base.name.lower() for base in BaseName)}")
        if name not in local:
            raise NotConfigured(reason=f"the base {word.strip()} does not live in {folder}")
        wanted.append(name)
    return wanted


class HouseApp:
    """The bases that one process serves."""

    def __init__(self, folder: Path, bases: Sequence[BaseName]) -> None:
        if not bases:
            raise NotConfigured(reason=f"no base lives in {folder}: run node init, or node fund init")
        self.folder = folder
        self.house: HouseSettings | None = find_house(folder)
        # One base may be held by a command: then the others are let go, or the next try would find them held by this one.
        with contextlib.ExitStack() as opened:
            self.node = NodeApp(folder, load_config(folder)) if BaseName.ACCOUNTS in bases else None
            if self.node is not None:
                opened.callback(self.node.book.close)
            self.fund = FundApp(folder) if BaseName.FUND in bases else None
            if self.fund is not None:
                opened.callback(self.fund.book.close)
            self.partners = PartnersApp(folder) if BaseName.PARTNERS in bases else None
            if self.partners is not None:
                opened.callback(self.partners.book.close)
            self.projects = ProjectsApp(folder) if BaseName.PROJECTS in bases else None
            if self.projects is not None:
                opened.callback(self.projects.book.close)
            self.people = PeopleApp(folder) if BaseName.PEOPLE in bases else None
            opened.pop_all()
        self.parts: dict[BaseName, tuple[BaseApp, Mapping[str, Command]]] = {}
        self.exchanges: dict[str, PeerExchange] = {}
        if self.node is not None:
            self.parts[BaseName.ACCOUNTS] = (self.node, {**COMMANDS, **HOUSE_COMMANDS})
            if self.node.house_exchange is not None:
                self.exchanges[BaseName.ACCOUNTS] = self.node.house_exchange
        if self.fund is not None:
            self.parts[BaseName.FUND] = (self.fund, {**FUND_COMMANDS, **HOUSE_COMMANDS})
            self.exchanges[BaseName.FUND] = self.fund.exchange
        if self.partners is not None:
            self.parts[BaseName.PARTNERS] = (self.partners, {**PARTNERS_COMMANDS, **HOUSE_COMMANDS})
            self.exchanges[BaseName.PARTNERS] = self.partners.exchange
        if self.projects is not None:
            self.parts[BaseName.PROJECTS] = (self.projects, {**PROJECTS_COMMANDS, **HOUSE_COMMANDS})
            self.exchanges[BaseName.PROJECTS] = self.projects.exchange
        if self.people is not None:
            self.parts[BaseName.PEOPLE] = (self.people, {**PEOPLE_COMMANDS, **HOUSE_COMMANDS})
            self.exchanges[BaseName.PEOPLE] = self.people.exchange
        self._transports = self._open_transports()
        self.clearing = ClearingHouse(self.exchanges, self._transports, chance=clock_service.chance)
        for base, (part, _) in self.parts.items():
            part.on_house_news = self._waker(base)

    def _waker(self, base: BaseName) -> Callable[[], None]:
        return lambda: self.clearing.wake(base)

    def _open_transports(self) -> dict[str, HttpTransport]:
        """Return the ways to the bases elsewhere that can be called."""
        bases = {} if self.house is None else self.house.bases
        return {
            code: HttpTransport(one.url, path=f"{HOUSE_PATH}{code}")
            for code, one in bases.items()
            if one.url and code not in self.exchanges
        }

    def probe(self) -> str | None:
        """Why we are not ready, or nothing."""
        return next((reason for part, _ in self.parts.values() if (reason := part.probe()) is not None), None)

    def figures(self) -> Iterable[tuple[str, str, dict[str, str], float]]:
        for part, _ in self.parts.values():
            yield from part.figures()
        for line in self.clearing.lines:
            labels = {"from": line.caller.code.lower(), "to": line.neighbour.lower()}
            yield "house_line_trouble", "gauge", labels, float(bool(line.trouble))

    def make_doors(self) -> web.Application:
        """Return what the world may ask of this process."""
        metrics = Metrics(self.figures)
        steps = [] if self.fund is None else [open_fund_doors(self.fund)]
        steps += [] if self.partners is None else [open_partners_doors(self.partners)]
        steps += [] if self.projects is None else [open_projects_doors(self.projects)]
        application = make_application(
            body_bytes_max=BODY_BYTES_MAX,
            probe=self.probe,
            metrics=metrics,
            larger={HOUSE_PATH: ENVELOPE_BYTES_MAX}
            | {path: bytes_max for doors in steps for path, bytes_max in doors.bodies().items()},
        )
        for doors in steps:
            doors.add(application)
        if self.node is not None:
            add_node_doors(application, self.node)
        if self.exchanges:
            application.router.add_post(HOUSE_PATH + "{base}", self._exchange)
        if self.fund is not None:
            add_fund_doors(application, self.fund)
        if self.partners is not None:
            add_tills_doors(
                application, self.partners.partners, metrics, proxies=read_proxies(self.partners.config.proxies)
            )
        if self.projects is not None:
            authorise = None if self.node is None else self.node.access.authorise
            add_projects_doors(application, self.projects.projects, authorise)
            add_passes_doors(application, self.projects.projects.passes)
        return application

    def make_doors_beside(self) -> list[Beside]:
        """Return what is served at addresses of its own: the doors of the people, where their base has an address."""
        settings = None if self.people is None else self.people.settings
        if self.people is None or settings is None or not settings.doors:
            return []
        host, port = parse_listen(settings.doors)
        tls = make_tls(settings.tls_certificate, settings.tls_key)
        file = self.people.folder / PORT
        return [
            Beside(
                application=make_people_application(self.people),
                host=host,
                port=port,
                tls=tls,
                on_ready=lambda taken: write_private(file, str(taken).encode()),
            )
        ]

    async def _exchange(self, request: web.Request) -> web.Response:
        """Answer a neighbour: nobody else's envelopes are opened."""
        answerer = self.exchanges.get(request.match_info["base"])
        if answerer is None:
            raise web.HTTPNotFound
        answer = await answerer.answer(await read_larger(request, ENVELOPE_BYTES_MAX))
        return web.Response(body=answer, content_type=CONTENT_TYPE)

    def _let_go(self) -> None:
        for part, _ in self.parts.values():
            part.let_go()

    async def close(self) -> None:
        """Let go of what was opened and never served."""
        for transport in self._transports.values():
            await transport.close()
        for part, _ in self.parts.values():
            await part.stop()

    async def serve(self, on_ready: Callable[[int], None]) -> None:
        """Run until stopped."""
        begun: list[BaseApp] = []
        try:
            for part, commands in self.parts.values():
                begun.append(part)
                await part.begin(AdminServer(part.folder, commands, part))
            self.clearing.start()
            config = None if self.node is None else self.node.config
            listen = config.listen if config is not None else (self.house.listen if self.house else "")
            host, port = parse_listen(listen)
            await serve_until_stopped(
                self.make_doors(),
                host=host,
                port=port,
                tls=None if config is None else make_tls(config.tls_certificate, config.tls_key),
                on_ready=on_ready,
                on_stop=self._let_go,
                beside=self.make_doors_beside(),
            )
        finally:
            await self.clearing.stop()
            for transport in self._transports.values():
                await transport.close()
            for part in begun:
                await part.end()


def open_house(folder: Path, bases: Sequence[BaseName]) -> HouseApp:
    """Open the bases of a folder, waiting a little for a command that holds one. Raises BookInUse, NotConfigured."""
    return wait_for_book(lambda: HouseApp(folder, bases))


def find_log_level(folder: Path) -> str:
    """Return what is to be said in the log, as the node's file or the house's sets it. Raises NotConfigured."""
    if (folder / "node.toml").exists():
        return load_config(folder).log_level
    house = find_house(folder)
    return "info" if house is None else house.log_level
