"""Orders to the bank: held to the official schema, and read back by a reader that shares nothing with the writer."""

from __future__ import annotations

import datetime
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.fund.bank_errors import (
    InvalidCreditorId,
    InvalidEndToEndId,
    InvalidIban,
    InvalidPaymentText,
    PaymentOrderRefused,
)
from node.fund.bank_parameters_store import load_bank_parameters
from node.fund.direct_debits import (
    Debit,
    DebitSequence,
    Mandate,
    choose_sequence,
    compute_collection_day,
    compute_submission_day,
    require_creditor_id,
    write_direct_debits,
)
from node.fund.payment_order import OwnAccount
from node.fund.payment_schema_store import require_schema
from node.fund.references import Bic, EndToEndId, Iban
from node.fund.target_days import compute_easter
from node.fund.transfers import Transfer, write_transfers
from protocol.amounts import Cents
from protocol.times import Instant

DAY = datetime.date(2026, 11, 25)
MADE_AT = Instant(1_795_600_000_123)
FUND = OwnAccount(name="Fonds de dotation de l’Été", iban=Iban("FR7630006000011234567890189"), bic=Bic("AGRIFRPP"))
BEARER = Iban("BE68539007547034")
PARAMETERS = load_bank_parameters(DAY)
ICS = "FR72ZZZ123456"
amounts = st.integers(1, 99_999_999_999)
names = st.text("abcdefgh ÉéèçœÀß&€'-()", min_size=1, max_size=30).filter(lambda text: bool(text.strip()))


def _transfer(cents: int = 100, id_: str = "PAY-1", name: str = "Association", iban: str = BEARER) -> Transfer:
    return Transfer(
        end_to_end_id=EndToEndId(id_), holder_name=name, iban=Iban(iban), cents=Cents(cents), text="Projet d'été"
    )


def _transfers(transfers: Sequence[Transfer], message_id: str = "FD-20261125") -> bytes:
    return write_transfers(
        transfers,
        message_id=message_id,
        made_at=MADE_AT,
        execution_day=DAY,
        debtor=FUND,
        sepa_countries=PARAMETERS.sepa_countries,
    )


def _mandate(umr: str = "UMR-1", **said: object) -> Mandate:
    return Mandate(
        umr=umr,
        signed_on=datetime.date(2026, 10, 1),
        holder_name="Zoé Müller",
        iban=BEARER,
        **said,  # type: ignore[arg-type]
    )


def _debit(
    shares: dict[str, int], mandate: Mandate | None = None, id_: str = "DD-1", day: datetime.date = DAY
) -> Debit:
    return Debit(
        mandate=mandate or _mandate(),
        end_to_end_id=EndToEndId(id_),
        shares={project: Cents(cents) for project, cents in shares.items()},
        text="Dons de novembre",
        collected_on=day,
    )


def _debits(debits: Sequence[Debit]) -> bytes:
    return write_direct_debits(
        debits,
        message_id="DD-202611",
        made_at=MADE_AT,
        creditor=FUND,
        creditor_id=ICS,
        rules=PARAMETERS.debit_rules,
        calendar=PARAMETERS.calendar,
        sepa_countries=PARAMETERS.sepa_countries,
    )


def _texts(message: bytes, name: str) -> list[str]:
    """The small reader: by local name alone, with the standard library."""
    return [e.text or "" for e in ElementTree.fromstring(message).iter() if e.tag.rpartition("}")[2] == name]  # noqa: S314


def _read_cents(text: str) -> int:
    assert re.fullmatch(r"[0-9]+\.[0-9]{2}", text)
    return int(text.replace(".", ""))


# ---------------------------------------------------------------- transfers


