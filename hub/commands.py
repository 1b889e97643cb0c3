"""`citizen-miles hub …`: what an operator does. Every command reaches the running hub, or opens its book itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.catalogue_commands import make_catalogue
from hub.operator_keys_commands import operator_key
from hub.windows_commands import make_windows
from protocol.identifiers import make_south_code
from protocol.running import clock_service
from protocol.running.admin_client import Command, call
from protocol.running.console_commands import (
    bar,
    choose_language,
    progress,
    refusals_explained,
    say,
    say_way_back,
    screen,
    show,
    show_checked,
    word_way_back,
)
from protocol.running.explanations import explain_evidence
from protocol.running.keys_store import write_private
from protocol.running.logs_service import set_up_logs
from protocol.running.settings import NotConfigured

if TYPE_CHECKING:  # who asks a running hub need not wait for the libraries of a base
    from sqlalchemy import Engine

app = typer.Typer(no_args_is_help=True, help="The national hub: members, clearing, checks.")
federation = typer.Typer(no_args_is_help=True, help="Envelopes carried by hand.")
evidence = typer.Typer(no_args_is_help=True, help="Contradictions that were found out.")
app.add_typer(federation, name="federation")
app.add_typer(evidence, name="evidence")
national = typer.Typer(no_args_is_help=True, help="The log of the hub's decisions, for everybody.")
app.add_typer(national, name="national")

Folder = Annotated[Path, typer.Argument(help="the hub's folder", file_okay=False)]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table")]


def _call(folder: Path, name: str, **arguments: Any) -> Any:
    def open_app() -> tuple[Any, Mapping[str, Command]]:
        from hub.admin_commands import COMMANDS
        from hub.app import HubApp, load_config

        return HubApp(folder, load_config(folder)), COMMANDS

    return call(folder, name, arguments, open_app=open_app)


app.add_typer(make_windows(_call), name="window")
app.add_typer(operator_key, name="operator-key")
app.add_typer(make_catalogue(_call), name="catalogue")


@app.command()
def init(
    folder: Folder,
    network: Annotated[str, typer.Option(help="the federation's name, the same for all its members")] = "citizen-miles",
    name: Annotated[str, typer.Option(help="the operator's name")] = "Citizen-Miles hub",
    country: Annotated[str, typer.Option(help="two letters")] = "FR",
    listen: Annotated[str, typer.Option(help="host:port")] = "127.0.0.1:8460",
    url: Annotated[str, typer.Option(help="how nodes reach the hub")] = "",
    database: Annotated[str, typer.Option(help="postgresql://… instead of a file in the folder")] = "",
    passphrase_file: Annotated[str, typer.Option(help="a file with the passphrase of the keys")] = "",
) -> None:
    """Make a hub's folder: configuration and keys."""
    from hub.config import HubConfig
    from protocol.running.keys_store import create_keys, find_passphrase, load_keyring
    from protocol.running.settings import format_settings, parse_listen, parse_settings

    with refusals_explained():
        if (folder / "hub.toml").exists():
            raise NotConfigured(reason=f"{folder} holds a hub already")
        config = HubConfig(
            network=network,
            code=f"HUB-{country.upper()}",
            name=name,
            listen=listen,
            url=url or f"http://{listen}",
            database=database,
            passphrase_file=passphrase_file,
        )
        written = format_settings(config)
        parse_settings(written, HubConfig)  # what would not be read again makes no folder
        parse_listen(listen)
        _require_database(database)
        passphrase = find_passphrase(passphrase_file)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (folder / "keys" / "current").exists():  # it does where an earlier init was cut short
            create_keys(folder / "keys", passphrase, clock_service.entropy(64))
        secret = load_keyring(folder / "keys", passphrase).current
        write_private(folder / "hub.toml", written.encode())
        show({"hub": config.code, "folder": str(folder), "signing_key": secret.public.signing.hex()}, as_json=False)


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
def serve(folder: Folder) -> None:
    """Run the hub until it is told to stop."""
    import uvloop

    from hub.admin_commands import COMMANDS
    from hub.api import make_api
    from hub.app import HubApp, load_config
    from hub.operators.api import make_operators_beside
    from protocol.running.admin_service import AdminServer, wait_for_book

    with refusals_explained():
        config = load_config(folder)
        set_up_logs(level=config.log_level)

        async def run() -> None:
            hub = wait_for_book(lambda: HubApp(folder, config))
            admin = AdminServer(folder, COMMANDS, hub)
            beside = make_operators_beside(hub)
            await hub.serve(make_api(hub), admin, lambda port: _say_ready(folder, port), beside=beside)

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run())


