"""A fund on its folder, wired by hand."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from pathlib import Path
from typing import Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from node.desks.fund.steps import FUND_DUTIES
from node.doors.endings_service import EndingDesk
from node.doors.keys_service import KeyDesk
from node.fund.bank_parameters_store import load_bank_parameters
from node.fund.days import day_at
from node.fund.direct_debits import require_creditor_id
from node.fund.receipt_numbers import first_number
from node.fund.receipt_parameters_store import load_form_in_force
from node.fund.receipt_proof import make_proof
from node.fund.receipts import ReceiptKind
from node.fund.schema_service import FUND_HISTORY
from node.fund.seal_store import sealed
from node.fund.service import Fund, Place
from node.fund.settings import FundSettings
from node.fund.tables import door_keys
from node.house.folders_store import base_folder
from node.house.settings import read_neighbours
from node.house_part_app import HousePart
from protocol.book.worker import Operation, Page
from protocol.errors import Malformed, Refusal
from protocol.house import BaseName
from protocol.keys import Keyring
from protocol.running import clock_service
from protocol.running.admin_service import AdminServer
from protocol.running.logs_service import find_logger
from protocol.running.settings import NotConfigured, parse_settings

log = find_logger("fund")
FILE: Final = "fund.toml"
COLLECT_EVERY_HOURS: Final = 1


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
        if settings.creditor_id:
            require_creditor_id(settings.creditor_id)
        make_proof(settings.public_url, first_number(settings.siren or settings.rna, 2026), bytes(32))
    except NotConfigured:
        raise
    except Refusal as refusal:
        raise NotConfigured(reason=str(refusal)) from None


class FundApp(HousePart):
    """A fund on the folder of its house."""

    duties = FUND_DUTIES

    def __init__(self, folder: Path) -> None:
        self.settings = load_fund_settings(base_folder(folder, BaseName.FUND))
        super().__init__(
            folder,
            BaseName.FUND,
            history=FUND_HISTORY,
            database=self.settings.database,
            passphrase_file=self.settings.passphrase_file,
        )
        self.fund = Fund(
            self.settings,
            load_bank_parameters(day_at(clock_service.now())),
            self.tell,
            Place(home=self.home, keyring=self._keyring, neighbours=read_neighbours(self.house)),
        )
        self.keys = KeyDesk(self.book, door_keys, partial(sealed, door_keys))
        endings = EndingDesk(self.keys, self.fund.officers.end)
        self.open_exchange(endings.hearing(self.fund.apply), self._note_recovery)
        self._scheduler: AsyncIOScheduler | None = None

    async def require_company(self, company: str) -> None:
        """No key of a fund is one company's. Raises Malformed."""
        raise Malformed(field="company", reason="a fund has no keys of companies")

    def _note_recovery(self, page: Page) -> None:
        self.fund.note_recovery(page)
        self.keys.note_recovery(page)

    def use_keyring(self, keyring: Keyring) -> None:
        self.fund.use_keyring(keyring)

    async def begin(self, commands: AdminServer) -> None:
        """Start to serve; monthly gifts and pledges are called by the hour, and at once after days off."""
        await super().begin(commands)
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._scheduler.add_job(
            self.catch_up,
            "interval",
            hours=COLLECT_EVERY_HOURS,
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
        """Do what is due of bearers' accounts, monthly gifts and pledges, and tell our account. The state is in the base."""
        try:
            await self.book.write(self.fund.cards.publish, self.settings.shows_account)
        except Exception as error:  # the top of a worker loop: said, and tried again
            log.warning("our account", error=str(error))
        jobs: tuple[tuple[str, Operation], ...] = (
            ("bearers' accounts", self.fund.bearers.apply_due),
            ("monthly gifts", self.fund.debits.catch_up),
            ("calls", self.fund.pledges.catch_up),
            ("netting", self.fund.netting.net_dues),
        )
        for what, job in jobs:
            try:
                await self.book.write(job, day_at(self.book.clock()))
            except Exception as error:  # the top of a worker loop: said, and tried again
                log.warning(what, error=str(error))
