"""`citizen-miles node projects …`: commands of who signs, who sits, and who is drawn by lot."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from node.desks.projects import attestations_commands
from node.desks.projects.call_commands import Folder, Project, Reason, call_projects
from node.governance.attestations import AttestationKind
from node.governance.days import parse_day
from node.governance.errors import InvalidDraw
from node.options_commands import AsJson, Day, IdOption, Keys, id_or_new
from protocol.running.console_commands import refusals_explained, show

signer = typer.Typer(no_args_is_help=True, help="Public keys of members, auditors, stewards and bearers.")
member = typer.Typer(no_args_is_help=True, help="Who sits in the committee, and conflicts of interest.")
draw = typer.Typer(no_args_is_help=True, help="Members drawn by lot, so that anybody can draw them again.")


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
