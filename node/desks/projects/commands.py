"""`citizen-miles node projects …`: projects, committee, votes, rounds. Each reaches the running base, or opens its book.

Some need no base: a key is made, a ballot is signed and a drawing is made again wherever their people are.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path
from typing import Annotated, Any

import typer

from node.desks.projects import (
    attestations_commands,
    audits_commands,
    passes_commands,
    south_commands,
    volunteering_commands,
)
from node.desks.projects.call_commands import call_projects
from node.doors.keys_commands import make_key_group
from node.governance.attestations import AttestationKind
from node.governance.days import parse_day
from node.governance.errors import InvalidBallot, InvalidDraw
from node.governance.signers import FindingWords, IbanWords, write_public, write_words
from node.governance.votes import BallotWords, Choice, sign_ballot, write_ballot
from node.house.cards import compute_fingerprint, format_card, parse_card
from node.house.folders_store import base_folder
from node.options_commands import AsJson, CentsOption, Day, EurosOption, IdOption, InFile, Keys, id_or_new
from protocol.house import BaseName
from protocol.identifiers import parse_id
from protocol.keys import Domain, SecretKeys, sign
from protocol.running import clock_service
from protocol.running.console_commands import (
    progress,
    read_cents,
    refusals_explained,
    say,
    show,
)
from protocol.running.keys_store import create_keys, find_passphrase, load_keyring, write_private
from protocol.running.settings import NotConfigured, format_settings

app = typer.Typer(no_args_is_help=True, help="Projects: sheets, committee, votes, and the way to the bearer's bank.")
bearer = typer.Typer(no_args_is_help=True, help="Bodies that carry projects, and what proves that they may be paid.")
signer = typer.Typer(no_args_is_help=True, help="Public keys of members, auditors, stewards and bearers.")
member = typer.Typer(no_args_is_help=True, help="Who sits in the committee, and conflicts of interest.")
draw = typer.Typer(no_args_is_help=True, help="Members drawn by lot, so that anybody can draw them again.")
vote = typer.Typer(no_args_is_help=True, help="Votes: called, signed at each member's place, counted, with minutes.")
comment = typer.Typer(no_args_is_help=True, help="Comments and questions, under moderation.")
payer = typer.Typer(no_args_is_help=True, help="Funds that orders are sealed for.")
proof = typer.Typer(no_args_is_help=True, help="What instalments were spent on.")
audit = audits_commands.app
for name, group in (
    ("bearer", bearer),
    ("signer", signer),
    ("member", member),
    ("draw", draw),
    ("vote", vote),
    ("comment", comment),
    ("payer", payer),
    ("proof", proof),
    ("audit", audit),
):
    app.add_typer(group, name=name)
app.add_typer(attestations_commands.app, name="attest")
app.add_typer(passes_commands.app, name="pass")
app.add_typer(south_commands.app, name="south")
app.add_typer(south_commands.guide, name="guide")
app.add_typer(volunteering_commands.app, name="volunteer")

Folder = Annotated[Path, typer.Argument(help="the node's folder, or that of the base kept apart", file_okay=False)]
OutFile = Annotated[Path | None, typer.Option("--out", help="write it there")]
Project = Annotated[str, typer.Argument(help="the project's id")]
By = Annotated[str, typer.Option("--by", help="who does it: a function, never a name")]
Author = Annotated[str, typer.Option("--by", help="an account number, or a bearer's registry number")]
Reason = Annotated[str, typer.Option(help="why, for everybody to read")]
_PIECE = 256 * 1024


app.add_typer(
    make_key_group(call_projects, "reader, secretary, moderator, treasurer, officer", has_companies=False),
    name="door-key",
)


def _own_keys(folder: Path) -> SecretKeys:
    return load_keyring(folder, find_passphrase("")).current


def _hash(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as data:
        while piece := data.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _read_json(file: Path, size_max: int) -> Any:
    if file.stat().st_size > size_max:
        raise NotConfigured(reason=f"{file.name} is larger than {size_max} bytes")
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise NotConfigured(reason=f"{file.name} is not JSON") from None


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
        public = _own_keys(keys).public
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
    _lead(folder, project, "closed", by, f"attestation {_hash(attestation)}", id_, as_json)


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


# ---------------------------------------------------------------- bearers


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
            sha256=_hash(file),
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
        own = _own_keys(keys)
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


# ---------------------------------------------------------------- committee


@signer.command("add")
def add_signer(
    folder: Folder,
    public: Annotated[str, typer.Argument(help="the public line that `projects key` shows")],
    role: Annotated[str, typer.Option(help="member, auditor, steward, partner, guide or bearer")],
    title: Annotated[str, typer.Option(help="as minutes show it: a function or a pseudonym, never a name")],
    bearer: Annotated[str, typer.Option(help="the id of the bearer that a key of the role bearer speaks for")] = "",
    as_json: AsJson = False,
) -> None:
    """Register the public key of somebody who signs."""
    with refusals_explained():
        show(call_projects(folder, "signer_add", public=public, role=role, title=title, bearer=bearer), as_json=as_json)


@signer.command("list")
def list_signers(folder: Folder, as_json: AsJson = False) -> None:
    """List who may sign."""
    with refusals_explained():
        show(call_projects(folder, "signers"), as_json=as_json, title="signers")


@signer.command("revoke")
def revoke_signer(folder: Folder, key: str, as_json: AsJson = False) -> None:
    """From now on this key signs nothing."""
    with refusals_explained():
        show(call_projects(folder, "signer_revoke", key=key), as_json=as_json)


@member.command("seat")
def seat_member(
    folder: Folder,
    key: Annotated[str, typer.Option(help="the key's name, 16 hexadecimal digits")],
    college: Annotated[str, typer.Option(help="citizens, associations, companies, municipality or qualified")],
    from_day: Annotated[str, typer.Option("--from", help="yyyy-mm-dd")],
    until_day: Annotated[str, typer.Option("--until", help="yyyy-mm-dd")],
    organisation: Annotated[str, typer.Option(help="the registry number of the body that the member comes from")] = "",
    account: Annotated[str, typer.Option(help="the member's account number")] = "",
    drawing: Annotated[str, typer.Option("--draw", help="the drawing that chose the member")] = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Let somebody sit in a college for a term."""
    with refusals_explained():
        told = call_projects(
            folder,
            "member_seat",
            id=id_or_new(id_),
            key=key,
            college=college,
            from_day=from_day,
            until_day=until_day,
            organisation=organisation,
            account=account,
            draw=drawing,
        )
        show(told, as_json=as_json)


