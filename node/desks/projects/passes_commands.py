"""`citizen-miles node projects pass …`: Citizen-Passes, from the claim to the file that its holder carries away."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from node.desks.projects.attestations_commands import Refuse, Why, attest
from node.desks.projects.call_commands import Folder, call_projects
from node.files_commands import read_json
from node.governance.attestations import AttestationKind
from node.options_commands import AsJson, IdOption, InFile, Keys, id_or_new
from protocol.running.console_commands import refusals_explained, show
from protocol.running.keys_store import write_private
from protocol.running.settings import NotConfigured

app = typer.Typer(no_args_is_help=True, help="Citizen-Pass: validated volunteer work that anybody can verify.")

OutFile = Annotated[Path, typer.Option("--out", help="write it there")]
PassId = Annotated[str, typer.Argument(help="the pass's id")]
Reason = Annotated[str, typer.Option(help="why, for everybody who verifies it to read")]
CLAIM_BYTES_MAX: Final = 65_536
SHOWN_BYTES_MAX: Final = 2_000_000


def _step(folder: Path, pass_id: str, event: str, id_: str, as_json: bool, **more: str) -> None:
    with refusals_explained():
        told = call_projects(folder, "pass_step", **{"id": id_or_new(id_), "pass": pass_id, "event": event, **more})
        show(told, as_json=as_json)


def _write(told: dict[str, Any], out: Path) -> dict[str, Any]:
    data = base64.b64decode(told.pop("data"))
    # Only its owner reads it: a pass is its holder's.
    write_private(out, data)
    return told | {"file": str(out), "bytes": len(data)}


@app.command("claim")
def claim(
    folder: Folder,
    file: InFile,
    replaces: Annotated[str, typer.Option(help="the issued pass that this one corrects")] = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Claim a pass from a JSON file: project, account, role, duty, days, hours by year, skills."""
    with refusals_explained():
        told = read_json(file, CLAIM_BYTES_MAX)
        if replaces and isinstance(told, dict):
            told["replaces"] = replaces
        show(call_projects(folder, "pass_claim", id=id_or_new(id_), claim=told), as_json=as_json)


