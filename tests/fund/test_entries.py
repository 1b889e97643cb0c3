"""Entries: balanced when made, numbered without a gap, and never changed but by one that names them."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.fund.balances import compute_balances, compute_result
from node.fund.books_errors import InvalidEntry
from node.fund.chart import AccountRole, JournalRole
from node.fund.entries import Draft, Entry, Piece, credit, debit, number_drafts, take_back
from node.fund.tags import Origin, Place, Purpose, Tag
from protocol.amounts import CENTS_MAX
from protocol.errors import InvalidAmount
from tests.fund.books_makers import BANK, CHART, DAY, DONOR, MISSION, PIECE, YEAR, drafts

BANKS = CHART.bank(BANK)
SUSPENSE = CHART.account(AccountRole.SUSPENSE)
GIFTS = CHART.account(AccountRole.GIFTS)
AIDS = CHART.account(AccountRole.AIDS)
GIVEN = Tag(is_public_appeal=True, origin=Origin.INDIVIDUAL)


def _draft(**changed: Any) -> Draft:
    told: dict[str, Any] = {
        "journal": CHART.journals[JournalRole.BANK],
        "on": DAY,
        "piece": PIECE,
        "label": "Encaissement",
        "lines": (debit(BANKS, 100), credit(SUSPENSE, 100)),
    }
    return Draft(**{**told, **changed})


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 10**9)), min_size=2, max_size=6))
def test_only_what_balances_is_made(told: list[tuple[bool, int]]) -> None:
    lines = tuple(debit(BANKS, cents) if is_debit else credit(SUSPENSE, cents) for is_debit, cents in told)
    difference = sum(cents if is_debit else -cents for is_debit, cents in told)
    if difference:
        with pytest.raises(InvalidEntry) as refusal:
            _draft(lines=lines)
        assert str(difference) in str(refusal.value.facts["reason"])
    else:
        assert _draft(lines=lines).cents * 2 == sum(cents for _, cents in told)


@pytest.mark.parametrize(
    "changed",
    [
        {"lines": ()},
        {"lines": (debit(BANKS, 100),)},
        {"lines": [debit(BANKS, 100), credit(SUSPENSE, 100)]},
        {"on": datetime.datetime(2026, 3, 4, tzinfo=datetime.UTC)},
        {"label": ""},
        {"label": "Don\tmanuel"},
        {"label": "Don\nmanuel"},
        {"label": "x" * 301},
        {
            # commitments stand apart
            "lines": (
                debit(CHART.account(AccountRole.COMMITMENTS_RECEIVED), 100),
                credit(SUSPENSE, 100),
            )
        },
        {
            # and so does work given, from both
            "lines": (debit(CHART.account(AccountRole.VOLUNTEERS_WORK), 100, tag=MISSION), credit(SUSPENSE, 100))
        },
        {
            "lines": (
                debit(CHART.account(AccountRole.VOLUNTEERS_WORK), 100, tag=MISSION),
                credit(CHART.account(AccountRole.COMMITMENTS_RECEIVED_OFFSET), 100),
            )
        },
    ],
)
def test_what_the_books_cannot_hold_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(InvalidEntry):
        _draft(**changed)


@pytest.mark.parametrize("wrong", [0, -1, CENTS_MAX + 1, 1.5, True, "1"])
def test_a_line_has_a_whole_amount_above_nothing(wrong: Any) -> None:
    for make in (debit, credit):
        with pytest.raises(InvalidAmount):
            make(BANKS, wrong)


@pytest.mark.parametrize("text", ["", "A\tB", "x" * 81, None])
def test_a_piece_is_named(text: Any) -> None:
    with pytest.raises(InvalidEntry):
        Piece(reference=text, on=DAY)
    with pytest.raises(InvalidEntry):
        Piece(reference="A", on=text)


@pytest.mark.parametrize(
    ("account", "tag"),
    [
        (GIFTS, None),
        (GIFTS, Tag(is_public_appeal=True)),
        (AIDS, None),
        (AIDS, Tag(is_public_appeal=True)),
        (AIDS, GIVEN),
        (CHART.account(AccountRole.SPONSORSHIP), None),
        (CHART.account(AccountRole.SPONSORSHIP), MISSION),
        (CHART.account(AccountRole.FROM_DEDICATED_GENEROSITY), None),
        (CHART.account(AccountRole.TO_DEDICATED_GENEROSITY), MISSION),
        (CHART.account(AccountRole.VOLUNTEERS_WORK), Tag(is_public_appeal=True)),
        (CHART.account(AccountRole.VOLUNTEERING), None),
    ],
)
def test_income_and_spending_say_what_they_are(account: Any, tag: Tag | None) -> None:
    with pytest.raises(InvalidEntry):
        debit(account, 1, tag=tag)


def test_a_tag_says_one_thing() -> None:
    for wrong in (
        {"purpose": Purpose.MISSION},
        {"place": Place.FRANCE},
        {"purpose": Purpose.MISSION, "place": Place.FRANCE, "origin": Origin.COMPANY},
        {"is_public_appeal": None},
    ):
        with pytest.raises(InvalidEntry):
            Tag(**{"is_public_appeal": True, **wrong})  # type: ignore[arg-type]


# ---------------------------------------------------------------- numbers


def _entry(**changed: Any) -> Entry:
    told: dict[str, Any] = {"draft": _draft(), "year": YEAR, "number": 1, "validated_on": DAY}
    return Entry(**{**told, **changed})


@pytest.mark.parametrize(
    "changed",
    [
        {"number": 0},
        {"number": True},
        {"validated_on": DAY - datetime.timedelta(days=1)},
        {"validated_on": None},
        {"validated_on": datetime.datetime(2026, 3, 5, tzinfo=datetime.UTC)},
        {"draft": _draft(on=YEAR.first_on - datetime.timedelta(days=1))},
        {"draft": _draft(on=YEAR.last_on + datetime.timedelta(days=1)), "validated_on": datetime.date(2028, 1, 1)},
    ],
)
def test_an_entry_is_of_its_year_counted_and_validated_after_its_day(changed: dict[str, Any]) -> None:
    with pytest.raises(InvalidEntry):
        _entry(**changed)


@given(st.lists(drafts, max_size=12), st.integers(0, 1_000))
def test_each_journal_counts_on_without_a_gap(made: list[Draft], last: int) -> None:
    entries = number_drafts(made, year=YEAR, last_numbers={"BQ": last}, validated_on=YEAR.last_on)
    assert [entry.draft for entry in entries] == made
    for journal, start in (("BQ", last), ("OD", 0)):
        numbers = [entry.number for entry in entries if entry.journal.code == journal]
        assert numbers == list(range(start + 1, start + 1 + len(numbers)))


def test_a_reference_names_journal_year_and_number() -> None:
    assert _entry(number=7).reference == "BQ-20261231-000007"


@given(drafts)
def test_what_is_taken_back_leaves_nothing_and_is_named(draft: Draft) -> None:
    entry = number_drafts([draft], year=YEAR, last_numbers={}, validated_on=YEAR.last_on)[0]
    back = take_back(
        entry, journal=CHART.journals[JournalRole.OTHER], on=YEAR.last_on, piece=PIECE, why="erreur de compte"
    )
    assert back.corrects == entry.reference
    assert entry.reference in back.label
    assert all(balance.cents == 0 for balance in compute_balances([entry, back]))


# ---------------------------------------------------------------- balances


@given(st.lists(drafts, max_size=12))
def test_balances_hold_every_line_once(made: list[Draft]) -> None:
    balances = compute_balances(made)
    lines = [line for draft in made for line in draft.lines]
    assert sum(balance.debit for balance in balances) == sum(line.debit for line in lines)
    assert sum(balance.cents for balance in balances) == 0
    for balance in balances:
        of_account = [
            line.debit - line.credit
            for line in lines
            if line.account.number == balance.account.number and line.auxiliary == balance.auxiliary
        ]
        assert balance.cents == sum(of_account)
    assert len({(balance.account.number, balance.auxiliary) for balance in balances}) == len(balances)


@given(st.lists(drafts, max_size=12))
def test_the_result_is_income_less_expenses(made: list[Draft]) -> None:
    lines = [line for draft in made for line in draft.lines]
    expected = sum(line.credit - line.debit for line in lines if line.account.number[0] in "67")
    assert compute_result(compute_balances(made)) == expected


def test_the_example_of_a_small_year() -> None:
    made = [
        _draft(lines=(debit(BANKS, 10_000), credit(GIFTS, 10_000, auxiliary=DONOR, tag=GIVEN))),
        _draft(lines=(debit(AIDS, 6_000, tag=MISSION), credit(BANKS, 6_000))),
    ]
    assert compute_result(compute_balances(made)) == 4_000
