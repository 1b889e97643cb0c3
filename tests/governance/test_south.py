"""South programmes: what each lacks is told, nothing of one that lacks something is converted, and who signs what."""

from __future__ import annotations

from typing import Any

import pytest

from node.governance.errors import (
    FileUnknown,
    NotSeated,
    ProjectStepRefused,
    ReasonMissing,
    RoundRefused,
    SignatureRefused,
)
from node.governance.projects import ProjectEvent, ProjectState
from node.governance.signers import SignerRole
from node.governance.signers_service import NewSigner
from node.governance.south.errors import (
    AgreementUnknown,
    GuideStepRefused,
    GuideUnknown,
    InvalidGuide,
    InvalidProgramme,
    PartnerUnknown,
    ProgrammeBlocked,
    ProgrammeStands,
    ProgrammeUnknown,
    ReportRefused,
)
from node.governance.south.guide_service import EndGuide, load_guide
from node.governance.south.guides import GuideEnd, GuideState
from node.governance.south.programme_service import AddPartner, DeclareProgramme, EndIt, find_missing
from node.governance.south.programme_store import load_programme
from node.governance.south.programmes import Clause, Line, Partner, PartnerKind
from protocol.conversion import find_country, unseal_order, verify_order
from protocol.errors import IdMismatch, NotCanonical
from protocol.house import GuideAccredited, GuideEnded, GuideKnown, Refused
from protocol.identifiers import Id16
from protocol.keys import Keyring, make_keys
from tests.governance.south_world import (
    LINES,
    SENEGAL,
    add_partner,
    agree,
    approve,
    begun,
    budget,
    clear,
    complete,
    declare,
    guide_words,
    prove_partner,
    report,
)
from tests.governance.test_life import convert, prove
from tests.governance.world import BREST, FUND, PROJECTS, RENNES, World

E = ProjectEvent


def lacks(world: World, project: Id16) -> list[str]:
    def find(line: Any) -> list[str]:
        found = find_missing(line, world.project(project), world.now, "Europe/Paris")
        return [gap.code.removeprefix("south_") for gap in found]

    return world.read(find)  # type: ignore[no-any-return]


async def test_a_project_abroad_does_not_open_before_all_is_there(world: World) -> None:
    members = world.committee()
    project = world.propose(world.bearer(), commune=SENEGAL)
    assert lacks(world, project) == ["not_declared"]
    declare(world, project)
    assert lacks(world, project) == ["partner_missing", "budget_missing"]
    partner = add_partner(world, project)
    told = ["partner_proof_missing", "agreement_missing", "clearance_missing", "budget_missing"]
    assert lacks(world, project) == told
    world.validate(project, list(members))
    with pytest.raises(ProgrammeBlocked) as blocked:
        world.lead(project, E.OPENED)
    assert blocked.value.facts["reasons"] == ", ".join(f"south_{code}" for code in told)
    prove_partner(world, partner)
    agree(world, partner, clauses=frozenset({Clause.CONTROL, Clause.AUDIT}))
    assert lacks(world, project)[0] == "clause_missing"
    agree(world, partner)
    budget(world, project, LINES[:1])
    clear(world, partner, by=("anne",))
    assert lacks(world, project) == ["clearance_missing", "budget_differs"]
    assert budget(world, project) == 2
    clear(world, partner)
    assert lacks(world, project) == []
    assert world.lead(project, E.OPENED) is ProjectState.OPEN
    await world.settle()


async def test_an_instalment_waits_for_proofs_then_for_the_late_report(world: World) -> None:
    project, _ = await begun(world)
    first, cents = convert(world, project)
    assert cents == 6_000
    await world.settle()
    # Its bearer's account is in France; the fund is told where the work is done.
    signed = unseal_order(world.accounts.asked[first].orders[0], Keyring(world.keys[FUND]))
    order = verify_order(signed, [world.keys[PROJECTS].public], territory=BREST, payer=BREST)
    assert (find_country(order), order.iban[:2]) == ("SN", "FR")
    world.accounts.convert(first, {BREST: 6_000})
    await world.settle()
    with pytest.raises(RoundRefused, match="waits for accepted proofs"):
        convert(world, project)
    prove(world, project, 1, 6_000)
    world.later(days=210)  # 180 and 30 of grace
    assert lacks(world, project) == []
    world.later(days=1)
    assert lacks(world, project) == ["report_late"]
    asked = world.id()
    with pytest.raises(ProgrammeBlocked, match="south_report_late"):
        convert(world, project, asked)
    clearly = [20261202, 20270601]
    report(world, project, "Puits du Sine", from_day=clearly[0], until_day=clearly[1], cents=(4_000, 1_000))
    assert lacks(world, project) == []
    assert convert(world, project, asked) == (asked, 4_000)
    await world.settle()
    with pytest.raises(ProgrammeStands):
        budget(world, project)


