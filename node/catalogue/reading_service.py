"""What is read of cards and catalogues: projects to choose among, and how each territory stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from node.catalogue import store
from node.catalogue.listing import Found, Search, choose_found, compute_age, is_old
from node.catalogue.words import Line
from protocol.directory import Directory, MemberStatus
from protocol.territory_card import TerritoryCard, find_settlement, open_card
from protocol.times import write_day


@dataclass(frozen=True, slots=True, kw_only=True)
class TerritoryWord:
    """What is kept of one territory. `age` is that of its catalogue in days, or of its card where it has none."""

    territory: str
    name: str
    status: str
    card_number: int
    card_day: int
    projects: bytes | None
    fund: bytes | None
    has_account: bool
    catalogue_number: int
    catalogue_day: int
    count: int
    age: int
    is_old: bool
    is_shown: bool
    refused: str


@dataclass(frozen=True, slots=True)
class FoundPage:
    """Projects that fit, and where to go on."""

    found: list[Found]
    total: int
    days: Mapping[str, int]  # when each territory signed


def find_projects(
    connection: Connection, search: Search, directory: Directory, today: date, *, only: str = ""
) -> FoundPage:
    """Return the open projects that fit, of territories that may receive rights; `only` that account's, where it is given."""
    shown = {
        kept.territory: kept.day
        for kept in store.load_catalogues(connection)
        if (card := _find_card(connection, kept.territory)) is not None
        and _is_shown(directory, card, kept.territory, kept.key)
    }
    rows = store.load_listed(connection, territory=search.territory, need_by=write_day(today))
    found = choose_found(search, (row for row in rows if row.territory in shown and only in ("", row.number)))
    return FoundPage(found[search.start : search.start + search.limit], len(found), shown)


def _find_card(connection: Connection, territory: str) -> TerritoryCard | None:
    kept = store.find_card(connection, territory)
    return None if kept is None else open_card(kept.signed)[1]


def _is_shown(directory: Directory, card: TerritoryCard, territory: str, key: bytes) -> bool:
    member = directory.find(territory)
    if member is None or member.status is not MemberStatus.ACTIVE:
        return False
    # A catalogue that a base signed which the newest card does not name any more is nobody's word.
    return card.projects is not None and card.projects.public.id == key


def load_words(connection: Connection, directory: Directory, today: date) -> list[TerritoryWord]:
    """Return how each territory stands, ours among them."""
    catalogues = {one.territory: one for one in store.load_catalogues(connection)}
    refused = {row.territory: f"{row.code} {row.facts}" for row in store.load_refused(connection)}
    counts: dict[str, int] = {}
    for row in store.load_listed(connection):
        counts[row.territory] = counts.get(row.territory, 0) + 1
    words: list[TerritoryWord] = []
    for kept in store.load_newest_cards(connection):
        card = open_card(kept.signed)[1]
        member, catalogue = directory.find(kept.territory), catalogues.get(kept.territory)
        day = card.day if catalogue is None else catalogue.day
        words.append(
            TerritoryWord(
                territory=kept.territory,
                name="" if member is None else member.name,
                status="" if member is None else str(member.status),
                card_number=kept.number,
                card_day=card.day,
                projects=None if card.projects is None else card.projects.public.id,
                fund=None if card.fund is None else card.fund.public.id,
                has_account=find_settlement(card) is not None,
                catalogue_number=0 if catalogue is None else catalogue.number,
                catalogue_day=0 if catalogue is None else catalogue.day,
                count=counts.get(kept.territory, 0),
                age=compute_age(day, today),
                is_old=is_old(day, today),
                is_shown=catalogue is not None and _is_shown(directory, card, kept.territory, catalogue.key),
                refused=refused.pop(kept.territory, ""),
            )
        )
    return words


def load_line_told(connection: Connection) -> dict[str, Any]:
    """Return how the line to the hub stands: instants in milliseconds, 0 for never."""
    line = store.load_line(connection)
    return {str(name): line.get(name, 0) for name in Line}


def load_strangers(connection: Connection) -> list[Any]:
    """Return what was refused of territories of which no card is kept."""
    known = {one.territory for one in store.load_newest_cards(connection)}
    return [row for row in store.load_refused(connection) if row.territory not in known]
