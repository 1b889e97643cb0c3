"""`citizen-miles node account …`: accounts are opened, frozen and closed."""

from __future__ import annotations

from typing import Annotated

import typer

from node.desks.accounts.call_commands import Folder, call_accounts
from node.options_commands import AsJson, IdOption, id_or_new
from protocol.running.console_commands import (
    refusals_explained,
    show,
)

account = typer.Typer(no_args_is_help=True, help="Accounts.")


@account.command("open")
def open_account(
    folder: Folder,
    kind: Annotated[str, typer.Option(help="person, entity, group, project or pool")] = "person",
    name: Annotated[str, typer.Option(help="what payers may see, masked")] = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Open an account."""
    with refusals_explained():
        show(call_accounts(folder, "open", id=id_or_new(id_), kind=kind, shown_name=name or None), as_json=as_json)


@account.command("show")
def show_account(folder: Folder, account: str, as_json: AsJson = False) -> None:
    """Show an account."""
    with refusals_explained():
        show(call_accounts(folder, "account", account=account), as_json=as_json)


@account.command("freeze")
def freeze(folder: Folder, account: str, as_json: AsJson = False) -> None:
    """Freeze an account."""
    with refusals_explained():
        show(call_accounts(folder, "state", account=account, event="freeze"), as_json=as_json)


@account.command("reopen")
def reopen(folder: Folder, account: str, as_json: AsJson = False) -> None:
    """Reopen a frozen account."""
    with refusals_explained():
        show(call_accounts(folder, "state", account=account, event="reopen"), as_json=as_json)


@account.command("close")
def close(folder: Folder, account: str, as_json: AsJson = False) -> None:
    """Close an empty account, for ever."""
    with refusals_explained():
        show(call_accounts(folder, "state", account=account, event="close"), as_json=as_json)


@account.command("name")
def set_name(folder: Folder, account: str, name: str = "", as_json: AsJson = False) -> None:
    """Choose the name that payers see, masked; none if empty."""
    with refusals_explained():
        show(call_accounts(folder, "name", account=account, shown_name=name or None), as_json=as_json)
