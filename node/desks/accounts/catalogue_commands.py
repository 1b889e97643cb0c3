"""`citizen-miles node catalogue …`: open projects of all territories, and what this one lets others know."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated

import typer

from node.desks.accounts.call_commands import Folder, call_accounts
from node.options_commands import AsJson, InFile
from protocol.running.console_commands import refusals_explained, show
from protocol.running.keys_store import write_private

app = typer.Typer(no_args_is_help=True, help="Open projects of all territories, and territories' cards.")


@app.command("list")
def list_projects(
    folder: Folder,
    text: Annotated[str, typer.Option(help="words of the title, the place or the theme")] = "",
    theme: str = "",
    territory: Annotated[str, typer.Option(help="a territory's code")] = "",
    urgency: Annotated[int, typer.Option(help="0 calm to 3 within days: so urgent at least")] = 0,
    near: Annotated[str, typer.Option(help="latitude,longitude in degrees, as 48.39,-4.48")] = "",
    within: Annotated[int | None, typer.Option(help="metres from there at most")] = None,
    cursor: Annotated[int, typer.Option(help="where to go on, as the page before said")] = 0,
    limit: int = 50,
    as_json: AsJson = False,
) -> None:
    """List open projects: the nearest first where a place is given, else the most urgent."""
    with refusals_explained():
        told = call_accounts(
            folder,
            "catalogue_list",
            text=text,
            theme=theme,
            territory=territory,
            urgency=urgency,
            near=near,
            within=within,
            cursor=cursor,
            limit=limit,
        )
        show(told if as_json else told["projects"], as_json=as_json, title="catalogue")


@app.command("show")
def show_project(folder: Folder, address: str, as_json: AsJson = False) -> None:
    """Show one open project by its address: rights are directed to it with `node orient`."""
    with refusals_explained():
        show(call_accounts(folder, "catalogue_show", address=address), as_json=as_json)


@app.command("status")
def show_status(folder: Folder, as_json: AsJson = False) -> None:
    """Show territories with the age of their cards and catalogues, and what was refused of them."""
    with refusals_explained():
        told = call_accounts(folder, "catalogue_status")
        if as_json:
            show(told, as_json=True)
            return
        show({name: told[name] for name in ("fetched_at", "published_at", "trouble")}, as_json=False)
        show(told["territories"], as_json=False, title="territories")
        if told["refused"]:
            show(told["refused"], as_json=False, title="refused")


@app.command("publish")
def publish(folder: Folder, as_json: AsJson = False) -> None:
    """Sign this territory's card anew where it changed, and hand card and catalogue to the hub now."""
    with refusals_explained():
        show(call_accounts(folder, "catalogue_publish"), as_json=as_json)


@app.command("fetch")
def fetch(folder: Folder, as_json: AsJson = False) -> None:
    """Fetch from the hub what other territories published since, now."""
    with refusals_explained():
        show(call_accounts(folder, "catalogue_fetch"), as_json=as_json)


@app.command("export")
def export(
    folder: Folder,
    file: Path,
    everything: Annotated[bool, typer.Option("--all", help="those of other territories too")] = False,
    as_json: AsJson = False,
) -> None:
    """Write this territory's card and catalogue into a file, for who takes part by file."""
    with refusals_explained():
        told = call_accounts(folder, "catalogue_export", all=everything)
        write_private(file, base64.b64decode(told["file"]))
        show({"publications": told["publications"], "file": str(file)}, as_json=as_json)


@app.command("import")
def import_file(folder: Folder, file: InFile, as_json: AsJson = False) -> None:
    """Take cards and catalogues from a file. Each is verified; whoever carried it is believed in nothing."""
    with refusals_explained():
        data = base64.b64encode(file.read_bytes()).decode()
        show(call_accounts(folder, "catalogue_import", file=data), as_json=as_json, title="imported")
