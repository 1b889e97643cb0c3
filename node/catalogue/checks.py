"""Every card and every catalogue that is kept is verified again, and what is searched is what stands in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, select

from node.catalogue import store
from node.catalogue.tables import listed_projects
from protocol.catalogue import CatalogueRefused, verify_catalogue
from protocol.directory import Directory
from protocol.findings import Checked, Finding
from protocol.keys import PublicKeys
from protocol.territory_card import CardRefused, open_card, verify_card

RULE: Final = "cards and catalogues are as territories signed them"
INVARIANT: Final = "I7"


def check_catalogue(connection: Connection, directory: Directory, network: str = "") -> Checked:
    """Hold what is kept against signatures. Keys that were retired since still count for what they signed.

    `seen` says whose newest publication was refused: what is kept is not what its territory, or who carried it, says last.
    """
    findings: list[Finding] = []
    keys: dict[str, list[PublicKeys]] = {}
    cards = store.load_cards(connection)
    for kept in cards:
        place = f"card {kept.number} of {kept.territory}"
        try:
            told = open_card(kept.signed)[1]
            card = verify_card(kept.signed, directory, network or told.network, is_new=False)
        except CardRefused as refusal:
            findings.append(Finding(INVARIANT, place, f"signed by {kept.territory}", str(refusal.facts["reason"])))
            continue
        if (card.territory, card.number) != (kept.territory, kept.number):
            findings.append(Finding(INVARIANT, place, "its own number", f"{card.number} of {card.territory}"))
        if card.projects is not None:
            keys.setdefault(kept.territory, []).append(card.projects.public)
    catalogues = store.load_catalogues(connection)
    found = {(row.territory, row.number): dict(row._mapping) for row in connection.execute(select(listed_projects))}
    for one in catalogues:
        findings += _find_in_catalogue(one, keys.get(one.territory, []), found)
    findings += [
        Finding(INVARIANT, f"project {number} of {territory}", "listed in its catalogue", "listed nowhere")
        for territory, number in sorted(found)
    ]
    seen = tuple(
        Finding(INVARIANT, f"publication of {row.territory}", "to be taken", f"{row.code} {row.facts}"[:200])
        for row in store.load_refused(connection)
    )
    return Checked(INVARIANT, RULE, len(cards) + len(catalogues), tuple(findings), seen)


def _find_in_catalogue(
    kept: store.KeptCatalogue, keys: list[PublicKeys], found: dict[tuple[str, str], dict[str, object]]
) -> Iterator[Finding]:
    """Look at one catalogue; the rows that belong to it are taken out of `found`."""
    place = f"catalogue of {kept.territory}"
    try:
        told = verify_catalogue(kept.signed, keys, kept.territory)
    except CatalogueRefused as refusal:
        yield Finding(INVARIANT, place, f"signed by the projects of {kept.territory}", str(refusal.facts["reason"]))
        return
    if (told.number, told.day) != (kept.number, kept.day) or all(key.id != kept.key for key in keys):
        yield Finding(INVARIANT, place, f"number {told.number} of {told.day}", f"number {kept.number} of {kept.day}")
    for one in told.projects:
        row = found.pop((kept.territory, one.number), None)
        if row != store.row_of(kept.territory, one):
            yield Finding(INVARIANT, f"project {one.number} of {kept.territory}", "as its catalogue says", "otherwise")
