"""What the projects' base shows the world: open projects, their sheets, what was said and decided, as JSON.

It stands on `Projects` alone, so that whoever keeps the projects' base serves it. Every door stands in one table: what
is served is what is described. Doors that change something are in files of their own, and take a key.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from aiohttp import web

from node.desks.projects import audits_api, participation_api, volunteering_api
from node.desks.projects.answers import (
    PUBLIC_STATES,
    CommentsAnswer,
    DrawsAnswer,
    MinutesAnswer,
    ProjectAnswer,
    ProjectsAnswer,
    VocabularyAnswer,
    WordLine,
    tell_comments,
    tell_drawing,
    tell_line,
    tell_minutes,
    tell_project,
)
from node.desks.projects.calls_api import AUTHORISE, PROJECTS, Authorise, answer, door
from node.desks.projects.south_answers import GuidesAnswer, ProgrammeAnswer, tell_guide_row
from node.desks.projects.south_service import load_programme_told
from node.governance.committee_service import list_drawings
from node.governance.days import local_day, write_day
from node.governance.errors import FileUnknown, SessionUnknown
from node.governance.minutes import read_minutes
from node.governance.parameters_store import load_committee_rules, load_themes
from node.governance.projects import ProjectState
from node.governance.reading_service import list_by, load_decision, load_file, load_public_view
from node.governance.service import Projects
from node.governance.south.guide_service import list_guides
from protocol.errors import Malformed
from protocol.identifiers import parse_id
from protocol.running.http_service import choose_language
from protocol.running.openapi import Api, describe_api

API: Final = Api(
    title="Citizen-Miles projects",
    words=(
        "Projects of one territory, and what its committee decided. Amounts are whole cents. Nobody is named: neither"
        " who proposes, nor who votes, nor who supports. Who changes something shows a key of the node's and acts for"
        " an account; ids are UUIDs, chosen by the caller: the same is never done twice."
    ),
)
DIGEST_DIGITS: Final = 64


def _today(projects: Projects) -> int:
    return write_day(local_day(projects.book.clock(), projects.settings.zone))


async def list_projects(request: web.Request) -> web.Response:
    """List projects by state (open ones by default), theme and commune, the most urgent first."""
    projects = request.app[PROJECTS]
    wanted = request.query.get("state", ProjectState.OPEN)
    if wanted not in (*PUBLIC_STATES, "all"):
        raise Malformed(field="state", reason=f"all, or one of {', '.join(PUBLIC_STATES)}")
    states = PUBLIC_STATES if wanted == "all" else (ProjectState(wanted),)
    find = partial(
        list_by, states=states, theme=request.query.get("theme", ""), commune=request.query.get("commune", "")
    )
    found = await projects.book.read(find)
    return answer(ProjectsAnswer([tell_line(one, projects.settings.home) for one in found]))


async def show_project(request: web.Request) -> web.Response:
    """Show all that anybody may read of a project."""
    projects = request.app[PROJECTS]
    find = partial(load_public_view, id_=parse_id(request.match_info["project"]), today=_today(projects))
    return answer(tell_project(await projects.book.read(find), projects.settings.home))


async def show_comments(request: web.Request) -> web.Response:
    """Show the comments, questions and answers on a project that were let through."""
    projects = request.app[PROJECTS]
    find = partial(load_public_view, id_=parse_id(request.match_info["project"]), today=_today(projects))
    return answer(tell_comments(await projects.book.read(find)))


async def show_minutes(request: web.Request) -> web.Response:
    """Show the minutes of a decision, with their bytes and signature, so that anybody can count again."""
    projects = request.app[PROJECTS]
    digest = _digest(request.match_info["decision"])
    if digest is None:
        raise SessionUnknown(session=request.match_info["decision"][:DIGEST_DIGITS])
    session = await projects.book.read(partial(load_decision, digest=digest))
    assert session.minutes is not None
    assert session.signature is not None
    assert session.signer is not None
    told = tell_minutes(
        read_minutes(session.minutes),
        decision=digest,
        body=session.minutes,
        signature=session.signature,
        key=session.signer,
    )
    return answer(told)


async def show_programme(request: web.Request) -> web.Response:
    """Show a South programme: partners, budget, field reports, and all that is missing today."""
    projects = request.app[PROJECTS]
    id_, today = parse_id(request.match_info["project"]), _today(projects)
    await projects.book.read(partial(load_public_view, id_=id_, today=today))
    find = partial(
        load_programme_told,
        id_=id_,
        now=projects.book.clock(),
        zone=projects.settings.zone,
        language=choose_language(request),
    )
    return answer(await projects.book.read(find))


async def show_guides(request: web.Request) -> web.Response:
    """List guides whom the committee accredited, with their terms: by a title, never by a name, nor for whom they act."""
    today = _today(request.app[PROJECTS])
    found = await request.app[PROJECTS].book.read(list_guides)
    return answer(GuidesAnswer([tell_guide_row(row, today) for row in found if row.accredited_at is not None]))


async def list_draws(request: web.Request) -> web.Response:
    """List drawings of members by lot: the lists that were closed, then the numbers and whom they called."""
    found = await request.app[PROJECTS].book.read(list_drawings)
    return answer(DrawsAnswer([tell_drawing(one) for one in found]))


async def show_words(request: web.Request) -> web.Response:
    """Show the vocabulary of today: themes, criteria, states."""
    today = _today(request.app[PROJECTS])
    rules = load_committee_rules(today)
    return answer(
        VocabularyAnswer(
            themes=[WordLine(one.key, one.french, one.english) for one in load_themes(today)],
            criteria=[WordLine(one.key, one.french, one.english) for one in rules.criteria],
            states=list(PUBLIC_STATES),
        )
    )


async def show_file(request: web.Request) -> web.Response:
    """Show a picture of a sheet."""
    digest = _digest(request.match_info["digest"])
    if digest is None:
        raise FileUnknown(digest=request.match_info["digest"][:DIGEST_DIGITS])
    kept = await request.app[PROJECTS].book.read(partial(load_file, digest=digest))
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'",
    }
    return web.Response(body=kept.body, content_type=kept.media, headers=headers)


async def show_description(_request: web.Request) -> web.Response:
    """Describe this API (OpenAPI 3.1)."""
    return answer(describe_api([route for route, _ in DOORS], API))


def _digest(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text) if len(text) == DIGEST_DIGITS else None
    except ValueError:
        return None


# Fixed words first: what follows in braces would take them.
DOORS: Final = (
    door("/openapi.json", show_description),
    door("/words", show_words, VocabularyAnswer),
    door("/draws", list_draws, DrawsAnswer),
    door("/guides", show_guides, GuidesAnswer),
    door("/minutes/{decision}", show_minutes, MinutesAnswer),
    door("/files/{digest}", show_file),
    door("", list_projects, ProjectsAnswer, query="state theme commune"),
    *participation_api.DOORS,
    *audits_api.DOORS,
    *volunteering_api.DOORS,
    door("/{project}", show_project, ProjectAnswer),
    door("/{project}/comments", show_comments, CommentsAnswer),
    door("/{project}/programme", show_programme, ProgrammeAnswer),
)


def add_projects_doors(application: web.Application, projects: Projects, authorise: Authorise | None = None) -> None:
    """Serve the projects in an application, beside what it serves already; `authorise` tells what a key allows."""
    application[PROJECTS] = projects
    if authorise is not None:
        application[AUTHORISE] = authorise
    for route, handler in DOORS:
        application.router.add_route(route.method, route.path, handler)
