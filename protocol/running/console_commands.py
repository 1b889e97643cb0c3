"""What the command lines share: tables or JSON, progress, and refusals that say what to do.

What is shown was often written by others (a member's name, a reason): it is printed as plain text, without the
control characters that move a terminal.
"""

from __future__ import annotations

import errno
import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import typer

from protocol.amounts import format_cents
from protocol.errors import InvalidAmount, Refusal
from protocol.findings import Checked
from protocol.running.explanations import explain, explain_way_back
from protocol.running.settings import NotConfigured

if TYPE_CHECKING:  # JSON is written without the library of tables, which is loaded where something is drawn
    from rich.console import Console
    from rich.text import Text

_JOINERS: Final = "\u200c\u200d"  # letters' business in Persian, Hindi or Sinhala
_DISK_TROUBLE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
LANGUAGE_VARIABLE: Final = "CITIZEN_MILES_LANG"


class Screen:
    """A terminal's screen, or a pipe; `quiet` says nothing. What draws on it is loaded when it is drawn on."""

    def __init__(self, *, is_errors: bool = False) -> None:
        self._is_errors = is_errors
        self.quiet = False

    @property
    def console(self) -> Console:
        """The terminal as it is now: as wide as its window."""
        from rich.console import Console

        return Console(stderr=self._is_errors)

    def print(self, *what: Any, soft_wrap: bool | None = None) -> None:
        """Print plain words, markup, or what rich draws."""
        if not self.quiet:
            self.console.print(*what, soft_wrap=soft_wrap)


screen = Screen()
errors = Screen(is_errors=True)


def choose_language() -> str:
    """Return fr or en, by the environment; French unless English, or no language at all (C, POSIX), is asked for."""
    wanted = os.environ.get(LANGUAGE_VARIABLE) or os.environ.get("LC_ALL") or os.environ.get("LANG") or "fr"
    name = wanted.lower().partition(".")[0].partition("_")[0]
    return "en" if name in ("en", "c", "posix") else "fr"


@contextmanager
def refusals_explained() -> Iterator[None]:
    """Print what is refused, or what the machine refuses, as a sentence, and leave with 1."""
    try:
        with _machine_explained():
            yield
    except Refusal as refusal:
        from rich.text import Text

        sentence = plain(explain(refusal.code, refusal.facts, choose_language()))
        errors.print(Text(sentence, style="red").append(f"  ({refusal.code})", style="default"), soft_wrap=True)
        raise typer.Exit(1) from None


@contextmanager
def _machine_explained() -> Iterator[None]:
    """Raise StorageUnavailable for a database that fails, NotConfigured for a file that the system refuses."""
    try:
        yield
    except OSError as error:
        if error.errno in _DISK_TROUBLE:
            from protocol.book.store import StorageUnavailable

            raise StorageUnavailable(reason=f"{error.filename or 'the disk'}: {error.strerror}") from None
        raise NotConfigured(reason=str(error)) from None
    except Exception as error:
        # The libraries of a database are loaded by whoever opens one: without them, it is not one that failed.
        database = sys.modules.get("sqlalchemy.exc")
        if database is None or not isinstance(error, database.DBAPIError):
            raise
        from protocol.book.store import StorageUnavailable, storage_reason

        raise StorageUnavailable(reason=storage_reason(error) or "is there a base of this version?") from None


def plain(text: str) -> str:
    """Return the text with every character that a terminal would obey shown as a question mark."""
    return "".join(
        "?" if unicodedata.category(symbol) in ("Cc", "Cf", "Cs") and symbol not in _JOINERS else symbol
        for symbol in text
    )


def read_cents(cents: int | None, euros: str) -> int:
    """Return whole cents from either of two options, exactly. Raises InvalidAmount."""
    if cents is not None and not euros:
        return cents
    match = re.fullmatch(r"(\d{1,13})(?:[.,](\d{2}))?", "".join(euros.split()), re.ASCII)
    if match is None or cents is not None:
        raise InvalidAmount(amount=euros or "-", reason="give either --cents 1234 or --euros 12,34")
    return int(match.group(1)) * 100 + int(match.group(2) or 0)


def say(text: str) -> None:
    """Print one line of plain text, never broken."""
    from rich.text import Text

    screen.print(Text(plain(text)), soft_wrap=True)


def word_way_back(name: str, /, **facts: object) -> str:
    """Return what an operator is told of a base that is put back, in the language of the terminal."""
    return explain_way_back(name, choose_language(), **facts)


def say_way_back(name: str, /, **facts: object) -> None:
    """Print it as one line."""
    say(word_way_back(name, **facts))


def show(value: Any, *, as_json: bool, title: str = "") -> None:
    """Print a JSON value as it is, or as a table of names and values, or of rows."""
    if as_json:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
    elif isinstance(value, Mapping):
        from rich.table import Table

        table = Table(title=title or None, show_header=False)
        for name, one in value.items():
            table.add_row(str(name), _cell(name, one))
        screen.print(table)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        show_rows(value, title=title)
    else:
        say(str(value))


def show_rows(rows: Sequence[Any], *, title: str = "") -> None:
    """Print rows of the same names as a table."""
    if not rows:
        say(f"{title}: -" if title else "-")
        return
    from rich.table import Table

    names = list(rows[0])
    table = Table(title=title or None)
    for name in names:
        table.add_column(name, justify="right" if isinstance(rows[0][name], int) else "left")
    for row in rows:
        table.add_row(*(_cell(name, row.get(name)) for name in names))
    screen.print(table)


def _cell(name: Any, value: Any) -> Text:
    from rich.text import Text

    return Text(plain(_text(name, value)), overflow="fold")


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
    from rich.markup import escape
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=errors.console, transient=True) as bar:
        task = bar.add_task(title)
        yield lambda what: bar.update(task, description=escape(plain(f"{title}: {what}")))


@contextmanager
def bar(title: str) -> Iterator[Callable[[int, int, str], None]]:
    """Show a bar of so many of so many, with what is being done, on a terminal; nothing in a pipe."""
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors.console) as shown:
        task = shown.add_task(title, total=None)

        def advance(done: int, total: int, what: str) -> None:
            shown.update(task, completed=done, total=total, description=escape(plain(f"{title}: {what}")))

        yield advance


def tell_checked(checked: Sequence[Checked]) -> dict[str, Any]:
    """Return what was checked as JSON tells it."""
    rows = [
        {
            "invariant": one.invariant,
            "rule": one.rule,
            "looked_at": one.looked_at,
            "held": one.is_held,
            "findings": [finding.as_row() for finding in one.findings[:20]],
            "seen": [finding.as_row() for finding in one.seen[:20]],
        }
        for one in checked
    ]
    return {"ok": all(one.is_held for one in checked), "checked": rows}


def show_checked(checked: Sequence[Checked], *, as_json: bool) -> bool:
    """Print what was checked; return whether all of it holds."""
    is_held = all(one.is_held for one in checked)
    if as_json:
        show(tell_checked(checked), as_json=True)
        return is_held
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for name in ("", "invariant", "rule", "looked at", "first finding"):
        table.add_column(name, justify="right" if name == "looked at" else "left")
    for one in checked:
        first = next(iter((*one.findings, *one.seen)), None)
        told = "" if first is None else f"{first.place}: expected {first.expected}, found {first.found}"
        mark = Text("✓", style="green") if one.is_held else Text("✗", style="red")
        table.add_row(
            mark, one.invariant, Text(plain(one.rule)), str(one.looked_at), Text(plain(told), overflow="fold")
        )
    screen.print(table)
    return is_held
