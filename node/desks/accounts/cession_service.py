"""Where a cession stands, whether it left the territory or not: one answer for the API and the command line."""

from __future__ import annotations

from sqlalchemy import Connection

from node.desks.accounts.answers import CessionAnswer, tell_cession, tell_home_cession
from node.federation.errors import CessionUnknown
from node.federation.reading_service import load_cession
from node.ledger.reading_service import find_operation
from protocol.identifiers import Id16, TerritoryCode, format_id


def load_cession_told(connection: Connection, op: Id16, *, home: TerritoryCode, language: str) -> CessionAnswer:
    """Return the cession of this id. Raises CessionUnknown."""
    try:
        return tell_cession(load_cession(connection, op), home, language)
    except CessionUnknown:
        told = tell_home_cession(find_operation(connection, op), home)
    if told is None:
        raise CessionUnknown(id=format_id(op))
    return told
