"""`citizen-miles node …`: rights are directed to projects, once or again and again."""

from __future__ import annotations

from typing import Annotated

import typer

from node.desks.accounts.call_commands import Folder, call_accounts
from node.options_commands import AsJson, CentsOption, IdOption, id_or_new
from protocol.errors import Malformed
from protocol.running.console_commands import (
    refusals_explained,
    show,
)

orientation = typer.Typer()


def _read_choice(text: str) -> tuple[str, int | None]:
    """Return the project and the cents of `PROJECT=CENTS`, or of `PROJECT` alone: all that is left. Raises Malformed."""
    to, equals, cents = text.partition("=")
    if equals and not (cents.isascii() and cents.isdigit() and len(cents) <= 16):
        raise Malformed(field="choice", reason=f"{text[:60]} is not PROJECT=CENTS")
    return to, int(cents) if equals else None


@orientation.command()
def orient(
    folder: Folder,
    giver: Annotated[str, typer.Argument(help="the account that directs its rights")],
    choices: Annotated[list[str], typer.Argument(help="PROJECT=CENTS, in order; PROJECT alone gets what is left")],
    overflow: Annotated[str, typer.Option(help="what a full project does not take: next or back")] = "back",
    anonymous: Annotated[bool, typer.Option(help="projects elsewhere are not told the address")] = False,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Direct rights to one or several projects, here or in another territory."""
    with refusals_explained():
        told = call_accounts(
            folder,
            "orient",
            id=id_or_new(id_),
            choices=[_read_choice(choice) for choice in choices],
            overflow=overflow,
            anonymous=anonymous,
            **{"from": giver},
        )
        show(told if as_json else told["placements"], as_json=as_json, title="orientations")


@orientation.command("take-back")
def take_back(
    folder: Folder, orientation: str, cents: CentsOption = None, id_: IdOption = "", as_json: AsJson = False
) -> None:
    """Change one's mind before the project is committed: the very lots come back (the id that `orient` shows)."""
    with refusals_explained():
        show(
            call_accounts(folder, "take_back", id=id_or_new(id_), orientation=orientation, cents=cents), as_json=as_json
        )


@orientation.command()
def orientations(folder: Folder, account: str, limit: int = 50, as_json: AsJson = False) -> None:
    """List what an account has directed to projects here, the newest first."""
    with refusals_explained():
        told = call_accounts(folder, "orientations", account=account, limit=limit)
        show(told, as_json=as_json, title="orientations")


@orientation.command("standing-order")
def standing_order(
    folder: Folder,
    giver: Annotated[str, typer.Argument(help="the account that directs its rights")],
    projects: Annotated[list[str] | None, typer.Argument(help="none: every open one of the theme")] = None,
    share: Annotated[int, typer.Option(help="in thousandths")] = 100,
    basis: Annotated[str, typer.Option(help="of what is held, or of what was received")] = "held",
    period_days: int = 30,
    preference: Annotated[str, typer.Option(help="listed, urgency or distance")] = "listed",
    theme: str = "",
    everywhere: Annotated[bool, typer.Option("--everywhere", help="of all territories, from the catalogue")] = False,
    near: Annotated[str, typer.Option(help="a place, as 48.39,-4.48; kept to a hundredth of a degree")] = "",
    within_km: Annotated[int, typer.Option(help="from that place; 0: any distance")] = 0,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Direct a share to projects again and again, at the end of each period."""
    with refusals_explained():
        told = call_accounts(
            folder,
            "order_standing",
            id=id_or_new(id_),
            share=share,
            basis=basis,
            period_days=period_days,
            preference=preference,
            theme=theme,
            projects=projects or [],
            everywhere=everywhere,
            near=near,
            within_km=within_km,
            **{"from": giver},
        )
        show(told, as_json=as_json)


@orientation.command("stop-standing-order")
def stop_standing_order(folder: Folder, order: str, as_json: AsJson = False) -> None:
    """Stop a standing order: what was directed stays directed."""
    with refusals_explained():
        show(call_accounts(folder, "stop_standing", id=order), as_json=as_json)


@orientation.command("standing-orders")
def standing_orders(folder: Folder, account: str, as_json: AsJson = False) -> None:
    """List the standing orders of an account."""
    with refusals_explained():
        show(call_accounts(folder, "standing", account=account), as_json=as_json, title="standing orders")


@orientation.command()
def support(folder: Folder, as_json: AsJson = False) -> None:
    """Show the projects that rights are directed to: how much and by how many, never by whom."""
    with refusals_explained():
        told = call_accounts(folder, "support")
        if not as_json:
            kept = ("address", "name", "state", "target_cents", "directed_cents", "converted_cents", "supporters")
            told = [{name: row[name] for name in kept} for row in told]
        show(told, as_json=as_json, title="support")
