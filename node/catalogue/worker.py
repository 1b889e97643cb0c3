"""The round of cards and catalogues: sign ours, hand it to the hub, fetch what is new, tell our bases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from node.catalogue import store
from node.catalogue.client import CatalogueTransport
from node.catalogue.service import CatalogueDesk
from node.catalogue.words import KeyNotShown, Line, NothingToPublish
from protocol.book.service import Book
from protocol.catalogue import open_catalogue
from protocol.errors import Refusal
from protocol.publications import Publication
from protocol.territory_card import open_card
from protocol.times import DAY_MS

PAGES_MAX: Final = 1_000


@dataclass(slots=True)
class Round:
    """What one round did. `trouble` is why a part of it could not be: it is tried again."""

    published: bool = False
    fetched: int = 0
    refused: int = 0
    told: int = 0
    trouble: str = ""


class CatalogueWorker:
    """Does rounds; its state is in the book, so that one that was cut short is done again."""

    def __init__(self, desk: CatalogueDesk, book: Book, transport: CatalogueTransport | None) -> None:
        self._desk = desk
        self._book = book
        self._transport = transport
        self.trouble = ""

    async def run_once(self) -> Round:
        """Do one round. What the line refuses is said in it, and stops nothing else."""
        done = Round()
        await self.publish(done)
        await self.fetch(done)
        done.told = await self._book.write(self._desk.tell_house, None)
        self.trouble = done.trouble
        return done

    async def publish(self, done: Round) -> None:
        """Sign ours anew where it changed, and hand it to the hub unless it has it."""
        try:
            own = await self._book.write(self._desk.make_own, None)
        except NothingToPublish:
            return  # a territory that has accounts alone is not in trouble
        except KeyNotShown as refusal:
            done.trouble = done.trouble or ("" if self._transport is None else str(refusal))
            return
        if self._transport is None or await self._has(own):
            return
        try:
            pushed = await self._transport.put(own)
        except Refusal as refusal:
            done.trouble = str(refusal)
            return
        await self._book.write(self._desk.note_pushed, pushed)
        done.published = True

    async def _has(self, own: Publication) -> bool:
        """Tell whether the hub said within a day that it has this: it may have come back from an old copy since."""
        line = await self._book.read(store.load_line)
        number = open_catalogue(own.catalogue)[1].number if own.catalogue else 0
        pushed = (line.get(Line.PUSHED_CARD, 0), line.get(Line.PUSHED_CATALOGUE, 0))
        is_fresh = line.get(Line.PUSHED_AT, 0) > self._book.clock() - DAY_MS
        return is_fresh and pushed == (open_card(own.card)[1].number, number)

    async def fetch(self, done: Round) -> None:
        """Fetch all that changed at the hub since we last read, page by page."""
        if self._transport is None:
            return
        try:
            for _ in range(PAGES_MAX):
                line = await self._book.read(store.load_line)
                page = await self._transport.get(line.get(Line.SINCE, 0))
                taken = await self._book.write(self._desk.take_page, page)
                done.fetched += taken.new
                done.refused += taken.refused
                if not page.has_more or not page.entries:
                    return
        except Refusal as refusal:
            done.trouble = done.trouble or str(refusal)
