"""What the companies' room refuses, as one tree. Pure.

Malformed
├── InvalidSiren, InvalidCompany, InvalidCampaign, InvalidPurchase, InvalidTill
├── InvalidFiscalYear, InvalidCounterpart, InvalidCoupon
└── InvalidTicket                what was typed or read is no ticket: length, symbol, check symbol
Refusal
└── PartnersRefusal
    ├── OwnGroup                 a company would fund itself or its group
    ├── CampaignStepRefused, CouponStepRefused
    ├── GrantRefused             this purchase gives no miles
    │   ├── CampaignNotRunning   draft, paused or ended at that moment
    │   ├── CampaignNotOpen      outside its dates
    │   ├── SaleBelowThreshold
    │   ├── NothingToGrant       less than a cent
    │   ├── DayCeilingReached    this holder had all that a day allows
    │   └── BudgetTooSmall       the campaign has not that much left
    ├── RefundTooLarge           more than what was bought and not yet refunded
    ├── ArrivalRefused           a purchase told later, that cannot be believed or comes too late
    │   ├── TillClockWrong, PurchaseAhead, PurchaseTooOld
    │   ├── CredentialNotYetIssued, CredentialRevoked, CredentialCompromised
    │   └── ArrivedAfterCampaign
    ├── TicketForged, TicketExpired
    ├── OperationsFileRefused    the file itself: no row of it was read
    ├── OperationRowRefused      one row of it
    │   ├── RowUnreadable, OperationFieldWrong
    │   └── OperationDuplicate   its id stands in an earlier row
    ├── CounterpartTooLarge      the company would receive more than the law lets a donor receive
    ├── CouponRewardsGift, CouponNotValid
    ├── CompanyUnknown, CampaignUnknown, TillUnknown, SaleUnknown, RunUnknown, CouponUnknown
    ├── CompanyNotComplete       what receipts ask of a donor does not fit the fund's messages
    ├── CampaignOpening          a pool was asked for it: its terms stand
    ├── TillNumberTaken          another till of the company has this number
    ├── TillNotKnown             no credential, or none that is known
    ├── TillNotAllowed           the credential is a till's where an office's is needed, or the other way round
    ├── TicketUnknown            genuine, and the shop has not told of its purchase yet
    ├── TicketClaimed, TicketVoid
    ├── OperationKnown           its id was booked from an earlier file
    └── RunMismatch              the file is not the one that was begun

Facts are whole numbers and text: amounts in cents, instants in milliseconds, days as yyyy-mm-dd.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from protocol.errors import Fact, Malformed, Refusal


class InvalidSiren(Malformed):
    """Facts: siren, reason."""

    code = "invalid_siren"


class InvalidCompany(Malformed):
    """Facts: field, reason."""

    code = "invalid_company"


class InvalidCampaign(Malformed):
    """Facts: field, reason."""

    code = "invalid_campaign"


class InvalidPurchase(Malformed):
    """Facts: field, reason."""

    code = "invalid_purchase"


class InvalidTill(Malformed):
    """Facts: till, reason."""

    code = "invalid_till"


class InvalidFiscalYear(Malformed):
    """Facts: field, reason."""

    code = "invalid_fiscal_year"


class InvalidCounterpart(Malformed):
    """Facts: field, reason."""

    code = "invalid_counterpart"


class InvalidCoupon(Malformed):
    """Facts: field, reason."""

    code = "invalid_coupon"


class InvalidTicket(Malformed):
    """Facts: reason."""

    code = "invalid_ticket"


class PartnersRefusal(Refusal):
    """Refused by a rule of the companies' room."""

    code = "partners_refused"


class OwnGroup(PartnersRefusal):
    """Facts: company, other (the SIREN that is the company itself or one of its group)."""

    code = "own_group"


class CampaignStepRefused(PartnersRefusal):
    """Facts: state, event."""

    code = "campaign_step_refused"


class CouponStepRefused(PartnersRefusal):
    """Facts: state, event."""

    code = "coupon_step_refused"


class GrantRefused(PartnersRefusal):
    """This purchase gives no miles; nothing was spent."""

    code = "grant_refused"


class CampaignNotRunning(GrantRefused):
    """Facts: state (the campaign's at the moment of the purchase), at."""

    code = "campaign_not_running"


class CampaignNotOpen(GrantRefused):
    """Facts: day, opens_on, closes_on."""

    code = "campaign_not_open"


class SaleBelowThreshold(GrantRefused):
    """Facts: sale, threshold."""

    code = "sale_below_threshold"


class NothingToGrant(GrantRefused):
    """Facts: sale."""

    code = "nothing_to_grant"


class DayCeilingReached(GrantRefused):
    """Facts: ceiling, spent."""

    code = "day_ceiling_reached"


class BudgetTooSmall(GrantRefused):
    """Facts: available, asked, missing."""

    code = "budget_too_small"


class RefundTooLarge(PartnersRefusal):
    """Facts: left, asked."""

    code = "refund_too_large"


class ArrivalRefused(PartnersRefusal):
    """A purchase told after it was made, that is not taken."""

    code = "arrival_refused"


