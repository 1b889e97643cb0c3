"""What the fund waits for: who will pay, how much, for what. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.fund.matching import Expected
from node.fund.references import Iban, Reference
from protocol.amounts import Cents
from protocol.identifiers import Id16

CAMPAIGN_MAX: Final = 80


class Purpose(StrEnum):
    """What arrives for it becomes: miles of a campaign, or a citizen's gift outside the miles."""

    CAMPAIGN = "campaign"
    GIFT = "gift"


class ExpectationState(StrEnum):
    OPEN = "open"  # less than the whole has come
    PAID = "paid"
    CLOSED = "closed"  # nobody waits for the rest any more; what comes all the same goes to a person


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A payment that was announced. `pool` is the account that its miles are issued into, empty for a gift."""

    id: Id16
    number: int
    purpose: Purpose
    donor: Id16
    campaign: str
    lot_class: int
    restriction: str
    pool: str
    cents: Cents
    received: Cents
    due: int  # yyyymmdd
    reference: Reference
    payer_iban: str
    asked_by: str
    state: ExpectationState

    @property
    def left(self) -> Cents:
        """What has not come yet."""
        return Cents(max(0, self.cents - self.received))

    def to_match(self) -> Expected:
        """Return what a movement is held against."""
        return Expected(
            id=self.id.hex(),
            cents=self.cents,
            received=self.received,
            reference=self.reference,
            iban=Iban(self.payer_iban) if self.payer_iban else None,
        )
