"""What each test costs: seconds of processor, its own processes' and the server's included, and seconds waited.

    python -m pytest -n 0 -p tests.costs --costs 25 tests/fund        the 25 dearest files, and the sum by folder

Seconds of processor are the same on a busy machine; what lies between them and the seconds waited is waiting: for a
disk, for another process, or for a processor that somebody else has. With `-n`, each test process's figures are added.
It reads `/proc`: on Linux only.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Final

import pytest

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_NAME: Final = "costs"
_BEGAN: Final = pytest.StashKey[tuple[float, float]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--costs", type=int, default=20, help="how many of the dearest files to tell")


def _spent() -> float:
    """Seconds of processor of this process, of its children that ended, and of those that live."""
    now = os.times()
    return now.user + now.system + now.children_user + now.children_system + _spent_by_living()


def _spent_by_living() -> float:
    ticks = 0
    for children in Path("/proc/self/task").glob("*/children"):
        for child in _read(children).split():
            told = _read(Path(f"/proc/{child}/stat")).rpartition(")")[2].split()
            ticks += sum(int(one) for one in told[11:15])
    return ticks / _TICKS


def _read(file: Path) -> str:
    """A process may end between its name and its figures."""
    try:
        return file.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.stash[_BEGAN] = (_spent(), time.monotonic())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fixtures are counted with the first test that asked for them. A report travels between test processes."""
    report = yield
    if report.when == "teardown" and _BEGAN in item.stash:
        spent, began = item.stash[_BEGAN]
        report.user_properties.append((_NAME, [_spent() - spent, time.monotonic() - began]))
    return report


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_Costs(config.getoption("--costs")))


class _Costs:
    """The sums, kept where the reports arrive."""

    def __init__(self, told: int) -> None:
        self._told = told
        self._spent: dict[str, Counter[str]] = {"folder": Counter(), "file": Counter(), "test": Counter()}
        self._waited: Counter[str] = Counter()
        self._tests: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for spent, waited in (figures for name, figures in report.user_properties if name == _NAME):
            file = report.nodeid.partition("::")[0]
            for kind, name in (("folder", str(Path(file).parent)), ("file", file), ("test", report.nodeid)):
                self._spent[kind][name] += spent
                self._waited[name] += waited
                self._tests[name] += 1

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for kind, spent in self._spent.items():
            terminalreporter.section(f"costs by {kind}")
            terminalreporter.write_line("processor  lasted  tests")
            for name, seconds in spent.most_common(None if kind == "folder" else self._told):
                terminalreporter.write_line(
                    f"{seconds:7.1f} s {self._waited[name]:5.1f} s  {self._tests[name]:5}  {name}"
                )
        terminalreporter.write_line(f"{sum(self._spent['folder'].values()):7.1f} s of processor in all")
