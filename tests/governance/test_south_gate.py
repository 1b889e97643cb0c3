"""The gate of South programmes against a plain model: for each code, one sentence of logic over plain figures and days."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from node.governance.days import add_days
from node.governance.parameters_store import load_purposes, load_south_rules
from node.governance.south.clearances import Clearance
from node.governance.south.gate import GapCode, Programme, missing
from node.governance.south.guides import Accreditation, GuideState, is_enough, tell_guide
from node.governance.south.programmes import (
    RATE_UNIT,
    Agreement,
    Clause,
    Line,
    Partner,
    PartnerKind,
    PartnerProof,
    is_abroad,
    read_clauses,
    write_clauses,
)
from protocol.identifiers import Id16
from protocol.running.explanations import SENTENCES

START = datetime.date(2026, 11, 23)
ALL = {"control", "reporting", "audit", "return"}
EEA = {"FR", "DE", "IT", "ES", "NO"}


def number(day: datetime.date) -> int:
    return int(day.strftime("%Y%m%d"))


def after(days: int) -> int:
    return number(START + datetime.timedelta(days=days))


# Days are counted from the start: -40 to 40, so that many fall on the edges.
days = st.integers(-40, 40)
terms = st.tuples(days, st.integers(0, 30)).map(lambda one: (one[0], one[0] + one[1]))


@dataclass
class PlainPartner:
    """Figures alone: proofs as terms; agreements as (signed, term, clauses, ended or None); statements as (day, clear, both)."""

    ended: int | None
    proofs: list[tuple[int, int]]
    agreements: list[tuple[int, tuple[int, int], set[str], int | None]]
    statements: list[tuple[int, bool, bool]]


@dataclass
class Plain:
    purpose: str
    bearer: str
    bearer_code: str
    country: str
    partners: list[PlainPartner]
    lines: list[int]
    paid: int | None
    told: int | None
    target: int = 10
    codes: set[str] = field(default_factory=set)


clauses = st.sets(st.sampled_from(sorted(ALL)), min_size=2).map(lambda one: ALL if len(one) == 3 else one)
partners = st.builds(
    PlainPartner,
    ended=st.none() | days,
    proofs=st.lists(terms, max_size=2),
    agreements=st.lists(
        terms.flatmap(
            lambda term: st.tuples(st.integers(-50, term[1]), st.just(term), clauses, st.none() | st.none() | days)
        ),
        max_size=2,
    ),
    statements=st.lists(
        st.tuples(st.integers(-60, 0), st.sampled_from([True, True, False]), st.booleans()), max_size=2
    ),
)
programmes = st.builds(
    Plain,
    purpose=st.sampled_from(["humanitarian", "science", "tourism"]),
    bearer=st.sampled_from(["W291000001", "W291000001", ""]),
    bearer_code=st.sampled_from(["", "", "eligibility_not_proven"]),
    country=st.sampled_from(["FR", "NO", "SN"]),
    partners=st.lists(partners, max_size=2),
    lines=st.sampled_from([[], [10], [4, 6], [4, 7]]),
    paid=st.none() | st.integers(-40, 40),
    told=st.none() | st.integers(-40, 40),
)


def say(one: Plain, today: int, *, fresh: int, late: int) -> set[str]:
    """Say what is missing: the model. Days are counted from the start."""
    said: set[str] = set()
    if one.purpose == "tourism":
        said.add("purpose_not_eligible")
    if not one.bearer:
        said.add("bearer_missing")
    else:
        said |= {"bearer_not_eligible"} if one.bearer_code else set()
        said |= {"account_abroad"} if one.country not in EEA else set()
    living = [each for each in one.partners if each.ended is None or today < each.ended]
    if not living:
        said.add("partner_missing")
    for each in living:
        if not any(first <= today <= last for first, last in each.proofs):
            was = any(last < today for _, last in each.proofs)
            said.add("partner_proof_over" if was else "partner_proof_missing")
        holds = [
            (signed, term, held)
            for signed, term, held, ended in each.agreements
            if today <= term[1] and (ended is None or today < ended)
        ]
        now = [held for signed, term, held in holds if signed <= today and term[0] <= today]
        if not each.agreements:
            said.add("agreement_missing")
        elif not holds:
            said.add("agreement_over")
        elif not now:
            said.add("agreement_not_begun")
        elif not any(held == ALL for held in now):
            said.add("clause_missing")
        clear = [day for day, is_clear, both in each.statements if is_clear and both]
        hits = [day for day, is_clear, _ in each.statements if not is_clear]
        if hits and all(hit_or_clear <= max(hits) for hit_or_clear in clear):
            said.add("clearance_hit")
        elif not clear:
            said.add("clearance_missing")
        elif today - max(clear) > fresh:
            said.add("clearance_old")
    if not one.lines:
        said.add("budget_missing")
    elif sum(one.lines) != one.target:
        said.add("budget_differs")
    if one.paid is not None:
        first_untold = one.paid if one.told is None or one.told < one.paid else one.told + 1
        if today - first_untold > late:
            said.add("report_late")
    return said


def build(one: Plain) -> Programme:
    values: dict[str, Any] = {"partners": [], "proofs": [], "agreements": [], "clearances": {}}
    for place, each in enumerate(one.partners):
        id_ = Id16(bytes([place + 1]) * 16)
        ended_on = 0 if each.ended is None else after(each.ended)
        values["partners"].append(
            Partner(
                id=id_, name=f"P{place}", country="SN", kind=PartnerKind.PUBLIC, registration="x", ended_on=ended_on
            )
        )
        for first, last in each.proofs:
            values["proofs"].append(
                PartnerProof(
                    id=id_, partner=id_, words="x", digest=bytes(32), issued_on=after(first), valid_until=after(last)
                )
            )
        for signed, term, held, ended in each.agreements:
            values["agreements"].append(
                Agreement(
                    id=id_,
                    partner=id_,
                    digest=bytes(32),
                    signed_on=after(signed),
                    from_day=after(term[0]),
                    until_day=after(term[1]),
                    clauses=frozenset(Clause(word) for word in held),
                    ended_on=0 if ended is None else after(ended),
                )
            )
        values["clearances"][id_] = tuple(
            Clearance(checked_on=after(day), is_clear=is_clear, is_confirmed=both)
            for day, is_clear, both in each.statements
        )
    return Programme(
        purpose=one.purpose,
        target=one.target,
        bearer=one.bearer,
        bearer_code=one.bearer_code,
        account_country=one.country if one.bearer else "",
        partners=tuple(values["partners"]),
        proofs=tuple(values["proofs"]),
        agreements=tuple(values["agreements"]),
        clearances=values["clearances"],
        lines=tuple(Line(words="x", country="SN", currency="EUR", rate=RATE_UNIT, cents=cents) for cents in one.lines),
        paid_since=0 if one.paid is None else after(one.paid),
        told_until=0 if one.told is None else after(one.told),
    )


@given(programmes, st.sampled_from([0, 0, 1, 200, 209, 210, 211, 250, 305, 306, 366, 400]) | st.integers(-45, 45))
@settings(max_examples=120)
def test_the_gate_names_what_the_model_names_and_nothing_else(one: Plain, today: int) -> None:
    rules = load_south_rules(after(today))
    gaps = missing(build(one), after(today), rules)
    assert {gap.code.removeprefix("south_") for gap in gaps} == say(one, today, fresh=365, late=210)
    for gap in gaps:
        french, english = (sentence.format_map(gap.facts) for sentence in SENTENCES[gap.code])
        assert french != english, "each fact that a sentence names is there"


def test_every_gap_is_explained() -> None:
    assert {str(code) for code in GapCode} <= SENTENCES.keys()


def test_the_rules_of_today_are_those_of_the_domain_notes() -> None:
    rules = load_south_rules(20261123)
    assert rules.clauses == ALL
    assert rules.account_countries >= EEA
    assert {"SN", "US", "CH", "GB"} & rules.account_countries == set()
    assert (rules.clearance_days, rules.report_every_days, rules.report_grace_days) == (365, 180, 30)
    assert rules.purposes == {word.key for word in load_purposes(20261123)} >= {"humanitarian", "science"}
    assert all(word.french and word.english for word in load_purposes(20261123))


def test_a_place_abroad_has_a_code_of_a_country() -> None:
    assert is_abroad("99341")
    assert not any(is_abroad(commune) for commune in ("29019", "2A004", "97411"))


@given(st.sets(st.sampled_from(list(Clause))))
@settings(max_examples=20)
def test_clauses_are_written_and_read(held: set[Clause]) -> None:
    assert read_clauses(write_clauses(frozenset(held))) == held


def test_a_guide_is_one_in_the_term_that_enough_members_signed() -> None:
    rules = load_south_rules(20261123)
    colleges = ("citizens", "citizens", "companies")
    assert is_enough(colleges, rules)
    assert not is_enough(colleges[:2], rules)
    assert not is_enough(colleges[1:], rules)
    assert not is_enough(("citizens",) * 5, rules)
    told = {
        (done, ended, today): tell_guide(
            Accreditation(from_day=20261102, until_day=20261104, is_accredited=done, is_ended=ended), today
        )
        for done in (False, True)
        for ended in (False, True)
        for today in (20261101, 20261102, 20261104, 20261105)
    }
    assert {state for (_, ended, _), state in told.items() if ended} == {GuideState.ENDED}
    assert {state for (done, ended, _), state in told.items() if not (done or ended)} == {GuideState.PROPOSED}
    assert [told[True, False, day] for day in (20261101, 20261102, 20261104, 20261105)] == [
        *(GuideState.NOT_BEGUN, GuideState.ACCREDITED, GuideState.ACCREDITED, GuideState.OVER),
    ]
    assert add_days(20261231, 1) == 20270101
