"""What bearers and members say with their own keys: who may, about what, once, and what follows."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from node.governance import tables
from node.governance.attestations import AttestationKind, AttestationWords
from node.governance.attestations_service import list_attestations
from node.governance.committee_service import EndMember, list_members
from node.governance.errors import HasConflict, InvalidAttestation, InvalidMember, NotSeated, SignatureRefused
from node.governance.passes import tables as pass_tables
from node.governance.passes.errors import PassStepRefused
from node.governance.passes.passes import PassState
from node.governance.signers import SignerRole
from node.governance.signers_service import NewSigner
from node.governance.store import change
from node.governance.votes import College
from protocol.errors import IdMismatch, Refusal
from protocol.identifiers import Id16
from tests.governance.test_pass_life import Office, office
from tests.governance.world import RENNES, World

__all__ = ["office"]  # a fixture of the neighbouring file

WORK, VALIDATION, CONFLICT = AttestationKind.WORK, AttestationKind.VALIDATION, AttestationKind.CONFLICT


def speaker(office: Office) -> str:
    return office.world.speaker(office.world.bearer_of(office.project))


def test_a_pass_counts_once_its_bearer_and_two_members_signed_for_it(office: Office) -> None:
    world, asked = office.world, office.claim()
    bearer = speaker(office)
    with pytest.raises(PassStepRefused):
        world.attest("citizens-1", VALIDATION, asked.id)  # the bearer comes first
    checked = world.attestation(bearer, WORK, asked.id)
    give = world.projects.attestations.give
    assert world.write(give, checked).state == PassState.CHECKED
    first = world.attestation("citizens-1", VALIDATION, asked.id)
    assert (world.write(give, first).state, world.write(give, first).missing) == (PassState.CHECKED, 1)
    with pytest.raises(IdMismatch):
        world.attest("citizens-1", VALIDATION, asked.id)  # one person, one word
    assert world.attest("companies-1", VALIDATION, asked.id).state == PassState.VALIDATED
    assert world.write(give, checked).state == PassState.VALIDATED, "a resend tells where it stands now"
    assert world.find_wrongs() == []


def test_each_says_what_is_his_to_say(office: Office) -> None:
    world, asked = office.world, office.claim()
    bearer = speaker(office)
    other = world.speaker(world.bearer(registry="W291000009"))  # type: ignore[arg-type]
    for name, kind in (("citizens-1", WORK), (bearer, VALIDATION), (bearer, CONFLICT), (other, WORK)):
        subject = office.project if kind is CONFLICT else asked.id
        with pytest.raises(SignatureRefused):
            world.attest(name, kind, subject, "kin" if kind is CONFLICT else "")
    world.attest(bearer, WORK, asked.id)
    world.seat("bearer's friend", College.QUALIFIED, organisation=world.bearer_of(office.project).registry)
    with pytest.raises(HasConflict):
        world.attest("bearer's friend", VALIDATION, asked.id)
    world.write(world.projects.signers.revoke, world.people["citizens-1"].public.id)
    with pytest.raises(SignatureRefused):
        world.attest("citizens-1", VALIDATION, asked.id)
    world.signer("nobody")
    with pytest.raises(NotSeated):
        world.attest("nobody", VALIDATION, asked.id)


def test_a_word_counts_while_who_said_it_sits_without_a_conflict(office: Office) -> None:
    world, asked = office.world, office.claim()
    world.attest(speaker(office), WORK, asked.id)
    world.attest("citizens-1", VALIDATION, asked.id)
    world.attest("citizens-1", CONFLICT, office.project, "my sister's association")
    given = world.attest("companies-1", VALIDATION, asked.id)
    assert (given.state, given.missing) == (PassState.CHECKED, 1)
    assert world.attest("qualified-1", VALIDATION, asked.id).state == PassState.VALIDATED
    assert world.find_wrongs() == []


def test_a_conflict_stays_with_its_key_in_whatever_seat(office: Office) -> None:
    world, asked = office.world, office.claim()
    world.attest(speaker(office), WORK, asked.id)
    world.attest("citizens-1", CONFLICT, office.project, "my sister's association")
    seats = {row.title: bytes(row.id) for row in world.read(list_members)}
    world.write(world.projects.committee.end, EndMember(id=Id16(seats["citizens-1"]), reason="seated anew"))
    world.seat_key("citizens-1", College.CITIZENS, from_day=20261123)
    with pytest.raises(HasConflict):
        world.attest("citizens-1", VALIDATION, asked.id)


def test_one_account_has_one_seat_and_another_key_of_it_the_same_conflict(office: Office) -> None:
    world, asked, account = office.world, office.claim(), office.world.account()
    world.attest(speaker(office), WORK, asked.id)
    first = world.seat("ada", College.QUALIFIED, account=account)
    world.attest("ada", CONFLICT, office.project, "my sister's association")
    with pytest.raises(InvalidMember, match="one person"):
        world.seat("ada again", College.COMPANIES, account=account)
    world.write(world.projects.committee.end, EndMember(id=first, reason="seated anew"))
    world.seat("ada again", College.COMPANIES, account=account)
    with pytest.raises(HasConflict):
        world.attest("ada again", VALIDATION, asked.id)


def test_who_said_yes_may_say_it_again_once_nobody_else_is_left_to(office: Office) -> None:
    world, asked = office.world, office.claim()
    world.attest(speaker(office), WORK, asked.id)
    assert world.attest("citizens-1", VALIDATION, asked.id).missing == 1
    for row in world.read(list_members):
        if row.title != "citizens-1":
            world.write(world.projects.committee.end, EndMember(id=Id16(bytes(row.id)), reason="moved away"))
    assert world.attest("citizens-1", VALIDATION, asked.id).state == PassState.VALIDATED
    assert world.find_wrongs() == []


def test_where_fewer_may_say_it_all_of_them_do(office: Office) -> None:
    world, asked = office.world, office.claim()
    world.attest(speaker(office), WORK, asked.id)
    names = {name: one for name, one in world.people.items() if name.endswith("-1")}
    seats = {row.title: bytes(row.id) for row in world.read(list_members)}
    for name in names:
        if name != "citizens-1":
            world.write(world.projects.committee.end, EndMember(id=Id16(seats[name]), reason="moved away"))
    assert world.attest("citizens-1", VALIDATION, asked.id).state == PassState.VALIDATED


def test_a_no_has_its_reason_and_ends_the_claim(office: Office) -> None:
    world = office.world
    refused = office.claim()
    assert world.attest(speaker(office), WORK, refused.id, "never seen there").state == PassState.REFUSED
    assert office.load(refused.id).value.reason == "never seen there"
    asked = office.claim()
    world.attest(speaker(office), WORK, asked.id)
    assert world.attest("citizens-1", VALIDATION, asked.id, "twice the same day").state == PassState.REFUSED
    assert world.find_wrongs() == []


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"territory": RENNES}, SignatureRefused),
        ({"about": bytes(32)}, SignatureRefused),
        ({"about": b""}, SignatureRefused),
        ({"version": 2}, InvalidAttestation),
        ({"kind": "praise"}, InvalidAttestation),
        ({"reason": "so"}, InvalidAttestation),
        ({"is_affirmed": False}, InvalidAttestation),
    ],
)
def test_words_that_do_not_fit_change_nothing(office: Office, changes: dict[str, Any], refusal: type[Refusal]) -> None:
    world, asked = office.world, office.claim()
    with pytest.raises(refusal):
        world.attest(speaker(office), WORK, asked.id, **changes)
    assert office.load(asked.id).value.state is PassState.CLAIMED


def test_no_word_of_what_is_signed_can_be_another(office: Office) -> None:
    world, asked, other = office.world, office.claim(), office.claim()
    signed = world.attestation(speaker(office), WORK, asked.id)
    words = signed.words
    alike = AttestationWords(
        words.version, words.territory, words.id, words.kind, other.id, words.about, words.is_affirmed, words.reason
    )
    give = world.projects.attestations.give
    for changed in (
        dataclasses.replace(signed, words=alike),
        dataclasses.replace(signed, signature=bytes([signed.signature[0] ^ 1]) + signed.signature[1:]),
        dataclasses.replace(signed, key=world.people["citizens-1"].public.id),
    ):
        with pytest.raises(SignatureRefused):
            world.write(give, changed)
    world.write(give, signed)
    for changed in (dataclasses.replace(signed, words=alike), dataclasses.replace(signed, key=bytes(8))):
        with pytest.raises(IdMismatch):
            world.write(give, changed)


def test_a_conflict_is_declared_by_who_has_it_for_every_term_that_is_not_over(office: Office) -> None:
    world = office.world
    world.seat_key("citizens-1", College.CITIZENS, from_day=20290101, until_day=20301231)
    assert world.attest("citizens-1", CONFLICT, office.project, "my own garden").state == "declared"
    rows = world.read(lambda line: line.execute(tables.conflicts.select()).all())
    assert [(row.project, row.reason) for row in rows] == [(office.project, "my own garden")] * 2
    with pytest.raises(InvalidAttestation):
        world.attest("companies-1", CONFLICT, office.project)
    with pytest.raises(InvalidAttestation):
        world.attest("companies-1", CONFLICT, office.project, is_affirmed=False, reason="no more")
    assert world.find_wrongs() == []


def test_a_key_speaks_for_one_body_and_has_one_role(world: World) -> None:
    first, second = world.bearer(), world.bearer(registry="W291000009")  # type: ignore[arg-type]
    keys = world.people[world.speaker(first)].public
    title = f"speaks for {first.registry}"
    with pytest.raises(IdMismatch):
        world.write(
            world.projects.signers.add, NewSigner(role=SignerRole.BEARER, title=title, keys=keys, bearer=second.id)
        )
    with pytest.raises(IdMismatch):
        world.write(world.projects.signers.add, NewSigner(role=SignerRole.MEMBER, title=title, keys=keys))
    for role, bearer in ((SignerRole.BEARER, None), (SignerRole.MEMBER, first.id)):
        with pytest.raises(InvalidMember):
            NewSigner(role=role, title=title, keys=keys, bearer=bearer)


def test_what_nobody_signed_is_found_though_a_hand_made_it_look_right(office: Office) -> None:
    world, asked = office.world, office.claim()
    world.attest(speaker(office), WORK, asked.id)

    def alter(page: Any, items: Any) -> list[int]:
        table = pass_tables.passes
        return [change(page.connection, table, table.c.id == asked.id, **one) for one in items]

    before = world.read(lambda line: line.execute(pass_tables.passes.select()).one())._mapping
    told = {"state": "validated", "validated_on": 20261123, "validated_decision": world.id(), "validated_by": "x"}
    world.write(alter, told)
    assert [one.place for one in world.find_wrongs()] == [f"passes {asked.id.hex()}"]
    world.write(alter, {name: before[name] for name in told})
    # One true word is not two.
    world.attest("citizens-1", VALIDATION, asked.id)
    one = world.read(lambda line: list_attestations(line, asked.id))[-1]
    world.write(alter, told | {"validated_decision": bytes(one.id)})
    assert [one.place for one in world.find_wrongs()] == [f"passes {asked.id.hex()}"]
    world.write(alter, {name: before[name] for name in told})