@member.command("end")
def end_member(folder: Folder, member_id: str, reason: Reason, as_json: AsJson = False) -> None:
    """Let a member leave before its term; its ballots of votes that run are struck out."""
    with refusals_explained():
        show(call_projects(folder, "member_end", member=member_id, reason=reason), as_json=as_json)


@member.command("list")
def list_members(folder: Folder, as_json: AsJson = False) -> None:
    """List who sits or sat."""
    with refusals_explained():
        show(call_projects(folder, "members"), as_json=as_json, title="members")


@member.command("conflict")
def declare_conflict(folder: Folder, member_id: str, project: Project, reason: Reason, as_json: AsJson = False) -> None:
    """Enter a conflict that the office knows of: the member abstains, and a ballot of a vote that runs is struck out."""
    with refusals_explained():
        show(call_projects(folder, "conflict", member=member_id, project=project, reason=reason), as_json=as_json)


@member.command("declare")
def declare_own(
    folder: Folder, project: Project, keys: Keys, reason: Reason, id_: IdOption = "", as_json: AsJson = False
) -> None:
    """Declare an interest of your own in a project, with your own key: you abstain from now on."""
    attestations_commands.attest(
        folder, AttestationKind.CONFLICT, project, keys, reason=reason, id_=id_, as_json=as_json
    )


def _read_candidates(file: Path) -> list[str]:
    from node.governance.committee_service import LIST_BYTES_MAX

    if file.stat().st_size > LIST_BYTES_MAX:
        raise InvalidDraw(field="candidates", reason=f"a file of at most {LIST_BYTES_MAX} bytes")
    return file.read_text(encoding="utf-8").split()


