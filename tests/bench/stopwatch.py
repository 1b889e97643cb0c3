"""Run families of measurements, one after the other, each in a folder of its own that is removed."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.bench import cessions, credits, growth, logs, tills
from tests.bench.figures import Figure
from tests.bench.sizes import Sizes
from tests.postgres import PostgresServer

Measure = Callable[[Path, Sizes, PostgresServer], Iterator[Figure]]

# What runs when nothing is named: all goals, and what takes seconds.
USUAL: Final[Mapping[str, Measure]] = {
    "bulk": credits.measure_bulk,
    "purchases": credits.measure_purchases,
    "postgres": credits.measure_on_postgres,
    "full": credits.measure_full_base,
    "cessions": cessions.measure_cessions,
    "replay": logs.measure_replay,
    "growth": logs.measure_growth,
    "weight": growth.measure_weight,
}
# What takes many minutes: by name, or with --large.
LARGE: Final[Mapping[str, Measure]] = {"members": growth.measure_members, "till": tills.measure_tills}
FAMILIES: Final = {**USUAL, **LARGE}


def measure(names: Sequence[str], sizes: Sizes, say: Callable[[str], None]) -> list[Figure]:
    """Return the figures of these families."""
    figures: list[Figure] = []
    server = PostgresServer.start()
    try:
        for name in names:
            say(name)
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                figures += FAMILIES[name](Path(folder), sizes, server)
    finally:
        server.stop()
    return figures


def describe(figures: Sequence[Figure], sizes: Sizes) -> dict[str, Any]:
    """Return what goes to a file."""
    return {
        "figures": [figure.tell() for figure in figures],
        "met": all(figure.is_met for figure in figures),
        "rounds": sizes.rounds,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"processors": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
    }


def save(file: Path, figures: Sequence[Figure], sizes: Sizes) -> None:
    file.write_text(json.dumps(describe(figures, sizes), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def end_code(figures: Sequence[Figure]) -> int:
    """Return 0 where every gate is reached, else 1."""
    return 0 if all(figure.is_met for figure in figures) else 1
