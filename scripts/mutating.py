"""Mutate the pure protocol and the ledger, and name the mutants that no test notices.

  scripts/mutate                         every module (long: an hour or more)
  scripts/mutate protocol/amounts.py     these
  scripts/mutate --limit 50 MODULE       the first 50 mutants of each
  scripts/mutate --list                  the modules and how many mutants each has

A survivor is killed by a new test, or explained in one line in tests/mutation/survivors.toml. Exit 1 if one is neither.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests.mutation.engine import MODULES, explained, mutants_of, run  # noqa: E402 - from the folder named above


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--limit", type=int, default=0, help="at most so many mutants of each module")
    parser.add_argument("--only", default="", help="mutants whose name holds this text")
    parser.add_argument("--survivors", action="store_true", help="only those explained: are they still alive?")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--list", action="store_true", help="print the modules")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.modules) - set(MODULES)):
        parser.error(f"no such module: {', '.join(unknown)}; --list names them")
    modules = asked.modules or list(MODULES)
    if asked.list:
        for module in modules:
            print(f"{len(mutants_of(module)):5} {module}")
        return 0
    os.chdir(ROOT)
    figures = [mutate(module, asked) for module in modules]
    show(figures)
    if asked.json:
        asked.json.write_text(json.dumps({"modules": figures}, indent=2, ensure_ascii=False) + "\n")
    return 1 if any(one["survivors"] for one in figures) else 0


def mutate(module: str, asked: Any) -> dict[str, Any]:
    """Run the mutants of one module; return its figures, survivors that nobody explained by name and line."""
    known = explained().get(module, {})
    mutants = [
        one for one in mutants_of(module) if asked.only in one.name and (not asked.survivors or one.name in known)
    ]
    mutants = mutants[: asked.limit or None]
    figures: dict[str, Any] = {"module": module, "mutants": len(mutants), "killed": 0, "explained": 0, "survivors": []}
    figures["killed_though_explained"] = []
    columns = (TextColumn(module), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(module, total=len(mutants))
        for verdict in run(module, MODULES[module], mutants):
            name = verdict.mutant.name
            if verdict.outcome != "survived":
                figures["killed"] += 1
                if name in known:
                    figures["killed_though_explained"].append(name)
            elif name in known:
                figures["explained"] += 1
            else:
                figures["survivors"].append({"line": verdict.mutant.line, "mutant": name})
                bar.console.print(f"{module}:{verdict.mutant.line}: survived: {name}", markup=False, soft_wrap=True)
            bar.advance(task)
    return figures


def show(figures: list[dict[str, Any]]) -> None:
    """Print the table of modules and, below it, each survivor and each explanation that is no longer needed."""
    table = Table("module", "mutants", "killed", "explained", "survived")
    for column in table.columns[1:]:
        column.justify = "right"
    for one in figures:
        table.add_row(
            one["module"], *(str(one[name]) for name in ("mutants", "killed", "explained")), str(len(one["survivors"]))
        )
    Console().print(table)
    for one in figures:
        for survivor in one["survivors"]:
            print(f"{one['module']}:{survivor['line']}: survived: {survivor['mutant']}")
        for name in one["killed_though_explained"]:
            print(f"{one['module']}: killed, its explanation can go: {name}")


if __name__ == "__main__":
    sys.exit(main())