class TillClockWrong(ArrivalRefused):
    """Facts: off_ms (the till's clock less ours), off_max_ms."""

    code = "till_clock_wrong"


class PurchaseAhead(ArrivalRefused):
    """Facts: at, received_at, ahead_max_ms."""

    code = "purchase_ahead"


class PurchaseTooOld(ArrivalRefused):
    """Facts: at, received_at, age_max_ms."""

    code = "purchase_too_old"


class CredentialNotYetIssued(ArrivalRefused):
    """Facts: at, issued_at."""

    code = "credential_not_yet_issued"


class CredentialRevoked(ArrivalRefused):
    """Facts: at, revoked_at, received_at."""

    code = "credential_revoked"


class CredentialCompromised(ArrivalRefused):
    """Facts: at, revoked_at."""

    code = "credential_compromised"


class ArrivedAfterCampaign(ArrivalRefused):
    """Facts: ended_at, received_at, late_max_ms."""

    code = "arrived_after_campaign"


class TicketForged(PartnersRefusal):
    """Well written, and not made by the till it names. Facts: reason."""

    code = "ticket_forged"


class TicketExpired(PartnersRefusal):
    """Facts: expires_on, day."""

    code = "ticket_expired"


class OperationsFileRefused(PartnersRefusal):
    """Facts: reason."""

    code = "operations_file_refused"


class OperationRowRefused(PartnersRefusal):
    """One row is not taken; the others are judged by themselves."""

    code = "operation_row_refused"


class RowUnreadable(OperationRowRefused):
    """Facts: reason."""

    code = "row_unreadable"


class OperationFieldWrong(OperationRowRefused):
    """Facts: column, value, reason."""

    code = "operation_field_wrong"


class OperationDuplicate(OperationRowRefused):
    """Facts: id, row (the earlier one)."""

    code = "operation_duplicate"


class CounterpartTooLarge(PartnersRefusal):
    """Facts: value (all counterparts together), allowed, over."""

    code = "counterpart_too_large"


class CouponRewardsGift(PartnersRefusal):
    """No facts."""

    code = "coupon_rewards_gift"


class CouponNotValid(PartnersRefusal):
    """Facts: day, valid_from, valid_to."""

    code = "coupon_not_valid"


class CompanyUnknown(PartnersRefusal):
    """Facts: siren."""

    code = "company_unknown"


class CampaignUnknown(PartnersRefusal):
    """Facts: campaign."""

    code = "campaign_unknown"


class TillUnknown(PartnersRefusal):
    """Facts: till."""

    code = "till_unknown"


class SaleUnknown(PartnersRefusal):
    """Facts: id."""

    code = "sale_unknown"


class RunUnknown(PartnersRefusal):
    """Facts: id."""

    code = "run_unknown"


class CouponUnknown(PartnersRefusal):
    """Facts: id."""

    code = "coupon_unknown"


class CompanyNotComplete(PartnersRefusal):
    """Facts: field, reason."""

    code = "company_not_complete"


class CampaignOpening(PartnersRefusal):
    """Facts: campaign."""

    code = "campaign_opening"


class TillNumberTaken(PartnersRefusal):
    """Facts: till."""

    code = "till_number_taken"


class TicketUnknown(PartnersRefusal):
    """No facts."""

    code = "ticket_unknown"


class TicketClaimed(PartnersRefusal):
    """Facts: claimed_on."""

    code = "ticket_claimed"


class TicketVoid(PartnersRefusal):
    """Facts: reason."""

    code = "ticket_void"


class TicketNotClaimable(PartnersRefusal):
    """What strangers are told of a ticket that is forged, unknown, void or over: not which. No facts."""

    code = "ticket_not_claimable"


class TooManyGuesses(PartnersRefusal):
    """Facts: retry_after_seconds."""

    code = "too_many_guesses"


class OperationKnown(OperationRowRefused):
    """Facts: id."""

    code = "operation_known"


class RunMismatch(PartnersRefusal):
    """Facts: reason."""

    code = "run_mismatch"


class TillNotKnown(PartnersRefusal):
    """No facts."""

    code = "till_not_known"


class TillNotAllowed(PartnersRefusal):
    """Facts: needs."""

    code = "till_not_allowed"


def remake(code: str, facts: Mapping[str, Fact]) -> Refusal:
    """Return a refusal that was kept, as it was. One of another room, or of a later version, keeps its code and facts."""
    kind = _KINDS.get(code)
    if kind is None:
        return ForeignRefusal(code, facts)
    made = kind.__new__(kind)
    Refusal.__init__(made, **facts)
    return made


class ForeignRefusal(PartnersRefusal):
    """What another base refused, by the code that it told."""

    code = "partners_refused"

    def __init__(self, code: str, facts: Mapping[str, Fact]) -> None:
        super().__init__(**facts)
        self.code = code  # type: ignore[misc]


def _collect(kind: type[Refusal]) -> dict[str, type[Refusal]]:
    found = {kind.code: kind}
    for below in kind.__subclasses__():
        found |= _collect(below)
    return found


_KINDS: Final = {**_collect(PartnersRefusal)}
