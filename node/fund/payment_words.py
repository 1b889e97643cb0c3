"""What officers sign of a payment that is known, made again from its row. Pure."""

from __future__ import annotations

from typing import Any

from node.fund.outgoing_payments import (
    WORDS_VERSION,
    DueWords,
    NetWords,
    Payable,
    PaymentWords,
    RefundWords,
    read_dues,
)


def words_of(row: Any, fund: str) -> Payable:
    """Return what officers sign of the payment of a row. Raises NotCanonical where its dues were changed by hand."""
    if row.dues:
        paid = read_dues(bytes(row.dues))
        return DueWords(
            version=WORDS_VERSION,
            fund=fund,
            id=bytes(row.id),
            bearer=bytes(row.bearer),
            holder_name=row.holder_name,
            iban=row.iban,
            cents=row.cents,
            text=row.words,
            decision=row.decision,
            share=paid.share,
            dues=paid.dues,
        )
    if row.window_no is not None:
        return NetWords(
            version=WORDS_VERSION,
            fund=fund,
            id=bytes(row.id),
            bearer=bytes(row.bearer),
            holder_name=row.holder_name,
            iban=row.iban,
            cents=row.cents,
            text=row.words,
            decision=row.decision,
            window=row.window_no,
            paid_fund=row.paid_fund,
        )
    if row.refund_of is not None:
        return RefundWords(
            version=WORDS_VERSION,
            fund=fund,
            id=bytes(row.id),
            movement=row.refund_of,
            holder_name=row.holder_name,
            iban=row.iban,
            cents=row.cents,
            text=row.words,
            decision=row.decision,
        )
    return PaymentWords(
        version=WORDS_VERSION,
        fund=fund,
        id=bytes(row.id),
        bearer=bytes(row.bearer),
        holder_name=row.holder_name,
        iban=row.iban,
        cents=row.cents,
        text=row.words,
        decision=row.decision,
    )
