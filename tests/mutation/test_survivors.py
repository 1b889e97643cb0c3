"""Explanations name mutants that still are mutants; the engine tells a killed mutant from one that lives."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.mutation.engine import MODULES, ROOT, explained, mutants_of
from tests.mutation.mutants import find_mutants

SOURCE: Final = '''
"""A docstring is no code."""
LIMIT = 3

def choose(values, *, is_open=True):
    """Nor is this."""
    if not values:
        raise ValueError("words are not changed")
    return [one for one in values if one < LIMIT and is_open]
'''


def test_every_explanation_names_a_mutant_of_today_and_says_why() -> None:
    for module, reasons in explained().items():
        names = {mutant.name for mutant in mutants_of(module)}
        assert set(reasons) <= names, f"{module}: explained, and no longer there"
        assert all(len(reason) > 20 and "\n" not in reason for reason in reasons.values())


def test_every_module_and_every_test_that_is_named_is_there() -> None:
    for module, tests in MODULES.items():
        assert (ROOT / module).is_file()
        assert tests
        assert all((ROOT / test).is_file() for test in tests)
    assert set(explained()) <= set(MODULES)


# Words of refusals and findings, nothing that decides.
NOT_MUTATED: Final = {"protocol/errors.py", "protocol/findings.py", "node/ledger/errors.py"}
PURE_BESIDE: Final = {"protocol/book/seals.py"}  # a noun among roles
ROLES: Final = ("commands", "service", "store", "tables", "checks", "__init__")


def test_every_pure_file_of_the_protocol_and_the_ledger_is_mutated() -> None:
    files = {
        path.relative_to(ROOT).as_posix()
        for folder in ("protocol", "node/ledger")
        for path in (ROOT / folder).glob("*.py")
    }
    nouns = {file for file in files if not file.removesuffix(".py").endswith(ROLES)}
    assert (nouns - NOT_MUTATED) | PURE_BESIDE == set(MODULES)


def test_every_place_where_code_decides_has_its_mutant() -> None:
    names = [mutant.name for mutant in find_mutants(SOURCE)]
    assert names == [
        "module: 3 -> 4",
        "choose: True -> False",
        "choose: not values -> bool(values)",
        "choose: raise ValueError('words are not changed') -> pass",
        "choose: return [one for one in values if one < LIMIT and is_open] -> return None",
        "choose: one < LIMIT and is_open -> one < LIMIT or is_open",
        "choose: one < LIMIT -> one <= LIMIT",
    ]


def test_a_mutant_lives_where_no_test_looks_and_dies_where_one_does(tmp_path: Path) -> None:
    looks = ("assert values.CENTS_MAX", "assert values.CENTS_MAX == 10**15")
    tests = [tmp_path / f"test_{number}.py" for number in range(len(looks))]
    for test, look in zip(tests, looks, strict=True):
        test.write_text(f"from protocol import amounts as values\n\ndef test_it():\n    {look}\n")
    code = (
        "import json, sys\nfrom tests.mutation.engine import mutants_of, run\n"
        "found = [one for one in mutants_of('protocol/amounts.py') if one.name == 'module: 15 -> 16']\n"
        "for test in sys.argv[1:]:\n"
        "    print(json.dumps([one.outcome for one in run('protocol/amounts.py', [test], found)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, tests)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert [json.loads(line) for line in done.stdout.splitlines()] == [["survived"], ["killed"]], done.stderr
