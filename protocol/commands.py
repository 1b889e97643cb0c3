"""`citizen-miles`: one command for everything. `node` and `hub` are found where they are installed, never imported here."""

from __future__ import annotations

import importlib
import os
from enum import StrEnum
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Annotated

import typer

from protocol.findings import Checked, Finding
from protocol.running.console_commands import (
    LANGUAGE_VARIABLE,
    choose_language,
    progress,
    refusals_explained,
    say,
    show,
    show_checked,
    tell_checked,
)
from protocol.running.explanations import explain_evidence
from protocol.running.later_commands import LaterGroup, group_of
from protocol.running.logs_service import set_up_logs_later

app = typer.Typer(
    no_args_is_help=True,
    help="Citizen-Miles: rights that cross territories, provable by everybody.",
    pretty_exceptions_show_locals=False,  # a local may be a passphrase
)


class Language(StrEnum):
    """The languages we speak."""

    FR = "fr"
    EN = "en"


@app.callback()
def choose(
    lang: Annotated[Language | None, typer.Option(help="fr or en; by the environment (LANG) if not given")] = None,
) -> None:
    """Citizen-Miles: rights that cross territories, provable by everybody."""
    if lang is not None:
        os.environ[LANGUAGE_VARIABLE] = lang
    set_up_logs_later(level="warning")


@app.command("verify-evidence")
def verify_evidence(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    key: Annotated[str, typer.Option(help="the accused's public signing key (hex) that you trust")] = "",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Judge an evidence file. Exit 0 only if it proves what it claims, against the key given."""
    from protocol.evidence import EVIDENCE_BYTES_MAX, NotEvidence, judge

    with refusals_explained():
        if file.stat().st_size > EVIDENCE_BYTES_MAX:
            raise NotEvidence(reason=f"more than {EVIDENCE_BYTES_MAX} bytes")
        judgement = judge(file.read_bytes())
        is_trusted = not key or key.lower() == judgement.key_fingerprint
        language = choose_language()
        told = {
            "proved": is_trusted,
            "kind": str(judgement.kind),
            "accused": judgement.accused,
            "signing_key": judgement.key_fingerprint,
            "meaning": explain_evidence(judgement.kind, judgement.accused, language),
            "summary": judgement.summary,
            "key_is_the_one_given": is_trusted if key else None,
        }
        if as_json:
            show(told, as_json=True)
        else:  # the key on one unbroken line, to be compared symbol by symbol
            show({name: told[name] for name in ("proved", "kind", "accused", "meaning", "summary")}, as_json=False)
            say(judgement.key_fingerprint)
        if not is_trusted:
            raise NotEvidence(reason="it is signed by another key than the one you gave")
        if not key and not as_json:
            say(explain_evidence("compare_key", judgement.accused, language))


@app.command("replay")
def replay_national(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    key: Annotated[str, typer.Option(help="the hub's public signing key (hex) that you trust")] = "",
    size: Annotated[int, typer.Option(help="how many leaves the log had when a node was shown its head")] = 0,
    root: Annotated[str, typer.Option(help="and the head that it was shown: `node federation status`")] = "",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Replay a national log that a hub gave out, needing nothing but the file. Exit 0 only if all of it holds.

    With --size and --root it must also be the log that a node was shown.
    """
    from protocol.national_file import NationalFileReplay
    from protocol.running.national_file_store import replay_file

    with refusals_explained():
        roots: list[bool] = []

        def compare(replay: NationalFileReplay) -> None:
            if replay.frontier.size == size:
                roots.append(replay.root_is(root))

        with progress("replay") as tell:
            replay = replay_file(file, lambda leaves: tell(f"leaf {leaves}"), compare)
        checked = replay.finish()
        if root or size:
            shown = Finding("I7", f"national log, head at {size}", root, "another" if roots else "a shorter log")
            checked.append(Checked("I7", "it is the log that a node was shown", 1, () if roots == [True] else (shown,)))
        if key:
            other = Finding("I7", "the hub's key", key, replay.hub_key())
            is_known = key.lower() == replay.hub_key()
            checked.append(Checked("I7", "the key is the one given", 1, () if is_known else (other,)))
        if as_json:
            positions = replay.state.positions.cents
            rows = [
                {"issuer": lot[0], "ref": lot[1].hex(), "holder": holder, "cents": cents}
                for (lot, holder), cents in sorted(positions.items())
                if cents
            ]
            told = {"leaves": replay.frontier.size, "signing_key": replay.hub_key(), "positions": rows}
            show(tell_checked(checked) | told, as_json=True)
        else:
            show_checked(checked, as_json=False)
            say(replay.hub_key())  # on one unbroken line, to be compared symbol by symbol
    if not all(one.is_held for one in checked):
        raise typer.Exit(1)


@app.command("version")
def show_version() -> None:
    """Print the version."""
    typer.echo(version("citizen-miles"))


def find_rooms() -> dict[str, LaterGroup]:
    """Return the rooms that are installed, by name, each with the first sentence of what its package says of itself."""
    rooms = {}
    for found in entry_points(group="citizen_miles.commands"):
        package = importlib.import_module(found.value.partition(".")[0])
        rooms[found.name] = LaterGroup(found.value, (package.__doc__ or "").partition("\n")[0])
    return rooms


def main() -> None:
    """The entry point: our own commands, and those of the rooms that are installed.

    A node's start need not wait for the hub's code, and evidence is judged without either.
    """
    app.info.cls = group_of(**find_rooms())
    app()
