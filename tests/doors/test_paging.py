"""Lists are paged: every row once, in the list's own order, whatever changes between two pages."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from node.desks.fund import call_commands
from node.desks.fund.commands import app
from node.desks.fund.rows import ROWS_MAX, PageRequest, take_page
from node.desks.fund.steps import FUND_STEPS
from protocol.errors import Malformed
from tests.doors.place import make_fund_place
from tests.doors.test_fund_doors import Treasury
from tests.fund.dues_world import ask_pledge, fund_lot, make_due, make_order, owe
from tests.fund.fund_world import FundWorld

PAGED = [step for step in FUND_STEPS.steps if step.asks is not None and issubclass(step.asks, PageRequest)]
FORWARD = {"donors", "overdue", "due-proposals", "windows", "fund-windows"}  # not from the newest row back


@pytest.fixture
async def treasury(tmp_path: Path) -> AsyncIterator[Treasury]:
    world = FundWorld(lambda name: f"sqlite:///{tmp_path / name}.db")
    made = Treasury(world, make_fund_place(world, tmp_path))
    await made.open()
    yield made
    await made.place.close()
    world.close()


async def walk(treasury: Treasury, name: str, **query: Any) -> list[list[dict[str, Any]]]:
    """Return the pages of a list, as its door gives them one after the other."""
    pages: list[list[dict[str, Any]]] = []
    cursor = ""
    while len(pages) < 100:
        told = await treasury.place.do(treasury.reader, name, query={**query, "limit": 2, "cursor": cursor})
        pages.append(told["rows"])
        cursor = told["next"]
        if not cursor:
            return pages
    raise AssertionError("it never ends")


async def test_every_list_is_walked_page_by_page(treasury: Treasury) -> None:
    world = treasury.world
    lot = await fund_lot(world, 1_000)
    people = [await treasury.person() for _ in range(3)]
    for number, person in enumerate(people):
        await treasury.expect(person, 100 + number, due="2026-11-01")
        order = make_order(project=bytes([number]) * 16, title=f"Jardin {number}")
        await owe(world, make_due(world, (lot, 10 + number), order=order))
        await ask_pledge(world, 500 + number)
        world.take(world.statement(world.paid(7, text="?")))
    found = {}
    for step in PAGED:
        whole = (await treasury.place.do(treasury.reader, step.called))["rows"]
        pages = await walk(treasury, step.called)
        if step.called not in FORWARD:
            pages.reverse()
        assert [row for page in pages for row in page] == whole, step.called
        assert all(len(page) <= 2 for page in pages)
        found[step.called] = len(pages)
        cursor, seen, left = "", 0, -1
        while left:
            told = await treasury.place.ask(step.command, cursor=cursor, limit=2, counts=True)
            cursor, seen, left = told["next"], seen + len(told["rows"]), told["left"]
            assert seen + left == len(whole), "who reads is told how many rows are left"
        assert cursor == ""
    assert {name for name, count in found.items() if count > 1} >= {
        *("donors", "expected", "overdue", "movements", "dues", "due-proposals"),
    }
    await walk(treasury, "movements", waiting_only="true")
    for step in PAGED:
        for wrong in ({"cursor": "ab" * 16}, {"limit": 0}, {"limit": 501}):
            status, code = await treasury.place.refusal(treasury.reader, step.called, query=wrong)
            assert (status, code) == (400, "malformed"), step.called


def test_a_list_says_how_many_rows_are_left_and_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def answer(_folder: Path, command: str, **more: Any) -> Any:
        asked.append({"command": command, **more})
        return {"rows": [{"name": "a"}], "next": "" if more["cursor"] else "ab12", "left": 0 if more["cursor"] else 7}

    monkeypatch.setattr(call_commands, "call_fund", answer)
    for language, words in (("fr", "7 de plus : --after ab12"), ("en", "7 more: --after ab12")):
        monkeypatch.setenv("CITIZEN_MILES_LANG", language)
        told = CliRunner().invoke(app, ["donor", "list", "x"])
        assert told.stdout.splitlines()[-1] == words
    told = CliRunner().invoke(app, ["donor", "list", "x", "--limit", "1", "--json"])
    assert json.loads(told.stdout) == [{"name": "a"}], "a program reads rows alone"
    assert told.stderr.splitlines() == ["7 more: --after ab12"]
    told = CliRunner().invoke(app, ["bank", "queue", "x", "--after", "ab12"])
    assert "--after" not in told.output
    page = {"limit": ROWS_MAX, "counts": True}
    assert asked[0] == {"command": "donors", "cursor": "", **page}
    assert asked[-1] == {"command": "movements", "waiting_only": True, "cursor": "ab12", **page}
    assert CliRunner().invoke(app, ["donor", "list", "x", "--limit", "501"]).exit_code == 2


def test_whatever_is_cut_at_a_number_of_rows_is_paged() -> None:
    """The description says it: who asks for a page is told whether there is another."""
    for step in FUND_STEPS.steps:
        has_next = any(field.name == "next" for field in msgspec.structs.fields(step.answers))
        assert has_next is (step in PAGED), step.called
    names = {one["name"] for one in FUND_STEPS.describe()["paths"]["/v1/fund/dues"]["get"]["parameters"]}
    assert {"cursor", "limit", "open_only"} <= names


@settings(max_examples=30)
@given(st.integers(0, 12), st.integers(1, 5), st.booleans(), st.sets(st.integers(0, 12)), st.sets(st.integers(0, 12)))
def test_each_row_is_on_one_page_also_where_rows_fall_out_between_pages(
    count: int, limit: int, is_newest_last: bool, gone: set[int], gone_later: set[int]
) -> None:
    """What is picked no more when a page is asked for is not on it; everything else is, once, in order."""
    rows, cursor, seen, hidden = list(range(count)), "", [], gone
    for _ in range(count + 2):
        told = take_page(
            rows,
            {"cursor": cursor, "limit": limit},
            str,
            lambda row: row,
            is_newest_last=is_newest_last,
            keep=lambda row: row not in hidden,  # noqa: B023 - asked at once
        )
        seen += reversed(told["rows"]) if is_newest_last else told["rows"]
        hidden = gone | gone_later
        if not (cursor := told["next"]):
            break
    else:
        raise AssertionError("it never ends")
    assert len(set(seen)) == len(seen)
    assert seen == sorted(seen, reverse=is_newest_last)
    assert set(rows) - gone - gone_later <= set(seen) <= set(rows) - gone
    assert take_page(rows, {}, str, lambda row: row) == rows[-ROWS_MAX:]
    with pytest.raises(Malformed):
        take_page(rows, {"cursor": "99"}, str, lambda row: row)
