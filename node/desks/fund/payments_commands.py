"""`citizen-miles node fund`: commands of officers, bearers and payments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from node.desks.fund.call_commands import After, Folder, Limit, call_fund, show_page, sign_bytes, sign_payment_words
from node.desks.fund.rows import ROWS_MAX
from node.desks.fund.words import read_iban_words
from node.files_commands import own_keys
from node.fund.outgoing_payments import write_words
from node.options_commands import AsJson, CentsOption, Day, EurosOption, IdOption, Keys, id_or_new
from protocol.running import clock_service
from protocol.running.console_commands import read_cents, refusals_explained, show
from protocol.running.keys_store import create_keys, find_passphrase, write_private

officer = typer.Typer(no_args_is_help=True, help="Who may sign payments.")
bearer = typer.Typer(no_args_is_help=True, help="Whom the fund may pay.")
payment = typer.Typer(no_args_is_help=True, help="Payments to bearers: two people sign, one order a day goes out.")


@officer.command("new")
def new_officer(folder: Folder, name: str, keys: Keys, as_json: AsJson = False) -> None:
    """Register somebody who may sign. The keys are made in a folder of that person's own: the fund keeps the public half."""
    with refusals_explained():
        if not (keys / "current").exists():
            create_keys(keys, find_passphrase(""), clock_service.entropy(64))
        public = own_keys(keys).public
        told = call_fund(folder, "officer_add", key=public.id.hex(), name=name, signing=public.signing.hex())
        show(told, as_json=as_json)


@officer.command("list")
def list_officers(folder: Folder, as_json: AsJson = False) -> None:
    """List who may sign."""
    with refusals_explained():
        show(call_fund(folder, "officers"), as_json=as_json, title="officers")


@officer.command("revoke")
def revoke_officer(folder: Folder, key: str, id_: IdOption = "", as_json: AsJson = False) -> None:
    """From now on this key signs nothing."""
    with refusals_explained():
        show(call_fund(folder, "officer_revoke", key=key, id=id_or_new(id_)), as_json=as_json)


@bearer.command("add")
def add_bearer(
    folder: Folder,
    name: Annotated[str, typer.Option()],
    registry: Annotated[str, typer.Option(help="SIREN or RNA")],
    category: Annotated[str, typer.Option(help="its category in art. 200 / 238 bis")],
    proof: Annotated[str, typer.Option(help="what proves it")],
    proven_until: Day,
    holder: Annotated[str, typer.Option(help="the account's holder, as its bank writes it")],
    iban: Annotated[str, typer.Option()],
    seat: Annotated[str, typer.Option(help="with mail and phone: for the prefect's list")] = "",
    mail: str = "",
    phone: str = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Register a body that the law lets the fund pay, with the proof and how long it holds."""
    with refusals_explained():
        told = call_fund(
            folder,
            "bearer_add",
            id=id_or_new(id_),
            name=name,
            registry=registry,
            category=category,
            proof=proof,
            proven_until=proven_until,
            holder=holder,
            iban=iban,
            seat=seat,
            mail=mail,
            phone=phone,
        )
        show(told, as_json=as_json)


@bearer.command("list")
def list_bearers(folder: Folder, as_json: AsJson = False) -> None:
    """List whom the fund may pay."""
    with refusals_explained():
        show(call_fund(folder, "bearers"), as_json=as_json, title="bearers")


@bearer.command("iban")
def change_iban(
    folder: Folder,
    bearer: str,
    holder: Annotated[str, typer.Option()],
    iban: Annotated[str, typer.Option()],
    keys: Keys,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Sign another account for a bearer. A second person signs the same id; it is used after the delay."""
    with refusals_explained():
        words = call_fund(folder, "iban_words", id=id_or_new(id_), bearer=bearer, holder=holder, iban=iban)
        signed = sign_bytes(keys, write_words(read_iban_words(words)))
        show(call_fund(folder, "iban_sign", words=words, **signed), as_json=as_json)


@payment.command("sign")
def sign_payment(
    folder: Folder,
    keys: Keys,
    bearer: Annotated[str, typer.Option(help="the bearer's id")] = "",
    text: Annotated[str, typer.Option(help="what the bearer reads")] = "",
    decision: Annotated[str, typer.Option(help="who decided, when")] = "",
    cents: CentsOption = None,
    euros: EurosOption = "",
    id_: IdOption = "",
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    as_json: AsJson = False,
) -> None:
    """Sign a payment: the first person says whom, how much and why; the second signs the same --id."""
    with refusals_explained():
        asked = read_cents(cents, euros) if cents is not None or euros else 0
        words = call_fund(
            folder,
            "payment_words",
            id=id_or_new(id_),
            bearer=bearer or "00" * 16,
            cents=asked,
            text=text,
            decision=decision,
        )
        sign_payment_words(folder, words, keys, yes=yes, as_json=as_json)


@payment.command("refund")
def sign_refund(
    folder: Folder,
    movement: str,
    keys: Keys,
    text: Annotated[str, typer.Option(help="what the payer reads")] = "Remboursement",
    decision: Annotated[str, typer.Option(help="who decided, when")] = "",
    cents: CentsOption = None,
    id_: IdOption = "",
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    as_json: AsJson = False,
) -> None:
    """Sign that what waits of a movement goes back to where it came from; a second person signs the same --id."""
    with refusals_explained():
        words = call_fund(
            folder, "refund_words", id=id_or_new(id_), movement=movement, cents=cents, text=text, decision=decision
        )
        sign_payment_words(folder, words, keys, yes=yes, as_json=as_json)


@payment.command("list")
def list_payments(folder: Folder, after: After = "", limit: Limit = ROWS_MAX, as_json: AsJson = False) -> None:
    """List payments, their signatures, and what the bank said."""
    with refusals_explained():
        show_page(folder, "payments", after, limit, as_json=as_json, title="payments")


@payment.command("cancel")
def cancel_payment(folder: Folder, payment: str, as_json: AsJson = False) -> None:
    """Take back a payment that is not in the bank's hands."""
    with refusals_explained():
        show(call_fund(folder, "payment_cancel", id=payment), as_json=as_json)


@payment.command("order")
def order(
    folder: Folder,
    out: Annotated[Path, typer.Option("--out", help="write the message (pain.001.001.09) there")],
    day: Annotated[str, typer.Option(help="yyyy-mm-dd; today")] = "",
    as_json: AsJson = False,
) -> None:
    """Write the day's order for the bank from all payments with two signatures. Asked again, it is the same."""
    with refusals_explained():
        told = call_fund(folder, "order", day=day)
        write_private(out, told.pop("xml").encode())
        show(told | {"file": str(out)}, as_json=as_json)


@payment.command("orders")
def list_orders(folder: Folder, as_json: AsJson = False) -> None:
    """List the orders of each day."""
    with refusals_explained():
        show(call_fund(folder, "orders"), as_json=as_json, title="orders")
