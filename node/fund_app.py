"""A fund on its folder, wired by hand."""

from __future__ import annotations

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
from node.house.folders_store import base_folder
from node.house_part_app import HousePart
from protocol.errors import Refusal
from protocol.house import BaseName
from protocol.running import clock_service
from protocol.running.settings import NotConfigured, parse_settings

FILE: Final = "fund.toml"


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


class FundApp(HousePart):
    """A fund on the folder of its house."""

    def __init__(self, folder: Path) -> None:
        self.settings = load_fund_settings(base_folder(folder, BaseName.FUND))
        super().__init__(
            folder,
            BaseName.FUND,
            history=FUND_HISTORY,
            database=self.settings.database,
            passphrase_file=self.settings.passphrase_file,
        )
        self.fund = Fund(self.settings, load_bank_parameters(day_at(clock_service.now())), self.tell)
        self.open_exchange(self.fund.apply)
