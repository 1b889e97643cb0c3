"""What all commands of the fund share: options, the way to the fund, and an officer's signature."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from node.desks.fund.rows import ROWS_MAX
from node.desks.fund.words import read_words
from node.files_commands import own_keys
from node.fund.outgoing_payments import write_words
from node.house.folders_store import base_folder
from protocol.house import BaseName
from protocol.keys import Domain, sign
from protocol.running.admin_client import Command, call
from protocol.running.console_commands import choose_language, show

Folder = Annotated[Path, typer.Argument(help="the node's folder, or the fund's own house", file_okay=False)]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask")]
OutFile = Annotated[Path | None, typer.Option("--out", help="write the file there")]
After = Annotated[str, typer.Option(help="go on after this row: what the last line said")]
Limit = Annotated[int, typer.Option(min=1, max=ROWS_MAX, help="so many rows at most")]
Year = Annotated[int, typer.Option(help="the civil year that the fiscal year closes in; this one")]


def call_fund(folder: Path, command: str, /, **arguments: Any) -> Any:
    """Ask the running fund, or open its book."""

    def open_app() -> tuple[Any, Mapping[str, Command]]:
        from node.desks.fund.admin_commands import FUND_COMMANDS
        from node.fund_app import FundApp

        return FundApp(folder), FUND_COMMANDS

    return call(base_folder(folder, BaseName.FUND), command, arguments, open_app=open_app)


def show_page(
    folder: Folder, command: str, after: str, limit: int, /, *, as_json: bool, title: str, **asked: Any
) -> None:
    """Show a page of a list, and say how to go on where there is more: beside the JSON, not in it."""
    told = call_fund(folder, command, cursor=after, limit=limit, counts=True, **asked)
    show(told["rows"], as_json=as_json, title=title)
    if told["next"]:
        more = "more:" if choose_language() == "en" else "de plus :"
        typer.echo(f"{told['left']} {more} --after {told['next']}", err=as_json)


def sign_bytes(keys: Path, words: bytes) -> dict[str, str]:
    """Return an officer's signature, as the fund is told it."""
    secret = own_keys(keys)
    return {"officer": secret.public.id.hex(), "signature": sign(secret, Domain.OFFICER, words).hex()}


def sign_payment_words(folder: Path, words: dict[str, Any], keys: Path, *, yes: bool, as_json: bool) -> None:
    """Show the words of a payment, sign them, and tell the fund."""
    if not yes:
        show({name: words[name] for name in ("holder_name", "iban", "cents", "text", "decision")}, as_json=False)
        typer.confirm("sign this?", abort=True)
    signed = sign_bytes(keys, write_words(read_words(words)))
    show(call_fund(folder, "payment_sign", words=words, **signed), as_json=as_json)


def year_or_this(year: int) -> int:
    """Return the year that was asked for, or this one."""
    return year or datetime.datetime.now(datetime.UTC).year
