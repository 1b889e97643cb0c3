"""Every invariant of a node's accounts base, on one snapshot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection

from node.catalogue.checks import RULE as CATALOGUE
from node.catalogue.checks import check_catalogue
from node.effects.checks import RULE as EFFECTS
from node.effects.checks import check_effects
from node.federation.checks import check_federation, load_directory
from node.guides.checks import check_guides
from node.ledger.checks import check_ledger
from node.orientation.checks import check_orientation
from node.solidarity.checks import check_solidarity
from protocol.book.checks import check_logs, guarded
from protocol.directory import BrokenDirectory, Directory
from protocol.errors import NotCanonical
from protocol.findings import Checked
from protocol.identifiers import TerritoryCode


def check_node(
    connection: Connection,
    *,
    home: str,
    hub: str,
    on_progress: Callable[[str], None],
    neighbours: Directory | None = None,
) -> list[Checked]:
    """Return each invariant, how much was looked at, and the first places where it is broken.

    `neighbours` are the other bases of the house, whose signed heads lie in this book too.
    """
    checked = guarded(
        "I1",
        "the ledger adds up",
        lambda: check_ledger(
            connection, lambda table, rows: on_progress(f"{table}, {rows} rows"), home=TerritoryCode(home)
        ),
    )
    checked += guarded(
        "I5",
        "the federation room follows the logs",
        lambda: check_federation(connection, home=home, hub=hub, on_progress=on_progress),
    )
    on_progress("projects")
    checked += guarded("I1", "what is directed to projects adds up", lambda: check_orientation(connection, home=home))
    on_progress("solidarity")
    checked += guarded("I1", "what was given to solidarity adds up", lambda: check_solidarity(connection))
    on_progress("what companies were told")
    checked += guarded("I2", EFFECTS, lambda: [check_effects(connection, home=home)])
    on_progress("groups")
    checked += guarded("guides", "guides act by consent", lambda: check_guides(connection, home=home))
    try:
        directory = load_directory(connection)
    except (BrokenDirectory, NotCanonical):
        directory = Directory()
    on_progress("cards and catalogues")
    members = directory
    checked += guarded("I7", CATALOGUE, lambda: [check_catalogue(connection, members)])
    if neighbours is not None:
        directory = replace(directory, members={**directory.members, **neighbours.members})
    return checked + guarded("I7", "logs are whole", lambda: check_logs(connection, directory, on_progress))
