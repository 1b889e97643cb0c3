"""What a purchase gives in miles, what a refund takes back, and which purchases told later are taken. Pure.

Rounding, said once: a percentage is rounded down, and the part of a cent stays in the campaign's budget. A refund
takes back down to the cent as well, and the part of a cent stays with the customer, until the whole sale is refunded:
then all that was granted is due. What is due depends only on how much is refunded in all, not in how many parts.

A ceiling cuts a grant, because customers know it from the terms; a budget does not: the grant is whole or refused.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NewType

from node.partners.campaigns import (
    BASIS_POINTS,
    NO_CENTS,
    Budget,
    Campaign,
    CampaignState,
    Ceilings,
    FixedSum,
    Rule,
    spend,
    state_at,
)
from node.partners.companies import Siren, is_line, require_not_own, require_siren
from node.partners.errors import (
    ArrivedAfterCampaign,
    BudgetTooSmall,
    CampaignNotOpen,
    CampaignNotRunning,
    CredentialCompromised,
    CredentialNotYetIssued,
    CredentialRevoked,
    DayCeilingReached,
    InvalidPurchase,
    InvalidTill,
    NothingToGrant,
    PurchaseAhead,
    PurchaseTooOld,
    RefundTooLarge,
    SaleBelowThreshold,
    TillClockWrong,
)
from protocol.amounts import Cents, require_amount, require_balance
from protocol.errors import IdMismatch, Refusal
from protocol.identifiers import AccountNumber, require_number
from protocol.times import Instant, day_of, require_instant

TillNumber = NewType("TillNumber", int)
PurchaseId = NewType("PurchaseId", str)

TILL_MAX: Final = 16_383  # 14 bits of a claim ticket
PURCHASE_ID_MAX: Final = 64
_EPOCH: Final = datetime.date(1970, 1, 1).toordinal()


def require_till(value: object) -> TillNumber:
    """Return the number of a till, 1 to TILL_MAX within its company. Raises InvalidTill."""
    if type(value) is not int or not 1 <= value <= TILL_MAX:
        shown = value if type(value) is int and abs(value) < 2**63 else type(value).__name__
        raise InvalidTill(till=shown, reason=f"1 to {TILL_MAX}")
    return TillNumber(value)


def require_purchase_id(value: object) -> PurchaseId:
    """Return the id that the till gave a purchase. Raises InvalidPurchase."""
    if not isinstance(value, str) or not value.isascii() or not is_line(value, PURCHASE_ID_MAX):
        raise InvalidPurchase(field="id", reason=f"1 to {PURCHASE_ID_MAX} ASCII symbols that can be printed")
    return PurchaseId(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """A sale as a till tells it. Raises InvalidPurchase, InvalidAmount, InvalidAddress, InvalidSiren, InvalidTime.

    `at` is the till's own time; `day` is the local day of `at`, which the edge computes because it knows the time
    zone. `holder` is None where the customer gave no identifier: a claim ticket is made. `buyer` is the SIREN of a
    customer that is a company or an association.
    """

    id: PurchaseId
    till: TillNumber
    at: Instant
    day: datetime.date
    sale: Cents
    holder: AccountNumber | None
    buyer: Siren | None = None

    def __post_init__(self) -> None:
        require_purchase_id(self.id)
        require_till(self.till)
        require_instant(self.at, "at")
        require_amount(self.sale)
        if self.holder is not None:
            require_number(self.holder)
        if self.buyer is not None:
            require_siren(self.buyer)
        if abs(self.day.toordinal() - _EPOCH - day_of(self.at)) > 1:
            raise InvalidPurchase(field="day", reason="not the day of that moment, in any time zone")


# ---------------------------------------------------------------- what is granted


def compute_due(rule: Rule, sale: Cents) -> Cents:
    """Return what the rule promises for a sale, before ceilings; rounded down, so it may be 0.

    Raises SaleBelowThreshold.
    """
    if sale < rule.threshold:
        raise SaleBelowThreshold(sale=sale, threshold=rule.threshold)
    if isinstance(rule, FixedSum):
        return rule.cents
    return Cents(sale * rule.basis_points // BASIS_POINTS)


def cut_to_day(ceilings: Ceilings, cents: Cents, holder_spent_today: Cents) -> Cents:
    """Return what the ceiling per day and holder leaves of a sum. Raises DayCeilingReached where nothing is left."""
    if ceilings.day_and_holder is None:
        return cents
    left = ceilings.day_and_holder - require_balance(holder_spent_today)
    if left <= 0:
        raise DayCeilingReached(ceiling=ceilings.day_and_holder, spent=holder_spent_today)
    return Cents(min(cents, left))


def decide(
    campaign: Campaign,
    purchase: Purchase,
    *,
    holder_spent_today: Cents,
    budget: Budget,
    group: frozenset[Siren],
) -> Cents:
    """Return the cents that the purchase is granted, one at least.

    `holder_spent_today` is what this campaign gave the same holder on `purchase.day`, less what was taken back. For a
    customer without an identifier it is 0, and `cut_to_day` is asked again when the ticket is claimed. The campaign is
    looked at as it stood at `purchase.at`.
    Raises OwnGroup, CampaignNotRunning, CampaignNotOpen, SaleBelowThreshold, NothingToGrant, DayCeilingReached,
    BudgetTooSmall.
    """
    terms = campaign.terms
    require_not_own(campaign.company, purchase.buyer, group)
    state = state_at(campaign, purchase.at)
    if state is not CampaignState.RUNNING:
        raise CampaignNotRunning(state=state, at=purchase.at)
    if not terms.opens_on <= purchase.day <= terms.closes_on:
        raise CampaignNotOpen(
            day=purchase.day.isoformat(), opens_on=terms.opens_on.isoformat(), closes_on=terms.closes_on.isoformat()
        )
    due = compute_due(terms.rule, purchase.sale)
    if due == 0:
        raise NothingToGrant(sale=purchase.sale)
    if terms.ceilings.purchase is not None:
        due = Cents(min(due, terms.ceilings.purchase))
    due = cut_to_day(terms.ceilings, due, holder_spent_today)
    if due > budget.left:
        raise BudgetTooSmall(available=budget.left, asked=due, missing=due - budget.left)
    return due


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What became of one purchase of a batch: cents, or why not."""

    purchase: PurchaseId
    granted: Cents
    refusal: Refusal | None = None


