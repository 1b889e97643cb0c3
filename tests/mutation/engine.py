"""Run tests against mutants: one forked child each, in which the module is imported as the mutant.

`MODULES` says which tests are about which module, the most telling first. A mutant is killed by the first test that
fails, by an error, or by time; it survives if all pass.
"""

from __future__ import annotations

import gc
import importlib
import importlib.abc
import importlib.util
import math
import os
import resource
import signal
import sys
import tempfile
import time
import tomllib
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final

from tests.mutation.mutants import Mutant, find_mutants

ROOT: Final = Path(__file__).parents[2]
SURVIVORS: Final = Path(__file__).with_name("survivors.toml")
# Of a processor: a machine that has others to serve takes no mutant for one that never ends. What only waits, and asks
# nothing of a processor, is stopped after so many times that.
MUTANT_SECONDS: Final = 60
WAITS: Final = 20
MEMORY_BYTES: Final = 3 * 1024**3

_OUT_OF_TIME: Final = (signal.SIGXCPU, signal.SIGKILL)

_OF: Final = "tests/protocol/test_{}.py"
_IN: Final = "tests/ledger/test_{}.py"
_VECTORS: Final = _OF.format("vectors")
# About all of the protocol: values that cannot change, codes that are explained, the shape of what is sent.
_OF_PROTOCOL: Final = (_OF.format("values"), _OF.format("wire_shapes"))
# It starts another process, which imports the module as it is: it kills nothing.
_UNMUTATED: Final = "vector_files"
MODULES: Final[Mapping[str, tuple[str, ...]]] = {
    "protocol/amounts.py": (_OF.format("amounts"),),
    "protocol/times.py": (_OF.format("times"),),
    "protocol/identifiers.py": (_OF.format("identifiers"),),
    "protocol/cession.py": (_OF.format("cession"),),
    "protocol/merkle.py": (_OF.format("merkle"),),
    "protocol/canonical.py": (_OF.format("canonical"), _VECTORS),
    "protocol/clearing.py": (_OF.format("clearing"), _OF.format("national"), _VECTORS),
    "protocol/directory.py": (_OF.format("directory"), _VECTORS),
    "protocol/national.py": (_OF.format("national"), _VECTORS),
    "protocol/evidence.py": (_OF.format("evidence"), _VECTORS),
    "protocol/keys.py": (_OF.format("keys"), _VECTORS),
    "protocol/envelopes.py": (_OF.format("envelopes"), _VECTORS),
    "protocol/messages.py": (_OF.format("messages"), _VECTORS),
    "protocol/replay.py": (_OF.format("replay"), _OF.format("national"), _VECTORS),
    "protocol/book/seals.py": ("tests/book/test_seals.py",),
    "protocol/house.py": (_OF.format("house"),),
    "protocol/conversion.py": (_OF.format("conversion"),),
    "protocol/territory_card.py": (_OF.format("territory_card"),),
    "protocol/catalogue.py": (_OF.format("catalogue"),),
    "protocol/publications.py": (_OF.format("publications"),),
    "protocol/held_changes.py": (_OF.format("held_changes"),),
    "protocol/distances.py": (_OF.format("distances"),),
    "protocol/obligations.py": (_OF.format("obligations"),),
    "protocol/netting.py": (_OF.format("netting"),),
    "protocol/windows.py": (_OF.format("windows"),),
    "protocol/national_file.py": (_OF.format("national_file"),),
    "node/ledger/draws.py": (_IN.format("draws"),),
    "node/ledger/lots.py": (_IN.format("lots"),),
    "node/ledger/accounts.py": (_IN.format("accounts"),),
    "node/ledger/openings.py": (_IN.format("accounts"),),
    "node/ledger/endowments.py": (_IN.format("lots"),),
    "node/ledger/fingerprints.py": (_IN.format("fingerprints"),),
    "node/ledger/postings.py": (_IN.format("postings"),),
    "node/ledger/reversals.py": (_IN.format("reversals"),),
    "node/ledger/reservations.py": (_IN.format("reservations"),),
    "node/ledger/statements.py": (_IN.format("statements"),),
    "node/ledger/recent_ids.py": (_IN.format("recent_ids"),),
    "node/ledger/credits.py": (_IN.format("runs"),),
    "node/ledger/runs.py": (_IN.format("runs"), _IN.format("postings")),
    "node/ledger/desk.py": (
        *(_IN.format("postings"), _IN.format("reservations"), _IN.format("reversals"), _IN.format("runs")),
    ),
}
# Loaded before forking: whatever is not ours.
_LIBRARIES: Final = (
    *("pytest", "pytest_asyncio", "pytest_timeout", "hypothesis.strategies", "hypothesis.stateful"),
    *(
        "aiohttp",
        "alembic.command",
        "msgpack",
        "msgspec",
        "nacl.signing",
        "psycopg",
        "pymerkle",
        "sqlalchemy",
        "structlog",
    ),
)


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: killed, timeout (killed too) or survived."""

    mutant: Mutant
    outcome: str
    seconds: float


class TestsFail(Exception):
    """The tests fail without any change: nothing can be learnt from mutants."""


class _Importer(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module as the mutant."""

    def __init__(self, name: str, file: Path, code: CodeType) -> None:
        self._name, self._file, self._code = name, file, code

    def find_spec(self, name: str, _path: object, _target: object = None) -> ModuleSpec | None:
        if name != self._name:
            return None
        return importlib.util.spec_from_file_location(name, self._file, loader=self)

    def create_module(self, _spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)  # noqa: S102 - this is what a loader does