async def test_an_agreement_that_ends_on_the_way_blocks_the_next_round(world: World) -> None:
    project, partner = await begun(world)
    first, _ = convert(world, project)
    await world.settle()
    world.accounts.convert(first, {BREST: 6_000})
    await world.settle()
    prove(world, project, 1, 6_000)
    agreement = agree(world, partner, until_day=20261230)
    programme = world.read(lambda line: load_programme(line, world.project(project), world.now, "UTC"))
    ended = EndIt(id=world.id(), what=programme.agreements[0].id, reason="résiliée par le partenaire")
    world.write(world.projects.programmes.end_agreements, ended)
    assert world.write(world.projects.programmes.end_agreements, ended) == ended.what, "asked again"
    with pytest.raises(ProgrammeStands):
        world.write(world.projects.programmes.end_agreements, EndIt(id=world.id(), what=ended.what, reason="encore"))
    assert lacks(world, project) == []
    world.later(days=31)  # the other one is over by itself
    assert lacks(world, project) == ["agreement_over"]
    with pytest.raises(ProgrammeBlocked):
        convert(world, project)
    agree(world, partner, from_day=20270110, until_day=20271231)
    assert lacks(world, project) == ["agreement_not_begun"]
    world.later(days=9)
    assert convert(world, project)[1] == 4_000
    await world.settle()
    assert agreement.until_day == 20261230


async def test_one_steward_with_two_keys_clears_nobody(world: World) -> None:
    project, partner = await begun(world)
    clear(world, partner, by=("anne",), is_clear=False, checked_on=20261121)
    again = world.people["anne again"] = make_keys(world.entropy(64))
    world.write(world.projects.signers.add, NewSigner(role=SignerRole.STEWARD, title="anne", keys=again.public))
    with pytest.raises(SignatureRefused, match="another key"):
        clear(world, partner, by=("anne", "anne again"), checked_on=20261122)
    assert lacks(world, project) == ["clearance_hit"]


async def test_a_partner_that_was_found_on_a_list_blocks_from_one_signature_on(world: World) -> None:
    project, partner = await begun(world)
    clear(world, partner, by=("anne",), is_clear=False, checked_on=20261121)
    assert lacks(world, project) == ["clearance_hit"]
    clear(world, partner, by=("anne", "bob"), checked_on=20261122)
    assert lacks(world, project) == []
    ended = EndIt(id=world.id(), what=partner.id, reason="a cessé")
    world.write(world.projects.programmes.end_partners, ended)
    assert lacks(world, project) == ["partner_missing"]
    with pytest.raises(SignatureRefused, match="no partner"):
        report(world, project, partner.name)


async def test_reports_follow_each_other_and_tell_of_no_more_than_was_converted(world: World) -> None:
    project, partner = await begun(world)
    with pytest.raises(ReportRefused, match="0 cents"):
        report(world, project, partner.name)
    first, _ = convert(world, project)
    await world.settle()
    world.accounts.convert(first, {BREST: 6_000})
    await world.settle()
    world.later(days=20)
    one = world.id()
    assert report(world, project, partner.name, id=one, until_day=20261201) == one
    assert report(world, project, partner.name, id=one, until_day=20261201) == one
    with pytest.raises(IdMismatch):
        report(world, project, partner.name, id=one, until_day=20261202)
    follows = {"from_day": 20261202, "until_day": 20261205}
    for wrong, refusal in (
        ({"from_day": 20261203, "until_day": 20261205}, ReportRefused),
        (follows | {"cents": (5_001, 0)}, ReportRefused),
        (follows | {"cents": (1,)}, InvalidProgramme),
        (follows | {"until_day": 20270301}, InvalidProgramme),
        (follows | {"text": " "}, InvalidProgramme),
        (follows | {"pictures": (bytes(32), bytes(32))}, InvalidProgramme),
        (follows | {"pictures": (bytes(32),)}, FileUnknown),
        (follows | {"territory": RENNES}, SignatureRefused),
    ):
        with pytest.raises(refusal):
            report(world, project, partner.name, **wrong)
    with pytest.raises(SignatureRefused, match="no partner"):
        report(world, world.id(), partner.name)
    report(world, project, partner.name, **follows | {"cents": (5_000, 0)})
    other = add_partner(world, project, name="Autre")
    assert report(world, project, other.name, from_day=20261206, until_day=20261206, cents=(0, 0))


