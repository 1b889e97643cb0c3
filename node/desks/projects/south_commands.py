"""`citizen-miles node projects south …` and `… guide …`: programmes abroad, and guides whom the committee accredits.

Words are signed wherever their people are, with keys that no base holds; what a signature shows is handed in.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from node.desks.projects.call_commands import Folder, OutFile, Project, Reason, call_projects
from node.files_commands import hash_file, own_keys, read_json
from node.governance.days import parse_day
from node.governance.south.clearances import ClearanceWords, read_clearance, write_clearance
from node.governance.south.guides import GuideWords, read_guide, write_guide
from node.governance.south.reports import ReportWords, read_report, write_report
from node.governance.south.signed import SIGNED_BYTES_MAX, sign_words, write_signed
from node.options_commands import AsJson, Day, IdOption, InFile, Keys, id_or_new
from protocol.errors import Malformed
from protocol.identifiers import parse_id
from protocol.keys import Domain
from protocol.running.console_commands import refusals_explained, show
from protocol.running.settings import NotConfigured

app = typer.Typer(
    no_args_is_help=True, help="South programmes: partner, agreement, budget, reports, and what is missing."
)
partner = typer.Typer(no_args_is_help=True, help="Partners abroad, and what shows what they are.")
agreement = typer.Typer(no_args_is_help=True, help="Control agreements.")
clearance = typer.Typer(no_args_is_help=True, help="Two people's statement that they looked at the sanctions lists.")
report = typer.Typer(no_args_is_help=True, help="Field reports, signed by the partner or a guide.")
guide = typer.Typer(no_args_is_help=True, help="Guides of groups, accredited by the committee.")
for name, group in (("partner", partner), ("agreement", agreement), ("clearance", clearance), ("report", report)):
    app.add_typer(group, name=name)

Signed = Annotated[Path, typer.Argument(help="what signing wrote with --out", exists=True, dir_okay=False)]
Country = Annotated[str, typer.Option(help="two letters (ISO 3166)")]
FromDay = Annotated[str, typer.Option("--from", help="yyyy-mm-dd")]
UntilDay = Annotated[str, typer.Option("--until", help="yyyy-mm-dd")]
_JSON_MAX: Final = 64 * 1024


def _read_line(file: Path) -> str:
    if file.stat().st_size > 3 * SIGNED_BYTES_MAX:
        raise NotConfigured(reason=f"{file.name} is larger than {3 * SIGNED_BYTES_MAX} bytes")
    return file.read_text(encoding="utf-8", errors="replace")


def _sign(words: bytes, domain: Domain, keys: Path, out: Path | None, as_json: bool, told: dict[str, Any]) -> None:
    line = write_signed(sign_words(words, domain, own_keys(keys)))
    if out is not None:
        out.write_text(line + "\n", encoding="utf-8")
    show(told | {"signed": line}, as_json=as_json)


@app.command("purposes")
def list_purposes(folder: Folder, as_json: AsJson = False) -> None:
    """List the kinds of action that a fund may pay outside Europe."""
    with refusals_explained():
        show(call_projects(folder, "south_purposes"), as_json=as_json, title="purposes")


@app.command("declare")
def declare(
    folder: Folder,
    project: Project,
    country: Country,
    purpose: Annotated[str, typer.Option(help="a word of `purposes`")],
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Make a project a South programme, before it is validated. It is never undone."""
    with refusals_explained():
        told = call_projects(
            folder, "south_declare", id=id_or_new(id_), project=project, country=country, purpose=purpose
        )
        show(told, as_json=as_json)


