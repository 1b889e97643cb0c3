"""The dated rates: each set has its source and its certainty, and the days of a rate neither overlap nor leave a gap."""

from __future__ import annotations

import datetime
import tomllib
from importlib import resources
from itertools import pairwise
from typing import Any

import pytest

from node.fund.tax_parameters_store import (
    load_company_ceiling,
    load_company_rates,
    load_counterpart_rules,
    load_help_rules,
    load_personal_rules,
)

TOLD: dict[str, list[dict[str, Any]]] = tomllib.loads(
    (resources.files("node.fund") / "parameters" / "tax.toml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", sorted(TOLD))
def test_the_days_of_a_rate_follow_each_other(name: str) -> None:
    rows = sorted(TOLD[name], key=lambda row: row["valid_from"])
    for before, after in pairwise(rows):
        assert after["valid_from"] - before["valid_to"] == datetime.timedelta(days=1)
    assert "valid_to" not in rows[-1]
    assert all(row["source"] and row["mark"][0] in "VRD" for row in rows)


def test_what_holds_today() -> None:
    day = datetime.date(2026, 12, 31)
    ceiling, rates, personal = load_company_ceiling(day), load_company_rates(day), load_personal_rules(2026)
    assert (ceiling.fixed, ceiling.per_mille, ceiling.carry_years) == (2_000_000, 5, 5)
    assert (rates.rate, rates.full_rate_max, rates.rate_above, rates.reduction_carry_years) == (
        *(6_000, 200_000_000, 4_000, 5),
    )
    assert (personal.rate, personal.income_limit, personal.carry_years) == (6_600, 2_000, 5)
    assert (load_help_rules(day).rate, load_help_rules(day).cents_max) == (7_500, 200_000)
    counterpart = load_counterpart_rules(day)
    assert (counterpart.rate_max, counterpart.cents_max) == (2_500, 7_300)


def test_before_the_first_set_nothing_is_guessed() -> None:
    for load in (load_company_ceiling, load_company_rates, load_help_rules, load_counterpart_rules):
        with pytest.raises(LookupError):
            load(datetime.date(2000, 1, 1))
    with pytest.raises(LookupError):
        load_personal_rules(2004)
