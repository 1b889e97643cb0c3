"""What the fund waits for: who will pay, how much, for what. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.fund.days import day_of, number_of
from node.fund.matching import Expected
from node.fund.references import Iban, Reference
from protocol.amounts import Cents
from protocol.identifiers import Id16

CAMPAIGN_MAX: Final = 80


class Purpose(StrEnum):
    """What arrives for it becomes: miles of a campaign, what was called for miles given before, or a citizen's gift."""

    CAMPAIGN = "campaign"
    CALL = "call"
    GIFT = "gift"


REMINDERS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningRule:
    """After how many days: the first reminder counts from the due date, the second from the first."""

    first_days: int
    second_days: int


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

    def find_reminder_due(self, reminders: Sequence[int], rule: DunningRule) -> int | None:
        """Return from which day (yyyymmdd) the next reminder may go out; None where none does.

        `reminders`: the days of those that went out.
        """
        if self.state is not ExpectationState.OPEN or len(reminders) >= REMINDERS:
            return None
        since, days = (reminders[-1], rule.second_days) if reminders else (self.due, rule.first_days)
        return number_of(day_of(since) + datetime.timedelta(days=days))

    def to_match(self) -> Expected:
        """Return what a movement is held against."""
        return Expected(
            id=self.id.hex(),
            cents=self.cents,
            received=self.received,
            reference=self.reference,
            iban=Iban(self.payer_iban) if self.payer_iban else None,
        )
