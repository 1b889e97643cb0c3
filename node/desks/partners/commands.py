"""`citizen-miles node partners …`: companies, campaigns, tills, files. Each reaches the running base, or opens its book."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from node.doors.keys_commands import make_key_group
from node.house.cards import compute_fingerprint, format_card
from node.house.folders_store import base_folder
from node.options_commands import AsJson, CentsOption, Day, EurosOption, IdOption, InFile, id_or_new
from node.partners.companies import FRANCE
from protocol.house import BaseName
from protocol.running import clock_service
from protocol.running.admin_client import Command, call
from protocol.running.console_commands import (
    choose_language,
    progress,
    read_cents,
    refusals_explained,
    say,
    show,
)
from protocol.running.keys_store import write_private
from protocol.running.settings import NotConfigured, format_settings

app = typer.Typer(no_args_is_help=True, help="Companies: campaigns, tills, files of operations, counterparts, coupons.")
company = typer.Typer(no_args_is_help=True, help="Companies and groups.")
campaign = typer.Typer(no_args_is_help=True, help="Campaigns: what is given for what, and how much.")
till = typer.Typer(no_args_is_help=True, help="Credentials of tills and offices.")
operations = typer.Typer(no_args_is_help=True, help="Miles that no sale gives: staff, suppliers, prospects, by CSV.")
coupon = typer.Typer(no_args_is_help=True, help="A merchant's own discounts: they touch no gift and no receipt.")
for name, group in (
    ("company", company),
    ("campaign", campaign),
    ("till", till),
    ("operations", operations),
    ("coupon", coupon),
):
    app.add_typer(group, name=name)

Folder = Annotated[Path, typer.Argument(help="the node's folder, or that of the base kept apart", file_okay=False)]
SirenOption = Annotated[str, typer.Option("--siren", help="the company's SIREN")]


def _call(folder: Path, command: str, /, **arguments: Any) -> Any:
    def open_app() -> tuple[Any, Mapping[str, Command]]:
        from node.desks.partners.admin_commands import PARTNERS_COMMANDS
        from node.partners_app import PartnersApp

        return PartnersApp(folder), PARTNERS_COMMANDS

    arguments |= {"language": choose_language()}
    return call(base_folder(folder, BaseName.PARTNERS), command, arguments, open_app=open_app)


app.add_typer(make_key_group(_call, "reader, clerk, company", has_companies=True), name="key")


@app.command()
def init(
    folder: Folder,
    zone: Annotated[str, typer.Option(help="the time zone whose days tills mean")] = "Europe/Paris",
    ticket_days: Annotated[int, typer.Option(help="how long a claim ticket holds")] = 90,
    database: Annotated[str, typer.Option(help="postgresql://… instead of a file in the folder")] = "",
    passphrase_file: str = "",
    territory: Annotated[str, typer.Option(help="only where the node lives elsewhere")] = "",
    listen: Annotated[str, typer.Option(help="host:port; only where the node lives elsewhere")] = "127.0.0.1:8463",
    as_json: AsJson = False,
) -> None:
    """Make the companies' base: configuration, keys, and the secret that tickets are signed with."""
    from node.desks.house.init_service import add_base, open_folder_house
    from node.partners_app import FILE, SECRET_BYTES, SECRETS, PartnersConfig

    with refusals_explained():
        where = base_folder(folder, BaseName.PARTNERS)
        if (where / FILE).exists():
            raise NotConfigured(reason=f"{where} holds a companies' base already")
        config = PartnersConfig(zone=zone, ticket_days=ticket_days, database=database, passphrase_file=passphrase_file)
        house = open_folder_house(folder, territory, listen)
        card = add_base(folder, BaseName.PARTNERS, house, database=database, passphrase_file=passphrase_file)
        (where / SECRETS).mkdir(mode=0o700, exist_ok=True)
        secret = where / SECRETS / "0.secret"
        if not secret.exists():
            write_private(secret, clock_service.entropy(SECRET_BYTES))
        write_private(where / FILE, format_settings(config).encode())
        show(
            {"folder": str(where), "card": format_card(card), "fingerprint": compute_fingerprint(card)},
            as_json=as_json,
        )


# ---------------------------------------------------------------- companies


