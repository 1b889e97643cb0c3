"""`citizen-miles node …`: what a municipality does. Every command reaches the running node, or opens its book itself."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from node.options_commands import AsJson, CentsOption, EurosOption, IdOption, InFile, id_or_new
from protocol.errors import Malformed, NotCanonical
from protocol.identifiers import require_territory
from protocol.running import clock_service
from protocol.running.admin_client import Command, call, is_served
from protocol.running.console_commands import (
    bar,
    choose_language,
    progress,
    read_cents,
    refusals_explained,
    say,
    screen,
    show,
    show_checked,
)
from protocol.running.explanations import explain_evidence
from protocol.running.keys_store import write_private
from protocol.running.later_commands import LaterGroup, group_of
from protocol.running.logs_service import set_up_logs
from protocol.running.settings import NotConfigured, format_settings, parse_listen
from protocol.times import format_instant

if TYPE_CHECKING:  # what one command needs is loaded by it: the others need not wait
    from protocol.running.invitations import Invitation

# Each base has commands of its own; they are loaded where they are named.
app = typer.Typer(
    cls=group_of(
        fund=LaterGroup("node.desks.fund.commands:app", "The endowment fund: payments, receipts, declarations."),
        partners=LaterGroup(
            "node.desks.partners.commands:app",
            "Companies: campaigns, tills, files of operations, counterparts, coupons.",
        ),
        people=LaterGroup(
            "node.desks.people.commands:app",
            "People: civil records, consents, roles, cards, erasure. No name elsewhere.",
        ),
        projects=LaterGroup(
            "node.desks.projects.commands:app", "Projects: sheets, committee, votes, and the way to the bearer's bank."
        ),
        solidarity=LaterGroup(
            "node.desks.accounts.solidarity_commands:app",
            "Solidarity: pools with rules, operations, who receives; never why.",
        ),
        catalogue=LaterGroup(
            "node.desks.accounts.catalogue_commands:app", "Open projects of all territories, and territories' cards."
        ),
        group=LaterGroup(
            "node.desks.accounts.groups_commands:app", "Groups with an accredited guide: members, consent, signed acts."
        ),
        house=LaterGroup("node.desks.house.commands:app", "The bases of the territory: who they are, where they live."),
    ),
    no_args_is_help=True,
    help="A territory's node: accounts, rights, cessions, checks.",
)
account = typer.Typer(no_args_is_help=True, help="Accounts.")
federation = typer.Typer(no_args_is_help=True, help="The line to the hub, and envelopes carried by hand.")
api_key = typer.Typer(no_args_is_help=True, help="Keys for programs.")
evidence = typer.Typer(no_args_is_help=True, help="Contradictions that were found out.")
app.add_typer(account, name="account")
app.add_typer(federation, name="federation")
app.add_typer(api_key, name="api-key")
app.add_typer(evidence, name="evidence")
unplaced = typer.Typer(no_args_is_help=True, help="Rights that an old copy of the base could not place.")
app.add_typer(unplaced, name="unplaced")

Folder = Annotated[Path, typer.Argument(help="the node's folder", file_okay=False)]


def _call(folder: Path, command: str, /, **arguments: Any) -> Any:
    def open_app() -> tuple[Any, Mapping[str, Command]]:
        from node.app import NodeApp, load_config
        from node.desks.accounts.admin_commands import COMMANDS

        return NodeApp(folder, load_config(folder)), COMMANDS

    return call(folder, command, arguments, open_app=open_app)


@app.command()
def init(
    folder: Folder,
    territory: Annotated[str, typer.Option(help="SIREN, or the code of a South community")],
    name: Annotated[str, typer.Option(help="the territory's name")],
    network: str = "citizen-miles",
    hub: Annotated[str, typer.Option(help="the hub's address; empty: by file only")] = "",
    listen: Annotated[str, typer.Option(help="host:port")] = "127.0.0.1:8461",
    database: Annotated[str, typer.Option(help="postgresql://… instead of a file in the folder")] = "",
    passphrase_file: Annotated[str, typer.Option(help="a file with the passphrase of the keys")] = "",
    back_off_ceiling_ms: Annotated[int, typer.Option(help="the longest wait for a silent hub")] = 900_000,
) -> None:
    """Make a node's folder: configuration and keys."""
    from node.config import NodeConfig
    from protocol.running.keys_store import create_keys, find_passphrase, load_keyring

    with refusals_explained():
        if (folder / "node.toml").exists():
            raise NotConfigured(reason=f"{folder} holds a node already")
        config = NodeConfig(
            network=network,
            territory=require_territory(territory),
            name=name,
            listen=listen,
            hub_url=hub,
            database=database,
            passphrase_file=passphrase_file,
            back_off_ceiling_ms=back_off_ceiling_ms,
        )
        parse_listen(listen)
        _require_database(database)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        passphrase = find_passphrase(passphrase_file)
        if not (folder / "keys" / "current").exists():  # it does where an earlier init was cut short
            create_keys(folder / "keys", passphrase, clock_service.entropy(64))
        secret = load_keyring(folder / "keys", passphrase).current
        write_private(folder / "node.toml", format_settings(config).encode())
        show({"territory": territory, "folder": str(folder), "key": secret.public.id.hex()}, as_json=False)


