"""`citizen-miles node fund …`: what a treasurer does. Every command reaches the running fund, or opens its book itself."""

from __future__ import annotations

import base64
import datetime
from pathlib import Path
from typing import Annotated

import typer

from node.desks.fund.bank_commands import bank
from node.desks.fund.books_commands import books
from node.desks.fund.call_commands import After, Folder, Limit, OutFile, call_fund, show_page
from node.desks.fund.cards_commands import card
from node.desks.fund.donors_commands import donor
from node.desks.fund.dues_commands import decider, due, pledge
from node.desks.fund.gifts_commands import gift
from node.desks.fund.netting_commands import netting
from node.desks.fund.payments_commands import bearer, officer, payment
from node.desks.fund.receipts_commands import declaration, receipt
from node.desks.fund.rows import ROWS_MAX
from node.doors.keys_commands import make_key_group
from node.fund.references import require_bic, require_iban
from node.house.cards import compute_fingerprint, format_card
from node.house.folders_store import base_folder
from node.options_commands import AsJson, CentsOption, Day, EurosOption, IdOption, id_or_new
from protocol.house import BaseName
from protocol.running.console_commands import progress, read_cents, refusals_explained, say, show
from protocol.running.keys_store import write_private
from protocol.running.settings import NotConfigured, format_settings

app = typer.Typer(no_args_is_help=True, help="The endowment fund: payments, receipts, declarations.")
for name, group in (
    ("donor", donor),
    ("gift", gift),
    ("bank", bank),
    ("officer", officer),
    ("bearer", bearer),
    ("payment", payment),
    ("receipt", receipt),
    ("declaration", declaration),
    ("books", books),
    ("due", due),
    ("decider", decider),
    ("card", card),
    ("pledge", pledge),
    ("key", make_key_group(call_fund, "reader, accountant, treasurer, officer", has_companies=False)),
    ("netting", netting),
):
    app.add_typer(group, name=name)


@app.command()
def init(
    folder: Folder,
    name: Annotated[str, typer.Option(help="the fund's name, as receipts print it")],
    siren: Annotated[str, typer.Option(help="its SIREN")],
    purpose: Annotated[str, typer.Option(help="its purpose, explicit enough to be checked against art. 200")],
    street: Annotated[str, typer.Option(help="number and street of its seat")],
    postcode: Annotated[str, typer.Option()],
    town: Annotated[str, typer.Option()],
    iban: Annotated[str, typer.Option(help="the account that is paid to and from")],
    bic: Annotated[str, typer.Option()],
    holder: Annotated[str, typer.Option(help="the account's holder, as the bank writes it")],
    signatory: Annotated[str, typer.Option(help="who signs receipts")],
    public_url: Annotated[str, typer.Option(help="https://… that the QR of receipts names")],
    quality: Annotated[str, typer.Option(help="as what")] = "Président",
    category: Annotated[str, typer.Option(help="the box of the receipt's form")] = "endowment_fund",
    rna: str = "",
    creditor_id: Annotated[str, typer.Option(help="ICS: for monthly gifts by direct debit")] = "",
    takes_from_public: Annotated[
        bool, typer.Option("--takes-from-public", help="the prefect authorised an appeal to public generosity")
    ] = False,
    database: Annotated[str, typer.Option(help="postgresql://… instead of a file in the folder")] = "",
    passphrase_file: str = "",
    territory: Annotated[str, typer.Option(help="only where the node lives elsewhere")] = "",
    listen: Annotated[str, typer.Option(help="host:port; only where the node lives elsewhere")] = "127.0.0.1:8462",
    as_json: AsJson = False,
) -> None:
    """Make the fund's base: configuration and keys. From then on lots are issued by its deposits, and by nothing else."""
    from node.desks.house.init_service import add_base, open_folder_house
    from node.fund.settings import FundSettings
    from node.fund_app import FILE, require_printable

    with refusals_explained():
        where = base_folder(folder, BaseName.FUND)
        if (where / FILE).exists():
            raise NotConfigured(reason=f"{where} holds a fund already")
        settings = FundSettings(
            name=name,
            siren=siren,
            purpose=purpose,
            category=category,
            street=street,
            postcode=postcode,
            town=town,
            iban=require_iban(iban),
            bic=require_bic(bic),
            account_holder=holder,
            signatory_name=signatory,
            signatory_quality=quality,
            rna=rna,
            creditor_id=creditor_id,
            takes_from_public=takes_from_public,
            public_url=public_url,
            database=database,
            passphrase_file=passphrase_file,
        )
        require_printable(settings)
        house = open_folder_house(folder, territory, listen)
        card = add_base(folder, BaseName.FUND, house, database=database, passphrase_file=passphrase_file)
        write_private(where / FILE, format_settings(settings).encode())
        show(
            {"folder": str(where), "card": format_card(card), "fingerprint": compute_fingerprint(card)},
            as_json=as_json,
        )


