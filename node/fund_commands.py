"""`citizen-miles node fund …`: what a treasurer does. Every command reaches the running fund, or opens its book itself."""

from __future__ import annotations

import base64
import datetime
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from node.fund.outgoing_payments import IbanWords, write_words
from node.fund.references import require_bic, require_iban
from node.fund_call_commands import Folder, call_fund, own_keys, sign_bytes, sign_payment_words
from node.fund_due_commands import decider, due, pledge
from node.house.cards import compute_fingerprint, format_card
from node.house.folders_store import base_folder
from node.options_commands import AsJson, CentsOption, Day, EurosOption, IdOption, InFile, Keys, id_or_new
from protocol.house import BaseName
from protocol.running import clock_service
from protocol.running.console_commands import progress, read_cents, refusals_explained, say, show
from protocol.running.keys_store import create_keys, find_passphrase, write_private
from protocol.running.settings import NotConfigured, format_settings

app = typer.Typer(no_args_is_help=True, help="The endowment fund: payments, receipts, declarations.")
donor = typer.Typer(no_args_is_help=True, help="Who gives.")
gift = typer.Typer(no_args_is_help=True, help="Gifts of citizens, outside the miles.")
bank = typer.Typer(no_args_is_help=True, help="Files of the bank, and what waits for a person.")
officer = typer.Typer(no_args_is_help=True, help="Who may sign payments.")
bearer = typer.Typer(no_args_is_help=True, help="Whom the fund may pay.")
payment = typer.Typer(no_args_is_help=True, help="Payments to bearers: two people sign, one order a day goes out.")
receipt = typer.Typer(no_args_is_help=True, help="Tax receipts.")
for name, group in (
    ("donor", donor),
    ("gift", gift),
    ("bank", bank),
    ("officer", officer),
    ("bearer", bearer),
    ("payment", payment),
    ("receipt", receipt),
    ("due", due),
    ("decider", decider),
    ("pledge", pledge),
):
    app.add_typer(group, name=name)

OutFile = Annotated[Path | None, typer.Option("--out", help="write the file there")]


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
    from node.fund.settings import FundSettings
    from node.fund_app import FILE, require_printable
    from node.house_init_service import add_base, open_folder_house

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


# ---------------------------------------------------------------- donors and gifts


@donor.command("list")
def list_donors(folder: Folder, as_json: AsJson = False) -> None:
    """List who gave, or announced a gift."""
    with refusals_explained():
        show(call_fund(folder, "donors"), as_json=as_json, title="donors")


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
def list_mandates(folder: Folder, as_json: AsJson = False) -> None:
    """List monthly gifts."""
    with refusals_explained():
        show(call_fund(folder, "mandates"), as_json=as_json, title="monthly gifts")


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


Month = Annotated[int, typer.Option(help="yyyymm; the newest")]


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


@app.command()
def expected(
    folder: Folder, open_only: Annotated[bool, typer.Option("--open")] = False, as_json: AsJson = False
) -> None:
    """List payments that were announced, and what came of them."""
    with refusals_explained():
        show(call_fund(folder, "expected", open_only=open_only), as_json=as_json, title="expected payments")


@app.command()
def remind(
    folder: Folder,
    payment: Annotated[
        str, typer.Option(help="write the next reminder of this one; without it, list what is overdue")
    ] = "",
    due: Annotated[bool, typer.Option("--due", help="list only what may be reminded of today")] = False,
    language: Annotated[str, typer.Option(help="of the letter: fr, en")] = "fr",
    out: OutFile = None,
    as_json: AsJson = False,
) -> None:
    """List payments past their due day with their reminders; or note that one goes out today, and write its letter."""
    with refusals_explained():
        if not payment:
            show(call_fund(folder, "overdue", due_only=due), as_json=as_json, title="overdue")
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
def deposits(folder: Folder, as_json: AsJson = False) -> None:
    """List what arrived, and whether its miles are issued."""
    with refusals_explained():
        show(call_fund(folder, "deposits"), as_json=as_json, title="deposits")


@app.command()
def totals(folder: Folder, as_json: AsJson = False) -> None:
    """Show what came, what was issued for it, what was paid out, and what the bank says is left."""
    with refusals_explained():
        show(call_fund(folder, "totals"), as_json=as_json)


# ---------------------------------------------------------------- the bank


@bank.command("import")
def import_statement(
    folder: Folder,
    file: InFile,
    mapping: Annotated[Path | None, typer.Option(help="for CSV: JSON, which heading holds what", exists=True)] = None,
    statement: Annotated[str, typer.Option(help="for CSV: the statement's number")] = "",
    opening: Annotated[str, typer.Option(help="for CSV: the balance before, such as 12,34")] = "",
    opening_on: Annotated[str, typer.Option(help="for CSV")] = "",
    closing: Annotated[str, typer.Option(help="for CSV: the balance after")] = "",
    closing_on: Annotated[str, typer.Option(help="for CSV")] = "",
    as_json: AsJson = False,
) -> None:
    """Take a camt.053, a camt.054, or a CSV by mapping. The same file twice changes nothing."""
    with refusals_explained():
        asked: dict[str, Any] = {"data": base64.b64encode(file.read_bytes()).decode()}
        if mapping is not None:
            asked |= {
                "mapping": json.loads(mapping.read_text(encoding="utf-8")),
                "statement_id": statement,
                "opening": read_cents(None, opening),
                "opening_on": opening_on,
                "closing": read_cents(None, closing),
                "closing_on": closing_on,
            }
        told = call_fund(folder, "import", **asked)
        show(told, as_json=as_json)
        if told["waiting"] and not as_json:
            say(f"{len(told['waiting'])} wait for a person: citizen-miles node fund bank queue {folder}")


