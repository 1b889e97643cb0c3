"""What the fund's commands of the books do in the process that holds its book."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Final

from node.desks.fund.rows import Asked
from node.fund.books_service import balance_rows, find_year_of, load_entries
from node.fund.chart import JournalRole
from node.fund.chart_store import load_chart
from node.fund.fec import write_fec
from node.fund.fec_checks import check_fec
from node.fund.fec_description import describe_fec
from node.fund.uses_and_resources import compute_origin_and_destination, compute_uses_of_public_generosity
from node.fund_app import FundApp
from protocol.book.worker import Page
from protocol.running.admin_client import Command


async def _balance(app: FundApp, asked: Asked) -> Any:
    year = find_year_of(app.settings, asked["year"])
    told = await app.book.read(lambda line: load_entries(line, year))
    return [
        {
            "account": row.account,
            "label": row.label,
            "who": row.auxiliary,
            "debit_cents": row.debit,
            "credit_cents": row.credit,
            "balance_cents": row.debit - row.credit,
        }
        for row in balance_rows(told)
    ]


async def _fec(app: FundApp, asked: Asked) -> Any:
    year = find_year_of(app.settings, asked["year"])
    chart = load_chart(year.first_on)
    told = await app.book.read(lambda line: load_entries(line, year))
    file = write_fec(told, siren=app.settings.siren, year=year, chart=chart)
    faults = check_fec(
        file.name,
        file.content,
        siren=app.settings.siren,
        year=year,
        opening_journal=chart.journals[JournalRole.OPENING].code,
    )
    return {
        "name": file.name,
        "description": describe_fec(file, siren=app.settings.siren, year=year, chart=chart),
        "entries": len(told),
        "letters_replaced": file.letters_replaced,
        "faults": [f"line {fault.line}: {fault.kind} {fault.detail}" for fault in faults],
        "content": base64.b64encode(file.content).decode(),
    }


async def _year_open(app: FundApp, asked: Asked) -> Any:
    closing = find_year_of(app.settings, asked["year"]).last_on

    def write(page: Page, items: Sequence[datetime.date]) -> list[Any]:
        return [app.fund.books.open_year(page, item) for item in items]

    return {"year": asked["year"], "entries": await app.book.write(write, closing)}


async def _year_close(app: FundApp, asked: Asked) -> Any:
    closing = find_year_of(app.settings, asked["year"]).last_on
    return {"year": asked["year"], "entries": await app.book.write(app.fund.dedications.close, closing)}


async def _uses(app: FundApp, asked: Asked) -> Any:
    year = find_year_of(app.settings, asked["year"])
    chart = load_chart(year.first_on)
    told = compute_origin_and_destination(await app.book.read(lambda line: load_entries(line, year)), year)
    uses = compute_uses_of_public_generosity(told, carried_in=asked.get("carried_in", 0))
    return {
        "origin_and_destination": [
            {"side": side, "row": chart.rows[row.row], "cents": row.cents, "public_cents": row.of_public_generosity}
            for side, rows in (("resources", told.resources), ("uses", told.uses))
            for row in rows
        ],
        "surplus_cents": told.surplus,
        "public_generosity": {
            "carried_in_cents": uses.carried_in,
            "surplus_cents": uses.surplus,
            "carried_out_cents": uses.carried_out,
        },
    }


BOOKS_COMMANDS: Final[Mapping[str, Command]] = {
    "balance": _balance,
    "fec": _fec,
    "year_open": _year_open,
    "year_close": _year_close,
    "uses": _uses,
}
