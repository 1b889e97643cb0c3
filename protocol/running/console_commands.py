"""What the command lines share: tables or JSON, progress, and refusals that say what to do."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from protocol.amounts import format_cents
from protocol.errors import Refusal
from protocol.findings import Checked
from protocol.running.explanations import explain

screen = Console()
errors = Console(stderr=True)


def choose_language() -> str:
    """Return fr or en, by the environment; French unless English is asked for."""
    wanted = os.environ.get("CITIZEN_MILES_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or "fr"
    return "en" if wanted.lower().startswith(("en", "c.", "c", "posix")) else "fr"


@contextmanager
def refusals_explained() -> Iterator[None]:
    """Print a refusal as a sentence and leave with 1."""
    try:
        yield
    except Refusal as refusal:
        errors.print(f"[red]{explain(refusal.code, refusal.facts, choose_language())}[/red]  ({refusal.code})")
        raise typer.Exit(1) from None


def show(value: Any, *, as_json: bool, title: str = "") -> None:
    """Print a JSON value as it is, or as a table of names and values, or of rows."""
    if as_json:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
    elif isinstance(value, Mapping):
        table = Table(title=title or None, show_header=False)
        for name, one in value.items():
            table.add_row(str(name), _text(name, one))
        screen.print(table)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        show_rows(value, title=title)
    else:
        screen.print(value)


def show_rows(rows: Sequence[Any], *, title: str = "") -> None:
    """Print rows of the same names as a table."""
    if not rows:
        screen.print(f"{title}: -" if title else "-")
        return
    names = list(rows[0])
    table = Table(title=title or None)
    for name in names:
        table.add_column(name, justify="right" if isinstance(rows[0][name], int) else "left")
    for row in rows:
        table.add_row(*(_text(name, row.get(name)) for name in names))
    screen.print(table)


def _text(name: Any, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool) and "cents" in str(name):
        return format_cents(value, choose_language())
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


@contextmanager
def progress(title: str) -> Iterator[Callable[[str], None]]:
    """Show a turning wheel with what is being done, on a terminal; nothing in a pipe."""
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=errors, transient=True
    ) as bar:
        task = bar.add_task(title)
        yield lambda what: bar.update(task, description=f"{title}: {what}")


def show_checked(checked: Sequence[Checked], *, as_json: bool) -> bool:
    """Print what was checked; return whether all of it holds."""
    is_held = all(one.is_held for one in checked)
    if as_json:
        rows = [
            {
                "invariant": one.invariant,
                "rule": one.rule,
                "looked_at": one.looked_at,
                "held": one.is_held,
                "findings": [finding.as_row() for finding in one.findings[:20]],
            }
            for one in checked
        ]
        show({"ok": is_held, "checked": rows}, as_json=True)
        return is_held
    table = Table()
    for name in ("", "invariant", "rule", "looked at", "first finding"):
        table.add_column(name, justify="right" if name == "looked at" else "left")
    for one in checked:
        first = one.findings[0] if one.findings else None
        told = "" if first is None else f"{first.place}: expected {first.expected}, found {first.found}"
        mark = "[green]✓[/green]" if one.is_held else "[red]✗[/red]"
        table.add_row(mark, one.invariant, one.rule, str(one.looked_at), told)
    screen.print(table)
    return is_held
