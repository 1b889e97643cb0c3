"""Who may act for whom, in what, until when. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.people.errors import InvalidDelegation
from protocol.identifiers import Id16

YEARS_MAX: Final = 3  # then it is asked anew: nobody acts for somebody who has forgotten it


class Power(StrEnum):
    """What a delegate may do."""

    READ = "read"
    RECTIFY = "rectify"
    ORIENT = "orient"
    CEDE = "cede"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """`until_day` is its last day. `revoked_on` 0: it was not revoked. Raises InvalidDelegation."""

    id: Id16
    person: Id16
    delegate: Id16
    powers: frozenset[Power]
    from_day: int
    until_day: int
    revoked_on: int = 0

    def __post_init__(self) -> None:
        if self.person == self.delegate:
            raise InvalidDelegation(field="delegate", reason="nobody is his own delegate")
        if not self.powers:
            raise InvalidDelegation(field="powers", reason="a delegate may do something")
        if not self.from_day <= self.until_day:
            raise InvalidDelegation(field="until_day", reason="it ends before it begins")
        if self.until_day > self.from_day + YEARS_MAX * 10_000:
            raise InvalidDelegation(field="until_day", reason=f"{YEARS_MAX} years at most")

    def allows(self, delegate: Id16, power: Power, day: int) -> bool:
        """Tell whether this lets somebody act on that day: not on the day when it is revoked."""
        if self.revoked_on and day >= self.revoked_on:
            return False
        return delegate == self.delegate and power in self.powers and self.from_day <= day <= self.until_day


def write_powers(powers: frozenset[Power]) -> str:
    return ",".join(sorted(powers))


def read_powers(text: str) -> frozenset[Power]:
    """Raises InvalidDelegation."""
    try:
        return frozenset(Power(word.strip()) for word in text.split(","))
    except ValueError:
        raise InvalidDelegation(field="powers", reason=f"words among {', '.join(Power)}") from None
