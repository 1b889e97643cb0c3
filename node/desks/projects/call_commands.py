"""What all commands of the projects' base share: arguments, and the way to the base that runs, or to its book."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from node.house.folders_store import base_folder
from protocol.house import BaseName
from protocol.running.admin_client import Command, call
from protocol.running.console_commands import choose_language

Folder = Annotated[Path, typer.Argument(help="the node's folder, or that of the base kept apart", file_okay=False)]
OutFile = Annotated[Path | None, typer.Option("--out", help="write it there")]
Project = Annotated[str, typer.Argument(help="the project's id")]
By = Annotated[str, typer.Option("--by", help="who does it: a function, never a name")]
Author = Annotated[str, typer.Option("--by", help="an account number, or a bearer's registry number")]
Reason = Annotated[str, typer.Option(help="why, for everybody to read")]


def call_projects(folder: Path, command: str, /, **arguments: Any) -> Any:
    """Run a command where the projects' base lives, in the language of who types it; raises what it refuses."""

    def open_app() -> tuple[Any, Mapping[str, Command]]:
        from node.desks.projects.admin_commands import PROJECTS_COMMANDS
        from node.projects_app import ProjectsApp

        return ProjectsApp(folder), PROJECTS_COMMANDS

    arguments |= {"language": arguments.get("language") or choose_language()}
    return call(base_folder(folder, BaseName.PROJECTS), command, arguments, open_app=open_app)
