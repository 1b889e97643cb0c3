"""The life of a claim ticket in the base. Pure.

OPEN ──claimed──▶ CLAIMED      a grant to whoever showed it first
  ├────expired──▶ EXPIRED      what it was worth went back into the budget
  └────voided───▶ VOID         refunded wholly, or its till was lost or stolen
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from protocol.amounts import Cents
from protocol.identifiers import Id16


class VoucherState(StrEnum):
    OPEN = "open"
    CLAIMED = "claimed"
    EXPIRED = "expired"
    VOID = "void"


NEXT_STATE: Final[Mapping[VoucherState, frozenset[VoucherState]]] = {
    VoucherState.OPEN: frozenset({VoucherState.CLAIMED, VoucherState.EXPIRED, VoucherState.VOID}),
    VoucherState.CLAIMED: frozenset(),
    VoucherState.EXPIRED: frozenset(),
    VoucherState.VOID: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimAnswer:
    """A claimed ticket: what was granted, and the grant's id, by which the accounts' answer is waited for."""

    cents: Cents
    grant_id: Id16
    is_repeat: bool
