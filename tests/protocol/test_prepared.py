"""What threads decode for the first time at once is known before there are threads: msgspec would end the process."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from protocol import canonical

ROOT: Final = Path(__file__).resolve().parents[2]
THREADS: Final = """
import sys, threading
sys.setswitchinterval(1e-7)
from protocol.house import HouseSlip, OpenPool, Refused, decode_house_slip, encode_house_slip
leaf = encode_house_slip(HouseSlip(1, "ACCOUNTS", 7, (Refused(bytes(16), "x"), OpenPool(bytes(16), "b"))))
gate = threading.Barrier(6)

def decode():
    gate.wait()
    for _ in range(20):
        decode_house_slip(leaf)

threads = [threading.Thread(target=decode) for _ in range(6)]
for one in threads:
    one.start()
for one in threads:
    one.join()
"""


def _asked_types() -> Iterator[tuple[str, str]]:
    """Yield (module, name) of each type that `decode_typed` is asked for, wherever it is called by its name."""
    for package in ("protocol", "node", "hub"):
        for file in sorted((ROOT / package).rglob("*.py")):
            module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            tree = ast.parse(file.read_text(encoding="utf-8"))
            # What a command loads only where it is named is prepared by the module that it comes from.
            late = {
                alias.name: node.module or ""
                for function in ast.walk(tree)
                if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
                for node in ast.walk(function)
                if isinstance(node, ast.ImportFrom)
                for alias in node.names
            }
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "decode_typed":
                    assert isinstance(node.args[1], ast.Name), f"{module}:{node.lineno}: a type by its name"
                    yield late.get(node.args[1].id, module), node.args[1].id


def test_every_type_that_is_decoded_was_prepared_when_its_module_was_imported() -> None:
    asked = sorted(set(_asked_types()))
    assert len(asked) > 20
    code = f"""
import importlib
from protocol import canonical
types = [getattr(importlib.import_module(module), name) for module, name in {asked!r}]
before = canonical._decoder.cache_info().misses
for type_ in types:
    canonical._decoder(type_, canonical.DEPTH_MAX)
assert canonical._decoder.cache_info().misses == before, "a type that nobody prepared"
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("_time", range(4))
def test_threads_that_decode_for_the_first_time_at_once_do_not_end_the_process(_time: int) -> None:
    done = subprocess.run([sys.executable, "-c", THREADS], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_prepared_is_not_learnt_again() -> None:
    kind = importlib.import_module("protocol.house").HouseSlip
    canonical.prepare(kind)
    before = canonical._decoder.cache_info()
    canonical.prepare(kind, kind)
    after = canonical._decoder.cache_info()
    assert (after.misses, after.hits) == (before.misses, before.hits + 2)