@draw.command("close-list")
def close_list(
    folder: Folder,
    candidates: Annotated[Path, typer.Argument(help="account numbers, one a line", exists=True, dir_okay=False)],
    college: Annotated[str, typer.Option()],
    seats: Annotated[int, typer.Option()],
    source: Annotated[str, typer.Option(help="the public draw to come, and which of its digits")],
    drawn_on: Day,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Close the list that members will be drawn from; its digest is public from now on."""
    with refusals_explained():
        told = call_projects(
            folder,
            "draw_close",
            id=id_or_new(id_),
            candidates=_read_candidates(candidates),
            college=college,
            seats=seats,
            source=source,
            drawn_on=drawn_on,
        )
        show(told, as_json=as_json)


@draw.command("number")
def tell_number(folder: Folder, draw_id: str, number: str, as_json: AsJson = False) -> None:
    """Tell the public number; shows whom it calls."""
    with refusals_explained():
        show(call_projects(folder, "draw_number", draw=draw_id, number=number), as_json=as_json)


@draw.command("list")
def list_draws(folder: Folder, as_json: AsJson = False) -> None:
    """List drawings."""
    with refusals_explained():
        show(call_projects(folder, "draws"), as_json=as_json, title="drawings")


@draw.command("again")
def draw_again(
    candidates: Annotated[Path, typer.Argument(help="account numbers, one a line", exists=True, dir_okay=False)],
    territory: Annotated[str, typer.Option()],
    college: Annotated[str, typer.Option()],
    seats: Annotated[int, typer.Option()],
    source: Annotated[str, typer.Option()],
    drawn_on: Day,
    number: Annotated[str, typer.Option()],
    as_json: AsJson = False,
) -> None:
    """Draw again from what was published: anybody gets the same. Needs no base."""
    from node.governance.drawing import compute_list_digest, make_list, rank_candidates

    with refusals_explained():
        told = make_list(
            territory=territory,
            college=college,
            seats=seats,
            source=source,
            drawn_on=parse_day(drawn_on, "drawn_on"),
            candidates=tuple(_read_candidates(candidates)),
        )
        ranked = rank_candidates(told, number)
        show(
            {
                "list_digest": compute_list_digest(told).hex(),
                "chosen": list(ranked[:seats]),
                "stand_ins": list(ranked[seats:]),
            },
            as_json=as_json,
        )


# ---------------------------------------------------------------- votes


@vote.command("call")
def call_vote(
    folder: Folder,
    project: Project,
    closes_at: Annotated[str, typer.Option(help="an instant with its time zone, as 2026-12-01T18:00:00+01:00")],
    opens_at: Annotated[str, typer.Option(help="the same; empty: now")] = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Call a vote on a project's sheet as it stands."""
    with refusals_explained():
        told = call_projects(
            folder, "vote_call", id=id_or_new(id_), project=project, opens_at=opens_at, closes_at=closes_at
        )
        show(told, as_json=as_json)


@vote.command("words")
def vote_words(folder: Folder, session: str, out: OutFile = None, as_json: AsJson = False) -> None:
    """Show what members need to sign a ballot at their own place."""
    with refusals_explained():
        told = call_projects(folder, "vote_words", session=session)
        if out is not None:
            out.write_text(json.dumps(told, indent=2), encoding="utf-8")
        show(told, as_json=as_json)


@vote.command("sign")
def sign_vote(
    file: Annotated[Path, typer.Argument(help="what `vote words --out` wrote", exists=True, dir_okay=False)],
    keys: Keys,
    choice: Annotated[Choice, typer.Option(help="for, against or abstain")],
    grid: Annotated[str, typer.Option(help="a mark for each criterion, as 3,4,2,4")] = "",
    reason: Reason = "",
    out: OutFile = None,
    as_json: AsJson = False,
) -> None:
    """Sign a ballot with your own key, and hand in what it shows. Needs no base."""
    with refusals_explained():
        told = _read_json(file, 64 * 1024)
        try:
            words_ = BallotWords(
                int(told["version"]),
                told["territory"],
                parse_id(told["session"]),
                parse_id(told["project"]),
                bytes.fromhex(told["sheet"]),
                choice,
                tuple(int(mark) for mark in grid.split(",") if mark),
                reason,
            )
        except (KeyError, TypeError, ValueError):
            raise InvalidBallot(
                reason=f"{file.name} is not what `vote words` wrote, or the grid is no numbers"
            ) from None
        ballot = write_ballot(sign_ballot(words_, _own_keys(keys))).hex()
        if out is not None:
            out.write_text(ballot + "\n", encoding="utf-8")
        show({"choice": str(choice), "ballot": ballot}, as_json=as_json)


@vote.command("cast")
def cast_vote(folder: Folder, file: InFile, as_json: AsJson = False) -> None:
    """Hand in a ballot that its member signed."""
    with refusals_explained():
        show(call_projects(folder, "vote_cast", ballot=file.read_text(encoding="utf-8")[: 64 * 1024]), as_json=as_json)


@vote.command("close")
def close_vote(folder: Folder, session: str, reason: Reason = "", as_json: AsJson = False) -> None:
    """Count a vote whose time is over, and write its minutes; a refusal needs its reason."""
    with refusals_explained():
        show(call_projects(folder, "vote_close", session=session, reason=reason), as_json=as_json)


@vote.command("list")
def list_votes(folder: Folder, project: Project, as_json: AsJson = False) -> None:
    """List the votes on a project."""
    with refusals_explained():
        show(call_projects(folder, "votes", project=project), as_json=as_json, title="votes")


@vote.command("minutes")
def show_minutes(folder: Folder, session: str, out: OutFile = None, as_json: AsJson = False) -> None:
    """Show the minutes of a vote; --out writes the document with its signature, for whoever counts again."""
    with refusals_explained():
        told = call_projects(folder, "minutes", session=session)
        if out is not None:
            out.write_text(json.dumps(told, indent=2), encoding="utf-8")
        show(told if as_json else {k: v for k, v in told.items() if k != "document"}, as_json=as_json)


@vote.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="what `vote minutes --out` wrote", exists=True, dir_okay=False)],
    card: Annotated[str, typer.Option(help="the card of the projects' base (house card … projects)")],
    as_json: AsJson = False,
) -> None:
    """Count a vote again from its minutes: the base's signature, every member's, and the outcome. Needs no base."""
    from node.governance.minutes import compute_decision, verify_minutes

    with refusals_explained():
        told = _read_json(file, 16 * 1024 * 1024)
        try:
            body, signature = bytes.fromhex(told["document"]), bytes.fromhex(told["signature"])
        except (KeyError, TypeError, ValueError):
            raise InvalidBallot(reason=f"{file.name} is not what `vote minutes` wrote") from None
        minutes = verify_minutes(body, signature, [parse_card(card).keys])
        show(
            {
                "decision": compute_decision(body).hex(),
                "title": minutes.title,
                "outcome": minutes.outcome,
                "ballots": len(minutes.ballots),
                "seats": len(minutes.seats),
            },
            as_json=as_json,
        )


