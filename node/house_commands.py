"""`citizen-miles node house …`: who the bases of this territory are, and where they live."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from node.house.cards import Card, compute_fingerprint, format_card, parse_card
from node.house.folders_store import find_local, load_house
from node.house.settings import FOLDERS, read_keys
from node.house_init_service import read_own_card, take_other_card
from node.options_commands import AsJson
from protocol.house import BaseName
from protocol.running.console_commands import refusals_explained, show
from protocol.running.settings import NotConfigured

app = typer.Typer(no_args_is_help=True, help="The bases of the territory: who they are, where they live.")

Folder = Annotated[Path, typer.Argument(help="the node's folder, or that of a base kept apart", file_okay=False)]


@app.command("show")
def show_house(folder: Folder, as_json: AsJson = False) -> None:
    """List the bases of the house, each with the fingerprint of its newest key, and where it lives."""
    with refusals_explained():
        house = load_house(folder)
        local = find_local(folder)
        rows: list[dict[str, Any]] = []
        for code, one in sorted(house.bases.items()):
            public = read_keys(one)[-1]
            card = Card(house.territory, code, public.signing, public.sealing)
            where = "here" if code in local else one.url or "elsewhere, and calls us"
            rows.append({"base": code.lower(), "where": where, "fingerprint": compute_fingerprint(card)})
        show(rows, as_json=as_json, title=f"house of {house.territory}")


@app.command("card")
def show_card(
    folder: Folder,
    base: Annotated[str, typer.Argument(help="accounts, fund, partners, projects or people")],
    as_json: AsJson = False,
) -> None:
    """Show the card of a base that lives here, for whoever keeps the others. Compare the fingerprint by telephone."""
    with refusals_explained():
        if base.upper() not in BaseName.__members__:
            raise NotConfigured(reason=f"{base} is none of {', '.join(FOLDERS.values())}")
        card = read_own_card(folder, BaseName[base.upper()])
        show({"card": format_card(card), "fingerprint": compute_fingerprint(card)}, as_json=as_json)


@app.command("add")
def add_card(
    folder: Folder,
    card: Annotated[str, typer.Argument(help="the cmb1-… text of a base kept elsewhere")],
    url: Annotated[str, typer.Option(help="where it is called; empty where it calls us")] = "",
    as_json: AsJson = False,
) -> None:
    """Take the card of a base that is kept elsewhere. Restart what runs here."""
    with refusals_explained():
        told = parse_card(card)
        take_other_card(folder, told, url)
        show({"base": told.base.lower(), "fingerprint": compute_fingerprint(told), "url": url}, as_json=as_json)
