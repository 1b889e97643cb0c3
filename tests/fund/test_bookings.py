"""Each event of the fund: its accounts as the treasurer expects them, and a balance whatever the amounts."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.fund import bookings
from node.fund.bookings import (
    AidPart,
    BoundSource,
    DebitedGift,
    Endowment,
    book_aid_decided,
    book_aid_identified,
    book_aid_paid,
    book_aid_return_identified,
    book_aid_returned,
    book_aid_withdrawn,
    book_bank_fee,
    book_company_deposit,
    book_debits,
    book_dedicated,
    book_dedicated_used,
    book_endowment,
    book_endowment_consumed,
    book_excess_owed,
    book_excess_refund,
    book_excess_waits,
    book_fee_identified,
    book_gift,
    book_identified_deposit,
    book_identified_gift,
    book_liberality,
    book_net_paid,
    book_net_received,
    book_pledge,
    book_pledge_ended,
    book_receipt_sent_back,
    book_rejected_debit,
    book_rejection_identified,
    book_result_allotted,
    book_unidentified_receipt,
    book_volunteering,
    book_window,
)
from node.fund.books_errors import InvalidEntry, NothingDedicated
from node.fund.chart import LABEL_MAX, bearer_auxiliary, company_auxiliary, donor_auxiliary, earmark_auxiliary
from node.fund.entries import Draft
from node.fund.tags import Origin
from protocol.amounts import Cents
from protocol.errors import InvalidAmount
from tests.fund.books_makers import (
    ABROAD,
    BANK,
    BEARER,
    BOOKINGS,
    CHART,
    COMPANY,
    DAY,
    DONOR,
    EARMARK,
    FUND,
    MISSION,
    OTHER_BANK,
    PIECE,
    RUNNING,
    WRITING,
    drafts,
)

C = Cents(1_234)
PARTS = [AidPart(cents=Cents(1_000), tag=MISSION), AidPart(cents=Cents(234), tag=ABROAD)]
E, D, P, A, F = "E552100554", "D000000042", "PW691234567", "AEAU", "F243500139"

# what the event is, its journal, and its lines: account, auxiliary, debit or credit (below zero)
EXPECTED: list[tuple[Callable[[], Draft], str, list[tuple[str, str, int]]]] = [
    (
        lambda: book_endowment(WRITING, bank=BANK, kind=Endowment.INITIAL, cents=Cents(1_500_000)),
        "BQ",
        [("512001", "", 1_500_000), ("10231", "", -1_500_000)],
    ),
    (
        lambda: book_endowment(WRITING, bank=BANK, kind=Endowment.ADDED, cents=C),
        "BQ",
        [("512001", "", 1_234), ("10232", "", -1_234)],
    ),
    (
        lambda: book_liberality(WRITING, bank=BANK, giver=DONOR, origin=Origin.INDIVIDUAL, cents=C),
        "BQ",
        [("512001", "", 1_234), ("1081", D, -1_234)],
    ),
    (lambda: book_endowment_consumed(WRITING, cents=C), "OD", [("1089", "", 1_234), ("7532", "", -1_234)]),
    (
        lambda: book_company_deposit(WRITING, bank=OTHER_BANK, company=COMPANY, cents=C, is_public_appeal=False),
        "BQ",
        [("512012", "", 1_234), ("7542", E, -1_234)],
    ),
    (
        lambda: book_company_deposit(
            WRITING, bank=BANK, company=COMPANY, cents=C, excess=Cents(66), is_public_appeal=False
        ),
        "BQ",
        [("512001", "", 1_300), ("7542", E, -1_234), ("4672", E, -66)],
    ),
    (
        lambda: book_excess_refund(WRITING, bank=BANK, company=COMPANY, cents=Cents(66)),
        "BQ",
        [("4672", E, 66), ("512001", "", -66)],
    ),
    (
        lambda: book_gift(WRITING, bank=BANK, donor=DONOR, cents=C, is_public_appeal=True),
        "BQ",
        [("512001", "", 1_234), ("75411", D, -1_234)],
    ),
    (
        lambda: book_debits(
            WRITING,
            bank=BANK,
            gifts=[
                DebitedGift(donor=DONOR, cents=Cents(1_000)),
                DebitedGift(donor=donor_auxiliary(7), cents=Cents(500)),
            ],
            is_public_appeal=True,
        ),
        "BQ",
        [("512001", "", 1_500), ("75411", D, -1_000), ("75411", "D000000007", -500)],
    ),
    (
        lambda: book_rejected_debit(WRITING, bank=BANK, donor=DONOR, cents=C, is_public_appeal=True),
        "BQ",
        [("75411", D, 1_234), ("512001", "", -1_234)],
    ),
    (
        lambda: book_rejection_identified(WRITING, donor=DONOR, cents=C, is_public_appeal=True),
        "OD",
        [("75411", D, 1_234), ("471", "", -1_234)],
    ),
    (
        lambda: book_unidentified_receipt(WRITING, bank=BANK, cents=C),
        "BQ",
        [("512001", "", 1_234), ("471", "", -1_234)],
    ),
    (
        lambda: book_identified_deposit(WRITING, company=COMPANY, cents=C, is_public_appeal=False),
        "OD",
        [("471", "", 1_234), ("7542", E, -1_234)],
    ),
    (
        lambda: book_identified_deposit(
            WRITING, company=COMPANY, cents=Cents(1_200), excess=Cents(34), is_public_appeal=False
        ),
        "OD",
        [("471", "", 1_234), ("7542", E, -1_200), ("4672", E, -34)],
    ),
    (
        lambda: book_identified_gift(WRITING, donor=DONOR, cents=C, is_public_appeal=True),
        "OD",
        [("471", "", 1_234), ("75411", D, -1_234)],
    ),
    (
        lambda: book_receipt_sent_back(WRITING, bank=BANK, cents=C),
        "BQ",
        [("471", "", 1_234), ("512001", "", -1_234)],
    ),
    (
        lambda: book_aid_identified(WRITING, bearer=BEARER, cents=C),
        "OD",
        [("4672", P, 1_234), ("471", "", -1_234)],
    ),
    (
        lambda: book_aid_return_identified(WRITING, bearer=BEARER, cents=C),
        "OD",
        [("471", "", 1_234), ("4672", P, -1_234)],
    ),
    (lambda: book_excess_owed(WRITING, payer=COMPANY, cents=C), "OD", [("471", "", 1_234), ("4672", E, -1_234)]),
    (lambda: book_excess_waits(WRITING, payer=COMPANY, cents=C), "OD", [("4672", E, 1_234), ("471", "", -1_234)]),
    (lambda: book_fee_identified(WRITING, cents=C, tag=RUNNING), "OD", [("627", "", 1_234), ("471", "", -1_234)]),
    (
        lambda: book_aid_decided(WRITING, bearer=BEARER, parts=PARTS),
        "OD",
        [("6571", "", 1_000), ("6571", "", 234), ("4672", P, -1_234)],
    ),
    (
        lambda: book_aid_paid(WRITING, bank=BANK, bearer=BEARER, cents=C),
        "BQ",
        [("4672", P, 1_234), ("512001", "", -1_234)],
    ),
    (
        lambda: book_aid_returned(WRITING, bank=BANK, bearer=BEARER, cents=C),
        "BQ",
        [("512001", "", 1_234), ("4672", P, -1_234)],
    ),
    (
        lambda: book_aid_withdrawn(WRITING, bearer=BEARER, parts=PARTS),
        "OD",
        [("4672", P, 1_234), ("6571", "", -1_000), ("6571", "", -234)],
    ),
    (
        lambda: book_window(
            WRITING, window=3, aids=PARTS, contributions=[Cents(234)], pays=[(FUND, Cents(1_000))], receives=[]
        ),
        "OD",
        [("6571", "", 1_000), ("6571", "", 234), ("7551", "", -234), ("4672", F, -1_000)],
    ),
    (
        lambda: book_window(WRITING, window=3, aids=[], contributions=[C], pays=[], receives=[(FUND, C)]),
        "OD",
        [("7551", "", -1_234), ("4672", F, 1_234)],
    ),
    (
        lambda: book_net_paid(WRITING, bank=BANK, fund=FUND, cents=C),
        "BQ",
        [("4672", F, 1_234), ("512001", "", -1_234)],
    ),
    (
        lambda: book_net_received(WRITING, bank=BANK, fund=FUND, cents=C),
        "BQ",
        [("512001", "", 1_234), ("4672", F, -1_234)],
    ),
    (
        lambda: book_bank_fee(WRITING, bank=BANK, cents=Cents(35), tag=RUNNING),
        "BQ",
        [("627", "", 35), ("512001", "", -35)],
    ),
    (
        lambda: book_dedicated(WRITING, source=BoundSource.GENEROSITY, earmark=EARMARK, cents=C, is_public_appeal=True),
        "OD",
        [("6896", "", 1_234), ("196", A, -1_234)],
    ),
    (
        lambda: book_dedicated(
            WRITING, source=BoundSource.CONTRIBUTIONS, earmark=EARMARK, cents=C, is_public_appeal=False
        ),
        "OD",
        [("6895", "", 1_234), ("195", A, -1_234)],
    ),
    (
        lambda: book_dedicated_used(
            WRITING, source=BoundSource.GENEROSITY, earmark=EARMARK, cents=C, kept=C, is_public_appeal=True
        ),
        "OD",
        [("196", A, 1_234), ("7896", "", -1_234)],
    ),
    (
        lambda: book_dedicated_used(
            WRITING, source=BoundSource.GRANTS, earmark=EARMARK, cents=C, kept=C, is_public_appeal=False
        ),
        "OD",
        [("194", A, 1_234), ("7894", "", -1_234)],
    ),
    (
        lambda: book_dedicated_used(
            WRITING, source=BoundSource.CONTRIBUTIONS, earmark=EARMARK, cents=C, kept=C, is_public_appeal=False
        ),
        "OD",
        [("195", A, 1_234), ("7895", "", -1_234)],
    ),
    (
        lambda: book_dedicated(WRITING, source=BoundSource.GRANTS, earmark=EARMARK, cents=C, is_public_appeal=False),
        "OD",
        [("6894", "", 1_234), ("194", A, -1_234)],
    ),
    (lambda: book_pledge(WRITING, company=COMPANY, cents=C), "OD", [("802", E, 1_234), ("8092", E, -1_234)]),
    (lambda: book_pledge_ended(WRITING, company=COMPANY, cents=C), "OD", [("8092", E, 1_234), ("802", E, -1_234)]),
    (lambda: book_volunteering(WRITING, cents=C, tag=MISSION), "OD", [("864", "", 1_234), ("875", "", -1_234)]),
    (lambda: book_result_allotted(WRITING, result=1_234), "OD", [("120", "", 1_234), ("110", "", -1_234)]),
    (lambda: book_result_allotted(WRITING, result=-1_234), "OD", [("119", "", 1_234), ("129", "", -1_234)]),
]


@pytest.mark.parametrize(("make", "journal", "lines"), EXPECTED)
def test_the_accounts_that_each_event_moves(
    make: Callable[[], Draft], journal: str, lines: list[tuple[str, str, int]]
) -> None:
    draft = make()
    assert [
        (line.account.number, line.auxiliary.number if line.auxiliary else "", line.debit - line.credit)
        for line in draft.lines
    ] == lines
    assert (draft.journal.code, draft.on, draft.piece) == (journal, DAY, PIECE)


@given(drafts)
def test_every_booking_balances_whatever_its_amounts(draft: Draft) -> None:
    assert sum(line.debit for line in draft.lines) == sum(line.credit for line in draft.lines) > 0
    assert all((line.debit == 0) != (line.credit == 0) for line in draft.lines)


@given(st.data())
@pytest.mark.parametrize("name", sorted(BOOKINGS))
def test_no_income_and_no_spending_without_its_tag(name: str, data: st.DataObject) -> None:
    draft = data.draw(BOOKINGS[name])
    for line in draft.lines:
        if line.account.number[0] in "67":
            assert line.tag is not None
        if line.account.number[:3] in {"754"}:
            assert line.tag is not None
            assert line.tag.origin is not None
        if line.account.number[:2] in {"62", "65"}:
            assert line.tag is not None
            assert line.tag.purpose is not None


def test_no_booking_goes_untested() -> None:
    told = {name for name, _ in inspect.getmembers(bookings, inspect.isfunction) if name.startswith("book_")}
    assert told == set(BOOKINGS)


def test_who_gave_and_whether_the_public_was_asked_is_told() -> None:
    company = book_company_deposit(WRITING, bank=BANK, company=COMPANY, cents=C, is_public_appeal=False)
    citizen = book_gift(WRITING, bank=BANK, donor=DONOR, cents=C, is_public_appeal=True)
    outside = book_liberality(WRITING, bank=BANK, giver=COMPANY, origin=Origin.COMPANY, cents=C)
    tags = [draft.lines[1].tag for draft in (company, citizen, outside)]
    assert [(tag.origin, tag.is_public_appeal) for tag in tags if tag] == [
        (Origin.COMPANY, False),
        (Origin.INDIVIDUAL, True),
        (Origin.COMPANY, False),
    ]
    consumed = book_endowment_consumed(WRITING, cents=C).lines[1].tag
    assert consumed is not None
    assert not consumed.is_public_appeal


def test_what_an_endowment_is_called() -> None:
    labels = [book_endowment(WRITING, bank=BANK, kind=kind, cents=C).label for kind in Endowment]
    assert labels == ["Dotation initiale", "Dotation complémentaire"]


def test_a_citizens_name_is_not_in_the_books() -> None:
    draft = book_gift(WRITING, bank=BANK, donor=DONOR, cents=C, is_public_appeal=True)
    assert draft.label == "Don manuel Donateur 42"


def test_no_more_is_used_than_an_earmark_kept() -> None:
    with pytest.raises(NothingDedicated) as refusal:
        book_dedicated_used(
            WRITING,
            source=BoundSource.GENEROSITY,
            earmark=EARMARK,
            cents=Cents(101),
            kept=Cents(100),
            is_public_appeal=True,
        )
    assert refusal.value.facts == {"kept": 100, "asked": 101}


def test_nothing_and_less_than_nothing_are_not_written() -> None:
    for wrong in (0, -1):
        with pytest.raises(InvalidAmount):
            book_gift(WRITING, bank=BANK, donor=DONOR, cents=Cents(wrong), is_public_appeal=True)
        with pytest.raises(InvalidAmount):
            # the excess must not make up for it
            book_company_deposit(
                WRITING, bank=BANK, company=COMPANY, cents=Cents(wrong), excess=Cents(5), is_public_appeal=False
            )
    with pytest.raises(InvalidAmount):
        book_company_deposit(WRITING, bank=BANK, company=COMPANY, cents=C, excess=Cents(-1), is_public_appeal=False)
    with pytest.raises(InvalidAmount):
        book_result_allotted(WRITING, result=0)
    with pytest.raises(InvalidEntry):
        book_debits(WRITING, bank=BANK, gifts=[], is_public_appeal=True)
    with pytest.raises(InvalidEntry):
        book_aid_decided(WRITING, bearer=BEARER, parts=[])


def test_an_aid_is_for_the_mission() -> None:
    with pytest.raises(InvalidEntry):
        book_aid_decided(WRITING, bearer=BEARER, parts=[AidPart(cents=C, tag=RUNNING)])


def test_each_bank_account_has_its_own_account() -> None:
    assert CHART.bank(BANK).label == "Banques FR7630006000011234567890189"
    assert {CHART.bank(bank).number for bank in (BANK, OTHER_BANK)} == {"512001", "512012"}


def test_the_longest_name_can_be_written() -> None:
    company = company_auxiliary("552100554", "x" * LABEL_MAX)
    bearer = bearer_auxiliary("W691234567", "x" * LABEL_MAX)
    earmark = earmark_auxiliary("EAU", "x" * LABEL_MAX)
    source = BoundSource.GENEROSITY
    makers: tuple[Callable[[], Draft], ...] = (
        lambda: book_company_deposit(WRITING, bank=BANK, company=company, cents=C, is_public_appeal=False),
        lambda: book_identified_deposit(WRITING, company=company, cents=C, is_public_appeal=False),
        lambda: book_excess_refund(WRITING, bank=BANK, company=company, cents=C),
        lambda: book_excess_owed(WRITING, payer=company, cents=C),
        lambda: book_excess_waits(WRITING, payer=company, cents=C),
        lambda: book_aid_return_identified(WRITING, bearer=bearer, cents=C),
        lambda: book_liberality(WRITING, bank=BANK, giver=company, origin=Origin.COMPANY, cents=C),
        lambda: book_pledge(WRITING, company=company, cents=C),
        lambda: book_pledge_ended(WRITING, company=company, cents=C),
        lambda: book_aid_decided(WRITING, bearer=bearer, parts=PARTS),
        lambda: book_aid_withdrawn(WRITING, bearer=bearer, parts=PARTS),
        lambda: book_aid_paid(WRITING, bank=BANK, bearer=bearer, cents=C),
        lambda: book_aid_returned(WRITING, bank=BANK, bearer=bearer, cents=C),
        lambda: book_aid_identified(WRITING, bearer=bearer, cents=C),
        lambda: book_dedicated(WRITING, source=source, earmark=earmark, cents=C, is_public_appeal=True),
        lambda: book_dedicated_used(WRITING, source=source, earmark=earmark, cents=C, kept=C, is_public_appeal=True),
    )
    for make in makers:
        assert make().label.endswith("x" * LABEL_MAX)
