"""What can be refused, as one tree. Pure.

    Refusal                          expected; changes nothing; has a stable `code`
    ├── Malformed                    the value itself is wrong, whoever sends it
    │   ├── InvalidAmount            zero, negative, huge, not a whole number
    │   ├── InvalidTerritory         not a SIREN and not a South code
    │   ├── InvalidAddress           shape or check character of an account address
    │   ├── InvalidId                not a 16-byte id
    │   ├── InvalidText              too long, or holds characters that are not text
    │   ├── InvalidTime              in the future beyond tolerance, or expired
    │   └── NotCanonical             bytes that are not the one encoding of their value
    ├── BadEnvelope                  what a peer sent cannot be taken; the cause stays in our log
    ├── IdMismatch                   an id seen before, with another content
    ├── NotInForce                   no dated parameter holds on that day
    └── (rooms add their own facts: InsufficientRights, AccountClosed, UnknownMember, ...)

A refusal says a fact, carries its numbers as `facts`, and is explained to people in French and English by
`explanations.py`. A bug is a ValueError or an assert, never a Refusal.
"""

from __future__ import annotations

from typing import ClassVar

Fact = int | str


class Refusal(Exception):
    """An expected "no": state is unchanged, the caller may act on `code` and `facts`."""

    code: ClassVar[str] = "refused"

    def __init__(self, **facts: Fact) -> None:
        super().__init__(self.code, facts)
        self.facts: dict[str, Fact] = facts

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value}" for name, value in self.facts.items())
        return f"{self.code} ({told})" if told else self.code


class Malformed(Refusal):
    """The value can never be right, whatever the state of the books."""

    code = "malformed"


class InvalidAmount(Malformed):
    """Facts: amount, reason."""

    code = "invalid_amount"


class InvalidTerritory(Malformed):
    """Facts: territory, reason."""

    code = "invalid_territory"


class InvalidAddress(Malformed):
    """Facts: address, reason."""

    code = "invalid_address"


class InvalidId(Malformed):
    """Facts: id, reason."""

    code = "invalid_id"


class InvalidText(Malformed):
    """Facts: field, reason."""

    code = "invalid_text"


class InvalidTime(Malformed):
    """Facts: field, reason."""

    code = "invalid_time"


class NotCanonical(Malformed):
    """Facts: reason."""

    code = "not_canonical"


class BadEnvelope(Refusal):
    """What a peer sent cannot be taken. Facts: reason, one of a closed set of words that an operator can act on.

    `cause` holds the details; it is for our own log and never leaves the process.
    """

    code = "bad_envelope"

    def __init__(self, cause: str, *, reason: str = "unreadable") -> None:
        super().__init__(reason=reason)
        self.cause = cause


class IdMismatch(Refusal):
    """Facts: id, field (the first that differs)."""

    code = "id_mismatch"


class NotInForce(Refusal, LookupError):
    """A day before, or after, all that is known of a dated parameter. Facts: what, day."""

    code = "not_in_force"
