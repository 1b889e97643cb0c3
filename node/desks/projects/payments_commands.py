"""`citizen-miles node projects …`: commands of the funds that pay, and of what was spent."""

from __future__ import annotations

from typing import Annotated

import typer

from node.desks.projects.call_commands import By, Folder, Project, Reason, call_projects
from node.files_commands import hash_file
from node.options_commands import AsJson, CentsOption, EurosOption, IdOption, InFile, id_or_new
from protocol.running.console_commands import read_cents, refusals_explained, show

payer = typer.Typer(no_args_is_help=True, help="Funds that orders are sealed for.")
proof = typer.Typer(no_args_is_help=True, help="What instalments were spent on.")


@payer.command("add")
def add_payer(
    folder: Folder,
    territory: str,
    public: Annotated[str, typer.Argument(help="the fund's public keys, 128 hexadecimal digits (payer list there)")],
    as_json: AsJson = False,
) -> None:
    """Keep the key of a fund elsewhere: orders for what its donors gave are sealed for it."""
    with refusals_explained():
        show(call_projects(folder, "payer_add", territory=territory, public=public), as_json=as_json)


@payer.command("forget")
def forget_payer(folder: Folder, territory: str, as_json: AsJson = False) -> None:
    """Let the territory's card say its fund's key again, instead of what was entered here."""
    with refusals_explained():
        show(call_projects(folder, "payer_forget", territory=territory), as_json=as_json)


@payer.command("list")
def list_payers(folder: Folder, as_json: AsJson = False) -> None:
    """List the funds that orders are sealed for, the own one first."""
    with refusals_explained():
        show(call_projects(folder, "payers"), as_json=as_json, title="payers")


@proof.command("give")
def give_proof(
    folder: Folder,
    project: Project,
    file: InFile,
    instalment: Annotated[int, typer.Option(help="from 1")],
    words: Annotated[str, typer.Option(help="what was bought or done")],
    cents: CentsOption = None,
    euros: EurosOption = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Keep a proof of what an instalment was spent on, by its digest. The file stays with you."""
    with refusals_explained():
        told = call_projects(
            folder,
            "spending",
            id=id_or_new(id_),
            project=project,
            instalment=instalment,
            words=words,
            cents=read_cents(cents, euros),
            sha256=hash_file(file),
        )
        show(told, as_json=as_json)


@proof.command("judge")
def judge_proof(
    folder: Folder,
    proof_id: str,
    by: By,
    refuse: Annotated[bool, typer.Option("--refuse")] = False,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Accept a proof, or refuse it with a reason."""
    with refusals_explained():
        told = call_projects(folder, "spending_judge", proof=proof_id, accept=not refuse, by=by, reason=reason)
        show(told, as_json=as_json)
