"""Reads pain.002: what the bank did with an order of ours, versions .03 and .10. Pure.

A status for the whole message or for a group of payments holds for each payment that has none of its own.
Source: ISO 20022 ExternalPaymentTransactionStatus; DOMAIN.md 3.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.fund.bank_xml import Place, open_message

KNOWN: Final = frozenset({"pain.002.001.03", "pain.002.001.10"})


class PaymentState(StrEnum):
    ACCEPTED = "accepted"  # checked, or on its way: the statement alone says that it was paid
    PENDING = "pending"
    PARTLY = "partly"  # of a whole only: its payments say the rest
    REJECTED = "rejected"


_STATES: Final[Mapping[str, PaymentState]] = {
    **dict.fromkeys(("ACTC", "ACCP", "ACSP", "ACSC", "ACWC", "ACCC", "ACFC"), PaymentState.ACCEPTED),
    **dict.fromkeys(("RCVD", "PDNG", "PATC"), PaymentState.PENDING),
    **dict.fromkeys(("PART",), PaymentState.PARTLY),
    **dict.fromkeys(("RJCT", "CANC"), PaymentState.REJECTED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A state with the bank's own code, and its reason (ISO code as AC04, and words) where it gave one."""

    state: PaymentState
    code: str
    reason: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """What the bank says of one message of ours: as a whole, by group of payments, by EndToEndId."""

    message_id: str  # ours
    whole: Verdict | None
    groups: Mapping[str, Verdict]
    payments: Mapping[str, Verdict]

    def find_verdict(self, *, end_to_end_id: str, group: str) -> Verdict | None:
        """Return what holds for one payment of the message; None where the report does not say."""
        for verdict in (self.payments.get(end_to_end_id), self.groups.get(group), self.whole):
            if verdict is not None and verdict.state is not PaymentState.PARTLY:
                return verdict
        return None


def read_status(data: bytes, *, bytes_max: int) -> StatusReport:
    """Return the report. Raises BankFileRefused (see bank_errors)."""
    _, document = open_message(data, known=KNOWN, bytes_max=bytes_max)
    body = document.need("CstmrPmtStsRpt")
    whole = body.need("OrgnlGrpInfAndSts")
    groups: dict[str, Verdict] = {}
    payments: dict[str, Verdict] = {}
    for group in body.each("OrgnlPmtInfAndSts"):
        verdict = _read_verdict(group, "PmtInfSts")
        if verdict is not None:
            groups[group.need_text("OrgnlPmtInfId")] = verdict
        for payment in group.each("TxInfAndSts"):
            verdict = _read_verdict(payment, "TxSts")
            if verdict is None:
                raise payment.wrong("TxSts", "missing")
            id_ = payment.need_text("OrgnlEndToEndId")
            if payments.get(id_, verdict) != verdict:
                raise payment.wrong("OrgnlEndToEndId", "told twice, with two states")
            payments[id_] = verdict
    return StatusReport(
        message_id=whole.need_text("OrgnlMsgId"),
        whole=_read_verdict(whole, "GrpSts"),
        groups=groups,
        payments=payments,
    )


def _read_verdict(place: Place, field: str) -> Verdict | None:
    code = place.text(field)
    if not code:
        return None
    state = _STATES.get(code)
    if state is None:
        raise place.wrong(field, "a status that is not known here")
    return Verdict(
        state=state,
        code=code,
        reason=place.text("StsRsnInf/Rsn/Cd", "StsRsnInf/Rsn/Prtry"),
        words=" ".join(line.own_text() for line in place.each("StsRsnInf/AddtlInf")),
    )