def test_what_a_programme_is_made_of_is_looked_at(world: World) -> None:
    project = world.propose(world.bearer(), commune=SENEGAL)
    with pytest.raises(ProgrammeUnknown):
        add_partner(world, project)
    for wrong in ({"country": "FR"}, {"country": "sn"}, {"purpose": "tourism"}):
        with pytest.raises(InvalidProgramme):
            declare(world, project, **wrong)
    asked = DeclareProgramme(id=world.id(), project=project, country="SN", purpose="science")
    for _ in range(2):
        assert world.write(world.projects.programmes.declare, asked) == project
    with pytest.raises(ProgrammeStands):
        declare(world, project)
    partner = add_partner(world, project)
    again = Partner(id=partner.id, name="Autre", country="SN", kind=PartnerKind.PUBLIC, registration="x")
    with pytest.raises(IdMismatch):
        world.write(world.projects.programmes.add_partners, AddPartner(project=project, partner=again))
    steward = world.signer("anne", SignerRole.STEWARD)
    with pytest.raises(SignatureRefused, match="signs as steward"):
        add_partner(world, project, name="x", key=steward.public.id)
    with pytest.raises(PartnerUnknown):
        world.write(world.projects.programmes.end_partners, EndIt(id=world.id(), what=world.id(), reason="x"))
    with pytest.raises(AgreementUnknown):
        world.write(world.projects.programmes.end_agreements, EndIt(id=world.id(), what=world.id(), reason="x"))
    with pytest.raises(ReasonMissing):
        EndIt(id=world.id(), what=world.id(), reason="")
    with pytest.raises(InvalidProgramme, match="to come"):
        agree(world, partner, signed_on=20261201)
    with pytest.raises(InvalidProgramme, match="to come"):
        clear(world, partner, checked_on=20261201)
    with pytest.raises(SignatureRefused, match="signs as partner"):
        clear(world, partner, by=(partner.name,))
    one = clear(world, partner, by=("anne",))
    with pytest.raises(IdMismatch):
        clear(world, partner, by=("anne",), id=one, lists="autre")
    world.lead(project, E.WITHDRAWN, "plus de terrain")
    with pytest.raises(ProjectStepRefused):
        add_partner(world, project, name="tard")
    late = world.propose(world.bearer_of(project))
    world.lead(late, E.WITHDRAWN, "non")
    with pytest.raises(ProgrammeStands):
        declare(world, late)


@pytest.mark.parametrize(
    "wrong",
    [{"currency": "eur"}, {"currency": "EUR"}, {"rate": 0}, {"country": "S"}, {"words": ""}],
    ids=lambda one: next(iter(one)),
)
def test_a_budget_line_names_its_country_currency_and_rate(wrong: dict[str, Any]) -> None:
    values: dict[str, Any] = {"words": "x", "country": "SN", "currency": "XOF", "rate": 655_957_000, "cents": 1}
    with pytest.raises(InvalidProgramme):
        Line(**values | wrong)


# ---------------------------------------------------------------- guides


async def test_members_of_two_colleges_accredit_a_guide_and_the_accounts_are_told(world: World) -> None:
    world.committee(2)
    words = guide_words(world)
    assert approve(world, words, "citizens-1", "citizens-2", "citizens-1") is GuideState.PROPOSED
    assert approve(world, words, "companies-1") is GuideState.ACCREDITED
    assert approve(world, words, "qualified-1") is GuideState.ACCREDITED
    await world.settle()
    signing = world.people["guide"].public.signing
    assert world.accounts.guides == [GuideAccredited(words.id, signing, 20261101, 20281031)]
    world.accounts.say(GuideKnown(words.id, False))
    await world.settle()
    assert world.read(lambda line: load_guide(line, words.id)).heard_at is not None
    ended = EndGuide(id=world.id(), guide=Id16(words.id), code=GuideEnd.LEFT, reason="a déménagé")
    for _ in range(2):
        assert world.write(world.projects.guides.end, ended) is GuideState.ENDED
    with pytest.raises(GuideStepRefused):
        world.write(
            world.projects.guides.end, EndGuide(id=world.id(), guide=Id16(words.id), code=GuideEnd.LEFT, reason="x")
        )
    with pytest.raises(GuideStepRefused, match="ended"):
        approve(world, words, "municipality-1")
    await world.settle()
    assert world.accounts.guides[1:] == [GuideEnded(words.id, "guide_left")]
    world.accounts.say(GuideKnown(words.id, True))
    await world.settle()


