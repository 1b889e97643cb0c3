"""`citizen-miles node …`: the accounts base is copied, put back, and brought to the present."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from node.desks.accounts.call_commands import Folder, call_accounts
from node.options_commands import AsJson
from protocol.running.admin_client import is_served
from protocol.running.console_commands import (
    bar,
    progress,
    refusals_explained,
    say_way_back,
    show,
    word_way_back,
)

copies = typer.Typer()
unplaced = typer.Typer(no_args_is_help=True, help="Rights that an old copy of the base could not place.")


def _database_of(folder: Path) -> str:
    from node.app import load_config

    return load_config(folder).database or f"sqlite:///{folder / 'accounts.db'}"


@copies.command()
def backup(folder: Folder, file: Path) -> None:
    """Copy the accounts base to FILE, beside the running node; the copy is whole, or it is not there."""
    from protocol.book.backup_service import back_up

    with refusals_explained(), progress("backup") as say_done:
        size = back_up(_database_of(folder), file, lambda done, pages: say_done(f"{done} of {pages} pages"))
    say_way_back("copied", file=file, size=size, beside="keys/, node.toml")


@copies.command()
def restore(folder: Folder, file: Annotated[Path | None, typer.Argument(exists=True, dir_okay=False)] = None) -> None:
    """Put the copy FILE in the place of the accounts base that was lost. The node must not run. Then: serve, and recover.

    Without FILE: the base was put back by other means (PostgreSQL's own), and is only marked as an old copy.
    """
    from node.federation.errors import BookIsBehind
    from node.federation.recovery import BEHIND
    from node.house.folders_store import find_house
    from protocol.book.backup_service import mark_restored, put_back
    from protocol.exchange.peer_recovery import BEHIND as BEHIND_IN_HOUSE

    with refusals_explained():
        marks = {BEHIND: json.dumps(BookIsBehind(ours=0, theirs=0).facts)}
        if find_house(folder) is not None:
            marks[BEHIND_IN_HOUSE] = "0"
        if file is None:
            mark_restored(_database_of(folder), marks)
            say_way_back("marked")
        else:
            kept = put_back(_database_of(folder), file, marks)
            say_way_back("put_back", file=file)
            if kept is not None:
                say_way_back("kept", kept=kept)
    steps = [f"citizen-miles node recover {folder}"]
    if BEHIND_IN_HOUSE in marks:
        steps.insert(0, f"citizen-miles node house recover {folder} --base accounts")
    say_way_back("serve", command=f"citizen-miles node serve {folder}")
    for number, step in enumerate(steps, 2):
        say_way_back("next", number=number, command=step)
    say_way_back("interrupt")


@copies.command()
def recover(folder: Folder, as_json: AsJson = False) -> None:
    """Bring an old copy of the accounts base back to the present, with what the hub and we ourselves had signed."""
    with refusals_explained():
        call_accounts(folder, "recover")
        pulled: dict[str, int] = {}
        with bar("recover") as advance:
            while (told := call_accounts(folder, "recovery"))["phase"] != "none":
                words = f"{word_way_back(told['phase'])} {told['trouble'] or ''}"
                advance(told["slips_booked"], max(told["slips_pulled"], 1), words)
                # Afterwards nothing is on its way any more, and these would be shown as none.
                pulled = {name: told[name] for name in ("slips_pulled", "unplaced", "accounts_reopened")}
                if is_served(folder):
                    time.sleep(0.2)
                else:
                    call_accounts(folder, "exchange")
        show({**told, **pulled, "slips_booked": pulled.get("slips_pulled", 0)}, as_json=as_json)
        waiting = call_accounts(folder, "unplaced")
    if as_json:
        return
    if waiting:
        show(waiting, as_json=False, title=word_way_back("unplaced"))
    say_way_back("consents")
    say_way_back("back", command=f"citizen-miles node check {folder}")


@unplaced.command("list")
def list_unplaced(folder: Folder, as_json: AsJson = False) -> None:
    """List rights that left, and that an old copy of the base could not place."""
    with refusals_explained():
        show(call_accounts(folder, "unplaced"), as_json=as_json, title="unplaced")


@unplaced.command("settle")
def settle_unplaced(folder: Folder, number: int, account: str, as_json: AsJson = False) -> None:
    """Say from which account (a pool, most often) the rights had been credited before they left."""
    with refusals_explained():
        show(call_accounts(folder, "settle_unplaced", number=number, account=account), as_json=as_json)
