"""`citizen-miles node …`: the line to the hub, the node's keys, and contradictions that were found out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from node.desks.accounts.call_commands import Folder, call_accounts
from node.options_commands import AsJson, InFile
from protocol.running.console_commands import (
    choose_language,
    refusals_explained,
    say,
    screen,
    show,
)
from protocol.running.explanations import explain_evidence
from protocol.running.keys_store import write_private

federation = typer.Typer(no_args_is_help=True, help="The line to the hub, and envelopes carried by hand.")
node_keys = typer.Typer()
evidence = typer.Typer(no_args_is_help=True, help="Contradictions that were found out.")


@federation.command("status")
def federation_status(folder: Folder, as_json: AsJson = False) -> None:
    """Say how the line to the hub is."""
    with refusals_explained():
        show(call_accounts(folder, "federation"), as_json=as_json)


@federation.command("members")
def list_members(folder: Folder, as_json: AsJson = False) -> None:
    """List the members of the federation, as this node knows them."""
    with refusals_explained():
        show(call_accounts(folder, "directory"), as_json=as_json, title="members")


@federation.command("now")
def exchange_now(folder: Folder, as_json: AsJson = False) -> None:
    """Exchange with the hub until neither side has anything new."""
    with refusals_explained():
        show(call_accounts(folder, "exchange"), as_json=as_json)


@federation.command("statement")
def ask_statement(folder: Folder, as_json: AsJson = False) -> None:
    """Ask the hub for its view of us; it is compared when it arrives."""
    with refusals_explained():
        show(call_accounts(folder, "ask_statement"), as_json=as_json)


@federation.command("export")
def export_envelope(folder: Folder, file: Path) -> None:
    """Write an envelope with all that the hub has not acknowledged, to be carried by hand."""
    with refusals_explained():
        write_private(file, bytes.fromhex(call_accounts(folder, "export")["envelope"]))
        screen.print(f"{file}: {file.stat().st_size} bytes to carry to the hub")


@federation.command("import")
def import_envelope(folder: Folder, file: InFile, as_json: AsJson = False) -> None:
    """Take the hub's answer that was carried by hand."""
    from protocol.envelopes import ENVELOPE_BYTES_MAX
    from protocol.running.http_service import TooLarge

    with refusals_explained():
        if file.stat().st_size > ENVELOPE_BYTES_MAX:
            raise TooLarge(bytes_max=ENVELOPE_BYTES_MAX)
        show(call_accounts(folder, "import", envelope=file.read_bytes().hex()), as_json=as_json)


@node_keys.command("rotate-key")
def rotate_key(folder: Folder, as_json: AsJson = False) -> None:
    """Make and announce new keys; they sign when the directory shows them, and the old ones stay valid."""
    with refusals_explained():
        show(call_accounts(folder, "rotate"), as_json=as_json)


@node_keys.command()
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


@node_keys.command("retire-key")
def retire_key(folder: Folder, key: str, as_json: AsJson = False) -> None:
    """Announce that a key signs nothing new."""
    with refusals_explained():
        show(call_accounts(folder, "retire", key=key), as_json=as_json)


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
        told = call_accounts(folder, "evidence_seen", number=number, reason=reason)
        show(told, as_json=as_json)
        if not as_json:
            say(explain_evidence("seen", told["accused"], choose_language()))
