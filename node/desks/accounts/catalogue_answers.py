"""What a node tells of catalogues: open projects here and elsewhere, and how old each territory's word is. Pure."""

from __future__ import annotations

import json
from datetime import date

from msgspec import Struct

from node.catalogue.listing import Found, compute_age, is_old
from node.catalogue.reading_service import FoundPage, TerritoryWord
from node.catalogue.words import URGENCY_WORDS
from protocol.directory import Directory
from protocol.identifiers import write_address
from protocol.running.explanations import explain
from protocol.times import read_day


class ListedAnswer(Struct, frozen=True):
    """An open project: rights are directed to its `address`. Sums are whole cents, places microdegrees.

    `support` is as of the day `as_of`; `metres` is the distance where one was asked and can be told.
    """

    address: str
    territory: str
    territory_name: str
    title: str
    place: str
    commune: str
    theme: str
    target: int
    minimum: int
    support: int
    need_by: str
    urgency: int
    urgency_words: str
    latitude: int | None
    longitude: int | None
    metres: int | None
    as_of: str
    age_days: int
    old: bool


class CatalogueAnswer(Struct, frozen=True):
    """Projects that fit, and where to go on."""

    projects: list[ListedAnswer]
    total: int
    cursor: int | None


class TerritoryAnswer(Struct, frozen=True):
    """How a territory's card and catalogue stand. `refused` says why the last that came was not taken."""

    territory: str
    name: str
    status: str
    card_number: int
    card_as_of: str
    projects_key: str | None
    fund_key: str | None
    settles: bool
    catalogue_number: int
    as_of: str | None
    age_days: int
    old: bool
    shown: bool
    projects: int
    refused: str


class TerritoriesAnswer(Struct, frozen=True):
    """All territories of which something is kept."""

    territories: list[TerritoryAnswer]


def tell_found(page: FoundPage, start: int, directory: Directory, today: date, language: str) -> CatalogueAnswer:
    end = start + len(page.found)
    return CatalogueAnswer(
        projects=[tell_listed(one, page.days[one.row.territory], directory, today, language) for one in page.found],
        total=page.total,
        cursor=end if end < page.total else None,
    )


def tell_listed(found: Found, day: int, directory: Directory, today: date, language: str) -> ListedAnswer:
    row = found.row
    member = directory.find(row.territory)
    return ListedAnswer(
        address=write_address(row.number, row.territory),
        territory=row.territory,
        territory_name="" if member is None else member.name,
        title=row.title,
        place=row.place,
        commune=row.commune,
        theme=row.theme,
        target=row.target,
        minimum=row.minimum,
        support=row.support,
        need_by=read_day(row.need_by).isoformat(),
        urgency=row.urgency,
        urgency_words=URGENCY_WORDS[row.urgency][0 if language == "fr" else 1],
        latitude=row.latitude,
        longitude=row.longitude,
        metres=found.metres,
        as_of=read_day(day).isoformat(),
        age_days=compute_age(day, today),
        old=is_old(day, today),
    )


def tell_territory(word: TerritoryWord, language: str) -> TerritoryAnswer:
    return TerritoryAnswer(
        territory=word.territory,
        name=word.name,
        status=word.status,
        card_number=word.card_number,
        card_as_of=read_day(word.card_day).isoformat(),
        projects_key=None if word.projects is None else word.projects.hex(),
        fund_key=None if word.fund is None else word.fund.hex(),
        settles=word.has_account,
        catalogue_number=word.catalogue_number,
        as_of=read_day(word.catalogue_day).isoformat() if word.catalogue_day else None,
        age_days=word.age,
        old=word.is_old,
        shown=word.is_shown,
        projects=word.count,
        refused=tell_refused(word.refused, language),
    )


def tell_refused(told: str, language: str) -> str:
    """Return the sentence for a refusal as it is kept: its code, a space, its facts in JSON; nothing for nothing."""
    code, _, facts = told.partition(" ")
    return explain(code, json.loads(facts), language) if code else ""