async def test_three_signatures_of_one_college_accredit_nobody(world: World) -> None:
    world.committee(3)
    words = guide_words(world)
    assert approve(world, words, "citizens-1", "citizens-2", "citizens-3") is GuideState.PROPOSED
    never = EndGuide(id=world.id(), guide=Id16(words.id), code=GuideEnd.WITHDRAWN, reason="trop peu")
    world.write(world.projects.guides.end, never)
    await world.settle()
    assert world.accounts.guides == [], "the accounts never heard of it"


async def test_a_guide_ends_with_the_key_and_a_term_by_itself(world: World) -> None:
    world.committee()
    words = guide_words(world, until_day=20261130)
    three = ("citizens-1", "companies-1", "qualified-1")
    assert approve(world, words, *three) is GuideState.ACCREDITED
    world.later(days=10)
    with pytest.raises(GuideStepRefused, match="over"):
        approve(world, words, "municipality-1")
    again = guide_words(world, from_day=20261201)
    assert approve(world, again, *three) is GuideState.ACCREDITED
    assert approve(world, guide_words(world, from_day=20270101), *three) is GuideState.NOT_BEGUN
    world.accounts.say(Refused(again.id, "id_mismatch"))
    await world.settle()
    assert world.read(lambda line: load_guide(line, again.id)).refused == "id_mismatch"
    world.write(world.projects.signers.revoke, world.people["guide"].public.id)
    await world.settle()
    assert {one.code for one in world.accounts.guides if isinstance(one, GuideEnded)} == {"guide_key_revoked"}
    assert len([one for one in world.accounts.guides if isinstance(one, GuideEnded)]) == 3


def test_whom_a_committee_may_accredit_and_who_signs_for_it(world: World) -> None:
    world.committee()
    for wrong in ({"training": ""}, {"trained_on": 20261102}, {"until_day": 20261031}, {"until_day": 20291231}):
        with pytest.raises(InvalidGuide):
            approve(world, guide_words(world, **wrong), "citizens-1")
    with pytest.raises(SignatureRefused, match="signs as member"):
        approve(world, guide_words(world, key=world.people["citizens-1"].public.id), "citizens-1")
    world.signer("stranger")
    with pytest.raises(NotSeated):
        approve(world, guide_words(world), "stranger")
    words = guide_words(world)
    with pytest.raises(SignatureRefused, match="signs as guide"):
        approve(world, words, "guide")
    with pytest.raises(SignatureRefused, match=RENNES):
        approve(world, guide_words(world, territory=RENNES), "citizens-1")
    with pytest.raises(NotCanonical):
        approve(world, guide_words(world, key=b"short"), "citizens-1")
    approve(world, words, "citizens-1")
    with pytest.raises(IdMismatch):
        approve(world, guide_words(world, id=words.id), "companies-1")
    with pytest.raises(GuideUnknown):
        world.write(
            world.projects.guides.end, EndGuide(id=world.id(), guide=world.id(), code=GuideEnd.LEFT, reason="x")
        )
    with pytest.raises(GuideStepRefused):
        EndGuide(id=world.id(), guide=Id16(words.id), code=GuideEnd.KEY_REVOKED, reason="x")


async def test_a_guide_in_term_reports_and_one_who_is_none_does_not(world: World) -> None:
    project, _ = await begun(world)
    first, _ = convert(world, project)
    await world.settle()
    world.accounts.convert(first, {BREST: 6_000})
    await world.settle()
    words = guide_words(world)
    with pytest.raises(SignatureRefused, match="no accredited guide"):
        report(world, project, "guide")
    approve(world, words, "citizens-1", "companies-1", "qualified-1")
    report(world, project, "guide")
    ended = EndGuide(id=world.id(), guide=Id16(words.id), code=GuideEnd.WITHDRAWN, reason="plainte fondée")
    world.write(world.projects.guides.end, ended)
    with pytest.raises(SignatureRefused, match="no accredited guide"):
        report(world, project, "guide", from_day=20261124, until_day=20261124)
    complete_again = world.propose(world.bearer_of(project), commune=SENEGAL)
    complete(world, complete_again)
    await world.settle()
