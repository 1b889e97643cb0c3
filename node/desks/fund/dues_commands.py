"""`citizen-miles node fund due …`, `decider …`, `pledge …`: conversions that are owed, and what companies promised."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from node.desks.fund.call_commands import (
    After,
    Folder,
    Limit,
    Yes,
    call_fund,
    show_page,
    sign_bytes,
    sign_payment_words,
)
from node.desks.fund.rows import ROWS_MAX
from node.desks.fund.words import read_pledge_words
from node.fund.outgoing_payments import write_words
from node.options_commands import AsJson, Keys
from protocol.running.console_commands import refusals_explained, show

due = typer.Typer(no_args_is_help=True, help="What is owed for miles that were converted.")
decider = typer.Typer(no_args_is_help=True, help="Who decides of projects in other territories.")
pledge = typer.Typer(no_args_is_help=True, help="Called campaigns: pledges, and the monthly call.")


@due.command("list")
def list_dues(
    folder: Folder,
    open_only: Annotated[bool, typer.Option("--open", help="only what is not paid or on its way")] = False,
    after: After = "",
    limit: Limit = ROWS_MAX,
    as_json: AsJson = False,
) -> None:
    """List conversions, what is paid of each, what the rest waits for, and for how many days."""
    with refusals_explained():
        show_page(folder, "dues", after, limit, open_only=open_only, as_json=as_json, title="dues")


@due.command("proposals")
def list_proposals(folder: Folder, after: After = "", limit: Limit = ROWS_MAX, as_json: AsJson = False) -> None:
    """List payments that two officers may sign now: one for each bearer and round; what was called apart."""
    with refusals_explained():
        show_page(folder, "due_proposals", after, limit, as_json=as_json, title="proposals")


@due.command("sign")
def sign_due(
    folder: Folder,
    payment: Annotated[str, typer.Argument(help="the proposal's id; the second person signs the same")],
    keys: Keys,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Sign a payment of dues. With two people's signatures it goes out with the day's order."""
    with refusals_explained():
        sign_payment_words(folder, call_fund(folder, "due_words", id=payment), keys, yes=yes, as_json=as_json)


@decider.command("add")
def add_decider(
    folder: Folder,
    card: Annotated[str, typer.Argument(help="cmb1-… of the projects' base of another territory")],
    as_json: AsJson = False,
) -> None:
    """Know who decides of projects in another territory. Compare the fingerprint by telephone first."""
    with refusals_explained():
        show(call_fund(folder, "decider_add", card=card), as_json=as_json)


@decider.command("list")
def list_deciders(folder: Folder, as_json: AsJson = False) -> None:
    """List who decides elsewhere."""
    with refusals_explained():
        show(call_fund(folder, "deciders"), as_json=as_json, title="deciders")


@decider.command("revoke")
def revoke_decider(folder: Folder, territory: str, key: str, as_json: AsJson = False) -> None:
    """From now on orders under this key are refused. What was taken stands."""
    with refusals_explained():
        show(call_fund(folder, "decider_revoke", territory=territory, key=key), as_json=as_json)


@pledge.command("list")
def list_pledges(folder: Folder, after: After = "", limit: Limit = ROWS_MAX, as_json: AsJson = False) -> None:
    """List pledges: ceiling, what was converted, called, released, and what may still be called."""
    with refusals_explained():
        show_page(folder, "pledges", after, limit, as_json=as_json, title="pledges")


@pledge.command("sign")
def sign_pledge(
    folder: Folder,
    pledge: Annotated[str, typer.Argument(help="the pledge's id")],
    letter: Annotated[Path, typer.Option(help="the engagement letter on file", exists=True, dir_okay=False)],
    keys: Keys,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Accept a pledge: two people sign it with the digest of the same engagement letter. Then its miles are issued."""
    with refusals_explained():
        digest = hashlib.sha256(letter.read_bytes()).hexdigest()
        words = call_fund(folder, "pledge_words", id=pledge, letter=digest)
        if not yes:
            show({name: words[name] for name in ("campaign", "cents", "until", "letter")}, as_json=False)
            typer.confirm("sign this?", abort=True)
        signed = sign_bytes(keys, write_words(read_pledge_words(words)))
        show(call_fund(folder, "pledge_sign", words=words, **signed), as_json=as_json)


@pledge.command("decline")
def decline_pledge(
    folder: Folder,
    pledge: str,
    by: Annotated[str, typer.Option(help="who decides")],
    reason: Annotated[str, typer.Option()],
    as_json: AsJson = False,
) -> None:
    """Do not take a pledge; the companies' base is told."""
    with refusals_explained():
        show(call_fund(folder, "pledge_decline", id=pledge, by=by, reason=reason), as_json=as_json)


@pledge.command("call")
def call_pledges(folder: Folder, as_json: AsJson = False) -> None:
    """Call what was converted in past months and is not called. A served fund does it by itself; twice is once."""
    with refusals_explained():
        show(call_fund(folder, "call"), as_json=as_json)


@pledge.command("calls")
def list_calls(folder: Folder, after: After = "", limit: Limit = ROWS_MAX, as_json: AsJson = False) -> None:
    """List what was called of each company and month, and what it paid. Reminders are those of `remind`."""
    with refusals_explained():
        show_page(folder, "calls", after, limit, as_json=as_json, title="calls")
