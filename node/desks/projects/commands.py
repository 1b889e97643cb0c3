"""`citizen-miles node projects …`: projects, committee, votes, rounds. Each reaches the running base, or opens its book.

Some need no base: a key is made, a ballot is signed and a drawing is made again wherever their people are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from node.desks.projects import (
    attestations_commands,
    audits_commands,
    passes_commands,
    south_commands,
    volunteering_commands,
)
from node.desks.projects.bearers_commands import bearer
from node.desks.projects.call_commands import Author, By, Folder, Project, Reason, call_projects
from node.desks.projects.comments_commands import comment
from node.desks.projects.committee_commands import draw, member, signer
from node.desks.projects.payments_commands import payer, proof
from node.desks.projects.votes_commands import vote
from node.doors.keys_commands import make_key_group
from node.files_commands import hash_file, own_keys
from node.governance.signers import write_public
from node.house.cards import compute_fingerprint, format_card
from node.house.folders_store import base_folder
from node.options_commands import AsJson, Day, IdOption, InFile, Keys, id_or_new
from protocol.house import BaseName
from protocol.running import clock_service
from protocol.running.console_commands import (
    progress,
    refusals_explained,
    say,
    show,
)
from protocol.running.keys_store import create_keys, find_passphrase, write_private
from protocol.running.settings import NotConfigured, format_settings

app = typer.Typer(no_args_is_help=True, help="Projects: sheets, committee, votes, and the way to the bearer's bank.")
for name, group in (
    ("bearer", bearer),
    ("signer", signer),
    ("member", member),
    ("draw", draw),
    ("vote", vote),
    ("comment", comment),
    ("payer", payer),
    ("proof", proof),
    ("audit", audits_commands.app),
    ("attest", attestations_commands.app),
    ("pass", passes_commands.app),
    ("south", south_commands.app),
    ("guide", south_commands.guide),
    ("volunteer", volunteering_commands.app),
    (
        "door-key",
        make_key_group(call_projects, "reader, secretary, moderator, treasurer, officer", has_companies=False),
    ),
):
    app.add_typer(group, name=name)


@app.command()
def init(
    folder: Folder,
    zone: Annotated[str, typer.Option(help="the time zone whose days are meant")] = "Europe/Paris",
    database: Annotated[str, typer.Option(help="postgresql://… instead of a file in the folder")] = "",
    passphrase_file: str = "",
    issuer: Annotated[str, typer.Option(help="the name under which passes are issued")] = "",
    public_url: Annotated[
        str, typer.Option(help="https://… where passes are verified; it stands in each of them")
    ] = "",
    territory: Annotated[str, typer.Option(help="only where the node lives elsewhere")] = "",
    listen: Annotated[str, typer.Option(help="host:port; only where the node lives elsewhere")] = "127.0.0.1:8464",
    as_json: AsJson = False,
) -> None:
    """Make the projects' base: configuration and keys."""
    from node.desks.house.init_service import add_base, open_folder_house
    from node.governance.passes.issuers import require_node
    from node.projects_app import FILE, ProjectsConfig

    with refusals_explained():
        where = base_folder(folder, BaseName.PROJECTS)
        if (where / FILE).exists():
            raise NotConfigured(reason=f"{where} holds a projects' base already")
        if public_url:
            require_node(public_url)
        config = ProjectsConfig(
            zone=zone, issuer=issuer, public_url=public_url, database=database, passphrase_file=passphrase_file
        )
        house = open_folder_house(folder, territory, listen)
        card = add_base(folder, BaseName.PROJECTS, house, database=database, passphrase_file=passphrase_file)
        write_private(where / FILE, format_settings(config).encode())
        show(
            {"folder": str(where), "card": format_card(card), "fingerprint": compute_fingerprint(card)},
            as_json=as_json,
        )


@app.command("key")
def make_key(keys: Keys, as_json: AsJson = False) -> None:
    """Make your own key, or show its public line: hand that over, and keep the folder to yourself. Needs no base."""
    with refusals_explained():
        if not (keys / "current").exists():
            create_keys(keys, find_passphrase(""), clock_service.entropy(64))
        public = own_keys(keys).public
        show({"key": public.id.hex(), "public": write_public(public)}, as_json=as_json)


@app.command("words")
def words(folder: Folder, as_json: AsJson = False) -> None:
    """List themes and criteria that hold today."""
    with refusals_explained():
        show(call_projects(folder, "words"), as_json=as_json, title="vocabulary")


@app.command("picture")
def add_picture(folder: Folder, file: InFile, as_json: AsJson = False) -> None:
    """Keep a picture (PNG or JPEG without metadata); tells the digest that a sheet names it by."""
    with refusals_explained():
        show(call_projects(folder, "picture", file=str(file.resolve())), as_json=as_json)


