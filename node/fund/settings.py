"""What a fund sets: `fund.toml` in its folder. Pure."""

from __future__ import annotations

import datetime
from typing import Annotated

from msgspec import Meta, Struct

from node.fund.declarations import FiscalYear
from node.fund.expectations import DunningRule
from node.fund.payment_order import OwnAccount
from node.fund.receipts import Issuer, PostalAddress, Signatory
from node.fund.references import require_bic, require_iban

Line = Annotated[str, Meta(max_length=120)]


class FundSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The fund as receipts, banks and books name it. `database` empty: `fund.db` in the folder.

    `public_url` is what the QR of a receipt points to. `takes_from_public`: the prefect authorised an appeal to public
    generosity, so citizens' gifts are taken and flagged. `remind_days` after its due date a
    payment is asked for again, and `remind_again_days` after that once more. `call_days` after it was
    called what a pledge owes is due. `shows_account`: the territory's card tells other funds where they pay what they owe.
    `gift_day`: of the month, on which monthly gifts are collected, or soon after.
    """

    name: Line
    siren: Annotated[str, Meta(max_length=9)]
    purpose: Annotated[str, Meta(min_length=1, max_length=300)]
    category: str
    street: Line
    postcode: Line
    town: Line
    iban: str
    bic: str
    account_holder: Line
    signatory_name: Line
    signatory_quality: Line
    rna: str = ""
    category_detail: str = ""
    creditor_id: str = ""
    year_end_month: Annotated[int, Meta(ge=1, le=12)] = 12
    year_end_day: Annotated[int, Meta(ge=1, le=31)] = 31
    public_url: str = ""
    takes_from_public: bool = False
    remind_days: Annotated[int, Meta(ge=1, le=365)] = 15
    remind_again_days: Annotated[int, Meta(ge=1, le=365)] = 30
    shows_account: bool = True
    call_days: Annotated[int, Meta(ge=1, le=180)] = 30
    gift_day: Annotated[int, Meta(ge=1, le=28)] = 5
    database: str = ""
    passphrase_file: str = ""
    statement_bytes_max: Annotated[int, Meta(ge=1_000, le=256 * 1024 * 1024)] = 20 * 1024 * 1024
    iban_change_hours: Annotated[int, Meta(ge=1, le=24 * 30)] = 48

    @property
    def issuer(self) -> Issuer:
        """Return who issues receipts. Raises InvalidReceipt."""
        return Issuer(
            name=self.name,
            siren=self.siren or None,
            rna=self.rna or None,
            address=PostalAddress(street=self.street, postcode=self.postcode, town=self.town),
            purpose=self.purpose,
            category=self.category,
            category_detail=self.category_detail,
        )

    @property
    def signatory(self) -> Signatory:
        return Signatory(name=self.signatory_name, quality=self.signatory_quality)

    @property
    def dunning(self) -> DunningRule:
        return DunningRule(first_days=self.remind_days, second_days=self.remind_again_days)

    @property
    def account(self) -> OwnAccount:
        """Return the account that is paid from and to. Raises InvalidIban, InvalidBic."""
        return OwnAccount(name=self.account_holder, iban=require_iban(self.iban), bic=require_bic(self.bic))

    def year_of(self, day: datetime.date) -> FiscalYear:
        """Return the fiscal year that a day lies in."""
        last_on = self.close_of(day)
        before = _last_day(last_on.year - 1, self.year_end_month, self.year_end_day)
        return FiscalYear(first_on=before + datetime.timedelta(days=1), last_on=last_on)

    def close_of(self, day: datetime.date) -> datetime.date:
        """Return the last day of the fiscal year that a day lies in."""
        for year in (day.year, day.year + 1):
            close = _last_day(year, self.year_end_month, self.year_end_day)
            if day <= close:
                return close
        raise AssertionError("a day lies in one of two years")


def _last_day(year: int, month: int, day: int) -> datetime.date:
    """Return that day of the year, or the month's last where it has no such day."""
    while True:
        try:
            return datetime.date(year, month, day)
        except ValueError:
            day -= 1
