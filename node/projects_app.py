"""The projects' base on its folder, wired by hand."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from pathlib import Path
from typing import Annotated, Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from msgspec import Meta, Struct

from node.desks.projects.duties import PROJECTS_DUTIES
from node.doors.endings_service import EndingDesk
from node.doors.keys_service import KeyDesk
from node.doors.steps_api import forget_uploads
from node.governance.service import PROJECTS_HISTORY, Projects
from node.governance.settings import ProjectsSettings
from node.governance.store import seal_values
from node.governance.tables import door_keys
from node.house.folders_store import base_folder
from node.house_part_app import HousePart
from protocol.errors import Malformed
from protocol.house import BaseName
from protocol.keys import Keyring, PublicKeys
from protocol.running import clock_service
from protocol.running.admin_service import AdminServer
from protocol.running.logs_service import find_logger
from protocol.running.settings import NotConfigured, parse_settings

log = find_logger("projects")
FILE: Final = "projects.toml"
CATCH_UP_EVERY_MINUTES: Final = 15


class ProjectsConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`projects.toml`. `database` empty: `projects.db` in the folder."""

    zone: str = "Europe/Paris"
    grace_hours: Annotated[int, Meta(ge=0, le=168)] = 6
    iban_change_hours: Annotated[int, Meta(ge=24, le=720)] = 48
    catalogue_hours: Annotated[int, Meta(ge=1, le=24)] = 6
    issuer: str = ""
    public_url: str = ""
    database: str = ""
    passphrase_file: str = ""


def load_projects_config(folder: Path) -> ProjectsConfig:
    """Return what the base's folder says of it. Raises NotConfigured."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except OSError:
        raise NotConfigured(reason=f"no {FILE} in {folder}: run node projects init first") from None
    return parse_settings(text, ProjectsConfig)


class ProjectsApp(HousePart):
    """The projects of a territory, on the folder of their house."""

    duties = PROJECTS_DUTIES

    def __init__(self, folder: Path) -> None:
        self.config = load_projects_config(base_folder(folder, BaseName.PROJECTS))
        super().__init__(
            folder,
            BaseName.PROJECTS,
            history=PROJECTS_HISTORY,
            database=self.config.database,
            passphrase_file=self.config.passphrase_file,
        )
        self.settings = ProjectsSettings(
            home=self.home,
            zone=self.config.zone,
            grace_hours=self.config.grace_hours,
            iban_change_hours=self.config.iban_change_hours,
            catalogue_hours=self.config.catalogue_hours,
            issuer=self.config.issuer,
            public_url=self.config.public_url,
        )
        self.projects = Projects(
            self.book,
            self.tell,
            self.settings,
            keys=self._keyring.current,
            find_fund=self.find_fund,
            entropy=clock_service.entropy,
        )
        self.keys = KeyDesk(self.book, door_keys, partial(seal_values, door_keys))
        endings = EndingDesk(self.keys, self.projects.signers.end)
        self.open_exchange(endings.hearing(self.projects.apply), self.keys.note_recovery)
        self._scheduler: AsyncIOScheduler | None = None

    async def require_company(self, company: str) -> None:
        """No key of the projects' base is one company's. Raises Malformed."""
        raise Malformed(field="company", reason="the projects' base has no keys of companies")

    def find_fund(self) -> PublicKeys | None:
        """Return the newest key of this territory's fund, as it announced it here, or None where there is no fund."""
        fund = self.exchange.neighbours.find(BaseName.FUND)
        return None if fund is None else fund.keys[-1]

    def use_keyring(self, keyring: Keyring) -> None:
        self.projects.use_keys(keyring.current)

    async def begin(self, commands: AdminServer) -> None:
        """Start to serve; need-by days are looked at every quarter of an hour, and at once after days off."""
        forget_uploads(self.folder)
        await super().begin(commands)
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._scheduler.add_job(
            self.catch_up,
            "interval",
            minutes=CATCH_UP_EVERY_MINUTES,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        self._scheduler.start()
        self._catching_up = asyncio.create_task(self.catch_up())

    async def end(self) -> None:
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._catching_up.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._catching_up
        await super().end()

    async def catch_up(self) -> None:
        """Do what days have made due. The state is in the base."""
        try:
            await self.projects.catch_up()
        except Exception as error:  # the top of a worker loop: said, and tried again
            log.warning("projects", error=str(error))
