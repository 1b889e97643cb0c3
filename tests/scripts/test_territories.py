"""The carried map of France holds its rules, and the script that reduces it refuses what does not."""

from __future__ import annotations

from collections import Counter
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "territories"


def _load() -> Any:
    loader = SourceFileLoader("territories_script", str(SCRIPT))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


territories = _load()


def _row(siren: str, **changed: Any) -> dict[str, Any]:
    row = {
        "code": siren,
        "nom": "CC du Test",
        "type": "CC",
        "populationMunicipale": 10,
        "membres": [{"code": "97302", "nom": "Cayenne"}, {"code": "29019", "nom": "Brest"}],
    }
    return row | changed


def test_the_carried_file_holds_its_rules() -> None:
    carried = territories.check_file(territories.TARGET.read_text(encoding="utf-8"))
    kinds = Counter(row["kind"] for row in carried["territories"])
    assert kinds == {"CC": 989, "CA": 230, "METRO": 21, "CU": 14, "MET69": 1}
    assert carried["members_count"] == 34_871
    assert carried["population"] == 68_010_643


def test_rows_are_reduced_and_put_in_order() -> None:
    rows = territories.reduce_map([_row("242900314"), _row("200046977", nom="Lyon")])
    assert [row["siren"] for row in rows] == ["200046977", "242900314"]
    assert rows[0]["department"] == "973"
    assert rows[0]["members"] == [["29019", "Brest"], ["97302", "Cayenne"]]
    territories.require_rules(rows, count=2)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"code": "242900315"}, "not a SIREN"),
        ({"populationMunicipale": 0}, "population"),
        ({"type": "ZZ"}, "unknown kind"),
        ({"nom": ""}, "no name"),
    ],
)
def test_a_row_that_breaks_a_rule_is_named(changed: dict[str, Any], reason: str) -> None:
    rows = territories.reduce_map([_row("242900314") | changed])
    with pytest.raises(territories.BadMap, match=reason):
        territories.require_rules(rows, count=1)


def test_a_missing_row_or_a_row_twice_is_seen() -> None:
    rows = territories.reduce_map([_row("242900314"), _row("242900314")])
    with pytest.raises(territories.BadMap, match="expected"):
        territories.require_rules(rows, count=3)
    with pytest.raises(territories.BadMap, match="twice"):
        territories.require_rules(rows, count=2)
