"""The whole story with real processes over loopback: real keys, real kills, real files, on SQLite.

On PostgreSQL the lived house lives a cycle (test_lived_house), and processes are killed there (tests/killing).
"""

from __future__ import annotations

import asyncio
import sys
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
def test_rights_cross_territories_and_nothing_is_lost_when_processes_are_killed(tmp_path: Path) -> None:
    demo = _load().Demo(tmp_path, nodes=3, seed=7, make_database=lambda _code: "", citizens=60, houses=3)
    try:
        result = asyncio.run(demo.run())
    finally:
        demo.stop()
    assert [one for one in result["checks"] if not one["ok"]] == []
    assert result["ok"]
    assert result["books"] == 15
    documents = Path(result["documents"])
    assert len(list(documents.rglob("*.pdf"))) == 6
    assert len(list(documents.rglob("*FEC*.txt"))) == 3
    cycle = result["cycle"]
    assert (cycle["missed"]["returned_cents"], len(cycle["missed"]["to_territories"])) == (1_100, 2)
    assert sorted(cycle["direct"]["paid_cents"].values()) == [1_000, 1_400], "each fund pays what its own donors gave"
    [payment], positions = cycle["netted"]["payments"], cycle["netted"]["positions"]
    assert (payment["cents"], sorted(one["net_cents"] for one in positions)) == (700, [-700, 700])
    assert (cycle["blocked"]["code"], cycle["south"]["refused"]) == ("round_refused", "programme_blocked")
    audit = cycle["audit"]
    assert (audit["waits"]["code"], audit["verdict"]) == ("audit_not_ended", "sound")
    assert (audit["candidates"], audit["missions"]) == (2, ["declined", "done"])
    assert cycle["pass"] == {"issued": "good", "afterwards": "revoked"}
    assert sorted(cycle["solidarity"]["shares_cents"]) == [388, 389]
    for name in ("delivered", "returned", "recalled", "refused", "by_file", "killed"):
        assert result["counts"][name] > 0
