"""The way to the hub for cards and catalogues."""

from __future__ import annotations

from typing import Protocol

import msgspec

from node.catalogue.service import Pushed
from protocol.exchange.client import HttpTransport, HubUnreachable
from protocol.publications import CataloguePage, Publication, decode_page, encode_publication

PATH = "/v1/catalogue"


class CatalogueTransport(Protocol):
    """Whatever brings our publication to the hub, and others' from it."""

    async def put(self, publication: Publication) -> Pushed:
        """Return what the hub has now. Raises HubUnreachable, HubRefused."""
        ...

    async def get(self, since: int) -> CataloguePage:
        """Return the next page. Raises HubUnreachable, HubRefused, PublicationRefused."""
        ...


class HttpCatalogue:
    """Over the node's own connection to the hub."""

    def __init__(self, transport: HttpTransport) -> None:
        self._transport = transport

    async def put(self, publication: Publication) -> Pushed:
        answer = await self._transport.ask("PUT", PATH, encode_publication(publication))
        try:
            told = msgspec.json.decode(answer, type=_Kept)
        except msgspec.DecodeError:
            raise HubUnreachable(reason="what came is not the hub's answer") from None
        return Pushed(told.card, told.catalogue)

    async def get(self, since: int) -> CataloguePage:
        return decode_page(await self._transport.ask("GET", f"{PATH}?since={since}"))


class _Kept(msgspec.Struct):
    card: int
    catalogue: int
