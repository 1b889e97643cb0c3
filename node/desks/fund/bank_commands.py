"""`citizen-miles node fund`: commands of the files of the bank, and of what waits for a person."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from node.desks.fund.call_commands import After, Folder, Limit, call_fund, show_page
from node.desks.fund.rows import ROWS_MAX
from node.options_commands import AsJson, CentsOption, IdOption, InFile, id_or_new
from protocol.running.console_commands import read_cents, refusals_explained, say, show

bank = typer.Typer(no_args_is_help=True, help="Files of the bank, and what waits for a person.")


@bank.command("import")
def import_statement(
    folder: Folder,
    file: InFile,
    mapping: Annotated[Path | None, typer.Option(help="for CSV: JSON, which heading holds what", exists=True)] = None,
    statement: Annotated[str, typer.Option(help="for CSV: the statement's number")] = "",
    opening: Annotated[str, typer.Option(help="for CSV: the balance before, such as 12,34")] = "",
    opening_on: Annotated[str, typer.Option(help="for CSV")] = "",
    closing: Annotated[str, typer.Option(help="for CSV: the balance after")] = "",
    closing_on: Annotated[str, typer.Option(help="for CSV")] = "",
    as_json: AsJson = False,
) -> None:
    """Take a camt.053, a camt.054, or a CSV by mapping. The same file twice changes nothing."""
    with refusals_explained():
        asked: dict[str, Any] = {"data": base64.b64encode(file.read_bytes()).decode()}
        if mapping is not None:
            asked |= {
                "mapping": json.loads(mapping.read_text(encoding="utf-8")),
                "statement_id": statement,
                "opening": read_cents(None, opening),
                "opening_on": opening_on,
                "closing": read_cents(None, closing),
                "closing_on": closing_on,
            }
        told = call_fund(folder, "import", **asked)
        show(told, as_json=as_json)
        if told["waiting"] and not as_json:
            say(f"{len(told['waiting'])} wait for a person: citizen-miles node fund bank queue {folder}")


@bank.command("queue")
def queue(folder: Folder, after: After = "", limit: Limit = ROWS_MAX, as_json: AsJson = False) -> None:
    """List the movements that nobody recognised, with what they might be."""
    with refusals_explained():
        show_page(folder, "movements", after, limit, waiting_only=True, as_json=as_json, title="waiting")


@bank.command("movements")
def movements(folder: Folder, after: After = "", limit: Limit = ROWS_MAX, as_json: AsJson = False) -> None:
    """List what the bank told last."""
    with refusals_explained():
        show_page(folder, "movements", after, limit, as_json=as_json, title="movements")


@bank.command("decide")
def decide(
    folder: Folder,
    movement: str,
    by: Annotated[str, typer.Option(help="who decides")],
    payment: Annotated[str, typer.Option(help="the expected payment that it belongs to")] = "",
    reason: Annotated[str, typer.Option(help="or why it belongs to none")] = "",
    fee: Annotated[bool, typer.Option("--fee", help="it was a fee of the bank")] = False,
    debit: Annotated[str, typer.Option(help="the EndToEndId of a debit that it took back, with a fee")] = "",
    net: Annotated[str, typer.Option(help="net:WINDOW:TERRITORY, what another fund pays at the end of a window")] = "",
    cents: CentsOption = None,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Say what a movement that waits is."""
    with refusals_explained():
        told = call_fund(
            folder,
            "decide",
            movement=movement,
            by=by,
            expectation=payment or None,
            reason=reason or ("fee" if fee else ""),
            cents=cents,
            is_fee=fee,
            debit=debit,
            net=net,
            id=id_or_new(id_),
        )
        show(told, as_json=as_json)


@bank.command("report")
def report(folder: Folder, file: InFile, as_json: AsJson = False) -> None:
    """Take the bank's report (pain.002) on an order."""
    with refusals_explained():
        show(call_fund(folder, "report", data=base64.b64encode(file.read_bytes()).decode()), as_json=as_json)
