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
from binascii import a2b_hex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from operator import mul
from typing import Final, NewType, cast

from protocol.errors import InvalidAddress, InvalidId, InvalidTerritory

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTWXYZ"
BASE: Final = len(ALPHABET)
NUMBER_LENGTH: Final = 8

_ADDRESS_SHAPE: Final = "written XXXX-XXXX-C@TERRITORY"
_REMEMBERED: Final = 32_768  # addresses; some 8 MB

TerritoryCode = NewType("TerritoryCode", str)
PartyCode = NewType("PartyCode", str)
AccountNumber = NewType("AccountNumber", str)
Id16 = NewType("Id16", bytes)

_VALUE: Final = {symbol: value for value, symbol in enumerate(ALPHABET)}
_ROOT: Final = 3  # a primitive root of 31
# Enough for a number, a territory and their check symbol.
_WEIGHTS: Final = tuple(pow(_ROOT, place, BASE) for place in range(1, 19))
_START: Final = 17  # so that all zeros is no address
_SIGNED: Final = tuple(-pow(weight, -1, BASE) % BASE for weight in _WEIGHTS)  # what solves for the check symbol
_LUHN_DOUBLED: Final = str.maketrans("0123456789", "0246813579")
_CAPITALS: Final = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_SIREN: Final = re.compile(r"[0-9]{9}", re.ASCII)
_SOUTH: Final = re.compile(rf"S[{ALPHABET}]{{8}}", re.ASCII)
_HUB: Final = re.compile(r"HUB-[A-Z]{2}", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_ADDRESS: Final = re.compile(rf"([{ALPHABET}]{{4}})-([{ALPHABET}]{{4}})-([{ALPHABET}])@([{ALPHABET}]{{9}})", re.ASCII)


def _check_symbol(symbols: str) -> str:
    """Return the symbol that brings the weighted sum of `symbols` and itself to zero."""
    total = _START + sum(map(mul, _WEIGHTS, map(_VALUE.__getitem__, symbols)))
    return ALPHABET[total * _SIGNED[len(symbols)] % BASE]


def _is_luhn(digits: str) -> bool:
    """Tell whether 9 digits are a SIREN's: every second one doubled, as the sum of the digits it then has."""
    return sum(map(int, digits[0::2] + digits[1::2].translate(_LUHN_DOUBLED))) % 10 == 0


def _show(value: object) -> str:
    """Return a refused value for the facts: short, and text that can be logged and sent."""
    if isinstance(value, str):
        return value[:40].encode(errors="backslashreplace").decode()
    return value[:20].hex() if isinstance(value, bytes) else type(value).__name__


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
    raise InvalidTerritory(territory=_show(text), reason="neither 9 digits nor S and 8 symbols")


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
    raise InvalidAddress(address=_show(text), reason="an account number is 8 symbols")


@dataclass(frozen=True, slots=True)
class Address:
    """An account of a territory. Raises InvalidAddress or InvalidTerritory: one that exists can be written."""

    number: AccountNumber
    territory: TerritoryCode

    def __post_init__(self) -> None:
        require_number(self.number)
        require_territory(self.territory)

    def __str__(self) -> str:
        return format_address(self)


def format_address(address: Address) -> str:
    """Return the address as people write it."""
    return _write_address(address.number, address.territory)


@lru_cache(maxsize=_REMEMBERED)  # a territory's accounts come again and again, and what one is called never changes
def _write_address(number: str, territory: str) -> str:
    check = _check_symbol(number + territory)
    return f"{number[:4]}-{number[4:]}-{check}@{territory}"


@lru_cache(maxsize=_REMEMBERED)
def write_address(number: str, territory: str) -> str:
    """Return the address of an account, as people write it. Raises InvalidAddress or InvalidTerritory."""
    return format_address(Address(AccountNumber(number), TerritoryCode(territory)))


def parse_address(text: object) -> Address:
    """Return the address if its shape, its territory and its check symbol are right. Raises InvalidAddress."""
    if not isinstance(text, str):
        raise InvalidAddress(address=_show(text), reason=_ADDRESS_SHAPE)
    return _read_address(text)


@lru_cache(maxsize=_REMEMBERED)  # only addresses that are right are remembered
def _read_address(text: str) -> Address:
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise InvalidAddress(address=_show(text), reason=_ADDRESS_SHAPE)
    first, second, check, code = match.groups()
    if _check_symbol(first + second + code) != check:
        raise InvalidAddress(address=match.string, reason="the check symbol does not fit: a symbol is wrong or swapped")
    try:
        return Address(AccountNumber(first + second), TerritoryCode(code))
    except InvalidTerritory as refusal:
        raise InvalidAddress(address=match.string, reason=str(refusal.facts["reason"])) from None


def tidy_address(text: str) -> str:
    """Return what people typed, trimmed, in capitals and without spaces; nothing else is guessed.

    Only a to z: the capital of a letter that merely looks alike (a long s, a dotless i) would be a guess.
    """
    return "".join(text.split()).translate(_CAPITALS)


def mask_name(name: str) -> str:
    """Return a name of which only initials show: `Marie Dupont` gives `M•••• D•••••`. At most five words."""
    return " ".join(word[0] + "•" * min(len(word) - 1, 9) for word in name.split()[:5])


def require_id(value: object) -> Id16:
    """Return the 16-byte id. Raises InvalidId."""
    if type(value) is not bytes or len(value) != 16 or value == bytes(16):
        raise InvalidId(id=_show(value), reason="an id is 16 bytes, not all zero")
    return Id16(value)


def format_id(id_: bytes) -> str:
    """Return the id as a UUID text. Raises ValueError unless it is 16 bytes."""
    if len(id_) != 16:
        raise ValueError("an id is 16 bytes")
    text = id_.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def parse_id(text: object) -> Id16:
    """Return the id of a UUID text in lower case. Raises InvalidId."""
    if not isinstance(text, str) or _UUID.fullmatch(text) is None:
        raise InvalidId(id=_show(text), reason="a UUID is written in lower case with dashes")
    return require_id(bytes.fromhex(text.replace("-", "")))


def parse_ids(texts: Sequence[str]) -> list[Id16]:
    """Return the ids of many texts, each as `parse_id` reads it, at a fraction of the cost. Raises InvalidId."""
    if len(texts) == 1:
        return [parse_id(texts[0])]
    joined = "".join(texts)
    digits = joined.replace("-", "")
    dashes = "-" * len(texts)
    if (
        set(map(len, texts)) == {36}
        and len(digits) == 32 * len(texts)
        and all(joined[place::36] == dashes for place in (8, 13, 18, 23))
    ):
        with suppress(ValueError):  # what is no hexadecimal digit is found below, with its place
            data = a2b_hex(digits)
            ids = [data[at : at + 16] for at in range(0, len(data), 16)]
            if data.hex() == digits and bytes(16) not in ids:
                return cast(list[Id16], ids)
    return [parse_id(text) for text in texts]
