"""Passes: who validates what, in which order; hours; the same request, corrections and ends."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.governance.passes import passes
from node.governance.passes.errors import InvalidPass, PassStepRefused, ValidatorRefused
from node.governance.passes.holders import Holder, derive_holder_code, derive_salt, hash_identity, is_identity
from node.governance.passes.passes import Evidence, Pass, PassState, Validation, find_difference, has_ended
from node.governance.skills import SkillCode
from protocol.errors import Malformed
from protocol.identifiers import Id16, make_account_number
from tests.governance.pass_makers import ACCOUNT, AT, BEARER, COMMITTEE, SECRET, make_issued, make_pass, make_work

DAY = datetime.date(2026, 11, 2)
BY_BEARER = Validation(body=BEARER, on=DAY, decision=Id16(b"bearer's word 16"))
BY_COMMITTEE = Validation(body=COMMITTEE, on=DAY, decision=Id16(b"committee, no 16"))
STEPS: dict[str, Any] = {
    "checked": lambda one: passes.check(one, BY_BEARER),
    "validated": lambda one: passes.validate(one, BY_COMMITTEE),
    "issued": lambda one: passes.issue(one, at=AT),
    "suspended": lambda one: passes.suspend(one, reason="a doubt"),
    "restored": passes.restore,
    "revoked": lambda one: passes.revoke(one, reason="a mistake"),
    "refused": lambda one: passes.refuse(one, reason="not there"),
}
# Said again, as pairs: what can be done from where, and where it leads.
ALLOWED = {
    ("claimed", "checked"): "checked",
    ("claimed", "refused"): "refused",
    ("checked", "checked"): "checked",
    ("checked", "validated"): "validated",
    ("checked", "refused"): "refused",
    ("validated", "validated"): "validated",
    ("validated", "issued"): "issued",
    ("validated", "refused"): "refused",
    ("issued", "issued"): "issued",
    ("issued", "restored"): "issued",
    ("issued", "suspended"): "suspended",
    ("issued", "revoked"): "revoked",
    ("suspended", "suspended"): "suspended",
    ("suspended", "restored"): "issued",
    ("suspended", "revoked"): "revoked",
    ("revoked", "revoked"): "revoked",
    ("refused", "refused"): "refused",
}


@settings(max_examples=120, deadline=None)
@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=12))
def test_a_pass_goes_its_way_and_no_other(steps: list[str]) -> None:
    one, state = make_pass(), "claimed"
    for step in steps:
        after = ALLOWED.get((state, step))
        if after is None:
            with pytest.raises(PassStepRefused) as refusal:
                STEPS[step](one)
            assert refusal.value.facts["state"] == state
            continue
        told = STEPS[step](one)
        if after == state:
            assert told is one
        one, state = told, after
        assert one.state == state
    if one.state in {"issued", "suspended", "revoked"}:
        assert (one.checked, one.validated, one.issued_at) == (BY_BEARER, BY_COMMITTEE, AT)


def test_only_the_bearer_confirms_and_somebody_else_validates() -> None:
    with pytest.raises(ValidatorRefused):
        passes.check(make_pass(), BY_COMMITTEE)
    checked = passes.check(make_pass(), BY_BEARER)
    for wrong in (
        dataclasses.replace(BY_BEARER, decision=BY_COMMITTEE.decision),
        dataclasses.replace(BY_COMMITTEE, decision=BY_BEARER.decision),
    ):
        with pytest.raises(ValidatorRefused):
            passes.validate(checked, wrong)
    assert passes.validate(checked, BY_COMMITTEE).state is PassState.VALIDATED


def test_the_same_request_is_the_same_pass_and_another_one_is_told() -> None:
    kept = make_issued()
    assert find_difference(kept, make_pass()) is None
    other = make_pass(work=make_work(role="Jardinière"))
    assert find_difference(kept, other) == "work"
    assert find_difference(kept, make_pass(language="en")) == "language"
    assert find_difference(kept, make_pass(valid_until=None)) == "valid_until"


def test_a_corrected_pass_names_the_one_it_replaces_and_begins_anew() -> None:
    old = make_issued()
    asked = make_issued(id=Id16(b"another request."), work=make_work(minutes=((2026, 600),)))
    new = passes.reissue(old, asked)
    assert (new.replaces, new.state, new.checked, new.validated, new.issued_at) == (old.id, "claimed", None, None, None)
    assert old.state == "issued", "it counts until the new one is issued"
    with pytest.raises(InvalidPass):
        passes.reissue(old, dataclasses.replace(asked, work=make_work(project=Id16(b"another project."))))
    with pytest.raises(InvalidPass):
        passes.reissue(
            old, dataclasses.replace(asked, holder=Holder(account=make_account_number(b"somebody else's 1")))
        )
    with pytest.raises(PassStepRefused):
        passes.reissue(make_pass(), asked)
    with pytest.raises(InvalidPass):
        make_pass(replaces=old.id)


def test_a_pass_ends_after_its_last_day() -> None:
    one = make_issued(valid_until=datetime.date(2027, 1, 31))
    assert not has_ended(one, datetime.date(2027, 1, 31))
    assert has_ended(one, datetime.date(2027, 2, 1))
    assert not has_ended(make_issued(valid_until=None), datetime.date(9999, 12, 31))


@pytest.mark.parametrize(
    ("minutes", "people", "is_possible"),
    [
        (((2025, 59 * 1_440),), 1, True),  # 3 November to 31 December: 59 days
        (((2025, 59 * 1_440 + 1),), 1, False),
        (((2025, 59 * 1_440 + 1),), 2, True),
        (((2024, 1),), 1, False),
        (((2026, 0),), 1, False),
        (((2026, 60), (2025, 60)), 1, False),
        (((2025, 60), (2025, 60)), 1, False),
        ((), 1, False),
        (((2026, 60.0),), 1, False),
    ],
)
def test_hours_are_whole_minutes_that_the_days_allow(minutes: Any, people: int, is_possible: bool) -> None:
    def make() -> Pass:
        return make_pass(holder=Holder(account=ACCOUNT, people=people), work=make_work(minutes=minutes))

    if is_possible:
        assert make().work.total == sum(one for _, one in minutes)
    else:
        with pytest.raises(InvalidPass, match="minutes"):
            make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: make_work(role=""),
        lambda: make_work(role="two\nlines"),
        lambda: make_work(project_name="x" * 121),
        lambda: make_work(tasks="x" * 1_001),
        lambda: make_work(last_on=datetime.date(2025, 11, 2)),
        lambda: make_work(skills=(SkillCode("rome:300031"),) * 2),
        lambda: make_work(evidence=(Evidence(url="https://a.example/", words="x"),) * 9),
        lambda: Evidence(url="http://a.example/", words="x"),
        lambda: Evidence(url="https://a.example/\n", words="x"),
        lambda: Evidence(url="javascript:alert(1)", words="x"),
        lambda: passes.Body(number="W29100001", name="x"),
        lambda: make_pass(language="de"),
        lambda: make_pass(valid_until=datetime.date(2026, 10, 23)),
        lambda: make_pass(valid_until=datetime.date(2056, 10, 25)),
        lambda: Holder(account=ACCOUNT, people=0),
        lambda: Holder(account=ACCOUNT, label="Jeanne Le Goff"),
        lambda: Holder(account=ACCOUNT, did="https://a.example"),
        lambda: Holder(account=ACCOUNT, did="did:key:z6Mk#z6Mk"),
        lambda: passes.revoke(make_issued(), reason=""),
    ],
)
def test_what_no_pass_can_say_is_refused(make: Any) -> None:
    with pytest.raises(Malformed):
        make()


def test_the_holders_code_is_found_again_and_two_passes_have_nothing_in_common() -> None:
    one, two = Id16(b"one request of 16"[:16]), Id16(b"two requests, 16"[:16])
    code = derive_holder_code(SECRET, ACCOUNT, one)
    salt = derive_salt(SECRET, ACCOUNT, one)
    assert code == derive_holder_code(SECRET, ACCOUNT, one)
    assert len(code) == 29
    assert code != derive_holder_code(SECRET, ACCOUNT, two)
    assert salt != derive_salt(SECRET, ACCOUNT, two)
    hashed = hash_identity(code, salt)
    assert hashed.startswith("sha256$")
    assert is_identity(code.lower() + "\n", salt=salt, hashed=hashed)
    assert not is_identity(code[:-1] + ("0" if code[-1] != "0" else "1"), salt=salt, hashed=hashed)
    assert not is_identity(code, salt=salt[::-1], hashed=hashed)
