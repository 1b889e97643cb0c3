"""The fund's schema history: a base of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from node.fund.tables import metadata
from protocol.book.migration_service import History

FUND_HISTORY: Final = History(name="fund", folder=Path(__file__).parent / "migrations" / "versions", tables=(metadata,))
