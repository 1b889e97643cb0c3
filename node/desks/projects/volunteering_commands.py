"""`citizen-miles node projects volunteer …`: offers and requests, who takes part, hours, and the pass they become."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from node.desks.projects.attestations_commands import Refuse, Why, attest
from node.desks.projects.call_commands import Folder, call_projects
from node.files_commands import read_json
from node.governance.attestations import AttestationKind
from node.options_commands import AsJson, Day, IdOption, InFile, Keys, id_or_new
from protocol.running.console_commands import refusals_explained, show
from protocol.running.settings import NotConfigured

app = typer.Typer(no_args_is_help=True, help="Volunteering near home and by skill, hours, and the pass they become.")

Bearer = Annotated[str, typer.Option("--by", help="the project's bearer, by its registry number")]
Account = Annotated[str, typer.Option(help="the volunteer's account number")]
OfferId = Annotated[str, typer.Argument(metavar="OFFER")]
ApplicationId = Annotated[str, typer.Argument(metavar="APPLICATION")]
FILE_BYTES_MAX = 64 * 1024


@app.command("offer")
def offer(folder: Folder, file: InFile, by: Bearer, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Enter an offer of a project from a JSON file: it is a draft until it is published."""
    with refusals_explained():
        show(
            call_projects(folder, "volunteer_offer", id=id_or_new(id_), offer=read_json(file, FILE_BYTES_MAX), by=by),
            as_json=as_json,
        )


def _step(folder: Path, offer_id: str, event: str, by: str, reason: str, id_: str, as_json: bool) -> None:
    with refusals_explained():
        told = call_projects(
            folder, "volunteer_step", id=id_or_new(id_), offer=offer_id, event=event, by=by, reason=reason
        )
        show(told, as_json=as_json)