def _say_ready(folder: Path, port: int) -> None:
    write_private(folder / "port", str(port).encode())
    screen.print(f"hub ready on port {port}")


@app.command()
def invite(folder: Folder, member: str, url: str = "", as_json: AsJson = False) -> None:
    """Invite a territory (SIREN) or a South community (see south-code): prints a one-time invitation."""
    with refusals_explained():
        told = _call(folder, "invite", member=member, url=url)
        if as_json:
            show(told, as_json=True)
        else:  # one unbroken line, to be copied whole
            show({"member": told["member"], "ends": told["ends"]}, as_json=False)
            say(told["invitation"])


@app.command("south-code")
def south_code() -> None:
    """Print a new code for a South community."""
    typer.echo(make_south_code(clock_service.entropy(16)))


@app.command()
def accredit(folder: Folder, member: str, sponsor: str = "", guide: str = "", as_json: AsJson = False) -> None:
    """Let an enrolled member take part; a South community needs --sponsor and --guide."""
    with refusals_explained():
        show(_call(folder, "accredit", member=member, sponsor=sponsor, guide=guide), as_json=as_json)


@app.command()
def members(folder: Folder, as_json: AsJson = False) -> None:
    """List the members."""
    with refusals_explained():
        told = _call(folder, "members")
        if not as_json:
            told = [
                {name: row[name] for name in ("member", "name", "kind", "status", "sponsor", "called")} for row in told
            ]
        show(told, as_json=as_json, title="members")


@app.command()
def limits(
    folder: Folder,
    member: str,
    abroad: Annotated[int | None, typer.Option(help="cents of its rights held abroad at most")] = None,
    message: Annotated[int | None, typer.Option(help="cents in one cession at most")] = None,
    day: Annotated[int | None, typer.Option(help="cents ceded in one day at most")] = None,
    as_json: AsJson = False,
) -> None:
    """Set a member's ceilings, in cents; what is not given stays."""
    with refusals_explained():
        told = _call(folder, "change", kind="limits", member=member, abroad=abroad, message=message, day=day)
        show(told, as_json=as_json)


@app.command()
def suspend(folder: Folder, member: str, reason: Annotated[str, typer.Option()], as_json: AsJson = False) -> None:
    """Stop a member from sending and receiving new rights, with the reason that everybody sees."""
    with refusals_explained():
        show(_call(folder, "change", kind="suspend", member=member, reason=reason), as_json=as_json)


@app.command()
def reinstate(folder: Folder, member: str, as_json: AsJson = False) -> None:
    """Let a suspended member take part again."""
    with refusals_explained():
        show(_call(folder, "change", kind="reinstate", member=member), as_json=as_json)


@app.command("rotate-key")
def rotate_key(folder: Folder, as_json: AsJson = False) -> None:
    """Make new keys of the hub's own; the old ones stay valid until they are retired."""
    with refusals_explained():
        show(_call(folder, "rotate"), as_json=as_json)


@app.command("retire-key")
def retire_key(
    folder: Folder,
    member: str,
    key: str,
    compromised_since: Annotated[int | None, typer.Option(help="first slip to confirm again")] = None,
    as_json: AsJson = False,
) -> None:
    """Retire a key; with --compromised-since, say from which slip on it is not to be trusted."""
    with refusals_explained():
        told = _call(folder, "change", kind="retire", member=member, key=key, since=compromised_since)
        show(told, as_json=as_json)


@app.command()
def doubtful(folder: Folder, as_json: AsJson = False) -> None:
    """List the slips to be confirmed by their author: those that a key retired as stolen may have signed."""
    from hub.app import load_config
    from hub.clearing.doubts_store import load_doubtful
    from hub.directory.service import load_entries

    with refusals_explained():
        code = load_config(folder).code
        engine = _open_read_only(folder)
        with engine.connect() as connection, connection.begin():
            rows = load_doubtful(connection, code, load_entries(connection))
        engine.dispose()
        show(rows, as_json=as_json, title="doubtful")


@app.command()
def status(folder: Folder, as_json: AsJson = False) -> None:
    """Say how the hub is."""
    with refusals_explained():
        show(_call(folder, "status"), as_json=as_json)


