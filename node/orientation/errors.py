"""Why rights are not directed to a project, or not taken back from one. Pure.

Refusal
└── OrientationRefusal
    ├── ProjectUnknown      no account of this territory that a project was opened with
    ├── ProjectCommitted    it is funded: nothing more is directed to it, and nobody changes his mind
    ├── ProjectClosed       it ended, and what was not converted goes back
    ├── ProjectPast         its last day is over
    ├── ProjectFull         its target is reached
    ├── ProjectOpen         it is not committed yet: nothing is converted
    ├── RoundKnown          this round was asked for under another id
    ├── LotsUnfit           what is held and fits the project is less than what is asked
    ├── OrientationUnknown  nothing was directed under this id
    ├── StandingUnknown     no standing order was given under this id
    └── NotDirected         less than that is still directed and not converted
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from protocol.errors import Fact, Refusal


class OrientationRefusal(Refusal):
    """Refused because of how a project stood at that moment."""

    code = "orientation_refused"


class ProjectUnknown(OrientationRefusal):
    """Facts: account."""

    code = "project_not_here"


class ProjectCommitted(OrientationRefusal):
    """Facts: account."""

    code = "project_committed"


class ProjectClosed(OrientationRefusal):
    """Facts: account."""

    code = "project_closed"


class ProjectPast(OrientationRefusal):
    """Facts: account, until (yyyymmdd)."""

    code = "project_past"


class ProjectFull(OrientationRefusal):
    """Facts: account, room (cents that it still takes)."""

    code = "project_full"


class ProjectOpen(OrientationRefusal):
    """Facts: account."""

    code = "project_open"


class RoundKnown(OrientationRefusal):
    """Facts: account, round."""

    code = "round_known"


class LotsUnfit(OrientationRefusal):
    """Facts: account, available (cents that fit), asked."""

    code = "lots_unfit"


class OrientationUnknown(OrientationRefusal):
    """Facts: id."""

    code = "orientation_unknown"


class StandingUnknown(OrientationRefusal):
    """Facts: id."""

    code = "standing_unknown"


class NotDirected(OrientationRefusal):
    """Facts: id, available, asked."""

    code = "not_directed"


class AskedBefore(Refusal):
    """A refusal that was remembered with the id that met it: the same words for ever."""

    def __init__(self, code: str, facts: Mapping[str, Fact]) -> None:
        self.code = code  # type: ignore[misc]
        super().__init__(**facts)


BY_CODE: Final[Mapping[str, type[OrientationRefusal]]] = {
    kind.code: kind for kind in OrientationRefusal.__subclasses__()
}
