"""What is read of a group: how many are in it, which guides it consents to and how far. Members' numbers are the office's business."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from node.guides import store
from node.guides.acts import NAMES, read_act
from node.guides.consents import Accredited, Given, count_consent, require_accredited, require_consent
from node.guides.errors import GroupUnknown
from node.guides.parameters_store import load_consent_rules
from node.guides.tables import guide_acts
from node.orientation.projects import day_at
from protocol.errors import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideStanding:
    """A guide and a group: `hindrance` says why the guide does not act for it today, or nothing."""

    guide: bytes
    from_day: int
    until_day: int
    given: Given
    hindrance: Refusal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    account: str
    members: tuple[str, ...]
    guides: tuple[GuideStanding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentView:
    """A consent; `member` empty: a paper, with its digest."""

    op: bytes
    guide: bytes
    member: str
    digest: bytes
    from_day: int
    until_day: int
    withdrawn_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActLine:
    op: bytes
    guide: bytes
    name: str
    at: int


def load_group(connection: Connection, account: str, now: int) -> GroupView:
    """Return a group as it stands now. Raises GroupUnknown."""
    if store.find_group(connection, account) is None:
        raise GroupUnknown(account=account)
    members, consents = store.load_members(connection, account), store.load_consents(connection, account)
    today = day_at(now)
    rules = load_consent_rules(today)
    standing: list[GuideStanding] = []
    for id_ in dict.fromkeys(one.guide for one in consents):
        guide = store.find_guide(connection, id_)
        assert guide is not None
        given = count_consent(members, consents, id_, today, rules)
        standing.append(
            GuideStanding(
                guide=id_,
                from_day=guide.from_day,
                until_day=guide.until_day,
                given=given,
                hindrance=_find_hindrance(guide, given, account, today),
            )
        )
    return GroupView(account=account, members=tuple(members), guides=tuple(standing))


def _find_hindrance(guide: Accredited, given: Given, account: str, today: int) -> Refusal | None:
    try:
        require_accredited(guide, today)
        require_consent(account, given, guide.id)
    except Refusal as refusal:
        return refusal
    return None


def list_consents(connection: Connection, account: str) -> list[ConsentView]:
    """Return all consents of a group, the first one first."""
    return [_tell_consent(row) for row in store.load_consent_rows(connection, account)]


def _tell_consent(row: Any) -> ConsentView:
    return ConsentView(
        op=bytes(row.op),
        guide=bytes(row.guide),
        member=row.member,
        digest=bytes(row.digest or b""),
        from_day=row.from_day,
        until_day=row.until_day,
        withdrawn_at=row.withdrawn_at or 0,
    )


def list_acts(connection: Connection, account: str) -> list[ActLine]:
    """Return what guides did for a group, the first act first."""
    rows = connection.execute(
        select(guide_acts).where(guide_acts.c.account == account).order_by(guide_acts.c.at, guide_acts.c.op)
    )
    return [
        ActLine(op=bytes(row.op), guide=bytes(row.guide), name=NAMES[type(read_act(bytes(row.words)).act)], at=row.at)
        for row in rows
    ]


def find_consent(connection: Connection, op: bytes) -> ConsentView | None:
    """Return a consent, or None."""
    row = store.find_consent_row(connection, op)
    return None if row is None else _tell_consent(row)