@app.command()
def backup(folder: Folder, file: Path) -> None:
    """Copy the hub's base to FILE, beside the running hub; the copy is whole, or it is not there."""
    from protocol.book.backup_service import back_up

    with refusals_explained(), progress("backup") as say_done:
        size = back_up(_database_of(folder), file, lambda done, pages: say_done(f"{done} of {pages} pages"))
    say_way_back("copied", file=file, size=size, beside="keys/, hub.toml")


@app.command()
def restore(folder: Folder, file: Annotated[Path | None, typer.Argument(exists=True, dir_okay=False)] = None) -> None:
    """Put the copy FILE in the place of the hub's base that was lost. The hub must not run. Then: serve, and recover.

    Without FILE: the base was put back by other means (PostgreSQL's own), and is only marked as an old copy.
    """
    from hub.recovery.recovery import RESTORED
    from protocol.book.backup_service import mark_restored, put_back

    with refusals_explained():
        marks = {RESTORED: str(clock_service.now())}
        if file is None:
            mark_restored(_database_of(folder), marks)
            say_way_back("marked")
        else:
            kept = put_back(_database_of(folder), file, marks)
            say_way_back("put_back", file=file)
            if kept is not None:
                say_way_back("kept", kept=kept)
    say_way_back("serve", command=f"citizen-miles hub serve {folder}")
    say_way_back("next", number=2, command=f"citizen-miles hub recover {folder}")
    say_way_back("alone")


@app.command()
def recover(
    folder: Folder,
    without: Annotated[list[str] | None, typer.Option(help="a member not to wait for; it must recover later")] = None,
    as_json: AsJson = False,
) -> None:
    """Take this base for an old copy: collect from the members what it told them, then go on."""
    with refusals_explained():
        _call(folder, "recover")
        if without:
            show(_call(folder, "finish_recovery", without=without), as_json=as_json)
            return
        members, is_said = 0, as_json
        with bar("recover") as advance:
            while (told := _call(folder, "recovery"))["phase"] != "none":
                members = told["members"]
                advance(told["given_back"], members, word_way_back("waits", waiting=told["waiting_for"] or "-"))
                if told["waiting_for"] and not is_said:
                    is_said = True
                    say_way_back("without", command=f"citizen-miles hub recover {folder} --without …")
                time.sleep(0.5)
        # Afterwards nobody is asked any more, and these would be shown as none.
        show({**told, "members": members, "given_back": members}, as_json=as_json)
        if not as_json:
            say_way_back("back", command=f"citizen-miles hub check {folder}")


def _database_of(folder: Path) -> str:
    from hub.app import load_config

    return load_config(folder).database or f"sqlite:///{folder / 'hub.db'}"


@app.command()
def positions(folder: Folder, as_json: AsJson = False) -> None:
    """List rights held outside their issuer's territory, and rights on the way."""
    from hub.clearing import store
    from protocol.cession import CessionState

    with refusals_explained():
        engine = _open_read_only(folder)
        with engine.connect() as connection, connection.begin():
            rows = [
                {"issuer": issuer, "holder": holder, "cents": cents, "state": "held"}
                for issuer, holder, cents in store.load_all_positions(connection)
            ]
            rows += [
                {"issuer": issuer, "holder": f"{giver} → {taker}", "cents": cents, "state": str(CessionState.CLEARED)}
                for issuer, giver, taker, cents in store.load_all_transit(connection)
            ]
        engine.dispose()
        show(rows, as_json=as_json, title="positions")


@app.command()
def obligations(
    folder: Folder,
    member: Annotated[str, typer.Option(help="only what this territory owes or is owed")] = "",
    as_json: AsJson = False,
) -> None:
    """List what funds owe each other for conversions, and how far the euros are."""
    from hub.settlement.store import load_owed

    with refusals_explained():
        engine = _open_read_only(folder)
        with engine.connect() as connection, connection.begin():
            rows = [
                {
                    "conversion": f"{origin}/{epoch}/{index}/{place}",
                    "debtor": one.debtor,
                    "creditor": one.creditor,
                    "project": one.project.hex(),
                    "cents": one.cents,
                    "state": str(one.state),
                    "said_on": one.said_on,
                    "confirmed_on": one.confirmed_on,
                    "window": one.window,
                }
                for ((origin, epoch, index), place), one in load_owed(connection, member)
            ]
        engine.dispose()
        show(rows, as_json=as_json, title="obligations")


