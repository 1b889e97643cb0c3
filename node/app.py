"""A node, wired by hand: the one file that knows all its rooms."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import Connection

from node.access.service import AccessDesk
from node.accounts_recovery_service import AccountsRecovery
from node.catalogue.client import HttpCatalogue
from node.catalogue.listing import Search
from node.catalogue.reading_service import find_projects
from node.catalogue.service import CatalogueDesk
from node.catalogue.words import LIMIT_MAX
from node.catalogue.worker import CatalogueWorker
from node.config import NodeConfig
from node.deposits.service import DepositDesk
from node.doors.endings_service import EndingDesk
from node.effects.service import EffectDesk
from node.federation import store as federation_store
from node.federation.conversion_service import Conversions
from node.federation.payee_service import PayeeDesk
from node.federation.service import Federation
from node.federation.windows_service import Windows, load_untold
from node.federation.worker import ExchangeWorker
from node.grants.service import GrantDesk
from node.guides.service import GuideDesk
from node.holders.service import HolderDesk
from node.house.folders_store import choose_house_keys, find_house, settle_house_keys
from node.house.settings import HouseSettings, read_neighbours
from node.ledger.accounts import AccountKind
from node.ledger.errors import NumberTaken
from node.ledger.openings import OpenAccount, Opened
from node.ledger.service import Ledger
from node.old_copy_service import OldCopyDesk
from node.orientation.books_service import ProjectBooks
from node.orientation.onward_service import OnwardService
from node.orientation.project_service import ProjectDesk
from node.orientation.release_service import ReleaseService
from node.orientation.return_service import ReturnDesk
from node.orientation.service import Orientations
from node.orientation.standing import StandingOrder, Told
from node.orientation.standing_service import StandingService
from node.schema_service import ACCOUNTS_HISTORY
from node.solidarity.service import Solidarity
from protocol.book import log_store
from protocol.book.service import Book, Page
from protocol.book.store import StorageUnavailable
from protocol.canonical import decode_typed
from protocol.envelopes import Welcome
from protocol.errors import Refusal
from protocol.exchange.client import BackOff, HttpTransport, HubUnreachable, Transport
from protocol.exchange.peer_keys import KeyMissing, Rotation
from protocol.exchange.peer_keys_service import Rotated
from protocol.exchange.peer_keys_store import find_rotation
from protocol.exchange.peer_recovery import Lost
from protocol.exchange.peer_service import PeerExchange
from protocol.exchange.service import Identity
from protocol.house import BaseName, DueConfirmed, DueSettled, DueTaken, HouseMessage, OrderNetted, house_of
from protocol.identifiers import Address, Id16, TerritoryCode, make_account_number, require_territory
from protocol.keys import Keyring
from protocol.running import clock_service
from protocol.running.admin_service import AdminServer
from protocol.running.http_service import STORAGE_TROUBLE, Metrics
from protocol.running.keys_store import create_keys, find_passphrase, load_keyring, set_current
from protocol.running.logs_service import find_logger
from protocol.running.settings import NotConfigured, parse_settings
from protocol.times import DAY_MS, HOUR_MS, Instant, day_at

log = find_logger("node")
RESERVATIONS_EVERY_SECONDS = 5
RELEASES_EVERY_SECONDS = 5
STANDING_LOOK_EVERY_MINUTES = 10
STATEMENT_LOOK_EVERY_MINUTES = 10
LATE_WORDS_EVERY_MINUTES = 5
STATEMENT_EVERY_MS = DAY_MS
FORGET_EVERY_HOURS = 1
EFFECTS_LOOK_EVERY_MINUTES = 1
EFFECTS_EVERY_MS = HOUR_MS
_EXPIRE_AT_ONCE = 500
_OFFERS_MAX = 5


def load_config(folder: Path) -> NodeConfig:
    """Return the configuration of a node's folder. Raises NotConfigured."""
    try:
        text = (folder / "node.toml").read_text(encoding="utf-8")
    except OSError:
        raise NotConfigured(reason=f"no node.toml in {folder}: run node init first") from None
    return parse_settings(text, NodeConfig)


