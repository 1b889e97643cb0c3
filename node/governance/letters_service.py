"""What the projects' base tells the accounts of a project: once each, under ids that follow from the project's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, select

from node.governance import tables
from node.governance.auditing.audits_store import list_standings
from node.governance.auditing.gate import tell_verdict
from node.governance.instalments import AuditVerdict
from node.governance.projects import AT_THE_ACCOUNTS
from node.governance.store import Project
from protocol.book.worker import Page
from protocol.house import BaseName, CommitProject, HouseMessage, OpenProject, ReleaseProject
from protocol.identifiers import Id16

# Appends a slip to the log for a base: (page, reader, messages). It is called in the page, from the writer's thread.
Tell = Callable[[Page, str, Sequence[HouseMessage]], object]


def make_operation_id(project: bytes, what: str) -> Id16:
    """Return the id under which the accounts are asked one thing of a project: the same whoever computes it."""
    return Id16(hashlib.sha256(b"citizen-miles/project/" + what.encode() + b"/v1\0" + project).digest()[:16])


def make_opening(project: Project) -> OpenProject:
    """Return what the accounts are told of a project that opens."""
    sheet = project.sheet
    return OpenProject(project.id, sheet.title, sheet.theme, sheet.target, sheet.need_by)


class Letters:
    """Tells the accounts."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def send(self, page: Page, message: HouseMessage) -> None:
        self._tell(page, BaseName.ACCOUNTS, [message])

    def open(self, page: Page, project: Project) -> None:
        """Let rights be directed to it."""
        self.send(page, make_opening(project))

    def commit(self, page: Page, project: Project) -> dict[str, Any]:
        """Let nothing more be directed to it; return what changes in its row."""
        id_ = make_operation_id(project.id, "commit")
        self.send(page, CommitProject(id_, project.id))
        return {"commit_id": id_, "code": ""}

    def release(self, page: Page, project: Project, code: str) -> dict[str, Any]:
        """Let what was not converted go back, if the accounts know the project; return what changes in its row."""
        return self.release_again(page, project, code) if project.state in AT_THE_ACCOUNTS else {}

    def release_again(self, page: Page, project: Project, code: str) -> dict[str, Any]:
        """The same for one that ended: the accounts refused it before."""
        if code == "withdrawn" and find_verdict(page.connection, project.id) is AuditVerdict.FAILED:
            code = "audit_failed"
        id_ = make_operation_id(project.id, "release")
        self.send(page, ReleaseProject(id_, project.id, code))
        return {"release_id": id_, "code": ""}


def find_verdict(connection: Connection, project: bytes) -> AuditVerdict | None:
    """Return what audits, and findings outside of any, come to; or None where there was none."""
    table = tables.findings
    found = connection.execute(
        select(table.c.at, table.c.verdict)
        .where(table.c.project == project)
        .order_by(table.c.at.desc(), table.c.id.desc())
    ).first()
    outside = None if found is None else (found.at, AuditVerdict(found.verdict))
    return tell_verdict(outside, list_standings(connection, project))