@app.command()
def expect(
    folder: Folder,
    donor: Annotated[str, typer.Option(help="SIREN, or the donor's id")],
    campaign: Annotated[str, typer.Option(help="what it is for, as its lots are known")],
    pool: Annotated[str, typer.Option(help="the pool that its miles are issued into")],
    due: Day,
    cents: CentsOption = None,
    euros: EurosOption = "",
    lot_class: Annotated[int, typer.Option(help="flags: 1 gives a receipt, 4 may go South, 8 restricted")] = 1,
    restriction: Annotated[str, typer.Option(help="a theme or a territory, if the company wishes")] = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Announce a company's payment: what arrives under its reference is issued as miles."""
    with refusals_explained():
        told = call_fund(
            folder,
            "expect",
            id=id_or_new(id_),
            donor=donor,
            campaign=campaign,
            pool=pool,
            due=due,
            cents=read_cents(cents, euros),
            lot_class=lot_class,
            restriction=restriction,
        )
        show(told, as_json=as_json)


@app.command()
def expected(
    folder: Folder,
    open_only: Annotated[bool, typer.Option("--open")] = False,
    after: After = "",
    limit: Limit = ROWS_MAX,
    as_json: AsJson = False,
) -> None:
    """List payments that were announced, and what came of them."""
    with refusals_explained():
        show_page(folder, "expected", after, limit, open_only=open_only, as_json=as_json, title="expected payments")


@app.command()
def remind(
    folder: Folder,
    payment: Annotated[
        str, typer.Option(help="write the next reminder of this one; without it, list what is overdue")
    ] = "",
    due: Annotated[bool, typer.Option("--due", help="list only what may be reminded of today")] = False,
    language: Annotated[str, typer.Option(help="of the letter: fr, en")] = "fr",
    out: OutFile = None,
    after: After = "",
    limit: Limit = ROWS_MAX,
    as_json: AsJson = False,
) -> None:
    """List payments past their due day with their reminders; or note that one goes out today, and write its letter."""
    with refusals_explained():
        if not payment:
            show_page(folder, "overdue", after, limit, due_only=due, as_json=as_json, title="overdue")
            return
        told = call_fund(folder, "remind", id=payment, language=language)
        if out is not None:
            out.write_text(told.pop("letter") + "\n", encoding="utf-8")
            told["file"] = str(out)
        show(told, as_json=as_json)


@app.command()
def close(
    folder: Folder,
    payment: str,
    by: Annotated[str, typer.Option(help="who decides")],
    reason: Annotated[str, typer.Option()],
    as_json: AsJson = False,
) -> None:
    """Wait no longer for the rest of a payment. What comes all the same goes to a person."""
    with refusals_explained():
        show(call_fund(folder, "expectation_close", id=payment, by=by, reason=reason), as_json=as_json)


@app.command()
def qr(folder: Folder, payment: str, out: OutFile = None, as_json: AsJson = False) -> None:
    """Draw the code that a banking application reads: account, sum and reference of an expected payment."""
    with refusals_explained():
        told = call_fund(folder, "payment_qr", id=payment)
        if out is not None:
            out.write_text(told.pop("svg"), encoding="utf-8")
            told["file"] = str(out)
        show(told, as_json=as_json)


@app.command()
def deposits(folder: Folder, after: After = "", limit: Limit = ROWS_MAX, as_json: AsJson = False) -> None:
    """List what arrived, and whether its miles are issued."""
    with refusals_explained():
        show_page(folder, "deposits", after, limit, as_json=as_json, title="deposits")


@app.command()
def totals(folder: Folder, as_json: AsJson = False) -> None:
    """Show what came, what was issued for it, what was paid out, and what the bank says is left."""
    with refusals_explained():
        show(call_fund(folder, "totals"), as_json=as_json)


@app.command()
def declare(
    folder: Folder,
    year: Annotated[int, typer.Option(help="the year that the fiscal year closes in")] = 0,
    as_json: AsJson = False,
) -> None:
    """Show the two figures of art. 222 bis for a fiscal year, and when they are due."""
    with refusals_explained():
        show(call_fund(folder, "declare", year=year or datetime.datetime.now(datetime.UTC).year), as_json=as_json)


@app.command("state-numbers")
def state_numbers(
    folder: Folder,
    by: Annotated[str, typer.Option(help="who looked at the papers and at the bank's own pages")],
    receipt_number: Annotated[str, typer.Option("--receipt", help="the last receipt that was printed, or none")],
    order_id: Annotated[str, typer.Option("--order", help="the last order that the bank was given, or none")],
    collection: Annotated[str, typer.Option(help="the last month that was collected, yyyymm, or none")] = "none",
    order_file: Annotated[Path | None, typer.Option(exists=True, help="that order, if this base lost it")] = None,
    as_json: AsJson = False,
) -> None:
    """After a recovery: say which numbers were the last to leave the house. Until then none is given, and none ordered.

    A receipt that was printed and is not here is void: take it back from its donor and issue another.
    """
    with refusals_explained():
        told = call_fund(
            folder,
            "state_numbers",
            by=by,
            receipt="" if receipt_number == "none" else receipt_number,
            order="" if order_id == "none" else order_id,
            collection=0 if collection == "none" else int(collection),
            order_file="" if order_file is None else base64.b64encode(order_file.read_bytes()).decode(),
        )
        show(told, as_json=as_json)


@app.command()
def backup(folder: Folder, file: Path) -> None:
    """Copy the fund's base to FILE, beside the running fund."""
    from node.fund_app import load_fund_settings
    from node.house_part_app import database_of
    from protocol.book.backup_service import back_up

    with refusals_explained(), progress("backup") as say_done:
        where = base_folder(folder, BaseName.FUND)
        settings = load_fund_settings(where)
        url = database_of(folder, BaseName.FUND, settings.database)
        size = back_up(url, file, lambda done, pages: say_done(f"{done} of {pages} pages"))
    say(f"{file}: {size} bytes. Keep it away from this machine, and the keys folder with it")


@app.command()
def carry(folder: Folder, as_json: AsJson = False) -> None:
    """Carry slips to the bases elsewhere, once: for a fund that is not served."""
    with refusals_explained():
        show(call_fund(folder, "carry"), as_json=as_json)
