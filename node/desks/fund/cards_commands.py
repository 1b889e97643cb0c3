"""`citizen-miles node fund card …`: what the cards of other territories say, and what ours says of this fund."""

from __future__ import annotations

import typer

from node.desks.fund.call_commands import Folder, call_fund
from node.options_commands import AsJson
from protocol.running.console_commands import refusals_explained, show

card = typer.Typer(no_args_is_help=True, help="What territories' cards say of deciders and accounts.")


@card.command("list")
def list_cards(folder: Folder, as_json: AsJson = False) -> None:
    """List what counts now, what will count from which instant on, and where a person entered something else."""
    with refusals_explained():
        show(call_fund(folder, "cards"), as_json=as_json, title="cards")


@card.command("own")
def show_own(folder: Folder, as_json: AsJson = False) -> None:
    """Show the account that other funds are told to pay on; one that changed in fund.toml is told now."""
    with refusals_explained():
        show(call_fund(folder, "card_own"), as_json=as_json)
