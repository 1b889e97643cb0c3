"""`citizen-miles hub operator-key …`: keys of the operator's doors, made and ended on the machine alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from protocol.running import clock_service
from protocol.running.console_commands import refusals_explained, show
from protocol.times import format_instant

Folder = Annotated[Path, typer.Argument(help="the hub's folder", file_okay=False)]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table")]
operator_key = typer.Typer(no_args_is_help=True, help="Keys of the operator's doors: an officer's each.")


@operator_key.command("new")
def new_key(
    folder: Folder,
    officer: Annotated[str, typer.Option(help="the word of who it is issued to")],
    duty: Annotated[str, typer.Option(help="reader, or operator: who opens and closes windows")] = "reader",
    as_json: AsJson = False,
) -> None:
    """Make a key. It is shown once: only its hash is kept."""
    from hub.app import load_config
    from hub.operators.keys import ID_BYTES, SECRET_BYTES, make_operator_key
    from hub.operators.keys_store import save_operator_key

    with refusals_explained():
        load_config(folder)  # a hub's folder, and no other
        entropy = clock_service.entropy(ID_BYTES + SECRET_BYTES)
        key, text = make_operator_key(entropy, officer=officer, duty=duty, since=format_instant(clock_service.now()))
        save_operator_key(folder, key)
        show({**_row(key), "key": text}, as_json=as_json)


@operator_key.command("list")
def list_keys(folder: Folder, as_json: AsJson = False) -> None:
    """List keys, the oldest first."""
    from hub.operators.keys_store import list_operator_keys

    with refusals_explained():
        show([_row(key) for key in list_operator_keys(folder)], as_json=as_json, title="keys")


@operator_key.command("revoke")
def revoke_key(folder: Folder, key_id: str, as_json: AsJson = False) -> None:
    """End a key: it opens nothing from the next call on."""
    from hub.operators.keys_store import revoke_operator_key

    with refusals_explained():
        at = format_instant(clock_service.now())
        show(_row(revoke_operator_key(folder, key_id, at)), as_json=as_json)


def _row(key: Any) -> dict[str, Any]:
    return {
        "key_id": key.id,
        "officer": key.officer,
        "duty": str(key.duty),
        "since": key.since,
        "revoked": key.revoked,
    }
