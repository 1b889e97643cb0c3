"""`citizen-miles node projects audit …`: auditors, audits drawn by lot, missions and reports.

What an auditor signs is made at the auditor's own place, without any base, and handed in as a file.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path
from typing import Annotated, Any

import typer

from node.desks.projects.call_commands import Author, By, Folder, OutFile, Project, Reason, call_projects
from node.files_commands import own_keys, read_json
from node.governance.days import parse_day
from node.governance.signers import FindingWords, write_words
from node.options_commands import AsJson, Day, IdOption, InFile, Keys, id_or_new
from protocol.identifiers import parse_id
from protocol.keys import Domain, sign
from protocol.running.console_commands import refusals_explained, show
from protocol.running.settings import NotConfigured

app = typer.Typer(no_args_is_help=True, help="Auditors drawn by lot, what they found and signed.")

AuditId = Annotated[str, typer.Argument(metavar="AUDIT")]
AuditorId = Annotated[str, typer.Argument(metavar="AUDITOR")]
MissionFile = Annotated[
    Path, typer.Argument(metavar="MISSION", help="what `audit mission --out` wrote", exists=True, dir_okay=False)
]
Territory = Annotated[str, typer.Option(help="the nine digits of the territory that is signed for")]
FILE_BYTES_MAX = 256 * 1024


def _read_body(file: Path) -> str:
    told = read_json(file, FILE_BYTES_MAX)
    if not isinstance(told, dict) or not isinstance(told.get("body"), str):
        raise NotConfigured(reason=f"{file.name} is not what `audit mission --out` wrote")
    return str(told["body"])


def _sign(words: Any, keys: Path, out: Path | None, as_json: bool) -> None:
    from node.desks.projects.audits_requests import write_signed
    from node.governance.auditing.words import sign_words

    signed = write_signed(sign_words(words, own_keys(keys)))
    if out is not None:
        out.write_text(json.dumps(signed, indent=2), encoding="utf-8")
    show(signed, as_json=as_json)


# ---------------------------------------------------------------- at the auditor's place


@app.command("join")
def join(
    keys: Keys,
    territory: Territory,
    account: Annotated[str, typer.Option(help="the auditor's account number")],
    kind: Annotated[str, typer.Option(help="student, retired or other")],
    place: Annotated[str, typer.Option(help="a commune's INSEE code")],
    place_name: Annotated[str, typer.Option()],
    latitude: Annotated[str, typer.Option(help="degrees, as 48.3904")],
    longitude: Annotated[str, typer.Option(help="degrees, as -4.4861")],
    from_day: Annotated[str, typer.Option("--from", help="yyyy-mm-dd")],
    until_day: Annotated[str, typer.Option("--until", help="yyyy-mm-dd")],
    radius_km: Annotated[int, typer.Option(help="how far the auditor goes")] = 30,
    missions_max: Annotated[int, typer.Option(help="how many missions at once")] = 1,
    skill: Annotated[list[str] | None, typer.Option(help="a code of `pass skills`; may be given again")] = None,
    out: OutFile = None,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Sign to join the register of auditors; hand in what it writes. Needs no base."""
    from node.desks.projects.requests import read_degrees
    from node.governance.auditing.words import WORDS_VERSION, JoinWords

    with refusals_explained():
        words = JoinWords(
            WORDS_VERSION,
            territory,
            parse_id(id_or_new(id_)),
            account,
            kind,
            place,
            place_name,
            read_degrees(latitude, "latitude", 90),
            read_degrees(longitude, "longitude", 180),
            radius_km * 1_000,
            tuple(skill or ()),
            parse_day(from_day, "from"),
            parse_day(until_day, "until"),
            missions_max,
        )
        _sign(words, keys, out, as_json)


