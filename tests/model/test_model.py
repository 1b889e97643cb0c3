"""The model stands for functions that exist, has no error in any state, and finds each planted bug."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODEL = (ROOT / "docs" / "model" / "exchange.pml").read_text(encoding="utf-8")
README = (ROOT / "docs" / "model" / "README.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| \[(\w+)\] \| `([\w/.]+)` `(\w+)` \|$", README, re.MULTILINE)
BUGS = sorted(set(re.findall(r"BUG_([A-Z_]+[A-Z])\b", MODEL)))
HAS_SPIN = all(shutil.which(tool) for tool in ("spin", "gcc"))


def _run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "model"), "--json", *options], capture_output=True, text=True
    )


@pytest.fixture
def spin() -> None:
    if not HAS_SPIN:
        pytest.skip("THE MODEL WAS NOT CHECKED: install spin and gcc (as root: scripts/system-packages)")


def test_every_mark_of_the_model_is_in_the_table_and_back() -> None:
    assert sorted(re.findall(r"/\* \[(\w+)\] \*/", MODEL)) == sorted(mark for mark, _, _ in ROWS)


@pytest.mark.parametrize(("mark", "path", "function"), ROWS)
def test_every_function_of_the_table_exists(mark: str, path: str, function: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert function in {
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }, mark


@pytest.mark.usefixtures("spin")
def test_every_state_of_the_model_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    done = _run()
    assert done.returncode == 0, done.stdout + done.stderr
    runs = json.loads(done.stdout)["runs"]
    with capsys.disabled():
        for run in runs:
            print(f"\nmodel: {run['property']}: {run['states']} states, {run['transitions']} transitions")
    assert all(run["states"] > 100_000 for run in runs), "a model that reaches little proves little"


@pytest.mark.usefixtures("spin")
@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug: str) -> None:
    done = _run("--bug", bug)
    assert done.returncode == 1, done.stdout + done.stderr
    assert sum(run["errors"] for run in json.loads(done.stdout)["runs"])