class _Order:
    """In the child: runs the tests that killed last before the others, and tells which one kills now."""

    def __init__(self, killers: Sequence[str], pipe: int) -> None:
        self._rank = {name: rank for rank, name in enumerate(reversed(killers))}
        self._pipe = pipe

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items.sort(key=lambda item: self._rank.get(item.nodeid, len(self._rank)))

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            os.write(self._pipe, report.nodeid.encode()[:4_000])


def explained() -> dict[str, dict[str, str]]:
    """Return for each module its explained survivors and why nobody need kill them."""
    return tomllib.loads(SURVIVORS.read_text()) if SURVIVORS.exists() else {}


def mutants_of(module: str) -> list[Mutant]:
    return list(find_mutants((ROOT / module).read_text()))


def run(module: str, tests: Sequence[str], mutants: Sequence[Mutant]) -> Iterator[Verdict]:
    """Yield the verdict on each mutant of the module under these tests.

    Our own packages must not be imported yet in this process: a child imports them, mutated.
    """
    assert not any(name.split(".")[0] in ("protocol", "node", "hub") for name in sys.modules), "imported too early"
    for library in _LIBRARIES:
        importlib.import_module(library)
    gc.freeze()  # what is loaded stays: no child looks through it again
    with tempfile.TemporaryDirectory(prefix="mutation-") as cache:
        yield from _run(module, tests, mutants, cache)


def _run(module: str, tests: Sequence[str], mutants: Sequence[Mutant], cache: str) -> Iterator[Verdict]:
    whole = Mutant("nothing changed", 0, (ROOT / module).read_text(), None)
    began = _spent()
    if mutants and _try(module, tests, whole, MUTANT_SECONDS, [], cache) != "survived":
        raise TestsFail(f"{', '.join(tests)} do not pass on {module} as it is")
    seconds = 3 + 3 * (_spent() - began)  # a mutant that never ends is killed as well
    killers: list[str] = []
    for mutant in mutants:
        started = time.monotonic()
        outcome = _try(module, tests, mutant, seconds, killers, cache)
        yield Verdict(mutant, outcome, time.monotonic() - started)


def _spent() -> float:
    """Return the seconds of a processor that all children took that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _try(module: str, tests: Sequence[str], mutant: Mutant, seconds: float, killers: list[str], cache: str) -> str:
    """Return the outcome; the test that killed becomes the last of `killers`."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.setpgid(0, 0)  # what a test starts ends with it
        limit = math.ceil(seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        sys.pycache_prefix, sys.dont_write_bytecode = cache, False  # all that is not mutated is compiled once
        _become(module, tests, mutant, _Order(killers, writing))
    os.close(writing)
    give_up = time.monotonic() + WAITS * seconds
    outcome = "timeout"
    while outcome == "timeout" and time.monotonic() < give_up:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            outcome = "survived" if code == 0 else "timeout" if -code in _OUT_OF_TIME else "killed"
            break
        time.sleep(0.01)
    else:
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if killer := os.read(reading, 4_000).decode():
        killers[:] = [one for one in killers if one != killer] + [killer]
    os.close(reading)
    return outcome


def _become(module: str, tests: Sequence[str], mutant: Mutant, order: _Order) -> None:
    """In the child: import the mutant, run the tests, and end with pytest's exit code."""
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))  # a list that grows for ever is killed
        null = os.open(os.devnull, os.O_WRONLY)
        if not os.environ.get("MUTATION_SHOWS"):
            os.dup2(null, 1)
            os.dup2(null, 2)
        os.environ["HYPOTHESIS_PROFILE"] = "mutation"
        name = module.removesuffix(".py").replace("/", ".")
        sys.meta_path.insert(0, _Importer(name, ROOT / module, compile(mutant.make_tree(), str(ROOT / module), "exec")))
        import pytest

        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--assert=plain", "--no-header"]
        options += ["-p", "no:unraisableexception", "-p", "no:threadexception"]  # they collect garbage five times
        options += [f"--rootdir={ROOT}", "-k", f"not postgresql and not {_UNMUTATED}"]
        shared = _OF_PROTOCOL if module.startswith("protocol/") else ()
        code = int(pytest.main([*options, *shared, *tests], plugins=[order]))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)