def _require_database(url: str) -> None:
    """Raise NotConfigured unless the address names a base that we can live on."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    from protocol.book.store import require_driver

    try:
        if url:
            require_driver(make_url(url))
    except (ArgumentError, ValueError) as error:
        raise NotConfigured(reason=str(error)) from None


@app.command()
def enrol(
    folder: Folder,
    invitation: Annotated[str, typer.Argument(help="the cm1-… text from the operator")],
    export: Annotated[Path | None, typer.Option(help="write the request to a file instead of calling")] = None,
    welcome: Annotated[Path | None, typer.Option(help="take the hub's answer from a file")] = None,
) -> None:
    """Join the federation with an invitation: by a call, or by files carried by hand."""
    import asyncio

    from node.app import load_config
    from protocol.canonical import encode_typed
    from protocol.envelopes import Enrolment, SignedEnrolment
    from protocol.exchange.client import HttpTransport
    from protocol.keys import Domain, sign
    from protocol.running.invitations import InvalidInvitation, parse_invitation
    from protocol.running.keys_store import find_passphrase, load_keyring

    with refusals_explained():
        invited = parse_invitation(invitation)
        config = load_config(folder)
        if (invited.network, invited.member) != (config.network, config.territory):
            raise InvalidInvitation(reason=f"it is for {invited.member} in network {invited.network}")
        if welcome is not None:
            _take_welcome(folder, invited, welcome.read_bytes())
            return
        secret = load_keyring(folder / "keys", find_passphrase(config.passphrase_file)).current
        request = Enrolment(
            invited.network,
            invited.member,
            invited.token,
            config.name,
            secret.public.signing,
            secret.public.sealing,
            clock_service.now(),
        )
        body = encode_typed(request)
        data = encode_typed(SignedEnrolment(body, sign(secret, Domain.ENROLMENT, body)))
        if export is not None:
            write_private(export, data)
            screen.print(f"{export}: carry it to the operator, and bring the welcome back")
            return
        url = config.hub_url or invited.url

        async def post() -> bytes:
            transport = HttpTransport(url)
            try:
                return await transport.post("/v1/enrol", data)
            finally:
                await transport.close()

        _take_welcome(folder, invited, asyncio.run(post()))


def _take_welcome(folder: Path, invited: Invitation, data: bytes) -> None:
    """Keep the hub's answer if it is the hub that the operator's letter named."""
    from protocol.canonical import decode_typed
    from protocol.envelopes import Welcome
    from protocol.exchange.client import HubUnreachable
    from protocol.running.invitations import InvalidInvitation, compute_fingerprint

    try:
        told = decode_typed(data, Welcome, size_max=1_000)
    except NotCanonical:
        raise HubUnreachable(reason="the answer is not a welcome") from None
    if (told.network, told.hub) != (invited.network, invited.hub) or compute_fingerprint(
        told.signing, told.sealing
    ) != invited.fingerprint:
        raise InvalidInvitation(reason="the hub that answered is not the one that invited")
    write_private(folder / "hub.welcome", data)
    screen.print(f"enrolled with {told.hub}; restart the node if it runs")


@app.command()
def serve(
    folder: Folder,
    bases: Annotated[
        str, typer.Option(help="accounts,fund,partners,projects,people; empty: all that live in the folder")
    ] = "",
) -> None:
    """Run the node, or some of its bases, until it is told to stop."""
    import asyncio

    import uvloop

    from node.house_app import find_log_level, open_house, read_bases

    with refusals_explained():
        wanted = read_bases(bases, folder)
        set_up_logs(level=find_log_level(folder))

        async def run() -> None:
            await open_house(folder, wanted).serve(lambda port: _say_ready(folder, port))

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run())


def _say_ready(folder: Path, port: int) -> None:
    write_private(folder / "port", str(port).encode())
    screen.print(f"node ready on port {port}")


@account.command("open")
def open_account(
    folder: Folder,
    kind: Annotated[str, typer.Option(help="person, entity, group, project or pool")] = "person",
    name: Annotated[str, typer.Option(help="what payers may see, masked")] = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Open an account."""
    with refusals_explained():
        show(_call(folder, "open", id=id_or_new(id_), kind=kind, shown_name=name or None), as_json=as_json)


