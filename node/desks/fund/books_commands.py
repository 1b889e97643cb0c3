"""`citizen-miles node fund`: commands of the books."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated

import typer

from node.desks.fund.call_commands import (
    Folder,
    Year,
    call_fund,
    year_or_this,
)
from node.options_commands import AsJson
from protocol.running.console_commands import refusals_explained, show
from protocol.running.keys_store import write_private

books = typer.Typer(no_args_is_help=True, help="Accounts, the file of entries (FEC), yearly statements.")


@books.command("balance")
def balance(folder: Folder, year: Year = 0, as_json: AsJson = False) -> None:
    """Show every account with what stands on it."""
    with refusals_explained():
        show(call_fund(folder, "balance", year=year_or_this(year)), as_json=as_json, title="balance")


@books.command("fec")
def fec(
    folder: Folder,
    out: Annotated[Path, typer.Option("--out", help="the folder that the file goes to", file_okay=False)],
    year: Year = 0,
    as_json: AsJson = False,
) -> None:
    """Write the file of entries of a fiscal year (art. A47 A-1 LPF), and check it. Exit 1 where it has faults."""
    with refusals_explained():
        told = call_fund(folder, "fec", year=year_or_this(year))
        out.mkdir(parents=True, exist_ok=True)
        file = out / told.pop("name")
        write_private(file, base64.b64decode(told.pop("content")))
        beside = file.with_suffix(".description.txt")
        write_private(beside, told.pop("description").encode())
        show(told | {"file": str(file), "description": str(beside)}, as_json=as_json)
    if told["faults"]:
        raise typer.Exit(1)


@books.command("close-year")
def close_year(folder: Folder, year: Year = 0, as_json: AsJson = False) -> None:
    """Bring dedicated funds to what companies paid for miles and is not spent on them. Once, before the next is opened."""
    with refusals_explained():
        show(call_fund(folder, "year_close", year=year_or_this(year)), as_json=as_json)


@books.command("open-year")
def open_year(folder: Folder, year: Year = 0, as_json: AsJson = False) -> None:
    """Write the opening balances of a fiscal year, from all entries of the year before. Once."""
    with refusals_explained():
        show(call_fund(folder, "year_open", year=year_or_this(year)), as_json=as_json)


@books.command("uses")
def uses(
    folder: Folder,
    year: Year = 0,
    carried_in: Annotated[int, typer.Option(help="cents of public generosity left by the year before")] = 0,
    as_json: AsJson = False,
) -> None:
    """Show the yearly statements of origin and destination (CROD), and of public generosity (CER)."""
    with refusals_explained():
        told = call_fund(folder, "uses", year=year_or_this(year), carried_in=carried_in)
        if as_json:
            show(told, as_json=True)
        else:
            show(told["origin_and_destination"], as_json=False, title="origin and destination")
            show(told["public_generosity"] | {"surplus_cents": told["surplus_cents"]}, as_json=False)
