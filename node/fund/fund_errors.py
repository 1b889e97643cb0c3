"""What the fund refuses to do, beside what files and receipts say for themselves, as one tree. Pure.

Refusal
├── FundUnknown                  not known here; `path` says what
├── DonorRefused                 a donor's sheet that no receipt could be made of
├── NothingWaits                 the movement waits for nobody: it is decided, or was never in the queue
├── DecisionRefused              what a person decided of a movement does not fit it
├── BearerNotEligible            no proof that the law lets the fund pay it, or one that has run out
├── OfficerRefused               no such officer, revoked, a signature that does not fit, or the same person twice
├── PaymentStepRefused           its state does not allow it
├── NothingToOrder               no payment has two signatures
├── NothingToReceipt             no euro of this donor and period waits for a receipt
├── DebitsNotFinal               a debit of the period may still be taken back: no receipt before `until`
├── AppealNotAuthorised          the prefect did not authorise an appeal to public generosity: no citizens' gifts
├── MandateRefused               a monthly gift that cannot be kept so
├── MandateStepRefused           the mandate's state does not allow it
├── NothingToCollect             no collection is ordered
├── RefundRefused                what came in cannot go back so
├── LotNotOurs                   rights on a lot that this fund has no euros or pledge for
├── LotSpent                     more was converted of a lot than its euros or its pledge
├── DuesChanged                  what a payment was to pay is not open as it was signed
├── YearClosed                   a fiscal year that cannot be closed now
├── PledgeRefused                a pledge that cannot be taken so
└── ReminderRefused              the expected payment is not one to be reminded of, or not yet
"""

from __future__ import annotations

from protocol.errors import Refusal


class FundUnknown(Refusal):
    """Facts: path."""

    code = "not_found"


class DonorRefused(Refusal):
    """Facts: field, reason."""

    code = "donor_refused"


class NothingWaits(Refusal):
    """Facts: movement."""

    code = "nothing_waits"


class DecisionRefused(Refusal):
    """Facts: reason."""

    code = "decision_refused"


class BearerNotEligible(Refusal):
    """Facts: bearer, reason."""

    code = "bearer_not_eligible"


class OfficerRefused(Refusal):
    """Facts: officer, reason."""

    code = "officer_refused"


class PaymentStepRefused(Refusal):
    """Facts: payment, state, event."""

    code = "payment_step_refused"


class NothingToOrder(Refusal):
    """Facts: day."""

    code = "nothing_to_order"


class NothingToReceipt(Refusal):
    """Facts: donor."""

    code = "nothing_to_receipt"


class DebitsNotFinal(Refusal):
    """Facts: donor, until."""

    code = "debits_not_final"


class AppealNotAuthorised(Refusal):
    code = "appeal_not_authorised"


class MandateRefused(Refusal):
    """Facts: reason."""

    code = "mandate_refused"


class MandateStepRefused(Refusal):
    """Facts: mandate, state, wished."""

    code = "mandate_step_refused"


class NothingToCollect(Refusal):
    """Facts: day."""

    code = "nothing_to_collect"


class RefundRefused(Refusal):
    """Facts: reason."""

    code = "refund_refused"


class ReminderRefused(Refusal):
    """Facts: payment, reason."""

    code = "reminder_refused"


class LotNotOurs(Refusal):
    """Facts: lot."""

    code = "lot_not_ours"


class LotSpent(Refusal):
    """Facts: lot, left, asked."""

    code = "lot_spent"


class DuesChanged(Refusal):
    """Facts: payment."""

    code = "dues_changed"


class PledgeRefused(Refusal):
    """Facts: reason."""

    code = "pledge_refused"


class YearClosed(Refusal):
    """Facts: day, reason."""

    code = "year_closed"


class NumbersNotStated(Refusal):
    """The base was put back from an old copy, and nobody has said which receipt and which order were the last."""

    code = "numbers_not_stated"


class NumbersRefused(Refusal):
    """Facts: reason."""

    code = "numbers_refused"


class CollectionLeft(Refusal):
    """Facts: month."""

    code = "collection_left"


class NettingRefused(Refusal):
    """Netting with another fund that cannot be. Facts: reason."""

    code = "netting_refused"