@bank.command("queue")
def queue(folder: Folder, as_json: AsJson = False) -> None:
    """List the movements that nobody recognised, with what they might be."""
    with refusals_explained():
        show(call_fund(folder, "movements", waiting_only=True), as_json=as_json, title="waiting")


@bank.command("movements")
def movements(folder: Folder, as_json: AsJson = False) -> None:
    """List what the bank told last."""
    with refusals_explained():
        show(call_fund(folder, "movements"), as_json=as_json, title="movements")


@bank.command("decide")
def decide(
    folder: Folder,
    movement: str,
    by: Annotated[str, typer.Option(help="who decides")],
    payment: Annotated[str, typer.Option(help="the expected payment that it belongs to")] = "",
    reason: Annotated[str, typer.Option(help="or why it belongs to none")] = "",
    fee: Annotated[bool, typer.Option("--fee", help="it was a fee of the bank")] = False,
    debit: Annotated[str, typer.Option(help="the EndToEndId of a debit that it took back, with a fee")] = "",
    cents: CentsOption = None,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Say what a movement that waits is."""
    with refusals_explained():
        told = call_fund(
            folder,
            "decide",
            movement=movement,
            by=by,
            expectation=payment or None,
            reason=reason or ("fee" if fee else ""),
            cents=cents,
            is_fee=fee,
            debit=debit,
            id=id_or_new(id_),
        )
        show(told, as_json=as_json)


@bank.command("report")
def report(folder: Folder, file: InFile, as_json: AsJson = False) -> None:
    """Take the bank's report (pain.002) on an order."""
    with refusals_explained():
        show(call_fund(folder, "report", data=base64.b64encode(file.read_bytes()).decode()), as_json=as_json)


# ---------------------------------------------------------------- who signs, who is paid


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
        told = IbanWords(**words | {"id": bytes.fromhex(words["id"]), "bearer": bytes.fromhex(words["bearer"])})
        show(call_fund(folder, "iban_sign", words=words, **sign_bytes(keys, write_words(told))), as_json=as_json)


# ---------------------------------------------------------------- payments


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
def list_payments(folder: Folder, as_json: AsJson = False) -> None:
    """List payments, their signatures, and what the bank said."""
    with refusals_explained():
        show(call_fund(folder, "payments"), as_json=as_json, title="payments")


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


# ---------------------------------------------------------------- receipts


def _write_pdf(told: dict[str, Any], out: Path | None) -> dict[str, Any]:
    data = base64.b64decode(told.pop("pdf"))
    if out is not None:
        write_private(out, data)
        told["file"] = str(out)
    return told


@receipt.command("issue")
def issue_receipt(
    folder: Folder,
    donor: Annotated[str, typer.Option(help="SIREN, or the donor's id")],
    first: Annotated[str, typer.Option("--from", help="yyyy-mm-dd")],
    last: Annotated[str, typer.Option("--to", help="yyyy-mm-dd")],
    replaces: Annotated[str, typer.Option(help="the cancelled receipt that it replaces")] = "",
    out: OutFile = None,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Issue a receipt for what a donor gave in a period."""
    with refusals_explained():
        told = call_fund(
            folder, "receipt_issue", donor=donor, **{"from": first, "to": last}, replaces=replaces, id=id_or_new(id_)
        )
        show(_write_pdf(told, out), as_json=as_json)


@receipt.command("copy")
def copy_receipt(folder: Folder, number: str, out: OutFile = None, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Draw a copy: it says that it is one."""
    with refusals_explained():
        show(_write_pdf(call_fund(folder, "receipt_copy", number=number, id=id_or_new(id_)), out), as_json=as_json)


@receipt.command("cancel")
def cancel_receipt(
    folder: Folder,
    number: str,
    reason: Annotated[str, typer.Option()],
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Cancel a receipt. Its number stays taken; what it covered waits for another."""
    with refusals_explained():
        show(call_fund(folder, "receipt_cancel", number=number, reason=reason, id=id_or_new(id_)), as_json=as_json)


@receipt.command("list")
def list_receipts(folder: Folder, as_json: AsJson = False) -> None:
    """List receipts."""
    with refusals_explained():
        show(call_fund(folder, "receipts"), as_json=as_json, title="receipts")


@app.command()
def declare(
    folder: Folder,
    year: Annotated[int, typer.Option(help="the year that the fiscal year closes in")] = 0,
    as_json: AsJson = False,
) -> None:
    """Show the two figures of art. 222 bis for a fiscal year, and when they are due."""
    with refusals_explained():
        show(call_fund(folder, "declare", year=year or datetime.datetime.now(datetime.UTC).year), as_json=as_json)


declaration = typer.Typer(no_args_is_help=True, help="What the fund declares, and what it gives companies for theirs.")
app.add_typer(declaration, name="declaration")
Year = Annotated[int, typer.Option(help="the civil year that the fiscal year closes in; this one")]


@declaration.command("prefect")
def declare_prefect(
    folder: Folder,
    year: Year = 0,
    out: Annotated[Path | None, typer.Option("--out", help="the folder for three CSV", file_okay=False)] = None,
    as_json: AsJson = False,
) -> None:
    """List for the prefect: bodies that were paid, gifts with their donors, resources from abroad."""
    with refusals_explained():
        told = call_fund(folder, "declare_prefect", year=_year(year))
        files = told.pop("files")
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            for name, text in files.items():
                write_private(out / name, text.encode())
            told["files"] = [str(out / name) for name in files]
        if as_json:
            show(told, as_json=True)
            return
        for name in ("redistributions", "liberalities", "foreign"):
            show(told[name], as_json=False, title=name)


@declaration.command("company")
def declare_company(
    folder: Folder,
    donor: Annotated[str, typer.Option(help="the company's SIREN, or its id")],
    year: Annotated[int, typer.Option(help="the civil year that *its* fiscal year closes in; this one")] = 0,
    counterpart: Annotated[int, typer.Option(help="cents that it got in return in that year")] = 0,
    out: OutFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a company's 2069-RCI sheet: its gifts by date, and what it got in return where that is to be told."""
    with refusals_explained():
        told = call_fund(folder, "declare_company", donor=donor, year=_year(year), counterpart=counterpart)
        show(_write_csv(told, out), as_json=as_json)


def _write_csv(told: dict[str, Any], out: Path | None) -> dict[str, Any]:
    text = told.pop("csv")
    if out is not None:
        write_private(out, text.encode())
        told["file"] = str(out)
    return told


@receipt.command("register")
def register_of_receipts(folder: Folder, out: OutFile = None, as_json: AsJson = False) -> None:
    """Write the register of all receipts, cancelled ones too, as CSV."""
    with refusals_explained():
        show(_write_csv(call_fund(folder, "receipts_register"), out), as_json=as_json)


# ---------------------------------------------------------------- the books

books = typer.Typer(no_args_is_help=True, help="Accounts, the file of entries (FEC), yearly statements.")
app.add_typer(books, name="books")


def _year(year: int) -> int:
    return year or datetime.datetime.now(datetime.UTC).year


@books.command("balance")
def balance(folder: Folder, year: Year = 0, as_json: AsJson = False) -> None:
    """Show every account with what stands on it."""
    with refusals_explained():
        show(call_fund(folder, "balance", year=_year(year)), as_json=as_json, title="balance")


@books.command("fec")
def fec(
    folder: Folder,
    out: Annotated[Path, typer.Option("--out", help="the folder that the file goes to", file_okay=False)],
    year: Year = 0,
    as_json: AsJson = False,
) -> None:
    """Write the file of entries of a fiscal year (art. A47 A-1 LPF), and check it. Exit 1 where it has faults."""
    with refusals_explained():
        told = call_fund(folder, "fec", year=_year(year))
        out.mkdir(parents=True, exist_ok=True)
        file = out / told.pop("name")
        write_private(file, base64.b64decode(told.pop("content")))
        beside = file.with_suffix(".description.txt")
        write_private(beside, told.pop("description").encode())
        show(told | {"file": str(file), "description": str(beside)}, as_json=as_json)
    if told["faults"]:
        raise typer.Exit(1)


@books.command("close-year")
def close_year(folder: Folder, year: Year = 0, as_json: AsJson = False) -> None:
    """Bring dedicated funds to what companies paid for miles and is not spent on them. Once, before the next is opened."""
    with refusals_explained():
        show(call_fund(folder, "year_close", year=_year(year)), as_json=as_json)


@books.command("open-year")
def open_year(folder: Folder, year: Year = 0, as_json: AsJson = False) -> None:
    """Write the opening balances of a fiscal year, from all entries of the year before. Once."""
    with refusals_explained():
        show(call_fund(folder, "year_open", year=_year(year)), as_json=as_json)


@books.command("uses")
def uses(
    folder: Folder,
    year: Year = 0,
    carried_in: Annotated[int, typer.Option(help="cents of public generosity left by the year before")] = 0,
    as_json: AsJson = False,
) -> None:
    """Show the yearly statements of origin and destination (CROD), and of public generosity (CER)."""
    with refusals_explained():
        told = call_fund(folder, "uses", year=_year(year), carried_in=carried_in)
        if as_json:
            show(told, as_json=True)
        else:
            show(told["origin_and_destination"], as_json=False, title="origin and destination")
            show(told["public_generosity"] | {"surplus_cents": told["surplus_cents"]}, as_json=False)


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
