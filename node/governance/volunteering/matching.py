"""Which offers fit a person: near enough, in time, with the skills they need. Pure: a list with reasons, not a decision.

An offer is left out where it is not open, too far, over, or needs a skill that the person does not have. What is left is
ordered: the skills that are wanted first, the exact before the wider ones; then the nearer; then the sooner. A skill that
one has answers to every wider one; a wider one that one has does not answer to what is narrower.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from node.governance.passes.errors import InvalidOffer
from node.governance.skills import SkillCode, Skills
from node.governance.volunteering.offers import Offer, OfferState, Remote
from node.governance.volunteering.places import Place, compute_distance

RADIUS_MAX: Final = 20_100_000  # half way round the Earth
# A skill that is met exactly counts this much, one step wider one less; what is further still counts a little.
_EXACT: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a person says when looking for something to do. `radius` is in metres. Raises InvalidOffer."""

    home: Place
    radius: int
    skills: tuple[SkillCode, ...]
    today: datetime.date
    takes_remote: bool = True

    def __post_init__(self) -> None:
        if type(self.radius) is not int or not 0 <= self.radius <= RADIUS_MAX:
            raise InvalidOffer(field="radius", reason="metres on Earth")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetSkill:
    """A skill that the offer names and the person has, exactly (0 steps) or by a narrower one."""

    asked: SkillCode
    held: SkillCode
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """An offer that fits, and why. `metres` is None for what is done from afar."""

    offer: Offer
    metres: int | None
    met: tuple[MetSkill, ...]
    score: int


def match_offers(wishes: Wishes, offers: Iterable[Offer], skills: Skills) -> list[Match]:
    """Return the offers that fit, the best first; equals stand by id, so that the order never changes by itself.

    Raises InvalidSkill.
    """
    found = [match for offer in offers if (match := _match(wishes, offer, skills)) is not None]
    return sorted(found, key=_order)


def meet(asked: SkillCode, held: Iterable[SkillCode], skills: Skills) -> MetSkill | None:
    """Return the held skill that is nearest to the one asked for, or None. Raises InvalidSkill."""
    ways = [(steps, code) for code in held if (steps := skills.steps_between(code, asked)) is not None]
    if not ways:
        return None
    steps, code = min(ways)
    return MetSkill(asked=asked, held=code, steps=steps)


def _match(wishes: Wishes, offer: Offer, skills: Skills) -> Match | None:
    if offer.state is not OfferState.OPEN or offer.last_on < wishes.today:
        return None
    metres = compute_distance(wishes.home, offer.place) if offer.place is not None else None
    if metres is None or metres > wishes.radius:
        # Too far to go there: what can be done from afar still fits.
        if offer.remote is Remote.NO or not wishes.takes_remote:
            return None
        metres = None
    needed = [meet(code, wishes.skills, skills) for code in offer.needed]
    if None in needed:
        return None
    wanted = [meet(code, wishes.skills, skills) for code in offer.wanted]
    met = tuple(one for one in (*needed, *wanted) if one is not None)
    return Match(offer=offer, metres=metres, met=met, score=sum(max(_EXACT - one.steps, 1) for one in met))


def _order(match: Match) -> tuple[int, int, int, datetime.date, bytes]:
    is_remote = match.metres is None
    return -match.score, int(is_remote), match.metres or 0, match.offer.first_on, match.offer.id
