"""`citizen-miles node projects bearer …`: bodies that carry projects."""

from __future__ import annotations

from typing import Annotated

import typer

from node.desks.projects.call_commands import Folder, call_projects
from node.files_commands import hash_file, own_keys
from node.governance.signers import IbanWords, write_words
from node.options_commands import AsJson, Day, IdOption, InFile, Keys, id_or_new
from protocol.identifiers import parse_id
from protocol.keys import Domain, sign
from protocol.running.console_commands import refusals_explained, show

bearer = typer.Typer(no_args_is_help=True, help="Bodies that carry projects, and what proves that they may be paid.")


@bearer.command("save")
def save_bearer(
    folder: Folder,
    registry: Annotated[str, typer.Option(help="SIREN or RNA")],
    name: Annotated[str, typer.Option(help="of the body")],
    category: Annotated[str, typer.Option(help="the four digits of INSEE's legal category, as 9220")],
    holder: Annotated[str, typer.Option(help="the account's holder, as its bank writes it")],
    iban: Annotated[str, typer.Option()],
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Enter a body that may carry projects. A company or a person is refused."""
    with refusals_explained():
        told = call_projects(
            folder,
            "bearer_save",
            id=id_or_new(id_),
            registry=registry,
            name=name,
            category=category,
            holder=holder,
            iban=iban,
        )
        show(told, as_json=as_json)


@bearer.command("list")
def list_bearers(folder: Folder, as_json: AsJson = False) -> None:
    """List bearers."""
    with refusals_explained():
        show(call_projects(folder, "bearers"), as_json=as_json, title="bearers")


@bearer.command("proof")
def add_proof(
    folder: Folder,
    bearer_id: Annotated[str, typer.Argument(metavar="BEARER")],
    file: InFile,
    kind: Annotated[str, typer.Option(help="statutes, declaration or ruling")],
    issued_on: Day,
    valid_until: Day,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Keep the digest of a proof of eligibility, and how long it holds. The file stays with you."""
    with refusals_explained():
        told = call_projects(
            folder,
            "proof_add",
            id=id_or_new(id_),
            bearer=bearer_id,
            kind=kind,
            sha256=hash_file(file),
            issued_on=issued_on,
            valid_until=valid_until,
        )
        show(told, as_json=as_json)


@bearer.command("proofs")
def list_proofs(
    folder: Folder, bearer_id: Annotated[str, typer.Argument(metavar="BEARER")], as_json: AsJson = False
) -> None:
    """List a bearer's proofs."""
    with refusals_explained():
        show(call_projects(folder, "proofs", bearer=bearer_id), as_json=as_json, title="proofs")


@bearer.command("account")
def change_account(
    folder: Folder,
    keys: Keys,
    bearer_id: Annotated[str, typer.Option("--bearer", help="the bearer's id")] = "",
    holder: str = "",
    iban: str = "",
    id_: IdOption = "",
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    as_json: AsJson = False,
) -> None:
    """Sign another account of a bearer: one steward says which, another signs the same --id; it holds after a delay."""
    with refusals_explained():
        told = call_projects(folder, "iban_words", id=id_or_new(id_), bearer=bearer_id, holder=holder, iban=iban)
        if not yes:
            show(told, as_json=False)
            typer.confirm("sign this?", abort=True)
        own = own_keys(keys)
        words_ = IbanWords(
            1, told["territory"], parse_id(told["id"]), parse_id(told["bearer"]), told["holder"], told["iban"]
        )
        signature = sign(own, Domain.OFFICER, write_words(words_)).hex()
        show(
            call_projects(folder, "iban_sign", words=told, key=own.public.id.hex(), signature=signature),
            as_json=as_json,
        )


@bearer.command("drop-account")
def drop_account(folder: Folder, id_: Annotated[str, typer.Option("--id")], as_json: AsJson = False) -> None:
    """Let a change lapse that no second steward signed."""
    with refusals_explained():
        show(call_projects(folder, "iban_drop", id=id_), as_json=as_json)
