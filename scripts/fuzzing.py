"""Fuzz the decoders that face the outside, on both cores, for as long as asked.

  scripts/fuzz                         every target, 60 seconds each
  scripts/fuzz slip evidence           these
  scripts/fuzz --seconds 600 --json F  longer; figures to F
  scripts/fuzz --list                  the targets

What grows is kept in .fuzz/ and serves the next run. A crasher is kept there too, with the command that replays it.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests.fuzz.targets import TARGETS  # noqa: E402 - from the folder that the line above names

_RUNS = re.compile(r"stat::number_of_executed_units:\s+(\d+)")
_STARTED = re.compile(r"INITED cov: (\d+) ft: (\d+) corp: (\d+)/")
_STATE = re.compile(r"^#\d+\s+\w+\s+cov: (\d+) ft: (\d+) corp: (\d+)/", re.MULTILINE)
_CRASHERS = ("crash-*", "timeout-*", "oom-*")


def fuzz(target: str, asked: Any) -> dict[str, Any]:
    """Fuzz one target in a process of its own; return its figures."""
    folder = asked.work / target
    before = _crashers(folder)
    command = [sys.executable, "-m", "tests.fuzz.engine", target, "--work", str(asked.work)]
    command += ["--seconds", str(asked.seconds), "--seed", str(asked.seed)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        told = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        raise SystemExit(f"fuzz: {target} did not run\n{done.stderr[-2_000:]}") from None
    log = (folder / "log").read_text(errors="replace")
    runs, started, ended = _RUNS.search(log), _STARTED.search(log), _STATE.findall(log)
    return {
        "target": target,
        "guided": told["guided"],
        "seconds": told["seconds"],
        "executions": int(runs[1]) if runs else 0,
        "corpus_before": int(started[3]) if started else 0,
        "corpus_after": int(ended[-1][2]) if ended else 0,
        "edges_before": int(started[1]) if started else 0,
        "edges_after": int(ended[-1][0]) if ended else 0,
        "failed": told["code"] != 0,
        "crashers": sorted(str(file.relative_to(ROOT)) for file in _crashers(folder) - before),
    }


def _crashers(folder: Path) -> set[Path]:
    return {file for pattern in _CRASHERS for file in folder.glob(pattern)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--seed", type=int, default=0, help="of the generator; 0: another one each time")
    parser.add_argument("--jobs", type=int, default=2, help="targets at the same time (2)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--list", action="store_true", help="print the targets")
    asked = parser.parse_args()
    asked.work = ROOT / ".fuzz"
    if asked.list:
        print(*TARGETS, sep="\n")
        return 0
    if unknown := sorted(set(asked.targets) - set(TARGETS)):
        parser.error(f"no such target: {', '.join(unknown)}; --list names them")
    targets = asked.targets or list(TARGETS)
    figures = []
    screen = Console(stderr=True)
    bar = Progress(TextColumn("fuzz"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=screen)
    with bar, ThreadPoolExecutor(asked.jobs) as pool:
        task = bar.add_task("fuzz", total=len(targets))
        for future in as_completed([pool.submit(fuzz, target, asked) for target in targets]):
            figures.append(future.result())
            bar.advance(task)
            if figures[-1]["failed"]:
                bar.console.print(f"{figures[-1]['target']}: FOUND SOMETHING")
    figures.sort(key=lambda one: targets.index(one["target"]))
    show(figures)
    if asked.json:
        asked.json.write_text(json.dumps({"targets": figures}, indent=2) + "\n")
    return 1 if any(one["failed"] for one in figures) else 0


def show(figures: list[dict[str, Any]]) -> None:
    """Print the table, and how each crasher is replayed."""
    table = Table("target", "executions", "per second", "corpus", "edges", "found")
    for column in table.columns[1:]:
        column.justify = "right"
    for one in figures:
        table.add_row(
            one["target"],
            f"{one['executions']:,}",
            f"{one['executions'] / max(one['seconds'], 0.1):,.0f}",
            f"{one['corpus_before']} → {one['corpus_after']}",
            f"{one['edges_before']} → {one['edges_after']}",
            str(len(one["crashers"])) if one["failed"] else "",
        )
    Console().print(table)
    total = sum(one["executions"] for one in figures)
    found = [one for one in figures if one["failed"]]
    print(f"{len(figures)} targets, {total:,} executions, {len(found)} with a finding")
    if not all(one["guided"] for one in figures):
        print("atheris is not here: inputs were mutated without coverage")
    for one in found:
        print(f"\n{one['target']}: the last words of the run are in .fuzz/{one['target']}/log; replay with")
        for file in one["crashers"]:
            print(f"    .venv/bin/python -m tests.fuzz.engine {one['target']} --replay {file}")


if __name__ == "__main__":
    sys.exit(main())
