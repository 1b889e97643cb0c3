"""What the fund's commands of monthly gifts do in the process that holds its book."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from node.desks.fund.rows import Asked, show_day, show_expectation, take_page
from node.fund.days import day_at, day_of, number_of, parse_day
from node.fund.debit_service import (
    ChangeMandate,
    NewMandate,
    find_mandate,
    load_collections,
    load_debits,
    load_mandates,
)
from node.fund.donor_service import find_donor
from node.fund.expectation_service import Announce
from node.fund.expectations import Purpose
from node.fund.fund_errors import CollectionLeft, NothingToCollect
from node.fund.letters import write_notice
from node.fund.monthly_gifts import MandateState, read_shares
from node.fund.recovery_service import find_left
from node.fund.references import require_iban
from node.fund_app import FundApp
from protocol.amounts import Cents, require_amount
from protocol.identifiers import parse_id
from protocol.running.admin_client import Command


async def _expect_gift(app: FundApp, asked: Asked) -> Any:
    donor = await app.book.read(lambda connection: find_donor(connection, asked["donor"]))
    found = await app.book.write(
        app.fund.announce,
        Announce(
            id=parse_id(asked["id"]),
            purpose=Purpose.GIFT,
            donor=donor,
            cents=Cents(require_amount(asked["cents"])),
            due=number_of(parse_day(asked["due"])),
        ),
    )
    return show_expectation(found)


async def _mandate_add(app: FundApp, asked: Asked) -> Any:
    donor = await app.book.read(lambda connection: find_donor(connection, asked["donor"]))
    row = await app.book.write(
        app.fund.debits.keep_mandates,
        NewMandate(
            id=parse_id(asked["id"]),
            donor=donor,
            holder_name=asked["holder"],
            iban=require_iban(asked["iban"]),
            signed_on=parse_day(asked["signed_on"]),
            shares=tuple((str(label), Cents(cents)) for label, cents in asked["shares"]),
            umr=asked.get("umr", ""),
        ),
    )
    return _show_mandate(row)


def _show_mandate(row: Any) -> dict[str, Any]:
    return {
        "id": bytes(row.id).hex(),
        "umr": row.umr,
        "donor": bytes(row.donor).hex(),
        "holder": row.holder_name,
        "iban": row.iban,
        "signed_on": show_day(row.signed_on),
        "cents": row.cents,
        "shares": read_shares(row.shares),
        "state": row.state,
    }


async def _mandates(app: FundApp, asked: Asked) -> Any:
    return take_page(await app.book.read(load_mandates), asked, lambda row: bytes(row.id).hex(), _show_mandate)


async def _mandate_change(app: FundApp, asked: Asked) -> Any:
    id_ = await app.book.read(lambda line: find_mandate(line, asked["mandate"]))
    change = ChangeMandate(id=id_, state=MandateState(asked["state"]))
    return _show_mandate(await app.book.write(app.fund.debits.change_mandates, change))


async def _collect(app: FundApp, asked: Asked) -> Any:
    today = day_at(app.book.clock())
    run = await app.book.write(app.fund.debits.catch_up, today)
    wanted = asked.get("month")
    rows = await app.book.read(load_collections)
    found = [row for row in rows if row.body is not None and (not wanted or row.month == wanted)]
    if not found:
        raise NothingToCollect(day=today.isoformat())
    last = found[-1]
    if await app.book.read(lambda line: find_left(line, last.month)):
        raise CollectionLeft(month=last.month)
    return {
        "collection": last.id,
        "month": last.month,
        "collected_on": show_day(last.collected_on),
        "debits": last.debits,
        "cents": last.cents,
        "announced": run.announced,
        "lapsed": run.lapsed,
        "xml": bytes(last.body).decode(),
    }


async def _collections(app: FundApp, _asked: Asked) -> Any:
    return [
        {
            "collection": row.id,
            "month": row.month,
            "announced_on": show_day(row.announced_on),
            "collected_on": show_day(row.collected_on),
            "state": row.state,
            "debits": row.debits,
            "cents": row.cents,
        }
        for row in await app.book.read(load_collections)
    ]


async def _gift_debits(app: FundApp, asked: Asked) -> Any:
    """The debits of a month, with what each donor is told beforehand."""
    rows = await app.book.read(load_collections)
    months = {row.month: row for row in rows}
    collection = months.get(asked.get("month") or max(months, default=0))
    if collection is None:
        raise NothingToCollect(day=day_at(app.book.clock()).isoformat())
    told = await app.book.read(lambda line: load_debits(line, collection.month))
    return [
        {
            "umr": row.umr,
            "holder": row.holder_name,
            "cents": row.cents,
            "shares": read_shares(row.shares),
            "state": row.state,
            "code": row.code,
            "end_to_end_id": row.end_to_end_id,
            "notice": write_notice(
                asked.get("language", "fr"),
                fund=app.settings.name,
                creditor_id=app.settings.creditor_id,
                umr=row.umr,
                iban=row.iban,
                cents=row.cents,
                on=day_of(collection.collected_on),
            ),
        }
        for row in told
    ]


GIFTS_COMMANDS: Final[Mapping[str, Command]] = {
    "expect_gift": _expect_gift,
    "mandate_add": _mandate_add,
    "mandates": _mandates,
    "mandate_change": _mandate_change,
    "collect": _collect,
    "collections": _collections,
    "gift_debits": _gift_debits,
}
