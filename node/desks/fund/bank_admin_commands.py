"""What the fund's commands of the files of the bank, and of what waits for a person do in the process that holds its book."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from node.desks.fund.rows import ROWS_MAX, Asked, read_decision, show_day, take_page, write_page
from node.desks.fund.words import read_bytes
from node.fund import movement_store
from node.fund.days import parse_day
from node.fund.deposit_service import load_deposits
from node.fund.payment_status import read_status
from node.fund.statement_csv import CsvMapping, read_csv
from node.fund.statement_service import BankFile, Decide, Taken, digest_of, read_bank_file
from node.fund.statements import Balance
from node.fund_app import FundApp
from protocol.amounts import Cents
from protocol.errors import Malformed
from protocol.identifiers import Id16
from protocol.running.admin_client import Command


def _show_taken(taken: Taken) -> dict[str, Any]:
    return {
        "statements": taken.statements,
        "repeated": taken.repeated,
        "new": taken.new,
        "known": taken.known,
        "deposited_cents": taken.deposited,
        "waiting": list(taken.waiting),
        **{f"as_{meaning}": count for meaning, count in sorted(taken.meanings.items())},
    }


def _read_mapping(told: Asked) -> CsvMapping:
    """Raises Malformed."""
    try:
        return CsvMapping(**told)
    except (TypeError, ValueError) as error:
        raise Malformed(field="mapping", reason=str(error)) from None


async def _import(app: FundApp, asked: Asked) -> Any:
    data = base64.b64decode(asked["data"])
    account = app.settings.account.iban
    bytes_max = app.settings.statement_bytes_max
    if "mapping" in asked:
        told = read_csv(
            data,
            mapping=_read_mapping(asked["mapping"]),
            iban=account,
            id=asked["statement_id"],
            sequence=asked.get("sequence"),
            opening=Balance(cents=asked["opening"], day=parse_day(asked["opening_on"])),
            closing=Balance(cents=asked["closing"], day=parse_day(asked["closing_on"])),
            bytes_max=bytes_max,
        )
        file = BankFile((told,), digest_of(data))
    else:
        file = read_bank_file(data, account=account, bytes_max=bytes_max)
    return _show_taken(await app.book.write(app.fund.statements.take, file))


async def _movements(app: FundApp, asked: Asked) -> Any:
    limit = asked.get("limit", ROWS_MAX)

    def find(connection: Connection) -> Any:
        cursor = asked.get("cursor") or ""
        before = movement_store.find_no(connection, cursor)
        if cursor and before is None:
            raise Malformed(field="cursor", reason="what `next` said of the page before")
        waiting_only = bool(asked.get("waiting_only", False))
        rows = movement_store.load_rows(connection, waiting_only=waiting_only, limit=limit + 1, before=before)
        page = rows[-limit:]

        def count_left() -> int:
            return movement_store.count_rows(connection, waiting_only=waiting_only, before=before) - len(page)

        last = page[0].id if len(rows) > limit else ""
        return write_page([_show_movement(row) for row in page], last, asked, count_left)

    return await app.book.read(find)


def _show_movement(row: Any) -> dict[str, Any]:
    return {
        "movement": row.id,
        "booked_on": show_day(row.booked_on),
        "cents": row.cents,
        "waiting_cents": row.waiting,
        "meaning": row.meaning,
        "why": row.why,
        "counterpart": row.counterpart_name,
        "iban": row.counterpart_iban,
        "words": row.words,
        "candidates": msgspec.json.decode(row.candidates),
        "decided_by": row.decided_by,
    }


async def _decide(app: FundApp, asked: Asked) -> Any:
    expectation = asked.get("expectation")
    cents = asked.get("cents")
    taken = await app.book.write(
        app.fund.statements.decide,
        Decide(
            movement=asked["movement"],
            by=asked["by"],
            expectation=Id16(read_bytes(expectation)) if expectation else None,
            cents=None if cents is None else Cents(cents),
            reason=asked.get("reason", ""),
            is_fee=bool(asked.get("is_fee", False)),
            debit=asked.get("debit", ""),
            net=asked.get("net", ""),
            id=read_decision(asked),
        ),
    )
    return {"movement": asked["movement"], "deposited_cents": taken.deposited}


async def _deposits(app: FundApp, asked: Asked) -> Any:
    return take_page(await app.book.read(load_deposits), asked, lambda row: bytes(row.id).hex(), _show_deposit)


def _show_deposit(row: Any) -> dict[str, Any]:
    return {
        "id": bytes(row.id).hex(),
        "received_on": show_day(row.received_on),
        "cents": row.cents,
        "state": row.state,
        "lot": "" if row.lot_ref is None else bytes(row.lot_ref).hex(),
        "code": row.code,
        "receipt": row.receipt or "",
    }


async def _report(app: FundApp, asked: Asked) -> Any:
    report = read_status(base64.b64decode(asked["data"]), bytes_max=app.settings.statement_bytes_max)
    changed = await app.book.write(app.fund.payments.take_report, report)
    changed += await app.book.write(app.fund.debits.take_report, report)
    return {"order": report.message_id, "rejected": changed}


BANK_COMMANDS: Final[Mapping[str, Command]] = {
    "import": _import,
    "movements": _movements,
    "decide": _decide,
    "deposits": _deposits,
    "report": _report,
}
