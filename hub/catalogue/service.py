"""Take what members publish of themselves, and give it out in pages."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update

from hub.catalogue.tables import publications
from hub.directory.service import Registry
from protocol.book.service import Page
from protocol.catalogue import Catalogue, CatalogueRefused, verify_catalogue
from protocol.errors import Refusal
from protocol.publications import (
    ENTRIES_MAX,
    PAGE_BYTES_AIM,
    PAGES_VERSION,
    CataloguePage,
    PageEntry,
    Publication,
    PublicationRefused,
    is_replacing,
)
from protocol.territory_card import verify_card
from protocol.times import HOUR_MS

CHANGES_PER_HOUR_MAX: Final = 60


class TooManyPublications(Refusal):
    """A member changed what it publishes too often. Facts: territory, per_hour."""

    code = "too_many_publications"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a member after its call: the numbers, and whether something is new."""

    card_number: int
    catalogue_number: int
    is_new: bool


class CatalogueDesk:
    """Operations for the book's writer. How often a member changed something is forgotten with the process."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._changed: dict[str, deque[int]] = {}

    def publish(self, page: Page, items: Sequence[Publication]) -> list[Kept | Refusal]:
        """Keep each publication that is true and newer. The same again is answered the same."""
        results: list[Kept | Refusal] = []
        for item in items:
            try:
                results.append(self._publish(page, item))
            except Refusal as refusal:
                results.append(refusal)
        return results

    def _publish(self, page: Page, told: Publication) -> Kept:
        table = publications
        card = verify_card(told.card, self._registry.on_page(page), self._registry.identity.network, is_new=True)
        if card.territory != told.territory:
            raise PublicationRefused(reason="a card of another territory")
        kept = page.connection.execute(select(table).where(table.c.member == card.territory)).first()
        before = None if kept is None else (kept.card_number, bytes(kept.card))
        is_card_new = is_replacing(card.territory, "card", before, (card.number, told.card))
        number, catalogue, is_catalogue_new = 0, b"", False
        if kept is not None:
            number, catalogue = kept.catalogue_number, bytes(kept.catalogue)
        if told.catalogue:
            read = _verify(told.catalogue, card)
            before = (number, catalogue) if number else None
            if is_catalogue_new := is_replacing(card.territory, "catalogue", before, (read.number, told.catalogue)):
                number, catalogue = read.number, told.catalogue
        elif catalogue:
            catalogue, number, is_catalogue_new = _keep_if_named(catalogue, number, card)
        if not is_card_new and not is_catalogue_new:
            return Kept(card.number, number, is_new=False)
        self._require_seldom(card.territory, page.now)
        values = {
            "place": self._next_place(page),
            "card_number": card.number,
            "card": told.card,
            "catalogue_number": number,
            "catalogue": catalogue,
            "at": page.now,
        }
        if kept is None:
            page.connection.execute(insert(table).values(member=card.territory, **values))
        else:
            page.connection.execute(update(table).where(table.c.member == card.territory).values(**values))
        return Kept(card.number, number, is_new=True)

    def _require_seldom(self, member: str, now: int) -> None:
        changed = self._changed.setdefault(member, deque(maxlen=CHANGES_PER_HOUR_MAX))
        if len(changed) == CHANGES_PER_HOUR_MAX and changed[0] > now - HOUR_MS:
            raise TooManyPublications(territory=member, per_hour=CHANGES_PER_HOUR_MAX)
        changed.append(now)

    def _next_place(self, page: Page) -> int:
        last = page.connection.execute(select(func.max(publications.c.place))).scalar()
        # The clock keeps places rising where a copy of this base forgot the last ones.
        return max(int(page.now), int(last or 0) + 1)


def _verify(catalogue: bytes, card: Any) -> Catalogue:
    if card.projects is None:
        raise CatalogueRefused(territory=card.territory, reason="its card names no projects' base")
    return verify_catalogue(catalogue, [card.projects.public], card.territory)


def _keep_if_named(catalogue: bytes, number: int, card: Any) -> tuple[bytes, int, bool]:
    """Return the catalogue that stays beside a card: none, where the card names its signer no more."""
    try:
        _verify(catalogue, card)
    except CatalogueRefused:
        return b"", 0, True
    return catalogue, number, False


def load_page(connection: Connection, since: int) -> CataloguePage:
    """Return what changed after a place, as much as one page takes."""
    table = publications
    entries: list[PageEntry] = []
    size, has_more = 0, False
    rows = connection.execute(select(table).where(table.c.place > since).order_by(table.c.place).limit(ENTRIES_MAX + 1))
    for row in rows:
        if len(entries) == ENTRIES_MAX or size >= PAGE_BYTES_AIM:
            has_more = True
            break
        told = Publication(row.member, bytes(row.card), bytes(row.catalogue))
        entries.append(PageEntry(row.place, row.at, told))
        size += len(told.card) + len(told.catalogue)
    rows.close()
    return CataloguePage(PAGES_VERSION, entries[-1].place if entries else since, has_more, tuple(entries))


def load_published(connection: Connection) -> list[dict[str, Any]]:
    """Return who published what, by number, for the operator."""
    rows = connection.execute(select(publications).order_by(publications.c.member))
    return [
        {
            "member": row.member,
            "card": row.card_number,
            "catalogue": row.catalogue_number,
            "bytes": len(row.card) + len(row.catalogue),
            "at": row.at,
        }
        for row in rows
    ]
