"""A house whose processes die under load loses nothing; one that answers tills before it commits is found out."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.killing.house import run_house_story
from tests.postgres import PostgresServer

KILLS = 3


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("database", "is_apart"), [("sqlite", False)])
def test_a_house_that_is_killed_under_load_loses_nothing(database: str, is_apart: bool, tmp_path: Path) -> None:
    # A server of its own: it is stopped and cut, and other tests must not feel it. Its machine is not.
    server = PostgresServer.start(is_durable=False) if database == "postgresql" else None
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
