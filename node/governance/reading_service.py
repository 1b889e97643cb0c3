"""What is read of projects: one with all that belongs to it, lists by state, theme and place, and decisions."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from node.governance import tables
from node.governance.bearers import Bearer
from node.governance.comments import CommentState
from node.governance.comments_service import list_comments
from node.governance.days import read_day
from node.governance.errors import FileUnknown, ProjectUnknown, SessionUnknown
from node.governance.parameters_store import load_committee_rules
from node.governance.projects import IS_PUBLIC, ProjectState
from node.governance.rounds_service import ProgressReport, list_dues, list_rounds, load_progress_report
from node.governance.store import Project, list_projects, load_bearer, load_project
from node.governance.votes_service import Session, list_sessions, make_session
from protocol.identifiers import Id16, format_id

_projects = tables.projects


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectView:
    """A project with all that belongs to it; rows of tables as they are."""

    project: Project
    bearer: Bearer | None
    steps: tuple[Any, ...]
    sessions: tuple[Session, ...]
    rounds: tuple[Any, ...]
    dues: tuple[Any, ...]
    spendings: tuple[Any, ...]
    findings: tuple[Any, ...]
    comments: tuple[Any, ...]
    report: ProgressReport
    today: datetime.date
    payment_days: int  # after which what a fund owes is late


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    media: str
    body: bytes


def load_view(connection: Connection, id_: Id16, today: int) -> ProjectView:
    """Return a project as who keeps this base sees it. Raises ProjectUnknown."""
    project = load_project(connection, id_)
    return ProjectView(
        project=project,
        bearer=None if project.bearer is None else load_bearer(connection, project.bearer),
        steps=_rows(connection, tables.steps, tables.steps.c.project == id_, tables.steps.c.ix),
        sessions=tuple(list_sessions(connection, id_)),
        rounds=tuple(list_rounds(connection, id_)),
        dues=tuple(list_dues(connection, id_)),
        spendings=_rows(connection, tables.spendings, tables.spendings.c.project == id_, tables.spendings.c.at),
        findings=_rows(connection, tables.findings, tables.findings.c.project == id_, tables.findings.c.at),
        comments=tuple(list_comments(connection, id_, CommentState.SHOWN)),
        report=load_progress_report(connection, project, today),
        today=read_day(today),
        payment_days=load_committee_rules(today).payment_days,
    )


def load_public_view(connection: Connection, id_: Id16, today: int) -> ProjectView:
    """The same for anybody: what was proposed and not taken up is not shown. Raises ProjectUnknown."""
    view = load_view(connection, id_, today)
    if view.project.state not in IS_PUBLIC:
        raise ProjectUnknown(project=format_id(id_))
    return view


def _rows(connection: Connection, table: Any, where: ColumnElement[bool], order: Any) -> tuple[Any, ...]:
    return tuple(connection.execute(select(table).where(where).order_by(order)).all())


def list_by(
    connection: Connection, *, states: tuple[ProjectState, ...] = (), theme: str = "", commune: str = ""
) -> list[Project]:
    """Return the projects that fit, those whose need-by day comes first in front."""
    where: list[ColumnElement[bool]] = []
    if states:
        where.append(_projects.c.state.in_(states))
    if theme:
        where.append(_projects.c.theme == theme)
    if commune:
        where.append(_projects.c.commune == commune)
    found = list_projects(connection, *where)
    return sorted(found, key=lambda one: (one.sheet.need_by, one.at, one.id))


def load_decision(connection: Connection, digest: bytes) -> Session:
    """Return the vote that made a decision. Raises SessionUnknown."""
    table = tables.sessions
    row = connection.execute(select(table).where(table.c.decision == digest)).first()
    if row is None:
        raise SessionUnknown(session=digest.hex())
    return make_session(row)


def load_file(connection: Connection, digest: bytes) -> KeptFile:
    """Return a picture. Raises FileUnknown."""
    row = connection.execute(select(tables.files).where(tables.files.c.digest == digest)).first()
    if row is None:
        raise FileUnknown(digest=digest.hex())
    return KeptFile(media=row.media, body=bytes(row.body))
