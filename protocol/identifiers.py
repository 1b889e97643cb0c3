"""Names of territories and accounts that survive a telephone. Pure.

A territory is a SIREN (9 digits, Luhn) or, in the global South, `S` and 8 symbols; the hub is `HUB-` and a country.
An account's public address is `XXXX-XXXX-C@TERRITORY`, for example `7K3F-92QX-C@200046977` in shape. Its check symbol
C covers the number *and* the territory: a weighted sum modulo 31, a prime, with the powers of a primitive root as
weights. Two symbols that differ never weigh the same, and neighbours never have the same weight: so any single wrong
symbol and any swap of neighbours is seen, even those that Luhn misses (09 and 90).
The alphabet has 31 symbols: digits and letters without I, L, O, U (read as 1, 0, V) and V (heard as B, seen as U).
Source: SPEC.md, "Names".
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Final, NewType

from protocol.errors import InvalidAddress, InvalidId, InvalidTerritory

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTWXYZ"
BASE: Final = len(ALPHABET)
NUMBER_LENGTH: Final = 8

TerritoryCode = NewType("TerritoryCode", str)
PartyCode = NewType("PartyCode", str)
AccountNumber = NewType("AccountNumber", str)
Id16 = NewType("Id16", bytes)

_VALUE: Final = {symbol: value for value, symbol in enumerate(ALPHABET)}
_ROOT: Final = 3  # a primitive root of 31
_START: Final = 17  # so that all zeros is no address
_SIREN: Final = re.compile(r"[0-9]{9}", re.ASCII)
_SOUTH: Final = re.compile(rf"S[{ALPHABET}]{{8}}", re.ASCII)
_HUB: Final = re.compile(r"HUB-[A-Z]{2}", re.ASCII)
_ADDRESS: Final = re.compile(rf"([{ALPHABET}]{{4}})-([{ALPHABET}]{{4}})-([{ALPHABET}])@([{ALPHABET}]{{9}})", re.ASCII)


def _check_symbol(symbols: str) -> str:
    """Return the symbol that brings the weighted sum of `symbols` and itself to zero."""
    total, weight = _START, 1
    for symbol in symbols:
        weight = weight * _ROOT % BASE
        total += weight * _VALUE[symbol]
    weight = weight * _ROOT % BASE
    return ALPHABET[-total * pow(weight, -1, BASE) % BASE]


def _is_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_south(code: str) -> bool:
    """Tell whether a territory's code is that of a South community."""
    return code[:1] == "S"


def require_territory(text: object) -> TerritoryCode:
    """Return the code if it is a SIREN or a South code. Raises InvalidTerritory."""
    if isinstance(text, str):
        if _SIREN.fullmatch(text):
            if text != "000000000" and _is_luhn(text):
                return TerritoryCode(text)
            raise InvalidTerritory(territory=text, reason="the SIREN's own check digit is wrong")
        if _SOUTH.fullmatch(text):
            if _check_symbol(text[:-1]) == text[-1]:
                return TerritoryCode(text)
            raise InvalidTerritory(territory=text, reason="the South code's check symbol is wrong")
    raise InvalidTerritory(territory=str(text)[:40], reason="neither 9 digits nor S and 8 symbols")


def require_party(text: object) -> PartyCode:
    """Return the code of a territory or of a hub. Raises InvalidTerritory."""
    if isinstance(text, str) and _HUB.fullmatch(text):
        return PartyCode(text)
    return PartyCode(require_territory(text))


def _symbols(entropy: bytes, count: int) -> str:
    """Return symbols drawn from 16 random bytes or more: 128 bits over at most 40, so no bias worth naming."""
    if len(entropy) < 16:
        raise ValueError("16 random bytes at least")
    number = int.from_bytes(entropy, "big")
    found = []
    for _ in range(count):
        number, value = divmod(number, BASE)
        found.append(ALPHABET[value])
    return "".join(found)


def make_south_code(entropy: bytes) -> TerritoryCode:
    """Return a new South code from random bytes given by the caller."""
    body = "S" + _symbols(entropy, 7)
    return TerritoryCode(body + _check_symbol(body))


def make_account_number(entropy: bytes) -> AccountNumber:
    """Return a new account number from random bytes given by the caller."""
    return AccountNumber(_symbols(entropy, NUMBER_LENGTH))


def require_number(text: object) -> AccountNumber:
    """Return the 8-symbol number of an account. Raises InvalidAddress."""
    if isinstance(text, str) and len(text) == NUMBER_LENGTH and all(symbol in _VALUE for symbol in text):
        return AccountNumber(text)
    raise InvalidAddress(address=str(text)[:40], reason="an account number is 8 symbols")


@dataclass(frozen=True, slots=True)
class Address:
    """An account of a territory."""

    number: AccountNumber
    territory: TerritoryCode

    def __str__(self) -> str:
        return format_address(self)


def format_address(address: Address) -> str:
    """Return the address as people write it."""
    number = address.number
    check = _check_symbol(number + address.territory)
    return f"{number[:4]}-{number[4:]}-{check}@{address.territory}"


def parse_address(text: object) -> Address:
    """Return the address if its shape, its territory and its check symbol are right. Raises InvalidAddress."""
    match = _ADDRESS.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise InvalidAddress(address=str(text)[:40], reason="written XXXX-XXXX-C@TERRITORY")
    first, second, check, code = match.groups()
    if _check_symbol(first + second + code) != check:
        raise InvalidAddress(address=match.string, reason="the check symbol does not fit: a symbol is wrong or swapped")
    try:
        territory = require_territory(code)
    except InvalidTerritory as refusal:
        raise InvalidAddress(address=match.string, reason=str(refusal.facts["reason"])) from None
    return Address(AccountNumber(first + second), territory)


def tidy_address(text: str) -> str:
    """Return what people typed, trimmed, in capitals and without spaces; nothing else is guessed."""
    return "".join(text.split()).upper()


def mask_name(name: str) -> str:
    """Return a name of which only initials show: `Marie Dupont` gives `M•••• D•••••`. At most five words."""
    return " ".join(word[0] + "•" * min(len(word) - 1, 9) for word in name.split()[:5])


def require_id(value: object) -> Id16:
    """Return the 16-byte id. Raises InvalidId."""
    if type(value) is not bytes or len(value) != 16 or value == bytes(16):
        shown = value.hex()[:40] if isinstance(value, bytes) else str(value)[:40]
        raise InvalidId(id=shown, reason="an id is 16 bytes, not all zero")
    return Id16(value)


def format_id(id_: bytes) -> str:
    """Return the id as a UUID text."""
    return str(uuid.UUID(bytes=id_))


def parse_id(text: object) -> Id16:
    """Return the id of a UUID text in lower case. Raises InvalidId."""
    try:
        parsed = uuid.UUID(text if isinstance(text, str) else "")
    except ValueError:
        raise InvalidId(id=str(text)[:40], reason="not a UUID") from None
    if str(parsed) != text:
        raise InvalidId(id=str(text)[:40], reason="a UUID is written in lower case with dashes")
    return require_id(parsed.bytes)
