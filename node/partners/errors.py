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
    └── CouponRewardsGift, CouponNotValid

Facts are whole numbers and text: amounts in cents, instants in milliseconds, days as yyyy-mm-dd.
"""

from __future__ import annotations

from protocol.errors import Malformed, Refusal


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
