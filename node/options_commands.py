"""Options that the commands of all bases share, and a fresh id where the caller gives none."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table")]
InFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False)]
IdOption = Annotated[str, typer.Option("--id", help="your own id (UUID): the same id is never done twice")]
Keys = Annotated[Path, typer.Option(help="the folder of your own keys", file_okay=False)]
Day = Annotated[str, typer.Option(help="yyyy-mm-dd")]
CentsOption = Annotated[int | None, typer.Option(help="whole cents")]
EurosOption = Annotated[str, typer.Option(help="euros and cents, such as 12,34")]


def id_or_new(given: str) -> str:
    """Return the caller's own id, or a fresh one."""
    return given or str(uuid.uuid4())
