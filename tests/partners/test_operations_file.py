"""Operations by CSV: what is read, what is refused, row by row, and a million rows."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.partners.errors import OperationsFileRefused
from node.partners.operations_file import (
    LINE_BYTES_MAX,
    OperationKind,
    Report,
    Row,
    add_to_report,
    read_operations,
)
from protocol.amounts import Cents
from protocol.identifiers import AccountNumber, TerritoryCode, parse_address, write_address
from protocol.running.explanations import explain
from tests.partners.values import BAKERY

HOME = "200046977"
ALICE = write_address("7K3F92QX", HOME)
BOB = write_address("00000001", HOME)
HEADING = "id;kind;account;amount;label\n"


def _read(
    data: bytes | str | list[bytes],
    *,
    left: int = 10**12,
    own: frozenset[str] = frozenset(),
    rows_max: int = 1000,
) -> list[Row]:
    pieces = [data.encode()] if isinstance(data, str) else [data] if isinstance(data, bytes) else data
    return list(
        read_operations(
            pieces,
            budget_left=Cents(left),
            company=BAKERY,
            own=frozenset(parse_address(text) for text in own),
            rows_max=rows_max,
        )
    )


def _codes(rows: list[Row]) -> list[str]:
    return ["" if row.refusal is None else row.refusal.code for row in rows]


def test_a_row_is_an_operation() -> None:
    (row,) = _read(f"{HEADING}E-1;staff;{ALICE};12,50;fin d'année\n")
    assert row.operation is not None
    told = row.operation
    assert (row.number, told.id, told.kind, told.cents, told.label) == (2, "E-1", "staff", 1250, "fin d'année")
    assert (told.account.number, told.account.territory) == (AccountNumber("7K3F92QX"), TerritoryCode(HOME))


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_separator_encoding_and_ends_of_lines_are_found(separator: str, encoding: str, end: str) -> None:
    lines = [
        ["Montant", "Libellé", "Compte", "Ville", "Nature", "Identifiant"],
        ["1.5", '"dîner ; d\'été, | €"', ALICE.lower(), "Brest", "Salarié", "é1"],
        ["2", "", BOB, "", "fournisseur", "é2"],
    ]
    data = "".join(separator.join(line) + end for line in lines).encode(encoding)
    rows = _read(data)
    assert [row.operation and (row.operation.id, row.operation.kind, row.operation.cents) for row in rows] == [
        ("é1", OperationKind.STAFF, 150),
        ("é2", OperationKind.SUPPLIER, 200),
    ]
    assert rows[0].operation is not None
    assert rows[0].operation.label == "dîner ; d'été, | €"
    assert rows[-1].end == len(data)


def test_the_first_line_that_is_not_ascii_decides_the_encoding() -> None:
    lines = [HEADING.encode(), f"1;staff;{ALICE};1;a\n".encode(), f"2;staff;{ALICE};1;é\n".encode("cp1252")]
    rows = _read([*lines, f"3;staff;{ALICE};1;é\n".encode("cp1252"), f"4;staff;{ALICE};1;\x81\n".encode("latin-1")])
    assert _codes(rows) == ["", "", "", "row_unreadable"]
    assert [row.operation.label for row in rows if row.operation] == ["a", "é", "é"]
    rows = _read([HEADING.encode(), f"1;staff;{ALICE};1;é\n".encode(), f"2;staff;{ALICE};1;é\n".encode("cp1252")])
    assert _codes(rows) == ["", "row_unreadable"]


def test_an_encoding_once_decided_is_kept() -> None:
    first = f"1;staff;{ALICE};1;é\n".encode("cp1252")
    rows = _read([HEADING.encode(), first, f"2;staff;{ALICE};1;Á\n".encode()])  # its second byte is no Windows-1252
    assert _codes(rows) == ["", "row_unreadable"]


@pytest.mark.parametrize(
    ("row", "code", "fact"),
    [
        (f";staff;{ALICE};1;x", "operation_field_wrong", "id"),
        (f"{'x' * 65};staff;{ALICE};1;x", "operation_field_wrong", "id"),
        (f"1;boss;{ALICE};1;x", "operation_field_wrong", "kind"),
        (f"1;staff;{ALICE[:-1]};1;x", "operation_field_wrong", "account"),
        (f"1;staff;8{ALICE[1:]};1;x", "operation_field_wrong", "account"),
        (f"1;staff;{ALICE};12,505;x", "operation_field_wrong", "amount"),
        (f"1;staff;{ALICE};1 000;x", "operation_field_wrong", "amount"),
        (f"1;staff;{ALICE};-1;x", "operation_field_wrong", "amount"),
        (f"1;staff;{ALICE};1e3;x", "operation_field_wrong", "amount"),
        (f"1;staff;{ALICE};١;x", "operation_field_wrong", "amount"),
        (f"1;staff;{ALICE};;x", "operation_field_wrong", "amount"),
        (f"1;staff;{ALICE};0,00;x", "invalid_amount", ""),
        (f"1;staff;{ALICE};9999999999999.99;x", "budget_too_small", ""),
        (f"1;staff;{ALICE};1;{'x' * 141}", "operation_field_wrong", "label"),
        (f"1;staff;{ALICE};1;a\x07", "operation_field_wrong", "label"),
        (f"1;staff;{ALICE};1", "row_unreadable", ""),
        (f"1;staff;{ALICE};1;x;y", "row_unreadable", ""),
        (f'1;staff;{ALICE};1;"open', "row_unreadable", ""),
        (f'1;staff;{ALICE};1;"a"b', "row_unreadable", ""),
        (f"1;staff;{ALICE};1;\0", "row_unreadable", ""),
        (f"1;staff;{ALICE};1;{'x' * LINE_BYTES_MAX}", "row_unreadable", ""),
        (f"1;staff;{BOB};1;own", "own_group", ""),
    ],
)
def test_one_wrong_row_is_told_and_spoils_no_other(row: str, code: str, fact: str) -> None:
    good = f"before;staff;{ALICE};1;x\n", f"after;staff;{ALICE};1;x\n"
    rows = _read(HEADING + good[0] + row + "\n" + good[1], own=frozenset({BOB}))
    assert _codes(rows) == ["", code, ""]
    assert [told.number for told in rows] == [2, 3, 4]
    refusal = rows[1].refusal
    assert refusal is not None
    assert refusal.facts.get("column", "") == fact
    assert "…" not in explain(refusal.code, refusal.facts, "fr")


def test_an_id_told_twice_names_the_earlier_row_even_a_wrong_one() -> None:
    rows = _read(f"{HEADING}a;boss;{ALICE};1;\nb;staff;{ALICE};1;\na;staff;{ALICE};1;\nb;staff;{ALICE};1;\n")
    assert _codes(rows) == ["operation_field_wrong", "", "operation_duplicate", "operation_duplicate"]
    assert [row.refusal.facts["row"] for row in rows[2:] if row.refusal] == [2, 3]


def test_rows_are_held_against_the_budget_in_order() -> None:
    rows = _read(
        f"{HEADING}a;staff;{ALICE};6;\nb;staff;{ALICE};5;\nc;staff;{ALICE};4;\nd;staff;{ALICE};0,01;\n", left=1000
    )
    assert _codes(rows) == ["", "budget_too_small", "", "budget_too_small"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\n", "lacks"),
        (b"id;kind;account\n", "amount"),
        (b"id kind account amount\n", "lacks"),
        (b"id;kind;account;amount;montant\n", "twice"),
        (HEADING.encode("utf-16"), "UTF-16"),
        (b"x" * 5000, "4096"),
        (b"x" * 5000 + b"\n", "4096"),
    ],
)
def test_a_file_that_is_not_understood_is_refused_whole(data: bytes, reason: str) -> None:
    with pytest.raises(OperationsFileRefused) as refusal:
        _read(data)
    assert reason in str(refusal.value.facts["reason"])


def test_a_heading_with_a_nul_is_refused() -> None:
    with pytest.raises(OperationsFileRefused):
        _read(b"id;kind;account;amount;\0\n")


def test_blank_lines_count_as_lines_and_not_as_rows() -> None:
    rows = _read(f"{HEADING}\n  \na;staff;{ALICE};1;\n\n", rows_max=1)
    assert [row.number for row in rows] == [4]


def test_more_rows_than_allowed_refuse_the_file() -> None:
    data = HEADING + "".join(f"{at};staff;{ALICE};1;\n" for at in range(4))
    assert len(_read(data, rows_max=4)) == 4
    with pytest.raises(OperationsFileRefused):
        _read(data, rows_max=3)


@given(
    st.lists(
        st.sampled_from(
            [b"a;staff;", ALICE.encode(), b";1;", b"\n", b"\r\n", b'"', b"\xe9", "é".encode(), b"x" * 3000]
        ),
        max_size=25,
    ),
    st.lists(st.integers(0, 30_000), max_size=6),
)
def test_rows_do_not_depend_on_how_the_file_is_cut_into_pieces(parts: list[bytes], cuts: list[int]) -> None:
    data = HEADING.encode() + b"".join(parts)
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    pieces = [data[start:stop] for start, stop in itertools.pairwise(places)]

    def told(rows: list[Row]) -> list[tuple[object, ...]]:
        return [(row.number, row.end, row.operation, str(row.refusal)) for row in rows]

    whole = told(_read(data))
    assert told(_read(pieces)) == whole
    # Said again: the lines that are not blank, each with its number and where it ends.
    lines = data.split(b"\n")
    ends = [len(b"\n".join(lines[: at + 1])) + (at + 1 < len(lines)) for at in range(len(lines))]
    assert [(row[0], row[1]) for row in whole] == [
        (at + 1, ends[at]) for at in range(1, len(lines)) if lines[at].strip()
    ]


def _million(rows: int, planted: dict[int, bytes]) -> Iterator[bytes]:
    yield HEADING.encode()
    accounts = [write_address(f"{at:08d}", HOME).encode() for at in range(1000)]
    for start in range(0, rows, 1000):
        yield b"".join(
            planted.get(at) or b"op-%d;staff;%b;1,25;prime\n" % (at, accounts[at % 1000])
            for at in range(start, start + 1000)
        )


def test_a_million_rows_with_planted_errors_are_told_one_by_one() -> None:
    rows = 1_000_000
    account = ALICE.encode()
    planted = {
        0: b"op-x;staff;%b;1,255;\n" % account,
        12_345: b"op-12344;staff;%b;1;twice\n" % account,
        499_999: b'op-y;staff;%b;1;"open\n' % account,
        500_000: b"op-z;staff;%b;1;%b\n" % (account, b"x" * 100_000),
        999_999: b"op-1;boss;%b;1;\n" % account,
    }
    report = Report()
    problems: list[tuple[int, str]] = []
    for row in read_operations(
        _million(rows, planted), budget_left=Cents(10**12), company=BAKERY, own=frozenset(), rows_max=rows
    ):
        add_to_report(report, row, problems_max=3)
        if row.refusal is not None:
            problems.append((row.number, row.refusal.code))
    assert problems == [
        (2, "operation_field_wrong"),
        (12_347, "operation_duplicate"),
        (500_001, "row_unreadable"),
        (500_002, "row_unreadable"),
        (1_000_001, "operation_duplicate"),
    ]
    assert (report.rows, report.accepted, report.cents) == (rows, rows - 5, (rows - 5) * 125)
    assert report.by_kind == {OperationKind.STAFF: (rows - 5) * 125}
    assert report.by_code == {"operation_field_wrong": 1, "operation_duplicate": 2, "row_unreadable": 2}
    assert [row.number for row in report.problems] == [2, 12_347, 500_001]
    assert not report.is_clean


def test_a_line_without_an_end_is_not_kept_in_memory() -> None:
    def endless() -> Iterator[bytes]:
        yield HEADING.encode()
        for _ in range(2_000):
            yield b"x" * 10_000

    tracemalloc.start()
    try:
        (row,) = read_operations(endless(), budget_left=Cents(0), company=BAKERY, own=frozenset(), rows_max=9)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert row.refusal is not None
    assert row.end == len(HEADING) + 20_000_000


def test_a_dry_run_gives_the_rows_of_the_run() -> None:
    data = f"{HEADING}a;staff;{ALICE};1;\nb;boss;{ALICE};1;\na;prospect;{BOB};2;\n"
    first, second = _read(data), _read(data)
    assert [(row.operation, str(row.refusal)) for row in first] == [(row.operation, str(row.refusal)) for row in second]
