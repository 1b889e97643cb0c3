"""pain.002: what the bank did with an order."""

from __future__ import annotations

import pytest

from node.fund.bank_errors import BankFieldWrong, BankFileTooLarge, BankFileUnsafe, BankFileVersion
from node.fund.payment_status import PaymentState, StatusReport, read_status


def _write(
    *,
    message: str = "pain.002.001.10",
    whole: str = "",
    group: str = "",
    payments: tuple[tuple[str, str, str], ...] = (),
    head: str = "",
) -> bytes:
    out = [f'{head}<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{message}"><CstmrPmtStsRpt>']
    out.append("<GrpHdr><MsgId>R-1</MsgId><CreDtTm>2026-11-25T10:00:00Z</CreDtTm></GrpHdr>")
    out.append("<OrgnlGrpInfAndSts><OrgnlMsgId>FD-1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>")
    out.append(f"<GrpSts>{whole}</GrpSts></OrgnlGrpInfAndSts>" if whole else "</OrgnlGrpInfAndSts>")
    if group or payments:
        out.append("<OrgnlPmtInfAndSts><OrgnlPmtInfId>FD-1-001</OrgnlPmtInfId>")
        out.append(f"<PmtInfSts>{group}</PmtInfSts>" if group else "")
        for id_, state, reason in payments:
            out.append(f"<TxInfAndSts><OrgnlEndToEndId>{id_}</OrgnlEndToEndId><TxSts>{state}</TxSts>")
            if reason:
                out.append(f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn><AddtlInf>compte clos</AddtlInf></StsRsnInf>")
            out.append("</TxInfAndSts>")
        out.append("</OrgnlPmtInfAndSts>")
    out.append("</CstmrPmtStsRpt></Document>")
    return "".join(out).encode()


def _state(report: StatusReport, id_: str) -> PaymentState | None:
    verdict = report.find_verdict(end_to_end_id=id_, group="FD-1-001")
    return verdict.state if verdict else None


@pytest.mark.parametrize("message", ["pain.002.001.03", "pain.002.001.10"])
def test_a_rejected_payment_among_accepted_ones(message: str) -> None:
    data = _write(message=message, whole="PART", group="PART", payments=(("P1", "ACSP", ""), ("P2", "RJCT", "AC04")))
    report = read_status(data, bytes_max=10_000)
    assert report.message_id == "FD-1"
    assert _state(report, "P1") is PaymentState.ACCEPTED
    assert _state(report, "P2") is PaymentState.REJECTED
    assert (report.payments["P2"].reason, report.payments["P2"].words) == ("AC04", "compte clos")
    # PART says that some are rejected; of which ones, only their own states do.
    assert _state(report, "P3") is None


@pytest.mark.parametrize(
    ("whole", "group", "state"),
    [
        ("RJCT", "", PaymentState.REJECTED),
        ("ACTC", "", PaymentState.ACCEPTED),
        ("ACTC", "RJCT", PaymentState.REJECTED),
        ("", "PDNG", PaymentState.PENDING),
        ("", "", None),
    ],
)
def test_a_state_of_the_whole_holds_for_each(whole: str, group: str, state: PaymentState | None) -> None:
    assert _state(read_status(_write(whole=whole, group=group), bytes_max=10_000), "P1") is state


def test_what_cannot_be_relied_on_is_refused() -> None:
    with pytest.raises(BankFieldWrong):
        read_status(_write(whole="OKAY"), bytes_max=10_000)
    with pytest.raises(BankFieldWrong):
        read_status(_write(payments=(("P1", "ACSP", ""), ("P1", "RJCT", ""))), bytes_max=10_000)
    with pytest.raises(BankFieldWrong):
        read_status(_write(payments=(("", "ACSP", ""),)), bytes_max=10_000)
    with pytest.raises(BankFileTooLarge):
        read_status(_write(), bytes_max=10)
    with pytest.raises(BankFileVersion):
        read_status(_write(message="pain.002.001.07"), bytes_max=10_000)
    with pytest.raises(BankFileUnsafe):
        read_status(_write(head='<!DOCTYPE Document [<!ENTITY a "b">]>'), bytes_max=10_000)
