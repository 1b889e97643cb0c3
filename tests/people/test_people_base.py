"""The people's base at work: entering, finding, consenting, deciding by four eyes, signing in, forgetting."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest

from node.ledger.accounts import AccountKind
from node.ledger.openings import OpenAccount
from node.people import store, tables
from node.people.authority import Purpose
from node.people.consents import ConsentPurpose
from node.people.declarations import DeclarationKind
from node.people.delegations import Power
from node.people.errors import (
    AccountTaken,
    ConsentNotGiven,
    ConsentTextUnknown,
    DeclarationStands,
    ErasureRunning,
    FoundedAlready,
    IdentityTaken,
    IdentityUnknown,
    NotEntitled,
    PaperCodeLocked,
    PaperCodeWrong,
    PersonErased,
    PersonKindMisfit,
    ProposalEnded,
    RoleInForce,
    SameEyes,
    StockTooSmall,
)
from node.people.four_eyes import Decision, ProposalKind
from node.people.identities import Elsewhere, IdentityKind, Passkey
from node.people.paper_codes import ATTEMPTS, format_code
from node.people.records import LookupKind, PersonKind, make_record
from node.people.requests import (
    AskAbout,
    ChangeErasure,
    ClaimCard,
    Consent,
    Decide,
    Declare,
    Delegate,
    Enrol,
    Enter,
    Erase,
    Find,
    Found,
    Join,
    LinkTo,
    OpenFor,
    Propose,
    Read,
    Rectify,
    Reverse,
    Revoke,
    Stock,
)
from node.people.roles import Duty, has_duty
from node.people.vault import BaseKey, BaseKeys
from protocol.errors import IdMismatch, InvalidTime
from protocol.identifiers import AccountNumber, Id16, make_account_number, parse_id
from tests.people.people_world import ACCOUNTS, ANNE, BOB, PEOPLE, PeopleWorld

ZELIE = make_record(
    name="Zélie Quémener", birth_date=19800203, email="Zelie@Example.org", telephone="02 98 00 00 00", address="1 rue X"
)


async def test_a_life_in_this_base(either_world: PeopleWorld) -> None:
    """From entering to forgetting, on both kinds of base; the fixture looks at every check after it."""
    world = either_world
    zelie = world.enter(ZELIE)
    world.publish()
    world.write(
        world.people.consents.consent,
        Consent(**world.by(zelie), person=zelie, about=ConsentPurpose.NEWS, is_given=True),
    )
    number = await world.open_account(zelie)
    world.give(number, 500)
    world.write(
        world.people.identities.enrol,
        Enrol(**world.by(zelie), person=zelie, credential=Passkey(credential=b"id", public_key=b"key")),
    )
    await world.people.rotate(BaseKeys(BaseKey(b"another!", world.entropy(32)), (world.base_keys.current,)))
    asked = Erase(**world.by(zelie), person=zelie, into=world.pool)
    world.write(world.people.erasures.erase, asked)
    await world.exchange()
    assert world.erasure(asked.id).state == "done"
    assert world.balance(number) == 0
    assert world.balance(world.pool) == 500
    with pytest.raises(PersonErased):
        world.write(world.people.persons.read, Read(**world.by(), person=zelie))


# ---------------------------------------------------------------- persons


def test_the_first_two_officers_are_named_once(world: PeopleWorld) -> None:
    again = Found(
        **{**world.by(), "purpose": Purpose.GOVERNANCE},
        first=ZELIE,
        second=ZELIE,
        second_id=world.id(),
    )
    with pytest.raises(FoundedAlready):
        world.write(world.people.persons.found, again)
    assert world.read(lambda line: store.count_rows(line, tables.roles)) == 2


def test_what_is_entered_is_read_and_found_by_what_it_says(world: PeopleWorld) -> None:
    zelie = world.enter(ZELIE)
    other = world.enter(make_record(name="Yann", email="zelie@example.org"))
    told = world.write(world.people.persons.read, Read(**world.by(), person=zelie))
    assert (told["name"], told["birth_date"], told["email"]) == ("Zélie Quémener", "1980-02-03", "Zelie@Example.org")

    def find(kind: LookupKind, value: str, birth_date: int = 0) -> set[Id16]:
        asked = Find(**world.by(), kind=kind, value=value, birth_date=birth_date)
        return {parse_id(one) for one in world.write(world.people.persons.find, asked)["persons"]}

    assert find(LookupKind.EMAIL, " ZELIE@EXAMPLE.ORG") == {zelie, other}
    assert find(LookupKind.TELEPHONE, "0033298000000") == {zelie}
    assert find(LookupKind.NAME_AND_BIRTH, "QUEMENER zelie", 19800203) == {zelie}
    assert find(LookupKind.NAME_AND_BIRTH, "QUEMENER zelie", 19800204) == set()
    assert find(LookupKind.EMAIL, "02 98 00 00 00") == set()


def test_a_rectification_keeps_what_was_said_before_and_is_found_by_the_new(world: PeopleWorld) -> None:
    zelie = world.enter(ZELIE)
    changed = make_record(name="Zélie Le Bris", email="new@example.org")
    told = world.write(world.people.persons.rectify, Rectify(**world.by(zelie), person=zelie, record=changed))
    assert told["version"] == 2
    same = world.write(world.people.persons.rectify, Rectify(**world.by(zelie), person=zelie, record=changed))
    assert same["version"] == 2, "nothing was changed"
    history = world.write(world.people.persons.read, Read(**world.by(), person=zelie, has_history=True))["history"]
    assert [one["name"] for one in history] == ["Zélie Quémener", "Zélie Le Bris"]
    asked = Find(**world.by(), kind=LookupKind.EMAIL, value="zelie@example.org")
    assert world.write(world.people.persons.find, asked)["persons"] == []


def test_the_same_id_is_answered_as_before_and_another_content_is_refused(world: PeopleWorld) -> None:
    asked = Enter(**world.by(), kind=PersonKind.PERSON, record=ZELIE)
    first = world.write(world.people.persons.enter, asked)
    assert world.write(world.people.persons.enter, asked) == {**first, "is_repeat": True}
    with pytest.raises(IdMismatch):
        world.write(world.people.persons.enter, replace(asked, record=make_record(name="Another")))
    told = OpenFor(id=asked.id, by=asked.by, purpose=asked.purpose, person=asked.id)
    with pytest.raises(IdMismatch):
        world.write(world.people.accounts.open, told)


def test_who_has_no_standing_reads_and_changes_nothing_and_leaves_no_trace(world: PeopleWorld) -> None:
    zelie, yann = world.enter(ZELIE), world.enter(make_record(name="Yann"))
    before = world.read(lambda line: store.count_rows(line, tables.journal))
    for operation, asked in (
        (world.people.persons.read, Read(**world.by(yann), person=zelie)),
        (world.people.exports.export, Read(**world.by(yann), person=zelie)),
        (world.people.exports.look_at_log, Read(**world.by(yann), person=zelie)),
        (world.people.persons.rectify, Rectify(**world.by(yann), person=zelie, record=ZELIE)),
        (world.people.persons.enter, Enter(**world.by(yann), kind=PersonKind.PERSON, record=ZELIE)),
        (world.people.persons.find, Find(**world.by(zelie), kind=LookupKind.EMAIL, value="zelie@example.org")),
        (world.people.accounts.open, OpenFor(**world.by(yann), person=zelie)),
        (world.people.accounts.stock, Stock(**world.by(yann), count=1)),
        (world.people.erasures.erase, Erase(**world.by(yann), person=zelie)),
        (
            world.people.declarations.declare,
            Declare(**world.by(zelie), person=yann, kind=DeclarationKind.DEATH, effective_on=20261101),
        ),
        (
            world.people.roles.propose,
            Propose(
                **world.by(yann),
                kind=ProposalKind.SET_RULE,
                subject=None,
                body={"rule": "reversible_days", "value": "9"},
            ),
        ),
    ):
        with pytest.raises(NotEntitled):
            world.write(operation, asked)
    assert world.read(lambda line: store.count_rows(line, tables.journal)) == before


def test_a_household_has_members_and_a_person_has_none(world: PeopleWorld) -> None:
    home = world.enter(make_record(name="Foyer Quémener"), PersonKind.HOUSEHOLD)
    zelie = world.enter(ZELIE)
    told = Join(**world.by(), group=home, member=zelie)
    world.write(world.people.persons.join, told)
    world.later(3)
    world.write(world.people.persons.join, Join(**world.by(), group=home, member=zelie, is_member=False))
    [row] = world.read(lambda line: store.list_rows(line, tables.members))
    assert (row.since, row.ended_on) == (20261123, 20261126)
    for group, member in ((zelie, ANNE), (home, home)):
        with pytest.raises(PersonKindMisfit):
            world.write(world.people.persons.join, Join(**world.by(), group=group, member=member))


# ---------------------------------------------------------------- delegates, consent, four eyes


def test_a_delegate_acts_within_his_powers_and_days(world: PeopleWorld) -> None:
    zelie, yann = world.enter(ZELIE), world.enter(make_record(name="Yann"))
    given = Delegate(
        **world.by(zelie),
        person=zelie,
        delegate=yann,
        powers=frozenset({Power.READ}),
        from_day=20261124,
        until_day=20261224,
    )
    world.write(world.people.delegations.delegate, given)
    with pytest.raises(NotEntitled):
        world.write(world.people.persons.read, Read(**world.by(yann), person=zelie))
    world.later(1)
    assert world.write(world.people.persons.read, Read(**world.by(yann), person=zelie))["name"] == "Zélie Quémener"
    with pytest.raises(NotEntitled):
        world.write(world.people.persons.rectify, Rectify(**world.by(yann), person=zelie, record=ZELIE))
    with pytest.raises(NotEntitled):
        world.write(world.people.persons.read, Read(**world.by(zelie), person=yann))
    world.write(world.people.delegations.revoke, Revoke(**world.by(zelie), person=zelie, what=given.id))
    with pytest.raises(NotEntitled):
        world.write(world.people.persons.read, Read(**world.by(yann), person=zelie))


def test_consent_is_to_the_newest_text_and_withdrawn_from_the_one_agreed_to(world: PeopleWorld) -> None:
    zelie = world.enter(ZELIE)

    def say(is_given: bool) -> Any:
        asked = Consent(**world.by(zelie), person=zelie, about=ConsentPurpose.NEWS, is_given=is_given)
        return world.write(world.people.consents.consent, asked)

    with pytest.raises(ConsentTextUnknown):
        say(True)
    world.publish()
    with pytest.raises(ConsentNotGiven):
        say(False)
    assert say(True)["version"] == 1
    world.publish()
    assert say(False)["version"] == 1
    assert say(True)["version"] == 2
    told = world.read(lambda line: store.list_consents(line, zelie))
    assert [(one.version, one.is_given) for one in told] == [(1, True), (1, False), (2, True)]


def test_a_role_moves_by_four_eyes_and_neither_is_whom_it_is_about(world: PeopleWorld) -> None:
    zelie = world.enter(ZELIE)
    body: dict[str, str | int] = {"base": "FUND", "duty": "treasurer", "from_day": 20261201, "until_day": 20281231}
    with pytest.raises(SameEyes):
        world.propose(ProposalKind.GRANT_ROLE, body, subject=ANNE)
    proposal = world.propose(ProposalKind.GRANT_ROLE, body, subject=zelie)
    with pytest.raises(SameEyes):
        world.approve(proposal, by=ANNE)
    about_bob = world.propose(ProposalKind.GRANT_ROLE, body, subject=BOB)
    with pytest.raises(SameEyes):
        world.approve(about_bob, by=BOB)
    assert len(world.read(store.list_roles)) == 2
    world.approve(proposal)
    with pytest.raises(ProposalEnded):
        world.approve(proposal)
    roles = world.read(store.list_roles)
    for day, is_held in ((20261130, False), (20261201, True), (20281231, True), (20290101, False)):
        assert has_duty(roles, zelie, Duty.TREASURER, "FUND", day) is is_held
    ending = world.propose(ProposalKind.END_ROLE, {"role": proposal.hex()}, subject=zelie, by=BOB)
    world.approve(ending, by=ANNE)
    assert not has_duty(world.read(store.list_roles), zelie, Duty.TREASURER, "FUND", 20261202)
    rejected = world.propose(ProposalKind.GRANT_ROLE, body, subject=zelie)
    told = Decide(**world.by(BOB), proposal=rejected, decision=Decision.REJECT)
    assert world.write(world.people.roles.decide, told)["state"] == "rejected"
    assert len(world.read(store.list_roles)) == 3


def test_what_was_proposed_by_who_is_no_officer_any_more_is_approved_by_nobody(world: PeopleWorld) -> None:
    zelie, carl = world.enter(ZELIE), world.enter(make_record(name="Carl"))
    office = {"duty": "people_officer", "base": "PEOPLE", "from_day": 20260101}
    third = world.propose(ProposalKind.GRANT_ROLE, office, subject=carl)
    world.approve(third, by=BOB)
    body = {"duty": "treasurer", "base": "FUND", "from_day": 20260101}
    asked = world.propose(ProposalKind.GRANT_ROLE, body, subject=zelie, by=carl)
    world.approve(world.propose(ProposalKind.END_ROLE, {"role": third.hex()}, subject=carl, by=BOB), by=ANNE)
    with pytest.raises(NotEntitled):
        world.approve(asked, by=ANNE)
    assert not has_duty(world.read(store.list_roles), zelie, Duty.TREASURER, "FUND", 20261202)


# ---------------------------------------------------------------- accounts


async def test_the_accounts_open_by_id_and_are_told_no_name(world: PeopleWorld) -> None:
    zelie = world.enter(ZELIE)
    home = world.enter(make_record(name="Foyer"), PersonKind.HOUSEHOLD)
    numbers = {await world.open_account(zelie), await world.open_account(home)}
    assert len(numbers) == 2
    told = LinkTo(**world.by(), person=home, account=AccountNumber(min(numbers)))
    with pytest.raises(AccountTaken):
        world.write(world.people.accounts.link, told)


async def test_an_account_that_is_open_is_linked_and_one_that_is_none_is_refused(world: PeopleWorld) -> None:
    zelie = world.enter(ZELIE)
    opening = OpenAccount(op=world.id(), number=make_account_number(world.entropy(16)), kind=AccountKind.PERSON)
    number = world.ledger.write_now(world.ledger.open_accounts, opening).number
    linked = LinkTo(**world.by(), person=zelie, account=number)
    nowhere = LinkTo(**world.by(), person=zelie, account=make_account_number(world.entropy(16)))
    pool = LinkTo(**world.by(), person=zelie, account=AccountNumber(world.pool))
    for asked in (nowhere, pool, linked):
        world.write(world.people.accounts.link, asked)
    await world.exchange()
    for asked in (nowhere, pool):
        row = world.account(asked.id)
        assert (row.state, row.number, row.code) == ("refused", None, "account_unknown")
    assert (world.account(linked.id).state, world.account(linked.id).number) == ("open", number)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_the_line_loses_each_account_is_opened_once(world: PeopleWorld, seed: int) -> None:
    dice = random.Random(seed)
    zelie = world.enter(ZELIE)
    for _ in range(6):
        world.write(world.people.accounts.open, OpenFor(**world.by(), person=zelie))
        await world.exchange(drops=lambda _what: dice.random() < 0.5)
    await world.exchange()
    rows = world.read(lambda line: store.list_rows(line, tables.accounts, person=zelie))
    assert [row.state for row in rows] == ["open"] * 6
    assert len({row.number for row in rows}) == 6


# ---------------------------------------------------------------- death and dormancy


async def test_a_death_freezes_and_is_taken_back_within_its_term(world: PeopleWorld) -> None:
    zelie = world.enter(ZELIE)
    number = await world.open_account(zelie)
    later = Declare(**world.by(), person=zelie, kind=DeclarationKind.DEATH, effective_on=20261124)
    with pytest.raises(InvalidTime):
        world.write(world.people.declarations.declare, later)
    told = Declare(**world.by(), person=zelie, kind=DeclarationKind.DEATH, effective_on=20261120)
    assert world.write(world.people.declarations.declare, told)["reversible_until"] == "2027-02-21"
    with pytest.raises(DeclarationStands):
        world.write(world.people.declarations.declare, replace(told, id=world.id()))
    await world.exchange()
    [row] = world.read(lambda line: store.list_rows(line, tables.accounts, number=number))
    assert row.is_frozen
    world.later(90)
    await world.people.catch_up()  # the last day of the term: nothing is settled yet
    world.write(world.people.declarations.reverse, Reverse(**world.by(BOB), declaration=told.id))
    await world.exchange()
    [row] = world.read(lambda line: store.list_rows(line, tables.accounts, number=number))
    assert (row.is_frozen, row.state) == (0, "open")


async def test_after_its_term_the_rule_in_force_says_where_rights_go(world: PeopleWorld) -> None:
    rule = {"rule": "rights_after_death", "value": f"pool:{world.pool}"}
    world.approve(world.propose(ProposalKind.SET_RULE, dict(rule)))
    dead, asleep = world.enter(ZELIE), world.enter(make_record(name="Yann"))
    numbers = [await world.open_account(person) for person in (dead, asleep)]
    for number in numbers:
        world.give(number, 300)
    for person, kind in ((dead, DeclarationKind.DEATH), (asleep, DeclarationKind.DORMANCY)):
        told = Declare(**world.by(), person=person, kind=kind, effective_on=20261001)
        world.write(world.people.declarations.declare, told)
    await world.exchange()
    world.in_flight[numbers[0]] = 40
    world.later(91)
    await world.people.catch_up()
    await world.exchange()
    assert [world.balance(number) for number in numbers] == [300, 300], "the dead one's waits for what is on its way"
    world.in_flight.clear()
    await world.people.catch_up()
    await world.exchange()
    assert [world.balance(number) for number in numbers] == [0, 300], "the sleeper's stay where they are"
    assert world.balance(world.pool) == 300
    rows = world.read(lambda line: store.list_rows(line, tables.declarations))
    assert sorted((row.state, row.rule[:5]) for row in rows) == [("settled", "pool:"), ("settled", "stays")]
    asked = Reverse(**world.by(), declaration=Id16(bytes(rows[0].id)))
    with pytest.raises(DeclarationStands):
        world.write(world.people.declarations.reverse, asked)


async def test_who_signs_in_is_not_asleep(world: PeopleWorld) -> None:
    zelie = world.enter(ZELIE)
    elsewhere = Elsewhere(issuer="https://idp.example.org", subject="42")
    world.write(world.people.identities.enrol, Enrol(**world.by(zelie), person=zelie, credential=elsewhere))
    told = Declare(**world.by(), person=zelie, kind=DeclarationKind.DORMANCY, effective_on=20261001)
    world.write(world.people.declarations.declare, told)
    found = world.write(world.people.identities.sign_in, (IdentityKind.OIDC, elsewhere.handle))
    assert parse_id(found["person"]) == zelie
    [row] = world.read(lambda line: store.list_rows(line, tables.declarations))
    assert row.state == "reversed"


# ---------------------------------------------------------------- erasure


async def test_erasure_waits_for_rights_on_their_way_and_asks_where_the_others_go(world: PeopleWorld) -> None:
    zelie = world.enter(ZELIE)
    number = await world.open_account(zelie)
    world.give(number, 500)
    world.in_flight[number] = 120
    asked = Erase(**world.by(zelie), person=zelie)
    assert world.write(world.people.erasures.erase, asked)["state"] == "closing"
    with pytest.raises(ErasureRunning):
        world.write(world.people.erasures.erase, replace(asked, id=world.id()))
    await world.exchange()
    assert world.erasure(asked.id).state == "in_flight"
    world.in_flight.clear()
    await world.people.catch_up()
    await world.exchange()
    assert world.erasure(asked.id).state == "rights_held"
    assert world.write(world.people.persons.read, Read(**world.by(zelie), person=zelie))["name"], "still there"
    nowhere = make_account_number(world.entropy(16))
    world.write(world.people.erasures.change, ChangeErasure(**world.by(zelie), erasure=asked.id, into=nowhere))
    await world.exchange()
    assert world.erasure(asked.id).state == "rights_held"
    world.write(world.people.erasures.change, ChangeErasure(**world.by(zelie), erasure=asked.id, into=world.pool))
    await world.exchange()
    row = world.erasure(asked.id)
    assert (row.state, world.balance(world.pool)) == ("done", 500)
    assert [one["what"] for one in json.loads(row.kept)] == ["receipts", "vouchers", "movements", "proofs"]


async def test_an_erasure_that_is_taken_back_leaves_the_account_open(world: PeopleWorld) -> None:
    zelie = world.enter(ZELIE)
    number = await world.open_account(zelie)
    world.give(number, 5)
    asked = Erase(**world.by(zelie), person=zelie)
    world.write(world.people.erasures.erase, asked)
    world.write(world.people.erasures.change, ChangeErasure(**world.by(zelie), erasure=asked.id, is_cancelled=True))
    await world.exchange()
    [row] = world.read(lambda line: store.list_rows(line, tables.accounts, person=zelie))
    assert (row.state, world.erasure(asked.id).state, world.balance(number)) == ("open", "cancelled", 5)


async def test_an_account_that_is_being_opened_when_erasure_is_asked_is_closed_too(world: PeopleWorld) -> None:
    zelie = world.enter(ZELIE)
    world.write(world.people.accounts.open, OpenFor(**world.by(), person=zelie))
    asked = Erase(**world.by(zelie), person=zelie)
    world.write(world.people.erasures.erase, asked)
    await world.exchange()
    await world.exchange()
    assert world.erasure(asked.id).state == "done"


def test_an_officer_is_not_forgotten_while_in_office(world: PeopleWorld) -> None:
    with pytest.raises(RoleInForce):
        world.write(world.people.erasures.erase, Erase(**world.by(ANNE), person=ANNE))


def test_of_whom_was_forgotten_only_ids_and_dates_are_left(world: PeopleWorld) -> None:
    zelie, yann = world.enter(ZELIE), world.enter(make_record(name="Yann"))
    given = Delegate(
        **world.by(zelie),
        person=zelie,
        delegate=yann,
        powers=frozenset({Power.READ}),
        from_day=20261123,
        until_day=20261224,
    )
    world.write(world.people.delegations.delegate, given)
    asked = Erase(**world.by(zelie), person=zelie)
    assert world.write(world.people.erasures.erase, asked)["state"] == "done"
    assert world.write(world.people.erasures.erase, asked) == {
        "erasure": world.write(world.people.erasures.erase, asked)["erasure"],
        "state": "done",
        "is_repeat": True,
    }
    for table in (tables.records, tables.lookups, tables.identities):
        assert world.read(lambda line, table=table: store.list_rows(line, table, person=zelie)) == []
    [row] = world.read(lambda line: store.list_rows(line, tables.delegations))
    assert row.revoked_on == 20261123
    log = world.write(world.people.exports.look_at_log, Read(**world.by(), person=zelie))
    assert {one["action"] for one in log} == {"enter", "delegate", "erase", "look_at_log"}


# ---------------------------------------------------------------- signing in


async def test_a_code_on_paper_signs_in_and_a_few_wrong_ones_lock_it(world: PeopleWorld) -> None:
    zelie = world.enter(ZELIE)
    answer, code = await world.people.enrol_paper(**_named(world.by(zelie)), person=zelie)
    assert code is not None
    other, none = await world.people.enrol_paper(
        **_named({**world.by(zelie), "id": parse_id(answer["identity"])}), person=zelie
    )
    assert (other["identity"], none) == (answer["identity"], None), "a code is shown once"
    wrong = format_code(replace(code, secret="0" * len(code.secret)))
    for left in range(ATTEMPTS - 1, 0, -1):
        with pytest.raises(PaperCodeWrong) as refused:
            await world.people.verify_paper(wrong)
        assert refused.value.facts["attempts_left"] == left
    told = await world.people.verify_paper(format_code(code).lower().replace("-", " "))
    assert parse_id(told["person"]) == zelie
    for _ in range(ATTEMPTS):
        with pytest.raises(PaperCodeWrong):
            await world.people.verify_paper(wrong)
    with pytest.raises(PaperCodeLocked):
        await world.people.verify_paper(format_code(code))
    with pytest.raises(PaperCodeWrong):
        await world.people.verify_paper(format_code(replace(code, found_by="00000000")))


def _named(carried: dict[str, Any]) -> dict[str, Any]:
    return {"id_": carried["id"], "by": carried["by"], "purpose": carried["purpose"]}


async def test_free_accounts_go_out_on_cards_that_say_nothing_and_are_claimed_once(world: PeopleWorld) -> None:
    carried = _named(world.by(purpose=Purpose.SOLIDARITY))
    with pytest.raises(StockTooSmall):
        await world.people.print_cards(**carried, count=1)
    world.write(world.people.accounts.stock, Stock(**world.by(), count=3))
    await world.exchange()
    answer, cards = await world.people.print_cards(**carried, count=2)
    again, none = await world.people.print_cards(**carried, count=2)
    assert (again["accounts"], none) == (answer["accounts"], [])
    number, code = cards[0]
    told = await world.people.verify_paper(format_code(code))
    assert (told["person"], told["account"]) == ("", number)
    zelie, yann = world.enter(ZELIE), world.enter(make_record(name="Yann"))
    claimed = ClaimCard(**world.by(), identity=parse_id(told["identity"]), person=zelie)
    assert world.write(world.people.identities.claim, claimed)["account"] == number
    with pytest.raises(AccountTaken):
        world.write(
            world.people.identities.claim, ClaimCard(**world.by(), identity=parse_id(told["identity"]), person=yann)
        )
    assert parse_id((await world.people.verify_paper(format_code(code)))["person"]) == zelie
    columns = {column.name for table in tables.metadata.sorted_tables for column in table.columns}
    assert not columns & {"service", "batch", "handed_by", "handed_to", "given_to", "social_service"}


def test_an_identity_is_one_persons_and_ends(world: PeopleWorld) -> None:
    zelie, yann = world.enter(ZELIE), world.enter(make_record(name="Yann"))
    passkey = Passkey(credential=b"credential", public_key=b"a COSE key")
    told = Enrol(**world.by(zelie), person=zelie, credential=passkey)
    world.write(world.people.identities.enrol, told)
    with pytest.raises(IdentityTaken):
        world.write(world.people.identities.enrol, Enrol(**world.by(yann), person=yann, credential=passkey))
    found = world.write(world.people.identities.sign_in, (IdentityKind.PASSKEY, passkey.handle))
    assert (parse_id(found["person"]), bytes.fromhex(found["public_key"])) == (zelie, b"a COSE key")
    with pytest.raises(IdentityUnknown):
        world.write(world.people.identities.revoke, Revoke(**world.by(yann), person=yann, what=told.id))
    world.write(world.people.identities.revoke, Revoke(**world.by(zelie), person=zelie, what=told.id))
    with pytest.raises(IdentityUnknown):
        world.write(world.people.identities.sign_in, (IdentityKind.PASSKEY, passkey.handle))


# ---------------------------------------------------------------- export and keys


async def test_the_export_holds_what_the_accounts_say_and_who_looked(world: PeopleWorld) -> None:
    zelie = world.enter(ZELIE)
    number = await world.open_account(zelie)
    world.give(number, 500)
    world.write(world.people.persons.read, Read(**world.by(BOB, Purpose.SUPPORT), person=zelie))
    world.write(world.people.accounts.ask, AskAbout(**world.by(zelie), person=zelie))
    await world.exchange()
    told = world.write(world.people.exports.export, Read(**world.by(zelie), person=zelie))
    [account] = told["accounts"]
    assert (account["account"], account["cents"], account["movements"], account["shows_name"]) == (
        number,
        500,
        1,
        False,
    )
    assert told["person"]["name"] == "Zélie Quémener"
    seen = [(one["by"].replace("-", ""), one["action"], one["purpose"]) for one in told["journal"]]
    assert (BOB.hex(), "read", "support") in seen
    assert seen[-1] == (zelie.hex(), "export", "request_of_person"), "the export itself stands in it"


async def test_another_base_key_opens_everything_and_the_older_nothing(world: PeopleWorld) -> None:
    zelie = world.enter(ZELIE)
    older, newer = world.base_keys.current, BaseKey(b"newer id", world.entropy(32))
    assert await world.people.rotate(BaseKeys(newer, (older,))) == 3
    assert await world.people.rotate(BaseKeys(newer, (older,))) == 0
    world.base_keys = BaseKeys(newer)
    world.reopen(PEOPLE)
    assert world.write(world.people.persons.read, Read(**world.by(), person=zelie))["name"] == "Zélie Quémener"
    kept = world.read(lambda line: store.list_rows(line, tables.data_keys))
    assert {bytes(row.base_key) for row in kept} == {newer.id}
    assert world.books[ACCOUNTS].written[0] > 0
