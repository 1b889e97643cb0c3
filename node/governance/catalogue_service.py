"""The catalogue of open projects, signed for other territories; and the keys of funds elsewhere, as their cards say them.

A catalogue is signed anew when a project opens, closes or changes, and once in `catalogue_hours` where only its support
did; one a day stands in any case while projects are open, so that its day says that nobody withholds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec import structs
from sqlalchemy import Connection, delete, func, select

from node.governance import tables
from node.governance.days import local_day, write_day
from node.governance.errors import InvalidMember
from node.governance.letters_service import Tell
from node.governance.projects import ProjectState
from node.governance.settings import ProjectsSettings
from node.governance.store import Project, change, list_projects, save
from protocol.book.worker import Page
from protocol.catalogue import (
    CATALOGUE_VERSION,
    PROJECTS_MAX,
    Catalogue,
    ListedProject,
    compute_urgency,
    open_catalogue,
    sign_catalogue,
)
from protocol.errors import Refusal
from protocol.held_changes import Told, compute_start, find_in_force, find_waiting
from protocol.house import BaseName, CataloguePublished, PayerKey
from protocol.identifiers import require_territory
from protocol.keys import PublicKeys, SecretKeys
from protocol.times import HOUR_MS, Instant

_payers, _told, _own = tables.payers, tables.card_payers, tables.own_catalogue
FRESH_HOURS: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class PayerWords:
    """A fund elsewhere: whose key counts, and what will. `is_disputed`: a person entered another key than its card says."""

    territory: str
    keys: PublicKeys
    is_entered: bool
    waiting: bytes | None  # a key id
    waiting_from: Instant | None
    is_disputed: bool
    at: int


class CatalogueDesk:
    """Operations for the book's writer, and what the accounts tell of cards."""

    def __init__(self, tell: Tell, settings: ProjectsSettings, *, keys: SecretKeys) -> None:
        self._tell = tell
        self._settings = settings
        self._keys = keys

    def use_keys(self, keys: SecretKeys) -> None:
        """Sign with these keys from now on."""
        self._keys = keys

    def publish(self, page: Page, items: Sequence[bool]) -> list[int]:
        """Sign and tell a new catalogue where it is time, or where an item says so; return the number that stands."""
        return [self._publish(page, is_forced=is_forced) for is_forced in items]

    def _publish(self, page: Page, *, is_forced: bool) -> int:
        today = local_day(page.now, self._settings.zone)
        opened = list_projects(page.connection, tables.projects.c.state == ProjectState.OPEN)
        chosen = sorted(
            (one for one in opened if one.number is not None and one.sheet.need_by >= write_day(today)),
            key=lambda one: (one.sheet.need_by, one.at, one.id),
        )[:PROJECTS_MAX]
        listed = sorted((_list(one, today) for one in chosen), key=lambda one: one.number)
        row = page.connection.execute(select(_own)).first()
        if row is None and not listed and not is_forced:
            return 0
        if row is not None and not is_forced and not self._is_time(bytes(row.signed), listed, page.now - row.at):
            return int(row.number)
        # The clock keeps the number rising where a copy of this base forgot the last one.
        number = max(int(page.now), 0 if row is None else row.number + 1)
        catalogue = Catalogue(CATALOGUE_VERSION, self._settings.home, number, write_day(today), tuple(listed))
        signed = sign_catalogue(catalogue, self._keys)
        if row is None:
            save(page.connection, _own, place=0, number=number, signed=signed, at=page.now)
        else:
            change(page.connection, _own, _own.c.place == 0, number=number, signed=signed, at=page.now)
        self._tell(page, BaseName.ACCOUNTS, [CataloguePublished(signed)])
        return number

    def _is_time(self, before: bytes, listed: Sequence[ListedProject], age_ms: int) -> bool:
        signed, catalogue = open_catalogue(before)
        if signed.key != self._keys.public.id or _settled(catalogue.projects) != _settled(listed):
            return True
        hours = FRESH_HOURS if catalogue.projects == tuple(listed) else self._settings.catalogue_hours
        return bool(listed) and age_ms >= hours * HOUR_MS

    def take_payer(self, page: Page, told: PayerKey) -> None:
        """Keep what a card says of a fund elsewhere. What is older, or of our own territory, is passed over."""
        connection = page.connection
        if told.territory == self._settings.home:
            return
        last = connection.execute(select(func.max(_told.c.number)).where(_told.c.territory == told.territory)).scalar()
        keys = PublicKeys(signing=told.signing, sealing=told.sealing)
        before = load_payers_told(connection, told.territory)
        if told.number > int(last or 0) and (not before or before[-1].value != keys):
            start = compute_start(before, keys, page.now, self._settings.iban_change_hours * HOUR_MS)
            save(
                connection,
                _told,
                territory=told.territory,
                number=told.number,
                signing=told.signing,
                sealing=told.sealing,
                since=told.since,
                at=page.now,
                from_at=start,
            )
        # What a person entered and the card confirms is the card's from now on, and changes with it.
        connection.execute(
            delete(_payers).where(
                _payers.c.territory == told.territory,
                _payers.c.signing == told.signing,
                _payers.c.sealing == told.sealing,
            )
        )

    def forget_payers(self, page: Page, items: Sequence[str]) -> list[str | Refusal]:
        """Let the card of a territory say the key of its fund again, instead of a person."""
        results: list[str | Refusal] = []
        for territory in items:
            try:
                require_territory(territory)
                if not page.connection.execute(delete(_payers).where(_payers.c.territory == territory)).rowcount:
                    raise InvalidMember(field="territory", reason="nobody entered a key of its fund here")
                results.append(territory)
            except Refusal as refusal:
                results.append(refusal)
        return results


