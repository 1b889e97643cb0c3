"""`citizen-miles node fund`: commands of donors and of what is expected of them."""

from __future__ import annotations

from typing import Annotated

import typer

from node.desks.fund.call_commands import After, Folder, Limit, call_fund, show_page
from node.desks.fund.rows import ROWS_MAX
from node.options_commands import AsJson, IdOption, id_or_new
from protocol.running.console_commands import refusals_explained, show

donor = typer.Typer(no_args_is_help=True, help="Who gives.")


@donor.command("list")
def list_donors(folder: Folder, after: After = "", limit: Limit = ROWS_MAX, as_json: AsJson = False) -> None:
    """List who gave, or announced a gift."""
    with refusals_explained():
        show_page(folder, "donors", after, limit, as_json=as_json, title="donors")


@donor.command("effects")
def show_effects(
    folder: Folder,
    name: Annotated[str, typer.Argument(help="a SIREN, or the donor's id")],
    as_json: AsJson = False,
) -> None:
    """Tell what a donor's euros did, wherever it happened: converted, paid, netted, by campaign and project."""
    with refusals_explained():
        told = call_fund(folder, "donor_effects", donor=name)
        if as_json:
            show(told, as_json=True)
            return
        rows = told.pop("projects")
        show(told, as_json=False)
        show(rows, as_json=False, title="projects")


@donor.command("add")
def add_donor(
    folder: Folder,
    first_name: Annotated[str, typer.Option()],
    name: Annotated[str, typer.Option()],
    street: Annotated[str, typer.Option()],
    postcode: Annotated[str, typer.Option()],
    town: Annotated[str, typer.Option()],
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Note a person who gives to the fund directly, as the receipt must name him or her."""
    with refusals_explained():
        told = call_fund(
            folder,
            "donor_add",
            id=id_or_new(id_),
            first_name=first_name,
            name=name,
            street=street,
            postcode=postcode,
            town=town,
        )
        show(told, as_json=as_json)


@donor.command("company")
def add_company(
    folder: Folder,
    siren: Annotated[str, typer.Option()],
    name: Annotated[str, typer.Option()],
    legal_form: Annotated[str, typer.Option(help="SAS, SARL, ...")],
    street: Annotated[str, typer.Option()],
    postcode: Annotated[str, typer.Option()],
    town: Annotated[str, typer.Option()],
    country: Annotated[str, typer.Option(help="two letters")] = "FR",
    year_end: Annotated[str, typer.Option(help="the day on which its fiscal years end, mm-dd")] = "12-31",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Note a company that gives without a campaign of the partners' base."""
    with refusals_explained():
        told = call_fund(
            folder,
            "company_add",
            id=id_or_new(id_),
            siren=siren,
            name=name,
            legal_form=legal_form,
            street=street,
            postcode=postcode,
            town=town,
            country=country,
            year_end=year_end,
        )
        show(told, as_json=as_json)