def load_welcome(folder: Path) -> Welcome | None:
    """Return what the hub answered when we enrolled, or None before that."""
    try:
        data = (folder / "hub.welcome").read_bytes()
    except FileNotFoundError:
        return None
    return decode_typed(data, Welcome, size_max=1_000)


class NotEnrolled(NotConfigured):
    """There is no hub yet. Facts: reason."""


class EndowmentClosed(Refusal):
    """This territory has a fund: lots are issued by the deposits that it signs, and by nothing else."""

    code = "endowment_closed"


class RotateWithHub(Refusal):
    """The accounts' key is the node's: it changes with the hub first, and then in the house."""

    code = "rotate_with_hub"


class NoLine:
    """The transport of a node that takes part by file only."""

    async def call(self, envelope: bytes, wait_ms: int) -> bytes:
        raise HubUnreachable(reason="this node has no line to the hub: carry files with federation export and import")


# Who we speak to before the first enrolment: nobody.
_NOBODY = Welcome("", "HUB-ZZ", bytes(32), bytes(32))


class NodeApp:
    """A node on its folder. `start_quietly` opens it for commands; `begin` and `end` are for a process that serves it."""

    def __init__(self, folder: Path, config: NodeConfig) -> None:
        self.folder = folder
        self.config = config
        self.home: TerritoryCode = require_territory(config.territory)
        self.welcome = load_welcome(folder)
        keyring = load_keyring(folder / "keys", find_passphrase(config.passphrase_file))
        try:
            self.book = Book(self.database_url, history=ACCOUNTS_HISTORY, clock=clock_service.now)
        except ValueError as error:  # an address that is none, or a base written by a newer version
            raise NotConfigured(reason=str(error)) from None
        self.ledger = Ledger(self.book, self.home)
        self.access = AccessDesk(self.book)
        self.transport: Transport = (
            HttpTransport(config.hub_url, silence_ms=config.hub_silence_ms) if config.hub_url else NoLine()
        )
        self.federation = Federation(
            self.ledger,
            Identity(config.network, self.home, keyring),
            self.welcome or _NOBODY,
            entropy=clock_service.entropy,
            on_outgoing=self._wake,
        )
        self.payees = PayeeDesk(self.federation.room, self.book, entropy=clock_service.entropy, on_outgoing=self._wake)
        self.worker = ExchangeWorker(
            self.federation,
            self.payees,
            self.book,
            self.transport,
            chance=clock_service.chance,
            back_off=BackOff(ceiling_ms=config.back_off_ceiling_ms),
            long_poll_ms=config.hub_wait_ms,
        )
        self.metrics = Metrics(self.figures)
        self.house = find_house(folder)
        books = ProjectBooks(None if self.house is None else self._tell_house)
        self.orientations = Orientations(self.ledger, self.federation, books)
        self.federation.room.projects = self.orientations
        self.returns = ReturnDesk(self.book, self.orientations, self.payees)
        self.payees.on_back = self.returns.give_back
        self.guides = GuideDesk(self.book, self.ledger, self.federation, self.orientations)
        self.standing = StandingService(self.ledger, self.orientations, self._ask_catalogue)
        self.onward = OnwardService(self.ledger, self.orientations)
        self.solidarity = Solidarity(self.ledger, self.federation)
        self.releases = ReleaseService(self.orientations, books)
        has_fund = self.house is not None and BaseName.FUND in self.house.bases
        self.projects = ProjectDesk(self.ledger, books, self.releases, has_fund=has_fund)
        self.conversions = Conversions(self.federation.room, self.projects, self._tell_house, has_fund=has_fund)
        self.projects.abroad = self.federation.room.conversions = self.conversions
        self.windows = Windows(self.federation.room, self.projects.find_owed, self._tell_house)
        if has_fund:
            self.federation.room.windows = self.windows
        self.catalogue = CatalogueDesk(
            home=self.home,
            find_identity=lambda: self.federation.identity,
            find_directory=lambda: self.federation.directory,
            neighbours=None if self.house is None else read_neighbours(self.house),
            tell=self._tell_house,
        )
        has_line = self.welcome is not None and isinstance(self.transport, HttpTransport)
        self.catalogues = CatalogueWorker(
            self.catalogue,
            self.book,
            HttpCatalogue(self.transport) if has_line else None,  # type: ignore[arg-type]
        )
        self.effects = EffectDesk(home=self.home, people_min=config.people_min, tell=self._tell_house)
        self._effects_at, self._has_due_news = Instant(0), False
        self.on_house_news: Callable[[], None] = lambda: None
        self.federation.room.come_back = OldCopyDesk(self.guides, self.standing)
        try:
            self.house_exchange = None if self.house is None else self._open_house(self.house, keyring)
        except KeyMissing:
            self.book.close()
            raise
        self._settle_house_keys(keyring)
        self._asked_at = Instant(0)
        self._commands: AdminServer | None = None
        self._scheduler: AsyncIOScheduler | None = None
        self._exchanging: asyncio.Task[None] | None = None
        self._cataloguing: asyncio.Task[None] | None = None

    def _open_house(self, house: HouseSettings, keyring: Keyring) -> PeerExchange:
        """Return the accounts' side of the talk with the other bases of this territory."""
        deposits = DepositDesk(self.ledger, entropy=clock_service.entropy)
        grants = GrantDesk(self.ledger)
        holders = HolderDesk(
            self.ledger,
            in_flight=federation_store.load_in_flight,
            is_behind=lambda: self.federation.behind is not None,
        )
        old_copy = OldCopyDesk(
            self.guides,
            self.standing,
            closings=holders,
            tell_people=lambda page, messages: exchange.reply(page, BaseName.PEOPLE, messages),
            hold_house=lambda page: exchange.note_behind(page),
        )
        self.federation.room.come_back = old_copy
        endings = EndingDesk(self.access)

        def apply(page: Page, sender: str, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
            if any(isinstance(message, DueTaken | DueSettled | DueConfirmed) for message in messages):
                self._has_due_news = True
            match sender:
                case BaseName.PARTNERS:
                    return grants.apply(page, sender, messages)
                case BaseName.PEOPLE:
                    return [*endings.hear(page, sender, messages), *holders.apply(page, sender, messages)]
                case BaseName.PROJECTS:
                    self.catalogue.hear(page, sender, messages)
                    for message in messages:
                        if isinstance(message, DueConfirmed):
                            self.conversions.confirm(page, message)
                    netted = [message for message in messages if isinstance(message, OrderNetted)]
                    answers = [answer for message in netted for answer in self.windows.hear_projects(page, message)]
                    answers += self.guides.apply(page, sender, messages)
                    return answers + self.projects.apply(page, sender, messages)
                case BaseName.FUND:
                    self.catalogue.hear(page, sender, messages)
                    self.projects.hear_fund(page, messages)
                    self.conversions.hear_fund(page, messages)
                    self.windows.hear_fund(page, messages)
                    return deposits.apply(page, sender, messages)
                case _:
                    return deposits.apply(page, sender, messages)

        def confirm(page: Page, message: DueConfirmed) -> None:
            # Nothing is written for the hub before it gave our slips back: that is another recovery.
            found = self.projects.find_round_of(page.connection, message.id)
            if found is not None and found[1] == self.home:
                self.conversions.confirm(page, message)

        recovery = AccountsRecovery(
            self.ledger,
            deposits,
            grants,
            holders=holders,
            projects=self.projects,
            hear_fund=self.projects.hear_fund,
            confirm=confirm,
            begin=old_copy.begin,
            hear_guides=self.guides.apply,
            hear_endings=endings.hear,
            order_netted=self.windows.hear_projects,
        )

        def replay(page: Page, lost: Lost) -> None:
            recovery.replay(page, lost, exchange.reply)
            self.effects.note_lost(page, lost.own.get(BaseName.PARTNERS, ()))

        exchange: PeerExchange = PeerExchange(
            self.book,
            Identity(house_of(self.home), BaseName.ACCOUNTS, choose_house_keys(house, BaseName.ACCOUNTS, keyring)),
            read_neighbours(house),
            apply,
            on_news=lambda: self.on_house_news(),
            replay=replay,
        )
        return exchange

    def _settle_house_keys(self, keyring: Keyring) -> None:
        """Let house.toml follow the book: which of our keys signs in the house."""
        if self.house_exchange is not None:
            chosen = self.house_exchange.identity.keyring
            if choose_house_keys(find_house(self.folder), BaseName.ACCOUNTS, keyring).current != chosen.current:
                settle_house_keys(self.folder, BaseName.ACCOUNTS, chosen)

    async def rotate_key(self, id_: bytes) -> Rotated:
        """Sign in the house with the node's newest key; where the hub knows none of ours, with a new one.

        Asked again under the same id it is changed once. Raises RotateWithHub, and its Refusal.
        """
        if self.house_exchange is None:
            raise NotConfigured(reason="this node is in no house: nobody would hear of the key")
        known = await self.book.read(lambda connection: find_rotation(connection, id_))
        ours, signing = self.federation.identity.keyring, self.house_exchange.identity.keyring.current
        secret = ours.current
        if known is None and secret == signing:
            if self.welcome is not None:
                raise RotateWithHub()
            passphrase = find_passphrase(self.config.passphrase_file)
            secret = create_keys(self.folder / "keys", passphrase, clock_service.entropy(64))
            set_current(self.folder / "keys", secret)
            self.hold_key(Keyring(secret, (ours.current, *ours.older)))
        rotated: Rotated = await self.book.write(self.house_exchange.rotate, Rotation(id_, secret))
        self._settle_house_keys(self.house_exchange.identity.keyring)
        return rotated

    def _tell_house(self, page: Page, reader: str, messages: Sequence[HouseMessage]) -> None:
        """Tell another base of this territory, if it has one."""
        if self.house is not None and self.house_exchange is not None and reader in self.house.bases:
            self.house_exchange.tell(page, reader, messages)

    def require_no_fund(self) -> None:
        """Raise EndowmentClosed where a fund issues: then nobody here can."""
        if self.house is not None and BaseName.FUND in self.house.bases:
            raise EndowmentClosed()

    @property
    def database_url(self) -> str:
        return self.config.database or f"sqlite:///{self.folder / 'accounts.db'}"

    def _wake(self) -> None:
        self.worker.wake()

    async def start_quietly(self) -> None:
        """Open for work."""
        await self.book.read(self.federation.load)

    async def stop(self) -> None:
        if isinstance(self.transport, HttpTransport):
            await self.transport.close()
        await asyncio.get_running_loop().run_in_executor(None, self.book.close)

    def probe(self) -> str | None:
        """Why we are not ready, or nothing."""
        held = self.book.held or self.federation.behind
        if held is not None:
            return str(held)
        return None if self.book.trouble is None else STORAGE_TROUBLE

    def figures(self) -> Iterable[tuple[str, str, dict[str, str], float]]:
        pages, items = self.book.written
        yield "pages_written", "counter", {}, pages
        yield "items_written", "counter", {}, items
        yield "storage_trouble", "gauge", {}, float(self.book.trouble is not None)
        yield "hub_trouble", "gauge", {}, float(self.worker.trouble is not None)
        yield "book_behind", "gauge", {}, float((self.book.held or self.federation.behind) is not None)
        if self.worker.contact_at is not None:
            yield "hub_contact_age_ms", "gauge", {}, float(self.book.clock() - self.worker.contact_at)
        with contextlib.suppress(StorageUnavailable):  # a database that is away is said by storage_trouble
            yield "slips_waiting", "gauge", {}, float(self.book.read_now(self.count_waiting))
        yield "catalogue_trouble", "gauge", {}, float(bool(self.catalogues.trouble))
        for name, count in dict(self.federation.counts).items():
            yield "events", "counter", {"event": name}, count

    async def open_account(self, op: Id16, kind: AccountKind, shown_name: str | None) -> Opened:
        """Open an account under a fresh number. Raises its Refusal."""
        for _ in range(_OFFERS_MAX):
            number = make_account_number(clock_service.entropy(16))
            with contextlib.suppress(NumberTaken):
                return await self.ledger.write(
                    self.ledger.open_accounts, OpenAccount(op=op, number=number, kind=kind, shown_name=shown_name)
                )
        raise NumberTaken(number="-")

    def require_enrolled(self) -> None:
        """Raise NotEnrolled before the hub's welcome came."""
        if self.welcome is None:
            raise NotEnrolled(reason="this node is not enrolled yet: run node enrol with the operator's invitation")

    def count_waiting(self, connection: Connection) -> int:
        """Return how many of our slips the hub has not acknowledged."""
        return log_store.count_unacked(connection, self.home, self.federation.hub.hub)

    def use_newest_announced_key(self) -> bool:
        """Sign with our newest key once the directory shows it; return whether anything changed."""
        member = self.federation.directory.find(self.home)
        keyring = self.federation.identity.keyring
        if member is None:
            return False
        newest = keyring.find(member.keys[-1].id)
        if newest is None or newest == keyring.current:
            return False
        set_current(self.folder / "keys", newest)
        older = tuple(keys for keys in (keyring.current, *keyring.older) if keys != newest)
        self.federation.use_identity(replace(self.federation.identity, keyring=Keyring(newest, older)))
        return True

    def hold_key(self, keyring: Keyring) -> None:
        """Hold more keys than before, signing as before."""
        self.federation.use_identity(replace(self.federation.identity, keyring=keyring))

    async def begin(self, commands: AdminServer) -> None:
        """Start what runs beside the doors: commands, jobs, the line to the hub."""
        await self.start_quietly()
        await commands.start()
        self._commands, self._scheduler = commands, AsyncIOScheduler(timezone="UTC")
        for job, every in (
            (self._expire_reservations, {"seconds": RESERVATIONS_EVERY_SECONDS}),
            (self._let_rights_go, {"seconds": RELEASES_EVERY_SECONDS}),
            (self._work_for_solidarity, {"seconds": RELEASES_EVERY_SECONDS}),
            (self._run_standing, {"minutes": STANDING_LOOK_EVERY_MINUTES}),
            (self._rotate_quietly, {"seconds": RESERVATIONS_EVERY_SECONDS}),
            (self._ask_statement, {"minutes": STATEMENT_LOOK_EVERY_MINUTES}),
            (self._tell_late_words, {"minutes": LATE_WORDS_EVERY_MINUTES}),
            (self._forget_old, {"hours": FORGET_EVERY_HOURS}),
            (self._tell_effects, {"minutes": EFFECTS_LOOK_EVERY_MINUTES}),
            (self._run_catalogue, {"minutes": self.config.catalogue_minutes}),
        ):
            self._scheduler.add_job(job, "interval", coalesce=True, max_instances=1, misfire_grace_time=None, **every)
        self._scheduler.start()
        self._cataloguing = asyncio.create_task(self._run_catalogue())
        if self.welcome and self.config.hub_url:
            self._exchanging = asyncio.create_task(self._exchange())

    async def end(self) -> None:
        """Stop what `begin` started, and let go of the book."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
        if self._cataloguing is not None:
            self._cataloguing.cancel()
            await asyncio.gather(self._cataloguing, return_exceptions=True)
        if self._exchanging is not None:
            self._exchanging.cancel()
            await asyncio.gather(self._exchanging, return_exceptions=True)
        if self._commands is not None:
            await self._commands.stop()
        await self.stop()

    def let_go(self) -> None:
        """End waiting calls at once: the process is told to stop."""
        self.worker.stop()

    async def _exchange(self) -> None:
        """The worker's loop; an error of ours is logged and the loop begins again."""
        while True:
            try:
                await self.worker.run()
                return
            except Exception as error:  # the top of a worker loop
                log.exception("exchange loop", error=str(error))
                await asyncio.sleep(1)

    async def _expire_reservations(self) -> None:
        try:
            while await self.book.write(self.ledger.expire_reservations, _EXPIRE_AT_ONCE):
                continue
        except Exception as error:  # the top of a worker loop: said, and tried again
            log.warning("reservations", error=str(error))

    async def _let_rights_go(self) -> None:
        """Go on with what goes back from projects that ended, and with what came back. After a stop it goes on where it was."""
        try:
            last = 0
            while self.federation.behind is None and (last := await self.book.write(self.releases.release_some, last)):
                continue
            while self.federation.behind is None and await self.book.write(self.onward.go_on, None):
                continue
        except Exception as error:  # the top of a worker loop: said, and tried again
            log.warning("releases", error=str(error))

    async def _work_for_solidarity(self) -> None:
        """Note what was given, go on with sharing and giving back. After a stop it goes on where it was."""
        try:
            while self.federation.behind is None and await self.book.write(self.solidarity.go_on_all, None):
                continue
        except Exception as error:  # the top of a worker loop: said, and tried again
            log.warning("solidarity", error=str(error))

    def _ask_catalogue(self, connection: Connection, order: StandingOrder) -> list[Told]:
        """Return what the catalogue has for a standing order: of its theme, or of the projects that it lists."""
        directory, today = self.federation.directory, day_at(self.book.clock())
        searches: list[tuple[Search, str]]
        if order.projects:
            searches = [(Search(territory=one.territory, near=order.near), one.number) for one in order.projects]
        else:
            searches = [(Search(theme=order.theme, near=order.near, limit=LIMIT_MAX), "")]
        found = [
            one
            for search, only in searches
            for one in find_projects(connection, search, directory, today, only=only).found
        ]
        return [Told(Address(one.row.number, one.row.territory), one.row.need_by, one.metres) for one in found]

    async def _run_standing(self) -> None:
        """Run what standing orders are due; after days off, each period that was missed. Run twice is run once."""
        try:
            while self.federation.behind is None and await self.book.write(self.standing.run_due, None):
                continue
        except Exception as error:  # the top of a worker loop: said, and tried again
            log.warning("standing orders", error=str(error))

    async def _run_catalogue(self) -> None:
        """Publish what our house lets know, fetch what others do, and tell our bases. Run twice is run once."""
        try:
            if self.federation.behind is None:
                before = self.catalogues.trouble
                done = await self.catalogues.run_once()
                if done.trouble and done.trouble != before:
                    log.warning("catalogue", reason=done.trouble)
        except Exception as error:  # the top of a worker loop: said, and tried again
            log.warning("catalogue", error=str(error))

    async def _tell_effects(self) -> None:
        """Tell the companies' base what changed of its campaigns' miles: after news of dues, and once an hour."""
        has_partners = self.house is not None and BaseName.PARTNERS in self.house.bases
        is_time = self._has_due_news or self.book.clock() >= self._effects_at + EFFECTS_EVERY_MS
        if not has_partners or not is_time or self.probe() is not None:
            return
        try:
            self._has_due_news, self._effects_at = False, self.book.clock()
            await self.tell_effects()
        except Exception as error:  # the top of a worker loop: said, and tried again in an hour
            log.warning("effects", error=str(error))

    async def tell_effects(self) -> int:
        """Tell the companies' base what changed; return how many lines. Told twice is told once."""
        lines = await self.book.read(self.effects.find_changed)
        if not lines and not await self.book.read(self.effects.has_new_titles):
            return 0
        return int(await self.book.write(self.effects.tell, lines))

    async def _forget_old(self) -> None:
        """Delete what we sealed beside slips that ended long ago, and take closed accounts out of pools. Twice is once."""
        try:
            while self.welcome is not None and await self.book.write(self.federation.forget, None):
                continue
            last = ""
            while self.federation.behind is None and (
                last := await self.book.write(self.solidarity.forget_closed, last)
            ):
                continue
        except Exception as error:  # the top of a worker loop: said, and tried again in an hour
            log.warning("forgetting", error=str(error))

    async def _rotate_quietly(self) -> None:
        if self.use_newest_announced_key():
            log.info("signing with the newest key")

    async def _ask_statement(self) -> None:
        try:
            if (
                self.federation.behind is None
                and self.welcome is not None
                and await self.book.read(self._is_statement_due)
            ):
                await self.book.write(self.federation.ask_statement, None)
                self._asked_at = self.book.clock()
        except Exception as error:  # the top of a worker loop: said, and tried again
            log.warning("statement", error=str(error))

    async def _tell_late_words(self) -> None:
        try:
            if await self.book.read(load_untold):
                await self.book.write(self.windows.tell_late, None)
        except Exception as error:  # the top of a worker loop: said, and tried again
            log.warning("words of the fund", error=str(error))

    def _is_statement_due(self, connection: Connection) -> bool:
        """Tell whether a day went by since the last comparison with the hub, and since we last asked for one."""
        last = federation_store.find_reconciliation(connection)
        since = max(self._asked_at, 0 if last is None else last.at)
        return self.book.clock() >= since + STATEMENT_EVERY_MS
