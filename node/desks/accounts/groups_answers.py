"""What a node tells of groups and their guides: how many consent, never who. Pure."""

from __future__ import annotations

from msgspec import Struct

from node.desks.accounts.answers import address_of
from node.guides.reading_service import ActLine, ConsentView, GroupView
from node.guides.service import ActView
from protocol.errors import Fact
from protocol.identifiers import Id16, format_id
from protocol.running.explanations import explain
from protocol.times import format_instant


class GroupMadeAnswer(Struct, frozen=True):
    account: str
    guided: bool


class GroupMemberAnswer(Struct, frozen=True):
    group: str
    member: str
    is_member: bool


class ConsentAnswer(Struct, frozen=True):
    consent: str
    group: str
    withdrawn: bool


class StandingLine(Struct, frozen=True):
    """A guide and the group. `code` says why the guide does not act for it today, empty where he does."""

    guide: str
    from_day: int
    until_day: int
    given: int
    needed: int
    paper: bool
    code: str
    facts: dict[str, Fact]
    explanation: str


class ActDoneLine(Struct, frozen=True):
    id: str
    act: str
    guide: str
    at: str


class GroupAnswer(Struct, frozen=True):
    """A group as it stands: how many are in it, and what its guides may do and did. Days are yyyymmdd, UTC's."""

    account: str
    members: int
    guides: list[StandingLine]
    acts: list[ActDoneLine]


class ActAnswer(Struct, frozen=True):
    """What came of an act. Its details are read under its id, as those of any orientation or cession."""

    id: str
    act: str
    account: str
    guide: str
    cents: int
    state: str
    repeated: bool


def tell_group(view: GroupView, acts: list[ActLine], home: str, language: str) -> GroupAnswer:
    return GroupAnswer(
        account=address_of(view.account, home),
        members=len(view.members),
        guides=[
            StandingLine(
                guide=format_id(Id16(one.guide)),
                from_day=one.from_day,
                until_day=one.until_day,
                given=one.given.given,
                needed=one.given.needed,
                paper=one.given.has_mandate,
                code="" if one.hindrance is None else one.hindrance.code,
                facts={} if one.hindrance is None else one.hindrance.facts,
                explanation="" if one.hindrance is None else explain(one.hindrance.code, one.hindrance.facts, language),
            )
            for one in view.guides
        ],
        acts=[
            ActDoneLine(format_id(Id16(one.op)), one.name, format_id(Id16(one.guide)), format_instant(one.at))
            for one in acts
        ],
    )


def tell_act(view: ActView, home: str) -> ActAnswer:
    return ActAnswer(
        id=format_id(Id16(view.op)),
        act=view.name,
        account=address_of(view.account, home),
        guide=format_id(Id16(view.guide)),
        cents=view.cents,
        state=view.state,
        repeated=view.is_repeat,
    )


def tell_consent_row(one: ConsentView) -> dict[str, object]:
    """Return a consent as the office sees it."""
    return {
        "consent": format_id(Id16(one.op)),
        "guide": format_id(Id16(one.guide)),
        "member": one.member,
        "sha256": one.digest.hex(),
        "from_day": one.from_day,
        "until_day": one.until_day,
        "withdrawn": format_instant(one.withdrawn_at) if one.withdrawn_at else "",
    }
