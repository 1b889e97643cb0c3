"""What each euro of income and of spending is told by, so that the yearly statements can be added up. Pure.

Public generosity or not, who gave, what it went to, and where. Source: shared design, DOMAIN.md, 0.4 and 2.3 (CER, CROD).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from node.fund.books_errors import InvalidEntry
from node.fund.chart import Nature


class Origin(StrEnum):
    """Who gave."""

    INDIVIDUAL = "individual"
    COMPANY = "company"
    OTHER_BODY = "other_body"


class Purpose(StrEnum):
    """What was paid for."""

    MISSION = "mission"
    PUBLIC_FUNDRAISING = "public_fundraising"  # frais d'appel à la générosité du public
    OTHER_FUNDRAISING = "other_fundraising"
    RUNNING = "running"


class Place(StrEnum):
    """Where the mission is."""

    FRANCE = "france"
    ABROAD = "abroad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """`is_public_appeal`: the euro comes from an appeal to public generosity (AGP). Raises InvalidEntry.

    Income that was given names its origin; spending names purpose and place.
    """

    is_public_appeal: bool
    origin: Origin | None = None
    purpose: Purpose | None = None
    place: Place | None = None

    def __post_init__(self) -> None:
        if type(self.is_public_appeal) is not bool:
            raise InvalidEntry(field="tag", reason="public generosity, yes or no")
        if (self.purpose is None) != (self.place is None):
            raise InvalidEntry(field="tag", reason="a purpose has a place")
        if self.purpose is not None and self.origin is not None:
            raise InvalidEntry(field="tag", reason="an origin of income, or a purpose of spending")


def find_tag_fault(nature: Nature, tag: Tag | None) -> str | None:
    """Return why a tag does not fit a line on an account of that nature, or None."""
    if nature in {Nature.BALANCE, Nature.COMMITMENT}:
        return None
    if tag is None:
        return "income and spending say whether they are of public generosity"
    if nature is Nature.GIFT and tag.origin is None:
        return "a gift says who gave: an individual, a company, another body"
    if nature in {Nature.SPENDING, Nature.USE_IN_KIND} and tag.purpose is None:
        return "spending says what for, and where"
    if nature in {Nature.INCOME, Nature.FROM_DEDICATED, Nature.TO_DEDICATED} and tag.purpose is not None:
        return "a purpose belongs to spending"
    return None
