"""docs/trust.md holds what it promises: forty cells, each with tests that exist and assert the number it names."""

from __future__ import annotations

import ast
import re
from typing import Final

import pytest

from tests.architecture.named_tests import ROOT, functions_of

SECURITY: Final = ROOT / "tests" / "security"
ATTACKS: Final = ("rewrite", "drop", "reorder", "fork", "replay", "invent", "double cede", "mint")
ATTACKERS: Final = {
    "hub operator": "The hub operator",
    "node operator": "The node operator",
    "database administrator": "The database administrator of one base",
    "network": "The network",
    "thief of a key": "The thief of a key",
}
COLUMNS: Final = ["attack", "what happens", "who finds out", "exchanges", "evidence", "test"]
NAMED: Final = re.compile(r"`([\w/]+\.py)::(\w+)`")
TEXT: Final = (ROOT / "docs" / "trust.md").read_text()


def _rows(text: str) -> list[list[str]]:
    """Return the cells of the lines of a table, its line of dashes left out."""
    lines = [line.strip().strip("|") for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.split("|")] for line in lines]
    return [row for row in cells if set("".join(row)) - set("- ")]


def _section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no section {title}"
    return found.group(1)


def _table(attacker: str) -> dict[str, list[str]]:
    head, *rows = _rows(_section(ATTACKERS[attacker]))
    assert head == COLUMNS
    return {row[0]: row for row in rows}


def _functions(file: str) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    return functions_of(ROOT / file if "/" in file else SECURITY / file)


def find_counts(function: ast.AST) -> set[int]:
    """Return the numbers that a function compares `await count_exchanges(…)` with, in its asserts."""
    counts: set[int] = set()
    for node in ast.walk(function):
        if not (isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare)):
            continue
        left, right = node.test.left, node.test.comparators[0]
        if not (isinstance(left, ast.Await) and isinstance(left.value, ast.Call) and isinstance(right, ast.Constant)):
            continue
        called = left.value.func
        if isinstance(called, ast.Name) and called.id == "count_exchanges" and isinstance(right.value, int):
            counts.add(right.value)
    return counts


CELLS: Final = [(attacker, attack) for attacker in ATTACKERS for attack in ATTACKS]


def test_there_are_forty_cells_and_no_other() -> None:
    assert len(CELLS) == 40
    for attacker in ATTACKERS:
        assert tuple(_table(attacker)) == ATTACKS


@pytest.mark.parametrize(("attacker", "attack"), CELLS)
def test_each_cell_is_filled_and_names_tests_that_exist(attacker: str, attack: str) -> None:
    row = _table(attacker)[attack]
    assert len(row) == len(COLUMNS), "a cell holds a bar of its own"
    assert all(row)
    named = NAMED.findall(row[-1])
    assert named, "no test shows it"
    assert row[-1].count("`") == 2 * len(named), "something else than tests stands there"
    for file, name in named:
        assert name.startswith("test_")
        assert name in _functions(file), f"{file} has no {name}"


@pytest.mark.parametrize(("attacker", "attack"), CELLS)
def test_each_number_of_exchanges_is_one_that_a_named_test_asserts(attacker: str, attack: str) -> None:
    row = _table(attacker)[attack]
    told = {int(number) for number in re.findall(r"\d+", row[3])}
    assert told or "never" in row[3]
    counted: set[int] = set()
    for file, name in NAMED.findall(row[-1]):
        counted |= find_counts(_functions(file)[name])
    # What a test counts is told; what is more than the attacking envelope itself was counted.
    assert counted <= told
    assert {number for number in told if number > 1} <= counted


def test_the_overview_says_what_the_tables_say() -> None:
    head, *rows = _rows(_section("How to read the tables"))
    assert tuple(head[1:]) == ATTACKS
    overview = {re.sub(r"\[(.*?)\].*", r"\1", row[0]): row[1:] for row in rows}
    assert tuple(overview) == tuple(ATTACKERS)
    for attacker, words in overview.items():
        for attack, word in zip(ATTACKS, words, strict=True):
            told = _table(attacker)[attack][3]
            numbers = [int(number) for number in re.findall(r"\d+", told)]
            fits = {
                "prevented": numbers == [0],
                "at once": bool(numbers) and max(numbers) <= 1 and "never" not in told,
                "bounded": "never" in told or "Bound" in _table(attacker)[attack][1],
                "not found": told == "never",
            }.get(word, word == f"within {max(numbers, default=0)}")
            assert fits, f"{attacker}, {attack}: {word}, but {told}"


def test_every_test_named_anywhere_on_the_page_exists() -> None:
    named = NAMED.findall(TEXT)
    assert len(named) > 40
    for file, name in named:
        assert name in _functions(file), f"{file} has no {name}"
    for path in re.findall(r"`(tests/[\w/]+\.py)`", TEXT):
        assert (ROOT / path).exists()


def test_the_page_begins_with_ten_plain_lines() -> None:
    lines = [line for line in TEXT.split("##")[0].splitlines()[1:] if line]
    assert [line.split(".")[0] for line in lines] == [str(number) for number in range(1, 11)]


def test_a_count_that_no_test_asserts_is_seen() -> None:
    planted = "async def test_a():\n    assert await count_exchanges(w, c, f) == 3\n    assert x == 4\n"
    assert find_counts(ast.parse(planted)) == {3}
    assert find_counts(ast.parse(planted.replace("assert await", "await"))) == set()
