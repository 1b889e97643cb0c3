"""How each table of the fund is made: every row carries the seal of all its other columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Column, LargeBinary, MetaData, Table
from sqlalchemy.schema import SchemaItem

from protocol.book.seals import compute_seal
from protocol.book.tables import NAMING

metadata = MetaData(naming_convention=NAMING)


def make_table(name: str, *parts: SchemaItem) -> Table:
    """Return a table of the fund's base: its columns and rules, and a seal that is made when a row is written."""
    return add_seal(Table(name, metadata, *parts))


def add_seal(table: Table) -> Table:
    table.append_column(Column("seal", LargeBinary, nullable=False, default=_sealer(table)))
    return table


def sealed_columns(table: Table) -> tuple[str, ...]:
    """Return the names of the columns that a row's seal is made of, in their order: all but the seal."""
    return tuple(column.name for column in table.columns if column.name != "seal")


def _sealer(table: Table) -> Callable[[Any], bytes]:
    names = sealed_columns(table)

    def seal(context: Any) -> bytes:
        values = context.get_current_parameters()
        return compute_seal(table.name, [values.get(name) for name in names])

    return seal