@app.command("conflict")
def declare_conflict(
    keys: Keys,
    territory: Territory,
    reason: Reason,
    project: Annotated[str, typer.Option(help="a project's id")] = "",
    organisation: Annotated[str, typer.Option(help="SIREN or RNA of a body that carries projects")] = "",
    support: Annotated[bool, typer.Option("--support", help="own rights are directed to the project")] = False,
    out: OutFile = None,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Sign that you have a conflict of interest; hand in what it writes. Needs no base."""
    from node.governance.auditing.words import WORDS_VERSION, ConflictWords

    with refusals_explained():
        kind = "organisation" if organisation else "support" if support else "project"
        of = parse_id(project) if project else b""
        told = parse_id(id_or_new(id_))
        _sign(ConflictWords(WORDS_VERSION, territory, told, kind, of, organisation, reason), keys, out, as_json)


def _reply(file: Path, keys: Path, is_accepted: bool, reason: str, out: Path | None, id_: str, as_json: bool) -> None:
    from node.desks.projects.audits_requests import make_reply

    with refusals_explained():
        body = _read_body(file)
        words = make_reply(parse_id(id_or_new(id_)), body, is_accepted=is_accepted, reason=reason)
        _sign(words, keys, out, as_json)


@app.command("accept")
def accept(file: MissionFile, keys: Keys, out: OutFile = None, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Sign that you take a mission; hand in what it writes. Needs no base."""
    _reply(file, keys, True, "", out, id_, as_json)


@app.command("decline")
def decline(
    file: MissionFile, keys: Keys, reason: Reason = "", out: OutFile = None, id_: IdOption = "", as_json: AsJson = False
) -> None:
    """Sign that you do not take a mission, or give it back; hand in what it writes. Needs no base."""
    _reply(file, keys, False, reason, out, id_, as_json)


@app.command("report")
def report(
    file: MissionFile,
    found: Annotated[
        Path, typer.Argument(help="JSON: lines with criterion, verdict, text; pictures, follows, answer", exists=True)
    ],
    keys: Keys,
    out: OutFile = None,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Sign what you found, a verdict for each criterion; hand in what it writes. Needs no base."""
    from node.desks.projects.audits_requests import make_report

    with refusals_explained():
        words = make_report(parse_id(id_or_new(id_)), _read_body(file), read_json(found, FILE_BYTES_MAX))
        _sign(words, keys, out, as_json)


# ---------------------------------------------------------------- at the base


@app.command("hand-in")
def hand_in(folder: Folder, file: InFile, as_json: AsJson = False) -> None:
    """Hand in what an auditor signed."""
    with refusals_explained():
        show(call_projects(folder, "audit_hand_in", signed=read_json(file, FILE_BYTES_MAX)), as_json=as_json)


@app.command("rules")
def rules(folder: Folder, as_json: AsJson = False) -> None:
    """Show the criteria, and which projects must be audited, as they stand today."""
    with refusals_explained():
        told = call_projects(folder, "audit_rules")
        if as_json:
            show(told, as_json=True)
            return
        show(told.pop("criteria"), as_json=False, title="criteria")
        show(told.pop("required"), as_json=False, title="required")
        show(told, as_json=False)


@app.command("auditors")
def list_auditors(folder: Folder, as_json: AsJson = False) -> None:
    """List the register of auditors."""
    with refusals_explained():
        show(call_projects(folder, "auditors"), as_json=as_json, title="auditors")


@app.command("found-conflict")
def found_conflict(
    folder: Folder,
    auditor: AuditorId,
    reason: Reason,
    by: By,
    project: Annotated[str, typer.Option(help="a project's id")] = "",
    organisation: Annotated[str, typer.Option(help="SIREN or RNA")] = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Enter a conflict of an auditor that somebody found: missions fall, who is next stands in."""
    with refusals_explained():
        told = call_projects(
            folder,
            "audit_found",
            id=id_or_new(id_),
            auditor=auditor,
            kind="organisation" if organisation else "project",
            project=project,
            organisation=organisation,
            reason=reason,
            by=by,
        )
        show(told, as_json=as_json)


@app.command("away")
def away(
    folder: Folder,
    auditor: AuditorId,
    until: Annotated[str, typer.Option(help="yyyy-mm-dd; empty: is back")] = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Do not draw an auditor until a day."""
    with refusals_explained():
        show(call_projects(folder, "audit_move", id=id_or_new(id_), auditor=auditor, until=until), as_json=as_json)


@app.command("leave")
def leave(folder: Folder, auditor: AuditorId, reason: Reason, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Let an auditor leave the register: who is next takes over open missions."""
    with refusals_explained():
        show(call_projects(folder, "audit_move", id=id_or_new(id_), auditor=auditor, leaves=reason), as_json=as_json)


@app.command("ask")
def ask(
    folder: Folder,
    project: Project,
    reason: Reason,
    by: By,
    source: Annotated[str, typer.Option(help="the public draw to come, and which of its digits")],
    drawn_on: Day,
    due_on: Day,
    instalment: Annotated[int, typer.Option(help="from 1; 0 is the whole")] = 1,
    auditors: Annotated[int, typer.Option(help="how many look, each alone")] = 1,
    skill: Annotated[list[str] | None, typer.Option(help="a code that is needed; may be given again")] = None,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Ask for an audit: the list of who may be drawn is closed, and the next instalment waits."""
    with refusals_explained():
        told = call_projects(
            folder,
            "audit_ask",
            id=id_or_new(id_),
            project=project,
            instalment=instalment,
            auditors=auditors,
            source=source,
            drawn_on=drawn_on,
            due_on=due_on,
            reason=reason,
            by=by,
            skills=skill or [],
        )
        show(told, as_json=as_json)


@app.command("number")
def number(folder: Folder, audit: AuditId, number: str, as_json: AsJson = False) -> None:
    """Tell the public number of an audit's drawing: missions are offered."""
    with refusals_explained():
        show(call_projects(folder, "audit_number", audit=audit, number=number), as_json=as_json)


@app.command("list")
def list_audits(folder: Folder, project: Project, as_json: AsJson = False) -> None:
    """List the audits of a project, with missions and reports."""
    with refusals_explained():
        told = call_projects(folder, "audits", project=project)
        if as_json:
            show(told, as_json=True)
            return
        for one in told:
            missions = one.pop("missions")
            show(one | {"criteria": " ".join(one["criteria"])}, as_json=False)
            rows = [mission | {"reports": len(mission["reports"])} for mission in missions]
            show(rows, as_json=False, title="missions")
            for mission in missions:
                for made in mission["reports"]:
                    show(made["lines"], as_json=False, title=f"{made['verdict']} {made['at']}")


@app.command("mission")
def mission(
    folder: Folder,
    mission_id: Annotated[str, typer.Argument(metavar="MISSION")],
    out: OutFile = None,
    as_json: AsJson = False,
) -> None:
    """Show a mission as the base signed it; --out writes what its auditor needs."""
    with refusals_explained():
        told = call_projects(folder, "audit_mission", mission=mission_id)
        if out is not None:
            out.write_text(json.dumps(told, indent=2), encoding="utf-8")
        show(told if as_json else {k: v for k, v in told.items() if k != "body"}, as_json=as_json)


@app.command("answer")
def answer(
    folder: Folder,
    report_id: Annotated[str, typer.Argument(metavar="REPORT")],
    text: str,
    by: Author,
    file: Annotated[Path | None, typer.Option(help="what proves it: its digest is kept", exists=True)] = None,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Answer a report, so that its auditor looks again."""
    with refusals_explained():
        digest = "" if file is None else hashlib.sha256(file.read_bytes()).hexdigest()
        told = call_projects(
            folder, "audit_answer", id=id_or_new(id_), report=report_id, text=text, by=by, sha256=digest
        )
        show(told, as_json=as_json)


@app.command("drop")
def drop(folder: Folder, audit: AuditId, by: By, reason: Reason, id_: IdOption = "", as_json: AsJson = False) -> None:
    """End an audit that nobody needs any more; one that is required is then still required."""
    with refusals_explained():
        show(call_projects(folder, "audit_drop", id=id_or_new(id_), audit=audit, by=by, reason=reason), as_json=as_json)


@app.command("reminders")
def reminders(folder: Folder, as_json: AsJson = False) -> None:
    """List what auditors are to be reminded of, by account number."""
    with refusals_explained():
        show(call_projects(folder, "audit_reminders"), as_json=as_json, title="reminders")


@app.command("reminded")
def reminded(
    folder: Folder,
    mission_id: Annotated[str, typer.Argument(metavar="MISSION")],
    kind: Annotated[str, typer.Argument(help="answer, due_soon or overdue")],
    as_json: AsJson = False,
) -> None:
    """Note that a reminder was passed on."""
    with refusals_explained():
        show(call_projects(folder, "audit_told", mission=mission_id, kind=kind), as_json=as_json)


@app.command("find")
def find(
    folder: Folder,
    project: Project,
    keys: Keys,
    verdict: Annotated[str, typer.Option(help="sound, reserved or failed")],
    text: Annotated[str, typer.Option(help="what was found")],
    instalment: Annotated[int, typer.Option(help="the last instalment that was looked at")] = 1,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Sign a finding with the auditor's own key: one that failed lets nothing more be paid."""
    with refusals_explained():
        own, home, given = own_keys(keys), call_projects(folder, "home"), str(uuid.UUID(id_or_new(id_)))
        words_ = FindingWords(1, home["territory"], parse_id(given), parse_id(project), instalment, verdict, text)
        told = {
            "id": given,
            "territory": words_.territory,
            "project": project,
            "instalment": instalment,
            "verdict": verdict,
            "text": text,
        }
        signature = sign(own, Domain.AUDIT, write_words(words_)).hex()
        show(
            call_projects(folder, "finding", words=told, key=own.public.id.hex(), signature=signature), as_json=as_json
        )
