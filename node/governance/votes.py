"""Ballots of a committee, and how they are counted: college by college, without those who have a conflict. Pure.

Each member signs the words of one ballot with a key that the base does not hold. A college has its quorum when enough of
its members who may vote have voted; an abstention is a ballot. Each college then has one voice, whatever its size, so
that none outweighs the others: for, against, or none where its ballots are even. A project is validated when all
colleges that have somebody who may vote reached their quorum, and more voices are for than against. A college that
has fewer members than its minimum decides nothing, nor does the committee then.

A ballot counts if, when the vote closes, its member still sits and has no conflict. So a quorum that was reached can be
lost: then nothing is decided, and another vote may be called. Source: issue 5, "Committee".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from node.governance.errors import InvalidBallot
from node.governance.texts import is_line
from protocol.canonical import decode_typed, encode_typed, prepare
from protocol.errors import NotCanonical
from protocol.keys import Domain, SecretKeys, is_signed, sign

BALLOT_VERSION: Final = 1
BALLOT_BYTES_MAX: Final = 4_096
REASON_MAX: Final = 400
CRITERIA_MAX: Final = 20
MEMBERS_MAX: Final = 500

_Id = Annotated[bytes, Meta(min_length=16, max_length=16)]
_Digest = Annotated[bytes, Meta(min_length=32, max_length=32)]
_Key = Annotated[bytes, Meta(min_length=8, max_length=8)]
_Signature = Annotated[bytes, Meta(min_length=64, max_length=64)]
_Word = Annotated[str, Meta(max_length=40)]


class College(StrEnum):
    """Who sits in a committee."""

    CITIZENS = "citizens"
    ASSOCIATIONS = "associations"
    COMPANIES = "companies"
    MUNICIPALITY = "municipality"
    QUALIFIED = "qualified"


class Choice(StrEnum):
    FOR = "for"
    AGAINST = "against"
    ABSTAIN = "abstain"


class Outcome(StrEnum):
    """What a vote decided."""

    VALIDATED = "validated"
    REFUSED = "refused"
    NO_QUORUM = "no_quorum"  # nothing was decided
    VOID = "void"  # the project was withdrawn meanwhile: there was nothing left to decide, and nothing was counted


class Criterion(Struct, frozen=True, array_like=True):
    """One line of the grid: 0 to `max`."""

    key: _Word
    max: Annotated[int, Meta(ge=1, le=100)]


class VoteRules(Struct, frozen=True, array_like=True):
    """The rules that a vote was called under, by college: `quorum` in hundredths, `members_min` in members (none: 0)."""

    criteria: Annotated[tuple[Criterion, ...], Meta(min_length=1, max_length=CRITERIA_MAX)]
    quorum: Annotated[tuple[tuple[_Word, Annotated[int, Meta(ge=1, le=100)]], ...], Meta(min_length=1, max_length=20)]
    members_min: Annotated[tuple[tuple[_Word, Annotated[int, Meta(ge=1, le=100)]], ...], Meta(max_length=20)] = ()


class BallotWords(Struct, frozen=True, array_like=True):
    """What a member signs. `sheet` is the digest of the sheet that is voted on; `grid` has a mark for each criterion."""

    version: Annotated[int, Meta(ge=1, le=2**16)]
    territory: Annotated[str, Meta(min_length=9, max_length=9)]
    session: _Id
    project: _Id
    sheet: _Digest
    choice: _Word
    grid: Annotated[tuple[Annotated[int, Meta(ge=0, le=100)], ...], Meta(max_length=CRITERIA_MAX)]
    reason: Annotated[str, Meta(max_length=REASON_MAX)]


class SignedBallot(Struct, frozen=True, array_like=True):
    """The bytes of a ballot's words, and their member's signature."""

    words: Annotated[bytes, Meta(min_length=1, max_length=BALLOT_BYTES_MAX)]
    key: _Key
    signature: _Signature


class Seat(Struct, frozen=True, array_like=True):
    """A member as a vote sees it: college, what the minutes call it, its key, and why it must abstain, or nothing."""

    member: _Id
    college: _Word
    title: Annotated[str, Meta(max_length=80)]
    key: _Key
    signing: _Digest
    conflict: Annotated[str, Meta(max_length=REASON_MAX)]


class CollegeTally(Struct, frozen=True, array_like=True):
    """What one college said. `seats` counts those who may vote; `voice` is for, against or abstain."""

    college: _Word
    seats: int
    conflicted: int
    votes_for: int
    votes_against: int
    abstentions: int
    has_quorum: bool
    voice: _Word


def sign_ballot(words: BallotWords, keys: SecretKeys) -> SignedBallot:
    """Return the ballot with its member's signature."""
    body = encode_typed(words)
    return SignedBallot(body, keys.public.id, sign(keys, Domain.VOTE, body))


