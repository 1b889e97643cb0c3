"""Processes that die under load lose nothing; a node that answers before it commits is found out."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.killing.harness import count_kills, run_story
from tests.postgres import PostgresServer

KILLS = 4
ACKNOWLEDGED = 51
KILLS_OF_A_BUG = 6


@pytest.mark.timeout(300)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_processes_that_are_killed_under_load_lose_nothing(database: str, tmp_path: Path) -> None:
    # A server of its own: it is stopped and cut, and other tests must not feel it. Its machine is not.
    server = PostgresServer.start(is_durable=False) if database == "postgresql" else None
    try:
        outcome = asyncio.run(run_story(tmp_path, kills=KILLS, seed=1, acknowledged=ACKNOWLEDGED, server=server))
    finally:
        if server is not None:
            server.stop()
    assert outcome.wrongs == [], outcome.wrongs[:5]
    assert (outcome.lost, outcome.twice) == (0, 0)
    assert sum(count_kills(outcome).values()) >= KILLS
    assert outcome.acknowledged > 50


@pytest.mark.timeout(300)
def test_a_node_that_answers_before_it_commits_is_found_out(tmp_path: Path) -> None:
    program = (sys.executable, "-m", "tests.killing.planted")
    outcome = asyncio.run(run_story(tmp_path, kills=KILLS_OF_A_BUG, seed=1, program=program))
    assert outcome.lost or outcome.wrongs
