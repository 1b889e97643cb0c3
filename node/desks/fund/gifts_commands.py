"""`citizen-miles node fund`: commands of monthly gifts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from node.desks.fund.call_commands import After, Folder, Limit, call_fund, show_page
from node.desks.fund.rows import ROWS_MAX
from node.options_commands import AsJson, CentsOption, Day, EurosOption, IdOption, id_or_new
from protocol.running.console_commands import read_cents, refusals_explained, show
from protocol.running.keys_store import write_private

gift = typer.Typer(no_args_is_help=True, help="Gifts of citizens, outside the miles.")


Month = Annotated[int, typer.Option(help="yyyymm; the newest")]


@gift.command("expect")
def expect_gift(
    folder: Folder,
    donor: Annotated[str, typer.Option(help="the donor's id")],
    due: Day,
    cents: CentsOption = None,
    euros: EurosOption = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Announce a citizen's gift: its reference goes on the transfer."""
    with refusals_explained():
        told = call_fund(folder, "expect_gift", id=id_or_new(id_), donor=donor, due=due, cents=read_cents(cents, euros))
        show(told, as_json=as_json)


@gift.command("mandate")
def add_mandate(
    folder: Folder,
    donor: Annotated[str, typer.Option(help="the donor's id")],
    holder: Annotated[str, typer.Option(help="the account's holder")],
    iban: Annotated[str, typer.Option()],
    signed_on: Day,
    share: Annotated[list[str], typer.Option(help="'project=euros' for each project, such as 'Jardins=5,00'")],
    umr: Annotated[str, typer.Option(help="the mandate's reference, where it has one already")] = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Note a monthly gift that a citizen signed: one debit a month, for as many projects as it names."""
    with refusals_explained():
        shares = []
        for text in share:
            label, _, euros = text.rpartition("=")
            shares.append([label, read_cents(None, euros)])
        told = call_fund(
            folder,
            "mandate_add",
            id=id_or_new(id_),
            donor=donor,
            holder=holder,
            iban=iban,
            signed_on=signed_on,
            shares=shares,
            umr=umr,
        )
        show(told, as_json=as_json)


@gift.command("mandates")
def list_mandates(folder: Folder, after: After = "", limit: Limit = ROWS_MAX, as_json: AsJson = False) -> None:
    """List monthly gifts."""
    with refusals_explained():
        show_page(folder, "mandates", after, limit, as_json=as_json, title="monthly gifts")


@gift.command("pause")
def pause_mandate(folder: Folder, mandate: str, as_json: AsJson = False) -> None:
    """Collect nothing under a mandate until it is resumed."""
    with refusals_explained():
        show(call_fund(folder, "mandate_change", mandate=mandate, state="paused"), as_json=as_json)


@gift.command("resume")
def resume_mandate(folder: Folder, mandate: str, as_json: AsJson = False) -> None:
    """Collect again from the next month that can be announced."""
    with refusals_explained():
        show(call_fund(folder, "mandate_change", mandate=mandate, state="active"), as_json=as_json)


@gift.command("end")
def end_mandate(folder: Folder, mandate: str, as_json: AsJson = False) -> None:
    """Collect nothing more under a mandate, for good."""
    with refusals_explained():
        show(call_fund(folder, "mandate_change", mandate=mandate, state="ended"), as_json=as_json)


@gift.command("collect")
def collect(
    folder: Folder,
    out: Annotated[Path, typer.Option("--out", help="write the message (pain.008.001.08) there")],
    month: Month = 0,
    as_json: AsJson = False,
) -> None:
    """Announce and order what is due, and write the message for the bank. Asked again, it is the same."""
    with refusals_explained():
        told = call_fund(folder, "collect", month=month)
        write_private(out, told.pop("xml").encode())
        show(told | {"file": str(out)}, as_json=as_json)


@gift.command("collections")
def list_collections(folder: Folder, as_json: AsJson = False) -> None:
    """List the collections of each month."""
    with refusals_explained():
        show(call_fund(folder, "collections"), as_json=as_json, title="collections")


@gift.command("debits")
def list_debits(
    folder: Folder,
    month: Month = 0,
    language: Annotated[str, typer.Option(help="of the notice: fr, en")] = "fr",
    as_json: AsJson = False,
) -> None:
    """List a month's debits, with the notice that each donor gets beforehand, and what the bank said."""
    with refusals_explained():
        show(call_fund(folder, "gift_debits", month=month, language=language), as_json=as_json, title="debits")