def _list(project: Project, today: Any) -> ListedProject:
    sheet = project.sheet
    assert project.number is not None
    has_place = (sheet.latitude, sheet.longitude) != (0, 0)
    return ListedProject(
        number=project.number,
        title=sheet.title,
        place="",
        commune=sheet.commune,
        theme=sheet.theme,
        target=sheet.target,
        minimum=sheet.minimum,
        support=project.support,
        need_by=sheet.need_by,
        urgency=int(compute_urgency(today, sheet.need_by)),
        latitude=sheet.latitude if has_place else None,
        longitude=sheet.longitude if has_place else None,
    )


def _settled(projects: Sequence[ListedProject]) -> list[ListedProject]:
    """Return what is to be known at once when it changes: all but support and urgency."""
    return [structs.replace(one, support=0, urgency=0) for one in projects]


def load_payers_told(connection: Connection, territory: str) -> list[Told[PublicKeys]]:
    """Return all that cards said of a territory's fund, the oldest first."""
    rows = connection.execute(select(_told).where(_told.c.territory == territory).order_by(_told.c.number))
    return [
        Told(
            value=PublicKeys(signing=bytes(row.signing), sealing=bytes(row.sealing)),
            at=Instant(row.at),
            from_at=Instant(row.from_at),
        )
        for row in rows
    ]


def load_payer_words(connection: Connection, now: int) -> list[PayerWords]:
    """Return every fund elsewhere whose key is known, by territory. What a person entered goes before the card."""
    entered = {
        row.territory: (PublicKeys(signing=bytes(row.signing), sealing=bytes(row.sealing)), row.at)
        for row in connection.execute(select(_payers))
    }
    names = set(connection.execute(select(_told.c.territory)).scalars()) | set(entered)
    words: list[PayerWords] = []
    for territory in sorted(names):
        told = load_payers_told(connection, territory)
        waiting = find_waiting(told, now)
        shown = find_in_force(told, now)
        keys, at = entered.get(territory, (shown, told[-1].at if told else Instant(0)))
        if keys is None:
            continue  # asked for an instant before anything counted
        words.append(
            PayerWords(
                territory=territory,
                keys=keys,
                is_entered=territory in entered,
                waiting=None if waiting is None else waiting.value.id,
                waiting_from=None if waiting is None else waiting.from_at,
                is_disputed=territory in entered and bool(told) and told[-1].value != keys,
                at=at,
            )
        )
    return words


def choose_payers(words: Sequence[PayerWords], number: int, count_max: int) -> dict[str, PublicKeys]:
    """Return the funds that get an order in a round: all, or so many in turn that each round begins with the next."""
    if len(words) <= count_max:
        return {one.territory: one.keys for one in words}
    start = (number - 1) * count_max % len(words)
    turned = [*words[start:], *words[:start]][:count_max]
    return {one.territory: one.keys for one in sorted(turned, key=lambda one: one.territory)}
