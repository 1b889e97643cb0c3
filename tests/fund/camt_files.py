"""Writes camt files for tests, by string and by hand: it shares nothing with the reader, not even the library."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.sax.saxutils import escape

OURS = "FR7630006000011234567890189"
THEIRS = "BE68539007547034"


def euros(cents: int) -> str:
    digits = f"{abs(cents):03d}"
    return f"{digits[:-2]}.{digits[-2:]}"


def direction(cents: int) -> str:
    return "CRDT" if cents >= 0 else "DBIT"


@dataclass(kw_only=True)
class Detail:
    cents: int
    end_to_end_id: str = "NOTPROVIDED"
    bank_reference: str = ""
    name: str = "Société Été & Cie"
    iban: str = THEIRS
    reference: str = ""
    text: str = ""
    reason: str = ""
    amount: str | None = None  # as written, where it is not that of the cents


@dataclass(kw_only=True)
class Entry:
    cents: int
    details: list[Detail] = field(default_factory=list)
    day: str = "2026-11-24"
    bank_reference: str = ""
    state: str = "BOOK"
    is_reversal: bool = False
    amount: str | None = None
    currency: str = "EUR"
    count: int | None = None  # told by the batch
    group: str = ""  # the PmtInfId of a batch that is told as one sum


@dataclass(kw_only=True)
class File:
    message: str = "camt.053.001.08"
    opening: int = 0
    entries: list[Entry] = field(default_factory=list)
    closing: int | None = None
    id: str = "STMT-1"
    sequence: int | None = 1
    iban: str = OURS
    head: str = '<?xml version="1.0" encoding="UTF-8"?>'
    inside: str = ""
    opened_on: str = "2026-11-23"
    closed_on: str = "2026-11-24"

    def write(self) -> bytes:
        is_new = self.message.endswith(".08")
        booked = sum(entry.cents for entry in self.entries if entry.state == "BOOK")
        closing = self.opening + booked if self.closing is None else self.closing
        is_statement = self.message.startswith("camt.053")
        body, part = ("BkToCstmrStmt", "Stmt") if is_statement else ("BkToCstmrDbtCdtNtfctn", "Ntfctn")
        out = [self.head, f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{self.message}"><{body}>']
        out.append("<GrpHdr><MsgId>M-1</MsgId><CreDtTm>2026-11-24T20:00:00Z</CreDtTm></GrpHdr>")
        out.append(f"<{part}><Id>{self.id}</Id>")
        if self.sequence is not None:
            out.append(f"<ElctrncSeqNb>{self.sequence}</ElctrncSeqNb>")
        out.append("<CreDtTm>2026-11-24T20:00:00Z</CreDtTm>")
        out.append(f"<Acct><Id><IBAN>{self.iban}</IBAN></Id><Ccy>EUR</Ccy></Acct>")
        if is_statement:
            for code, cents, day in (("OPBD", self.opening, self.opened_on), ("CLBD", closing, self.closed_on)):
                out.append(
                    f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{euros(cents)}</Amt>'
                    f"<CdtDbtInd>{direction(cents)}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
                )
        for entry in self.entries:
            out.append(_write_entry(entry, is_new))
        out.append(f"{self.inside}</{part}></{body}></Document>")
        return "".join(out).encode()


def _write_entry(entry: Entry, is_new: bool) -> str:
    out = [f'<Ntry><Amt Ccy="{entry.currency}">{entry.amount or euros(entry.cents)}</Amt>']
    out.append(f"<CdtDbtInd>{direction(entry.cents)}</CdtDbtInd>")
    if entry.is_reversal:
        out.append("<RvslInd>true</RvslInd>")
    out.append(f"<Sts><Cd>{entry.state}</Cd></Sts>" if is_new else f"<Sts>{entry.state}</Sts>")
    out.append(f"<BookgDt><Dt>{entry.day}</Dt></BookgDt><ValDt><Dt>{entry.day}</Dt></ValDt>")
    if entry.bank_reference:
        out.append(f"<AcctSvcrRef>{entry.bank_reference}</AcctSvcrRef>")
    out.append("<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>")
    if entry.group and not entry.details:
        out.append(f"<NtryDtls><Btch><PmtInfId>{entry.group}</PmtInfId></Btch></NtryDtls>")
    if entry.details:
        out.append("<NtryDtls>")
        if len(entry.details) > 1 or entry.count is not None:
            count = len(entry.details) if entry.count is None else entry.count
            out.append(f"<Btch><MsgId>B-1</MsgId><NbOfTxs>{count}</NbOfTxs></Btch>")
        out += [_write_detail(detail, is_new) for detail in entry.details]
        out.append("</NtryDtls>")
    out.append("</Ntry>")
    return "".join(out)


def _write_detail(detail: Detail, is_new: bool) -> str:
    out = ["<TxDtls><Refs>"]
    if detail.bank_reference:
        out.append(f"<AcctSvcrRef>{detail.bank_reference}</AcctSvcrRef>")
    out.append(f"<EndToEndId>{detail.end_to_end_id}</EndToEndId></Refs>")
    amount = f'<Amt Ccy="EUR">{detail.amount or euros(detail.cents)}</Amt>'
    if is_new:
        out.append(f"{amount}<CdtDbtInd>{direction(detail.cents)}</CdtDbtInd>")
    else:
        out.append(f"<AmtDtls><TxAmt>{amount}</TxAmt></AmtDtls>")
    party = "Dbtr" if detail.cents >= 0 else "Cdtr"
    name = f"<Nm>{escape(detail.name)}</Nm>"
    out.append(f"<RltdPties><{party}>{f'<Pty>{name}</Pty>' if is_new else name}</{party}>")
    out.append(f"<{party}Acct><Id><IBAN>{detail.iban}</IBAN></Id></{party}Acct></RltdPties>")
    if detail.text or detail.reference:
        out.append("<RmtInf>")
        if detail.text:
            out.append(f"<Ustrd>{escape(detail.text)}</Ustrd>")
        if detail.reference:
            out.append(
                "<Strd><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp>"
                f"<Ref>{detail.reference}</Ref></CdtrRefInf></Strd>"
            )
        out.append("</RmtInf>")
    if detail.reason:
        out.append(f"<RtrInf><Rsn><Cd>{detail.reason}</Cd></Rsn></RtrInf>")
    out.append("</TxDtls>")
    return "".join(out)
