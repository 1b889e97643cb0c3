"""The hub's schema history: its rooms' tables in one base."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from hub.catalogue.tables import metadata as catalogue
from hub.directory.tables import metadata as directory
from hub.settlement.tables import obligations
from protocol.book.migration_service import History

HUB_HISTORY: Final = History(
    name="hub",
    folder=Path(__file__).parent / "migrations" / "versions",
    tables=(directory, obligations.metadata, catalogue),
)
