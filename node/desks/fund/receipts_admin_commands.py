"""What the fund's commands of receipts and declarations do in the process that holds its book."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from node.desks.fund.rows import Asked, read_decision, take_page
from node.fund.bank_parameters_store import load_bank_parameters
from node.fund.books_service import find_year_of
from node.fund.days import parse_day
from node.fund.declaration_csv import (
    write_company_sheet,
    write_foreign_resources,
    write_liberalities,
    write_receipts_register,
    write_redistributions,
)
from node.fund.declaration_service import load_company_sheet, load_prefect_list
from node.fund.declarations import FiscalYear, compute_due_date, declare_receipts
from node.fund.donor_service import find_donor, load_sheet
from node.fund.issued_receipts import IssuedReceipt
from node.fund.receipt_pages import draw_pdf
from node.fund.receipt_parameters_store import load_company_threshold, load_due_rule, load_form
from node.fund.receipt_service import CancelReceipt, CopyReceipt, IssueReceipt, load_all_issued, load_issued
from node.fund.receipts import Individual
from node.fund_app import FundApp
from protocol.running.admin_client import Command


def _show_receipt(issued: IssuedReceipt) -> dict[str, Any]:
    receipt = issued.receipt
    donor = receipt.donor
    return {
        "number": str(receipt.number),
        "donor": f"{donor.first_name} {donor.name}" if isinstance(donor, Individual) else donor.name,
        "cents": receipt.cents,
        "from": receipt.first_on.isoformat(),
        "to": receipt.last_on.isoformat(),
        "issued_on": receipt.issued_on.isoformat(),
        "form": receipt.form_version,
        "state": str(issued.state),
        "duplicates": len(issued.duplicates),
    }


def _draw(app: FundApp, issued: IssuedReceipt) -> str:
    form = load_form(issued.receipt.kind, issued.receipt.form_version)
    return base64.b64encode(draw_pdf(issued, form=form, node=app.settings.public_url)).decode()


async def _receipt_issue(app: FundApp, asked: Asked) -> Any:
    donor = await app.book.read(lambda connection: find_donor(connection, asked["donor"]))
    issued = await app.book.write(
        app.fund.receipts.issue,
        IssueReceipt(
            donor=donor,
            first_on=parse_day(asked["from"]),
            last_on=parse_day(asked["to"]),
            replaces=asked.get("replaces", ""),
            id=read_decision(asked),
        ),
    )
    return _show_receipt(issued) | {"pdf": _draw(app, issued)}


async def _receipt_copy(app: FundApp, asked: Asked) -> Any:
    issued = await app.book.write(app.fund.receipts.copy, CopyReceipt(number=asked["number"], id=read_decision(asked)))
    return _show_receipt(issued) | {"pdf": _draw(app, issued)}


async def _receipt_cancel(app: FundApp, asked: Asked) -> Any:
    issued = await app.book.write(
        app.fund.receipts.cancel, CancelReceipt(number=asked["number"], reason=asked["reason"], id=read_decision(asked))
    )
    return _show_receipt(issued)


async def _receipt_show(app: FundApp, asked: Asked) -> Any:
    issued = await app.book.read(lambda connection: load_issued(connection, asked["number"]))
    return _show_receipt(issued)


async def _receipts(app: FundApp, asked: Asked) -> Any:
    return take_page(await app.book.read(load_all_issued), asked, lambda one: str(one.receipt.number), _show_receipt)


async def _declare(app: FundApp, asked: Asked) -> Any:
    closing = app.settings.close_of(datetime.date(asked["year"], 1, 1))
    year = FiscalYear(first_on=closing.replace(year=closing.year - 1) + datetime.timedelta(days=1), last_on=closing)
    calendar = load_bank_parameters(closing).calendar
    holidays = [
        day
        for number in range(366)
        if not calendar.is_open(day := datetime.date(closing.year + 1, 1, 1) + datetime.timedelta(days=number))
    ]
    due = compute_due_date(closing, load_due_rule(closing), holidays)
    told = declare_receipts(await app.book.read(load_all_issued), year, due)
    return {
        "from": year.first_on.isoformat(),
        "to": year.last_on.isoformat(),
        "receipts": told.count,
        "cents": told.cents,
        "cents_issued_otherwise": told.cents_issued_otherwise,
        "due_on": told.due_on.isoformat(),
    }


async def _declare_prefect(app: FundApp, asked: Asked) -> Any:
    year = find_year_of(app.settings, asked["year"])
    told = await app.book.read(lambda line: load_prefect_list(line, year))
    return {
        "from": year.first_on.isoformat(),
        "to": year.last_on.isoformat(),
        "redistributions": [_show_row(row) for row in told.redistributions],
        "liberalities": [_show_row(row) for row in told.liberalities],
        "foreign": [_show_row(row) for row in told.foreign],
        "files": {
            "redistributions.csv": write_redistributions(told),
            "liberalites.csv": write_liberalities(told),
            "ressources-etrangeres.csv": write_foreign_resources(told),
        },
    }


async def _declare_company(app: FundApp, asked: Asked) -> Any:
    donor = await app.book.read(lambda connection: find_donor(connection, asked["donor"]))
    year_end = (await app.book.read(lambda connection: load_sheet(connection, donor)))[1]
    year = find_year_of(
        msgspec.structs.replace(app.settings, year_end_month=year_end // 100, year_end_day=year_end % 100),
        asked["year"],
    )
    sheet = await app.book.read(
        lambda line: load_company_sheet(
            line,
            donor,
            year,
            counterpart=asked.get("counterpart", 0),
            beneficiary=app.settings.name,
            beneficiary_code=app.fund.code,
            threshold_cents=load_company_threshold(year.last_on),
        )
    )
    return {
        "company": sheet.company,
        "siren": sheet.siren,
        "from": year.first_on.isoformat(),
        "to": year.last_on.isoformat(),
        "cents": sheet.cents,
        "counterpart_cents": sheet.counterpart_cents,
        "must_detail": sheet.must_detail,
        "gifts": [_show_row(gift) for gift in sheet.gifts],
        "csv": write_company_sheet(sheet),
    }


def _show_row(row: Any) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(row)
    return told


async def _receipts_register(app: FundApp, _asked: Asked) -> Any:
    told = await app.book.read(load_all_issued)
    return {"receipts": len(told), "csv": write_receipts_register(told)}


RECEIPTS_COMMANDS: Final[Mapping[str, Command]] = {
    "receipt_issue": _receipt_issue,
    "receipt_copy": _receipt_copy,
    "receipt_cancel": _receipt_cancel,
    "receipt_show": _receipt_show,
    "receipts": _receipts,
    "declare": _declare,
    "declare_prefect": _declare_prefect,
    "declare_company": _declare_company,
    "receipts_register": _receipts_register,
}
