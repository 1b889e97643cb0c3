"""Reads camt.053 (statements) and camt.054 (notifications), versions .02 and .08. Pure.

`CdtDbtInd` is the effect on the account, also for a reversal. An entry with several transactions becomes as many
movements, and they add up to it. Balances: OPBD, else PRCD; and CLBD. Source: ISO 20022; DOMAIN.md 3.1.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from node.fund.bank_errors import BatchMismatch, CurrencyRefused, InvalidIban, InvalidReference
from node.fund.bank_xml import CURRENCY, Place, open_message
from node.fund.references import NOT_PROVIDED, Iban, Reference, require_iban, require_reference
from node.fund.statements import (
    Balance,
    BatchPlace,
    Movement,
    MovementState,
    Notification,
    Statement,
    compute_id,
    require_account,
    take_id,
)

KNOWN: Final = frozenset({"camt.053.001.02", "camt.053.001.08", "camt.054.001.02", "camt.054.001.08"})

_STATES: Final = {"BOOK": MovementState.BOOKED, "PDNG": MovementState.PENDING}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    place: Place
    iban: Iban
    id: str
    cents: int
    state: MovementState
    bank_reference: str


def read_camt(data: bytes, *, account: Iban, bytes_max: int) -> tuple[Statement | Notification, ...]:
    """Return what the file tells of `account`, in its order: statements, or notifications.

    Raises BankFileRefused (see bank_errors), StatementOfAnotherAccount, StatementUnbalanced; then nothing is taken.
    """
    message, document = open_message(data, known=KNOWN, bytes_max=bytes_max)
    if message.startswith("camt.053"):
        body = document.need("BkToCstmrStmt")
        body.need("Stmt")
        return tuple(_read_statement(place, account) for place in body.each("Stmt"))
    body = document.need("BkToCstmrDbtCdtNtfctn")
    body.need("Ntfctn")
    return tuple(_read_notification(place, account) for place in body.each("Ntfctn"))


def _read_statement(place: Place, account: Iban) -> Statement:
    iban = _read_account(place, account)
    movements = _read_movements(place, iban)
    return Statement(
        iban=iban,
        id=place.need_text("Id"),
        sequence=_read_sequence(place),
        opening=_read_balance(place, ("OPBD", "PRCD")),
        closing=_read_balance(place, ("CLBD",)),
        movements=movements,
    )


def _read_notification(place: Place, account: Iban) -> Notification:
    iban = _read_account(place, account)
    return Notification(iban=iban, id=place.need_text("Id"), movements=_read_movements(place, iban))


def _read_account(place: Place, account: Iban) -> Iban:
    try:
        iban = require_iban(place.need_text("Acct/Id/IBAN"))
    except InvalidIban:
        raise place.wrong("Acct/Id/IBAN", "not an IBAN") from None
    require_account(iban, account)
    currency = place.text("Acct/Ccy")
    if currency not in {"", CURRENCY}:
        raise CurrencyRefused(place=f"{place.way}/Acct/Ccy", currency=currency[:10])
    return iban


def _read_sequence(place: Place) -> int | None:
    legal = place.count("LglSeqNb")
    return place.count("ElctrncSeqNb") if legal is None else legal


def _read_balance(place: Place, codes: tuple[str, ...]) -> Balance:
    for code in codes:
        for balance in place.each("Bal"):
            if balance.text("Tp/CdOrPrtry/Cd") == code:
                day = balance.day("Dt")
                if day is None:
                    raise balance.wrong("Dt", "missing")
                return Balance(cents=balance.sign() * balance.cents("Amt"), day=day)
    raise place.wrong(f"Bal/{codes[0]}", "missing")


def _read_movements(place: Place, iban: Iban) -> tuple[Movement, ...]:
    movements: list[Movement] = []
    twins: Counter[str] = Counter()
    count = 0
    for entry in place.each("Ntry"):
        movements += _read_entry(entry, iban, twins)
        count += 1
    _require_summary(place, count)
    return tuple(movements)


def _require_summary(place: Place, count: int) -> None:
    told = place.count("TxsSummry/TtlNtries/NbOfNtries")
    if told is not None and told != count:
        raise BatchMismatch(place=f"{place.way}/TxsSummry/TtlNtries", told=told, summed=count, difference=told - count)


def _read_entry(place: Place, iban: Iban, twins: Counter[str]) -> list[Movement]:
    cents = place.sign() * place.cents("Amt")
    state = _STATES.get(place.need_text("Sts/Cd", "Sts"))
    if state is None:
        raise place.wrong("Sts", "neither BOOK nor PDNG")
    if state is MovementState.BOOKED and place.day("BookgDt") is None:
        raise place.wrong("BookgDt", "missing")
    details = [detail for group in place.each("NtryDtls") for detail in group.each("TxDtls")]
    bank_reference = place.text("AcctSvcrRef")
    if not bank_reference and len(details) == 1:
        bank_reference = details[0].text("Refs/AcctSvcrRef")
    is_reversal = place.flag("RvslInd")
    if bank_reference:
        id_ = take_id(twins, iban, cents, is_reversal, bank_reference)
    else:
        booked_on = place.day("BookgDt")
        day = booked_on.isoformat() if booked_on else ""
        id_ = take_id(twins, iban, cents, is_reversal, day, *_batch_ids(place), _fingerprint(details, cents))
    entry = _Entry(
        place=place,
        iban=iban,
        id=id_,
        cents=cents,
        state=state,
        bank_reference=bank_reference,
    )
    _require_batch_count(place, len(details))
    if len(details) < 2:
        return [_read_transaction(entry, details[0] if details else place, cents, None, twins)]
    amounts = [_read_detail_cents(detail, entry) for detail in details]
    if sum(amounts) != cents:
        raise BatchMismatch(place=place.way, told=cents, summed=sum(amounts), difference=cents - sum(amounts))
    message_id, payment_id = _batch_ids(place)
    return [
        _read_transaction(
            entry,
            detail,
            amount,
            BatchPlace(place=number, count=len(details), message_id=message_id, payment_id=payment_id),
            twins,
        )
        for number, (detail, amount) in enumerate(zip(details, amounts, strict=True), start=1)
    ]


def _batch_ids(place: Place) -> tuple[str, str]:
    return place.text("NtryDtls/Btch/MsgId"), place.text("NtryDtls/Btch/PmtInfId")


def _fingerprint(details: list[Place], cents: int) -> str:
    """What tells an entry without the bank's reference from another of its day: what its transactions say."""
    said = [
        (detail.text("Refs/EndToEndId"), _read_text(detail), *_read_counterpart_of(detail, is_credit=cents > 0))
        for detail in details
    ]
    return compute_id("said", said)