# ---------------------------------------------------------------- comments


@comment.command("add")
def add_comment(
    folder: Folder,
    project: Project,
    text: str,
    by: Author,
    kind: Annotated[str, typer.Option(help="comment, question or answer")] = "comment",
    answers: Annotated[str, typer.Option(help="the question that it answers")] = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Enter what somebody says: it is shown once it was looked at."""
    with refusals_explained():
        told = call_projects(
            folder, "comment", id=id_or_new(id_), project=project, kind=kind, by=by, text=text, answers=answers
        )
        show(told, as_json=as_json)


@comment.command("list")
def list_comments(folder: Folder, project: Project, as_json: AsJson = False) -> None:
    """List what was said of a project, shown or not."""
    with refusals_explained():
        show(call_projects(folder, "comments", project=project), as_json=as_json, title="comments")


@comment.command("moderate")
def moderate(
    folder: Folder,
    comment_id: str,
    by: By,
    hide: Annotated[bool, typer.Option("--hide", help="do not show it")] = False,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Show a comment, or hide it with a reason."""
    with refusals_explained():
        state = "hidden" if hide else "shown"
        show(call_projects(folder, "moderate", comment=comment_id, state=state, by=by, reason=reason), as_json=as_json)


# ---------------------------------------------------------------- money


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


@app.command("publish-catalogue")
def publish_catalogue(folder: Folder, as_json: AsJson = False) -> None:
    """Sign the catalogue of open projects anew, now: the accounts hand it to the federation."""
    with refusals_explained():
        show(call_projects(folder, "catalogue_publish"), as_json=as_json)


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
            sha256=_hash(file),
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


@audit.command("find")
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
        own, home, given = _own_keys(keys), call_projects(folder, "home"), str(uuid.UUID(id_or_new(id_)))
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
