"""The companies' base on its folder, wired by hand."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from pathlib import Path
from typing import Annotated, Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from msgspec import Meta, Struct

from node.desks.partners.guesses import read_proxies
from node.desks.partners.steps import PARTNERS_DUTIES
from node.doors.endings_service import EndingDesk
from node.doors.keys_service import KeyDesk
from node.doors.steps_api import forget_uploads
from node.house.folders_store import base_folder
from node.house_part_app import HousePart
from node.partners.companies import require_siren
from node.partners.companies_service import load_company
from node.partners.seals import seal
from node.partners.service import PARTNERS_HISTORY, Partners
from node.partners.settings import PartnersSettings
from node.partners.tables import door_keys
from protocol.book.worker import Page
from protocol.house import BaseName
from protocol.running import clock_service
from protocol.running.admin_service import AdminServer
from protocol.running.keys_store import KeysUnusable
from protocol.running.logs_service import find_logger
from protocol.running.settings import NotConfigured, parse_settings
from protocol.times import local_day

log = find_logger("partners")
FILE: Final = "partners.toml"
SECRETS: Final = "tickets"
SECRET_BYTES: Final = 32
EXPIRE_EVERY_HOURS: Final = 1


class PartnersConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`partners.toml`. `database` empty: `partners.db` in the folder.

    `proxies` are the addresses of reverse proxies in front, whose X-Forwarded-For says who calls.
    """

    zone: str = "Europe/Paris"
    ticket_days: Annotated[int, Meta(ge=1, le=366)] = 90
    holders_min: Annotated[int, Meta(ge=3, le=1_000)] = 10
    database: str = ""
    passphrase_file: str = ""
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")

    def __post_init__(self) -> None:
        read_proxies(self.proxies)


def load_partners_config(folder: Path) -> PartnersConfig:
    """Return what the base's folder says of it. Raises NotConfigured."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except OSError:
        raise NotConfigured(reason=f"no {FILE} in {folder}: run node partners init first") from None
    return parse_settings(text, PartnersConfig)


def load_ticket_secrets(folder: Path) -> dict[int, bytes]:
    """Return the secrets that tickets are signed with, by number: `tickets/0.secret`, `tickets/1.secret`, …

    Raises KeysUnusable.
    """
    found: dict[int, bytes] = {}
    for file in sorted((folder / SECRETS).glob("*.secret")):
        data = file.read_bytes()
        if len(data) != SECRET_BYTES or not file.stem.isdigit():
            raise KeysUnusable(file=file.name, reason=f"a secret of tickets is {SECRET_BYTES} bytes, N.secret")
        found[int(file.stem)] = data
    if not found:
        raise KeysUnusable(file=SECRETS, reason="no secret to sign tickets with: run node partners init")
    return found


class PartnersApp(HousePart):
    """The companies of a territory, on the folder of their house."""

    duties = PARTNERS_DUTIES

    def __init__(self, folder: Path) -> None:
        where = base_folder(folder, BaseName.PARTNERS)
        self.config = load_partners_config(where)
        super().__init__(
            folder,
            BaseName.PARTNERS,
            history=PARTNERS_HISTORY,
            database=self.config.database,
            passphrase_file=self.config.passphrase_file,
        )
        self.settings = PartnersSettings(
            home=self.home,
            zone=self.config.zone,
            ticket_days=self.config.ticket_days,
            holders_min=self.config.holders_min,
        )
        self.partners = Partners(
            self.book,
            self.tell,
            self.settings,
            ticket_secrets=load_ticket_secrets(where),
            entropy=clock_service.entropy,
        )
        self.keys = KeyDesk(self.book, door_keys, partial(seal, "door_keys"))
        self.open_exchange(EndingDesk(self.keys).hearing(self.partners.apply), self._note_recovery)
        self._scheduler: AsyncIOScheduler | None = None

    async def require_company(self, company: str) -> None:
        """Raise CompanyUnknown, or InvalidSiren, for what is none of the companies."""
        siren = require_siren(company)
        await self.book.read(lambda line: load_company(line, siren))

    def _note_recovery(self, page: Page) -> None:
        self.partners.note_recovery(page)
        self.keys.note_recovery(page)

    async def begin(self, commands: AdminServer) -> None:
        forget_uploads(self.folder)
        await super().begin(commands)
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._scheduler.add_job(
            self._catch_up,
            "interval",
            hours=EXPIRE_EVERY_HOURS,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        self._scheduler.start()
        self._catching_up = asyncio.create_task(self._catch_up())

    async def end(self) -> None:
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._catching_up.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._catching_up
        await super().end()

    async def _catch_up(self) -> None:
        """Go on with files that a stop interrupted, end tickets whose day is over, and tell what called campaigns gave that are. The state is in the base."""
        try:
            await asyncio.get_running_loop().run_in_executor(None, self.partners.continue_runs)
            today = local_day(self.book.clock(), self.config.zone)
            await self.partners.expire_tickets(today)
            await self.book.write(self.partners.pledges.tell_spent, today)
        except Exception as error:  # the top of a worker loop: said, and tried again
            log.warning("companies", error=str(error))
