"""Canonical msgpack: one encoding per value, and nothing else gets in.

The oracle is the `msgpack` package, with the keys sorted here, and lengths and integers written out by hand.
"""

from __future__ import annotations

import enum
import struct
import time
import tracemalloc
from collections.abc import Callable
from typing import Annotated, Any, NewType

import msgpack
import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from protocol.canonical import DEPTH_MAX, decode, decode_typed, encode, encode_typed
from protocol.errors import NotCanonical

SIZE_MAX = 1_000_000

texts = st.text(alphabet=st.characters(codec="utf-8"), max_size=40)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.binary(max_size=40)
    | texts
    | st.text("ab", max_size=3)
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=20) | st.dictionaries(texts, inner, max_size=20), max_leaves=40
)


def in_order(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: in_order(value[key]) for key in sorted(value, key=lambda key: key.encode())}
    return [in_order(item) for item in value] if isinstance(value, list | tuple) else value


def reference(value: Any) -> bytes:
    packed: bytes = msgpack.packb(in_order(value), use_bin_type=True)
    return packed


# --- Any value ------------------------------------------------------------------------------------------------------


@given(values)
def test_a_value_has_the_reference_encoding_and_comes_back(value: Any) -> None:
    data = encode(value)
    assert data == reference(value)
    assert decode(data, size_max=len(data)) == value


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "c0"),
        (False, "c2"),
        (127, "7f"),
        (128, "cc80"),
        (255, "ccff"),
        (256, "cd0100"),
        (65_536, "ce00010000"),
        (2**32, "cf0000000100000000"),
        (2**64 - 1, "cfffffffffffffffff"),
        (-32, "e0"),
        (-33, "d0df"),
        (-129, "d1ff7f"),
        (-(2**15) - 1, "d2ffff7fff"),
        (-(2**31) - 1, "d3ffffffff7fffffff"),
        (-(2**63), "d38000000000000000"),
        (b"", "c400"),
        ("", "a0"),
        ("é", "a2c3a9"),
        ("a" * 32, "d920" + "61" * 32),
        ((1, [2]), "92019102"),
        ({"b": 1, "a": 2, "aa": 3, "é": 4, "": 5}, "85" + "a005" + "a16102" + "a2616103" + "a16201" + "a2c3a904"),
    ],
)
def test_known_values_have_known_bytes(value: Any, written: str) -> None:
    assert encode(value).hex() == written
    assert encode(decode(bytes.fromhex(written), size_max=100)).hex() == written


@given(st.dictionaries(st.text(st.sampled_from("a\x7fé\uffff\U00010000\U0010ffff"), max_size=4), st.none()))
def test_keys_are_sorted_by_their_bytes_whatever_the_script(value: dict[str, None]) -> None:
    assert encode(value) == reference(value)


