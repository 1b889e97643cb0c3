"""`citizen-miles node fund`: commands of receipts and declarations."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated, Any

import typer

from node.desks.fund.call_commands import After, Folder, Limit, OutFile, Year, call_fund, show_page, year_or_this
from node.desks.fund.rows import ROWS_MAX
from node.options_commands import AsJson, IdOption, id_or_new
from protocol.running.console_commands import refusals_explained, show
from protocol.running.keys_store import write_private

receipt = typer.Typer(no_args_is_help=True, help="Tax receipts.")
declaration = typer.Typer(no_args_is_help=True, help="What the fund declares, and what it gives companies for theirs.")


def _write_pdf(told: dict[str, Any], out: Path | None) -> dict[str, Any]:
    data = base64.b64decode(told.pop("pdf"))
    if out is not None:
        write_private(out, data)
        told["file"] = str(out)
    return told


@receipt.command("issue")
def issue_receipt(
    folder: Folder,
    donor: Annotated[str, typer.Option(help="SIREN, or the donor's id")],
    first: Annotated[str, typer.Option("--from", help="yyyy-mm-dd")],
    last: Annotated[str, typer.Option("--to", help="yyyy-mm-dd")],
    replaces: Annotated[str, typer.Option(help="the cancelled receipt that it replaces")] = "",
    out: OutFile = None,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Issue a receipt for what a donor gave in a period."""
    with refusals_explained():
        told = call_fund(
            folder, "receipt_issue", donor=donor, **{"from": first, "to": last}, replaces=replaces, id=id_or_new(id_)
        )
        show(_write_pdf(told, out), as_json=as_json)


@receipt.command("copy")
def copy_receipt(folder: Folder, number: str, out: OutFile = None, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Draw a copy: it says that it is one."""
    with refusals_explained():
        show(_write_pdf(call_fund(folder, "receipt_copy", number=number, id=id_or_new(id_)), out), as_json=as_json)


@receipt.command("cancel")
def cancel_receipt(
    folder: Folder,
    number: str,
    reason: Annotated[str, typer.Option()],
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Cancel a receipt. Its number stays taken; what it covered waits for another."""
    with refusals_explained():
        show(call_fund(folder, "receipt_cancel", number=number, reason=reason, id=id_or_new(id_)), as_json=as_json)


@receipt.command("list")
def list_receipts(folder: Folder, after: After = "", limit: Limit = ROWS_MAX, as_json: AsJson = False) -> None:
    """List receipts."""
    with refusals_explained():
        show_page(folder, "receipts", after, limit, as_json=as_json, title="receipts")


@declaration.command("prefect")
def declare_prefect(
    folder: Folder,
    year: Year = 0,
    out: Annotated[Path | None, typer.Option("--out", help="the folder for three CSV", file_okay=False)] = None,
    as_json: AsJson = False,
) -> None:
    """List for the prefect: bodies that were paid, gifts with their donors, resources from abroad."""
    with refusals_explained():
        told = call_fund(folder, "declare_prefect", year=year_or_this(year))
        files = told.pop("files")
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            for name, text in files.items():
                write_private(out / name, text.encode())
            told["files"] = [str(out / name) for name in files]
        if as_json:
            show(told, as_json=True)
            return
        for name in ("redistributions", "liberalities", "foreign"):
            show(told[name], as_json=False, title=name)


@declaration.command("company")
def declare_company(
    folder: Folder,
    donor: Annotated[str, typer.Option(help="the company's SIREN, or its id")],
    year: Annotated[int, typer.Option(help="the civil year that *its* fiscal year closes in; this one")] = 0,
    counterpart: Annotated[int, typer.Option(help="cents that it got in return in that year")] = 0,
    out: OutFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a company's 2069-RCI sheet: its gifts by date, and what it got in return where that is to be told."""
    with refusals_explained():
        told = call_fund(folder, "declare_company", donor=donor, year=year_or_this(year), counterpart=counterpart)
        show(_write_csv(told, out), as_json=as_json)


def _write_csv(told: dict[str, Any], out: Path | None) -> dict[str, Any]:
    text = told.pop("csv")
    if out is not None:
        write_private(out, text.encode())
        told["file"] = str(out)
    return told


@receipt.command("register")
def register_of_receipts(folder: Folder, out: OutFile = None, as_json: AsJson = False) -> None:
    """Write the register of all receipts, cancelled ones too, as CSV."""
    with refusals_explained():
        show(_write_csv(call_fund(folder, "receipts_register"), out), as_json=as_json)
