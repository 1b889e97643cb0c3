"""Citizens' monthly gifts by SEPA direct debit (core scheme): pain.008.001.08. Pure.

A citizen signs one mandate, and one debit a month carries all the gifts of the month. The first is FRST, then RCUR;
a single gift is OOFF. Notified beforehand, collected on a day on which banks settle.
Source: EPC SDD core rulebook 2025; DOMAIN.md 3.1.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sepaxml import SepaDD
from stdnum.eu import at_02
from stdnum.exceptions import ValidationError

from node.fund.bank_errors import InvalidCreditorId, PaymentOrderRefused
from node.fund.payment_order import OwnAccount, require_message_id, require_together, settle
from node.fund.references import NAME_MAX, TEXT_MAX, EndToEndId, Iban, require_sepa_iban, write_for_banks
from node.fund.target_days import TargetCalendar
from protocol.amounts import Cents, require_amount
from protocol.times import Instant

SCHEMA: Final = "pain.008.001.08"

_CREDITOR: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{3}[A-Z0-9]{1,28}")
_FRENCH_CREDITOR: Final = re.compile(r"FR[0-9]{2}[A-Z0-9]{3}[0-9A-F]{6}")
_MANDATE: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9\-.]{0,33}[A-Za-z0-9])?")


class DebitSequence(StrEnum):
    """Where a debit stands in the life of its mandate."""

    FIRST = "FRST"
    RECURRENT = "RCUR"
    ONE_OFF = "OOFF"


@dataclass(frozen=True, slots=True, kw_only=True)
class DebitRules:
    """What the scheme and the mandate's text say at a date: from the parameter file."""

    notice_days: int  # calendar days between notification and collection
    submission_days: int  # settlement days between the order and the collection
    mandate_months: int  # without a collection for so long, a mandate lapses


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """A mandate as signed; `last_collected_on` is None until money came. Raises PaymentOrderRefused."""

    umr: str
    signed_on: datetime.date
    holder_name: str
    iban: Iban
    is_one_off: bool = False
    last_collected_on: datetime.date | None = None

    def __post_init__(self) -> None:
        if not _MANDATE.fullmatch(self.umr):
            raise PaymentOrderRefused(reason="a mandate's UMR has 1 to 35 letters, digits, hyphens and dots")


@dataclass(frozen=True, slots=True, kw_only=True)
class Debit:
    """One debit of a mandate, with what each project gets of it: the shares add up to `cents` by construction."""

    mandate: Mandate
    end_to_end_id: EndToEndId
    shares: Mapping[str, Cents]
    text: str
    collected_on: datetime.date

    def __post_init__(self) -> None:
        for cents in self.shares.values():
            require_amount(cents)
        require_amount(self.cents)

    @property
    def cents(self) -> Cents:
        return Cents(sum(self.shares.values()))


def require_creditor_id(text: str) -> str:
    """Return a creditor identifier (ICS) without spaces; a French one has six digits or A to F at its end.

    Raises InvalidCreditorId.
    """
    compact = text.replace(" ", "").upper()
    shape = _FRENCH_CREDITOR if compact.startswith("FR") else _CREDITOR
    try:
        if not shape.fullmatch(compact):
            raise InvalidCreditorId(creditor=compact[:40], reason="its shape is wrong")
        at_02.validate(compact)
    except ValidationError:
        raise InvalidCreditorId(creditor=compact, reason="its check digits are wrong") from None
    if compact[2:4] != at_02.calc_check_digits(compact):
        raise InvalidCreditorId(creditor=compact, reason="its check digits are wrong")
    return compact


def compute_collection_day(
    *, notified_on: datetime.date, wished_on: datetime.date, rules: DebitRules, calendar: TargetCalendar
) -> datetime.date:
    """Return the first settlement day from the wished one that leaves the notice its days."""
    earliest = notified_on + datetime.timedelta(days=rules.notice_days)
    return calendar.on_or_after(max(wished_on, earliest))


def compute_submission_day(
    collected_on: datetime.date, *, rules: DebitRules, calendar: TargetCalendar
) -> datetime.date:
    """Return the last day on which the order may be given to the bank."""
    return calendar.before(collected_on, rules.submission_days)


def choose_sequence(mandate: Mandate, collected_on: datetime.date, rules: DebitRules) -> DebitSequence:
    """Return how the next debit of a mandate is called.

    Raises PaymentOrderRefused: signed later, a one-off used, a mandate lapsed, two debits in one month.
    """
    last = mandate.last_collected_on
    if collected_on < mandate.signed_on:
        raise PaymentOrderRefused(reason=f"mandate {mandate.umr} was signed after the collection")
    if mandate.is_one_off:
        if last is not None:
            raise PaymentOrderRefused(reason=f"mandate {mandate.umr} was for one debit, and it was collected")
        return DebitSequence.ONE_OFF
    if _months(collected_on) - _months(last or mandate.signed_on) >= rules.mandate_months and (
        collected_on.day >= (last or mandate.signed_on).day
        or _months(collected_on) - _months(last or mandate.signed_on) > rules.mandate_months
    ):
        raise PaymentOrderRefused(reason=f"mandate {mandate.umr} lapsed: a new one is needed")
    if last is None:
        return DebitSequence.FIRST
    if _months(collected_on) <= _months(last):
        raise PaymentOrderRefused(reason=f"mandate {mandate.umr} already has a debit in that month")
    return DebitSequence.RECURRENT


def write_direct_debits(
    debits: Sequence[Debit],
    *,
    message_id: str,
    made_at: Instant,
    creditor: OwnAccount,
    creditor_id: str,
    rules: DebitRules,
    calendar: TargetCalendar,
    sepa_countries: Collection[str],
) -> bytes:
    """Return the message, the same bytes for the same arguments: one group for each day and sequence.

    Raises PaymentOrderRefused, InvalidIban, InvalidEndToEndId, InvalidPaymentText, InvalidCreditorId.
    """
    require_message_id(message_id)
    require_together([debit.end_to_end_id for debit in debits], sum(debit.cents for debit in debits))
    if len({debit.mandate.umr for debit in debits}) != len(debits):
        raise PaymentOrderRefused(reason="a mandate is debited twice in one message")
    config = {
        "name": write_for_banks(creditor.name, field="name", length_max=NAME_MAX),
        "IBAN": creditor.iban,
        "BIC": creditor.bic,
        "batch": True,
        "creditor_id": require_creditor_id(creditor_id),
        "currency": "EUR",
        "instrument": "CORE",
    }
    message = SepaDD(config, schema=SCHEMA, clean=False)
    for debit in debits:
        if not calendar.is_open(debit.collected_on):
            raise PaymentOrderRefused(reason=f"banks do not settle on {debit.collected_on.isoformat()}")
        message.add_payment(
            {
                "name": write_for_banks(debit.mandate.holder_name, field="holder_name", length_max=NAME_MAX),
                "IBAN": require_sepa_iban(debit.mandate.iban, sepa_countries),
                "amount": debit.cents,
                "type": choose_sequence(debit.mandate, debit.collected_on, rules).value,
                "collection_date": debit.collected_on,
                "mandate_id": debit.mandate.umr,
                "mandate_date": debit.mandate.signed_on,
                "description": write_for_banks(debit.text, field="text", length_max=TEXT_MAX),
                "endtoend_id": debit.end_to_end_id,
            }
        )
    return settle(message.export(validate=False), message_id=message_id, made_at=made_at)


def _months(day: datetime.date) -> int:
    return day.year * 12 + day.month
