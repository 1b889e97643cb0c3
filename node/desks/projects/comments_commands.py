"""`citizen-miles node projects comment …`: what is said of a project, and what of it is shown."""

from __future__ import annotations

from typing import Annotated

import typer

from node.desks.projects.call_commands import Author, By, Folder, Project, Reason, call_projects
from node.options_commands import AsJson, IdOption, id_or_new
from protocol.running.console_commands import refusals_explained, show

comment = typer.Typer(no_args_is_help=True, help="Comments and questions, under moderation.")


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
