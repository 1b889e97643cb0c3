"""`citizen-miles node house …`: who the bases of this territory are, and where they live."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from node.house.cards import Card, compute_fingerprint, format_card, parse_card
from node.house.folders_store import find_local, load_house
from node.house.settings import FOLDERS
from node.options_commands import AsJson
from protocol.house import BaseName
from protocol.running import clock_service
from protocol.running.console_commands import bar, progress, refusals_explained, say, say_way_back, show
from protocol.running.settings import NotConfigured

app = typer.Typer(no_args_is_help=True, help="The bases of the territory: who they are, where they live.")

Folder = Annotated[Path, typer.Argument(help="the node's folder, or that of a base kept apart", file_okay=False)]
Base = Annotated[str, typer.Option(help="accounts, fund, partners, projects or people")]


def _name(base: str) -> BaseName:
    """Return the base of this name. Raises NotConfigured."""
    if base.upper() not in BaseName.__members__:
        raise NotConfigured(reason=f"{base} is none of {', '.join(FOLDERS.values())}")
    return BaseName[base.upper()]


@app.command("show")
def show_house(folder: Folder, as_json: AsJson = False) -> None:
    """List the bases of the house, each with the fingerprint of its newest key, and where it lives."""
    from node.desks.house.keys_commands import find_known
    from node.desks.house.recovery_commands import find_state

    with refusals_explained():
        house = load_house(folder)
        local = find_local(folder)
        known = find_known(folder, house, local)
        rows: list[dict[str, Any]] = []
        for code, one in sorted(house.bases.items()):
            public = known.require(code).keys[-1]
            card = Card(house.territory, code, public.signing, public.sealing)
            where = "here" if code in local else one.url or "elsewhere, and calls us"
            state = find_state(folder, BaseName(code)) if code in local else ""
            rows.append(
                {"base": code.lower(), "where": where, "state": state, "fingerprint": compute_fingerprint(card)}
            )
        show(rows, as_json=as_json, title=f"house of {house.territory}")


@app.command("card")
def show_card(
    folder: Folder,
    base: Annotated[str, typer.Argument(help="accounts, fund, partners, projects or people")],
    as_json: AsJson = False,
) -> None:
    """Show the card of a base that lives here, for whoever keeps the others. Compare the fingerprint by telephone."""
    from node.desks.house.init_service import read_own_card

    with refusals_explained():
        card = read_own_card(folder, _name(base))
        show({"card": format_card(card), "fingerprint": compute_fingerprint(card)}, as_json=as_json)


@app.command("add")
def add_card(
    folder: Folder,
    card: Annotated[str, typer.Argument(help="the cmb1-… text of a base kept elsewhere")],
    url: Annotated[str, typer.Option(help="where it is called; empty where it calls us")] = "",
    as_json: AsJson = False,
) -> None:
    """Take the card of a base that is kept elsewhere. Restart what runs here."""
    from node.desks.house.init_service import take_other_card

    with refusals_explained():
        told = parse_card(card)
        take_other_card(folder, told, url)
        show({"base": told.base.lower(), "fingerprint": compute_fingerprint(told), "url": url}, as_json=as_json)


@app.command()
def rotate(
    folder: Folder,
    base: Annotated[str, typer.Argument(help="accounts, fund, partners, projects or people")],
    id_: Annotated[str, typer.Option("--id", help="32 hexadecimal digits: asked again under it, it is done once")] = "",
    as_json: AsJson = False,
) -> None:
    """Change a base's key for a new one. Its neighbours believe it by themselves: the old key signs it."""
    from node.desks.house.keys_commands import rotate_base

    with refusals_explained():
        show(rotate_base(folder, _name(base), id_ or clock_service.entropy(16).hex()), as_json=as_json)
    if not as_json:
        say("keep the old key's file: it opens what was sealed for it. A copy of keys/ goes beside the next backup")


@app.command("keys")
def list_keys(
    folder: Folder,
    base: Annotated[str, typer.Argument(help="accounts, fund, partners, projects or people")],
    as_json: AsJson = False,
) -> None:
    """List the changes of a base's key: at which leaf of which log the old one was retired, and who heard of it."""
    from node.desks.house.keys_commands import show_keys

    with refusals_explained():
        show(show_keys(folder, _name(base)), as_json=as_json, title="keys")


@app.command()
def backup(folder: Folder, file: Path, base: Base) -> None:
    """Copy a base to FILE, beside whoever serves it; the copy is whole, or it is not there."""
    from node.desks.house.recovery_commands import find_database
    from protocol.book.backup_service import back_up

    with refusals_explained(), progress("backup") as say_done:
        size = back_up(
            find_database(folder, _name(base)), file, lambda done, pages: say_done(f"{done} of {pages} pages")
        )
    say_way_back("copied", file=file, size=size, beside="keys/, .toml")


@app.command()
def restore(
    folder: Folder,
    base: Base,
    file: Annotated[Path | None, typer.Argument(exists=True, dir_okay=False)] = None,
) -> None:
    """Put the copy FILE in the place of a base that was lost. It must not be served meanwhile. Then: recover.

    Without FILE: the base was put back by other means (PostgreSQL's own), and is only marked as an old copy.
    """
    from node.desks.house.recovery_commands import find_database, marks_of
    from protocol.book.backup_service import mark_restored, put_back

    with refusals_explained():
        name = _name(base)
        database, marks = find_database(folder, name), marks_of(folder, name)
        if file is None:
            mark_restored(database, marks)
            say_way_back("marked")
        else:
            kept = put_back(database, file, marks)
            say_way_back("put_back", file=file)
            if kept is not None:
                say_way_back("kept", kept=kept)
                if name is BaseName.PEOPLE:
                    say_way_back("kept_people")
    say_way_back("serve", command=f"citizen-miles node serve {folder}")
    say_way_back("next", number=2, command=f"citizen-miles node house recover {folder} --base {base}")
    say_way_back("interrupt")


@app.command()
def recover(folder: Folder, base: Base, as_json: AsJson = False) -> None:
    """Bring an old copy of a base back to the present, with what its neighbours hold of it. Asked again, it goes on."""
    from node.desks.house.recovery_commands import recover_base

    with refusals_explained():
        name = _name(base)
        with bar("recover") as advance:
            told = recover_base(folder, name, advance)
        show(told, as_json=as_json)
    if not as_json:
        _say_next(folder, name, told)
    if told["phase"] != "none":
        raise typer.Exit(1)


def _say_next(folder: Path, base: BaseName, told: Mapping[str, Any]) -> None:
    """Say what an operator does now."""
    from node.desks.house.recovery_commands import waits_for_hub

    if told["trouble"]:
        say_way_back("stopped")
    elif told["phase"] != "none":
        say_way_back("still_waits", waiting=", ".join(told["waits_for"]))
    elif base is BaseName.FUND:
        say_way_back("say_numbers", command=f"citizen-miles node fund state-numbers {folder}")
    elif base is BaseName.PEOPLE:
        say_way_back("say_lost", command=f"citizen-miles node people lost list {folder} --by YOUR_ID")
    elif base is BaseName.ACCOUNTS and waits_for_hub(folder):
        say_way_back("then_hub", command=f"citizen-miles node recover {folder}")
    else:
        say_way_back("back", command=f"citizen-miles node check {folder}")
