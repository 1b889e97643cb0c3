"""`citizen-miles hub window …`: windows of netting, opened, closed and reported by the operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from protocol.running.admin_client import Command
from protocol.running.console_commands import refusals_explained, say, show
from protocol.times import format_instant

if TYPE_CHECKING:  # what a base needs is loaded where it is open
    from sqlalchemy import Connection

    from hub.app import HubApp

Folder = Annotated[Path, typer.Argument(help="the hub's folder", file_okay=False)]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table")]
Call = Callable[..., Any]


async def _open(hub: HubApp, asked: Mapping[str, Any]) -> Any:
    opened = await hub.book.write(hub.exchange.windows.open, asked.get("window"))
    return {"window": opened.window, "opened_at": format_instant(opened.opened_at)}


async def _close(hub: HubApp, asked: Mapping[str, Any]) -> Any:
    window = await hub.book.write(hub.exchange.windows.close, asked.get("window"))
    hub.exchange.wake_all()
    return await hub.book.read(lambda connection: _report(connection, window.window))


async def _list(hub: HubApp, _asked: Mapping[str, Any]) -> Any:
    return await hub.book.read(_tell_windows)


async def _show(hub: HubApp, asked: Mapping[str, Any]) -> Any:
    return await hub.book.read(lambda connection: _report(connection, asked["window"]))


async def _agreements(hub: HubApp, _asked: Mapping[str, Any]) -> Any:
    return await hub.book.read(_tell_agreements)


def _tell_windows(connection: Connection) -> list[dict[str, Any]]:
    from hub.settlement import store

    payments = store.load_payments(connection)
    rows = []
    for number, opened_at, closed_on in store.load_windows(connection):
        netted = store.load_in_window(connection, number) if closed_on else store.load_netted(connection)
        own = [one for (window, _, _), one in payments.items() if window == number]
        rows.append(
            {
                "window": number,
                "opened_at": format_instant(opened_at),
                "closed_on": closed_on,
                "obligations": len(netted),
                "gross_cents": sum(one.cents for one in netted),
                "net_cents": sum(one.cents for one in own),
                "payments": len(own),
                "received": sum(1 for one in own if one.confirmed_on),
            }
        )
    return rows


def _report(connection: Connection, number: int) -> dict[str, Any]:
    """Return a closed window whole, or what an open one would be if it were closed now. Raises NoWindow."""
    from hub.clearing.windows_service import NoWindow
    from hub.settlement import store
    from protocol.windows import make_window, payments_of, positions_of

    known = {window: closed_on for window, _, closed_on in store.load_windows(connection)}
    if number not in known:
        raise NoWindow()
    netted = store.load_in_window(connection, number) if known[number] else store.load_netted(connection)
    if not netted:
        return {"window": number, "closed_on": known[number], "obligations": 0, "positions": [], "payments": []}
    window = make_window(number, known[number], netted)
    said = store.load_payments(connection)
    gross_out: dict[str, int] = {}
    gross_in: dict[str, int] = {}
    for one in netted:
        gross_out[one.debtor] = gross_out.get(one.debtor, 0) + one.cents
        gross_in[one.creditor] = gross_in.get(one.creditor, 0) + one.cents
    payments = []
    for payment in payments_of(window):
        known_payment = said.get((number, payment.payer, payment.payee))
        payments.append(
            {
                "payer": payment.payer,
                "payee": payment.payee,
                "cents": payment.cents,
                "state": "" if known_payment is None else str(known_payment.state),
                "said_on": 0 if known_payment is None else known_payment.said_on,
                "received_on": 0 if known_payment is None else known_payment.confirmed_on,
            }
        )
    return {
        "window": number,
        "closed_on": known[number],
        "obligations": len(netted),
        "positions": [
            {
                "member": member,
                "owes_cents": gross_out.get(member, 0),
                "is_owed_cents": gross_in.get(member, 0),
                "net_cents": cents,
            }
            for member, cents in sorted(positions_of(window).items())
        ],
        "payments": payments,
    }


def _tell_agreements(connection: Connection) -> list[dict[str, Any]]:
    from hub.settlement import store

    words = store.load_nettings(connection)
    return [
        {
            "member": member,
            "other": other,
            "says": "netted" if is_netted else "direct",
            "since": since,
            "holds": is_netted and words.get((other, member), (False, 0))[0],
        }
        for (member, other), (is_netted, since) in sorted(words.items())
    ]


WINDOW_COMMANDS: Final[Mapping[str, Command]] = {
    "open_window": _open,
    "close_window": _close,
    "windows": _list,
    "window": _show,
    "agreements": _agreements,
}


def make_windows(call: Call) -> typer.Typer:
    """Return the commands; `call` reaches the running hub, or opens its book."""
    app = typer.Typer(no_args_is_help=True, help="Windows in which funds net what they owe each other.")

    @app.command("open")
    def open_window(folder: Folder, as_json: AsJson = False) -> None:
        """Open the next window: what funds call netted waits for its end."""
        with refusals_explained():
            show(call(folder, "open_window"), as_json=as_json)

    @app.command("close")
    def close_window(folder: Folder, as_json: AsJson = False) -> None:
        """Close the open window: everybody in it is told what he pays, or gets."""
        with refusals_explained():
            _show_report(call(folder, "close_window"), as_json)

    @app.command("list")
    def list_windows(folder: Folder, as_json: AsJson = False) -> None:
        """List windows, the newest first: what stood in them, what was paid for it."""
        with refusals_explained():
            show(call(folder, "windows"), as_json=as_json, title="windows")

    @app.command("show")
    def show_window(
        folder: Folder, window: Annotated[int, typer.Argument(help="its number")], as_json: AsJson = False
    ) -> None:
        """Report one window: positions of its funds, payments and how far they are. An open one: as if closed now."""
        with refusals_explained():
            _show_report(call(folder, "window", window=window), as_json)

    @app.command("agreements")
    def list_agreements(folder: Folder, as_json: AsJson = False) -> None:
        """List which funds net what they owe each other: it holds where both say so."""
        with refusals_explained():
            show(call(folder, "agreements"), as_json=as_json, title="agreements")

    return app


def _show_report(told: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        show(told, as_json=True)
        return
    say(f"window {told['window']}: {told['obligations']} obligations, closed on {told['closed_on'] or '(open)'}")
    show(told["positions"], as_json=False, title="positions")
    show(told["payments"], as_json=False, title="payments")
