"""The whole story with real processes over loopback: real keys, real kills, real files, on both bases."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

PROGRAM = Path(__file__).parents[2] / "scripts" / "federation_demo.py"


def _load() -> ModuleType:
    spec = spec_from_file_location("federation_demo", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.timeout(900)
@pytest.mark.parametrize("base", ["sqlite", "postgresql"])
def test_rights_cross_territories_and_nothing_is_lost_when_processes_are_killed(
    base: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    program = _load()
    make_database: Callable[[str], str] = lambda _code: ""  # noqa: E731
    if base == "postgresql":
        create: Callable[[], str] = request.getfixturevalue("postgres_url")
        make_database = lambda _code: create()  # noqa: E731
    demo = program.Demo(
        tmp_path, nodes=3, seed=7, make_database=make_database, citizens=60, houses=3 if base == "sqlite" else 0
    )
    try:
        result = asyncio.run(demo.run())
    finally:
        demo.stop()
    assert [one for one in result["checks"] if not one["ok"]] == []
    assert result["ok"]
    assert result["books"] == (15 if base == "sqlite" else 6)
    if base == "postgresql":
        return  # the bases of a house on PostgreSQL have tests of their own
    documents = Path(result["documents"])
    assert len(list(documents.rglob("*.pdf"))) == 6
    assert len(list(documents.rglob("*FEC*.txt"))) == 3
    cycle = result["cycle"]
    assert (cycle["missed"]["returned_cents"], len(cycle["missed"]["to_territories"])) == (1_100, 2)
    assert sorted(cycle["direct"]["paid_cents"].values()) == [1_000, 1_400], "each fund pays what its own donors gave"
    [payment], positions = cycle["netted"]["payments"], cycle["netted"]["positions"]
    assert (payment["cents"], sorted(one["net_cents"] for one in positions)) == (700, [-700, 700])
    assert (cycle["blocked"]["code"], cycle["south"]["refused"]) == ("round_refused", "programme_blocked")
    assert cycle["pass"] == {"issued": "good", "afterwards": "revoked"}
    assert sorted(cycle["solidarity"]["shares_cents"]) == [388, 389]
    for name in ("delivered", "returned", "recalled", "refused", "by_file", "killed"):
        assert result["counts"][name] > 0
