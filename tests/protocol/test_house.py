"""What the bases of a territory tell each other: golden bytes, limits, and nothing but the canonical form."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest

from protocol.errors import Malformed
from protocol.house import (
    HOUSE_VERSION,
    MESSAGES_MAX,
    BaseName,
    Deposit,
    DepositRefused,
    DepositTaken,
    HouseMessage,
    HouseSlip,
    decode_house_slip,
    encode_house_slip,
    house_of,
    make_neighbours,
)
from protocol.identifiers import TerritoryCode
from protocol.keys import make_keys
from protocol.messages import LEAF_BYTES_MAX

ID, DONOR, REF = bytes(range(16)), b"a donor, opaque.", b"\x07" * 16
DEPOSIT: list[Any] = [1, ID, DONOR, "bread", 202611, 5, "Brest", "D715K6AF", 1_234]
TAKEN: list[Any] = [2, ID, REF]
REFUSED: list[Any] = [3, ID, "account_unknown"]


def _pack(*messages: list[Any], version: int = 1, to: Any = "ACCOUNTS", at: Any = 7) -> bytes:
    """Return a leaf made with plain msgpack, so that nothing of ours refuses to write it."""
    return bytes(msgpack.packb([version, to, at, list(messages)], use_bin_type=True))


def test_each_message_has_its_bytes() -> None:
    messages: tuple[HouseMessage, ...] = (
        Deposit(ID, DONOR, "bread", 202611, 5, "Brest", "D715K6AF", 1_234),
        DepositTaken(ID, REF),
        DepositRefused(ID, "account_unknown"),
    )
    slip = HouseSlip(HOUSE_VERSION, BaseName.ACCOUNTS, 7, messages)
    leaf = _pack(DEPOSIT, TAKEN, REFUSED)
    assert encode_house_slip(slip) == leaf
    assert decode_house_slip(leaf) == slip


@pytest.mark.parametrize("version", [0, 2, 65_536, 65_537])
def test_another_version_is_not_spoken(version: int) -> None:
    with pytest.raises(Malformed):
        decode_house_slip(_pack(TAKEN, version=version))


def _with(message: list[Any], place: int, value: Any) -> list[Any]:
    return [*message[:place], value, *message[place + 1 :]]


@pytest.mark.parametrize(
    ("message", "place", "good", "bad"),
    [
        (DEPOSIT, 1, [bytes(16)], [bytes(15), bytes(17), "0" * 16]),
        (DEPOSIT, 2, [bytes(16)], [bytes(15), bytes(17)]),
        (DEPOSIT, 3, ["", "c" * 80], ["c" * 81]),
        (DEPOSIT, 4, [190001, 999912], [190000, 999913]),
        (DEPOSIT, 5, [0, 2**16], [-1, 2**16 + 1]),
        (DEPOSIT, 6, ["", "r" * 200], ["r" * 201]),
        (DEPOSIT, 7, ["12345678"], ["1234567", "123456789"]),
        (DEPOSIT, 8, [1, 10**15], [0, -1, 10**15 + 1, 1.0]),
        (TAKEN, 2, [bytes(16)], [bytes(15), bytes(17)]),
        (REFUSED, 2, ["c", "c" * 48], ["", "c" * 49]),
    ],
)
def test_every_field_has_its_limits(message: list[Any], place: int, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        decode_house_slip(_pack(_with(message, place, value)))
    for value in bad:
        with pytest.raises(Malformed):
            decode_house_slip(_pack(_with(message, place, value)))


def test_a_slip_has_messages_and_not_too_many_and_a_leaf_its_size() -> None:
    assert MESSAGES_MAX == 2_048
    assert len(decode_house_slip(_pack(*[TAKEN] * MESSAGES_MAX)).messages) == MESSAGES_MAX
    for leaf in (_pack(), _pack(*[TAKEN] * (MESSAGES_MAX + 1)), _pack([4, ID]), bytes(LEAF_BYTES_MAX + 1)):
        with pytest.raises(Malformed):
            decode_house_slip(leaf)


def test_a_house_is_a_network_of_its_own_and_its_bases_have_fixed_names() -> None:
    assert house_of(TerritoryCode("242900314")) == "house of 242900314"
    assert [(base.name, str(base)) for base in BaseName] == [("ACCOUNTS", "ACCOUNTS"), ("FUND", "THE-FUND")]
    assert HOUSE_VERSION == 1


def test_neighbours_sign_with_their_own_keys_and_nobody_else_is_there() -> None:
    older, newer, other = (make_keys(bytes([number]) * 64).public for number in (1, 2, 3))
    known = make_neighbours({"ACCOUNTS": [older, newer], "THE-FUND": [other]})
    assert known.require_active("ACCOUNTS").keys == (older, newer)
    assert known.require_active("ACCOUNTS").name == "accounts"
    assert known.require_active("THE-FUND").find_key(other.id) == other
    assert known.require_active("THE-FUND").find_key(older.id) is None
    assert known.find("PARTNERS") is None
    assert known.size == 0
