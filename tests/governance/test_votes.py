"""How ballots are counted: colleges, quorums, conflicts. The oracle counts by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.governance.errors import InvalidBallot
from node.governance.votes import (
    BallotWords,
    Choice,
    College,
    Criterion,
    Outcome,
    Seat,
    VoteRules,
    count,
    is_ballot_signed,
    read_ballot,
    read_words,
    require_ballot,
    sign_ballot,
    write_ballot,
)
from protocol.canonical import encode_typed
from protocol.keys import Domain, make_keys, sign

RULES = VoteRules((Criterion("need", 4), Criterion("feasible", 2)), tuple((str(one), 50) for one in College))
WORDS = BallotWords(1, "242900314", bytes(16), b"p" * 16, b"s" * 32, "for", (4, 2), "")
KEYS = make_keys(bytes(range(64)))


def seat(number: int, college: College, conflict: str = "") -> Seat:
    return Seat(bytes([number]) * 16, college, f"m{number}", bytes(8), bytes(32), conflict)


@given(
    st.lists(
        st.tuples(st.sampled_from(list(College)), st.booleans(), st.none() | st.sampled_from(list(Choice))), max_size=24
    ),
    st.integers(1, 100),
    st.dictionaries(st.sampled_from(list(College)), st.integers(1, 3), max_size=2),
)
def test_each_college_with_its_quorum_has_one_voice(
    told: list[tuple[College, bool, Choice | None]], percent: int, least: dict[College, int]
) -> None:
    seats = [seat(at, college, "kin" if conflict else "") for at, (college, conflict, _) in enumerate(told)]
    choices = {seats[at].member: str(choice) for at, (_, _, choice) in enumerate(told) if choice}
    minima = tuple(sorted((str(one), members) for one, members in least.items()))
    rules = VoteRules(RULES.criteria, tuple((str(one), percent) for one in College), minima)
    tallies, outcome = count(seats, choices, rules)
    voices, lost = 0, False
    for college in College:
        free = [choice for one, conflict, choice in told if one is college and not conflict]
        cast = [choice for choice in free if choice is not None]
        if not free:
            continue
        if not cast or len(cast) / len(free) < percent / 100 - 1e-12:
            lost = True
            continue
        ahead = sum(one is Choice.FOR for one in cast) - sum(one is Choice.AGAINST for one in cast)
        voices += (ahead > 0) - (ahead < 0)
    nobody = all(conflict for _, conflict, _ in told)
    lost = lost or any(sum(one is college for one, _, _ in told) < members for college, members in least.items())
    expected = Outcome.NO_QUORUM if lost or nobody else Outcome.VALIDATED if voices > 0 else Outcome.REFUSED
    assert outcome is expected
    assert sum(one.votes_for + one.votes_against + one.abstentions for one in tallies) == sum(
        1 for _, conflict, choice in told if choice and not conflict
    )


def test_a_large_college_does_not_outweigh_the_others() -> None:
    seats = [seat(at, College.COMPANIES) for at in range(9)]
    seats += [seat(10, College.CITIZENS), seat(11, College.ASSOCIATIONS)]
    choices = {one.member: "for" for one in seats[:9]} | {one.member: "against" for one in seats[9:]}
    assert count(seats, choices, RULES)[1] is Outcome.REFUSED


def test_an_even_vote_validates_nothing() -> None:
    seats = [seat(1, College.CITIZENS), seat(2, College.QUALIFIED)]
    choices = {seats[0].member: "for", seats[1].member: "against"}
    assert count(seats, choices, RULES)[1] is Outcome.REFUSED
    assert count(seats, choices | {seats[1].member: "abstain"}, RULES)[1] is Outcome.VALIDATED


def test_a_quorum_is_met_exactly() -> None:
    seats = [seat(at, College.CITIZENS) for at in range(4)]
    choices = {one.member: "for" for one in seats[:2]}
    assert count(seats, choices, RULES)[1] is Outcome.VALIDATED
    assert count(seats, {seats[0].member: "for"}, RULES)[1] is Outcome.NO_QUORUM


def test_a_ballot_comes_back_as_it_was_signed() -> None:
    ballot = read_ballot(write_ballot(sign_ballot(WORDS, KEYS)))
    assert read_words(ballot) == WORDS
    assert is_ballot_signed(ballot, KEYS.public.signing)
    other = type(ballot)(
        encode_typed(type(WORDS)(1, "242900314", bytes(16), b"p" * 16, b"s" * 32, "against", (4, 2), "no")),
        ballot.key,
        ballot.signature,
    )
    assert not is_ballot_signed(other, KEYS.public.signing)
    elsewhere = type(ballot)(ballot.words, ballot.key, sign(KEYS, Domain.OFFICER, ballot.words))
    assert not is_ballot_signed(elsewhere, KEYS.public.signing)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"choice": "against"}, "says why"),
        ({"choice": "against", "reason": "two\nlines"}, "one line"),
        ({"grid": (4,)}, "2 marks"),
        ({"grid": (4, 3)}, "feasible: 0 to 2"),
        ({"choice": "abstain", "grid": (1,)}, "2 marks"),
    ],
)
def test_a_ballot_fits_the_grid_and_a_refusal_says_why(changed: dict[str, Any], reason: str) -> None:
    values = {name: getattr(WORDS, name) for name in WORDS.__struct_fields__} | changed
    with pytest.raises(InvalidBallot, match=reason):
        require_ballot(BallotWords(**values), RULES)


def test_ballots_that_are_taken() -> None:
    for choice, grid, reason in (
        ("for", (0, 0), ""),
        ("against", (0, 0), "no"),
        ("abstain", (), ""),
        ("abstain", (1, 1), ""),
    ):
        require_ballot(BallotWords(1, "242900314", bytes(16), bytes(16), bytes(32), choice, grid, reason), RULES)


@pytest.mark.parametrize("data", [b"", b"\xc0", write_ballot(sign_ballot(WORDS, KEYS)) + b"\x00", b"\x93" + bytes(9)])
def test_what_is_no_ballot_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidBallot):
        read_ballot(data)


@pytest.mark.parametrize(("version", "choice"), [(2, "for"), (1, "maybe"), (1, "")])
def test_words_of_another_version_or_choice_are_refused(version: int, choice: str) -> None:
    words = BallotWords(version, "242900314", bytes(16), bytes(16), bytes(32), choice, (), "")
    with pytest.raises(InvalidBallot):
        read_words(sign_ballot(words, KEYS))