@app.command("publish")
def publish(folder: Folder, offer_id: OfferId, by: Bearer, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Let anybody find an offer and apply."""
    _step(folder, offer_id, "published", by, "", id_, as_json)


@app.command("end")
def end(folder: Folder, offer_id: OfferId, by: Bearer, id_: IdOption = "", as_json: AsJson = False) -> None:
    """End an offer; after its last day a served base does it by itself."""
    _step(folder, offer_id, "ended", by, "", id_, as_json)


@app.command("withdraw")
def withdraw(
    folder: Folder,
    offer_id: OfferId,
    by: Bearer,
    reason: Annotated[str, typer.Option(help="why, in one line")],
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Take an offer back, with its reason."""
    _step(folder, offer_id, "withdrawn", by, reason, id_, as_json)


@app.command("offers")
def list_offers(
    folder: Folder,
    project: Annotated[str, typer.Option(help="only those of this project")] = "",
    state: Annotated[str, typer.Option(help="only those in this state")] = "",
    as_json: AsJson = False,
) -> None:
    """List offers."""
    with refusals_explained():
        told = call_projects(folder, "volunteer_offers", project=project, state=state)
        show(told, as_json=as_json, title="offers")


@app.command("request")
def request(folder: Folder, file: InFile, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Keep that somebody looks for something to do, from a JSON file: account, place, radius, skills, until."""
    with refusals_explained():
        show(
            call_projects(folder, "volunteer_request", id=id_or_new(id_), request=read_json(file, FILE_BYTES_MAX)),
            as_json=as_json,
        )


@app.command("close-request")
def close_request(
    folder: Folder, request_id: Annotated[str, typer.Argument(metavar="REQUEST")], as_json: AsJson = False
) -> None:
    """Take a request away."""
    with refusals_explained():
        show(call_projects(folder, "volunteer_close", request=request_id), as_json=as_json)


@app.command("match")
def match(
    folder: Folder,
    request_id: Annotated[str, typer.Option("--request", help="the offers that this request fits")] = "",
    offer_id: Annotated[str, typer.Option("--offer", help="the requests that this offer fits")] = "",
    as_json: AsJson = False,
) -> None:
    """List what fits, near enough and by skill, the best first."""
    with refusals_explained():
        if bool(request_id) is bool(offer_id):
            raise NotConfigured(reason="--request or --offer, one of them")
        told = call_projects(folder, "volunteer_match", request=request_id, offer=offer_id)
        rows = told if as_json or offer_id else [{**one["offer"], "metres": one["metres"]} for one in told]
        show(rows, as_json=as_json, title="what fits")


@app.command("apply")
def apply(
    folder: Folder,
    offer_id: OfferId,
    account: Account,
    words: Annotated[str, typer.Option(help="a word to the bearer")] = "",
    people: Annotated[int, typer.Option(help="how many, where it is a group")] = 1,
    label: Annotated[str, typer.Option(help="the group's public name")] = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Offer to take part, for an account."""
    with refusals_explained():
        told = call_projects(
            folder,
            "volunteer_apply",
            id=id_or_new(id_),
            offer=offer_id,
            account=account,
            words=words,
            people=people,
            label=label,
        )
        show(told, as_json=as_json)


@app.command("decide")
def decide(
    folder: Folder,
    application_id: ApplicationId,
    event: Annotated[str, typer.Argument(help="accepted, declined, done or absent")],
    by: Bearer,
    reason: Annotated[str, typer.Option(help="why it is declined")] = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Say what the bearer decided of an application."""
    with refusals_explained():
        told = call_projects(
            folder,
            "volunteer_decide",
            id=id_or_new(id_),
            application=application_id,
            event=event,
            by=by,
            reason=reason,
        )
        show(told, as_json=as_json)


@app.command("leave")
def leave(
    folder: Folder, application_id: ApplicationId, account: Account, id_: IdOption = "", as_json: AsJson = False
) -> None:
    """Leave: no reason is asked."""
    with refusals_explained():
        told = call_projects(folder, "volunteer_leave", id=id_or_new(id_), application=application_id, account=account)
        show(told, as_json=as_json)


@app.command("list")
def list_applications(
    folder: Folder,
    offer_id: Annotated[str, typer.Option("--offer", help="who applied to it")] = "",
    account: Annotated[str, typer.Option(help="what an account applied to")] = "",
    as_json: AsJson = False,
) -> None:
    """List applications with the hours that were told."""
    with refusals_explained():
        if bool(offer_id) is bool(account):
            raise NotConfigured(reason="--offer or --account, one of them")
        told = call_projects(folder, "volunteer_applications", offer=offer_id, account=account)
        if as_json:
            show(told, as_json=True)
            return
        for one in told:
            hours = one.pop("hours")
            show(one, as_json=False)
            show(hours, as_json=False, title="hours")


@app.command("hours")
def hours(
    folder: Folder,
    application_id: ApplicationId,
    account: Account,
    on: Day,
    minutes: Annotated[int, typer.Option(help="of all people of a group together")],
    words: Annotated[str, typer.Option(help="what was done")],
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Tell what was done on one day."""
    with refusals_explained():
        told = call_projects(
            folder,
            "volunteer_hours",
            id=id_or_new(id_),
            application=application_id,
            account=account,
            on=on,
            minutes=minutes,
            words=words,
        )
        show(told, as_json=as_json)


@app.command("judge")
def judge(
    folder: Folder,
    hours_id: Annotated[str, typer.Argument(metavar="HOURS")],
    keys: Keys,
    refuse: Refuse = False,
    reason: Why = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Confirm hours with the bearer's key, or refuse them with a reason."""
    attest(folder, AttestationKind.HOURS, hours_id, keys, refuse=refuse, reason=reason, id_=id_, as_json=as_json)


@app.command("claim")
def claim(
    folder: Folder,
    application_id: ApplicationId,
    role: Annotated[str, typer.Option(help="as the pass shows it")],
    duty: Annotated[str, typer.Option(help="governing, supervising or other")] = "other",
    skill: Annotated[list[str] | None, typer.Option(help="a code; none: those of the offer")] = None,
    language: Annotated[str, typer.Option(help="fr or en, of the pass")] = "fr",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Claim a pass of all confirmed hours that stand in none yet; go on with `pass check`."""
    with refusals_explained():
        told = call_projects(
            folder,
            "volunteer_claim",
            id=id_or_new(id_),
            application=application_id,
            role=role,
            duty=duty,
            skills=skill or [],
            pass_language=language,
        )
        show(told, as_json=as_json)
