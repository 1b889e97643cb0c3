"""What `citizen-miles node fund netting …` does in the process that holds the fund's book."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, func, select

from node.desks.fund.rows import Asked, take_page
from node.desks.fund.words import read_bytes, read_netting_words, show_netting_words, show_words
from node.fund.days import day_at, day_of
from node.fund.net_payment_service import NetLine, load_lines
from node.fund.netting import decode_window, read_window
from node.fund.netting_service import load_agreements
from node.fund.netting_store import load_unpaid_windows
from node.fund.signature_service import Signed
from node.fund.tables import dues, windows
from node.fund.window_service import RetakeWindow
from node.fund_app import FundApp
from protocol.identifiers import Id16
from protocol.messages import SettledState
from protocol.running.admin_client import Command


async def _agreements(app: FundApp, _asked: Asked) -> Any:
    words = {None: "", True: "netted", False: "direct"}
    return [
        {
            "territory": one.territory,
            "we_say": words[one.ours],
            "they_say": words[one.theirs],
            "holds": one.holds,
            "since": None if one.since is None else day_of(one.since).isoformat(),
        }
        for one in await app.book.read(load_agreements)
    ]


async def _netting_words(app: FundApp, asked: Asked) -> Any:
    words = app.fund.netting.make_words(
        Id16(read_bytes(asked["id"])),
        asked["territory"],
        is_netted=bool(asked["is_netted"]),
        today=day_at(app.book.clock()),
    )
    return show_netting_words(words)


async def _netting_sign(app: FundApp, asked: Asked) -> Any:
    words = read_netting_words(asked["words"])
    signed = Signed(words=words, officer=read_bytes(asked["officer"]), signature=read_bytes(asked["signature"]))
    waits_for = await app.book.write(app.fund.netting.sign, signed)
    return {"id": words.id.hex(), "territory": words.territory, "is_netted": words.is_netted, "state": waits_for}


async def _net_dues(app: FundApp, _asked: Asked) -> Any:
    return {"netted": await app.book.write(app.fund.netting.net_dues, day_at(app.book.clock()))}


async def _retake_window(app: FundApp, asked: Asked) -> Any:
    again = RetakeWindow(window=int(asked["window"]), id=Id16(read_bytes(asked["id"])))
    return {"window": await app.book.write(app.fund.windows.retake, again), "state": "taken"}


async def _fund_windows(app: FundApp, asked: Asked) -> Any:
    return await app.book.read(lambda line: _tell_windows(line, app.home, asked))


def _tell_windows(connection: Connection, home: str, asked: Asked) -> Any:
    unpaid = load_unpaid_windows(connection)
    counts = {
        row[0]: int(row[1])
        for row in connection.execute(
            select(dues.c.window_no, func.count()).where(dues.c.window_no.is_not(None)).group_by(dues.c.window_no)
        )
    }

    def show(number: int) -> dict[str, Any]:
        row = connection.execute(select(windows).where(windows.c.window_no == number)).one()
        told = decode_window(bytes(row.told))
        outcome = read_window(told, home)
        if isinstance(outcome, str):
            return {"window": number, "trouble": outcome}
        return {
            "window": number,
            "closed_on": day_of(told.on).isoformat(),
            "dues": counts.get(number, 0),
            "we_owe_cents": sum(outcome.owed_to.values()),
            "we_are_owed_cents": sum(outcome.owed_by.values()),
            "we_pay_cents": sum(outcome.pays.values()),
            "we_receive_cents": sum(outcome.receives.values()),
            "bearers_may_be_paid": number not in unpaid,
        }

    numbers = connection.execute(select(windows.c.window_no).order_by(windows.c.window_no.desc())).scalars().all()
    return take_page(numbers, asked, str, show, is_newest_last=False)


async def _net_payments(app: FundApp, asked: Asked) -> Any:
    lines = await app.book.read(lambda line: load_lines(line, app.home, app.book.clock()))
    return take_page(lines, asked, lambda line: f"{line.window}:{line.other}", _show_line)


def _show_line(line: NetLine) -> dict[str, Any]:
    return {
        "window": line.window,
        "fund_of": line.other,
        "direction": "we pay" if line.is_ours else "we receive",
        "cents": line.cents,
        "received_cents": line.received,
        "state": line.state,
        "they_say": "" if not line.said else SettledState(line.said).name.lower(),
        "they_said_on": "" if not line.said_on else day_of(line.said_on).isoformat(),
        "payment": line.payment.hex(),
    }


async def _net_words(app: FundApp, asked: Asked) -> Any:
    id_ = Id16(read_bytes(asked["id"]))
    return show_words(await app.book.read(lambda line: app.fund.payments.make_net_words(line, id_, app.book.clock())))


NETTING_COMMANDS: Final[Mapping[str, Command]] = {
    "netting_agreements": _agreements,
    "netting_words": _netting_words,
    "netting_sign": _netting_sign,
    "net_dues": _net_dues,
    "fund_windows": _fund_windows,
    "retake_window": _retake_window,
    "net_payments": _net_payments,
    "net_words": _net_words,
}
