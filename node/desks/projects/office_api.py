"""The doors of the projects' office, for whoever shows a key of the projects' base."""

from __future__ import annotations

from node.desks.projects.admin_commands import PROJECTS_COMMANDS
from node.desks.projects.steps import PROJECTS_STEPS
from node.doors.steps_api import Doors
from node.projects_app import ProjectsApp


def open_projects_doors(app: ProjectsApp) -> Doors:
    """Return the doors of the office's steps. They are added before those of projects by id, whose braces would take them."""
    return Doors(
        app,
        PROJECTS_COMMANDS,
        PROJECTS_STEPS,
        folder=app.folder,
        clock=app.book.clock,
        authorise=app.keys.authorise,
    )
