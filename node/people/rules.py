"""The rules of a territory that two officers may change: each has a value from the first day on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from node.people.errors import InvalidRule
from protocol.errors import Refusal
from protocol.identifiers import AccountNumber, require_number

STAYS: Final = "stays"
POOL: Final = "pool:"


class RuleName(StrEnum):
    """`rights_after_…` is `stays`, or `pool:NUMBER` of a pool of solidarity. Heirs inherit no right, whatever the rule."""

    RIGHTS_AFTER_DEATH = "rights_after_death"
    RIGHTS_AFTER_DORMANCY = "rights_after_dormancy"
    REVERSIBLE_DAYS = "reversible_days"  # how long a death or dormancy can be taken back


# Until something else is decided, nothing moves that somebody did not ask to move.
DEFAULTS: Final[Mapping[RuleName, str]] = {
    RuleName.RIGHTS_AFTER_DEATH: STAYS,
    RuleName.RIGHTS_AFTER_DORMANCY: STAYS,
    RuleName.REVERSIBLE_DAYS: "90",
}


def require_rule(name: RuleName, value: str) -> str:
    """Return the value if the rule can have it. Raises InvalidRule."""
    if name is RuleName.REVERSIBLE_DAYS:
        if not (value.isascii() and value.isdigit() and len(value) <= 3 and 1 <= int(value) <= 730):
            raise InvalidRule(rule=str(name), reason="1 to 730 days")
        return value
    if value == STAYS:
        return value
    try:
        require_number(value.removeprefix(POOL))
    except Refusal:
        raise InvalidRule(rule=str(name), reason="stays, or pool:NUMBER") from None
    if not value.startswith(POOL):
        raise InvalidRule(rule=str(name), reason="stays, or pool:NUMBER")
    return value


def find_pool(value: str) -> AccountNumber | None:
    """Return where rights go, or None where they stay."""
    return None if value == STAYS else AccountNumber(value.removeprefix(POOL))
