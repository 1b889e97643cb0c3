"""Every invariant of a node's accounts base, on one snapshot."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from node.federation.checks import check_federation, load_directory
from node.ledger.checks import check_ledger
from protocol.book.checks import check_logs
from protocol.directory import BrokenDirectory, Directory
from protocol.errors import NotCanonical
from protocol.findings import Checked
from protocol.identifiers import TerritoryCode


def check_node(connection: Connection, *, home: str, hub: str, on_progress: Callable[[str], None]) -> list[Checked]:
    """Return each invariant, how much was looked at, and the first places where it is broken."""
    checked = check_ledger(
        connection, lambda table, rows: on_progress(f"{table}, {rows} rows"), home=TerritoryCode(home)
    )
    checked += check_federation(connection, home=home, hub=hub, on_progress=on_progress)
    try:
        directory = load_directory(connection)
    except (BrokenDirectory, NotCanonical):
        directory = Directory()
    return checked + check_logs(connection, directory, on_progress)
