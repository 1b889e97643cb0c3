"""The life of a project, from its proposal to its closing. Pure.

    PROPOSED ──▶ UNDER_EXAMINATION ──▶ VALIDATED ──▶ OPEN ──▶ FUNDED ──▶ IN_PROGRESS ──▶ AUDITED ──▶ CLOSED
        │            │   ▲    ▲  └────────┘ edited   └─▶ MISSED: its minimum was not reached at its need-by day
        │            ▼   │
        └─────────▶ REFUSED   one appeal

    WITHDRAWN from any state before AUDITED: what was directed to it and not converted goes back

A state is left by an event and nothing else; every step is kept with its day, who made it, and its reason where it
needs one. Source: shared design, ARCHITECTURE.md, "Conversion and settlement".
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from node.governance.errors import ProjectStepRefused


class ProjectState(StrEnum):
    """Where a project stands."""

    PROPOSED = "proposed"
    UNDER_EXAMINATION = "under_examination"
    VALIDATED = "validated"
    OPEN = "open"  # rights may be directed to it
    FUNDED = "funded"  # nothing more is directed to it, and nobody changes his mind
    IN_PROGRESS = "in_progress"  # instalments are converted and paid
    AUDITED = "audited"
    CLOSED = "closed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    MISSED = "missed"


class ProjectEvent(StrEnum):
    """What happened, in the past tense."""

    EXAMINED = "examined"  # taken up by the committee
    VALIDATED = "validated"
    REFUSED = "refused"
    APPEALED = "appealed"
    EDITED = "edited"  # after validation: what was voted on is not what stands
    OPENED = "opened"
    FUNDED = "funded"
    STARTED = "started"
    AUDITED = "audited"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    MISSED = "missed"


_S, _E = ProjectState, ProjectEvent
_WITHDRAW: Final = {_E.WITHDRAWN: _S.WITHDRAWN}

NEXT_STATE: Final[Mapping[ProjectState, Mapping[ProjectEvent, ProjectState]]] = {
    _S.PROPOSED: {_E.EXAMINED: _S.UNDER_EXAMINATION, _E.REFUSED: _S.REFUSED, **_WITHDRAW},
    _S.UNDER_EXAMINATION: {_E.VALIDATED: _S.VALIDATED, _E.REFUSED: _S.REFUSED, **_WITHDRAW},
    _S.VALIDATED: {_E.EDITED: _S.UNDER_EXAMINATION, _E.OPENED: _S.OPEN, **_WITHDRAW},
    _S.OPEN: {_E.FUNDED: _S.FUNDED, _E.MISSED: _S.MISSED, **_WITHDRAW},
    _S.FUNDED: {_E.STARTED: _S.IN_PROGRESS, **_WITHDRAW},
    _S.IN_PROGRESS: {_E.AUDITED: _S.AUDITED, **_WITHDRAW},
    _S.AUDITED: {_E.CLOSED: _S.CLOSED},
    _S.CLOSED: {},
    _S.REFUSED: {_E.APPEALED: _S.UNDER_EXAMINATION},
    _S.WITHDRAWN: {},
    _S.MISSED: {},
}

FIRST: Final = _S.PROPOSED
NEEDS_REASON: Final = frozenset({_E.REFUSED, _E.APPEALED, _E.WITHDRAWN})
MAY_BE_EDITED: Final = frozenset({_S.PROPOSED, _S.UNDER_EXAMINATION, _S.VALIDATED})
# The accounts know of it: there rights may be directed to it, or were.
AT_THE_ACCOUNTS: Final = frozenset({_S.OPEN, _S.FUNDED, _S.IN_PROGRESS, _S.AUDITED, _S.CLOSED})
# Anybody may read of it. What was proposed and not yet taken up is the bearer's and the committee's business.
IS_PUBLIC: Final = frozenset(ProjectState) - {_S.PROPOSED}


def advance(state: ProjectState, event: ProjectEvent) -> ProjectState:
    """Return the state after `event`. Raises ProjectStepRefused."""
    after = NEXT_STATE[state].get(event)
    if after is None:
        raise ProjectStepRefused(state=state, event=event)
    return after
