"""Cards are carried: each fund tells its account, each node publishes and fetches, on a line where things go wrong."""

from __future__ import annotations

from hub.catalogue.service import load_page
from node.catalogue.service import Pushed
from protocol.exchange.client import HubUnreachable
from protocol.publications import (
    CataloguePage,
    Publication,
    decode_page,
    decode_publication,
    encode_page,
    encode_publication,
)
from tests.simulation.cycle.stage import ACCOUNTS, CODES, FUND, HUB, Stage

LOST = 0.15


class CardLine:
    """A node's way to what the hub keeps of cards and catalogues, by the bytes that HTTP would carry."""

    def __init__(self, stage: Stage, *, is_bad: bool) -> None:
        self._stage = stage
        self._is_bad = is_bad

    def _risk(self) -> None:
        if self._is_bad and self._stage.dice.random() < LOST:
            raise HubUnreachable(reason="lost")

    async def put(self, publication: Publication) -> Pushed:
        stage = self._stage
        self._risk()
        told = decode_publication(encode_publication(publication))
        kept = await stage.survive(HUB, stage.hub.book.write(stage.hub.catalogue.publish, told))
        self._risk()
        if kept is None:
            raise HubUnreachable(reason="it died")
        return Pushed(kept.card_number, kept.catalogue_number)

    async def get(self, since: int) -> CataloguePage:
        stage = self._stage
        self._risk()
        page = await stage.survive(HUB, stage.hub.book.read(lambda line: load_page(line, since)))
        self._risk()
        if page is None:
            raise HubUnreachable(reason="it died")
        return decode_page(encode_page(page))


async def carry(stage: Stage, code: str, *, is_bad: bool) -> None:
    """One round of a node: its own card and catalogue to the hub, those of others from there."""
    node = stage.node(code)
    node.catalogues._transport = CardLine(stage, is_bad=is_bad)
    done = await stage.survive(f"{code}/{ACCOUNTS}", node.catalogues.run_once())
    if done is not None:
        stage.tell(f"{code}: cards, {done.fetched} new, {done.told} told")


def tell_account(stage: Stage, code: str) -> None:
    """A fund says where others pay it."""
    stage.ask(f"{code}/{FUND}", lambda: stage.fund(code).cards.publish, True)


async def cards(stage: Stage) -> None:
    """A round of one node or of several; their funds say their account again, which is nothing new."""
    for code in stage.dice.sample(CODES, stage.dice.choice((1, 2, 3))):
        if stage.dice.random() < 0.3:
            tell_account(stage, code)
        await carry(stage, code, is_bad=True)


ACTIONS = {cards: 2}