@app.command("check")
def check(
    folder: Folder,
    pass_id: PassId,
    keys: Keys,
    refuse: Refuse = False,
    reason: Why = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """The project's bearer says with its key that the work was done."""
    attest(folder, AttestationKind.WORK, pass_id, keys, refuse=refuse, reason=reason, id_=id_, as_json=as_json)


@app.command("validate")
def validate(
    folder: Folder,
    pass_id: PassId,
    keys: Keys,
    refuse: Refuse = False,
    reason: Why = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """A member says for the committee that it counts; two members do, or all who may where they are fewer."""
    attest(folder, AttestationKind.VALIDATION, pass_id, keys, refuse=refuse, reason=reason, id_=id_, as_json=as_json)


@app.command("refuse")
def refuse(folder: Folder, pass_id: PassId, reason: Reason, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Refuse a claim, with its reason."""
    _step(folder, pass_id, "refused", id_, as_json, reason=reason)


@app.command("issue")
def issue(folder: Folder, pass_id: PassId, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Draw, sign and keep a validated pass; what it replaces is revoked."""
    with refusals_explained():
        show(call_projects(folder, "pass_issue", **{"id": id_or_new(id_), "pass": pass_id}), as_json=as_json)


@app.command("suspend")
def suspend(folder: Folder, pass_id: PassId, reason: Reason, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Suspend an issued pass: it can come back."""
    _step(folder, pass_id, "suspended", id_, as_json, reason=reason)


@app.command("restore")
def restore(folder: Folder, pass_id: PassId, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Let a suspended pass count again."""
    _step(folder, pass_id, "restored", id_, as_json)


@app.command("revoke")
def revoke(folder: Folder, pass_id: PassId, reason: Reason, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Revoke an issued pass, for ever."""
    _step(folder, pass_id, "revoked", id_, as_json, reason=reason)


@app.command("list")
def list_passes(
    folder: Folder,
    project: Annotated[str, typer.Option(help="of this project alone")] = "",
    state: Annotated[str, typer.Option(help="in this state alone")] = "",
    as_json: AsJson = False,
) -> None:
    """List passes, by pseudonym."""
    with refusals_explained():
        show(call_projects(folder, "passes", project=project, state=state), as_json=as_json, title="passes")


@app.command("show")
def show_pass(folder: Folder, pass_id: PassId, as_json: AsJson = False) -> None:
    """Show a pass, with the code that only its holder is to be given."""
    with refusals_explained():
        show(call_projects(folder, "pass_show", **{"pass": pass_id}), as_json=as_json)


@app.command("export")
def export(
    folder: Folder,
    pass_id: PassId,
    out: OutFile,
    form: Annotated[str, typer.Option(help="png, svg, json, jwt or pdf")] = "png",
    proof: Annotated[str, typer.Option(help="what a picture carries: jwt, or json")] = "jwt",
    name: Annotated[str, typer.Option(help="printed on the PDF where the holder asks for it; kept nowhere")] = "",
    as_json: AsJson = False,
) -> None:
    """Write an issued pass to a file."""
    with refusals_explained():
        told = call_projects(folder, "pass_export", **{"pass": pass_id, "form": form, "proof": proof, "name": name})
        show(_write(told, out), as_json=as_json)


@app.command("verify")
def verify(folder: Folder, file: InFile, as_json: AsJson = False) -> None:
    """Verify a file that somebody shows: PNG, SVG, JSON or token."""
    with refusals_explained():
        if file.stat().st_size > SHOWN_BYTES_MAX:
            raise NotConfigured(reason=f"{file.name} is larger than {SHOWN_BYTES_MAX} bytes")
        data = base64.b64encode(file.read_bytes()).decode()
        show(call_projects(folder, "pass_verify", data=data), as_json=as_json)


@app.command("status")
def status(
    folder: Folder,
    out: OutFile,
    purpose: Annotated[str, typer.Option(help="revocation or suspension")] = "revocation",
    number: Annotated[int, typer.Option(help="which list, from 1")] = 1,
    form: Annotated[str, typer.Option(help="json or jwt")] = "json",
    as_json: AsJson = False,
) -> None:
    """Write a signed status list to a file: a node without an address hands it over."""
    with refusals_explained():
        told = call_projects(folder, "pass_status", purpose=purpose, number=number, form=form)
        show(_write(told, out), as_json=as_json)


@app.command("issuer")
def issuer(folder: Folder, as_json: AsJson = False) -> None:
    """Show under which name and keys passes are issued."""
    with refusals_explained():
        show(call_projects(folder, "pass_issuer"), as_json=as_json)


@app.command("retire-key")
def retire_key(folder: Folder, key: Annotated[str, typer.Argument(help="z6Mk…")], as_json: AsJson = False) -> None:
    """Trust a stolen key no more: the passes that it signed count no more, and are issued again."""
    with refusals_explained():
        show(call_projects(folder, "pass_retire_key", key=key), as_json=as_json)


@app.command("year")
def year(
    folder: Folder,
    year_: Annotated[int, typer.Argument(metavar="YEAR", help="a calendar year")],
    out: OutFile,
    language: Annotated[str, typer.Option(help="fr or en")] = "",
    as_json: AsJson = False,
) -> None:
    """Write the year's hours for the compte d'engagement citoyen, as CSV."""
    with refusals_explained():
        told = call_projects(folder, "pass_year", year=year_, language=language)
        write_private(out, told.pop("csv").encode())
        show(told | {"file": str(out)}, as_json=as_json)


@app.command("skills")
def skills(folder: Folder, as_json: AsJson = False) -> None:
    """List the skills that a pass can name."""
    with refusals_explained():
        show(call_projects(folder, "pass_skills"), as_json=as_json, title="skills")
