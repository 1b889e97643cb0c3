"""`citizen-miles node api-key …`: keys for programs."""

from __future__ import annotations

from typing import Annotated

import typer

from node.desks.accounts.call_commands import Folder, call_accounts
from node.options_commands import AsJson
from protocol.running.console_commands import (
    refusals_explained,
    show,
)

api_key = typer.Typer(no_args_is_help=True, help="Keys for programs.")


@api_key.command("new")
def new_api_key(
    folder: Folder,
    name: str,
    scopes: Annotated[str, typer.Option(help="read, credit, cede, accounts, projects, admin: with commas")] = "read",
    account: Annotated[str, typer.Option(help="the one account it may move rights from")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a key for a program. It is shown this once."""
    with refusals_explained():
        show(call_accounts(folder, "new_key", name=name, scopes=scopes, account=account), as_json=as_json)


@api_key.command("list")
def list_api_keys(folder: Folder, as_json: AsJson = False) -> None:
    """List the keys, without their secrets."""
    with refusals_explained():
        show(call_accounts(folder, "keys"), as_json=as_json, title="keys")


@api_key.command("revoke")
def revoke_api_key(folder: Folder, key: str, as_json: AsJson = False) -> None:
    """End a key at once."""
    with refusals_explained():
        show(call_accounts(folder, "revoke_key", id=key), as_json=as_json)
