"""The projects' base adds itself up again, verifies what people signed, and holds itself against the logs."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, select

from node.governance.passes.pass_checks import INVARIANT as PASSES
from node.governance.passes.pass_checks import RULE, check_passes
from node.governance.store import seal_of
from node.governance.tables import metadata
from protocol.book.checks import check_logs, guarded
from protocol.book.stream_store import stream
from protocol.directory import Directory
from protocol.findings import Checked, Finding

Progress = Callable[[str], None]
INVARIANT = "I6"  # each euro paid: one conversion, one eligible bearer, and the decision that it follows from


def check_projects(connection: Connection, neighbours: Directory, on_progress: Progress) -> list[Checked]:
    """Return each invariant of the projects' base, how much was looked at, and where it is broken. One snapshot."""
    checked: list[Checked] = []
    for name, rule, check in (
        (INVARIANT, "rows are as they were written", _check_seals),
        (PASSES, RULE, check_passes),
    ):
        on_progress(rule)
        checked += guarded(name, rule, lambda check=check: [check(connection)])  # type: ignore[misc]
    return checked + guarded("I7", "logs are whole", lambda: check_logs(connection, neighbours, on_progress))


def _check_seals(connection: Connection) -> Checked:
    findings: list[Finding] = []
    looked_at = 0
    for table in metadata.sorted_tables:
        keys = list(table.primary_key)
        for row in stream(connection, select(table).order_by(*keys)):
            looked_at += 1
            if bytes(row.seal) != seal_of(table, row):
                name = " ".join(_show(row._mapping[key]) for key in keys)
                findings.append(Finding(INVARIANT, f"{table.name} {name}", "as it was sealed", "changed"))
    return Checked(INVARIANT, "rows are as they were written", looked_at, tuple(findings[:1]))


def _show(value: object) -> str:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)
