"""What a node tells of projects and of what is directed to them: never who directed it, but to himself. Pure."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from node.catalogue.listing import format_place
from node.desks.accounts.answers import address_of
from node.orientation.projects import Project
from node.orientation.service import DirectedView, TakenBackView
from node.orientation.standing_service import StandingView
from protocol.errors import Fact
from protocol.identifiers import format_address, format_id
from protocol.running.explanations import explain
from protocol.times import format_instant


class PlacementAnswer(Struct, frozen=True):
    """What one choice got. `state` is directed, sent (to another territory) or none; `code` says why not all of it."""

    id: str
    to: str
    cents: int
    state: str
    code: str
    facts: dict[str, Fact]
    explanation: str


class OrientationAnswer(Struct, frozen=True, rename={"giver": "from"}):
    """What was directed, choice by choice. What is missing stayed with its holder."""

    id: str
    giver: str
    at: str
    cents: int
    placements: list[PlacementAnswer]
    repeated: bool


def tell_directed(view: DirectedView, home: str, language: str) -> OrientationAnswer:
    return OrientationAnswer(
        id=format_id(view.op),
        giver=address_of(view.account, home),
        at=format_instant(view.at),
        cents=view.cents,
        placements=[
            PlacementAnswer(
                one.id,
                one.to,
                one.cents,
                one.state,
                one.code,
                one.facts,
                explain(one.code, one.facts, language) if one.code else "",
            )
            for one in view.placements
        ],
        repeated=view.is_repeat,
    )


class OrientationReturnAnswer(Struct, frozen=True):
    """What came back of an orientation; to another territory it is on its way."""

    id: str
    orientation: str
    at: str
    cents: int
    to: str
    unclaimed: bool
    repeated: bool


def tell_taken_back(view: TakenBackView, home: str) -> OrientationReturnAnswer:
    return OrientationReturnAnswer(
        id=format_id(view.op),
        orientation=format_id(view.orientation),
        at=format_instant(view.at),
        cents=view.cents,
        to=address_of(view.account, home) if view.account else "",
        unclaimed=view.is_unclaimed,
        repeated=view.is_repeat,
    )


class StandingAnswer(Struct, frozen=True, rename={"giver": "from"}):
    """A standing order; `periods` is how many were run."""

    id: str
    giver: str
    share: int
    basis: str
    period_days: int
    preference: str
    theme: str
    projects: list[str]
    everywhere: bool
    near: str
    within_km: int
    since: str
    periods: int
    stopped_at: str | None
    repeated: bool


class StandingsAnswer(Struct, frozen=True):
    """The standing orders of an account, the oldest first."""

    orders: list[StandingAnswer]


def tell_standing(view: StandingView, home: str) -> StandingAnswer:
    order = view.order
    return StandingAnswer(
        id=format_id(view.op),
        giver=address_of(order.account, home),
        share=order.share,
        basis=str(order.basis),
        period_days=order.period_days,
        preference=str(order.preference),
        theme=order.theme,
        projects=[format_address(one) for one in order.projects],
        everywhere=order.is_everywhere,
        near="" if order.near is None else format_place(order.near),
        within_km=order.within_m // 1_000,
        since=format_instant(view.since),
        periods=view.periods,
        stopped_at=None if view.stopped_at is None else format_instant(view.stopped_at),
        repeated=view.is_repeat,
    )


class OrientedAnswer(Struct, frozen=True):
    """One orientation: what went, what is still directed, what became euros. The rest came back."""

    id: str
    at: str
    project: str
    name: str
    state: str
    cents: int
    held_cents: int
    converted_cents: int


class OrientationsAnswer(Struct, frozen=True):
    """An account's orientations, the newest first; `cursor` goes on to older ones."""

    orientations: list[OrientedAnswer]
    cursor: int | None


def tell_oriented(row: Any, home: str) -> OrientedAnswer:
    return OrientedAnswer(
        id=format_id(bytes(row.op)),
        at=format_instant(row.at),
        project=address_of(row.number, home),
        name=row.shown_name,
        state=row.state,
        cents=row.cents,
        held_cents=int(row.held),
        converted_cents=int(row.converted),
    )


class ProjectAnswer(Struct, frozen=True):
    """A project as everybody may see it: how much is directed to it and by how many, never by whom."""

    id: str
    address: str
    name: str
    theme: str
    state: str
    code: str
    target_cents: int
    directed_cents: int
    converted_cents: int
    room_cents: int
    supporters: int
    until: int


class ProjectsAnswer(Struct, frozen=True):
    """The projects of this territory, the oldest first."""

    projects: list[ProjectAnswer]


def tell_project(project: Project, home: str) -> ProjectAnswer:
    return ProjectAnswer(
        id=format_id(project.op),
        address=address_of(project.number, home),
        name=project.shown_name,
        theme=project.theme,
        state=str(project.state),
        code=project.code,
        target_cents=project.target,
        directed_cents=project.directed,
        converted_cents=project.converted,
        room_cents=project.room,
        supporters=project.supporters,
        until=project.until,
    )
