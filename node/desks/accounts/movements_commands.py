"""`citizen-miles node …`: rights are issued, credited, taken back and ceded."""

from __future__ import annotations

from typing import Annotated

import typer

from node.desks.accounts.call_commands import Folder, call_accounts
from node.options_commands import AsJson, CentsOption, EurosOption, IdOption, id_or_new
from protocol.errors import Malformed
from protocol.running import clock_service
from protocol.running.console_commands import (
    read_cents,
    refusals_explained,
    show,
)
from protocol.times import format_instant

movements = typer.Typer()


@movements.command()
def endow(
    folder: Folder,
    into: Annotated[str, typer.Option(help="the pool that receives")],
    reason: Annotated[str, typer.Option(help="which euros these are")],
    cents: CentsOption = None,
    euros: EurosOption = "",
    campaign: str = "general",
    month: Annotated[int, typer.Option(help="yyyymm; this month if 0")] = 0,
    donor: Annotated[str, typer.Option(help="an opaque id (UUID)")] = "00000000-0000-4000-8000-000000000001",
    lot_class: Annotated[
        str, typer.Option("--class", help="eligible, public_generosity, south_fit, restricted: with commas")
    ] = "eligible,south_fit",
    restriction: Annotated[str, typer.Option(help="what a restricted lot is bound to")] = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Issue rights for euros that reached the fund, into a pool. The reason is kept."""
    with refusals_explained():
        told = call_accounts(
            folder,
            "endow",
            id=id_or_new(id_),
            into=into,
            reason=reason,
            cents=read_cents(cents, euros),
            campaign=campaign,
            month=month or int(format_instant(clock_service.now())[:7].replace("-", "")),
            donor=donor,
            lot_class=_lot_class(lot_class),
            restriction=restriction,
        )
        show(told, as_json=as_json)


def _lot_class(words: str) -> int:
    """Return the flags of a lot. Raises Malformed."""
    from node.ledger.lots import LotClass

    try:
        return int(sum({LotClass[word.strip().upper()] for word in words.split(",") if word.strip()}, LotClass(0)))
    except KeyError:
        known = ", ".join(str(one.name).lower() for one in LotClass)
        raise Malformed(reason=f"--class is some of {known}, with commas") from None


@movements.command()
def credit(
    folder: Folder,
    pool: str,
    to: str,
    cents: CentsOption = None,
    euros: EurosOption = "",
    reference: str = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Credit an account from a pool."""
    with refusals_explained():
        told = call_accounts(
            folder, "credit", id=id_or_new(id_), pool=pool, to=to, cents=read_cents(cents, euros), reference=reference
        )
        show(told, as_json=as_json)


@movements.command()
def reverse(
    folder: Folder, credit: str, cents: CentsOption = None, id_: IdOption = "", as_json: AsJson = False
) -> None:
    """Take back a credit (a refunded purchase), as far as its rights are still there."""
    with refusals_explained():
        show(call_accounts(folder, "reverse", id=id_or_new(id_), credit=credit, cents=cents), as_json=as_json)


@movements.command()
def cede(
    folder: Folder,
    giver: Annotated[str, typer.Argument(help="the account that gives")],
    to: Annotated[str, typer.Argument(help="the address that receives, XXXX-XXXX-C@TERRITORY")],
    cents: CentsOption = None,
    euros: EurosOption = "",
    words: Annotated[str, typer.Option(help="a word to the beneficiary, sealed for his node")] = "",
    anonymous: bool = False,
    term: Annotated[str, typer.Option(help="expires if not handed over by then (ISO 8601)")] = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Cede rights to another account, here or in another territory."""
    with refusals_explained():
        told = call_accounts(
            folder,
            "cede",
            id=id_or_new(id_),
            to=to,
            cents=read_cents(cents, euros),
            words=words,
            anonymous=anonymous,
            term=term,
            **{"from": giver},
        )
        show(told, as_json=as_json)
