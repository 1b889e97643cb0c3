"""camt.053 and camt.054 as banks send them, and as nobody should."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.fund.bank_errors import (
    BankFieldWrong,
    BankFileTooLarge,
    BankFileUnreadable,
    BankFileUnsafe,
    BankFileVersion,
    BatchMismatch,
    CurrencyRefused,
    StatementOfAnotherAccount,
    StatementUnbalanced,
    TooManyDecimals,
)
from node.fund.camt import read_camt
from node.fund.references import Iban, make_reference
from node.fund.statements import Movement, MovementState, Notification, Statement
from tests.fund.camt_files import OURS, THEIRS, Detail, Entry, File

ACCOUNT = Iban(OURS)
VERSIONS = ["camt.053.001.02", "camt.053.001.08"]
ALL_VERSIONS = [*VERSIONS, "camt.054.001.02", "camt.054.001.08"]


def _read(file: File) -> Statement | Notification:
    (told,) = read_camt(file.write(), account=ACCOUNT, bytes_max=1_000_000)
    return told


def _movements(file: File) -> tuple[Movement, ...]:
    return _read(file).movements


@pytest.mark.parametrize("message", ALL_VERSIONS)
def test_one_payment_with_all_it_says(message: str) -> None:
    detail = Detail(cents=12345, end_to_end_id="DON-7", reference=make_reference(42), text="Don d’été", reason="")
    file = File(message=message, opening=-500, entries=[Entry(cents=12345, details=[detail], bank_reference="BK1")])
    told = _read(file)
    (movement,) = told.movements
    assert told.iban == ACCOUNT
    assert movement.cents == 12345
    assert movement.state is MovementState.BOOKED
    assert movement.booked_on == movement.valued_on == datetime.date(2026, 11, 24)
    assert movement.bank_reference == "BK1"
    assert movement.end_to_end_id == "DON-7"
    assert movement.reference == make_reference(42)
    assert movement.counterpart_name == "Société Été & Cie"
    assert movement.counterpart_iban == THEIRS
    assert movement.text.startswith("Don d’été")
    if isinstance(told, Statement):
        assert (told.opening.cents, told.closing.cents, told.sequence) == (-500, 11845, 1)


@pytest.mark.parametrize("message", VERSIONS)
@given(
    opening=st.integers(-(10**9), 10**9),
    amounts=st.lists(st.integers(-(10**9), 10**9).filter(bool), max_size=6),
)
@settings(max_examples=40)
def test_amounts_and_signs_are_those_of_the_file(message: str, opening: int, amounts: list[int]) -> None:
    entries = [Entry(cents=cents, details=[Detail(cents=cents)]) for cents in amounts]
    told = _read(File(message=message, opening=opening, entries=entries))
    assert [movement.cents for movement in told.movements] == amounts
    assert isinstance(told, Statement)
    assert told.closing.cents == opening + sum(amounts)
    assert len({movement.id for movement in told.movements}) == len(amounts)


@pytest.mark.parametrize("message", VERSIONS)
@given(parts=st.lists(st.integers(1, 10**8), min_size=2, max_size=6), off=st.sampled_from([0, 1, -1]))
@settings(max_examples=40)
def test_a_batch_adds_up_or_is_refused_with_the_difference(message: str, parts: list[int], off: int) -> None:
    total = sum(parts) + off
    file = File(message=message, entries=[Entry(cents=total, details=[Detail(cents=cents) for cents in parts])])
    if off:
        with pytest.raises(BatchMismatch) as refusal:
            _read(file)
        assert refusal.value.facts["difference"] == off
        return
    movements = _movements(file)
    assert [movement.cents for movement in movements] == parts
    assert len({movement.id for movement in movements}) == len(parts)
    assert len({movement.entry for movement in movements}) == 1
    assert [movement.batch.place for movement in movements if movement.batch] == list(range(1, len(parts) + 1))


def test_a_batch_of_debits_in_the_old_version_takes_the_sign_of_its_entry() -> None:
    details = [Detail(cents=-100), Detail(cents=-250)]
    movements = _movements(File(message="camt.053.001.02", entries=[Entry(cents=-350, details=details)]))
    assert [movement.cents for movement in movements] == [-100, -250]


def test_a_batch_that_misses_a_transaction_is_refused() -> None:
    with pytest.raises(BatchMismatch):
        _read(File(entries=[Entry(cents=100, details=[Detail(cents=100)], count=2)]))


def test_a_single_detail_with_another_amount_is_refused() -> None:
    with pytest.raises(BatchMismatch):
        _read(File(entries=[Entry(cents=100, details=[Detail(cents=99)])]))


@given(st.integers(-(10**6), 10**6).filter(bool))
def test_a_closing_balance_that_does_not_follow_is_named_with_its_difference(off: int) -> None:
    with pytest.raises(StatementUnbalanced) as refusal:
        _read(File(opening=1000, entries=[Entry(cents=500)], closing=1500 + off))
    assert refusal.value.facts["difference"] == off


def test_pending_entries_are_told_and_not_counted() -> None:
    movements = _movements(File(entries=[Entry(cents=500, state="PDNG", bank_reference="X")]))
    assert [(m.cents, m.state) for m in movements] == [(500, MovementState.PENDING)]


def test_a_reversal_keeps_the_sign_of_its_effect() -> None:
    detail = Detail(cents=700, end_to_end_id="PAY-1", reason="AC04")
    (movement,) = _movements(File(entries=[Entry(cents=700, is_reversal=True, details=[detail])]))
    assert (movement.cents, movement.is_reversal, movement.return_reason) == (700, True, "AC04")


def test_a_payment_that_comes_back_shows_the_other_party_and_never_ourselves() -> None:
    detail = Detail(cents=700, end_to_end_id="PAY-1", name="Fonds", iban=OURS)
    entry = Entry(cents=700, details=[detail])
    other = f"<Cdtr><Pty><Nm>Association</Nm></Pty></Cdtr><CdtrAcct><Id><IBAN>{THEIRS}</IBAN></Id></CdtrAcct>"
    data = File(entries=[entry]).write().replace(b"</RltdPties>", other.encode() + b"</RltdPties>")
    (told,) = read_camt(data, account=ACCOUNT, bytes_max=10_000)
    assert (told.movements[0].counterpart_name, told.movements[0].counterpart_iban) == ("Association", THEIRS)


# ---------------------------------------------------------------- one movement, one id


@pytest.mark.parametrize("references", [("BK1", "BK2"), ("", "")])
def test_the_same_file_twice_and_a_notification_before_it_name_the_same_movements(references: tuple[str, str]) -> None:
    entries = [
        Entry(cents=500, bank_reference=references[0], details=[Detail(cents=500, end_to_end_id="A")]),
        Entry(cents=500, bank_reference=references[1], details=[Detail(cents=500, end_to_end_id="B")]),
    ]
    ids = [
        tuple(movement.id for movement in _movements(File(message=message, entries=entries)))
        for message in (*ALL_VERSIONS, *ALL_VERSIONS)
    ]
    assert len(set(ids)) == 1
    assert len(set(ids[0])) == 2


def test_twins_of_one_file_are_two_movements_with_and_without_reference() -> None:
    for reference in ("BK1", ""):
        entries = [Entry(cents=500, bank_reference=reference, details=[Detail(cents=500)]) for _ in range(3)]
        assert len({movement.id for movement in _movements(File(entries=entries))}) == 3


def test_pending_and_booked_are_one_movement_where_the_bank_gives_a_reference() -> None:
    pending = _movements(File(entries=[Entry(cents=500, bank_reference="BK1", state="PDNG", day="2026-11-23")]))
    booked = _movements(File(entries=[Entry(cents=500, bank_reference="BK1", day="2026-11-24")]))
    assert pending[0].id == booked[0].id


def test_transactions_told_one_by_one_and_then_as_a_batch_are_the_same_where_each_has_its_reference() -> None:
    details = [Detail(cents=100, bank_reference="T1"), Detail(cents=200, bank_reference="T2")]
    alone = [Entry(cents=d.cents, bank_reference=d.bank_reference, details=[d]) for d in details]
    notified = _movements(File(message="camt.054.001.08", entries=alone))
    stated = _movements(File(entries=[Entry(cents=300, bank_reference="E1", details=details)]))
    assert [m.id for m in notified] == [m.id for m in stated]


# ---------------------------------------------------------------- what is refused


def test_more_bytes_than_allowed_are_refused_before_they_are_parsed() -> None:
    with pytest.raises(BankFileTooLarge) as refusal:
        read_camt(b"<not xml" * 100, account=ACCOUNT, bytes_max=799)
    assert refusal.value.facts == {"bytes": 800, "bytes_max": 799}


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE Document [<!ENTITY a "b">]>',
        '<!DOCTYPE Document SYSTEM "file:///etc/passwd">',
        '<?xml version="1.0" encoding="ISO-8859-1"?>',
        "<?xml version='1.0' encoding='UTF-7'?>",
    ],
)
def test_document_types_and_other_encodings_are_refused(head: str) -> None:
    with pytest.raises(BankFileUnsafe):
        _read(File(head=head))


def test_a_document_type_is_seen_before_the_parser_sees_it() -> None:
    with pytest.raises(BankFileUnsafe):
        read_camt(b"<!DOCTYPE a [<!ENTITY b 'c'>", account=ACCOUNT, bytes_max=100)


def test_a_document_type_hidden_in_another_encoding_is_refused() -> None:
    for encoding in ("utf-16", "utf-32", "utf-16-be"):
        hidden = '<?xml version="1.0"?><!DOCTYPE Document [<!ENTITY a "b">]><Document>&a;</Document>'.encode(encoding)
        with pytest.raises((BankFileUnsafe, BankFileUnreadable)):
            read_camt(hidden, account=ACCOUNT, bytes_max=10_000)


@pytest.mark.parametrize("data", [b"", b"not xml", b"<Document>", b"\x00\x01", b"<a>&lol;</a>"])
def test_what_is_not_xml_is_refused(data: bytes) -> None:
    with pytest.raises(BankFileUnreadable):
        read_camt(data, account=ACCOUNT, bytes_max=10_000)


def test_elements_too_deep_are_refused() -> None:
    with pytest.raises(BankFileUnreadable):
        _read(File(inside="<A>" * 60 + "</A>" * 60))


def test_elements_of_another_namespace_are_refused_outside_the_supplement() -> None:
    with pytest.raises(BankFileUnreadable):
        _read(File(inside='<x:A xmlns:x="urn:x"/>'))
    _read(File(inside='<SplmtryData><Envlp><x:A xmlns:x="urn:x"><x:B/></x:A></Envlp></SplmtryData>'))
    with pytest.raises(BankFileUnreadable):
        _read(File(inside='<SplmtryData><Envlp/></SplmtryData><x:A xmlns:x="urn:x"/>'))


@pytest.mark.parametrize("message", ["camt.053.001.04", "camt.052.001.08", "pain.001.001.09"])
def test_another_version_or_message_is_named(message: str) -> None:
    with pytest.raises(BankFileVersion) as refusal:
        _read(File(message=message))
    assert refusal.value.facts["met"] == message


def test_xml_of_something_else_is_named() -> None:
    with pytest.raises(BankFileVersion) as refusal:
        read_camt(b"<html/>", account=ACCOUNT, bytes_max=100)
    assert refusal.value.facts["met"] == "html"


@pytest.mark.parametrize("amount", ["5.000", "5.001", "5.0000"])
def test_a_third_decimal_is_refused_even_a_zero(amount: str) -> None:
    with pytest.raises(TooManyDecimals):
        _read(File(entries=[Entry(cents=500, amount=amount)]))


@pytest.mark.parametrize("amount", ["5", "5.0", "5.00", "5."])
def test_fewer_decimals_are_read(amount: str) -> None:
    assert _movements(File(entries=[Entry(cents=500, amount=amount)]))[0].cents == 500


@pytest.mark.parametrize("amount", ["-5.00", "5,00", "1e3", "٥", "NaN", " ", "9" * 16, "99999999999999.00"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(BankFieldWrong):
        _read(File(entries=[Entry(cents=500, amount=amount)]))


def test_another_currency_is_refused() -> None:
    with pytest.raises(CurrencyRefused):
        _read(File(entries=[Entry(cents=500, currency="CHF")]))


def test_another_account_is_refused() -> None:
    with pytest.raises(StatementOfAnotherAccount):
        _read(File(iban=THEIRS))


@pytest.mark.parametrize("state", ["INFO", "", "book"])
def test_an_entry_neither_booked_nor_pending_is_refused(state: str) -> None:
    with pytest.raises(BankFieldWrong):
        _read(File(entries=[Entry(cents=500, state=state)], closing=500))


@pytest.mark.parametrize("day", ["2026-02-30", "", "24/11/2026"])
def test_a_booked_entry_without_a_day_is_refused(day: str) -> None:
    with pytest.raises(BankFieldWrong):
        _read(File(entries=[Entry(cents=500, day=day)]))


def test_a_statement_without_balances_is_refused() -> None:
    data = File().write().replace(b"CLBD", b"ITBD")
    with pytest.raises(BankFieldWrong):
        read_camt(data, account=ACCOUNT, bytes_max=10_000)


def test_an_opening_balance_may_be_the_previous_closing_one() -> None:
    data = File(opening=700).write().replace(b"OPBD", b"PRCD")
    (told,) = read_camt(data, account=ACCOUNT, bytes_max=10_000)
    assert isinstance(told, Statement)
    assert told.opening.cents == 700


def test_the_number_of_entries_is_held_to_the_summary() -> None:
    summary = "<TxsSummry><TtlNtries><NbOfNtries>2</NbOfNtries></TtlNtries></TxsSummry>"
    with pytest.raises(BatchMismatch):
        _read(File(entries=[Entry(cents=1)], inside=summary))
