"""A South programme as anybody may read it: one answer for the API and the command line."""

from __future__ import annotations

from sqlalchemy import Connection

from node.desks.projects.south_answers import ProgrammeAnswer, tell_programme
from node.governance.days import local_day, write_day
from node.governance.south.programme_service import find_missing
from node.governance.south.programme_store import list_reports, load_programme, load_programme_row
from node.governance.store import load_project
from protocol.identifiers import Id16


def load_programme_told(connection: Connection, id_: Id16, *, now: int, zone: str, language: str) -> ProgrammeAnswer:
    """Return all of a programme that anybody may read. Raises ProjectUnknown, ProgrammeUnknown."""
    project = load_project(connection, id_)
    row = load_programme_row(connection, id_)
    programme = load_programme(connection, project, now, zone)
    assert programme is not None
    today = write_day(local_day(now, zone))
    gaps = find_missing(connection, project, now, zone)
    return tell_programme(row, programme, list_reports(connection, id_), gaps, today=today, language=language)
