"""A death or a dormancy is declared, can be taken back within a term, and then its rule is applied. Pure.

    DECLARED ──▶ REVERSED          until the term's last day
        └──────▶ SETTLED           after it: rights stay, or went into the pool

A declared death freezes the accounts; a declared dormancy does not, because whoever comes back ends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from node.people.errors import DeclarationStands, TermOver, TermRunning
from node.people.rules import RuleName
from protocol.identifiers import Id16, format_id


class DeclarationKind(StrEnum):
    DEATH = "death"
    DORMANCY = "dormancy"


class DeclarationState(StrEnum):
    DECLARED = "declared"
    REVERSED = "reversed"
    SETTLED = "settled"


class DeclarationEvent(StrEnum):
    REVERSE = "reverse"
    SETTLE = "settle"


RULE_OF: Final[Mapping[DeclarationKind, RuleName]] = {
    DeclarationKind.DEATH: RuleName.RIGHTS_AFTER_DEATH,
    DeclarationKind.DORMANCY: RuleName.RIGHTS_AFTER_DORMANCY,
}
_S = DeclarationState
NEXT_STATE: Final[Mapping[DeclarationState, Mapping[DeclarationEvent, DeclarationState]]] = {
    _S.DECLARED: {DeclarationEvent.REVERSE: _S.REVERSED, DeclarationEvent.SETTLE: _S.SETTLED},
    _S.REVERSED: {},
    _S.SETTLED: {},
}


def advance(
    state: DeclarationState, event: DeclarationEvent, *, id_: Id16, day: int, reversible_until: int
) -> DeclarationState:
    """Return the state after an event of that day. Raises DeclarationStands, TermOver, TermRunning."""
    after = NEXT_STATE[state].get(event)
    if after is None:
        raise DeclarationStands(declaration=format_id(id_), state=str(state))
    if event is DeclarationEvent.REVERSE and day > reversible_until:
        raise TermOver(until=reversible_until)
    if event is DeclarationEvent.SETTLE and day <= reversible_until:
        raise TermRunning(until=reversible_until)
    return after
