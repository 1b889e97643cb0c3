"""Proposals and comments by the doors: a program with a key enters them for an account, as the office does."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from node.desks.accounts.requests import AccountText, Id
from node.desks.projects.calls_api import Call, answer, door
from node.desks.projects.requests import SheetRequest, take_sheet
from node.governance import tables
from node.governance.comments import CommentKind
from node.governance.comments_service import AddComment, find_comment
from node.governance.projects_service import ProposeProject
from node.governance.store import find_project
from protocol.identifiers import parse_id


class ProposalRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Propose a project for an account."""

    id: Id
    account: AccountText
    sheet: SheetRequest


class ProposalAnswer(Struct, frozen=True):
    project: str
    state: str


class CommentRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Say something of a project for an account. `answers` is the question, where it is an answer."""

    id: Id
    account: AccountText
    kind: CommentKind
    text: Annotated[str, Meta(max_length=2_000)]
    answers: Annotated[str, Meta(max_length=36)] = ""


class CommentAnswer(Struct, frozen=True):
    comment: str
    state: str


async def propose(request: web.Request) -> web.Response:
    """Propose a project for an account: the office looks at it before anybody sees it."""
    call = Call(request)
    grant = await call.grant()
    asked = await call.body(ProposalRequest)
    by = call.require_account(grant, asked.account)
    new = ProposeProject(id=parse_id(asked.id), sheet=take_sheet(asked.sheet), by=by, is_limited=True)
    known = await call.book.read(lambda line: find_project(line, tables.projects.c.id == new.id))
    state = await call.book.write(call.projects.projects.propose, new)
    return answer(ProposalAnswer(asked.id, state), 201 if known is None else 200)


async def add_comment(request: web.Request) -> web.Response:
    """Say something of a project for an account: it is shown once somebody looked at it."""
    call = Call(request)
    grant = await call.grant()
    asked = await call.body(CommentRequest)
    new = AddComment(
        id=parse_id(asked.id),
        project=parse_id(request.match_info["project"]),
        kind=asked.kind,
        author=call.require_account(grant, asked.account),
        text=asked.text,
        answers=parse_id(asked.answers) if asked.answers else None,
        is_limited=True,
    )
    known = await call.book.read(partial(find_comment, id_=new.id))
    state = await call.book.write(call.projects.comments.add, new)
    return answer(CommentAnswer(asked.id, state), 201 if known is None else 200)


DOORS: Final = (
    door("/proposals", propose, ProposalAnswer, body=ProposalRequest),
    door("/{project}/comments", add_comment, CommentAnswer, body=CommentRequest),
)