def write_ballot(ballot: SignedBallot) -> bytes:
    """Return a ballot as it is handed in."""
    return encode_typed(ballot)


def read_ballot(data: bytes) -> SignedBallot:
    """Return the ballot that was handed in. Raises InvalidBallot."""
    try:
        return decode_typed(data, SignedBallot, size_max=2 * BALLOT_BYTES_MAX)
    except NotCanonical as error:
        raise InvalidBallot(reason=str(error.facts["reason"])) from None


def read_words(ballot: SignedBallot) -> BallotWords:
    """Return what was signed. Raises InvalidBallot."""
    try:
        words = decode_typed(ballot.words, BallotWords, size_max=BALLOT_BYTES_MAX)
    except NotCanonical as error:
        raise InvalidBallot(reason=str(error.facts["reason"])) from None
    if words.version != BALLOT_VERSION:
        raise InvalidBallot(reason=f"ballot version {words.version} is not spoken here")
    if words.choice not in tuple(Choice):
        raise InvalidBallot(reason="for, against or abstain")
    return words


def require_ballot(words: BallotWords, rules: VoteRules) -> None:
    """Let through a ballot that fits the grid, with a reason if it is against. Raises InvalidBallot."""
    if words.choice == Choice.ABSTAIN and not words.grid:
        return
    if len(words.grid) != len(rules.criteria):
        raise InvalidBallot(reason=f"{len(rules.criteria)} marks, one for each criterion")
    for mark, criterion in zip(words.grid, rules.criteria, strict=True):
        if mark > criterion.max:
            raise InvalidBallot(reason=f"{criterion.key}: 0 to {criterion.max}")
    if words.choice == Choice.AGAINST and not is_line(words.reason, REASON_MAX):
        raise InvalidBallot(reason=f"who votes against says why, in one line of up to {REASON_MAX} symbols")


def is_ballot_signed(ballot: SignedBallot, signing: bytes) -> bool:
    """Tell whether the member of that key signed these words."""
    return is_signed(signing, Domain.VOTE, ballot.words, ballot.signature)


def count(
    seats: Sequence[Seat], choices: Mapping[bytes, str], rules: VoteRules
) -> tuple[tuple[CollegeTally, ...], Outcome]:
    """Return what each college said, and what that decides. `choices` is by member; those of nobody here count nothing."""
    tallies = tuple(_count_college(college, percent, seats, choices) for college, percent in rules.quorum)
    return tallies, Outcome.NO_QUORUM if find_short(seats, rules) is not None else _decide(tallies)


def find_short(seats: Iterable[Seat], rules: VoteRules) -> tuple[str, int, int] | None:
    """Return the first college with fewer members than its minimum, how many it has and how many it needs; or None.

    Who has a conflict is a member all the same: a conflict lets a college be silent, and not the committee fall.
    """
    sitting = [seat.college for seat in seats]
    for college, least in rules.members_min:
        if sitting.count(college) < least:
            return college, sitting.count(college), least
    return None


def _count_college(college: str, percent: int, seats: Iterable[Seat], choices: Mapping[bytes, str]) -> CollegeTally:
    own = [seat for seat in seats if seat.college == college]
    may_vote = [seat for seat in own if not seat.conflict]
    cast = [choices[seat.member] for seat in may_vote if seat.member in choices]
    votes_for, votes_against = cast.count(Choice.FOR), cast.count(Choice.AGAINST)
    has_quorum = bool(cast) and len(cast) * 100 >= percent * len(may_vote)
    voice = Choice.ABSTAIN
    if has_quorum and votes_for != votes_against:
        voice = Choice.FOR if votes_for > votes_against else Choice.AGAINST
    return CollegeTally(
        college,
        len(may_vote),
        len(own) - len(may_vote),
        votes_for,
        votes_against,
        len(cast) - votes_for - votes_against,
        has_quorum,
        voice,
    )


def _decide(tallies: Sequence[CollegeTally]) -> Outcome:
    """A college whose members all have a conflict has no voice; one that nobody sits in, neither: but somebody must decide."""
    asked = [one for one in tallies if one.seats]
    if not asked or not all(one.has_quorum for one in asked):
        return Outcome.NO_QUORUM
    voices = [one.voice for one in asked]
    return Outcome.VALIDATED if voices.count(Choice.FOR) > voices.count(Choice.AGAINST) else Outcome.REFUSED


prepare(SignedBallot, BallotWords, VoteRules)
