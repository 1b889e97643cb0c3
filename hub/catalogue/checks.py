"""What the hub keeps of cards and catalogues is what territories signed."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, select

from hub.catalogue.tables import publications
from protocol.catalogue import CatalogueRefused, verify_catalogue
from protocol.directory import Directory
from protocol.findings import Checked, Finding
from protocol.territory_card import CardRefused, open_card, verify_card

RULE: Final = "cards and catalogues are as territories signed them"


def check_publications(connection: Connection, directory: Directory) -> Checked:
    """Verify each kept card and catalogue again. Keys that were retired since still count for what they signed."""
    findings: list[Finding] = []
    rows = connection.execute(select(publications).order_by(publications.c.member)).all()
    for row in rows:
        place = f"publication of {row.member}"
        try:
            network = open_card(bytes(row.card))[1].network  # signed with the rest
            card = verify_card(bytes(row.card), directory, network, is_new=False)
            told = [card.territory, card.number, 0]
            if row.catalogue:
                keys = [] if card.projects is None else [card.projects.public]
                told[2] = verify_catalogue(bytes(row.catalogue), keys, card.territory).number
        except (CardRefused, CatalogueRefused) as refusal:
            findings.append(Finding("I7", place, f"signed by {row.member}", str(refusal.facts["reason"])))
            continue
        kept = [row.member, row.card_number, row.catalogue_number]
        if kept != told:
            findings.append(Finding("I7", place, f"{told}", f"{kept}"))
    return Checked("I7", RULE, len(rows), tuple(findings))
