"""`citizen-miles node fund key …`, `partners key …`, `projects door-key …`, `people door-key …`: who may come in by a base's doors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from node.options_commands import AsJson, IdOption, id_or_new
from protocol.running.console_commands import refusals_explained, show

Call = Callable[..., Any]
Folder = Annotated[Path, typer.Argument(help="the node's folder, or that of the base kept apart", file_okay=False)]


def make_key_group(
    call: Call, duties: str, *, has_companies: bool, officer: str = "the officer it is issued to, as the base writes it"
) -> typer.Typer:
    """Return the commands of a base's keys; `call` runs one of its commands, `duties` are told in the help."""
    group = typer.Typer(no_args_is_help=True, help="Keys of the base's doors, for a portal or a program.")

    def make(folder: Path, name: str, duty: list[str], company: str, id_: str, *, as_json: bool) -> None:
        with refusals_explained():
            words = ",".join(duty)
            told = call(folder, "key_new", id=id_or_new(id_), name=name, duties=words, company=company)
            show(told, as_json=as_json)

    # Options as defaults: annotations are read later, where nobody knows the names of this function.
    name_option: str = typer.Option(
        ..., "--officer", "--name", help=f"{officer}: what is done with the key is done by him"
    )
    duty_option: list[str] = typer.Option(..., "--duty", help=f"one of {duties}; once for each")

    if has_companies:

        @group.command("new")
        def new_for_company(
            folder: Folder,
            name: str = name_option,
            duty: list[str] = duty_option,
            company: Annotated[str, typer.Option(help="the SIREN of the one company that it may touch")] = "",
            id_: IdOption = "",
            as_json: AsJson = False,
        ) -> None:
            """Make a key. It is shown this once; asked again under its id, it is the same key, without its secret."""
            make(folder, name, duty, company, id_, as_json=as_json)
    else:

        @group.command("new")
        def new(
            folder: Folder,
            name: str = name_option,
            duty: list[str] = duty_option,
            id_: IdOption = "",
            as_json: AsJson = False,
        ) -> None:
            """Make a key. It is shown this once; asked again under its id, it is the same key, without its secret."""
            make(folder, name, duty, "", id_, as_json=as_json)

    @group.command("list")
    def list_keys(folder: Folder, as_json: AsJson = False) -> None:
        """List the keys, without their secrets."""
        with refusals_explained():
            show(call(folder, "keys"), as_json=as_json, title="keys")

    @group.command("revoke")
    def revoke(folder: Folder, key_id: str, as_json: AsJson = False) -> None:
        """End a key at once."""
        with refusals_explained():
            show(call(folder, "key_revoke", key_id=key_id), as_json=as_json)

    return group
