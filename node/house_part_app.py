"""What the bases that live apart from the accounts share: a folder, a book, keys, and the talk with the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from node.house.folders_store import (
    base_folder,
    choose_house_keys,
    load_base_keys,
    load_house,
    settle_house_keys,
)
from node.house.settings import FOLDERS, read_neighbours
from protocol.book.migration_service import History
from protocol.book.service import Book, Page
from protocol.exchange.peer_keys import KeyMissing, Rotation
from protocol.exchange.peer_keys_service import Rotated
from protocol.exchange.peer_keys_store import find_rotation
from protocol.exchange.peer_service import Apply, PeerExchange, Replay, keep_pages
from protocol.exchange.service import Identity
from protocol.house import BaseName, HouseMessage, house_of
from protocol.identifiers import require_territory
from protocol.keys import Keyring
from protocol.running import clock_service
from protocol.running.admin_service import AdminServer
from protocol.running.http_service import STORAGE_TROUBLE
from protocol.running.keys_store import create_keys, find_passphrase
from protocol.running.settings import NotConfigured

KEY_ENTROPY_BYTES: Final = 64


def database_of(folder: Path, base: BaseName, database: str) -> str:
    """Return where a base keeps its book: what its file names, or a file of its folder."""
    return database or f"sqlite:///{base_folder(folder, base) / FOLDERS[base]}.db"


class HousePart:
    """A base of a house on its folder. `start_quietly` opens it for commands; `begin` and `end` are for a server."""

    def __init__(self, folder: Path, base: BaseName, *, history: History, database: str, passphrase_file: str) -> None:
        self.base = base
        self.folder = base_folder(folder, base)
        self._house_folder = folder
        self._passphrase_file = passphrase_file
        self.house = load_house(folder)
        self.home = require_territory(self.house.territory)
        keyring = load_base_keys(folder, base, find_passphrase(passphrase_file))
        self._keyring = choose_house_keys(self.house, base, keyring)
        try:
            self.book = Book(database_of(folder, base, database), history=history, clock=clock_service.now)
        except ValueError as error:
            raise NotConfigured(reason=str(error)) from None
        self._history = history
        self.on_house_news: Callable[[], None] = lambda: None
        self.exchange: PeerExchange
        self._commands: AdminServer | None = None

    def open_exchange(
        self,
        apply: Apply,
        on_recovered: Callable[[Page], None] = lambda _page: None,
        *,
        keeps: bool = True,
        replay: Replay | None = None,
    ) -> None:
        """Open the talk with the other bases; `apply` does what they tell.

        Our pages go to them, sealed for ourselves, where the base `keeps` them. One that promises to forget does not: from
        an old copy it comes back by what it told, which `replay` makes true again.
        """
        try:
            self.exchange = PeerExchange(
                self.book,
                Identity(house_of(self.home), self.base, self._keyring),
                read_neighbours(self.house),
                apply,
                on_news=lambda: self.on_house_news(),
                keeping=keep_pages(self._history, clock_service.entropy) if keeps else None,
                replay=replay,
                on_recovered=on_recovered,
            )
        except KeyMissing:
            self.book.close()
            raise
        self._settle_keys()

    def use_keyring(self, keyring: Keyring) -> None:
        """Sign with these keys, and open with them what is sealed for this base, from now on: for bases whose desks do."""

    def _settle_keys(self) -> None:
        """Let the folder, and whoever opens what is sealed for us, follow the book."""
        keyring = self.exchange.identity.keyring
        if keyring.current != self._keyring.current:
            settle_house_keys(self._house_folder, self.base, keyring)
            self._keyring = keyring
            self.use_keyring(keyring)

    async def rotate_key(self, id_: bytes) -> Rotated:
        """Change this base's key for a new one; asked again under the same id it is changed once. Raises its Refusal."""
        known = await self.book.read(lambda connection: find_rotation(connection, id_))
        secret = self._keyring.current
        if known is None:
            passphrase = find_passphrase(self._passphrase_file)
            secret = create_keys(self.folder / "keys", passphrase, clock_service.entropy(KEY_ENTROPY_BYTES))
        rotated: Rotated = await self.book.write(self.exchange.rotate, Rotation(id_, secret))
        self._settle_keys()
        return rotated

    def tell(self, page: Page, reader: str, messages: Sequence[HouseMessage]) -> None:
        """Tell another base, in the page."""
        self.exchange.tell(page, reader, messages)

    async def choose_officer(self, name: str) -> str:
        """Return the officer that a key of doors may be issued to: any word, where the base knows no persons."""
        return name

    async def start_quietly(self) -> None:
        """Open for work: there is nothing to load."""

    async def stop(self) -> None:
        await asyncio.get_running_loop().run_in_executor(None, self.book.close)

    async def begin(self, commands: AdminServer) -> None:
        """Start what runs beside the doors."""
        self._commands = commands
        await commands.start()

    async def end(self) -> None:
        """Stop what `begin` started, and let go of the book."""
        if self._commands is not None:
            await self._commands.stop()
        await self.stop()

    def let_go(self) -> None:
        """End waiting calls at once: the process is told to stop. Nothing here waits for long."""

    def probe(self) -> str | None:
        """Why we are not ready, or nothing."""
        if self.book.held is not None:
            return str(self.book.held)
        return None if self.book.trouble is None else STORAGE_TROUBLE

    def figures(self) -> Iterable[tuple[str, str, dict[str, str], float]]:
        name = FOLDERS[self.base]
        pages, items = self.book.written
        yield f"{name}_pages_written", "counter", {}, pages
        yield f"{name}_items_written", "counter", {}, items
        yield f"{name}_behind", "gauge", {}, float(self.book.held is not None)
        yield f"{name}_storage_trouble", "gauge", {}, float(self.book.trouble is not None)
