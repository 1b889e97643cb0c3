"""What pages wrote, written again into an older copy: row for row the same, also after pages that were taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Boolean, Column, Engine, LargeBinary, MetaData, Table, Text, insert, select

from protocol.book.recording_store import OPTION, Recorder, Statement, find_numbered, listen, write_again
from protocol.book.store import open_engine
from protocol.book.tables import RowId

metadata = MetaData()
things = Table(
    "things",
    metadata,
    Column("number", RowId, primary_key=True),  # the database gives it
    Column("name", Text, nullable=False),
    Column("is_ours", Boolean, nullable=False),
    Column("data", LargeBinary),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def engines(request: pytest.FixtureRequest, tmp_path: Path) -> list[Engine]:
    """A base and its older copy, both empty."""
    make: Callable[[], str] = (
        request.getfixturevalue("postgres_url")
        if request.param == "postgresql"
        else iter([f"sqlite:///{tmp_path / name}" for name in "ab"]).__next__
    )
    made = [open_engine(make()) for _ in range(2)]
    for engine in made:
        metadata.create_all(engine)
    return made


def _rows(engine: Engine) -> list[Any]:
    with engine.connect() as line:
        return [tuple(row) for row in line.execute(select(things).order_by(things.c.number))]


def test_rows_get_their_numbers_again_whatever_was_taken_back(engines: list[Engine]) -> None:
    base, copy = engines
    recorder = Recorder(["things"], find_numbered([metadata]))
    listen(base)
    kept: list[Statement] = []

    def row(name: str) -> dict[str, Any]:
        return {"name": name, "is_ours": name < "c", "data": name.encode()}

    def write(*names: str, ends: str = "commit") -> None:
        with base.connect().execution_options(**{OPTION: recorder}) as line:
            recorder.begin()
            page = line.begin()
            for name in names:
                savepoint = line.begin_nested()
                line.execute(insert(things), row(name))
                if name.isupper():  # refused: what it wrote is taken back
                    savepoint.rollback()
                else:
                    savepoint.commit()
            if ends == "commit":
                page.commit()
                kept.extend(recorder.take())
            else:
                page.rollback()

    write("a", "B", "c")
    write("d", "e", ends="rollback")
    write("F", "g")
    with base.connect().execution_options(**{OPTION: recorder}) as line, line.begin():
        recorder.begin()
        line.execute(insert(things), [row(name) for name in "hij"])
        kept.extend(recorder.take())
    with copy.connect() as line, line.begin():
        write_again(line, kept, recorder)
    found = _rows(base)
    assert [(number, name) for number, name, *_ in found] == list(enumerate("acghij", 1))
    assert [is_ours for _, _, is_ours, _ in found] == [name < "c" for name in "acghij"]
    assert _rows(copy) == found
    for engine in engines:
        engine.dispose()