@account.command("show")
def show_account(folder: Folder, account: str, as_json: AsJson = False) -> None:
    """Show an account."""
    with refusals_explained():
        show(_call(folder, "account", account=account), as_json=as_json)


@account.command("freeze")
def freeze(folder: Folder, account: str, as_json: AsJson = False) -> None:
    """Freeze an account."""
    with refusals_explained():
        show(_call(folder, "state", account=account, event="freeze"), as_json=as_json)


@account.command("reopen")
def reopen(folder: Folder, account: str, as_json: AsJson = False) -> None:
    """Reopen a frozen account."""
    with refusals_explained():
        show(_call(folder, "state", account=account, event="reopen"), as_json=as_json)


@account.command("close")
def close(folder: Folder, account: str, as_json: AsJson = False) -> None:
    """Close an empty account, for ever."""
    with refusals_explained():
        show(_call(folder, "state", account=account, event="close"), as_json=as_json)


@account.command("name")
def set_name(folder: Folder, account: str, name: str = "", as_json: AsJson = False) -> None:
    """Choose the name that payers see, masked; none if empty."""
    with refusals_explained():
        show(_call(folder, "name", account=account, shown_name=name or None), as_json=as_json)


@app.command()
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
        told = _call(
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


@app.command()
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
        told = _call(
            folder, "credit", id=id_or_new(id_), pool=pool, to=to, cents=read_cents(cents, euros), reference=reference
        )
        show(told, as_json=as_json)


@app.command()
def reverse(
    folder: Folder, credit: str, cents: CentsOption = None, id_: IdOption = "", as_json: AsJson = False
) -> None:
    """Take back a credit (a refunded purchase), as far as its rights are still there."""
    with refusals_explained():
        show(_call(folder, "reverse", id=id_or_new(id_), credit=credit, cents=cents), as_json=as_json)


@app.command()
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
        told = _call(
            folder,
            "cede",
            id=id_or_new(id_),
            to=to,
            cents=read_cents(cents, euros),
            words=words,
            anonymous=anonymous,
            term=term,
            language=choose_language(),
            **{"from": giver},
        )
        show(told, as_json=as_json)


def _read_choice(text: str) -> tuple[str, int | None]:
    """Return the project and the cents of `PROJECT=CENTS`, or of `PROJECT` alone: all that is left. Raises Malformed."""
    to, equals, cents = text.partition("=")
    if equals and not (cents.isascii() and cents.isdigit() and len(cents) <= 16):
        raise Malformed(field="choice", reason=f"{text[:60]} is not PROJECT=CENTS")
    return to, int(cents) if equals else None


@app.command()
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
        told = _call(
            folder,
            "orient",
            id=id_or_new(id_),
            choices=[_read_choice(choice) for choice in choices],
            overflow=overflow,
            anonymous=anonymous,
            language=choose_language(),
            **{"from": giver},
        )
        show(told if as_json else told["placements"], as_json=as_json, title="orientations")


@app.command("take-back")
def take_back(
    folder: Folder, orientation: str, cents: CentsOption = None, id_: IdOption = "", as_json: AsJson = False
) -> None:
    """Change one's mind before the project is committed: the very lots come back (the id that `orient` shows)."""
    with refusals_explained():
        show(_call(folder, "take_back", id=id_or_new(id_), orientation=orientation, cents=cents), as_json=as_json)


@app.command()
def orientations(folder: Folder, account: str, limit: int = 50, as_json: AsJson = False) -> None:
    """List what an account has directed to projects here, the newest first."""
    with refusals_explained():
        told = _call(folder, "orientations", account=account, limit=limit)
        show(told, as_json=as_json, title="orientations")


@app.command("standing-order")
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
        told = _call(
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


@app.command("stop-standing-order")
def stop_standing_order(folder: Folder, order: str, as_json: AsJson = False) -> None:
    """Stop a standing order: what was directed stays directed."""
    with refusals_explained():
        show(_call(folder, "stop_standing", id=order), as_json=as_json)


@app.command("standing-orders")
def standing_orders(folder: Folder, account: str, as_json: AsJson = False) -> None:
    """List the standing orders of an account."""
    with refusals_explained():
        show(_call(folder, "standing", account=account), as_json=as_json, title="standing orders")


@app.command()
def support(folder: Folder, as_json: AsJson = False) -> None:
    """Show the projects that rights are directed to: how much and by how many, never by whom."""
    with refusals_explained():
        told = _call(folder, "support")
        if not as_json:
            kept = ("address", "name", "state", "target_cents", "directed_cents", "converted_cents", "supporters")
            told = [{name: row[name] for name in kept} for row in told]
        show(told, as_json=as_json, title="support")


@app.command()
def recall(folder: Folder, cession: str, as_json: AsJson = False) -> None:
    """Ask that a cession be stopped before it is handed over."""
    with refusals_explained():
        show(_call(folder, "recall", id=cession, language=choose_language()), as_json=as_json)


@app.command()
def status(folder: Folder, cession: str, as_json: AsJson = False) -> None:
    """Show where a cession stands, each step with its time."""
    with refusals_explained():
        show(_call(folder, "cession", id=cession, language=choose_language()), as_json=as_json)


@app.command()
def cessions(folder: Folder, account: str = "", limit: int = 50, as_json: AsJson = False) -> None:
    """List cessions sent, the newest first."""
    with refusals_explained():
        told = _call(folder, "cessions", account=account, limit=limit, language=choose_language())
        if not as_json:
            kept = ("id", "state", "cents", "to", "code", "queued_at", "ended_at")
            told = [{name: row[name] for name in kept} for row in told]
        show(told, as_json=as_json, title="cessions")


@app.command("give-back")
def give_back(folder: Folder, arrival: str, as_json: AsJson = False) -> None:
    """Give what arrived back to its giver, the very same lots (the id that `arrivals` shows)."""
    with refusals_explained():
        show(_call(folder, "give_back", id=arrival, language=choose_language()), as_json=as_json)


@app.command()
def arrivals(folder: Folder, account: str = "", as_json: AsJson = False) -> None:
    """List cessions received, the newest first."""
    with refusals_explained():
        show(_call(folder, "arrivals", account=account, language=choose_language()), as_json=as_json, title="arrivals")


@app.command()
def operation(
    folder: Folder, operation: Annotated[str, typer.Argument(help="an id (UUID)")], as_json: AsJson = False
) -> None:
    """Show what became of an id: posted, refused and why, or unknown."""
    with refusals_explained():
        show(_call(folder, "operation", id=operation, language=choose_language()), as_json=as_json)


@app.command()
def balance(folder: Folder, account: str, as_json: AsJson = False) -> None:
    """Show a balance, lot by lot."""
    with refusals_explained():
        told = _call(folder, "balance", account=account)
        if as_json:
            show(told, as_json=True)
        else:
            show(told.pop("lots"), as_json=False, title="lots")
            show(told, as_json=False)


@app.command()
def history(
    folder: Folder,
    account: str,
    order: Annotated[str, typer.Option(help="newest or oldest first")] = "newest",
    cursor: Annotated[int | None, typer.Option(help="go on from here")] = None,
    limit: int = 50,
    as_json: AsJson = False,
) -> None:
    """Show an account's history, by page, in either direction."""
    with refusals_explained():
        told = _call(folder, "history", account=account, order=order, cursor=cursor, limit=limit)
        if as_json:
            show(told, as_json=True)
        else:
            show(told["entries"], as_json=False, title="history")
            if told["cursor"] is not None:
                screen.print(f"--cursor {told['cursor']}")


@app.command()
def statement(folder: Folder, account: str, start: str = "", end: str = "", as_json: AsJson = False) -> None:
    """Show a period of an account: opening, entries, closing."""
    with refusals_explained():
        told = _call(folder, "statement", account=account, start=start, end=end)
        if as_json:
            show(told, as_json=True)
        else:
            show(told.pop("entries"), as_json=False, title="entries")
            show(told, as_json=False)


@app.command()
def totals(folder: Folder, as_json: AsJson = False) -> None:
    """Show the territory's figures."""
    with refusals_explained():
        show(_call(folder, "totals"), as_json=as_json)


@app.command()
def payee(folder: Folder, address: str, as_json: AsJson = False) -> None:
    """See whom an address would reach, before anything is sent."""
    with refusals_explained():
        show(_call(folder, "payee", address=address, language=choose_language()), as_json=as_json)


@federation.command("status")
def federation_status(folder: Folder, as_json: AsJson = False) -> None:
    """Say how the line to the hub is."""
    with refusals_explained():
        show(_call(folder, "federation"), as_json=as_json)


@federation.command("members")
def list_members(folder: Folder, as_json: AsJson = False) -> None:
    """List the members of the federation, as this node knows them."""
    with refusals_explained():
        show(_call(folder, "directory"), as_json=as_json, title="members")


@federation.command("now")
def exchange_now(folder: Folder, as_json: AsJson = False) -> None:
    """Exchange with the hub until neither side has anything new."""
    with refusals_explained():
        show(_call(folder, "exchange"), as_json=as_json)


@federation.command("statement")
def ask_statement(folder: Folder, as_json: AsJson = False) -> None:
    """Ask the hub for its view of us; it is compared when it arrives."""
    with refusals_explained():
        show(_call(folder, "ask_statement"), as_json=as_json)


@federation.command("export")
def export_envelope(folder: Folder, file: Path) -> None:
    """Write an envelope with all that the hub has not acknowledged, to be carried by hand."""
    with refusals_explained():
        write_private(file, bytes.fromhex(_call(folder, "export")["envelope"]))
        screen.print(f"{file}: {file.stat().st_size} bytes to carry to the hub")


@federation.command("import")
def import_envelope(folder: Folder, file: InFile, as_json: AsJson = False) -> None:
    """Take the hub's answer that was carried by hand."""
    from protocol.envelopes import ENVELOPE_BYTES_MAX
    from protocol.running.http_service import TooLarge

    with refusals_explained():
        if file.stat().st_size > ENVELOPE_BYTES_MAX:
            raise TooLarge(bytes_max=ENVELOPE_BYTES_MAX)
        show(_call(folder, "import", envelope=file.read_bytes().hex()), as_json=as_json)


@app.command("rotate-key")
def rotate_key(folder: Folder, as_json: AsJson = False) -> None:
    """Make and announce new keys; they sign when the directory shows them, and the old ones stay valid."""
    with refusals_explained():
        show(_call(folder, "rotate"), as_json=as_json)


@app.command()
def doubtful(folder: Folder, as_json: AsJson = False) -> None:
    """List what arrived on the word of a key that was retired as stolen: ask the giver's town before it is used."""
    from node.federation.doubts_store import load_doubtful
    from node.house_checks import open_accounts_read_only

    with refusals_explained():
        engine = open_accounts_read_only(folder)
        with engine.connect() as connection, connection.begin():
            rows = load_doubtful(connection)
        engine.dispose()
        show(rows, as_json=as_json, title="doubtful")


@app.command("retire-key")
def retire_key(folder: Folder, key: str, as_json: AsJson = False) -> None:
    """Announce that a key signs nothing new."""
    with refusals_explained():
        show(_call(folder, "retire", key=key), as_json=as_json)


@api_key.command("new")
def new_api_key(
    folder: Folder,
    name: str,
    scopes: Annotated[str, typer.Option(help="read, credit, cede, accounts, projects, admin: with commas")] = "read",
    account: Annotated[str, typer.Option(help="the one account it may move rights from")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a key for a program. It is shown this once."""
    with refusals_explained():
        show(_call(folder, "new_key", name=name, scopes=scopes, account=account), as_json=as_json)


@api_key.command("list")
def list_api_keys(folder: Folder, as_json: AsJson = False) -> None:
    """List the keys, without their secrets."""
    with refusals_explained():
        show(_call(folder, "keys"), as_json=as_json, title="keys")


@api_key.command("revoke")
def revoke_api_key(folder: Folder, key: str, as_json: AsJson = False) -> None:
    """End a key at once."""
    with refusals_explained():
        show(_call(folder, "revoke_key", id=key), as_json=as_json)


def _database_of(folder: Path) -> str:
    from node.app import load_config

    return load_config(folder).database or f"sqlite:///{folder / 'accounts.db'}"


@app.command()
def backup(folder: Folder, file: Path) -> None:
    """Copy the accounts base to FILE, beside the running node; the copy is whole, or it is not there."""
    from protocol.book.backup_service import back_up

    with refusals_explained(), progress("backup") as say_done:
        size = back_up(_database_of(folder), file, lambda done, pages: say_done(f"{done} of {pages} pages"))
    say(f"{file}: {size} bytes. Keep it away from this machine, and the keys folder with it")


@app.command()
def restore(folder: Folder, file: Annotated[Path | None, typer.Argument(exists=True, dir_okay=False)] = None) -> None:
    """Put the copy FILE in the place of the accounts base that was lost. The node must not run. Then: serve, and recover.

    Without FILE: the base was put back by other means (PostgreSQL's own), and is only marked as an old copy.
    """
    from node.federation.errors import BookIsBehind
    from node.federation.recovery import BEHIND
    from node.house.folders_store import find_house
    from protocol.book.backup_service import mark_restored, put_back
    from protocol.exchange.peer_recovery import BEHIND as BEHIND_IN_HOUSE

    with refusals_explained():
        marks = {BEHIND: json.dumps(BookIsBehind(ours=0, theirs=0).facts)}
        if find_house(folder) is not None:
            marks[BEHIND_IN_HOUSE] = "0"
        if file is None:
            mark_restored(_database_of(folder), marks)
            say("marked as an old copy")
        else:
            kept = put_back(_database_of(folder), file, marks)
            say(f"restored from {file}" + ("" if kept is None else f"; what was there is now {kept}"))
        is_in_house = find_house(folder) is not None
    say(f"now: citizen-miles node serve {folder}, and beside it:")
    if is_in_house:
        say(f"citizen-miles node house recover {folder} --base accounts, and then:")
    say(f"citizen-miles node recover {folder}")


@app.command()
def recover(folder: Folder, as_json: AsJson = False) -> None:
    """Bring an old copy of the accounts base back to the present, with what the hub and we ourselves had signed."""
    with refusals_explained():
        _call(folder, "recover")
        with bar("recover") as advance:
            while (told := _call(folder, "recovery"))["phase"] != "none":
                advance(told["slips_booked"], max(told["slips_pulled"], 1), f"{told['phase']} {told['trouble'] or ''}")
                if is_served(folder):
                    time.sleep(0.2)
                else:
                    _call(folder, "exchange")
        show(_call(folder, "recovery"), as_json=as_json)
        waiting = _call(folder, "unplaced")
    if waiting and not as_json:
        show(
            waiting, as_json=False, title="rights that this copy never knew: say whose they were (node unplaced settle)"
        )


@unplaced.command("list")
def list_unplaced(folder: Folder, as_json: AsJson = False) -> None:
    """List rights that left, and that an old copy of the base could not place."""
    with refusals_explained():
        show(_call(folder, "unplaced"), as_json=as_json, title="unplaced")


@unplaced.command("settle")
def settle_unplaced(folder: Folder, number: int, account: str, as_json: AsJson = False) -> None:
    """Say from which account (a pool, most often) the rights had been credited before they left."""
    with refusals_explained():
        show(_call(folder, "settle_unplaced", number=number, account=account), as_json=as_json)


@app.command()
def check(folder: Folder, as_json: AsJson = False) -> None:
    """Check every invariant of every base that lives here, beside the running node. Exit 0 only if all hold."""
    from node.house_checks import check_house

    with refusals_explained(), progress("check") as say:
        checked = check_house(folder, say)
    if not show_checked(checked, as_json=as_json):
        raise typer.Exit(1)


@evidence.command("list")
def list_evidence(folder: Folder, as_json: AsJson = False) -> None:
    """List the contradictions that were found out."""
    from node.house_checks import open_accounts_read_only
    from protocol.exchange.evidence_store import load_evidence

    with refusals_explained():
        engine = open_accounts_read_only(folder)
        with engine.connect() as connection:
            rows = load_evidence(connection)
        engine.dispose()
        show(rows, as_json=as_json, title="evidence")


@evidence.command("export")
def export_evidence(folder: Folder, number: int, file: Path) -> None:
    """Write an evidence file, for `citizen-miles verify-evidence`."""
    from node.house_checks import open_accounts_read_only
    from protocol.exchange.evidence_store import load_evidence_file

    with refusals_explained():
        engine = open_accounts_read_only(folder)
        with engine.connect() as connection:
            body = load_evidence_file(connection, number)
        engine.dispose()
        write_private(file, body)
        say(f"{file}: {len(body)} bytes")


@evidence.command("seen")
def say_evidence_seen(
    folder: Folder,
    number: int,
    reason: Annotated[str, typer.Option(help="what it was, and what came of it")],
    as_json: AsJson = False,
) -> None:
    """Say that you know of an evidence, and why: it stays, and `check` shows it without counting it."""
    with refusals_explained():
        told = _call(folder, "evidence_seen", number=number, reason=reason)
        show(told, as_json=as_json)
        if not as_json:
            say(explain_evidence("seen", told["accused"], choose_language()))
