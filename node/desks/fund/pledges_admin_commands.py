"""What `citizen-miles node fund pledge …` does in the process that holds the fund's book."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection

from node.desks.fund.rows import Asked, take_page
from node.desks.fund.words import read_bytes, read_pledge_words, show_pledge_words
from node.fund.days import day_at, day_of
from node.fund.pledge_service import DeclinePledge, load_called, load_calls, load_converted, load_pledges
from node.fund.pledges import compute_limit
from node.fund.signature_service import Signed
from node.fund_app import FundApp
from protocol.identifiers import Id16
from protocol.running.admin_client import Command


async def _pledges(app: FundApp, asked: Asked) -> Any:
    def find(connection: Connection) -> Any:
        converted, called = load_converted(connection), load_called(connection)

        def show(row: Any) -> dict[str, Any]:
            limit = compute_limit(row.cents, row.given)
            return {
                "id": bytes(row.id).hex(),
                "company": row.name,
                "campaign": row.campaign,
                "ceiling_cents": row.cents,
                "until": day_of(row.until).isoformat(),
                "state": row.state,
                "code": row.code,
                "converted_cents": converted.get(bytes(row.id), 0),
                "called_cents": called.get(bytes(row.id), 0),
                "released_cents": row.cents - limit,
                "unconverted_cents": limit - converted.get(bytes(row.id), 0) if row.lot_ref is not None else 0,
            }

        return take_page(load_pledges(connection), asked, lambda row: bytes(row.id).hex(), show)

    return await app.book.read(find)


async def _pledge_words(app: FundApp, asked: Asked) -> Any:
    words = await app.book.read(
        lambda line: app.fund.pledges.make_words(line, Id16(read_bytes(asked["id"])), read_bytes(asked["letter"]))
    )
    return show_pledge_words(words)


async def _pledge_sign(app: FundApp, asked: Asked) -> Any:
    words = read_pledge_words(asked["words"])
    signed = Signed(words=words, officer=read_bytes(asked["officer"]), signature=read_bytes(asked["signature"]))
    state = await app.book.write(app.fund.pledges.sign, signed)
    return {"id": words.id.hex(), "ceiling_cents": words.cents, "state": str(state)}


async def _pledge_decline(app: FundApp, asked: Asked) -> Any:
    declined = DeclinePledge(id=Id16(read_bytes(asked["id"])), by=asked["by"], reason=asked["reason"])
    state = await app.book.write(app.fund.pledges.decline, declined)
    return {"id": asked["id"], "state": str(state)}


async def _call(app: FundApp, _asked: Asked) -> Any:
    run = await app.book.write(app.fund.pledges.catch_up, day_at(app.book.clock()))
    return {"calls": run.calls, "cents": run.cents}


async def _calls(app: FundApp, asked: Asked) -> Any:
    return take_page(await app.book.read(load_calls), asked, lambda row: bytes(row.id).hex(), _show_call)


def _show_call(row: Any) -> dict[str, Any]:
    return {
        "id": bytes(row.id).hex(),
        "month": row.month,
        "company": row.name,
        "siren": row.siren,
        "reference": row.reference,
        "cents": row.cents,
        "received_cents": row.received,
        "due": day_of(row.due).isoformat(),
        "state": row.state,
    }


PLEDGE_COMMANDS: Final[Mapping[str, Command]] = {
    "pledges": _pledges,
    "pledge_words": _pledge_words,
    "pledge_sign": _pledge_sign,
    "pledge_decline": _pledge_decline,
    "call": _call,
    "calls": _calls,
}
