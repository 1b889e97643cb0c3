"""What `citizen-miles node catalogue …` does in the process that holds the accounts' book."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from node.app import NodeApp
from node.catalogue import store
from node.catalogue.listing import Search
from node.catalogue.reading_service import find_projects, load_line_told, load_strangers, load_words
from node.catalogue.words import ProjectNotListed
from node.catalogue.worker import Round
from node.desks.accounts.catalogue_answers import tell_found, tell_listed, tell_refused, tell_territory
from node.desks.accounts.catalogue_api import read_search
from protocol.errors import Refusal
from protocol.identifiers import parse_address, tidy_address, write_address
from protocol.publications import Publication, read_pages, write_pages
from protocol.running.admin_client import Command
from protocol.running.explanations import explain
from protocol.times import day_at, format_instant

Asked = Mapping[str, Any]


def _language(asked: Asked) -> str:
    return str(asked.get("language", "fr"))


async def _list(app: NodeApp, asked: Asked) -> Any:
    search = read_search({name: str(value) for name, value in asked.items() if value not in (None, "")})
    today, directory = day_at(app.book.clock()), app.federation.directory
    page = await app.book.read(lambda line: find_projects(line, search, directory, today))
    return msgspec.to_builtins(tell_found(page, search.start, directory, today, _language(asked)))


async def _show(app: NodeApp, asked: Asked) -> Any:
    address = parse_address(tidy_address(asked["address"]))
    today, directory = day_at(app.book.clock()), app.federation.directory
    search = Search(territory=address.territory, limit=1)
    page = await app.book.read(lambda line: find_projects(line, search, directory, today, only=address.number))
    if not page.found:
        raise ProjectNotListed(address=write_address(address.number, address.territory))
    told = tell_listed(page.found[0], page.days[address.territory], directory, today, _language(asked))
    return msgspec.to_builtins(told)


async def _status(app: NodeApp, asked: Asked) -> Any:
    today, directory, language = day_at(app.book.clock()), app.federation.directory, _language(asked)
    words = await app.book.read(lambda line: load_words(line, directory, today))
    line = await app.book.read(load_line_told)
    strangers = await app.book.read(load_strangers)
    return {
        "territories": [msgspec.to_builtins(tell_territory(one, language)) for one in words],
        "refused": [
            {"territory": row.territory, "reason": tell_refused(f"{row.code} {row.facts}", language)}
            for row in strangers
        ],
        "fetched_at": format_instant(line["fetched_at"]) if line["fetched_at"] else None,
        "published_at": format_instant(line["pushed_at"]) if line["pushed_at"] else None,
        "trouble": app.catalogues.trouble,
    }


def _require_here(app: NodeApp) -> None:
    """Raise BookIsBehind where this book is an old copy: it takes nothing new."""
    if app.federation.behind is not None:
        raise app.federation.behind


async def _publish(app: NodeApp, _asked: Asked) -> Any:
    _require_here(app)
    await app.book.write(app.catalogue.make_own, None)  # why nothing can be signed is said as a refusal
    done = Round()
    await app.catalogues.publish(done)
    return {"published": done.published, "trouble": done.trouble}


async def _fetch(app: NodeApp, _asked: Asked) -> Any:
    _require_here(app)
    done = Round()
    await app.catalogues.fetch(done)
    told = await app.book.write(app.catalogue.tell_house, None)
    return {"new": done.fetched, "refused": done.refused, "told": told, "trouble": done.trouble}


async def _export(app: NodeApp, asked: Asked) -> Any:
    _require_here(app)
    own = await app.book.write(app.catalogue.make_own, None)
    rest: list[Publication] = []
    if asked.get("all"):
        cards = await app.book.read(store.load_newest_cards)
        kept = {one.territory: one for one in await app.book.read(store.load_catalogues)}
        for card in cards:
            if card.territory != app.home:
                catalogue = kept.get(card.territory)
                rest.append(Publication(card.territory, card.signed, b"" if catalogue is None else catalogue.signed))
    data = write_pages([own, *rest], app.book.clock())
    return {"publications": 1 + len(rest), "file": base64.b64encode(data).decode()}


async def _import(app: NodeApp, asked: Asked) -> Any:
    _require_here(app)
    language = _language(asked)
    rows: list[dict[str, str]] = []
    for one in read_pages(base64.b64decode(asked["file"])):
        try:
            is_new = await app.book.write(app.catalogue.take, one)
            rows.append({"territory": one.territory, "outcome": "new" if is_new else "known", "reason": ""})
        except Refusal as refusal:
            reason = explain(refusal.code, refusal.facts, language)
            rows.append({"territory": one.territory, "outcome": "refused", "reason": reason})
    await app.book.write(app.catalogue.tell_house, None)
    return rows


CATALOGUE_COMMANDS: Final[Mapping[str, Command]] = {
    "catalogue_list": _list,
    "catalogue_show": _show,
    "catalogue_status": _status,
    "catalogue_publish": _publish,
    "catalogue_fetch": _fetch,
    "catalogue_export": _export,
    "catalogue_import": _import,
}
