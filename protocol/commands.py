"""`citizen-miles`: one command for everything. `node` and `hub` are found where they are installed, never imported here."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Annotated

import typer

from protocol.evidence import EVIDENCE_BYTES_MAX, judge
from protocol.running.console_commands import refusals_explained, show

app = typer.Typer(no_args_is_help=True, help="Citizen-Miles: rights that cross territories, provable by everybody.")


@app.command("verify-evidence")
def verify_evidence(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    key: Annotated[str, typer.Option(help="the accused's public signing key (hex) that you trust")] = "",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Judge an evidence file. Exit 0 only if it proves what it claims."""
    with refusals_explained():
        if file.stat().st_size > EVIDENCE_BYTES_MAX:
            raise typer.BadParameter("the file is larger than any evidence")
        judgement = judge(file.read_bytes())
    is_trusted = not key or key.lower() == judgement.key_fingerprint
    show(
        {
            "proved": is_trusted,
            "kind": str(judgement.kind),
            "accused": judgement.accused,
            "signing_key": judgement.key_fingerprint,
            "summary": judgement.summary,
            "key_is_the_one_given": is_trusted if key else None,
        },
        as_json=as_json,
        title="evidence",
    )
    if not is_trusted:
        raise typer.Exit(1)


@app.command("version")
def show_version() -> None:
    """Print the version."""
    typer.echo(version("citizen-miles"))


def main() -> None:
    """The entry point: our own commands, and those of the rooms that are installed.

    A room is loaded when it is named, or when everything is to be listed: a node's start need not wait for the hub's.
    """
    rooms = {found.name: found for found in entry_points(group="citizen_miles.commands")}
    named = sys.argv[1] if len(sys.argv) > 1 else ""
    for name in [named] if named in rooms else sorted(rooms):
        app.add_typer(rooms[name].load(), name=name)
    app()
