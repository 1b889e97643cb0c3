"""Payments to bearers as one message a day: pain.001.001.09. Pure.

One group, one execution day, one total. Names are the account holder's, in the letters of all banks and never cut: the
payee check compares them. No postal address: within SEPA none is needed, and a free one is rejected.
Source: EPC SCT rulebook 2025; DOMAIN.md 3.1.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sepaxml import SepaTransfer

from node.fund.bank_errors import PaymentOrderRefused
from node.fund.payment_order import OwnAccount, require_message_id, require_together, settle
from node.fund.references import NAME_MAX, TEXT_MAX, EndToEndId, Iban, require_sepa_iban, write_for_banks
from protocol.amounts import Cents, require_amount
from protocol.times import Instant

SCHEMA: Final = "pain.001.001.09"
CENTS_MAX_EACH: Final = 99_999_999_999  # 999 999 999,99: the scheme's own ceiling


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One payment: `holder_name` as the account's bank has it, `text` what the bearer reads."""

    end_to_end_id: EndToEndId
    holder_name: str
    iban: Iban
    cents: Cents
    text: str

    def __post_init__(self) -> None:
        if require_amount(self.cents) > CENTS_MAX_EACH:
            raise PaymentOrderRefused(reason=f"{self.end_to_end_id} is more than {CENTS_MAX_EACH} cents")


def write_transfers(
    transfers: Sequence[Transfer],
    *,
    message_id: str,
    made_at: Instant,
    execution_day: datetime.date,
    debtor: OwnAccount,
    sepa_countries: Collection[str],
) -> bytes:
    """Return the message, the same bytes for the same arguments; payments in the order given.

    Raises PaymentOrderRefused, InvalidIban, InvalidEndToEndId, InvalidPaymentText; then there is no message.
    """
    require_message_id(message_id)
    require_together([transfer.end_to_end_id for transfer in transfers], sum(t.cents for t in transfers))
    config = {
        "name": write_for_banks(debtor.name, field="name", length_max=NAME_MAX),
        "IBAN": debtor.iban,
        "BIC": debtor.bic,
        "batch": True,
        "currency": "EUR",
    }
    message = SepaTransfer(config, schema=SCHEMA, clean=False)
    for transfer in transfers:
        if transfer.iban == debtor.iban:
            raise PaymentOrderRefused(reason=f"{transfer.end_to_end_id} goes to the fund's own account")
        message.add_payment(
            {
                "name": write_for_banks(transfer.holder_name, field="holder_name", length_max=NAME_MAX),
                "IBAN": require_sepa_iban(transfer.iban, sepa_countries),
                "amount": transfer.cents,
                "execution_date": execution_day,
                "description": write_for_banks(transfer.text, field="text", length_max=TEXT_MAX),
                "endtoend_id": transfer.end_to_end_id,
            }
        )
    return settle(message.export(validate=False), message_id=message_id, made_at=made_at)
