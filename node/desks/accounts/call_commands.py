"""What all commands of the accounts share: the node's folder, and the way to the node that runs, or to its book."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from protocol.running.admin_client import Command, call
from protocol.running.console_commands import choose_language

Folder = Annotated[Path, typer.Argument(help="the node's folder", file_okay=False)]


def call_accounts(folder: Path, command: str, /, **arguments: Any) -> Any:
    """Run a command where the accounts live, in the language of who types it; raises what it refuses."""

    def open_app() -> tuple[Any, Mapping[str, Command]]:
        from node.app import NodeApp, load_config
        from node.desks.accounts.admin_commands import COMMANDS

        return NodeApp(folder, load_config(folder)), COMMANDS

    return call(folder, command, arguments | {"language": choose_language()}, open_app=open_app)
