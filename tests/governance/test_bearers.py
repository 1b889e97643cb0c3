"""Who may be paid: a gate for companies, persons and those whose proofs do not hold; and accounts that two people change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from node.fund.receipt_numbers import is_issuer_code
from node.governance.bearers import (
    Bearer,
    EligibilityRules,
    Proof,
    ProofKind,
    Registry,
    Verdict,
    find_rule,
    require_category,
    require_eligible,
    require_iban,
    require_registry,
)
from node.governance.errors import (
    BearerIsCompany,
    BearerIsPerson,
    CategoryNotEligible,
    EligibilityNotProven,
    InvalidBearer,
    InvalidProof,
    RoundRefused,
    SignatureRefused,
)
from node.governance.parameters_store import load_eligibility
from node.governance.passes.passes import Body
from node.governance.projects import ProjectEvent
from node.governance.rounds_service import ConvertRound
from node.governance.signers import IbanWords, SignerRole, write_words
from node.governance.signers_service import NewSigner, SignedChange
from node.governance.store import load_bearer
from protocol.errors import IdMismatch
from protocol.identifiers import Id16
from protocol.keys import Domain, make_keys, sign
from tests.governance.world import BREST, OTHER, OURS, World

RULES: EligibilityRules = load_eligibility(20261123)
ID = Id16(b"a bearer's id!!!")
BEARER = Bearer(
    id=ID, registry=Registry("W291000001"), name="Les Blés", category="9220", holder_name="LES BLES", iban=OURS
)


def proof(kind: ProofKind, first: int, last: int, number: int = 1) -> Proof:
    return Proof(
        id=Id16(bytes([number]) * 16),
        bearer=ID,
        kind=kind,
        digest=bytes([number]) * 32,
        issued_on=first,
        valid_until=last,
    )


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("732 829 320", "732829320"),
        ("w291000001", "W291000001"),
        ("W 291 000 001", "W291000001"),
        ("W2A 1 001 234", "W2A1001234"),  # Corsica
        ("w9r1003454", "W9R1003454"),  # Réunion
    ],
)
def test_a_registry_number_is_a_siren_or_an_rna(written: str, kept: str) -> None:
    assert require_registry(written) == kept
    assert is_issuer_code(kept), "and so it may stand in the number of a receipt"
    assert Body(number=kept, name="Les Blés").number == kept


@pytest.mark.parametrize(
    "written",
    [
        *("732829321", "W29100000", "W2910000012", "000000000", "", "X291000001", 7, "7" * 60),
        *("WA91000001", "W2AB000001", "W29100000A"),
    ],
)
def test_what_is_no_registry_number_is_refused(written: Any) -> None:
    with pytest.raises(InvalidBearer):
        require_registry(written)


@pytest.mark.parametrize("iban", ["FR1420041010050500013M02607", "FR14", "", "12345678901234567", None])
def test_an_iban_is_held_against_its_check_digits(iban: Any) -> None:
    assert require_iban("fr14 2004 1010 0505 0001 3M02 606") == OURS
    with pytest.raises(InvalidBearer):
        require_iban(iban)


@pytest.mark.parametrize(
    ("category", "refusal"),
    [
        ("5710", BearerIsCompany),
        ("5499", BearerIsCompany),
        ("6540", BearerIsCompany),
        ("4110", BearerIsCompany),
        ("1000", BearerIsPerson),
        ("9210", CategoryNotEligible),
        ("8310", CategoryNotEligible),
        ("0000", CategoryNotEligible),
        ("9220", None),
        ("9230", None),
        ("7210", None),
        ("7361", None),
        ("9300", None),
    ],
)
def test_the_legal_category_is_a_gate(category: str, refusal: type[Exception] | None) -> None:
    if refusal is None:
        require_category("W291000001", category, RULES)
        return
    with pytest.raises(refusal):
        require_category("W291000001", category, RULES)


def test_the_longest_prefix_decides() -> None:
    assert find_rule("9210", RULES.categories).verdict is Verdict.NOT_ELIGIBLE
    assert find_rule("9220", RULES.categories).verdict is Verdict.ELIGIBLE


def test_statutes_and_a_declaration_or_a_ruling_must_hold_on_the_day() -> None:
    statutes = proof(ProofKind.STATUTES, 20260101, 20270601, 1)
    for second in (ProofKind.DECLARATION, ProofKind.RULING):
        other = proof(second, 20260101, 20270101, 2)
        assert require_eligible(BEARER, [statutes, other], RULES, 20261123) == other  # it runs out first
    later = proof(ProofKind.RULING, 20260101, 20280101, 3)
    first = require_eligible(
        BEARER, [statutes, proof(ProofKind.DECLARATION, 20260101, 20261201, 2), later], RULES, 20261123
    )
    assert first == statutes  # of the second set the ruling counts: it holds longest
    for proofs in ([], [statutes], [later], [statutes, proof(ProofKind.RULING, 20261124, 20281231, 4)]):
        with pytest.raises(EligibilityNotProven):
            require_eligible(BEARER, proofs, RULES, 20261123)
    for day, holds in ((20260101, True), (20251231, False), (20270601, True), (20270602, False)):
        pair = [statutes, proof(ProofKind.DECLARATION, 20250101, 20290101, 2)]
        if holds:
            assert require_eligible(BEARER, pair, RULES, day) == statutes
        else:
            with pytest.raises(EligibilityNotProven):
                require_eligible(BEARER, pair, RULES, day)
    with pytest.raises(BearerIsCompany):
        require_eligible(replace(BEARER, category="5710"), [statutes, later], RULES, 20261123)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 121},
        {"holder_name": "y" * 71},
        {"category": "922"},
        {"registry": "W 291 000 001"},
        {"iban": OURS.lower()},
    ],
)
def test_a_bearer_is_kept_as_it_is_written_here(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidBearer):
        replace(BEARER, **wrong)


@pytest.mark.parametrize("wrong", [{"digest": b"short"}, {"valid_until": 20251231}])
def test_a_proof_has_a_digest_and_an_end(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidProof):
        replace(proof(ProofKind.RULING, 20260101, 20270101), **wrong)


# ---------------------------------------------------------------- in the base


async def test_a_company_or_a_person_is_not_even_entered(world: World) -> None:
    save = world.projects.signers.save_bearers
    for category, refusal in (("5710", BearerIsCompany), ("1000", BearerIsPerson), ("9210", CategoryNotEligible)):
        with pytest.raises(refusal):
            world.write(save, replace(BEARER, category=category))


async def test_a_bearer_is_entered_once_and_its_account_is_not_edited(world: World) -> None:
    save = world.projects.signers.save_bearers
    assert world.write(save, BEARER) == world.write(save, BEARER) == ID
    world.write(save, replace(BEARER, name="Les Blés d'or"))
    assert world.read(lambda line: load_bearer(line, ID)).name == "Les Blés d'or"
    for wrong in ({"iban": OTHER}, {"holder_name": "UN AUTRE"}, {"registry": Registry("W291000002")}):
        with pytest.raises(IdMismatch):
            world.write(save, replace(BEARER, **wrong))
    with pytest.raises(InvalidBearer, match="entered already"):
        world.write(save, replace(BEARER, id=world.id()))
    one = replace(proof(ProofKind.RULING, 20260101, 20270101), bearer=ID)
    assert world.write(world.projects.signers.add_proofs, one) == world.write(world.projects.signers.add_proofs, one)
    with pytest.raises(IdMismatch):
        world.write(world.projects.signers.add_proofs, replace(one, valid_until=20290101))


async def test_two_stewards_change_an_account_and_it_holds_after_a_delay(world: World) -> None:
    members = world.committee()
    bearer = world.bearer()
    project = world.propose(bearer)
    await world.open(project, list(members))
    world.accounts.support(project, 10_000)
    await world.settle()
    world.lead(project, ProjectEvent.STARTED)
    for name in ("anne", "bob"):
        world.signer(name, SignerRole.STEWARD)
    words = IbanWords(1, BREST, world.id(), bearer.id, "LES BLES", OTHER)

    def signed(name: str, told: IbanWords = words) -> int:
        keys = world.people[name]
        change = SignedChange(words=told, key=keys.public.id, signature=sign(keys, Domain.OFFICER, write_words(told)))
        at: int = world.write(world.projects.signers.change_ibans, change)
        return at

    def convert() -> int:
        cents: int = world.write(world.projects.rounds.convert, ConvertRound(id=world.id(), project=project))
        return cents

    assert signed("anne") == 0
    with pytest.raises(RoundRefused, match="account is being changed"):  # the day before payment
        convert()
    with pytest.raises(SignatureRefused, match="a second person"):
        signed("anne")
    with pytest.raises(SignatureRefused, match="signs as member"):
        signed("citizens-1")
    with pytest.raises(IdMismatch):
        signed("bob", IbanWords(1, BREST, words.id, bearer.id, "BOB", OTHER))
    with pytest.raises(SignatureRefused, match="signed for"):
        signed("bob", IbanWords(1, "243500139", words.id, bearer.id, "LES BLES", OTHER))
    at = signed("bob")
    assert at >= world.now + 47 * 3_600_000
    with pytest.raises(SignatureRefused, match="two people confirmed"):
        world.write(world.projects.signers.drop_changes, Id16(words.id))
    world.later(hours=47)
    assert await world.projects.catch_up() == 0
    with pytest.raises(RoundRefused):
        convert()
    world.later(hours=1)
    assert await world.projects.catch_up() == 1
    assert world.read(lambda line: load_bearer(line, bearer.id)).iban == OTHER
    assert convert() == 6_000


async def test_a_change_that_nobody_confirms_can_lapse(world: World) -> None:
    bearer = world.bearer()
    keys = world.signer("anne", SignerRole.STEWARD)
    words = IbanWords(1, BREST, world.id(), bearer.id, "LES BLES", OTHER)
    change = SignedChange(words=words, key=keys.public.id, signature=sign(keys, Domain.OFFICER, write_words(words)))
    world.write(world.projects.signers.change_ibans, change)
    world.write(world.projects.signers.drop_changes, Id16(words.id))
    world.later(days=9)
    assert await world.projects.catch_up() == 0
    assert world.read(lambda line: load_bearer(line, bearer.id)).iban == OURS


async def test_one_steward_with_two_keys_is_one_and_a_key_revoked_in_the_delay_changes_no_account(world: World) -> None:
    bearer = world.bearer()
    for name in ("anne", "bob"):
        world.signer(name, SignerRole.STEWARD)
    again = world.people["anne again"] = make_keys(world.entropy(64))
    world.write(world.projects.signers.add, NewSigner(role=SignerRole.STEWARD, title="anne", keys=again.public))
    words = IbanWords(1, BREST, world.id(), bearer.id, "LES BLES", OTHER)

    def signed(name: str) -> int:
        keys = world.people[name]
        change = SignedChange(words=words, key=keys.public.id, signature=sign(keys, Domain.OFFICER, write_words(words)))
        at: int = world.write(world.projects.signers.change_ibans, change)
        return at

    assert signed("anne") == 0
    with pytest.raises(SignatureRefused, match="another key"):
        signed("anne again")
    assert signed("bob") > world.now
    world.write(world.projects.signers.revoke, world.people["bob"].public.id)
    world.later(days=3)
    assert await world.projects.catch_up() == 0
    assert world.read(lambda line: load_bearer(line, bearer.id)).iban == OURS
    world.write(world.projects.signers.drop_changes, Id16(words.id))


def test_what_a_revoked_steward_signed_is_neither_half_of_a_change(world: World) -> None:
    """Asked before the key was stolen or its owner left, or shown afterwards: others ask anew."""
    bearer = world.bearer()
    for name in ("anne", "bob", "carl"):
        world.signer(name, SignerRole.STEWARD)

    def signed(name: str, words: IbanWords) -> int:
        keys = world.people[name]
        change = SignedChange(words=words, key=keys.public.id, signature=sign(keys, Domain.OFFICER, write_words(words)))
        at: int = world.write(world.projects.signers.change_ibans, change)
        return at

    first, second = (IbanWords(1, BREST, world.id(), bearer.id, "LES BLES", OTHER) for _ in range(2))
    assert signed("anne", first) == 0
    world.write(world.projects.signers.revoke, world.people["anne"].public.id)
    with pytest.raises(SignatureRefused, match="ask anew"):
        signed("bob", first)
    assert signed("bob", second) == 0
    with pytest.raises(SignatureRefused, match="unknown or revoked"):
        signed("anne", second)
    world.later(days=3)
    assert world.read(lambda line: load_bearer(line, bearer.id)).iban == OURS
    assert signed("carl", second) > 0, "two who are stewards still can"
    world.write(world.projects.signers.drop_changes, Id16(first.id))
