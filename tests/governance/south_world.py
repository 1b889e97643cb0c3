"""A South programme with all that it needs, in the world of the projects' base; each part by itself, so that one may be left out."""

from __future__ import annotations

from typing import Any

from node.governance.projects import ProjectEvent
from node.governance.signers import SignerRole
from node.governance.south.clearances import ClearanceWords, write_clearance
from node.governance.south.guides import GuideState, GuideWords, write_guide
from node.governance.south.programme_service import AddPartner, DeclareProgramme, SaveBudget
from node.governance.south.programmes import RATE_UNIT, Agreement, Clause, Line, Partner, PartnerKind, PartnerProof
from node.governance.south.reports import ReportWords, write_report
from node.governance.south.signed import sign_words
from protocol.identifiers import Id16
from protocol.keys import Domain
from tests.governance.world import BREST, World

SENEGAL = "99341"  # INSEE's code
LINES = (
    Line(words="pompe", country="SN", currency="XOF", rate=655_957_000, cents=7_000),
    Line(words="suivi", country="FR", currency="EUR", rate=RATE_UNIT, cents=3_000),
)


def declare(world: World, project: Id16, **more: Any) -> Id16:
    values: dict[str, Any] = {"id": world.id(), "project": project, "country": "SN", "purpose": "humanitarian"}
    declared: Id16 = world.write(world.projects.programmes.declare, DeclareProgramme(**values | more))
    return declared


def add_partner(world: World, project: Id16, *, name: str = "Puits du Sine", key: bytes | None = None) -> Partner:
    own = world.signer(name, SignerRole.PARTNER).public.id if key is None else key
    partner = Partner(
        id=world.id(), name=name, country="SN", kind=PartnerKind.ASSOCIATION, registration="n° 12345 MINT", key=own
    )
    world.write(world.projects.programmes.add_partners, AddPartner(project=project, partner=partner))
    return partner


def prove_partner(world: World, partner: Partner, *, from_day: int = 20260101, until: int = 20281231) -> PartnerProof:
    proof = PartnerProof(
        id=world.id(),
        partner=partner.id,
        words="récépissé",
        digest=world.entropy(32),
        issued_on=from_day,
        valid_until=until,
    )
    world.write(world.projects.programmes.add_proofs, proof)
    return proof


def agree(world: World, partner: Partner, **more: Any) -> Agreement:
    values: dict[str, Any] = {
        "id": world.id(),
        "partner": partner.id,
        "digest": world.entropy(32),
        "signed_on": 20261101,
        "from_day": 20261101,
        "until_day": 20281031,
        "clauses": frozenset(Clause),
    }
    agreement = Agreement(**values | more)
    world.write(world.projects.programmes.add_agreements, agreement)
    return agreement


def budget(world: World, project: Id16, lines: tuple[Line, ...] = LINES) -> int:
    saved = SaveBudget(id=world.id(), project=project, lines=lines)
    version: int = world.write(world.projects.programmes.save_budgets, saved)
    return version


def clear(world: World, partner: Partner, *, by: tuple[str, ...] = ("anne", "bob"), **more: Any) -> Id16:
    values: dict[str, Any] = {
        "version": 1,
        "territory": BREST,
        "id": world.id(),
        "partner": partner.id,
        "lists": "UE et ONU, du 2026-11-20",
        "checked_on": 20261120,
        "is_clear": True,
    }
    words = ClearanceWords(**values | more)
    for name in by:
        keys = world.people.get(name) or world.signer(name, SignerRole.STEWARD)
        signed = sign_words(write_clearance(words), Domain.OFFICER, keys)
        world.write(world.projects.programmes.sign_clearances, signed)
    return Id16(words.id)


def complete(world: World, project: Id16) -> Partner:
    """Give a project all that a programme needs."""
    declare(world, project)
    partner = add_partner(world, project)
    prove_partner(world, partner)
    agree(world, partner)
    budget(world, project)
    clear(world, partner)
    return partner


def report(world: World, project: Id16, by: str, **more: Any) -> Id16:
    values: dict[str, Any] = {
        "version": 1,
        "territory": BREST,
        "id": world.id(),
        "project": project,
        "from_day": 20261123,
        "until_day": 20261123,
        "cents": (1_000, 0),
        "pictures": (),
        "text": "La pompe est posée.",
    }
    signed = sign_words(write_report(ReportWords(**values | more)), Domain.AUDIT, world.people[by])
    taken: Id16 = world.write(world.projects.programmes.take_reports, signed)
    return taken


def guide_words(world: World, name: str = "guide", **more: Any) -> GuideWords:
    keys = world.people.get(name) or world.signer(name, SignerRole.GUIDE)
    values: dict[str, Any] = {
        "version": 1,
        "territory": BREST,
        "id": world.id(),
        "key": keys.public.id,
        "training": "accompagnement, 35 h",
        "certificate": world.entropy(32),
        "trained_on": 20260901,
        "from_day": 20261101,
        "until_day": 20281031,
    }
    return GuideWords(**values | more)


def approve(world: World, words: GuideWords, *names: str) -> GuideState:
    """Let these members sign; return where the accreditation stands then."""
    state = GuideState.PROPOSED
    for name in names:
        signed = sign_words(write_guide(words), Domain.VOTE, world.people[name])
        state = world.write(world.projects.guides.approve, signed)
    return state


async def begun(world: World) -> tuple[Id16, Partner]:
    """Return a programme in progress, with nothing converted."""
    members = world.committee()
    project = world.propose(world.bearer(), commune=SENEGAL)
    partner = complete(world, project)
    await world.open(project, list(members))
    world.accounts.support(project, 10_000, 3)
    await world.settle()
    await world.settle()
    world.lead(project, ProjectEvent.STARTED)
    return project, partner
