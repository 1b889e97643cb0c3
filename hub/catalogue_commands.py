"""`citizen-miles hub catalogue …`: what members publish of themselves, listed and carried by file."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from protocol.errors import Refusal
from protocol.running.admin_client import Command
from protocol.running.console_commands import choose_language, refusals_explained, show
from protocol.running.explanations import explain
from protocol.running.keys_store import write_private
from protocol.times import format_instant

if TYPE_CHECKING:  # what a base needs is loaded where it is open
    from hub.app import HubApp
    from protocol.publications import Publication

Folder = Annotated[Path, typer.Argument(help="the hub's folder", file_okay=False)]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table")]


# What each command does, in the process that holds the book.


async def _catalogue(hub: HubApp, _asked: Mapping[str, Any]) -> Any:
    from hub.catalogue.service import load_published

    rows = await hub.book.read(load_published)
    return [row | {"at": format_instant(row["at"])} for row in rows]


async def _export(hub: HubApp, _asked: Mapping[str, Any]) -> Any:
    from hub.catalogue.service import load_page
    from protocol.publications import write_pages

    found: list[Publication] = []
    since, has_more = 0, True
    while has_more:
        page = await hub.book.read(partial(load_page, since=since))
        found += [one.publication for one in page.entries]
        since, has_more = page.next, page.has_more
    data = write_pages(found, hub.book.clock())
    return {"publications": len(found), "file": base64.b64encode(data).decode()}


async def _import(hub: HubApp, asked: Mapping[str, Any]) -> Any:
    from protocol.publications import read_pages

    language = str(asked.get("language", "fr"))
    rows: list[dict[str, str]] = []
    for one in read_pages(base64.b64decode(asked["file"])):
        try:
            kept = await hub.book.write(hub.catalogue.publish, one)
            rows.append({"member": one.territory, "outcome": "new" if kept.is_new else "known", "reason": ""})
        except Refusal as refusal:
            reason = explain(refusal.code, refusal.facts, language)
            rows.append({"member": one.territory, "outcome": "refused", "reason": reason})
    return rows


CATALOGUE_COMMANDS: Final[Mapping[str, Command]] = {
    "catalogue": _catalogue,
    "catalogue_export": _export,
    "catalogue_import": _import,
}


# The command line.


def make_catalogue(call: Callable[..., Any]) -> typer.Typer:
    """Return the commands; `call` reaches the running hub, or opens its book."""
    app = typer.Typer(no_args_is_help=True, help="What members publish of themselves: cards and open projects.")

    @app.command("list")
    def list_published(folder: Folder, as_json: AsJson = False) -> None:
        """List the numbers of members' cards and catalogues, and when they came."""
        with refusals_explained():
            show(call(folder, "catalogue"), as_json=as_json, title="catalogue")

    @app.command("export")
    def export_published(folder: Folder, file: Path, as_json: AsJson = False) -> None:
        """Write all that members published into a file, for members that take part by file."""
        with refusals_explained():
            told = call(folder, "catalogue_export")
            write_private(file, base64.b64decode(told["file"]))
            show({"publications": told["publications"], "file": str(file)}, as_json=as_json)

    @app.command("import")
    def import_published(
        folder: Folder, file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)], as_json: AsJson = False
    ) -> None:
        """Take what members published from a file. Each is verified, and replaces what is older."""
        with refusals_explained():
            data = base64.b64encode(file.read_bytes()).decode()
            rows = call(folder, "catalogue_import", file=data, language=choose_language())
            show(rows, as_json=as_json, title="imported")

    return app
