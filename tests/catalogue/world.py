"""Territories with houses around them, and a hub that keeps what they publish; the line can hide and replay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hub.catalogue.service import CatalogueDesk as HubDesk
from hub.catalogue.service import load_page
from hub.schema_service import HUB_HISTORY
from node.catalogue.listing import Search
from node.catalogue.reading_service import FoundPage, TerritoryWord, find_projects, load_words
from node.catalogue.service import CatalogueDesk, Pushed
from node.catalogue.worker import CatalogueWorker, Round
from node.schema_service import ACCOUNTS_HISTORY
from protocol.book.worker import Page
from protocol.catalogue import CATALOGUE_VERSION, Catalogue, ListedProject, sign_catalogue
from protocol.house import BaseName, CataloguePublished, HouseMessage, SettlementPublished, make_neighbours
from protocol.identifiers import TerritoryCode
from protocol.keys import SecretKeys, make_keys
from protocol.publications import (
    CataloguePage,
    Publication,
    decode_page,
    decode_publication,
    encode_page,
    encode_publication,
)
from protocol.territory_card import CARD_VERSION, Settlement, sign_settlement
from protocol.times import day_at, write_day
from tests.federation.world import Node, World
from tests.templates import lay

ACCOUNTS, FUND, PROJECTS = str(BaseName.ACCOUNTS), str(BaseName.FUND), str(BaseName.PROJECTS)
IBAN = "FR7630006000011234567890189"
GARDEN = ListedProject(
    *("0A1B2C3D", "Jardins partagés", "Recouvrance", "29019", "nature"),
    *(100_000, 60_000, 12_345, 20270115, 2, 48_390_000, -4_486_000),
)
HALL = ListedProject("1A1B2C3D", "Une halle", "", "29019", "culture", 500, 500, 0, 20270401, 0, None, None)


class HubLine:
    """What a node's HTTP line to the hub does, by function calls over the same bytes."""

    def __init__(self, world: Federated) -> None:
        self.world = world
        self.is_cut = False
        self.change: Callable[[CataloguePage], CataloguePage] = lambda page: page
        self.calls = 0

    async def put(self, publication: Publication) -> Pushed:
        self.calls += 1
        told = decode_publication(encode_publication(publication))
        kept = await self.world.hub_book.write(self.world.publications.publish, told)
        return Pushed(kept.card_number, kept.catalogue_number)

    async def get(self, since: int) -> CataloguePage:
        self.calls += 1
        page = await self.world.hub_book.read(lambda line: load_page(line, since))
        return decode_page(encode_page(self.change(page)))


class Federated(World):
    """The hub keeps publications too."""

    def __init__(self, url_of: Callable[[str], str]) -> None:
        super().__init__(url_of)
        self.publications = HubDesk(self.registry)
        self.line = HubLine(self)

    def house(self, code: TerritoryCode) -> Place:
        return Place(self, self.join(code))

    def publish_now(self, publication: Publication) -> Any:
        return self.hub_book.write_now(self.publications.publish, publication)


class Place:
    """One territory: its node, the keys of its fund and projects, and what these were told."""

    def __init__(self, world: Federated, node: Node) -> None:
        self.world, self.node = world, node
        self.keys: dict[str, SecretKeys] = {base: make_keys(world.entropy(64)) for base in (PROJECTS, FUND)}
        self.told: list[tuple[str, HouseMessage]] = []
        self.open()

    def open(self) -> None:
        """Wire the room anew, as a process that starts again with the house's keys as they are now."""
        self.desk = CatalogueDesk(
            home=self.node.code,
            find_identity=lambda: self.node.federation.identity,
            find_directory=lambda: self.node.federation.directory,
            neighbours=make_neighbours({base: [keys.public] for base, keys in self.keys.items()}),
            tell=self._tell,
        )
        self.worker = CatalogueWorker(self.desk, self.node.book, self.world.line)

    def _tell(self, _page: Page, reader: str, messages: Sequence[HouseMessage]) -> None:
        self.told += [(reader, message) for message in messages]

    def hear(self, sender: str, message: HouseMessage) -> None:
        def write(page: Page, items: Sequence[HouseMessage]) -> list[None]:
            self.desk.hear(page, sender, items)
            return [None for _ in items]

        self.node.book.write_now(write, message)

    def list(self, *projects: ListedProject, number: int | None = None, signer: SecretKeys | None = None) -> bytes:
        """Publish a catalogue as the projects' base of this house."""
        now = self.world.clock()
        told = Catalogue(CATALOGUE_VERSION, self.node.code, number or int(now), write_day(day_at(now)), projects)
        signed = sign_catalogue(told, signer or self.keys[PROJECTS])
        self.hear(PROJECTS, CataloguePublished(signed))
        return signed

    def pay_to(self, iban: str = IBAN, *, number: int | None = None) -> None:
        """Publish the settlement account as the fund of this house."""
        told = Settlement(
            *(CARD_VERSION, self.node.code, number or int(self.world.clock()), 20261128),
            *("FONDS", "200046977", iban, "AGRIFRPP" if iban else ""),
        )
        self.hear(FUND, SettlementPublished(sign_settlement(told, self.keys[FUND])))

    async def round(self) -> Round:
        return await self.worker.run_once()

    def own(self) -> Publication:
        made: Publication = self.node.book.write_now(self.desk.make_own, None)
        return made

    def find(self, **search: Any) -> FoundPage:
        today = day_at(self.world.clock())
        directory = self.node.federation.directory
        return self.node.book.read_now(lambda line: find_projects(line, Search(**search), directory, today))

    def titles(self, **search: Any) -> list[str]:
        return [one.row.title for one in self.find(**search).found]

    def word(self, territory: str) -> TerritoryWord:
        today = day_at(self.world.clock())
        words = self.node.book.read_now(lambda line: load_words(line, self.node.federation.directory, today))
        return next(one for one in words if one.territory == territory)

    def take(self, publication: Publication) -> Any:
        return self.node.book.write_now(self.desk.take, publication)

    def heard(self, kind: type[Any]) -> list[Any]:
        return [message for _, message in self.told if isinstance(message, kind)]


def make_url(folder: Path) -> Callable[[str], str]:
    """Return where each book lies: an empty one is laid there first."""
    return lambda name: lay(f"sqlite:///{folder / name}.db", HUB_HISTORY if name == "hub" else ACCOUNTS_HISTORY)
