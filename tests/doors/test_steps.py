"""The tables of steps: no command is forgotten, no reader writes, and what is described is a whole OpenAPI document."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from node.api import DOORS
from node.desks.accounts.admin_commands import COMMANDS
from node.desks.accounts.catalogue_admin_commands import CATALOGUE_COMMANDS
from node.desks.fund.admin_commands import FUND_COMMANDS
from node.desks.fund.steps import FUND_STEPS
from node.desks.house.admin_commands import HOUSE_COMMANDS
from node.desks.partners.admin_commands import PARTNERS_COMMANDS
from node.desks.partners.steps import PARTNERS_STEPS
from node.desks.people.admin_commands import PEOPLE_COMMANDS
from node.desks.people.steps import PEOPLE_STEPS
from node.desks.projects.admin_commands import PROJECTS_COMMANDS
from node.desks.projects.steps import PROJECTS_STEPS
from node.doors.duties import AnotherCompany, AnotherOfficer, Caller, Duty, DutyMissing, KeyNotKnown, require_duties
from node.doors.keys_service import DoorKeyUnknown
from node.doors.rates import CallRates, CallsUsedUp
from node.doors.steps import Step, Steps, find_missing
from protocol.errors import Malformed, Refusal
from protocol.running.explanations import SENTENCES
from protocol.running.statuses import status_of
from protocol.times import Instant
from tests.doors.accounts_doors import ACCOUNTS_DOORS, ACCOUNTS_WITHOUT, HOUSE_WITHOUT

BASES = [
    (FUND_STEPS, FUND_COMMANDS),
    (PARTNERS_STEPS, PARTNERS_COMMANDS),
    (PEOPLE_STEPS, PEOPLE_COMMANDS),
    (PROJECTS_STEPS, PROJECTS_COMMANDS),
]
NAMES = ["fund", "partners", "people", "projects"]
OFFICERS = {"by"}  # what says in a request who does it
ALL = [step for steps, _ in BASES for step in steps.steps]


@pytest.mark.parametrize(("steps", "commands"), BASES, ids=NAMES)
def test_a_command_has_a_door_or_a_reason_why_not(steps: Steps, commands: Mapping[str, Any]) -> None:
    assert find_missing(steps, list(commands)) == (set(), set()), "name it among the steps, or in `without`"
    assert all(steps.without.values())
    assert not set(HOUSE_COMMANDS) & {step.command for step in steps.steps}
    called = [step.called for step in steps.steps]
    assert len(called) == len(set(called))


def test_each_command_of_the_accounts_has_a_door_of_theirs_or_a_reason_why_not() -> None:
    commands = {*COMMANDS, *CATALOGUE_COMMANDS}
    assert set(ACCOUNTS_DOORS) | set(ACCOUNTS_WITHOUT) == commands
    assert not set(ACCOUNTS_DOORS) & set(ACCOUNTS_WITHOUT)
    served = {f"{route.method} {route.path}" for route, _ in DOORS}
    assert set(ACCOUNTS_DOORS.values()) <= served
    assert len(set(ACCOUNTS_DOORS.values())) == len(ACCOUNTS_DOORS)
    assert all(ACCOUNTS_WITHOUT.values())
    assert set(HOUSE_WITHOUT) == set(HOUSE_COMMANDS)


def test_a_command_that_nobody_named_is_found() -> None:
    commands = [*FUND_COMMANDS, "mint"]
    assert find_missing(FUND_STEPS, commands) == ({"mint"}, set())
    assert find_missing(FUND_STEPS, [one for one in commands if one != "order"]) == ({"mint"}, {"order"})


@pytest.mark.parametrize("step", ALL, ids=lambda one: one.called)
def test_a_reader_changes_nothing_and_a_company_s_key_is_bound_to_something(step: Step) -> None:
    assert step.duties
    if not step.reads:
        assert Duty.READER not in step.duties
    if step.of_company:
        assert step.asks is not None
        required = {field.encode_name for field in msgspec.structs.fields(step.asks) if field.required}
        assert step.of_company in required, "whose it is must be said"
    assert (Duty.COMPANY in step.duties) <= bool(step.of_company)


@pytest.mark.parametrize("step", ALL, ids=lambda one: one.called)
def test_who_does_it_is_the_officer_of_the_key_and_may_be_left_out(step: Step) -> None:
    fields = {} if step.asks is None else {one.encode_name: one for one in msgspec.structs.fields(step.asks)}
    assert set(fields) & OFFICERS == ({step.by} if step.by else set()), "a field that says who does it is bound"
    assert not step.by or not fields[step.by].required


def test_an_officer_is_taken_from_the_key_and_no_other_may_be_named() -> None:
    caller = Caller(key="1", duties=frozenset({Duty.TREASURER}), officer="Ada")
    assert caller.require_self("", "by") == caller.require_self("Ada", "by") == "Ada"
    for told in ("ada", "Bob", " Ada"):
        with pytest.raises(AnotherOfficer) as refused:
            caller.require_self(told, "by")
        assert refused.value.facts == {"field": "by"}, "neither name is told"


@pytest.mark.parametrize(("steps", "commands"), BASES, ids=NAMES)
def test_what_is_described_is_an_openapi_document(steps: Steps, commands: Mapping[str, Any]) -> None:
    told = steps.describe()
    known = told["components"]["schemas"]
    referred = set(re.findall(r'"\$ref":\s*"#/components/schemas/(\w+)"', json.dumps(told)))
    assert referred <= set(known)
    assert len(referred) > len(steps.steps)
    assert len(told["paths"]) == len(steps.steps)
    for path, methods in told["paths"].items():
        for method, door in methods.items():
            step = next(one for one in steps.steps if path == f"{steps.prefix}/{one.called}")
            assert (method == "get") == step.reads
            content = door["responses"]["200"]["content"]
            assert set(content) == {"application/json"} | ({step.file.media} if step.file else set())
            assert set(door["responses"]["403"]["content"]) == {"application/problem+json"}


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (KeyNotKnown(), 401),
        (DutyMissing(needs="x"), 403),
        (AnotherCompany(company="x"), 403),
        (AnotherOfficer(field="by"), 403),
        (DoorKeyUnknown(key="x"), 404),
        (CallsUsedUp(retry_after_seconds=1), 429),
    ],
    ids=lambda one: one.code if isinstance(one, Refusal) else "",
)
def test_each_refusal_of_a_door_has_its_status_and_its_sentence(refusal: Refusal, status: int) -> None:
    assert status_of(refusal) == status
    assert all(SENTENCES[refusal.code])


def test_a_key_has_a_burst_of_calls_and_then_one_at_a_time() -> None:
    rates = CallRates(burst=3, every_ms=1_000)
    for _ in range(3):
        rates.take("a", Instant(10_000))
    with pytest.raises(CallsUsedUp) as refused:
        rates.take("a", Instant(10_000))
    assert refused.value.facts == {"retry_after_seconds": 1}
    rates.take("b", Instant(10_000))
    rates.take("a", Instant(11_000))
    with pytest.raises(CallsUsedUp):
        rates.take("a", Instant(11_999))
    rates.take("a", Instant(12_000))
    rates.take("a", Instant(14_000))


def test_a_clock_that_was_set_back_makes_nobody_wait_longer_than_a_burst() -> None:
    rates = CallRates(burst=2, every_ms=1_000)
    rates.take("a", Instant(1_000_000))
    with pytest.raises(CallsUsedUp) as refused:
        rates.take("a", Instant(5_000))
    assert refused.value.facts["retry_after_seconds"] == 1
    rates.take("a", Instant(6_000))


def test_duties_are_read_one_by_one_and_what_a_base_does_not_know_is_refused() -> None:
    known = (Duty.READER, Duty.TREASURER)
    assert require_duties("treasurer, reader,treasurer", known) == (Duty.TREASURER, Duty.READER)
    for words in ("", ",", "king", "clerk", "reader,clerk"):
        with pytest.raises(Malformed):
            require_duties(words, known)


def test_a_caller_touches_what_is_his() -> None:
    caller = Caller(key="1", duties=frozenset({Duty.COMPANY}), officer="the bakery", company="732829320")
    caller.require((Duty.CLERK, Duty.COMPANY))
    with pytest.raises(DutyMissing) as refused:
        caller.require((Duty.CLERK,))
    assert refused.value.facts == {"needs": "clerk"}
