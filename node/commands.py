"""`citizen-miles node …`: what a municipality does. Every command reaches the running node, or opens its book itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.desks.accounts.accounts_commands import account
from node.desks.accounts.balances_commands import balances
from node.desks.accounts.call_commands import Folder
from node.desks.accounts.cessions_commands import cession
from node.desks.accounts.federation_commands import evidence, federation, node_keys
from node.desks.accounts.keys_commands import api_key
from node.desks.accounts.movements_commands import movements
from node.desks.accounts.orientation_commands import orientation
from node.desks.accounts.recovery_commands import copies, unplaced
from node.desks.house.check_commands import checks
from protocol.errors import NotCanonical
from protocol.identifiers import require_territory
from protocol.running import clock_service
from protocol.running.console_commands import (
    refusals_explained,
    screen,
    show,
)
from protocol.running.keys_store import write_private
from protocol.running.later_commands import LaterGroup, group_of
from protocol.running.logs_service import set_up_logs
from protocol.running.settings import NotConfigured, format_settings, parse_listen

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
# In the order of the help: after what makes and serves a node, what its accounts do.
for commands in (movements, orientation, cession, balances, node_keys, copies, checks):
    app.add_typer(commands)
for name, group in (
    ("account", account),
    ("federation", federation),
    ("api-key", api_key),
    ("evidence", evidence),
    ("unplaced", unplaced),
):
    app.add_typer(group, name=name)


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
