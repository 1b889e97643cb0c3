"""A fund on its folder, wired by hand: its book, its keys, its desks, and its talk with the other bases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from node.fund.bank_parameters_store import load_bank_parameters
from node.fund.days import day_at
from node.fund.receipt_numbers import first_number
from node.fund.receipt_parameters_store import load_form_in_force
from node.fund.receipt_proof import make_proof
from node.fund.receipts import ReceiptKind
from node.fund.schema_service import FUND_HISTORY
from node.fund.service import Fund
from node.fund.settings import FundSettings
from node.house.folders_store import base_folder, load_base_keys, load_house
from node.house.settings import read_neighbours
from protocol.book.service import Book, Page
from protocol.errors import Refusal
from protocol.exchange.peer_service import PeerExchange
from protocol.exchange.service import Identity
from protocol.house import BaseName, HouseMessage, house_of
from protocol.identifiers import require_territory
from protocol.running import clock_service
from protocol.running.admin_service import AdminServer
from protocol.running.keys_store import find_passphrase
from protocol.running.settings import NotConfigured, parse_settings

FILE: Final = "fund.toml"
STORAGE_TROUBLE: Final = "the disk or the database does not answer as it should"


def load_fund_settings(folder: Path) -> FundSettings:
    """Return what a fund's folder says of it. Raises NotConfigured."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except OSError:
        raise NotConfigured(reason=f"no {FILE} in {folder}: run node fund init first") from None
    settings = parse_settings(text, FundSettings)
    require_printable(settings)
    return settings


def require_printable(settings: FundSettings) -> None:
    """Say now what no receipt or order could be made of. Raises NotConfigured."""
    try:
        _ = settings.issuer, settings.account, settings.signatory
        for kind in ReceiptKind:
            if settings.category not in load_form_in_force(kind, day_at(clock_service.now())).categories:
                raise NotConfigured(reason=f"category {settings.category} is no box of the receipt for {kind}")
        make_proof(settings.public_url, first_number(settings.siren or settings.rna, 2026), bytes(32))
    except NotConfigured:
        raise
    except Refusal as refusal:
        raise NotConfigured(reason=str(refusal)) from None


class FundApp:
    """A fund on the folder of its house. `start_quietly` opens it for commands; `begin` and `end` are for a server."""

    base: Final = BaseName.FUND

    def __init__(self, folder: Path) -> None:
        self.house_folder = folder
        self.folder = base_folder(folder, BaseName.FUND)
        self.settings = load_fund_settings(self.folder)
        self.house = load_house(folder)
        self.home = require_territory(self.house.territory)
        keyring = load_base_keys(folder, BaseName.FUND, find_passphrase(self.settings.passphrase_file))
        try:
            self.book = Book(self.database_url, history=FUND_HISTORY, clock=clock_service.now)
        except ValueError as error:
            raise NotConfigured(reason=str(error)) from None
        self.fund = Fund(self.settings, load_bank_parameters(day_at(clock_service.now())), self._tell)
        self.on_house_news: Callable[[], None] = lambda: None
        self.exchange = PeerExchange(
            self.book,
            Identity(house_of(self.home), BaseName.FUND, keyring),
            read_neighbours(self.house),
            self.fund.apply,
            on_news=lambda: self.on_house_news(),
        )
        self._commands: AdminServer | None = None

    @property
    def database_url(self) -> str:
        return self.settings.database or f"sqlite:///{self.folder / 'fund.db'}"

    def _tell(self, page: Page, reader: str, messages: Sequence[HouseMessage]) -> int:
        return self.exchange.tell(page, reader, messages)

    async def start_quietly(self) -> None:
        """Open for work: there is nothing to load."""

    async def stop(self) -> None:
        await asyncio.get_running_loop().run_in_executor(None, self.book.close)

    async def begin(self, commands: AdminServer) -> None:
        self._commands = commands
        await commands.start()

    async def end(self) -> None:
        if self._commands is not None:
            await self._commands.stop()
        await self.stop()

    def let_go(self) -> None:
        """Nothing here waits for long."""

    def probe(self) -> str | None:
        """Why we are not ready, or nothing."""
        return None if self.book.trouble is None else STORAGE_TROUBLE

    def figures(self) -> Iterable[tuple[str, str, dict[str, str], float]]:
        pages, items = self.book.written
        yield "fund_pages_written", "counter", {}, pages
        yield "fund_items_written", "counter", {}, items
        yield "fund_storage_trouble", "gauge", {}, float(self.book.trouble is not None)