def _open_read_only(folder: Path) -> Engine:
    """Open the base beside whoever writes it. Raises NotConfigured where there is none yet."""
    from sqlalchemy.engine import make_url

    from hub.app import load_config
    from protocol.book.store import open_engine

    config = load_config(folder)
    url = make_url(config.database or f"sqlite:///{folder / 'hub.db'}")
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        raise NotConfigured(reason=f"{url.database} is not there yet: serve the hub, or run another command, once")
    return open_engine(url, read_only=True)


@app.command()
def check(folder: Folder, as_json: AsJson = False) -> None:
    """Check every invariant, beside the running hub. Exit 0 only if all hold."""
    from hub.app import load_config
    from hub.reconciliation.checks import check_hub

    with refusals_explained():
        code = load_config(folder).code
        engine = _open_read_only(folder)
        with progress("check") as say, engine.connect() as connection, connection.begin():
            checked = check_hub(connection, hub=code, on_progress=say)
        engine.dispose()
    if not show_checked(checked, as_json=as_json):
        raise typer.Exit(1)


@app.command("replay")
def replay_log(folder: Folder, as_json: AsJson = False) -> None:
    """Recompute the positions from the log alone, and compare."""
    from hub.app import load_config
    from hub.reconciliation.checks import compare_with_replay, replay

    with refusals_explained():
        code = load_config(folder).code
        engine = _open_read_only(folder)
        with progress("replay") as say, engine.connect() as connection, connection.begin():
            state, checked = replay(connection, code, say)
            compared = compare_with_replay(connection, state)
        engine.dispose()
    if not show_checked([*checked, *compared], as_json=as_json):
        raise typer.Exit(1)


@national.command("export")
def export_national(folder: Folder, file: Path) -> None:
    """Write the national log into FILE, beside the running hub: anybody can check it with `citizen-miles replay`.

    It names territories, lots and amounts, and no person.
    """
    from hub.app import load_config
    from hub.reconciliation.export_service import load_header, load_records
    from protocol.exchange.service import Identity
    from protocol.running.keys_store import find_passphrase, load_keyring
    from protocol.running.national_file_store import save_national

    with refusals_explained():
        config = load_config(folder)
        keyring = load_keyring(folder / "keys", find_passphrase(config.passphrase_file))
        identity = Identity(config.network, config.code, keyring)
        engine = _open_read_only(folder)
        with progress("export") as tell, engine.connect() as connection, connection.begin():
            log, header = load_header(connection, identity)
            tell(f"{log.size} leaves")
            size = save_national(file, header, load_records(connection, identity, log))
        engine.dispose()
        say(f"{file}: {log.size} leaves, {size} bytes, root {log.root.hex()}")


@evidence.command("list")
def list_evidence(folder: Folder, as_json: AsJson = False) -> None:
    """List the contradictions that were found out."""
    from protocol.exchange.evidence_store import load_evidence

    with refusals_explained():
        engine = _open_read_only(folder)
        with engine.connect() as connection:
            rows = load_evidence(connection)
        engine.dispose()
        show(rows, as_json=as_json, title="evidence")


@evidence.command("export")
def export_evidence(folder: Folder, number: int, file: Path) -> None:
    """Write an evidence file, for `citizen-miles verify-evidence`."""
    from protocol.exchange.evidence_store import load_evidence_file

    with refusals_explained():
        engine = _open_read_only(folder)
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


@federation.command("import")
def import_envelope(
    folder: Folder,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    reply: Annotated[Path, typer.Option(help="where to write the answering envelope")],
) -> None:
    """Take an envelope that was carried by hand, and write the answer to carry back."""
    with refusals_explained():
        told = _call(folder, "answer", envelope=_read_bounded(file).hex())
        write_private(reply, bytes.fromhex(told["envelope"]))
        say(f"{reply}: {reply.stat().st_size} bytes to carry back")


@federation.command("enrol")
def import_enrolment(
    folder: Folder,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    reply: Annotated[Path, typer.Option(help="where to write the welcome")],
) -> None:
    """Take an enrolment that was carried by hand, and write the welcome to carry back."""
    with refusals_explained():
        told = _call(folder, "enrol", enrolment=_read_bounded(file).hex())
        write_private(reply, bytes.fromhex(told["welcome"]))
        say(f"{reply}: welcome written")


def _read_bounded(file: Path) -> bytes:
    from protocol.envelopes import ENVELOPE_BYTES_MAX
    from protocol.running.http_service import TooLarge

    if file.stat().st_size > ENVELOPE_BYTES_MAX:
        raise TooLarge(bytes_max=ENVELOPE_BYTES_MAX)
    return file.read_bytes()