def decide_batch(
    campaign: Campaign,
    purchases: Iterable[Purchase],
    *,
    spent_by_holder: Mapping[tuple[AccountNumber, datetime.date], Cents],
    budget: Budget,
    group: frozenset[Siren],
) -> tuple[tuple[Decision, ...], Budget]:
    """Return a decision for each purchase, in the order told, and the budget after them.

    Each is judged by itself: where the budget no longer holds one, a smaller one after it may still fit. An id told
    twice with the same content is answered as the first; with another content it is an IdMismatch, and the first stands.
    """
    spent = dict(spent_by_holder)
    seen: dict[tuple[TillNumber, PurchaseId], tuple[Purchase, Decision]] = {}
    decisions: list[Decision] = []
    for purchase in purchases:
        known = seen.get((purchase.till, purchase.id))
        if known is not None:
            decisions.append(known[1] if known[0] == purchase else _mismatch(known[0], purchase))
            continue
        key = None if purchase.holder is None else (purchase.holder, purchase.day)
        before = Cents(0) if key is None else spent.get(key, Cents(0))
        try:
            granted = decide(campaign, purchase, holder_spent_today=before, budget=budget, group=group)
        except Refusal as refusal:
            decision = Decision(purchase=purchase.id, granted=Cents(0), refusal=refusal)
        else:
            budget = spend(budget, granted)
            if key is not None:
                spent[key] = Cents(before + granted)
            decision = Decision(purchase=purchase.id, granted=granted)
        seen[purchase.till, purchase.id] = (purchase, decision)
        decisions.append(decision)
    return tuple(decisions), budget


def _mismatch(first: Purchase, second: Purchase) -> Decision:
    fields = ("at", "day", "sale", "holder", "buyer")
    differs = next(field for field in fields if getattr(first, field) != getattr(second, field))
    return Decision(purchase=second.id, granted=Cents(0), refusal=IdMismatch(id=second.id, field=differs))


# ---------------------------------------------------------------- what a refund takes back


class RefundNote(StrEnum):
    """What to tell the till."""

    TAKEN = "taken"  # all that was due came back
    PART_ORIENTED = "part_oriented"  # the rest is already directed to a project, and stays there
    ALL_ORIENTED = "all_oriented"  # nothing comes back
    NOTHING_DUE = "nothing_due"  # less than a cent of the grant belongs to this part of the sale


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A purchase that was granted miles, and what refunds did to it. Cents. Raises InvalidAmount, RefundTooLarge.

    `taken_back` is at most what was due for `refunded`; what is missing was oriented before, and is not chased later.
    """

    sale: Cents
    granted: Cents
    refunded: Cents = NO_CENTS
    taken_back: Cents = NO_CENTS

    def __post_init__(self) -> None:
        require_amount(self.sale)
        require_amount(self.granted)
        require_balance(self.refunded)
        require_balance(self.taken_back)
        if self.refunded > self.sale:
            raise RefundTooLarge(left=self.sale, asked=self.refunded)
        if self.taken_back > compute_due_back(self.sale, self.granted, self.refunded):
            raise ValueError("no more is taken back than the refunds are worth")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """What one refund did: `taken` goes back to the campaign's budget, `forgone` stays where it was directed."""

    grant: Grant
    taken: Cents
    forgone: Cents
    note: RefundNote


