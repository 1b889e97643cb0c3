"""Which conversions of a campaign's miles may be told, and what they come to. Pure.

A company knows whom it credited and how much: a sum that few people are behind would tell it what one of them did.
Source: docs/privacy.md, "What a company learns"; docs/decisions/0042.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from protocol.errors import InvalidId
from protocol.house import DueState
from protocol.identifiers import parse_id

WAITING_STEP: Final = 10_000  # cents: what is directed moves with each holder, and is told in whole hundreds of euros


class Place(NamedTuple):
    """A campaign's miles in one project, here or elsewhere."""

    campaign: bytes
    territory: str
    project: bytes


class Figures(NamedTuple):
    """Cents of one place. What is converted and neither paid nor netted is owed."""

    waiting: int = 0
    converted: int = 0
    paid: int = 0
    netted: int = 0
    confirmed: int = 0


class Line(NamedTuple):
    """What is told of one place."""

    place: Place
    title: str
    figures: Figures


class Part(NamedTuple):
    """What one due took of a campaign's lots. `people` are whoever may have directed it; None: more than need be counted."""

    cents: int
    people: frozenset[str] | None
    said: DueState | None
    is_confirmed: bool


def find_campaign(text: str) -> bytes | None:
    """Return the id of a campaign of the companies, as lots name it; None of what a fund calls by another name."""
    try:
        return bytes(parse_id(text))
    except InvalidId:
        return None


def choose_told(parts: Sequence[Part], people_min: int) -> list[list[Part]]:
    """Return the parts that may be told, in steps that each have enough people behind them; given in the order of rounds.

    What is left at the end waits. A step once made is the same whatever comes after it.
    """
    steps: list[list[Part]] = []
    waiting: list[Part] = []
    people: frozenset[str] = frozenset()
    for part in parts:
        waiting.append(part)
        people |= part.people or frozenset()
        if part.people is None or len(people) >= people_min:
            steps.append(waiting)
            waiting, people = [], frozenset()
    return steps


def round_waiting(cents: int, people: int, people_min: int) -> int:
    """Return what is told of rights that wait in a project: whole hundreds of euros, rounded down; of few people nothing."""
    return cents - cents % WAITING_STEP if people >= people_min else 0


def compute_figures(waiting: int, parts: Sequence[Part], people_min: int) -> Figures:
    """Return what is told of a place. A step is paid, or confirmed, once all of it is: its parts have too few people.

    A step that was paid in one part and netted in another counts as paid.
    """
    converted = paid = netted = confirmed = 0
    for step in choose_told(parts, people_min):
        cents = sum(part.cents for part in step)
        said = {part.said for part in step}
        converted += cents
        if said == {DueState.NETTED}:
            netted += cents
        elif said <= {DueState.NETTED, DueState.PAID}:
            paid += cents
        if all(part.is_confirmed for part in step):
            confirmed += cents
    return Figures(waiting, converted, paid, netted, confirmed)
