"""`citizen-miles node projects vote …`: votes are called, and counted; a ballot is signed, and minutes are verified without any base."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from node.desks.projects.call_commands import Folder, OutFile, Project, Reason, call_projects
from node.files_commands import own_keys, read_json
from node.governance.errors import InvalidBallot
from node.governance.votes import BallotWords, Choice, sign_ballot, write_ballot
from node.house.cards import parse_card
from node.options_commands import AsJson, IdOption, InFile, Keys, id_or_new
from protocol.identifiers import parse_id
from protocol.running.console_commands import refusals_explained, show

vote = typer.Typer(no_args_is_help=True, help="Votes: called, signed at each member's place, counted, with minutes.")


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
        told = read_json(file, 64 * 1024)
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
        ballot = write_ballot(sign_ballot(words_, own_keys(keys))).hex()
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
        told = read_json(file, 16 * 1024 * 1024)
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
