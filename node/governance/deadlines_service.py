"""What is decided by a day or by a sum: a project is funded at its target, or at its minimum on its need-by day; or missed.

The day is over where the settings' clocks say so, and a little later: what was directed on it may still be on its way to
us. Days on which nothing ran are caught up: the same projects are found, and each step is taken once.
"""

from __future__ import annotations

from collections.abc import Sequence

from node.governance import tables
from node.governance.days import end_of, local_day, write_day
from node.governance.letters_service import Letters
from node.governance.projects import ProjectEvent, ProjectState
from node.governance.settings import ProjectsSettings
from node.governance.store import Project, list_projects, save_step
from protocol.book.worker import Page
from protocol.times import HOUR_MS

_projects = tables.projects


def fund_if_reached(page: Page, letters: Letters, project: Project, enough: int, *, by: str) -> bool:
    """Let an open project be funded where so much is directed to it; tell whether it was."""
    if project.state is not ProjectState.OPEN or project.support < enough:
        return False
    save_step(page, project, ProjectEvent.FUNDED, by=by, **letters.commit(page, project))
    return True


class DeadlineDesk:
    """Operations for the book's writer, on need-by days."""

    def __init__(self, letters: Letters, settings: ProjectsSettings) -> None:
        self._letters = letters
        self._settings = settings

    def catch_up(self, page: Page, items: Sequence[None]) -> list[int]:
        """Decide of every open project whose day is over; return how many. Run twice is run once."""
        today = write_day(local_day(page.now, self._settings.zone))
        due = list_projects(page.connection, _projects.c.state == ProjectState.OPEN, _projects.c.need_by < today)
        decided = 0
        for project in due:
            if page.now < end_of(project.sheet.need_by, self._settings.zone) + self._settings.grace_hours * HOUR_MS:
                continue
            decided += 1
            if fund_if_reached(page, self._letters, project, project.sheet.minimum, by="the need-by day"):
                continue
            released = self._letters.release(page, project, "minimum_missed")
            save_step(page, project, ProjectEvent.MISSED, by="the need-by day", reason="minimum_missed", **released)
        return [decided for _ in items]