@app.command("propose")
def propose(folder: Folder, file: InFile, by: Author, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Propose a project from the JSON file of its sheet."""
    with refusals_explained():
        show(call_projects(folder, "propose", id=id_or_new(id_), file=str(file.resolve()), by=by), as_json=as_json)


@app.command("edit")
def edit(folder: Folder, project: Project, file: InFile, by: By, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Give a project another sheet. After validation its sums and its bearer stand, and it is examined again."""
    with refusals_explained():
        told = call_projects(folder, "edit", id=id_or_new(id_), project=project, file=str(file.resolve()), by=by)
        show(told, as_json=as_json)


def _lead(folder: Path, project: str, event: str, by: str, reason: str, id_: str, as_json: bool) -> None:
    with refusals_explained():
        told = call_projects(folder, "lead", id=id_or_new(id_), project=project, event=event, by=by, reason=reason)
        show(told, as_json=as_json)


@app.command("examine")
def examine(folder: Folder, project: Project, by: By, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Take a project up: its bearer must be one that the law lets a fund pay."""
    _lead(folder, project, "examined", by, "", id_, as_json)


@app.command("refuse")
def refuse(
    folder: Folder, project: Project, by: By, reason: Reason, id_: IdOption = "", as_json: AsJson = False
) -> None:
    """Refuse what cannot be examined. Once it is examined only a vote refuses."""
    _lead(folder, project, "refused", by, reason, id_, as_json)


@app.command("appeal")
def appeal(
    folder: Folder, project: Project, by: By, reason: Reason, id_: IdOption = "", as_json: AsJson = False
) -> None:
    """Ask that a refused project be examined once more."""
    _lead(folder, project, "appealed", by, reason, id_, as_json)


@app.command("open")
def open_project(folder: Folder, project: Project, by: By, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Let rights be directed to a validated project."""
    _lead(folder, project, "opened", by, "", id_, as_json)


@app.command("withdraw")
def withdraw(
    folder: Folder, project: Project, by: By, reason: Reason, id_: IdOption = "", as_json: AsJson = False
) -> None:
    """End a project: what was directed to it and not converted goes back."""
    _lead(folder, project, "withdrawn", by, reason, id_, as_json)


@app.command("start")
def start(folder: Folder, project: Project, by: By, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Begin a funded project: its first instalment may be converted."""
    _lead(folder, project, "started", by, "", id_, as_json)


@app.command("finish")
def finish(folder: Folder, project: Project, by: By, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Say that all is paid, proven and audited."""
    _lead(folder, project, "audited", by, "", id_, as_json)


@app.command("close")
def close(
    folder: Folder,
    project: Project,
    by: By,
    attestation: Annotated[Path, typer.Option(help="the bearer's attestation of use", exists=True, dir_okay=False)],
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Close a project with the bearer's attestation of what the euros were used for: its digest is kept."""
    _lead(folder, project, "closed", by, f"attestation {hash_file(attestation)}", id_, as_json)


@app.command("retry")
def retry(folder: Folder, project: Project, as_json: AsJson = False) -> None:
    """Ask the accounts again what they refused."""
    with refusals_explained():
        show(call_projects(folder, "retry", project=project), as_json=as_json)


@app.command("list")
def list_projects(
    folder: Folder,
    state: Annotated[str, typer.Option(help="only those in this state")] = "",
    theme: str = "",
    as_json: AsJson = False,
) -> None:
    """List projects, the most urgent first."""
    with refusals_explained():
        show(call_projects(folder, "list", state=state, theme=theme), as_json=as_json, title="projects")


@app.command("late")
def list_late(folder: Folder, as_json: AsJson = False) -> None:
    """List what funds owe bearers for too long, the longest first: rejected, netted and not paid, or simply not paid yet."""
    with refusals_explained():
        show(call_projects(folder, "late"), as_json=as_json, title="late payments")


@app.command("show")
def show_project(folder: Folder, project: Project, as_json: AsJson = False) -> None:
    """Show a project: sheet, steps, votes, rounds, payments, proofs."""
    with refusals_explained():
        told = call_projects(folder, "show", project=project)
        if as_json:
            show(told, as_json=True)
            return
        lists = {name: told.pop(name) for name in ("steps", "votes", "rounds", "payments", "spendings", "findings")}
        show(told.pop("project"), as_json=False)
        show(told, as_json=False)
        for name, rows in lists.items():
            show(rows, as_json=False, title=name)


@app.command("catch-up")
def catch_up(folder: Folder, as_json: AsJson = False) -> None:
    """Do what days have made due; a served base does it by itself."""
    with refusals_explained():
        show(call_projects(folder, "catch_up"), as_json=as_json)


@app.command("convert")
def convert(folder: Folder, project: Project, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Ask for the next round: what was directed becomes due, for the instalments that are free."""
    with refusals_explained():
        show(call_projects(folder, "convert", id=id_or_new(id_), project=project), as_json=as_json)


@app.command("confirm")
def confirm(
    folder: Folder,
    round_: Annotated[str, typer.Argument(metavar="ROUND", help="the round's id")],
    on: Day,
    payer: Annotated[str, typer.Option(help="the territory whose fund paid; empty: this one")] = "",
    as_json: AsJson = False,
) -> None:
    """Note that the bearer has the euros."""
    with refusals_explained():
        show(call_projects(folder, "confirm", round=round_, payer=payer, on=on), as_json=as_json)


@app.command("publish-catalogue")
def publish_catalogue(folder: Folder, as_json: AsJson = False) -> None:
    """Sign the catalogue of open projects anew, now: the accounts hand it to the federation."""
    with refusals_explained():
        show(call_projects(folder, "catalogue_publish"), as_json=as_json)


@app.command()
def backup(folder: Folder, file: Path) -> None:
    """Copy the projects' base to FILE, beside the running base."""
    from node.house_part_app import database_of
    from node.projects_app import load_projects_config
    from protocol.book.backup_service import back_up

    with refusals_explained(), progress("backup") as say_done:
        config = load_projects_config(base_folder(folder, BaseName.PROJECTS))
        url = database_of(folder, BaseName.PROJECTS, config.database)
        size = back_up(url, file, lambda done, pages: say_done(f"{done} of {pages} pages"))
    say(f"{file}: {size} bytes. Keep it away from this machine, and the folder keys with it")
