"""What steps of the projects' office share: who speaks, for whom a key does it, and a project by its id. Pure.

What a person in the office does is done by the officer whose key is shown (`by`). What somebody else says and the office
writes down, a proposal or a comment, is under `author`: an account's number here, or a bearer's registry number.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from node.desks.projects.duties import ALL, SECRETARY
from node.doors.shapes import KnownId
from node.doors.steps import Step

Author = Annotated[str, Meta(min_length=1, max_length=40)]
Prose = Annotated[str, Meta(max_length=8_000)]
AUTHOR: Final = (("author", "by"),)


class OneProjectRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One project."""

    project: KnownId


def read_step(command: str, summary: str, answers: type[Struct], asks: type[Struct] | None = None) -> Step:
    """Return a step that shows something, to any key of the office."""
    return Step(command=command, summary=summary, asks=asks, answers=answers, duties=ALL, reads=True)


def office_step(command: str, summary: str, asks: type[Struct], answers: type[Struct], **more: Any) -> Step:
    """Return a step that the secretary takes, unless other duties are named."""
    told: dict[str, Any] = {"duties": SECRETARY, **more}
    return Step(command=command, summary=summary, asks=asks, answers=answers, **told)
