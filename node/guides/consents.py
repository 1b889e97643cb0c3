"""Whether a guide may act for a group: an accreditation in its term, and consent that holds today. Pure.

Consent is of more than a share of the group's members, or one paper that the group signed. Each is given to one
accreditation, for a term, and holds until it is withdrawn. Days are UTC's, yyyymmdd. Source: issue 5, "South programmes".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from node.guides.errors import ConsentMissing, ConsentRefused, GuideNotAccredited
from protocol.identifiers import format_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRules:
    """The figures in force on a day."""

    more_than_percent: int
    consent_days_max: int
    mandate_days_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Accredited:
    """What the projects' base told of a guide; `ended_code` is empty while it stands."""

    id: bytes
    key: bytes
    from_day: int
    until_day: int
    ended_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """To one accreditation. `member` is an account number; empty: a paper of the whole group."""

    guide: bytes
    member: str
    from_day: int
    until_day: int
    is_withdrawn: bool = False

    def holds(self, guide: bytes, today: int) -> bool:
        return not self.is_withdrawn and self.guide == guide and self.from_day <= today <= self.until_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """How many members consent, how many are needed, and whether a paper holds."""

    given: int
    needed: int
    has_mandate: bool

    @property
    def is_enough(self) -> bool:
        return self.has_mandate or self.given >= self.needed


def count_consent(
    members: Collection[str], consents: Iterable[Consent], guide: bytes, today: int, rules: ConsentRules
) -> Given:
    """Return what of a group stands behind a guide today. Whoever left the group counts no more."""
    holding = [one for one in consents if one.holds(guide, today)]
    return Given(
        given=len({one.member for one in holding if one.member} & set(members)),
        needed=len(members) * rules.more_than_percent // 100 + 1,
        has_mandate=any(not one.member for one in holding),
    )


def require_accredited(guide: Accredited, today: int) -> None:
    """Let through a guide in his term. Raises GuideNotAccredited."""
    reason = guide.ended_code
    if not reason and today < guide.from_day:
        reason = "the term has not begun"
    if not reason and today > guide.until_day:
        reason = "the term is over"
    if reason:
        raise GuideNotAccredited(guide=format_id(guide.id), reason=reason)


def require_consent(account: str, given: Given, guide: bytes) -> None:
    """Let through what enough of the group stands behind. Raises ConsentMissing."""
    if not given.is_enough:
        raise ConsentMissing(account=account, guide=format_id(guide), given=given.given, needed=given.needed)


def require_term(guide: Accredited, days: int, days_max: int, today: int) -> None:
    """Let through a consent that can hold: of so many days, to a guide who is one or will be. Raises ConsentRefused."""
    if not 1 <= days <= days_max:
        raise ConsentRefused(reason=f"for 1 to {days_max} days")
    if guide.ended_code or today > guide.until_day:
        raise ConsentRefused(reason="the accreditation ended, or its term is over")
