"""`citizen-miles node …`: what was ceded, what arrived, and what became of an id."""

from __future__ import annotations

from typing import Annotated

import typer

from node.desks.accounts.call_commands import Folder, call_accounts
from node.options_commands import AsJson
from protocol.running.console_commands import (
    refusals_explained,
    show,
)

cession = typer.Typer()


@cession.command()
def recall(folder: Folder, cession: str, as_json: AsJson = False) -> None:
    """Ask that a cession be stopped before it is handed over."""
    with refusals_explained():
        show(call_accounts(folder, "recall", id=cession), as_json=as_json)


@cession.command()
def status(folder: Folder, cession: str, as_json: AsJson = False) -> None:
    """Show where a cession stands, each step with its time."""
    with refusals_explained():
        show(call_accounts(folder, "cession", id=cession), as_json=as_json)


@cession.command()
def cessions(folder: Folder, account: str = "", limit: int = 50, as_json: AsJson = False) -> None:
    """List cessions sent, the newest first."""
    with refusals_explained():
        told = call_accounts(folder, "cessions", account=account, limit=limit)
        if not as_json:
            kept = ("id", "state", "cents", "to", "code", "queued_at", "ended_at")
            told = [{name: row[name] for name in kept} for row in told]
        show(told, as_json=as_json, title="cessions")


@cession.command("give-back")
def give_back(folder: Folder, arrival: str, as_json: AsJson = False) -> None:
    """Give what arrived back to its giver, the very same lots (the id that `arrivals` shows)."""
    with refusals_explained():
        show(call_accounts(folder, "give_back", id=arrival), as_json=as_json)


@cession.command()
def arrivals(folder: Folder, account: str = "", as_json: AsJson = False) -> None:
    """List cessions received, the newest first."""
    with refusals_explained():
        show(call_accounts(folder, "arrivals", account=account), as_json=as_json, title="arrivals")


@cession.command()
def operation(
    folder: Folder, operation: Annotated[str, typer.Argument(help="an id (UUID)")], as_json: AsJson = False
) -> None:
    """Show what became of an id: posted, refused and why, or unknown."""
    with refusals_explained():
        show(call_accounts(folder, "operation", id=operation), as_json=as_json)