@app.command("budget")
def save_budget(folder: Folder, project: Project, file: InFile, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Keep a budget from a JSON list of lines: words, country, cents, and the currency there with its rate."""
    with refusals_explained():
        told = call_projects(
            folder, "south_budget", id=id_or_new(id_), project=project, lines=read_json(file, _JSON_MAX)
        )
        show(told, as_json=as_json)


@app.command("show")
def show_programme(folder: Folder, project: Project, as_json: AsJson = False) -> None:
    """Show a programme, and all that is missing today."""
    with refusals_explained():
        told = call_projects(folder, "south_show", project=project)
        if as_json:
            show(told, as_json=True)
            return
        lists = {name: told.pop(name) for name in ("missing", "partners", "lines", "reports")}
        show(told, as_json=False)
        for name, rows in lists.items():
            show(rows, as_json=False, title=name)


@partner.command("add")
def add_partner(
    folder: Folder,
    project: Project,
    name: Annotated[str, typer.Option(help="of the body, never of a person")],
    country: Country,
    kind: Annotated[str, typer.Option(help="association, foundation, public, community or international")],
    registration: Annotated[str, typer.Option(help="how its own country names it")],
    key: Annotated[str, typer.Option(help="the key that it signs reports with (`signer add --role partner`)")] = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Enter a partner of a programme."""
    with refusals_explained():
        told = call_projects(
            folder,
            "south_partner",
            id=id_or_new(id_),
            project=project,
            name=name,
            country=country,
            kind=kind,
            registration=registration,
            key=key,
        )
        show(told, as_json=as_json)


@partner.command("proof")
def add_partner_proof(
    folder: Folder,
    partner_id: Annotated[str, typer.Argument(metavar="PARTNER")],
    file: InFile,
    words: Annotated[str, typer.Option(help="what the file is")],
    issued_on: Day,
    valid_until: Day,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Keep the digest of what shows that a partner is what it says. The file stays with you."""
    with refusals_explained():
        told = call_projects(
            folder,
            "south_partner_proof",
            id=id_or_new(id_),
            partner=partner_id,
            words=words,
            sha256=hash_file(file),
            issued_on=issued_on,
            valid_until=valid_until,
        )
        show(told, as_json=as_json)


def _end(folder: Path, kind: str, what: str, reason: str, id_: str, as_json: bool) -> None:
    with refusals_explained():
        told = call_projects(folder, "south_end", id=id_or_new(id_), kind=kind, what=what, reason=reason)
        show(told, as_json=as_json)


@partner.command("end")
def end_partner(
    folder: Folder,
    partner_id: Annotated[str, typer.Argument(metavar="PARTNER")],
    reason: Reason,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Let a partner go from today on: what it did stays, and another one is needed."""
    _end(folder, "partner", partner_id, reason, id_, as_json)


@agreement.command("add")
def add_agreement(
    folder: Folder,
    partner_id: Annotated[str, typer.Argument(metavar="PARTNER")],
    file: InFile,
    signed_on: Day,
    from_day: FromDay,
    until_day: UntilDay,
    clauses: Annotated[str, typer.Option(help="of control, reporting, audit, return: with commas")],
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Keep the digest of a control agreement, its term and its clauses. The file stays with you."""
    with refusals_explained():
        told = call_projects(
            folder,
            "south_agreement",
            id=id_or_new(id_),
            partner=partner_id,
            sha256=hash_file(file),
            signed_on=signed_on,
            from_day=from_day,
            until_day=until_day,
            clauses=clauses,
        )
        show(told, as_json=as_json)


@agreement.command("end")
def end_agreement(
    folder: Folder,
    agreement_id: Annotated[str, typer.Argument(metavar="AGREEMENT")],
    reason: Reason,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """End an agreement before its term: the next round is blocked."""
    _end(folder, "agreement", agreement_id, reason, id_, as_json)


@clearance.command("words")
def clearance_words(
    folder: Folder, partner_id: Annotated[str, typer.Argument(metavar="PARTNER")], as_json: AsJson = False
) -> None:
    """Show whom a statement is about, and its territory: what signing needs."""
    with refusals_explained():
        show(call_projects(folder, "south_clearance_words", partner=partner_id), as_json=as_json)


@clearance.command("sign")
def sign_clearance(
    partner_id: Annotated[str, typer.Argument(metavar="PARTNER")],
    territory: Annotated[str, typer.Option()],
    lists: Annotated[str, typer.Option(help="which lists were looked at, and of which day")],
    checked_on: Day,
    keys: Keys,
    found: Annotated[bool, typer.Option("--found", help="somebody of the partner stands on one of them")] = False,
    out: OutFile = None,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Sign that you looked. The second steward signs with the same --id and the same words. Needs no base."""
    with refusals_explained():
        own = id_or_new(id_)
        day = parse_day(checked_on, "checked_on")
        words = write_clearance(
            ClearanceWords(1, territory, parse_id(own), parse_id(partner_id), lists, day, not found)
        )
        read_clearance(words)
        _sign(words, Domain.OFFICER, keys, out, as_json, {"statement": own, "clear": not found})


@clearance.command("take")
def take_clearance(folder: Folder, file: Signed, as_json: AsJson = False) -> None:
    """Hand in a steward's statement."""
    with refusals_explained():
        show(call_projects(folder, "south_clearance", signed=_read_line(file)), as_json=as_json)


@report.command("words")
def report_words(folder: Folder, project: Project, out: OutFile = None, as_json: AsJson = False) -> None:
    """Show the budget's lines and where the next period begins: what a report needs."""
    with refusals_explained():
        told = call_projects(folder, "south_report_words", project=project)
        if out is not None:
            out.write_text(json.dumps(told, indent=2), encoding="utf-8")
        if as_json:
            show(told, as_json=True)
            return
        lines = told.pop("lines")
        show(told, as_json=False)
        show(lines, as_json=False, title="lines")


@report.command("sign")
def sign_report(
    file: Annotated[Path, typer.Argument(help="what `report words --out` wrote", exists=True, dir_okay=False)],
    keys: Keys,
    from_day: FromDay,
    until_day: UntilDay,
    cents: Annotated[str, typer.Option(help="cents spent on each line, with commas, as 120000,0,4500")],
    text: Annotated[str, typer.Option(help="what was done")],
    picture: Annotated[list[str] | None, typer.Option(help="a picture's digest (`picture`), several times")] = None,
    out: OutFile = None,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Sign a field report with your own key. Needs no base."""
    with refusals_explained():
        told = read_json(file, _JSON_MAX)
        own = id_or_new(id_)
        try:
            words = ReportWords(
                1,
                told["territory"],
                parse_id(own),
                parse_id(told["project"]),
                parse_day(from_day, "from"),
                parse_day(until_day, "until"),
                tuple(int(part) for part in cents.split(",")),
                tuple(bytes.fromhex(digest) for digest in picture or ()),
                text,
            )
        except (KeyError, TypeError, ValueError):
            raise Malformed(
                field="report", reason=f"{file.name} is not what `report words` wrote, or cents are no numbers"
            ) from None
        read_report(write_report(words))
        _sign(write_report(words), Domain.AUDIT, keys, out, as_json, {"report": own, "cents": sum(words.cents)})


@report.command("take")
def take_report(folder: Folder, file: Signed, as_json: AsJson = False) -> None:
    """Hand in a signed field report."""
    with refusals_explained():
        show(call_projects(folder, "south_report", signed=_read_line(file)), as_json=as_json)


# ---------------------------------------------------------------- guides


@guide.command("sign")
def sign_guide(
    key: Annotated[str, typer.Argument(help="the guide's key, 16 hexadecimal digits (`signer add --role guide`)")],
    certificate: Annotated[
        Path, typer.Option(help="of the training; its digest is signed", exists=True, dir_okay=False)
    ],
    training: Annotated[str, typer.Option(help="which training, in one line")],
    trained_on: Day,
    territory: Annotated[str, typer.Option()],
    from_day: FromDay,
    until_day: UntilDay,
    keys: Keys,
    out: OutFile = None,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Sign, as a member of the committee, that somebody is a guide. All sign with the same --id. Needs no base."""
    with refusals_explained():
        own = id_or_new(id_)
        try:
            named = bytes.fromhex(key)
        except ValueError:
            raise Malformed(field="key", reason="16 hexadecimal digits") from None
        words = GuideWords(
            1,
            territory,
            parse_id(own),
            named,
            training,
            bytes.fromhex(hash_file(certificate)),
            parse_day(trained_on, "trained_on"),
            parse_day(from_day, "from"),
            parse_day(until_day, "until"),
        )
        read_guide(write_guide(words))
        _sign(write_guide(words), Domain.VOTE, keys, out, as_json, {"guide": own})


@guide.command("approve")
def approve_guide(folder: Folder, file: Signed, as_json: AsJson = False) -> None:
    """Hand in a member's signature; with enough of them the guide is accredited, and the accounts are told."""
    with refusals_explained():
        show(call_projects(folder, "guide_approve", signed=_read_line(file)), as_json=as_json)


@guide.command("end")
def end_guide(
    folder: Folder,
    guide_id: Annotated[str, typer.Argument(metavar="GUIDE", help="the accreditation's id")],
    why: Annotated[str, typer.Option(help="withdrawn, or left")],
    reason: Reason,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """End an accreditation at once, for every group."""
    with refusals_explained():
        show(
            call_projects(folder, "guide_end", id=id_or_new(id_), guide=guide_id, why=why, reason=reason),
            as_json=as_json,
        )


@guide.command("list")
def list_guides(folder: Folder, as_json: AsJson = False) -> None:
    """List guides, their terms, and whether the accounts know them."""
    with refusals_explained():
        show(call_projects(folder, "guides"), as_json=as_json, title="guides")
