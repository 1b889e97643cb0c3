"""What each `citizen-miles node fund` command does in the process that holds the fund's book: see `node/desks/fund`."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection

from node.desks.fund.bank_admin_commands import BANK_COMMANDS
from node.desks.fund.books_admin_commands import BOOKS_COMMANDS
from node.desks.fund.cards_admin_commands import CARD_COMMANDS
from node.desks.fund.donors_admin_commands import DONORS_COMMANDS
from node.desks.fund.dues_admin_commands import DUE_COMMANDS
from node.desks.fund.gifts_admin_commands import GIFTS_COMMANDS
from node.desks.fund.netting_admin_commands import NETTING_COMMANDS
from node.desks.fund.payments_admin_commands import PAYMENTS_COMMANDS
from node.desks.fund.pledges_admin_commands import PLEDGE_COMMANDS
from node.desks.fund.receipts_admin_commands import RECEIPTS_COMMANDS
from node.desks.fund.rows import Asked
from node.doors.keys_admin_commands import KEY_COMMANDS
from node.fund import movement_store
from node.fund.checks import check_fund
from node.fund.deposit_service import load_deposits
from node.fund.payment_service import load_payments
from node.fund.recovery_service import StateNumbers
from node.fund_app import FundApp
from protocol.errors import Refusal
from protocol.exchange.client import HttpTransport
from protocol.findings import Checked
from protocol.house import BaseName
from protocol.running.admin_client import Command


async def _carry(app: FundApp, _asked: Asked) -> Any:
    """Carry slips to the bases elsewhere that can be called: for a fund that nobody serves."""
    told: dict[str, Any] = {}
    for code, one in app.house.bases.items():
        if code == BaseName.FUND or not one.url:
            continue
        transport = HttpTransport(one.url, path=f"/v1/house/{code}")
        try:
            told[code.lower()] = await app.exchange.call(code, transport)
        except Refusal as refusal:
            told[code.lower()] = str(refusal)
        finally:
            await transport.close()
    return told


async def _check(app: FundApp, _asked: Asked) -> Any:
    checked = await app.book.read(
        lambda line: check_fund(line, app.exchange.neighbours, lambda _where: None, fund=app.fund.code, home=app.home)
    )
    return [_show_checked(one) for one in checked]


def _show_checked(checked: Checked) -> dict[str, Any]:
    return {
        "invariant": checked.invariant,
        "rule": checked.rule,
        "looked_at": checked.looked_at,
        "findings": [finding.as_row() for finding in checked.findings],
        "seen": [finding.as_row() for finding in checked.seen],
    }


async def _totals(app: FundApp, _asked: Asked) -> Any:
    def find(connection: Connection) -> dict[str, Any]:
        rows = load_deposits(connection)
        paid = load_payments(connection)
        last = movement_store.find_last_statement(connection, app.settings.account.iban)
        return {
            "deposits": len(rows),
            "deposits_cents": sum(row.cents for row in rows),
            "issued_cents": sum(row.cents for row in rows if row.state == "issued"),
            "paid_cents": sum(row.cents for row in paid if row.state == "confirmed"),
            "bank_cents": 0 if last is None else last.closing.cents,
        }

    return await app.book.read(find)


async def _state_numbers(app: FundApp, asked: Asked) -> Any:
    told = StateNumbers(
        by=asked["by"],
        last_receipt=asked["receipt"],
        last_order=asked["order"],
        last_collection=asked["collection"],
        order_file=base64.b64decode(asked.get("order_file", "")),
    )
    stated = await app.book.write(app.fund.recoveries.state, told)
    return {"void_receipts": list(stated.void), "order_taken_back": stated.order}


FUND_COMMANDS: Final[Mapping[str, Command]] = {
    **DONORS_COMMANDS,
    **GIFTS_COMMANDS,
    **BANK_COMMANDS,
    **PAYMENTS_COMMANDS,
    **RECEIPTS_COMMANDS,
    **BOOKS_COMMANDS,
    **DUE_COMMANDS,
    **NETTING_COMMANDS,
    **PLEDGE_COMMANDS,
    **CARD_COMMANDS,
    **KEY_COMMANDS,
    "carry": _carry,
    "check": _check,
    "totals": _totals,
    "state_numbers": _state_numbers,
}
