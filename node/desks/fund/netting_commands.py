"""`citizen-miles node fund netting …`: agreements with other funds, windows, what is paid and received at their end."""

from __future__ import annotations

import uuid
from typing import Annotated

import typer

from node.desks.fund.call_commands import (
    After,
    Folder,
    Limit,
    Yes,
    call_fund,
    show_page,
    sign_bytes,
    sign_payment_words,
)
from node.desks.fund.rows import ROWS_MAX
from node.desks.fund.words import read_netting_words
from node.fund.outgoing_payments import write_words
from node.options_commands import AsJson, IdOption, Keys, id_or_new
from protocol.running.console_commands import refusals_explained, show

netting = typer.Typer(no_args_is_help=True, help="Netting with other funds: agreements, windows, payments.")


@netting.command("agreements")
def list_agreements(folder: Folder, as_json: AsJson = False) -> None:
    """List with which funds what we owe each other is netted: it holds where both say so."""
    with refusals_explained():
        show(call_fund(folder, "netting_agreements"), as_json=as_json, title="agreements")


@netting.command("agree")
def agree(
    folder: Folder,
    territory: Annotated[str, typer.Argument(help="of the other fund")],
    keys: Keys,
    id_: IdOption = "",
    end: Annotated[bool, typer.Option("--end", help="from now on everything is paid directly again")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Sign that what we and another fund owe each other is netted. Two people sign the same --id; then the other is told."""
    with refusals_explained():
        told = call_fund(
            folder, "netting_words", id=uuid.UUID(id_or_new(id_)).hex, territory=territory, is_netted=not end
        )
        if not yes:
            show({name: told[name] for name in ("territory", "is_netted", "since")}, as_json=False)
            typer.confirm("sign this?", abort=True)
        signed = sign_bytes(keys, write_words(read_netting_words(told)))
        show(call_fund(folder, "netting_sign", words=told, **signed), as_json=as_json)


@netting.command("run")
def net_dues(folder: Folder, as_json: AsJson = False) -> None:
    """Net what may be netted now. A served fund does it by itself each hour; twice is once."""
    with refusals_explained():
        show(call_fund(folder, "net_dues"), as_json=as_json)


@netting.command("windows")
def list_windows(folder: Folder, after: After = "", limit: Limit = ROWS_MAX, as_json: AsJson = False) -> None:
    """List the closed windows in which our fund stood: what we owed, were owed, pay and receive."""
    with refusals_explained():
        show_page(folder, "fund_windows", after, limit, as_json=as_json, title="windows")


@netting.command("retake")
def retake_window(
    folder: Folder,
    window: Annotated[int, typer.Argument(help="the window's number, of `check`", min=1)],
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Take a window again that did not fit, once the book is mended. What does not fit still is said, and nothing is paid."""
    with refusals_explained():
        show(call_fund(folder, "retake_window", id=uuid.UUID(id_or_new(id_)).hex, window=window), as_json=as_json)


@netting.command("payments")
def list_payments(folder: Folder, after: After = "", limit: Limit = ROWS_MAX, as_json: AsJson = False) -> None:
    """List what is paid between our fund and others at the end of windows, and how far it is."""
    with refusals_explained():
        show_page(folder, "net_payments", after, limit, as_json=as_json, title="payments")


@netting.command("sign")
def sign_payment(
    folder: Folder,
    payment: Annotated[str, typer.Argument(help="the payment's id, of `netting payments`; both people sign the same")],
    keys: Keys,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Sign a payment to another fund at the end of a window. With two people's signatures it goes out with the day's order."""
    with refusals_explained():
        sign_payment_words(folder, call_fund(folder, "net_words", id=payment), keys, yes=yes, as_json=as_json)