@company.command("save")
def save_company(
    folder: Folder,
    siren: SirenOption,
    name: Annotated[str, typer.Option(help="its legal name")],
    legal_form: Annotated[str, typer.Option(help="SAS, SARL, EI, ...")],
    street: Annotated[str, typer.Option(help="number and street")],
    postcode: Annotated[str, typer.Option()],
    town: Annotated[str, typer.Option()],
    country: Annotated[str, typer.Option(help="two letters")] = FRANCE,
    year_end: Annotated[str, typer.Option(help="the day on which its fiscal years end, mm-dd")] = "12-31",
    as_json: AsJson = False,
) -> None:
    """Enter a company, or what is new of it."""
    with refusals_explained():
        told = _call(
            folder,
            "company",
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


@company.command("list")
def list_all(folder: Folder, as_json: AsJson = False) -> None:
    """List companies."""
    with refusals_explained():
        show(_call(folder, "companies"), as_json=as_json, title="companies")


@company.command("group")
def save_group(
    folder: Folder,
    name: Annotated[str, typer.Option()],
    member: Annotated[list[str], typer.Option(help="a SIREN; once for each member")],
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Enter a group of companies: none of them funds another."""
    with refusals_explained():
        show(_call(folder, "group", id=id_or_new(id_), name=name, members=member), as_json=as_json)


@company.command("account")
def own_account(folder: Folder, siren: SirenOption, account: str, as_json: AsJson = False) -> None:
    """Say that an account is a company's own: its campaigns give it nothing."""
    with refusals_explained():
        show(_call(folder, "own_account", siren=siren, account=account), as_json=as_json)


@company.command("years")
def years(
    folder: Folder,
    siren: SirenOption,
    year: Annotated[list[str], typer.Option(help="first..last day, as 2025-07-01..2026-06-30; once for each")],
    as_json: AsJson = False,
) -> None:
    """Enter the fiscal years that must be named: the first of all, and those that a change of closing made."""
    with refusals_explained():
        told = [one.partition("..")[::2] for one in year]
        show(_call(folder, "years", siren=siren, years=told), as_json=as_json)


@company.command("turnover")
def turnover(
    folder: Folder,
    siren: SirenOption,
    starts_on: Day,
    cents: CentsOption = None,
    euros: EurosOption = "",
    as_json: AsJson = False,
) -> None:
    """Enter a fiscal year's turnover without tax: the legal ceiling is computed from it."""
    with refusals_explained():
        told = _call(folder, "turnover", siren=siren, starts_on=starts_on, cents=read_cents(cents, euros))
        show(told, as_json=as_json)


@company.command("sheet")
def sheet(folder: Folder, siren: SirenOption, as_json: AsJson = False) -> None:
    """Show what anybody may read of a company."""
    with refusals_explained():
        show(_call(folder, "sheet", siren=siren), as_json=as_json)


@company.command("effects")
def effects(folder: Folder, siren: SirenOption, as_json: AsJson = False) -> None:
    """Tell what became of a company's miles, by campaign and project, in every territory; sums of few people are not told."""
    with refusals_explained():
        told = _call(folder, "company_effects", siren=siren)
        if as_json:
            show(told, as_json=True)
            return
        rows = told.pop("projects")
        show(told, as_json=False)
        show(rows, as_json=False, title="projects")


@company.command("standing")
def standing(folder: Folder, siren: SirenOption, as_json: AsJson = False) -> None:
    """Show the legal ceiling of each fiscal year, what is carried on, and counterparts against their limit."""
    with refusals_explained():
        told = _call(folder, "standing", siren=siren)
        if as_json:
            show(told, as_json=True)
        else:
            show(told.pop("years"), as_json=False, title="fiscal years")
            show(told, as_json=False)


@company.command("counterpart")
def counterpart(
    folder: Folder,
    siren: SirenOption,
    day: Day,
    description: Annotated[str, typer.Option()],
    giver: Annotated[str, typer.Option(help="the body that gave it")],
    valuation: Annotated[str, typer.Option(help="agreement, sale_price or cost")] = "agreement",
    cents: CentsOption = None,
    euros: EurosOption = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Enter what a company received in return for its gifts; more than the limit is refused."""
    with refusals_explained():
        told = _call(
            folder,
            "counterpart",
            id=id_or_new(id_),
            siren=siren,
            day=day,
            description=description,
            giver=giver,
            valuation=valuation,
            cents=read_cents(cents, euros),
        )
        show(told, as_json=as_json)


# ---------------------------------------------------------------- campaigns


@campaign.command("draft")
def draft_campaign(
    folder: Folder,
    siren: SirenOption,
    title: Annotated[str, typer.Option()],
    opens_on: Day,
    closes_on: Day,
    ceiling: Annotated[str, typer.Option(help="what it may spend in all, euros and cents")],
    percent: Annotated[str, typer.Option(help="of the sale, such as 2,5")] = "",
    fixed: Annotated[str, typer.Option(help="or the same sum for each sale, euros and cents")] = "",
    threshold: Annotated[str, typer.Option(help="from this sale on, euros and cents")] = "",
    per_purchase: Annotated[str, typer.Option(help="at most for one sale")] = "",
    per_day: Annotated[str, typer.Option(help="at most for one holder a day")] = "",
    theme: Annotated[str, typer.Option(help="only for projects of this theme")] = "",
    territory: Annotated[str, typer.Option(help="only for projects of this territory")] = "",
    called: Annotated[bool, typer.Option("--called", help="a pledge: paid each month for what was oriented")] = False,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Draft a campaign, or amend its draft under the same --id."""
    with refusals_explained():

        def sum_of(text: str) -> int | None:
            return read_cents(None, text) if text else None

        told = _call(
            folder,
            "draft",
            id=id_or_new(id_),
            siren=siren,
            title=title,
            opens_on=opens_on,
            closes_on=closes_on,
            ceiling=read_cents(None, ceiling),
            basis_points=sum_of(percent) if percent else 0,
            fixed=sum_of(fixed) or 0,
            threshold=sum_of(threshold) or 0,
            per_purchase=sum_of(per_purchase),
            per_day=sum_of(per_day),
            theme=theme,
            territory=territory,
            called=called,
        )
        show(told, as_json=as_json)


def _show_campaign(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show(told, as_json=True)
        return
    payments = told.pop("payments")
    show(told, as_json=False)
    if payments:
        show(payments, as_json=False, title="payments: write the reference on the transfer")


@campaign.command("open")
def open_campaign(
    folder: Folder,
    campaign: str,
    due: Day,
    cents: CentsOption = None,
    euros: EurosOption = "",
    as_json: AsJson = False,
) -> None:
    """Open a campaign: its pool is asked of the accounts, its payment announced to the fund."""
    with refusals_explained():
        asked = read_cents(cents, euros) if cents is not None or euros else None
        _show_campaign(_call(folder, "open", campaign=campaign, due=due, cents=asked), as_json=as_json)


@campaign.command("show")
def show_campaign(folder: Folder, campaign: str, as_json: AsJson = False) -> None:
    """Show a campaign's budget and its payments."""
    with refusals_explained():
        _show_campaign(_call(folder, "campaign", campaign=campaign), as_json=as_json)


@company.command("calls")
def list_calls(folder: Folder, siren: SirenOption, as_json: AsJson = False) -> None:
    """List what the fund called of a company for called campaigns: reference, due day, what arrived."""
    with refusals_explained():
        show(_call(folder, "company_calls", siren=siren), as_json=as_json, title="calls")


@campaign.command("list")
def list_campaigns(folder: Folder, siren: SirenOption, as_json: AsJson = False) -> None:
    """List a company's campaigns."""
    with refusals_explained():
        show(_call(folder, "campaigns", siren=siren), as_json=as_json, title="campaigns")


@campaign.command("pay-more")
def pay_more(
    folder: Folder,
    campaign: str,
    due: Day,
    cents: CentsOption = None,
    euros: EurosOption = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Announce one payment more of an open campaign."""
    with refusals_explained():
        told = _call(
            folder, "expect_more", id=id_or_new(id_), campaign=campaign, due=due, cents=read_cents(cents, euros)
        )
        _show_campaign(told, as_json=as_json)


@campaign.command("lead")
def lead_campaign(
    folder: Folder,
    campaign: str,
    event: Annotated[str, typer.Argument(help="paused, resumed or ended")],
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Pause, resume or end a campaign."""
    with refusals_explained():
        show(_call(folder, "lead", campaign=campaign, event=event, id=id_or_new(id_)), as_json=as_json)


# ---------------------------------------------------------------- tills


@till.command("new")
def new_till(
    folder: Folder,
    siren: SirenOption,
    name: Annotated[str, typer.Option(help="where it stands")],
    number: Annotated[int | None, typer.Option(help="the till's number; none is the company's office")] = None,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Make a credential. It is shown once, and kept as a hash; asked again under its id, it is the same, without it."""
    with refusals_explained():
        show(_call(folder, "till_new", id=id_or_new(id_), siren=siren, name=name, number=number), as_json=as_json)


@till.command("list")
def list_all_tills(folder: Folder, siren: SirenOption, as_json: AsJson = False) -> None:
    """List a company's credentials, without their secrets."""
    with refusals_explained():
        show(_call(folder, "tills", siren=siren), as_json=as_json, title="tills")


@till.command("revoke")
def revoke_till(
    folder: Folder,
    key_id: str,
    stolen: Annotated[bool, typer.Option("--stolen", help="lost, stolen or copied: nothing of it is taken")] = False,
    as_json: AsJson = False,
) -> None:
    """End a credential at once. What a till that was put away sold before is taken for a while."""
    with refusals_explained():
        show(_call(folder, "till_revoke", key_id=key_id, stolen=stolen), as_json=as_json)


@app.command("claim")
def claim(folder: Folder, ticket: str, account: str, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Claim a ticket for an account: whoever is first has it."""
    with refusals_explained():
        show(_call(folder, "claim", ticket=ticket, account=account, id=id_or_new(id_)), as_json=as_json)


# ---------------------------------------------------------------- files


def _show_report(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show(told, as_json=True)
        return
    problems = told.pop("problems")
    show(told, as_json=False)
    if problems:
        show(problems, as_json=False, title="rows that are not taken")


@operations.command("try")
def try_operations(folder: Folder, campaign: str, file: InFile, as_json: AsJson = False) -> None:
    """Read a file and say row by row what it would come to. Nothing is kept."""
    with refusals_explained(), progress("reading"):
        told = _call(folder, "operations_try", campaign=campaign, file=str(file.resolve()))
    _show_report(told, as_json=as_json)
    if told["rows"] != told["accepted"]:
        raise typer.Exit(1)


@operations.command("book")
def book_operations(
    folder: Folder,
    campaign: str,
    file: InFile,
    skips_wrong: Annotated[
        bool, typer.Option("--skip-wrong", help="book the right rows although others are wrong")
    ] = False,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Book a file. Stopped in the middle, the same --id goes on where it was; a served base goes on by itself."""
    with refusals_explained():
        run = id_or_new(id_)
        with progress("booking") as say_done:
            say_done("keeping the rows")
            _call(folder, "operations_load", id=run, campaign=campaign, file=str(file.resolve()))
            say_done("granting")
            told = _call(folder, "operations_book", run=run, skips_wrong=skips_wrong)
        show(told, as_json=as_json)


@operations.command("report")
def report_operations(
    folder: Folder,
    run: str,
    out: Annotated[Path | None, typer.Option("--out", help="write every row there, as JSON lines")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what became of each row of a file."""
    with refusals_explained():
        if out is None:
            show(_call(folder, "operations_report", run=run, limit=500), as_json=as_json, title="rows")
            return
        after, count = 0, 0
        with out.open("w", encoding="utf-8") as lines:
            while rows := _call(folder, "operations_report", run=run, after=after):
                lines.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
                after, count = rows[-1]["line"], count + len(rows)
        show({"rows": count, "file": str(out)}, as_json=as_json)


# ---------------------------------------------------------------- coupons


@coupon.command("issue")
def issue_coupon(
    folder: Folder,
    siren: SirenOption,
    words: Annotated[str, typer.Option(help="what the customer reads")],
    valid_from: Day,
    valid_to: Day,
    percent: Annotated[str, typer.Option(help="off, such as 10,00")] = "",
    euros: Annotated[str, typer.Option(help="or a sum off, such as 5,00")] = "",
    occasion: Annotated[str, typer.Option(help="local_purchase, loyalty or opening")] = "local_purchase",
    sale_min: Annotated[str, typer.Option(help="from this sale on")] = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Hand out a merchant's discount."""
    with refusals_explained():
        told = _call(
            folder,
            "coupon",
            id=id_or_new(id_),
            siren=siren,
            words=words,
            valid_from=valid_from,
            valid_to=valid_to,
            basis_points=read_cents(None, percent) if percent else 0,
            cents=read_cents(None, euros) if euros else 0,
            occasion=occasion,
            sale_min=read_cents(None, sale_min) if sale_min else 0,
        )
        show(told, as_json=as_json)


@coupon.command("list")
def list_all_coupons(folder: Folder, siren: SirenOption, as_json: AsJson = False) -> None:
    """List a merchant's coupons."""
    with refusals_explained():
        show(_call(folder, "coupons", siren=siren), as_json=as_json, title="coupons")


@coupon.command("move")
def move_coupon(
    folder: Folder,
    siren: SirenOption,
    coupon: str,
    event: Annotated[str, typer.Argument(help="used, withdrawn or lapsed")],
    sale: Annotated[str, typer.Option(help="the sale that used it")] = "",
    euros: Annotated[str, typer.Option(help="what that sale came to, such as 12,34")] = "",
    as_json: AsJson = False,
) -> None:
    """Note that a coupon was used, withdrawn, or has lapsed."""
    with refusals_explained():
        told = _call(
            folder,
            "coupon_move",
            siren=siren,
            coupon=coupon,
            event=event,
            sale=sale,
            cents=read_cents(None, euros) if euros else 0,
        )
        show(told, as_json=as_json)


@app.command()
def backup(folder: Folder, file: Path) -> None:
    """Copy the companies' base to FILE, beside the running base."""
    from node.house_part_app import database_of
    from node.partners_app import load_partners_config
    from protocol.book.backup_service import back_up

    with refusals_explained(), progress("backup") as say_done:
        config = load_partners_config(base_folder(folder, BaseName.PARTNERS))
        url = database_of(folder, BaseName.PARTNERS, config.database)
        size = back_up(url, file, lambda done, pages: say_done(f"{done} of {pages} pages"))
    say(f"{file}: {size} bytes. Keep it away from this machine, and the folders keys and tickets with it")
