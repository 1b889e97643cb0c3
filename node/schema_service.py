"""The accounts base's schema history: the ledger's tables, and those of the rooms that live in the same base."""

from __future__ import annotations

from typing import Final

from node.access.tables import metadata as access
from node.catalogue.tables import metadata as catalogue
from node.effects.tables import metadata as effects
from node.federation.tables import metadata as federation
from node.guides.tables import metadata as guides
from node.ledger.service import ledger_history
from node.orientation.tables import metadata as orientation
from node.solidarity.tables import metadata as solidarity

ACCOUNTS_HISTORY: Final = ledger_history(federation, access, orientation, solidarity, catalogue, guides, effects)
