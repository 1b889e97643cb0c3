"""Holds a message to the bank against its official schema, as sepaxml carries it."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from lxml import etree


def require_schema(message: bytes, schema: str) -> None:
    """Raises ValueError when the message is not of the schema: a bug of ours, and the message must not leave."""
    known = _load(schema)
    if not known.validate(etree.fromstring(message)):
        raise ValueError(f"{schema}: {known.error_log.last_error}")


@cache
def _load(schema: str) -> Any:
    with (resources.files("sepaxml") / "schemas" / f"{schema}.xsd").open("rb") as text:
        return etree.XMLSchema(etree.parse(text))
