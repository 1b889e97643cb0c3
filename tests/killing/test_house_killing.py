"""A house whose processes die under load loses nothing; one that answers tills before it commits is found out."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.killing.house import run_house_story
from tests.postgres import PostgresServer

KILLS = 3
KILLS_OF_A_BUG = 6


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("database", "is_apart"), [("sqlite", False), ("sqlite", True), ("postgresql", False)])
def test_a_house_that_is_killed_under_load_loses_nothing(database: str, is_apart: bool, tmp_path: Path) -> None:
    # A server of its own: it is stopped and cut, and other tests must not feel it.
    server = PostgresServer.start() if database == "postgresql" else None
    try:
        outcome = asyncio.run(run_house_story(tmp_path, kills=KILLS, seed=1, is_apart=is_apart, server=server))
    finally:
        if server is not None:
            server.stop()
    assert outcome.wrongs == [], outcome.wrongs[:5]
    assert (outcome.lost, outcome.twice) == (0, 0)
    assert sum(sum(kinds.values()) for kinds in outcome.kills.values()) >= KILLS
    assert outcome.sales > 5
    assert outcome.statements > 0


@pytest.mark.timeout(300)
def test_a_house_that_answers_tills_before_it_commits_is_found_out(tmp_path: Path) -> None:
    program = (sys.executable, "-m", "tests.killing.planted_house")
    outcome = asyncio.run(run_house_story(tmp_path, kills=KILLS_OF_A_BUG, seed=1, program=program))
    assert outcome.lost or outcome.wrongs
