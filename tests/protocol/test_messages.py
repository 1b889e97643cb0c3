"""Slips: columns, and agreement with the second reader on whatever arrives."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.canonical import encode_typed
from protocol.errors import Malformed, NotCanonical
from protocol.messages import (
    KEEP_BESIDE_MS,
    Answer,
    AskStatement,
    Beneficiaries,
    Cede,
    Convert,
    Counterfoil,
    Lot,
    Orders,
    Slip,
    Verdict,
    decode_beneficiaries,
    decode_counterfoil,
    decode_orders,
    decode_slip,
    draws_of,
    encode_slip,
)
from protocol.national import find_cede, read_slip
from tests.protocol import second_reader
from tests.protocol.vectors import from_tree, load

LEAVES = [bytes.fromhex(case["leaf"]) for case in load("slips")["good"]]
VALUES = [from_tree(case["value"]) for case in load("slips")["good"]]


@st.composite
def cessions(draw: st.DrawFn) -> tuple[int, list[list[tuple[int, int]]]]:
    """Return how many lots there are, and the draws of each cession as (place of the lot, cents)."""
    lots = draw(st.integers(1, 5))
    one = st.tuples(st.integers(0, lots - 1), st.integers(1, 10**15))
    return lots, draw(st.lists(st.lists(one, min_size=1, max_size=4), min_size=1, max_size=8))


def make_cede(lots: int, draws: list[list[tuple[int, int]]], terms: tuple[int, ...] = ()) -> Cede:
    return Cede(
        lots=tuple(Lot("242900314", bytes([n]) * 16, 5, 202611) for n in range(lots)),
        counts=() if all(len(one) == 1 for one in draws) else tuple(map(len, draws)),
        lot_places=tuple(place for one in draws for place, _ in one),
        cents=tuple(cents for one in draws for _, cents in one),
        terms=terms,
        seal_key=bytes(8),
        commit=bytes(32),
    )


@given(cessions())
def test_columns_give_back_each_cessions_draws(made: tuple[int, list[list[tuple[int, int]]]]) -> None:
    lots, draws = made
    leaf = encode_slip(Slip(1, "200046977", 0, (make_cede(lots, draws),)))
    cede = find_cede(decode_slip(leaf))
    assert cede is not None
    assert cede.count == len(draws)
    found = [[(lot.ref[0], cents) for lot, cents in one] for one in draws_of(cede)]
    assert found == draws
    assert second_reader.count_of(second_reader.read_slip(leaf)[3][0]) == len(draws)


def test_a_slip_holds_a_thousand_cessions_and_not_one_more() -> None:
    full = encode_slip(Slip(1, "200046977", 0, (make_cede(1, [[(0, 1)]] * 1_000),)))
    assert read_slip(full) is not None
    with pytest.raises(Malformed):
        decode_slip(encode_slip(Slip(1, "200046977", 0, (make_cede(1, [[(0, 1)]] * 1_001),))))


def test_a_cede_never_travels_with_an_answer_that_would_be_passed_on_before_it_is_cleared() -> None:
    cede, answer = make_cede(1, [[(0, 1)]]), Answer(1, 0, (), (), ())
    for messages in ((cede, answer), (answer, cede)):
        assert read_slip(encode_slip(Slip(1, "200046977", 0, messages))) is None


def _both(leaf: bytes) -> tuple[Any, Any]:
    """Return what the product and the second reader say: the value, or the class of the refusal."""
    try:
        ours: Any = msgpack.unpackb(encode_slip(decode_slip(leaf)))
    except NotCanonical:
        ours = "not_canonical"
    except Malformed:
        ours = "malformed"
    try:
        theirs: Any = second_reader.read_slip(leaf)
    except second_reader.Refused as refusal:
        theirs = refusal.reason
    return ours, theirs


@given(st.sampled_from(LEAVES), st.data())
def test_both_readers_agree_on_a_slip_with_a_few_bytes_altered(leaf: bytes, data: st.DataObject) -> None:
    altered = bytearray(leaf)
    for _ in range(data.draw(st.integers(1, 3))):
        altered[data.draw(st.integers(0, len(leaf) - 1))] = data.draw(st.integers(0, 255))
    ours, theirs = _both(bytes(altered))
    assert ours == theirs


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.binary(max_size=40), st.text(max_size=12)
)


@given(st.sampled_from(VALUES), st.data())
def test_both_readers_agree_on_a_slip_with_a_field_replaced(value: list[Any], data: st.DataObject) -> None:
    message = list(data.draw(st.sampled_from(value[3])))
    place = data.draw(st.integers(0, len(message) - 1))
    message[place] = data.draw(
        st.one_of(scalars, st.lists(st.integers(0, 1_001), max_size=4), st.lists(scalars, max_size=3))
    )
    leaf = msgpack.packb([*value[:3], [message]], use_bin_type=True)
    ours, theirs = _both(leaf)
    assert ours == theirs


@given(st.binary(max_size=200))
def test_both_readers_refuse_nonsense(leaf: bytes) -> None:
    assert _both(leaf) == ("not_canonical", "not_canonical")


def counterfoil_of(count: int, **other: int) -> Counterfoil:
    lengths = {"ops": count, "accounts": count, "numbers": count, "told": count, **other}
    one = {"ops": bytes(16), "accounts": "0A1B2C3D", "numbers": "4E5F6G7H", "told": bytes(6)}
    return Counterfoil(**{name: (one[name],) * length for name, length in lengths.items()})  # type: ignore[arg-type]


def test_a_counterfoil_tells_of_each_cession_of_its_slip() -> None:
    cede = make_cede(1, [[(0, 1)]] * 1_000)
    whole = counterfoil_of(1_000)
    assert decode_counterfoil(encode_typed(whole), cede) == whole


@pytest.mark.parametrize("column", ["ops", "accounts", "numbers", "told"])
@pytest.mark.parametrize("length", [1, 3])
def test_a_counterfoil_with_a_column_of_another_length_is_refused(column: str, length: int) -> None:
    with pytest.raises(Malformed):
        decode_counterfoil(encode_typed(counterfoil_of(2, **{column: length})), make_cede(1, [[(0, 1)]] * 2))


def test_a_counterfoil_longer_than_any_counterfoil_is_not_read() -> None:
    with pytest.raises(NotCanonical, match="65537 bytes, 65536 allowed"):
        decode_counterfoil(bytes(65_537), make_cede(1, [[(0, 1)]]))


def test_a_backup_of_thirty_five_days_can_still_be_brought_back() -> None:
    assert KEEP_BESIDE_MS == 35 * 24 * 60 * 60 * 1_000


@pytest.mark.parametrize("name", ["20004697\u00e9", "2000469\n7", "2000469\x7f7"])
def test_a_slip_is_for_a_party_whose_name_is_plain(name: str) -> None:
    with pytest.raises(Malformed) as refusal:
        decode_slip(encode_slip(Slip(1, name, 0, (AskStatement(),))))
    assert type(refusal.value) is Malformed


@pytest.mark.parametrize("code", ["refus\u00e9", "day\nlimit", "day\x7flimit"])
@pytest.mark.parametrize("kind", [Answer, Verdict])
def test_a_code_is_plain_text_whoever_says_it(kind: type[Answer | Verdict], code: str) -> None:
    def say(code: str) -> bytes:
        message = Answer(1, 0, (), (0,), (code,)) if kind is Answer else Verdict(0, 0, "", (0,), (code,))
        return encode_slip(Slip(1, "200046977", 0, (message,)))

    assert decode_slip(say("day_limit"))
    with pytest.raises(Malformed) as refusal:
        decode_slip(say(code))
    assert type(refusal.value) is Malformed


@pytest.mark.parametrize("symbol", ["\0", "\n", "\x1f", "\x7f", "\x80", "\x9f"])
@pytest.mark.parametrize("column", ["numbers", "givers", "words"])
def test_no_text_of_a_sealed_column_holds_what_a_screen_obeys(column: str, symbol: str) -> None:
    cede = make_cede(1, [[(0, 1)]])

    def opened(**texts: tuple[str]) -> Beneficiaries:
        columns = {"numbers": ("0A1B2C3D",), "givers": ("L\u00e9a \xa0~",), "words": ("merci \U0001f33b",), **texts}
        return Beneficiaries(origin="242900314", **columns)

    assert decode_beneficiaries(encode_typed(opened()), cede, "242900314") == opened()
    with pytest.raises(Malformed):
        decode_beneficiaries(encode_typed(opened(**{column: (f"0A1B2C3{symbol}",)})), cede, "242900314")


def test_the_orders_of_a_slip_are_one_for_each_conversion() -> None:
    cede = make_cede(1, [[(0, 1)]] * 2)
    orders = Orders("242900314", (b"sealed", b"too"))
    assert decode_orders(encode_typed(orders), cede, "242900314") == orders
    for wrong, origin in ((orders, "200046977"), (Orders("242900314", (b"sealed",)), "242900314")):
        with pytest.raises(Malformed):
            decode_orders(encode_typed(wrong), cede, origin)
    with pytest.raises(NotCanonical):
        decode_orders(encode_typed(Orders("242900314", (b"sealed", bytes(6_145)))), cede, "242900314")
    with pytest.raises(NotCanonical):
        decode_orders(encode_typed(Beneficiaries("242900314", ("7K3F92QX",) * 2, (), ())), cede, "242900314")


def test_a_slip_carries_no_more_conversions_than_its_orders_may_weigh() -> None:
    def leaf(count: int) -> bytes:
        convert = Convert((bytes(16),) * count, (bytes(16),) * count)
        return encode_slip(Slip(1, "200046977", 0, (make_cede(1, [[(0, 1)]] * count), convert)))

    assert len(decode_slip(leaf(128)).messages) == 2
    with pytest.raises(Malformed):
        decode_slip(leaf(129))
