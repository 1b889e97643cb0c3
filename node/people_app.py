"""The people's base on its folder, wired by hand.

people.toml      what its operator sets
keys/            the keys that it signs its slips with
keys/base/       the base keys, under which everything is wrapped: files of the same kind, and of this base alone
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from node.desks.people.steps import PEOPLE_DUTIES
from node.doors.keys_service import KeyDesk
from node.house.folders_store import base_folder
from node.house_part_app import HousePart
from node.people import store
from node.people.authority import HERE
from node.people.errors import NotEntitled
from node.people.journal_store import seal_row
from node.people.roles import Duty
from node.people.service import PEOPLE_HISTORY, open_people
from node.people.settings import PeopleSettings
from node.people.tables import door_keys
from node.people.vault import BaseKeys, compute_mark, read_base_keys
from protocol.book.service import Page
from protocol.errors import Malformed
from protocol.exchange.peer_recovery import Lost
from protocol.house import BaseName
from protocol.identifiers import Id16, format_id, parse_id
from protocol.running import clock_service
from protocol.running.admin_service import AdminServer
from protocol.running.keys_store import create_keys, find_passphrase, load_keyring, set_current
from protocol.running.logs_service import find_logger
from protocol.running.settings import LOOPBACK, NotConfigured, parse_listen, parse_settings

log = find_logger("people")
FILE: Final = "people.toml"
BASE_KEYS: Final = "base"
CATCH_UP_EVERY_MINUTES: Final = 15
OFFICERS: Final = frozenset({Duty.PEOPLE_OFFICER, Duty.AUDITOR})


def load_people_settings(folder: Path) -> PeopleSettings:
    """Return what the base's folder says of it. Raises NotConfigured."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except OSError:
        raise NotConfigured(reason=f"no {FILE} in {folder}: run node people init first") from None
    settings = parse_settings(text, PeopleSettings)
    try:
        ZoneInfo(settings.zone)
    except (ValueError, OSError, KeyError):
        raise NotConfigured(reason=f"{settings.zone} is no time zone") from None
    if settings.doors and parse_listen(settings.doors)[0] not in LOOPBACK and not settings.tls_certificate:
        raise NotConfigured(reason="doors away from this machine need tls_certificate: a name never travels bare")
    return settings


def load_base_keys_of(folder: Path, settings: PeopleSettings) -> BaseKeys:
    """Return the base keys of a people's folder. Raises KeysUnusable."""
    return read_base_keys(load_keyring(folder / "keys" / BASE_KEYS, find_passphrase(settings.passphrase_file)))


def create_base_key(folder: Path, settings: PeopleSettings) -> None:
    """Make a base key, and wrap with it from now on."""
    where, passphrase = folder / "keys" / BASE_KEYS, find_passphrase(settings.passphrase_file)
    set_current(where, create_keys(where, passphrase, clock_service.entropy(64)))


class PeopleApp(HousePart):
    """The people of a territory, on the folder of their house."""

    duties = PEOPLE_DUTIES

    def __init__(self, folder: Path) -> None:
        self.settings = load_people_settings(base_folder(folder, BaseName.PEOPLE))
        self.is_served = False
        super().__init__(
            folder,
            BaseName.PEOPLE,
            history=PEOPLE_HISTORY,
            database=self.settings.database,
            passphrase_file=self.settings.passphrase_file,
        )
        try:
            self.people = open_people(
                self.book,
                load_base_keys_of(self.folder, self.settings),
                self.tell,
                entropy=clock_service.entropy,
                zone=self.settings.zone,
                cost=self.settings.cost,
                knows=lambda base: base in self.exchange.others,
                end_keys=self._end_keys,
            )
        except BaseException:
            self.book.close()
            raise
        self.keys = KeyDesk(self.book, door_keys, self._seal_key, on_revoked=self._mark_key)
        # What is erased here must be nowhere: no page goes to a neighbour.
        self.open_exchange(self.people.apply, keeps=False, replay=self._replay)
        self._scheduler: AsyncIOScheduler | None = None

    def _seal_key(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {**values, "seal": seal_row(self.people.room.book_key, door_keys, values)}

    def _end_keys(self, page: Page, officers: Collection[str]) -> None:
        held = self.keys.list_held(page)
        self.keys.end(page, [key.id for key in held if key.is_live and key.name in officers])

    def _mark_key(self, page: Page, id_: str) -> None:
        self.people.room.tell_ended(page, f"{door_keys.name} {id_}")

    def _replay(self, page: Page, lost: Lost) -> None:
        """Make true again what an old copy lacked: keys of doors that were revoked since open no more."""
        marks = self.people.replay(page, lost)
        book_key = self.people.room.book_key
        revoked = [
            row.id
            for row in self.keys.load_all(page.connection)
            if row.revoked_at is None and compute_mark(book_key, f"{door_keys.name} {row.id}") in marks
        ]
        self.keys.revoke(page, revoked)

    async def require_company(self, company: str) -> None:
        """No key of the people's base is one company's. Raises Malformed."""
        raise Malformed(field="company", reason="the people's base has no keys of companies")

    async def choose_officer(self, name: str) -> str:
        """Return the officer that a key is issued to: the id of somebody with a duty here today. Raises NotEntitled."""
        officer = parse_id(name)
        await self.require_officer(officer)
        return format_id(officer)

    async def require_officer(self, officer: Id16) -> None:
        """Raise NotEntitled unless somebody has a duty at this base today: whose duty has ended comes in no more."""
        day = self.people.room.day(self.book.clock())
        roles = await self.book.read(lambda line: store.list_roles(line, officer))
        if not any(role.base == HERE and role.duty in OFFICERS and role.is_in_force(day) for role in roles):
            raise NotEntitled(action="come_in")

    async def rotate(self, by: Id16, *, forgets: bool) -> tuple[int, int]:
        """Wrap everything under a new base key; return how many data keys, and how many older files were deleted."""
        create_base_key(self.folder, self.settings)
        keys = load_base_keys_of(self.folder, self.settings)
        count = await self.people.rotate(keys, by=by)
        if not forgets:
            return count, 0
        for older in keys.older:
            (self.folder / "keys" / BASE_KEYS / f"{older.id.hex()}.key").unlink(missing_ok=True)
        self.people.room.base_keys = BaseKeys(keys.current)
        return count, len(keys.older)

    async def begin(self, commands: AdminServer) -> None:
        await super().begin(commands)
        self.is_served = True
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._scheduler.add_job(
            self._catch_up,
            "interval",
            minutes=CATCH_UP_EVERY_MINUTES,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        # A last day is over at the territory's midnight: no need to wait for the next quarter of an hour.
        self._scheduler.add_job(self._catch_up, "cron", hour=0, minute=0, second=1, timezone=self.settings.zone)
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
        """Apply rules whose term is over and ask again what had to wait. The state is in the base."""
        try:
            await self.people.catch_up()
        except Exception as error:  # the top of a worker loop: said, and tried again
            log.warning("people", error=str(error))
