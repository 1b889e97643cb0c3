"""Empty books, made once for each process and copied: to bring a new base up to date takes longer than most tests."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Final

from protocol.book.migration_service import History
from protocol.book.service import Book
from protocol.times import Instant

_PREFIX: Final = "sqlite:///"


def lay(url: str, history: History) -> str:
    """Put an empty base of that history where an SQLite address names a file that is not there; return the address."""
    file = Path(url.removeprefix(_PREFIX))
    if url.startswith(_PREFIX) and not file.exists():
        shutil.copyfile(_make(history), file)
    return url


@lru_cache(maxsize=16)
def _make(history: History) -> Path:
    folder = tempfile.TemporaryDirectory(prefix="templates-")
    atexit.register(folder.cleanup)
    file = Path(folder.name) / f"{history.name}.db"
    Book(f"{_PREFIX}{file}", history=history, clock=lambda: Instant(0)).close()
    return file