class Small(enum.IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    "value",
    [
        *(1.0, 1j, 2**64, -(2**63) - 1, Small.ONE, "\ud800", {1}, object(), bytearray(b"a"), memoryview(b"a")),
        *({1: 2}, {b"a": 1}, {None: 1}, {"\ud800": 1}, [1.5], {"a": [{"b": 1.5}]}, msgpack.ExtType(1, b"")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_value_of_ours_is_a_bug(value: Any) -> None:
    with pytest.raises(ValueError):
        encode(value)


def test_sixteen_levels_are_all_that_anything_may_have() -> None:
    assert DEPTH_MAX == 16


@pytest.mark.parametrize("wrap", [lambda v: [v], lambda v: {"a": v}], ids=["arrays", "maps"])
@pytest.mark.parametrize("heart", [1, [], {}], ids=repr)
def test_what_is_encoded_can_be_decoded_and_no_deeper(wrap: Callable[[Any], Any], heart: Any) -> None:
    value = heart
    for _ in range(DEPTH_MAX - (heart != 1)):
        value = wrap(value)
    data = encode(value)
    assert decode(data, size_max=SIZE_MAX) == value
    with pytest.raises(ValueError):
        encode(wrap(value))
    with pytest.raises(NotCanonical) as refusal:
        decode(reference(wrap(value)), size_max=SIZE_MAX)
    assert refusal.value.facts["reason"] == "nested too deep"
    with pytest.raises(NotCanonical):
        decode(data, size_max=SIZE_MAX, depth_max=DEPTH_MAX - 1)


# Longer ways to write the same integer or the same length, by the first byte of the short one.
def longer_integers(number: int) -> list[bytes]:
    ways = []
    if number >= 0:
        ways += [struct.pack(">BB", 0xCC, number)] if number < 2**8 else []
        ways += [struct.pack(">BH", 0xCD, number)] if number < 2**16 else []
        ways += [struct.pack(">BI", 0xCE, number)] if number < 2**32 else []
        ways += [struct.pack(">BQ", 0xCF, number)]
    if -(2**7) <= number < 2**7:
        ways += [struct.pack(">Bb", 0xD0, number)]
    if -(2**15) <= number < 2**15:
        ways += [struct.pack(">Bh", 0xD1, number)]
    if -(2**31) <= number < 2**31:
        ways += [struct.pack(">Bi", 0xD2, number)]
    if -(2**63) <= number < 2**63:
        ways += [struct.pack(">Bq", 0xD3, number)]
    return ways


def other_lengths(value: Any) -> list[bytes]:
    if isinstance(value, bytes):
        heads, count, body = (0xC4, 0xC5, 0xC6), len(value), value
    elif isinstance(value, str):
        heads, count, body = (0xD9, 0xDA, 0xDB), len(value.encode()), value.encode()
    elif isinstance(value, list):
        heads, count, body = (0, 0xDC, 0xDD), len(value), b"".join(map(reference, value))
    else:
        pairs = in_order(value).items()
        heads, count, body = (0, 0xDE, 0xDF), len(value), b"".join(reference(k) + reference(v) for k, v in pairs)
    ways = [struct.pack(">BB", heads[0], count) + body] if heads[0] and count < 2**8 else []
    ways += [struct.pack(">BH", heads[1], count) + body] if count < 2**16 else []
    return [*ways, struct.pack(">BI", heads[2], count) + body]


EDGES = sorted(
    {edge + near for edge in (0, 32, 127, 128, 2**8, 2**15, 2**16, 2**31, 2**32, 2**63) for near in (-1, 0, 1)}
)


@given(
    st.sampled_from(EDGES)
    | st.sampled_from([-edge for edge in EDGES if edge <= 2**63])
    | st.integers(-(2**63), 2**64 - 1)
)
def test_of_all_ways_to_write_an_integer_one_is_read(number: int) -> None:
    short = reference(number)
    for way in {*longer_integers(number), short}:
        assert msgpack.unpackb(way) == number  # the oracle reads them all
        for data, type_, value in ((way, int, number), (b"\x91" + way, list[int], [number])):
            if way == short:
                assert decode(data, size_max=100) == value
                assert decode_typed(data, type_, size_max=100) == value
            else:
                with pytest.raises(NotCanonical):
                    decode(data, size_max=100)
                with pytest.raises(NotCanonical):
                    decode_typed(data, type_, size_max=100)


@given(
    st.sampled_from([0, 1, 15, 16, 31, 32, 255, 256]), st.sampled_from(["bytes", "text", "array", "map"]), st.booleans()
)
def test_of_all_ways_to_write_a_length_one_is_read(count: int, kind: str, inside: bool) -> None:
    value: Any = {
        "bytes": b"a" * count,
        "text": "a" * count,
        "array": [1] * count,
        "map": {f"{place:03d}": 1 for place in range(count)},
    }[kind]
    type_: Any = {"bytes": bytes, "text": str, "array": list[int], "map": None}[kind]
    for way in {*other_lengths(value), reference(value)}:
        assert msgpack.unpackb(way) == value
        data, expected = (b"\x91" + way, [value]) if inside else (way, value)
        if way == reference(value):
            assert decode(data, size_max=SIZE_MAX) == expected
        else:
            with pytest.raises(NotCanonical):
                decode(data, size_max=SIZE_MAX)
            if type_ is not None:
                with pytest.raises(NotCanonical):
                    decode_typed(way, type_, size_max=SIZE_MAX)


@pytest.mark.parametrize(
    ("why", "data"),
    [
        ("nothing", ""),
        ("trailing bytes", "0101"),
        ("trailing bytes after an array", "910100"),
        ("a key twice", "82a16101a16102"),
        ("keys out of order", "82a16201a16101"),
        ("keys out of order deep inside", "9181a17882a16201a16101"),
        ("a key that is no text", "810101"),
        ("a key that is bytes", "81c4016101"),
        ("a key that is an array", "819001"),
        ("a key that is a map", "818001"),
        ("a float of 32 bits", "ca3f800000"),
        ("a float of 64 bits", "cb3ff0000000000000"),
        ("a timestamp", "d6ff5a4af6a5"),
        ("an extension", "c7030770 7172"),
        ("the byte that is never used", "c1"),
        ("text that is not utf-8", "a1ff"),
        ("an overlong utf-8", "a2c080"),
        ("a surrogate in utf-8", "a3eda080"),
        ("a key that is not utf-8", "81a1ff01"),
        ("cut in a length", "dc00"),
        ("cut in an integer", "cd01"),
        ("cut in bytes", "c40261"),
        ("cut in text", "a261"),
        ("cut in an array", "9201"),
        ("cut in a map", "81a161"),
    ],
)
def test_what_is_not_the_one_encoding_of_a_value_is_refused(why: str, data: str) -> None:
    with pytest.raises(NotCanonical) as refusal:
        decode(bytes.fromhex(data), size_max=100)
    assert refusal.value.facts["reason"]


@given(values, st.data())
def test_a_damaged_encoding_is_refused_or_is_that_of_another_value(value: Any, data: st.DataObject) -> None:
    good = encode(value)
    at = data.draw(st.integers(0, len(good)))
    cut = data.draw(st.integers(0, 3))
    bad = good[:at] + data.draw(st.binary(max_size=3)) + good[at + cut :]
    assume(bad != good)
    try:
        other = decode(bad, size_max=SIZE_MAX)
    except NotCanonical:
        return
    assert reference(other) == bad


@given(st.binary(max_size=64))
def test_any_bytes_are_refused_or_the_one_encoding_of_a_value(data: bytes) -> None:
    try:
        value = decode(data, size_max=64)
    except NotCanonical:
        return
    assert reference(value) == data


def test_the_size_is_looked_at_before_anything_else() -> None:
    data = encode([1, 2, 3])
    assert decode(data, size_max=len(data)) == [1, 2, 3]
    for refused in (
        lambda: decode(data, size_max=len(data) - 1),
        lambda: decode_typed(data, list[int], size_max=len(data) - 1),
    ):
        with pytest.raises(NotCanonical) as refusal:
            refused()
        assert refusal.value.facts["reason"] == f"{len(data)} bytes, {len(data) - 1} allowed"


# --- Bombs ----------------------------------------------------------------------------------------------------------

ANNOUNCED = (10_000, 2**24, 2**31 - 1, 2**32 - 1)
BOMBS = [
    *(
        head + struct.pack(">I", count) + b"\x01" * 20
        for head in (b"\xdd", b"\xdf", b"\xc6", b"\xdb")
        for count in ANNOUNCED
    ),
    b"\xdc\xff\xff" * 30_000,
    b"\xdd\xff\xff\xff\xff" * 20_000,
    b"\x91" * 100_000,
    b"\x81\xa1a" * 30_000,
    b"\x92\x01" * 50_000 + b"\x01",
]


class Column(msgspec.Struct, array_like=True, frozen=True):
    name: str
    cents: tuple[int, ...] = ()


class Table(msgspec.Struct, array_like=True, frozen=True):
    columns: tuple[Column, ...]
    note: bytes | None
    seen: frozenset[int]


TYPES: list[Any] = [
    list[int],
    tuple[int, ...],
    set[int],
    frozenset[int],
    list[list[int]],
    bytes,
    str,
    int,
    Column,
    Table,
]


def peak_of(refused: Callable[[], object]) -> int:
    """Return the most memory that was held while the bytes were refused."""
    tracemalloc.start()
    try:
        with pytest.raises(NotCanonical):
            refused()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: f"{bomb[:5].hex()}-{len(bomb)}")
def test_announced_counts_and_depths_cost_no_memory(bomb: bytes) -> None:
    assert peak_of(lambda: decode(bomb, size_max=SIZE_MAX)) < 200_000
    for type_ in TYPES:
        for data in (bomb, b"\x91" + bomb, b"\x92\xa1a" + bomb, b"\x93\x90\xc0" + bomb, b"\x94\x90\xc0\x90" + bomb):
            assert peak_of(lambda data=data, type_=type_: decode_typed(data, type_, size_max=SIZE_MAX)) < 200_000  # type: ignore[misc]


def test_memory_follows_the_bytes_that_came_not_the_count_announced() -> None:
    body = b"\x01" * 100_000
    for type_ in (list[int], tuple[int, ...], Column):
        head = b"\x92\xa1a" if type_ is Column else b""
        for count in (200_000, 2**32 - 1):
            data = head + b"\xdd" + struct.pack(">I", count) + body
            assert peak_of(lambda data=data, type_=type_: decode_typed(data, type_, size_max=SIZE_MAX)) < 3_000_000  # type: ignore[misc]


# --- Typed ----------------------------------------------------------------------------------------------------------

Cents = NewType("Cents", int)


class Word(enum.StrEnum):
    YES = "yes"


class Row(msgspec.Struct, array_like=True, frozen=True, tag="row"):
    cents: Cents
    word: Word
    pair: tuple[bytes, bool]
    parts: list[Column]


columns = st.builds(Column, texts, st.lists(st.integers(-(2**63), 2**64 - 1)).map(tuple))
tables = st.builds(
    Table, st.lists(columns, max_size=5).map(tuple), st.none() | st.binary(), st.frozensets(st.integers(0, 300))
)


@given(columns)
def test_a_struct_has_the_reference_encoding_of_its_array_and_comes_back(column: Column) -> None:
    data = encode_typed(column)
    assert data == reference([column.name, list(column.cents)])
    assert decode_typed(data, Column, size_max=len(data)) == column


def test_tags_enums_and_pairs_are_arrays_and_scalars() -> None:
    row = Row(Cents(5), Word.YES, (b"a", True), [Column("x", (1, 2))])
    assert encode_typed(row) == reference(["row", 5, "yes", [b"a", True], [["x", [1, 2]]]])
    assert decode_typed(encode_typed(row), Row, size_max=100) == row


@given(tables)
def test_nested_structs_come_back(table: Table) -> None:
    data = encode_typed(table)
    assert decode_typed(data, Table, size_max=SIZE_MAX) == table
    assert decode(data, size_max=SIZE_MAX) == msgpack.unpackb(data)


@given(tables, st.data())
def test_a_damaged_struct_is_refused_or_is_another_one(table: Table, data: st.DataObject) -> None:
    good = encode_typed(table)
    at = data.draw(st.integers(0, len(good)))
    cut = data.draw(st.integers(0, 3))
    bad = good[:at] + data.draw(st.binary(max_size=3)) + good[at + cut :]
    assume(bad != good)
    try:
        other = decode_typed(bad, Table, size_max=SIZE_MAX)
    except NotCanonical:
        return
    assert reference(msgpack.unpackb(bad, strict_map_key=False)) == bad
    assert other != table


@given(st.binary(max_size=40), st.sampled_from(TYPES))
def test_any_bytes_are_refused_or_the_one_encoding_of_a_typed_value(data: bytes, type_: Any) -> None:
    try:
        decode_typed(data, type_, size_max=40)
    except NotCanonical:
        return
    assert reference(msgpack.unpackb(data)) == data


@pytest.mark.parametrize(
    ("why", "value"),
    [
        ("a default left out: the encoding writes it", ["x"]),
        ("one field more", ["x", [], 1]),
        ("a field too deep to be looked at", ["x", [], [[[[[1]]]]]]),
        ("another type", [1, []]),
        ("an integer as a float", ["x", [1.0]]),
        ("a boolean for an integer", ["x", [True]]),
        ("text for bytes", [b"x", []]),
        ("a map for an array", {"name": "x", "cents": []}),
        ("nothing", []),
    ],
)
def test_what_is_not_the_one_encoding_of_a_struct_is_refused(why: str, value: Any) -> None:
    assert decode_typed(reference(["x", []]), Column, size_max=100) == Column("x")
    with pytest.raises(NotCanonical):
        decode_typed(msgpack.packb(value), Column, size_max=100)


def test_a_set_has_one_order_and_no_double() -> None:
    assert decode_typed(b"\x92\x01\x02", frozenset[int], size_max=10) == {1, 2}
    for data in (b"\x92\x02\x01", b"\x92\x01\x01"):
        with pytest.raises(NotCanonical):
            decode_typed(data, frozenset[int], size_max=10)


def test_a_refusal_stays_short_whatever_was_sent() -> None:
    with pytest.raises(NotCanonical) as refusal:
        decode_typed(encode("n" * 100_000), Word, size_max=SIZE_MAX)
    assert len(str(refusal.value.facts["reason"])) <= 200


class Loop(msgspec.Struct, array_like=True):
    inner: Loop | None


class Open(msgspec.Struct, array_like=True):
    parts: tuple[Any, ...]


class Named(msgspec.Struct):
    """Not an array: its encoding would be a map."""

    cents: int


def nest(levels: int) -> Any:
    type_: Any = int
    for _ in range(levels):
        type_ = list[type_]
    return type_


@pytest.mark.parametrize(
    "type_",
    [
        *(Any, object, msgspec.Raw, msgspec.msgpack.Ext, float, list, dict, tuple, Open, Loop, Named),
        *(Annotated[list[Any], msgspec.Meta(max_length=3)], Annotated[float, msgspec.Meta(ge=0)]),
        *(list[float], list[Any], dict[str, Any], int | list[Any], list[Named], nest(DEPTH_MAX + 1)),
    ],
    ids=str,
)
def test_a_type_that_leaves_something_open_is_a_bug(type_: Any) -> None:
    with pytest.raises(ValueError):
        decode_typed(b"\x90", type_, size_max=10)


def test_the_depth_of_a_type_is_bounded() -> None:
    deepest = b"\x91" * (DEPTH_MAX - 1) + b"\x90"
    assert encode_typed(decode_typed(deepest, nest(DEPTH_MAX), size_max=100)) == deepest
    assert decode_typed(b"\x91\x90", nest(2), size_max=10, depth_max=2) == [[]]
    with pytest.raises(ValueError):
        decode_typed(b"\x91\x90", nest(2), size_max=10, depth_max=1)


def test_a_thousand_amounts_are_decoded_in_well_under_a_millisecond() -> None:
    data = encode_typed(Column("x", tuple(range(10**6, 10**6 + 1000))))
    decode_typed(data, Column, size_max=SIZE_MAX)
    best = 10**9
    for _ in range(50):  # about 30 microseconds on the machine this was written on
        begun = time.perf_counter_ns()
        decode_typed(data, Column, size_max=SIZE_MAX)
        best = min(best, time.perf_counter_ns() - begun)
    assert best < 500_000
