"""Who has which duty at which base, from when until when. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.people.days import require_day
from node.people.errors import InvalidRole
from protocol.house import BaseName
from protocol.identifiers import Id16

_BASE: Final = re.compile(r"[A-Z]{3,9}", re.ASCII)


class Duty(StrEnum):
    """What somebody is there for."""

    TREASURER = "treasurer"
    SIGNATORY = "signatory"
    COMMITTEE_SECRETARY = "committee_secretary"
    MODERATOR = "moderator"
    AUDITOR = "auditor"
    CAMPAIGN_OFFICER = "campaign_officer"
    ACCOUNTS_OFFICER = "accounts_officer"
    PEOPLE_OFFICER = "people_officer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A duty at a base, named by `BaseName.name`. `until_day` is its last day, 0 where none was set; `ended_on` too."""

    id: Id16
    person: Id16
    base: str
    duty: Duty
    from_day: int
    until_day: int = 0
    ended_on: int = 0

    def is_in_force(self, day: int) -> bool:
        """Tell whether it is held on that day: on the day it ends it is not any more."""
        if self.ended_on and day >= self.ended_on:
            return False
        return self.from_day <= day and (not self.until_day or day <= self.until_day)


def require_role(base: str, from_day: int, until_day: int) -> None:
    """Raises InvalidRole where this can be no role. A base that is not served yet may have its officers already."""
    if base not in BaseName.__members__ and _BASE.fullmatch(base) is None:
        raise InvalidRole(field="base", reason="a base is written in capitals")
    for field, day in (("from_day", from_day), ("until_day", until_day)):
        if field == "from_day" or day:
            require_day(day, field)
    if until_day and until_day < from_day:
        raise InvalidRole(field="until_day", reason="it ends before it begins")


def has_duty(roles: Iterable[Role], person: Id16, duty: Duty, base: str, day: int) -> bool:
    """Tell whether somebody holds a duty at a base on that day."""
    return any(
        role.person == person and role.duty is duty and role.base == base and role.is_in_force(day) for role in roles
    )