def compute_due_back(sale: Cents, granted: Cents, refunded: Cents) -> Cents:
    """Return what is due of a grant once `refunded` of the sale was refunded: rounded down, exact at the end."""
    return Cents(granted * refunded // sale)


def refund(grant: Grant, cents: Cents, *, unoriented: Cents) -> Refund:
    """Return what a refund of `cents` of the sale takes back.

    `unoriented` is what the holder still has of this grant; all of it while a ticket is not claimed, which is then
    worth so much less. Miles of a purchase that were oriented are a gift made: nothing of them comes back, neither now
    nor from the holder's other miles.
    Raises RefundTooLarge, InvalidAmount.
    """
    require_amount(cents)
    require_balance(unoriented)
    left = grant.sale - grant.refunded
    if cents > left:
        raise RefundTooLarge(left=left, asked=cents)
    refunded = Cents(grant.refunded + cents)
    before = compute_due_back(grant.sale, grant.granted, grant.refunded)
    due = compute_due_back(grant.sale, grant.granted, refunded) - before
    taken = Cents(min(due, unoriented))
    if due == 0:
        note = RefundNote.NOTHING_DUE
    elif taken == due:
        note = RefundNote.TAKEN
    else:
        note = RefundNote.PART_ORIENTED if taken else RefundNote.ALL_ORIENTED
    after = replace(grant, refunded=refunded, taken_back=Cents(grant.taken_back + taken))
    return Refund(grant=after, taken=taken, forgone=Cents(due - taken), note=note)


# ---------------------------------------------------------------- what a till tells later


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalBounds:
    """How far a till is believed. Milliseconds; all come from the node's settings."""

    clock_off_max_ms: int  # between the till's clock and ours, when it sends
    ahead_max_ms: int  # of a purchase before our own time
    age_max_ms: int  # of a purchase
    late_after_end_ms: int  # after the campaign ended
    late_after_revocation_ms: int  # after a till was retired

    def __post_init__(self) -> None:
        if (
            min(
                *(self.clock_off_max_ms, self.ahead_max_ms, self.age_max_ms),
                *(self.late_after_end_ms, self.late_after_revocation_ms),
            )
            < 0
        ):
            raise ValueError("a bound is not negative")


class RevocationReason(StrEnum):
    RETIRED = "retired"  # the till was put away; what it sold before counts
    COMPROMISED = "compromised"  # lost, stolen or copied: whoever has it can write any time into its purchases


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What a till proves itself with. Raises InvalidTime; ValueError where a revocation lacks half."""

    issued_at: Instant
    revoked_at: Instant | None = None
    reason: RevocationReason | None = None

    def __post_init__(self) -> None:
        require_instant(self.issued_at, "issued_at")
        if (self.revoked_at is None) is not (self.reason is None):
            raise ValueError("a revocation has a time and a reason")
        if self.revoked_at is not None:
            require_instant(self.revoked_at, "revoked_at")


def require_clock(*, till_clock: Instant, received_at: Instant, bounds: ArrivalBounds) -> None:
    """Let a batch through whose till's clock, when it sent, agreed with ours.

    A wrong clock is not corrected: nobody knows since when it was wrong. Raises TillClockWrong.
    """
    off = till_clock - received_at
    if abs(off) > bounds.clock_off_max_ms:
        raise TillClockWrong(off_ms=off, off_max_ms=bounds.clock_off_max_ms)


def require_arrival(
    purchase: Purchase,
    campaign: Campaign,
    credential: Credential,
    *,
    received_at: Instant,
    bounds: ArrivalBounds,
) -> None:
    """Let a purchase through that may be decided, though it is told after it was made. `decide` comes next.

    The credential: nothing that comes after a compromised one was revoked is taken, whatever time it names. What a
    retired one sold before is taken for a while. The campaign: what was sold while it ran was promised, and is taken
    for a while after its end; what was sold after the end is refused by `decide`.
    Raises PurchaseAhead, PurchaseTooOld, CredentialNotYetIssued, CredentialRevoked, CredentialCompromised,
    ArrivedAfterCampaign.
    """
    at = purchase.at
    if at - received_at > bounds.ahead_max_ms:
        raise PurchaseAhead(at=at, received_at=received_at, ahead_max_ms=bounds.ahead_max_ms)
    if received_at - at > bounds.age_max_ms:
        raise PurchaseTooOld(at=at, received_at=received_at, age_max_ms=bounds.age_max_ms)
    # The two clocks may differ by the tolerance that `require_clock` allows.
    if credential.issued_at - at > bounds.clock_off_max_ms:
        raise CredentialNotYetIssued(at=at, issued_at=credential.issued_at)
    revoked_at = credential.revoked_at
    if revoked_at is not None and received_at >= revoked_at:
        if credential.reason is RevocationReason.COMPROMISED:
            raise CredentialCompromised(at=at, revoked_at=revoked_at)
        if at >= revoked_at or received_at - revoked_at > bounds.late_after_revocation_ms:
            raise CredentialRevoked(at=at, revoked_at=revoked_at, received_at=received_at)
    if campaign.state is CampaignState.ENDED:
        ended_at = campaign.steps[-1].at
        if received_at - ended_at > bounds.late_after_end_ms:
            raise ArrivedAfterCampaign(ended_at=ended_at, received_at=received_at, late_max_ms=bounds.late_after_end_ms)
