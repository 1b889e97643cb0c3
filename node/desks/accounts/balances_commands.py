"""`citizen-miles node …`: what an account holds and held, what a territory holds, and whom an address would reach."""

from __future__ import annotations

from typing import Annotated

import typer

from node.desks.accounts.call_commands import Folder, call_accounts
from node.options_commands import AsJson
from protocol.running.console_commands import (
    refusals_explained,
    screen,
    show,
)

balances = typer.Typer()


@balances.command()
def balance(folder: Folder, account: str, as_json: AsJson = False) -> None:
    """Show a balance, lot by lot."""
    with refusals_explained():
        told = call_accounts(folder, "balance", account=account)
        if as_json:
            show(told, as_json=True)
        else:
            show(told.pop("lots"), as_json=False, title="lots")
            show(told, as_json=False)


@balances.command()
def history(
    folder: Folder,
    account: str,
    order: Annotated[str, typer.Option(help="newest or oldest first")] = "newest",
    cursor: Annotated[int | None, typer.Option(help="go on from here")] = None,
    limit: int = 50,
    as_json: AsJson = False,
) -> None:
    """Show an account's history, by page, in either direction."""
    with refusals_explained():
        told = call_accounts(folder, "history", account=account, order=order, cursor=cursor, limit=limit)
        if as_json:
            show(told, as_json=True)
        else:
            show(told["entries"], as_json=False, title="history")
            if told["cursor"] is not None:
                screen.print(f"--cursor {told['cursor']}")


@balances.command()
def statement(folder: Folder, account: str, start: str = "", end: str = "", as_json: AsJson = False) -> None:
    """Show a period of an account: opening, entries, closing."""
    with refusals_explained():
        told = call_accounts(folder, "statement", account=account, start=start, end=end)
        if as_json:
            show(told, as_json=True)
        else:
            show(told.pop("entries"), as_json=False, title="entries")
            show(told, as_json=False)


@balances.command()
def totals(folder: Folder, as_json: AsJson = False) -> None:
    """Show the territory's figures."""
    with refusals_explained():
        show(call_accounts(folder, "totals"), as_json=as_json)


@balances.command()
def payee(folder: Folder, address: str, as_json: AsJson = False) -> None:
    """See whom an address would reach, before anything is sent."""
    with refusals_explained():
        show(call_accounts(folder, "payee", address=address), as_json=as_json)