@given(st.lists(st.tuples(amounts, names), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_a_message_says_each_payment_and_their_sums(payments: list[tuple[int, str]]) -> None:
    message = _transfers([_transfer(c, f"PAY-{n}", name) for n, (c, name) in enumerate(payments)])
    require_schema(message, "pain.001.001.09")
    total = sum(cents for cents, _ in payments)
    assert [_read_cents(text) for text in _texts(message, "InstdAmt")] == [cents for cents, _ in payments]
    assert [_read_cents(text) for text in _texts(message, "CtrlSum")] == [total, total]
    assert _texts(message, "NbOfTxs") == [str(len(payments))] * 2
    assert _texts(message, "EndToEndId") == [f"PAY-{n}" for n in range(len(payments))]
    assert _texts(message, "IBAN") == [FUND.iban, *[BEARER] * len(payments)]
    for written in _texts(message, "Nm"):
        assert re.fullmatch(r"[A-Za-z0-9/\-?:().,'+ ]{1,70}", written)


def test_one_message_field_by_field() -> None:
    message = _transfers([_transfer(120005, name="Cœur & Âme €")])
    assert message.startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n<Document")
    assert b"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09" in message
    assert _texts(message, "MsgId") == ["FD-20261125"]
    assert _texts(message, "CreDtTm") == ["2026-11-25T09:46:40Z"]
    assert _texts(message, "PmtInfId") == ["FD-20261125-001"]
    assert _texts(message, "PmtMtd") == ["TRF"]
    assert _texts(message, "Dt") == ["2026-11-25"]
    assert _texts(message, "BICFI") == ["AGRIFRPP"]
    assert _texts(message, "ChrgBr") == ["SLEV"]
    assert _texts(message, "Nm") == ["Fonds de dotation de l'Ete"] * 2 + ["Coeur + Ame EUR"]
    assert _texts(message, "InstdAmt") == ["1200.05"]
    assert _texts(message, "Ustrd") == ["Projet d'ete"]
    assert _texts(message, "PstlAdr") == []


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert _transfers([_transfer()]) == _transfers([_transfer()])
    assert _debits([_debit({"a": 1})]) == _debits([_debit({"a": 1})])


def test_the_schema_refuses_what_is_not_of_it() -> None:
    bent = _transfers([_transfer()]).replace(b"<PmtMtd>TRF", b"<PmtMtd>XXX")
    with pytest.raises(ValueError):
        require_schema(bent, "pain.001.001.09")


def test_payments_that_cannot_be_ordered_are_refused() -> None:
    with pytest.raises(PaymentOrderRefused):
        _transfers([])
    with pytest.raises(PaymentOrderRefused):
        _transfers([_transfer(), _transfer()])
    with pytest.raises(PaymentOrderRefused):
        _transfers([_transfer(iban=FUND.iban)])
    with pytest.raises(PaymentOrderRefused):
        _transfers([_transfer()], message_id="é")
    with pytest.raises(PaymentOrderRefused):
        _transfer(100_000_000_000)
    with pytest.raises(InvalidIban):
        _transfers([_transfer(iban="TR330006100519786457841326")])
    with pytest.raises(InvalidIban):
        _transfers([_transfer(iban="BE68539007547035")])
    with pytest.raises(InvalidEndToEndId):
        _transfers([_transfer(id_="NOTPROVIDED")])
    with pytest.raises(InvalidPaymentText):
        _transfers([_transfer(name="A" * 71)])


# ---------------------------------------------------------------- direct debits


@given(st.lists(st.dictionaries(st.text("abc", min_size=1), st.integers(1, 10**6), min_size=1), min_size=1, max_size=4))
@settings(max_examples=30, deadline=None)
def test_a_debit_carries_all_the_gifts_of_its_month(gifts: list[dict[str, int]]) -> None:
    debits = [_debit(shares, _mandate(f"UMR-{n}"), f"DD-{n}") for n, shares in enumerate(gifts)]
    message = _debits(debits)
    require_schema(message, "pain.008.001.08")
    told = [sum(shares.values()) for shares in gifts]
    assert [_read_cents(text) for text in _texts(message, "InstdAmt")] == told
    assert [_read_cents(text) for text in _texts(message, "CtrlSum")] == [sum(told)] * 2
    assert _texts(message, "MndtId") == [f"UMR-{n}" for n in range(len(gifts))]


def test_one_group_for_each_day_and_sequence() -> None:
    later = datetime.date(2026, 11, 26)
    debits = [
        _debit({"a": 1}, _mandate("U1"), "D1"),
        _debit({"a": 2}, _mandate("U2", last_collected_on=datetime.date(2026, 10, 26)), "D2"),
        _debit({"a": 3}, _mandate("U3", is_one_off=True), "D3"),
        _debit({"a": 4}, _mandate("U4"), "D4", later),
    ]
    message = _debits(debits)
    require_schema(message, "pain.008.001.08")
    assert sorted(_texts(message, "SeqTp")) == ["FRST", "FRST", "OOFF", "RCUR"]
    assert _texts(message, "PmtInfId") == [f"DD-202611-{n:03d}" for n in range(1, 5)]
    assert sorted(_texts(message, "ReqdColltnDt")) == ["2026-11-25"] * 3 + ["2026-11-26"]
    assert set(_texts(message, "DtOfSgntr")) == {"2026-10-01"}
    assert ICS in _texts(message, "Id")
    assert _texts(message, "CtrlSum")[0] == "0.10"


def test_debits_that_cannot_be_ordered_are_refused() -> None:
    with pytest.raises(PaymentOrderRefused):
        _debits([_debit({"a": 1}), _debit({"b": 1}, id_="DD-2")])
    with pytest.raises(PaymentOrderRefused):
        _debits([_debit({"a": 1}, day=datetime.date(2026, 11, 28))])  # a Saturday
    with pytest.raises(PaymentOrderRefused):
        _debits([])
    with pytest.raises(PaymentOrderRefused):
        _mandate("é")


@pytest.mark.parametrize(
    ("mandate", "day", "sequence"),
    [
        (_mandate(), DAY, DebitSequence.FIRST),
        (_mandate(last_collected_on=datetime.date(2026, 10, 31)), DAY, DebitSequence.RECURRENT),
        (_mandate(last_collected_on=datetime.date(2026, 11, 2)), DAY, None),
        (_mandate(is_one_off=True), DAY, DebitSequence.ONE_OFF),
        (_mandate(is_one_off=True, last_collected_on=DAY), datetime.date(2027, 1, 4), None),
        (_mandate(), datetime.date(2026, 9, 30), None),
        (_mandate(), datetime.date(2029, 9, 28), DebitSequence.FIRST),
        (_mandate(), datetime.date(2029, 10, 1), None),
        (_mandate(last_collected_on=DAY), datetime.date(2029, 11, 23), DebitSequence.RECURRENT),
        (_mandate(last_collected_on=DAY), datetime.date(2029, 12, 3), None),
    ],
)
def test_the_place_of_a_debit_in_its_mandate(
    mandate: Mandate, day: datetime.date, sequence: DebitSequence | None
) -> None:
    if sequence is None:
        with pytest.raises(PaymentOrderRefused):
            choose_sequence(mandate, day, PARAMETERS.debit_rules)
    else:
        assert choose_sequence(mandate, day, PARAMETERS.debit_rules) is sequence


@pytest.mark.parametrize("ics", [ICS, "fr72 zzz 123456", "ES23ZZZ47690558N", "DE98ZZZ09999999999"])
def test_a_creditor_identifier_is_taken(ics: str) -> None:
    assert require_creditor_id(ics) == ics.replace(" ", "").upper()


@pytest.mark.parametrize(
    "ics", ["", "FR73ZZZ123456", "FR72ZZZ12345", "FR72ZZZ12345G", "72FRZZZ123456", "ES23ZZZ4769055é"]
)
def test_a_wrong_creditor_identifier_is_refused(ics: str) -> None:
    with pytest.raises(InvalidCreditorId):
        require_creditor_id(ics)


def test_check_digits_97_apart_are_refused() -> None:
    # Of DE..ZZZ plus a number, one whose digits are 02: 99 leaves the same remainder, and nobody computes it.
    number = next(n for n in range(10**6) if int(f"{n:011d}131400") % 97 == 96)
    assert require_creditor_id(f"DE02ZZZ{number:011d}")
    with pytest.raises(InvalidCreditorId):
        require_creditor_id(f"DE99ZZZ{number:011d}")


# ---------------------------------------------------------------- days


@pytest.mark.parametrize(
    ("year", "month", "day"),
    [
        (2000, 4, 23),
        (2008, 3, 23),
        (2019, 4, 21),
        (2024, 3, 31),
        (2025, 4, 20),
        (2026, 4, 5),
        (2027, 3, 28),
        (2038, 4, 25),
    ],
)
def test_easter_is_on_the_published_days(year: int, month: int, day: int) -> None:
    assert compute_easter(year) == datetime.date(year, month, day)


def test_the_closed_days_of_2026() -> None:
    first = datetime.date(2026, 1, 1)
    days = (first + datetime.timedelta(days=n) for n in range(365))
    closed = [day.strftime("%m-%d") for day in days if day.weekday() < 5 and not PARAMETERS.calendar.is_open(day)]
    assert closed == ["01-01", "04-03", "04-06", "05-01", "12-25"]


@given(st.dates(datetime.date(2026, 1, 1), datetime.date(2030, 1, 1)), st.integers(-40, 60))
def test_a_collection_leaves_the_notice_its_days_and_falls_on_the_first_open_one(day: datetime.date, wish: int) -> None:
    wished = day + datetime.timedelta(days=wish)
    rules, calendar = PARAMETERS.debit_rules, PARAMETERS.calendar
    collected = compute_collection_day(notified_on=day, wished_on=wished, rules=rules, calendar=calendar)
    assert collected >= wished
    assert (collected - day).days >= 14
    assert collected.weekday() < 5
    between = max(wished, day + datetime.timedelta(days=14))
    while between < collected:
        assert not calendar.is_open(between)
        between += datetime.timedelta(days=1)
    submitted = compute_submission_day(collected, rules=rules, calendar=calendar)
    assert submitted < collected
    assert calendar.is_open(submitted)


def test_around_easter_2026() -> None:
    rules, calendar = PARAMETERS.debit_rules, PARAMETERS.calendar
    notified = datetime.date(2026, 3, 20)
    collected = compute_collection_day(notified_on=notified, wished_on=notified, rules=rules, calendar=calendar)
    assert collected == datetime.date(2026, 4, 7)  # 3 April is Good Friday, then the weekend, then Easter Monday
    assert compute_submission_day(collected, rules=rules, calendar=calendar) == datetime.date(2026, 4, 2)


def test_before_the_parameters_begin_there_are_none() -> None:
    with pytest.raises(LookupError):
        load_bank_parameters(datetime.date(1999, 1, 1))
