"""Passes in the projects' base: from the claim to the paper that somebody scans, and back to nothing."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Callable
from typing import Any

import pytest
from openvc.did.base import DidResolverRegistry
from openvc.did.did_web import DidWebResolver
from openvc.status import CredentialRevoked
from openvc.verify import VerificationPolicy, verify_credential
from sqlalchemy import select, text

from node.governance import tables as base_tables
from node.governance.attestations import AttestationKind
from node.governance.passes import tables
from node.governance.passes.canonical_json import decode_json
from node.governance.passes.data_integrity import add_proof
from node.governance.passes.errors import InvalidPass, InvalidSkill, PassStepRefused, PassUnknown
from node.governance.passes.holders import derive_holder_code, is_identity
from node.governance.passes.issuers import Issuer, derive_issuer_key
from node.governance.passes.pass_proofs import make_pass_proof
from node.governance.passes.pass_service import ClaimPass, Passes, StepPass
from node.governance.passes.pass_store import KeptPass, load_pass
from node.governance.passes.passes import Duty, PassEvent, PassState
from node.governance.passes.status_lists import StatusPurpose
from node.governance.passes.verification import Standing, judge, verify_list
from node.governance.passes.verification import verify_credential as verify_ours
from node.governance.passes.web_tokens import write_token
from node.governance.projects import ProjectEvent
from node.governance.skills import SkillCode
from protocol.errors import IdMismatch, Refusal
from protocol.identifiers import AccountNumber, Id16
from protocol.times import DAY_MS, Instant
from tests.governance.world import ACCOUNTS, BREST, World

NODE = "https://miles.brest.example"
ACCOUNT = AccountNumber("D715K6AF")


class Office:
    """The passes of a world whose project people work for, under an address."""

    def __init__(self, world: World, project: Id16, keys: Any = None) -> None:
        self.world, self.project = world, project
        settings = dataclasses.replace(world.settings, public_url=NODE, issuer="Comité de Brest")
        issuer = Issuer(key=derive_issuer_key(keys or world.projects.keys), name=settings.issuer, node=NODE)
        self.passes = Passes(world.book, settings, issuer=issuer, entropy=world.entropy)

    def claim(self, id_: Id16 | None = None, **more: Any) -> ClaimPass:
        told: dict[str, Any] = {
            "id": id_ or self.world.id(),
            "project": self.project,
            "account": ACCOUNT,
            "role": "Encadrante du chantier",
            "duty": Duty.SUPERVISING,
            "first_on": datetime.date(2026, 3, 1),
            "last_on": datetime.date(2026, 10, 24),
            "minutes": ((2026, 210 * 60),),
            "skills": (SkillCode("rome:300031"),),
        }
        asked = ClaimPass(**{**told, **more})
        assert self.world.write(self.passes.desk.claim, asked) is PassState.CLAIMED
        return asked

    def step(self, pass_id: Id16, event: PassEvent, **more: Any) -> PassState:
        asked = StepPass(id=more.pop("id", None) or self.world.id(), pass_id=pass_id, event=event, **more)
        state: PassState = self.world.write(self.passes.desk.step, asked)
        return state

    def validate(self, pass_id: Id16) -> None:
        world = self.world
        world.attest(world.speaker(world.bearer_of(self.project)), AttestationKind.WORK, pass_id)
        for name in ("citizens-1", "companies-1"):
            world.attest(name, AttestationKind.VALIDATION, pass_id)

    async def issue(self, **more: Any) -> KeptPass:
        asked = self.claim(**more)
        self.validate(asked.id)
        assert await self.passes.issue(self.world.id(), asked.id) is PassState.ISSUED
        return self.load(asked.id)

    def load(self, pass_id: Id16) -> KeptPass:
        kept: KeptPass = self.world.read(lambda line: load_pass(line, pass_id, home=BREST))
        return kept

    async def standing(self, kept: KeptPass) -> Standing:
        """By the signed documents alone, as anybody has it."""
        known = await self.passes.known_issuers()
        lists = {}
        for purpose in StatusPurpose:
            document = await self.passes.write_list(purpose, kept.list or 1)
            signed = verify_list(write_token(document, self.passes.issuer), known)
            lists[signed.id] = signed
        genuine = verify_ours(kept.credential.decode(), known)
        return judge(genuine, lists, now=Instant(self.world.now))


@pytest.fixture
async def office(world: World) -> Office:
    committee = world.committee()
    project = world.propose(world.bearer())
    await world.open(project, list(committee))
    return Office(world, project)


async def test_from_the_claim_to_the_paper_that_somebody_scans(office: Office) -> None:
    kept = await office.issue()
    document = decode_json(kept.credential)
    assert document["issuer"]["id"] == "did:web:miles.brest.example"
    assert ACCOUNT.encode() not in kept.credential
    told = document["credentialSubject"]["identifier"][0]
    code = derive_holder_code(kept.secret, ACCOUNT, kept.id)
    assert is_identity(code, salt=told["salt"], hashed=told["identityHash"])
    proof = make_pass_proof(NODE, kept.id, kept.credential)
    shown = await office.passes.show(proof)
    assert (shown.standing, shown.kept) == (Standing.GOOD, kept)
    assert await office.standing(kept) is Standing.GOOD
    with pytest.raises(PassUnknown):
        await office.passes.show(dataclasses.replace(proof, check="A" * 26))
    with pytest.raises(PassUnknown):
        await office.passes.show(dataclasses.replace(proof, pass_id=office.world.id()))


async def test_another_library_takes_what_the_base_serves_and_sees_it_revoked(office: Office) -> None:
    kept = await office.issue()

    async def verify() -> Any:
        did = await office.passes.write_did()
        lists = {}
        for purpose in StatusPurpose:
            document = await office.passes.write_list(purpose, 1)
            lists[document["id"]] = add_proof(document, office.passes.issuer, at=Instant(office.world.now))
        now = datetime.datetime.fromtimestamp(office.world.now / 1_000 + 60, datetime.UTC)
        return verify_credential(
            json.loads(kept.credential),
            resolver=DidResolverRegistry([DidWebResolver(lambda _url: did or {})]),
            resolve_status_list=lists.__getitem__,
            policy=VerificationPolicy(now=now),
        )

    assert (await verify()).issuer == office.passes.issuer.did
    assert office.step(kept.id, PassEvent.REVOKED, reason="Heures comptées deux fois") is PassState.REVOKED
    with pytest.raises(CredentialRevoked):
        await verify()
    assert await office.standing(kept) is Standing.REVOKED


async def test_asked_again_it_is_the_same_pass_and_otherwise_refused(office: Office) -> None:
    asked = office.claim()
    world = office.world
    assert world.write(office.passes.desk.claim, asked) is PassState.CLAIMED
    with pytest.raises(IdMismatch):
        world.write(office.passes.desk.claim, dataclasses.replace(asked, role="Jardinière"))
    office.validate(asked.id)
    id_ = world.id()
    await office.passes.issue(id_, asked.id)
    first = office.load(asked.id)
    world.later(days=3)
    for again in (id_, world.id()):
        assert await office.passes.issue(again, asked.id) is PassState.ISSUED
    assert office.load(asked.id) == first
    with pytest.raises(IdMismatch):
        await office.passes.issue(id_, (await office.issue()).id)
    step = StepPass(id=world.id(), pass_id=asked.id, event=PassEvent.SUSPENDED, reason="Un doute")
    for _ in range(2):
        assert world.write(office.passes.desk.step, step) is PassState.SUSPENDED
    with pytest.raises(IdMismatch):
        world.write(office.passes.desk.step, dataclasses.replace(step, reason="Deux doutes"))


async def test_only_what_was_validated_is_issued(office: Office) -> None:
    asked = office.claim()
    with pytest.raises(PassStepRefused):
        await office.passes.issue(office.world.id(), asked.id)
    with pytest.raises(InvalidPass):
        office.step(asked.id, PassEvent.CHECKED)
    world = office.world
    world.attest(world.speaker(world.bearer_of(office.project)), AttestationKind.WORK, asked.id)
    with pytest.raises(PassStepRefused):
        await office.passes.issue(world.id(), asked.id)
    assert office.step(asked.id, PassEvent.REFUSED, reason="Personne ne l'a vue") is PassState.REFUSED
    with pytest.raises(PassUnknown):
        office.step(office.world.id(), PassEvent.REFUSED, reason="x")


async def test_a_claim_that_cannot_be_is_refused_and_leaves_nothing(office: Office) -> None:
    told: list[tuple[dict[str, Any], type[Refusal]]] = [
        ({"skills": (SkillCode("rome:1"),)}, InvalidSkill),
        ({"last_on": datetime.date(2026, 12, 30)}, InvalidPass),  # not done yet
        ({"minutes": ((2025, 60),)}, InvalidPass),
        ({"label": "Jeanne"}, InvalidPass),
        ({"role": "\u0627"}, InvalidPass),
    ]
    for changes, refusal in told:
        with pytest.raises(refusal):
            office.claim(**changes)
    assert office.world.read(lambda line: line.execute(select(tables.passes.c.id)).all()) == []


async def test_nobody_works_for_a_project_that_nobody_validated(world: World) -> None:
    office = Office(world, world.propose(world.bearer()))
    with pytest.raises(InvalidPass):
        office.claim()


async def test_suspended_it_comes_back_and_corrected_it_is_replaced(office: Office) -> None:
    kept = await office.issue()
    office.step(kept.id, PassEvent.SUSPENDED, reason="Un doute")
    assert await office.standing(kept) is Standing.SUSPENDED
    office.step(kept.id, PassEvent.RESTORED)
    assert await office.standing(kept) is Standing.GOOD
    corrected = office.claim(minutes=((2026, 180 * 60),), replaces=kept.id)
    office.validate(corrected.id)
    assert await office.standing(kept) is Standing.GOOD, "until the new one is issued"
    await office.passes.issue(office.world.id(), corrected.id)
    assert await office.standing(kept) is Standing.REVOKED
    assert await office.standing(office.load(corrected.id)) is Standing.GOOD
    assert office.load(kept.id).value.reason.startswith("replaced by ")


async def test_what_an_older_key_signed_counts_until_that_key_is_retired(office: Office) -> None:
    kept = await office.issue()
    rotated = Office(office.world, office.project, keys=office.world.keys[ACCOUNTS])
    newer = await rotated.issue()
    did = await rotated.passes.write_did()
    assert did is not None
    assert [one["publicKeyMultibase"] for one in did["verificationMethod"]] == [
        rotated.passes.issuer.key.multikey,
        office.passes.issuer.key.multikey,
    ]
    assert await rotated.standing(kept) is Standing.GOOD
    assert office.world.write(rotated.passes.desk.retire_keys, office.passes.issuer.key.public) == 1
    with pytest.raises(Refusal, match="issuer_unknown"):
        await rotated.standing(kept)
    assert await rotated.standing(newer) is Standing.GOOD


async def test_two_passes_have_two_places_and_old_lists_count_for_nothing(office: Office) -> None:
    first, second = await office.issue(), await office.issue()
    assert first.place != second.place
    assert first.list == second.list == 1
    document = await office.passes.write_list(StatusPurpose.REVOCATION, 1)
    signed = verify_list(write_token(document, office.passes.issuer), await office.passes.known_issuers())
    genuine = verify_ours(first.token, await office.passes.known_issuers())
    later = Instant(office.world.now + 3 * DAY_MS)
    assert judge(genuine, {signed.id: signed}, now=later) is Standing.UNKNOWN
    with pytest.raises(Refusal, match="status_list_unknown"):
        await office.passes.write_list(StatusPurpose.REVOCATION, 2)


async def test_the_year_for_the_cec_is_told_from_the_base(office: Office) -> None:
    await office.issue()
    gone = await office.issue()
    office.step(gone.id, PassEvent.REVOKED, reason="x")
    (row,) = await office.passes.tell_year(2026)
    assert (row.minutes, row.counts, row.has_reached) == (210 * 60, False, False), "declared in this very year"
    assert await office.passes.tell_year(2025) == []


async def test_a_pass_changed_by_hand_is_found(world: World, office: Office) -> None:
    kept = await office.issue()
    office.step(kept.id, PassEvent.SUSPENDED, reason="x")
    assert world.find_wrongs() == []
    both = (tables.passes, base_tables.files)
    before = world.read(lambda line: [line.execute(select(one)).all() for one in both])

    def spoil(page: Any, items: Any) -> list[None]:
        return [page.connection.execute(text(item)) and None for item in items]

    def mend(page: Any, items: Any) -> list[None]:
        for table, rows in zip(both, before, strict=True):
            for row in rows:
                key = next(iter(table.primary_key))
                page.connection.execute(table.update().where(key == row[0]).values(**row._mapping))
        return [None for _ in items]

    for change, found in (
        ("UPDATE passes SET token = credential", "passes"),
        ("UPDATE passes SET place = place + 1", "passes"),
        ("UPDATE files SET body = x'00'", "passes"),
        ("UPDATE passes SET state = 'issued'", "I6"),
        ("UPDATE passes SET secret = x'00'", "I6"),
    ):
        world.write(spoil, change)
        assert found in {finding.invariant for finding in world.find_wrongs()}, change
        world.write(mend, "")


async def test_a_project_that_moves_on_keeps_its_passes(office: Office) -> None:
    kept = await office.issue()
    office.world.lead(office.project, ProjectEvent.WITHDRAWN, "plus de terrain")
    assert await office.standing(kept) is Standing.GOOD
    with pytest.raises(InvalidPass):
        office.claim()


async def test_the_same_life_on_postgresql(postgres_url: Callable[[], str]) -> None:
    world = World(lambda _name: postgres_url())
    committee = world.committee()
    project = world.propose(world.bearer())
    await world.open(project, list(committee))
    office = Office(world, project)
    kept = await office.issue()
    corrected = office.claim(minutes=((2026, 180 * 60),), replaces=kept.id)
    office.validate(corrected.id)
    await office.passes.issue(world.id(), corrected.id)
    assert await office.standing(kept) is Standing.REVOKED
    assert await office.standing(office.load(corrected.id)) is Standing.GOOD
    assert len(await office.passes.tell_year(2026)) == 1
    wrongs = world.find_wrongs()
    world.close()
    assert wrongs == []
