"""A South programme across the bases: a group's guide directs, a first instalment is paid, proofs and a late report hold the second."""

from __future__ import annotations

import pytest

from node.governance.errors import RoundRefused
from node.governance.instalments import DueMark
from node.governance.projects import ProjectEvent, ProjectState
from node.governance.reading_service import load_view
from node.governance.rounds_service import ConfirmDue, ConvertRound
from node.governance.south.errors import ProgrammeBlocked
from node.governance.south.guide_service import EndGuide, load_guide
from node.governance.south.guides import GuideEnd, GuideState
from node.guides.acts import ActWords, OrientAct, sign_act
from node.guides.errors import GuideNotAccredited
from node.guides.service import DeclareGroup, GiveConsent
from node.ledger.accounts import AccountKind
from node.ledger.postings import Posting, PostingKind
from protocol.amounts import Cents
from protocol.identifiers import AccountNumber, Id16
from tests.fund.dues_world import fund_lot, order_and_confirm, pay, proposals
from tests.governance.south_world import SENEGAL, approve, complete, guide_words, report
from tests.governance.test_life import prove
from tests.governance.world import BREST
from tests.house.test_decided_projects import Deciders, deciders

__all__ = ["deciders"]


async def give(deciders: Deciders, account: AccountNumber, cents: int) -> None:
    town = deciders.town
    await fund_lot(town, cents)
    posting = Posting(
        op=deciders.id(),
        kind=PostingKind.CREDIT,
        debit=AccountNumber(town.pool),
        credit=account,
        cents=Cents(cents),
    )
    town.ledger.write_now(town.ledger.post, posting)


async def pay_round(deciders: Deciders, project: Id16, round_: Id16, cents: int) -> None:
    """Let the fund pay what a round made due, and the bearer confirm it."""
    await deciders.town.settle()
    words = proposals(deciders.town)[-1]
    assert (words.cents, words.iban) == (cents, deciders.bearer_of(project).iban)
    pay(deciders.town, words)
    order_and_confirm(deciders.town, [words])
    await deciders.town.settle()
    confirmed = ConfirmDue(round=round_, payer=BREST, on=20270105)
    assert deciders.write(deciders.projects.rounds.confirm, confirmed) is DueMark.CONFIRMED


async def test_a_programme_gets_its_first_instalment_waits_for_proofs_and_for_the_report(deciders: Deciders) -> None:
    town = deciders.town
    members = deciders.committee()
    project = deciders.propose(deciders.bearer(until=20301231), commune=SENEGAL)
    partner = complete(deciders, project)
    await deciders.open(project, list(members))
    number = deciders.project(project).number
    assert number is not None

    guide = guide_words(deciders)
    assert approve(deciders, guide, *list(members)[:3]) is GuideState.ACCREDITED
    await town.settle()
    assert deciders.read(lambda line: load_guide(line, guide.id)).heard_at is not None, "the accounts know"
    group = town._open(AccountKind.GROUP)
    await give(deciders, group, 10_000)
    book = town.books["ACCOUNTS"]
    book.write_now(town.guides.declare, DeclareGroup(op=deciders.id(), account=group))
    paper = GiveConsent(op=deciders.id(), account=group, guide=Id16(guide.id), days=366, digest=bytes(range(32)))
    book.write_now(town.guides.consent, paper)

    def sign(cents: int) -> object:
        act = OrientAct((number,), (cents,), "back")
        words = ActWords(1, BREST, deciders.id(), guide.id, group, 2**50, act)
        return sign_act(words, deciders.people["guide"])

    assert book.write_now(town.guides.act, sign(10_000)).cents == 10_000
    await town.settle()
    assert deciders.project(project).state is ProjectState.FUNDED
    deciders.lead(project, ProjectEvent.STARTED)
    first = ConvertRound(id=deciders.id(), project=project)
    assert deciders.write(deciders.projects.rounds.convert, first) == 6_000
    await pay_round(deciders, project, first.id, 6_000)

    second = ConvertRound(id=deciders.id(), project=project)
    with pytest.raises(RoundRefused, match="waits for accepted proofs"):
        deciders.write(deciders.projects.rounds.convert, second)
    prove(deciders, project, 1, 6_000)
    deciders.later(days=211)
    with pytest.raises(ProgrammeBlocked, match="south_report_late"):
        deciders.write(deciders.projects.rounds.convert, second)
    today = 20270601
    report(deciders, project, partner.name, from_day=20261202, until_day=today, cents=(4_000, 1_000))
    assert deciders.write(deciders.projects.rounds.convert, second) == 4_000
    await pay_round(deciders, project, second.id, 4_000)
    view = deciders.read(lambda line: load_view(line, project, today))
    assert view.report.confirmed == 10_000

    left = EndGuide(id=deciders.id(), guide=Id16(guide.id), code=GuideEnd.LEFT, reason="a déménagé")
    deciders.write(deciders.projects.guides.end, left)
    await town.settle()
    with pytest.raises(GuideNotAccredited):
        book.write_now(town.guides.act, sign(1))
