"""What is kept of a purchase that a till told, and of a refund, and what the till is answered. Pure.

a sale:    REFUSED      no miles, for a reason that stays
           GRANTED      a grant was told to the accounts
           VOUCHER      the customer gave no identifier: a claim ticket

a refund:  ASKED ──answered──▶ DONE       asked of the accounts; or DONE at once where nothing had to be asked
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from enum import StrEnum

from node.partners.grants import GrantState
from node.partners.purchases import PurchaseId, RefundNote
from protocol.amounts import Cents
from protocol.errors import Refusal
from protocol.identifiers import Id16
from protocol.times import Instant


class SaleState(StrEnum):
    REFUSED = "refused"
    GRANTED = "granted"
    VOUCHER = "voucher"


class RefundState(StrEnum):
    ASKED = "asked"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleAnswer:
    """What became of one purchase. `is_pending`: told to the accounts, which have not answered yet."""

    id: PurchaseId
    state: SaleState
    cents: Cents  # granted, or what the ticket was made out for; 0 where refused
    received_at: Instant
    refusal: Refusal | None = None
    grant_id: Id16 | None = None
    grant_state: GrantState | None = None
    ticket: str | None = None
    ticket_qr: str | None = None
    expires_on: datetime.date | None = None
    is_repeat: bool = False

    @property
    def is_pending(self) -> bool:
        return self.grant_state is GrantState.TOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundAnswer:
    """What became of one refund. Cents of miles: `due` back, `taken` back, and what stays where it was directed."""

    id: str
    state: RefundState
    due: Cents
    taken: Cents
    note: RefundNote | None  # none while the accounts have not answered, or where they refused
    code: str = ""  # why the accounts took nothing back
    take_back: Id16 | None = None
    is_repeat: bool = False


def choose_note(due: int, taken: int) -> RefundNote:
    """Return what to tell the till of a refund."""
    if due == 0:
        return RefundNote.NOTHING_DUE
    if taken == due:
        return RefundNote.TAKEN
    return RefundNote.PART_ORIENTED if taken else RefundNote.ALL_ORIENTED
