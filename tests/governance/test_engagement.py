"""The yearly export for the CEC, by the figures of DOMAIN.md, 6: 200 hours in the year, 100 of them in one association."""

from __future__ import annotations

import csv
import datetime
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.governance.passes import passes
from node.governance.passes.engagement import HEADS, Association, is_fit, tell_year, write_year
from node.governance.passes.holders import Holder
from node.governance.passes.passes import Body, Duty, Pass
from node.governance.skills_store import load_engagement_rules
from protocol.identifiers import Id16, make_account_number
from tests.governance.pass_makers import ACCOUNT, BEARER, make_issued, make_work

RULES = load_engagement_rules(2026)
OTHER_BODY = Body(number="W292000002", name="=Les Amis du port")
COMPANY = Body(number="732829320", name="Une société")
BODIES = {
    BEARER.number: Association(
        number=BEARER.number, is_association=True, is_of_general_interest=True, declared_on=datetime.date(2019, 5, 2)
    ),
    OTHER_BODY.number: Association(
        number=OTHER_BODY.number,
        is_association=True,
        is_of_general_interest=True,
        declared_on=datetime.date(2025, 1, 1),
    ),
    COMPANY.number: Association(
        number=COMPANY.number, is_association=False, is_of_general_interest=False, declared_on=datetime.date(2000, 1, 1)
    ),
}
HOUR = 60


def make(number: int, minutes: tuple[tuple[int, int], ...], *, body: Body = BEARER, **changes: Any) -> Pass:
    holder = Holder(account=changes.pop("account", ACCOUNT), people=changes.pop("people", 1))
    work = make_work(bearer=body, minutes=minutes, **{"duty": Duty.GOVERNING, **changes})
    return make_issued(id=Id16(number.to_bytes(16, "big")), holder=holder, work=work)


def read(text: str) -> list[dict[str, str]]:
    heads, *rows = csv.reader(io.StringIO(text), delimiter=";")
    assert tuple(heads) in {HEADS["fr"], HEADS["en"]}
    return [dict(zip(heads, row, strict=True)) for row in rows]


@pytest.mark.parametrize(
    ("in_one", "in_other", "reaches"),
    [
        (100 * HOUR, 100 * HOUR, True),
        (200 * HOUR, 0, True),
        (200 * HOUR - 1, 0, False),
        (100 * HOUR - 1, 100 * HOUR, False),
        (99 * HOUR, 101 * HOUR, True),
        (100 * HOUR, 99 * HOUR + 59, False),
    ],
)
def test_two_hundred_hours_of_which_a_hundred_in_one(in_one: int, in_other: int, reaches: bool) -> None:
    told = [make(1, ((2026, in_one),))] + ([make(2, ((2026, in_other),), body=OTHER_BODY)] if in_other else [])
    rows = tell_year(told, year=2026, rules=RULES, associations=BODIES)
    assert [row.has_reached for row in rows] == [reaches] * len(told)
    assert {row.minutes_that_count for row in rows} == {in_one + in_other}


def test_two_associations_below_a_hundred_each_are_not_enough() -> None:
    third = Body(number="W293000003", name="Une troisième")
    bodies = {
        **BODIES,
        third.number: Association(
            number=third.number, is_association=True, is_of_general_interest=True, declared_on=datetime.date(2010, 1, 1)
        ),
    }
    told = [
        make(1, ((2026, 90 * HOUR),)),
        make(2, ((2026, 90 * HOUR),), body=OTHER_BODY),
        make(3, ((2026, 90 * HOUR),), body=third),
    ]
    rows = tell_year(told, year=2026, rules=RULES, associations=bodies)
    assert {(row.minutes_that_count, row.has_reached) for row in rows} == {(270 * HOUR, False)}


def test_only_the_years_own_hours_of_a_duty_in_an_association_count() -> None:
    told = [
        make(1, ((2025, 150 * HOUR), (2026, 120 * HOUR))),
        make(2, ((2026, 90 * HOUR),), duty=Duty.OTHER),
        make(3, ((2026, 90 * HOUR),), body=COMPANY),
        make(4, ((2026, 90 * HOUR),), body=Body(number="W294000004", name="Pas connue")),
        make(5, ((2026, 90 * HOUR),), people=3),
        make(6, ((2026, 300 * HOUR),), account=make_account_number(b"somebody else, who has done much")),
    ]
    rows = {row.issued.id[-1]: row for row in tell_year(told, year=2026, rules=RULES, associations=BODIES)}
    assert {number: (row.counts, row.minutes) for number, row in rows.items()} == {
        1: (True, 120 * HOUR),
        2: (False, 90 * HOUR),
        3: (False, 90 * HOUR),
        4: (False, 90 * HOUR),
        6: (True, 300 * HOUR),
    }
    assert [rows[1].has_reached, rows[6].has_reached] == [False, True]
    assert rows[2].minutes_that_count == 120 * HOUR


def test_a_pass_that_was_taken_back_is_told_to_nobody() -> None:
    one = make(1, ((2026, 250 * HOUR),))
    for gone in (passes.revoke(one, reason="x"), passes.suspend(one, reason="x")):
        assert tell_year([gone], year=2026, rules=RULES, associations=BODIES) == []
    assert tell_year([one], year=2024, rules=RULES, associations=BODIES) == []


@pytest.mark.parametrize(("declared", "fits"), [("2025-12-31", True), ("2026-01-01", False), ("1901-07-01", True)])
def test_an_association_is_declared_for_a_year(declared: str, fits: bool) -> None:
    body = Association(
        number="W1", is_association=True, is_of_general_interest=True, declared_on=datetime.date.fromisoformat(declared)
    )
    assert is_fit(body, RULES, 2026) is fits


def test_the_file_is_read_by_a_spreadsheet_and_holds_no_formula() -> None:
    told = [make(1, ((2026, 120 * HOUR + 30),)), make(2, ((2026, 90 * HOUR),), body=OTHER_BODY, role="Trésorière")]
    rows = tell_year(told, year=2026, rules=RULES, associations=BODIES)
    french, english = (read(write_year(rows, rules=RULES, language=language)) for language in ("fr", "en"))
    assert [row["Association"] for row in french] == ["Les Jardins du Ponant", "'=Les Amis du port"]
    assert [row["Heures"] for row in french] == ["120:30", "90:00"]
    assert [row["Fonction"] for row in french] == ["instance dirigeante"] * 2
    assert [row["Duty"] for row in english] == ["governing body"] * 2
    assert {row["Heures de l’année qui comptent"] for row in french} == {"210:30"}
    assert {row["Seuils atteints"] for row in french} == {"oui"}
    assert {row["À déclarer avant le"] for row in french} == {"2027-06-30"}
    assert [row["SIREN ou RNA"] for row in french] == [BEARER.number, OTHER_BODY.number]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 400), st.sampled_from([BEARER, OTHER_BODY, COMPANY]), st.sampled_from(Duty)),
        max_size=6,
    )
)
def test_the_thresholds_are_those_of_a_plain_sum(told: list[tuple[int, Body, Duty]]) -> None:
    made = [make(at, ((2026, hours * HOUR),), body=body, duty=duty) for at, (hours, body, duty) in enumerate(told, 1)]
    sums = {body.number: 0 for body in (BEARER, OTHER_BODY)}
    for hours, body, duty in told:
        if body.number in sums and duty is not Duty.OTHER:
            sums[body.number] += hours
    reached = sum(sums.values()) >= 200 and max(sums.values()) >= 100
    rows = tell_year(made, year=2026, rules=RULES, associations=BODIES)
    assert len(rows) == len(told)
    assert all(row.has_reached is reached for row in rows)
