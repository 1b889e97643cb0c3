"""Codes on paper: who has no telephone signs in with a card. Pure: entropy and salt are arguments.

    XXXX-XXXX-XXXX-XXXX-XXXX-XXXX     8 symbols by which the card is found, 15 that are secret (74 bits), one check symbol

The check symbol tells a mistake of the hand, which costs no attempt. The secret is kept as Argon2id of itself; each card
has a few attempts, and then is locked. Source: RFC 9106; the alphabet is that of addresses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from nacl.pwhash import argon2id

from node.people.errors import InvalidPaperCode
from protocol.identifiers import ALPHABET, BASE

FOUND_BY: Final = 8
SECRET: Final = 15
SYMBOLS: Final = FOUND_BY + SECRET + 1
ENTROPY_BYTES: Final = 32
SALT_BYTES: Final = 16
HASH_BYTES: Final = 32
TYPED_MAX: Final = 100
ATTEMPTS: Final = 5

_VALUE: Final = {symbol: value for value, symbol in enumerate(ALPHABET)}
_WEIGHTS: Final = tuple(pow(3, place, BASE) for place in range(1, SYMBOLS + 1))  # 3 is a primitive root of 31
_START: Final = 11
_READ_AS: Final = str.maketrans(
    {"O": "0", "I": "1", "L": "1", "-": None, "\u2010": None, "\u2011": None, "\u2013": None}
)


@dataclass(frozen=True, slots=True)
class PaperCode:
    """A code as it was printed: `found_by` may be known to us, `secret` to the card alone."""

    found_by: str
    secret: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What one try costs who guesses: passes over so many bytes of memory."""

    passes: int = 2
    memory_bytes: int = 19 * 1024 * 1024


def make_code(entropy: bytes) -> PaperCode:
    """Return a new code from 32 random bytes."""
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"{ENTROPY_BYTES} random bytes make a code")
    number = int.from_bytes(entropy, "big")
    symbols = []
    for _ in range(FOUND_BY + SECRET):
        number, value = divmod(number, BASE)
        symbols.append(ALPHABET[value])
    return PaperCode("".join(symbols[:FOUND_BY]), "".join(symbols[FOUND_BY:]))


def format_code(code: PaperCode) -> str:
    body = code.found_by + code.secret
    text = body + _check_symbol(body)
    return "-".join(text[at : at + 4] for at in range(0, SYMBOLS, 4))


def parse_code(text: str) -> PaperCode:
    """Return the code that was typed; spaces, dashes and small letters are forgiven. Raises InvalidPaperCode."""
    if len(text) > TYPED_MAX:
        raise InvalidPaperCode(reason=f"{SYMBOLS} symbols")
    symbols = "".join(text.split()).upper().translate(_READ_AS)
    if len(symbols) != SYMBOLS:
        raise InvalidPaperCode(reason=f"{SYMBOLS} symbols")
    if any(symbol not in _VALUE for symbol in symbols):
        raise InvalidPaperCode(reason="a symbol that no code has")
    if _check_symbol(symbols[:-1]) != symbols[-1]:
        raise InvalidPaperCode(reason="a symbol is wrong, or two are swapped")
    return PaperCode(symbols[:FOUND_BY], symbols[FOUND_BY:-1])


def _check_symbol(symbols: str) -> str:
    total = _START + sum(weight * _VALUE[symbol] for weight, symbol in zip(_WEIGHTS, symbols, strict=False))
    return ALPHABET[total * -pow(_WEIGHTS[SYMBOLS - 1], -1, BASE) % BASE]


def hash_secret(secret: str, salt: bytes, cost: Cost) -> bytes:
    """Return the Argon2id of a secret, 32 bytes."""
    return bytes(argon2id.kdf(HASH_BYTES, secret.encode(), salt, opslimit=cost.passes, memlimit=cost.memory_bytes))
