"""Minutes: the document that says what a committee decided, and holds all that anybody needs to count again. Pure.

Its bytes are canonical, its digest is the decision that conversion orders name, and the projects' base signs it. In it
are the rules, the seats with their public keys and conflicts, and every ballot with its signature: `verify_minutes`
counts them anew. Members are named by function or pseudonym: a name has no place in this base.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Annotated, Final

from msgspec import Meta, Struct

from node.governance.errors import InvalidBallot, SignatureRefused
from node.governance.votes import (
    MEMBERS_MAX,
    REASON_MAX,
    CollegeTally,
    Seat,
    SignedBallot,
    VoteRules,
    count,
    is_ballot_signed,
    read_words,
    require_ballot,
)
from protocol.canonical import decode_typed, encode_typed, prepare
from protocol.errors import NotCanonical
from protocol.keys import Domain, PublicKeys, is_signed

MINUTES_VERSION: Final = 1
MINUTES_BYTES_MAX: Final = 4 * 1024 * 1024

_Id = Annotated[bytes, Meta(min_length=16, max_length=16)]
_Digest = Annotated[bytes, Meta(min_length=32, max_length=32)]
_Instant = Annotated[int, Meta(ge=0, le=2**60)]


class Minutes(Struct, frozen=True, array_like=True):
    """One vote on one sheet. `reason` is the chair's; those of ballots stand in them. Instants are milliseconds."""

    version: Annotated[int, Meta(ge=1, le=2**16)]
    territory: Annotated[str, Meta(min_length=9, max_length=9)]
    session: _Id
    project: _Id
    title: Annotated[str, Meta(min_length=1, max_length=80)]
    sheet: _Digest
    is_appeal: bool
    opened_at: _Instant
    closed_at: _Instant
    decided_on: Annotated[int, Meta(ge=19000101, le=99991231)]
    rules: VoteRules
    seats: Annotated[tuple[Seat, ...], Meta(max_length=MEMBERS_MAX)]
    ballots: Annotated[tuple[SignedBallot, ...], Meta(max_length=MEMBERS_MAX)]
    tallies: Annotated[tuple[CollegeTally, ...], Meta(max_length=20)]
    outcome: Annotated[str, Meta(max_length=20)]
    reason: Annotated[str, Meta(max_length=REASON_MAX)]


def write_minutes(minutes: Minutes) -> bytes:
    """Return the bytes of the minutes."""
    return encode_typed(minutes)


def read_minutes(body: bytes) -> Minutes:
    """Return the minutes of such bytes. Raises InvalidBallot."""
    try:
        return decode_typed(body, Minutes, size_max=MINUTES_BYTES_MAX)
    except NotCanonical as error:
        raise InvalidBallot(reason=f"no minutes: {error.facts['reason']}") from None


def compute_decision(body: bytes) -> bytes:
    """Return the 32 bytes by which a decision is named."""
    return hashlib.sha256(b"citizen-miles/decision/v1\0" + body).digest()


def verify_minutes(body: bytes, signature: bytes, bases: Iterable[PublicKeys]) -> Minutes:
    """Return minutes that one of these keys of the projects' base signed, and whose ballots come to their outcome.

    Raises InvalidBallot, SignatureRefused.
    """
    if not any(is_signed(keys.signing, Domain.MINUTES, body, signature) for keys in bases):
        raise SignatureRefused(signer="projects", reason="not signed by the projects' base")
    minutes = read_minutes(body)
    if minutes.version != MINUTES_VERSION:
        raise InvalidBallot(reason=f"minutes version {minutes.version} is not spoken here")
    by_key = {seat.key: seat for seat in minutes.seats}
    choices: dict[bytes, str] = {}
    for ballot in minutes.ballots:
        words, seat = read_words(ballot), by_key.get(ballot.key)
        if seat is None or seat.member in choices:
            raise SignatureRefused(signer=ballot.key.hex(), reason="a ballot of nobody who sits there, or a second one")
        if not is_ballot_signed(ballot, seat.signing):
            raise SignatureRefused(signer=seat.title, reason="the signature does not fit this ballot")
        if (words.session, words.project, words.sheet) != (minutes.session, minutes.project, minutes.sheet):
            raise SignatureRefused(signer=seat.title, reason="a ballot on something else")
        require_ballot(words, minutes.rules)
        choices[seat.member] = words.choice
    if count(minutes.seats, choices, minutes.rules) != (minutes.tallies, minutes.outcome):
        raise InvalidBallot(reason="the ballots do not come to this outcome")
    return minutes


prepare(Minutes)
