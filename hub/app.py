"""The hub, wired by hand: the one file that knows all its rooms."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from aiohttp import web
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from hub.catalogue.service import CatalogueDesk
from hub.config import HubConfig
from hub.directory.service import Registry
from hub.exchange.service import HubExchange
from hub.recovery.service import is_restored
from hub.schema_service import HUB_HISTORY
from protocol.book.service import Book
from protocol.exchange.epochs import LEAP_BYTES
from protocol.exchange.service import Identity
from protocol.running import clock_service
from protocol.running.admin_service import AdminServer
from protocol.running.http_service import STORAGE_TROUBLE, Beside, Metrics, make_tls, serve_until_stopped
from protocol.running.keys_store import find_passphrase, load_keyring
from protocol.running.logs_service import find_logger
from protocol.running.settings import NotConfigured, parse_listen, parse_settings

log = find_logger("hub")
EXPIRE_EVERY_SECONDS = 1
FORGET_EVERY_HOURS = 1


def load_config(folder: Path) -> HubConfig:
    """Return the configuration of a hub's folder. Raises NotConfigured."""
    try:
        text = (folder / "hub.toml").read_text(encoding="utf-8")
    except OSError:
        raise NotConfigured(reason=f"no hub.toml in {folder}: run hub init first") from None
    return parse_settings(text, HubConfig)


class HubApp:
    """A hub on its folder. `start_quietly` opens it for commands, `serve` runs it."""

    def __init__(self, folder: Path, config: HubConfig) -> None:
        self.folder = folder
        self.config = config
        keyring = load_keyring(folder / "keys", find_passphrase(config.passphrase_file))
        self.identity = Identity(config.network, config.code, keyring)
        try:
            self.book = Book(self.database_url, history=HUB_HISTORY, clock=clock_service.now)
        except ValueError as error:  # an address that is none, or a base written by a newer version
            raise NotConfigured(reason=str(error)) from None
        self.registry = Registry(self.identity)
        self.exchange = HubExchange(self.book, self.registry)
        self.catalogue = CatalogueDesk(self.registry)
        self.metrics = Metrics(self.figures)

    @property
    def database_url(self) -> str:
        return self.config.database or f"sqlite:///{self.folder / 'hub.db'}"

    async def start_quietly(self) -> None:
        """Open for work: directory in memory, our own keys in it."""
        await self.book.read(self.registry.load)
        await self.book.read(self.exchange.load)
        if await self.book.read(is_restored):
            await self.exchange.begin_recovery(clock_service.entropy(LEAP_BYTES))
        if self.exchange.recovery is None:
            await self.book.write(self.registry.found, self.config.name)

    async def stop(self) -> None:
        self.exchange.stop_waiting()
        await asyncio.get_running_loop().run_in_executor(None, self.book.close)

    def probe(self) -> str | None:
        """Why we are not ready, or nothing."""
        if self.exchange.recovery is not None:
            return f"recovering from an old copy, waiting for {', '.join(self.exchange.recovery.waiting)}"
        return None if self.book.trouble is None else STORAGE_TROUBLE

    def figures(self) -> Iterable[tuple[str, str, dict[str, str], float]]:
        pages, items = self.book.written
        yield "pages_written", "counter", {}, pages
        yield "items_written", "counter", {}, items
        yield "storage_trouble", "gauge", {}, float(self.book.trouble is not None)
        recovery = self.exchange.recovery
        yield "recovery_waiting", "gauge", {}, float(0 if recovery is None else len(recovery.waiting))
        yield "members", "gauge", {}, len(self.registry.directory.members)
        for name, count in dict(self.exchange.sequencer.counts).items():
            yield "events", "counter", {"event": name}, count
        for member, at in self.exchange.called_at().items():
            yield "member_called_at_ms", "gauge", {"member": member}, at

    async def expire_due(self) -> None:
        """End what is past its term. Run twice is run once."""
        while await self.book.write(self.exchange.sequencer.expire, None):
            continue

    async def serve(
        self,
        application: web.Application,
        commands: AdminServer,
        on_ready: Callable[[int], None],
        *,
        beside: Sequence[Beside] = (),
    ) -> None:
        """Run until stopped. Raises NotConfigured, StorageUnavailable."""
        scheduler = AsyncIOScheduler(timezone="UTC")
        scheduler.add_job(
            self._expire_quietly,
            "interval",
            seconds=EXPIRE_EVERY_SECONDS,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        scheduler.add_job(
            self._forget_quietly,
            "interval",
            hours=FORGET_EVERY_HOURS,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        try:
            host, port = parse_listen(self.config.listen)
            tls = make_tls(self.config.tls_certificate, self.config.tls_key)
            await self.start_quietly()
            await commands.start()
            scheduler.start()
            log.info("started", hub=self.config.code, network=self.config.network)
            await serve_until_stopped(
                application,
                host=host,
                port=port,
                tls=tls,
                on_ready=on_ready,
                on_stop=self.exchange.stop_waiting,
                beside=beside,
            )
        finally:
            if scheduler.running:
                scheduler.shutdown(wait=False)
            await commands.stop()
            await self.stop()
            log.info("stopped")

    async def forget_old(self) -> None:
        """Delete what lay beside slips that ended long ago."""
        while await self.book.write(self.exchange.sequencer.forget, None):
            continue

    async def _forget_quietly(self) -> None:
        try:
            if self.exchange.recovery is None:
                await self.forget_old()
        except Exception as error:  # the top of a worker loop: said, and tried again in an hour
            log.warning("forgetting failed", error=type(error).__name__, reason=str(error).splitlines()[0][:200])

    async def _expire_quietly(self) -> None:
        try:
            await self.book.try_again()
            if self.exchange.recovery is None and await self.book.read(self.exchange.has_terms_due):
                await self.expire_due()
        except Exception as error:  # the top of a worker loop: said, and tried again in a second
            log.warning("expiry failed", error=type(error).__name__, reason=str(error).splitlines()[0][:200])
