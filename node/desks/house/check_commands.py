"""`citizen-miles node check`: every invariant of every base that lives in a folder."""

from __future__ import annotations

import typer

from node.desks.accounts.call_commands import Folder
from node.options_commands import AsJson
from protocol.running.console_commands import progress, refusals_explained, show_checked

checks = typer.Typer()


@checks.command()
def check(folder: Folder, as_json: AsJson = False) -> None:
    """Check every invariant of every base that lives here, beside the running node. Exit 0 only if all hold."""
    from node.house_checks import check_house

    with refusals_explained(), progress("check") as say:
        checked = check_house(folder, say)
    if not show_checked(checked, as_json=as_json):
        raise typer.Exit(1)
