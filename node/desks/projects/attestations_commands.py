"""`citizen-miles node projects attest …`: what bearers and members say with their own keys, signed where the keys are.

`words` and `give` reach the base, `sign` needs none. Where key and base are on one machine, `pass check`, `pass validate`,
`volunteer judge` and `member declare` do all three at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from node.desks.projects.call_commands import Folder, OutFile, call_projects
from node.files_commands import own_keys, read_json
from node.governance.attestations import (
    AttestationKind,
    AttestationWords,
    compute_about,
    require_attestation,
    write_attestation,
)
from node.governance.errors import InvalidAttestation
from node.options_commands import AsJson, IdOption, InFile, Keys, id_or_new
from protocol.errors import InvalidId
from protocol.identifiers import parse_id
from protocol.keys import Domain, SecretKeys, sign
from protocol.running.console_commands import refusals_explained, say, show
from protocol.running.settings import NotConfigured

app = typer.Typer(
    no_args_is_help=True, help="What bearers and members say with their own keys: work, hours, passes, conflicts."
)

Refuse = Annotated[bool, typer.Option("--refuse", help="say no, with a reason")]
Why = Annotated[str, typer.Option("--reason", help="why not, or what interest; for everybody who may see it")]
Subject = Annotated[str, typer.Argument(metavar="SUBJECT", help="the id of the pass, hours or project")]
FILE_BYTES_MAX: Final = 64 * 1024


def _read(file: Path) -> dict[str, Any]:
    told = read_json(file, FILE_BYTES_MAX)
    if not isinstance(told, dict):
        raise NotConfigured(reason=f"{file.name} is no attestation")
    return told


def sign_told(told: Mapping[str, Any], keys: SecretKeys, *, refuse: bool, reason: str) -> dict[str, Any]:
    """Return what `attest give` takes: words as the base gave them out, said yes or no to, and signed.

    Raises InvalidAttestation, also where the words do not name the content that is shown.
    """
    try:
        words = AttestationWords(
            int(told["version"]),
            str(told["territory"]),
            parse_id(told["id"]),
            str(told["kind"]),
            parse_id(told["subject"]),
            bytes.fromhex(told["about"]),
            not refuse,
            reason,
        )
        content = str(told["content"]).encode("utf-8")
    except (KeyError, TypeError, ValueError, InvalidId):
        raise InvalidAttestation(field="words", reason="this is not what `attest words` wrote") from None
    if compute_about(require_attestation(words), content) != words.about:
        raise InvalidAttestation(field="about", reason="it names another content than the one that is shown")
    signed = {name: told[name] for name in ("version", "territory", "id", "kind", "subject", "about")}
    return {
        "words": signed | {"is_affirmed": not refuse, "reason": reason},
        "key": keys.public.id.hex(),
        "signature": sign(keys, Domain.OFFICER, write_attestation(words)).hex(),
    }


def attest(
    folder: Path,
    kind: AttestationKind,
    subject: str,
    keys: Path,
    *,
    refuse: bool = False,
    reason: str = "",
    id_: str = "",
    as_json: bool = False,
) -> None:
    """Ask the base for the words, show them, sign them with these keys, and hand them in."""
    with refusals_explained():
        own = own_keys(keys)
        told = call_projects(folder, "attest_words", id=id_or_new(id_), kind=str(kind), subject=subject)
        if told["content"] and not as_json:
            say(told["content"])
        show(
            call_projects(folder, "attest_give", **sign_told(told, own, refuse=refuse, reason=reason)), as_json=as_json
        )


@app.command("words")
def words(
    folder: Folder,
    kind: Annotated[AttestationKind, typer.Argument(help="work, validation, hours or conflict")],
    subject: Subject,
    out: OutFile = None,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Show what somebody is to sign at his own place; --out writes it."""
    with refusals_explained():
        told = call_projects(folder, "attest_words", id=id_or_new(id_), kind=str(kind), subject=subject)
        if out is not None:
            out.write_text(json.dumps(told, indent=2, ensure_ascii=False), encoding="utf-8")
        show(told, as_json=as_json)


@app.command("sign")
def sign_words(
    file: Annotated[Path, typer.Argument(help="what `attest words --out` wrote", exists=True, dir_okay=False)],
    keys: Keys,
    out: Annotated[Path, typer.Option("--out", help="write the signed words there")],
    refuse: Refuse = False,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """Sign it with your own key. Needs no base."""
    with refusals_explained():
        told = _read(file)
        signed = sign_told(told, own_keys(keys), refuse=refuse, reason=reason)
        out.write_text(json.dumps(signed, indent=2, ensure_ascii=False), encoding="utf-8")
        show(signed["words"] | {"content": told["content"], "key": signed["key"], "file": str(out)}, as_json=as_json)


@app.command("give")
def give(folder: Folder, file: InFile, as_json: AsJson = False) -> None:
    """Hand in what somebody signed."""
    with refusals_explained():
        told = _read(file)
        if set(told) != {"words", "key", "signature"}:
            raise InvalidAttestation(field="words", reason=f"{file.name} is not what `attest sign` wrote")
        show(call_projects(folder, "attest_give", **told), as_json=as_json)


@app.command("list")
def list_all(folder: Folder, subject: Subject, as_json: AsJson = False) -> None:
    """List what was said about a pass, hours or a project, and by whom."""
    with refusals_explained():
        show(call_projects(folder, "attestations", subject=subject), as_json=as_json, title="attestations")
