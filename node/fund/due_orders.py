"""The order of a due, as it is kept: who is paid, and where the work is done. Pure."""

from __future__ import annotations

from node.fund.tags import Place
from protocol.canonical import decode_typed, prepare
from protocol.conversion import HOME_COUNTRY, ORDER_BYTES_MAX, ConversionOrder, SignedOrder, find_country
from protocol.messages import SEALED_ORDER_BYTES_MAX


def read_order(signed: bytes) -> ConversionOrder:
    """Return the order of a due that was taken. Raises NotCanonical where it was changed by hand."""
    told = decode_typed(signed, SignedOrder, size_max=SEALED_ORDER_BYTES_MAX)
    return decode_typed(told.order, ConversionOrder, size_max=ORDER_BYTES_MAX)


def find_place(order: ConversionOrder) -> Place:
    """Return where the yearly statements count the work that an order pays for."""
    return Place.FRANCE if find_country(order) == HOME_COUNTRY else Place.ABROAD


prepare(SignedOrder, ConversionOrder)