def _require_batch_count(place: Place, count: int) -> None:
    for group in place.each("NtryDtls"):
        batch = group.find("Btch")
        if batch is None or not count:
            continue
        told = batch.count("NbOfTxs")
        here = sum(1 for _ in group.each("TxDtls"))
        if told is not None and told != here:
            raise BatchMismatch(place=batch.way, told=told, summed=here, difference=told - here)


def _read_detail_cents(detail: Place, entry: _Entry) -> int:
    # Version .08 has an amount and a sign of its own; .02 the amount deeper, and the entry's sign.
    sign = detail.sign() if detail.find("CdtDbtInd") else (1 if entry.cents > 0 else -1)
    path = "Amt" if detail.find("Amt") else "AmtDtls/TxAmt/Amt"
    return sign * detail.cents(path)


def _read_transaction(
    entry: _Entry, detail: Place, cents: int, batch: BatchPlace | None, twins: Counter[str]
) -> Movement:
    if batch is None and detail is not entry.place and (detail.find("Amt") or detail.find("AmtDtls/TxAmt/Amt")):
        told = _read_detail_cents(detail, entry)
        if told != cents:
            raise BatchMismatch(place=detail.way, told=cents, summed=told, difference=cents - told)
    is_reversal = entry.place.flag("RvslInd")
    own_reference = detail.text("Refs/AcctSvcrRef") if detail is not entry.place else ""
    end_to_end_id = detail.text("Refs/EndToEndId")
    if end_to_end_id.upper() == NOT_PROVIDED:
        end_to_end_id = ""
    if detail is entry.place and not end_to_end_id:
        end_to_end_id = _batch_ids(entry.place)[1]  # a whole batch told as one sum goes by the name of its group
    name, counterpart_iban = _read_counterpart(detail, entry)
    text = _read_text(detail) or entry.place.text("AddtlNtryInf")
    # A transaction alone in its entry is named by the entry: the same whether its details are told or not.
    if batch is not None and own_reference and own_reference != entry.bank_reference:
        id_ = take_id(twins, entry.iban, cents, is_reversal, own_reference)
    elif batch is not None:
        id_ = compute_id("place", entry.id, batch.place, cents)
    else:
        id_ = entry.id
    return Movement(
        id=id_,
        entry=entry.id,
        cents=cents,
        state=entry.state,
        booked_on=entry.place.day("BookgDt"),
        valued_on=entry.place.day("ValDt"),
        bank_reference=own_reference or entry.bank_reference,
        end_to_end_id=end_to_end_id,
        reference=_read_reference(detail),
        counterpart_name=name,
        counterpart_iban=counterpart_iban,
        text=text,
        is_reversal=is_reversal,
        return_reason=detail.text("RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry"),
        batch=batch,
    )


def _read_reference(detail: Place) -> Reference | None:
    for structured in detail.each("RmtInf/Strd"):
        try:
            return require_reference(structured.text("CdtrRefInf/Ref"))
        except InvalidReference:
            continue  # a structured reference of another kind, or mistyped: the text keeps it for a person
    return None


def _read_text(detail: Place) -> str:
    lines = [line.own_text() for line in detail.each("RmtInf/Ustrd")]
    lines += [line.text("CdtrRefInf/Ref") for line in detail.each("RmtInf/Strd")]
    return "\n".join(line for line in lines if line)


def _read_counterpart(detail: Place, entry: _Entry) -> tuple[str, str]:
    if detail is entry.place:
        return "", ""
    name, iban = _read_counterpart_of(detail, is_credit=entry.cents > 0)
    if iban == entry.iban:  # a returned payment shows the parties of the first one
        name, iban = _read_counterpart_of(detail, is_credit=entry.cents <= 0)
    return name, iban


def _read_counterpart_of(detail: Place, *, is_credit: bool) -> tuple[str, str]:
    party = "Dbtr" if is_credit else "Cdtr"
    name = detail.text(f"RltdPties/{party}/Pty/Nm", f"RltdPties/{party}/Nm")
    iban = detail.text(f"RltdPties/{party}Acct/Id/IBAN")
    return name, iban.replace(" ", "").upper()
