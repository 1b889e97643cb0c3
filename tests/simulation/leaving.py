"""Rights that leave, are called back, and are given back: alone, several in a group, or beside other work of the book."""

from __future__ import annotations

from typing import Any

from node.federation.cessions import AskCession
from node.ledger.postings import Posting, PostingKind
from protocol.amounts import Cents
from protocol.errors import Refusal
from protocol.exchange.service import verify_envelope
from protocol.identifiers import Address, Id16, format_address
from tests.simulation.home import note_posted
from tests.simulation.oracle import Flying, Wrong
from tests.simulation.stage import HUB, MINUTE, Party, Stage


def cede(stage: Stage) -> None:
    party, other = stage.choose_present(), stage.choose_party()
    if party is not None and party is not other:
        ask_cessions(stage, party, other, count=stage.dice.choice((1, 1, 1, 2, 5)))


def ask_cessions(stage: Stage, party: Party, other: Party, *, count: int) -> None:
    """Cede in one group."""
    asked = [_make_cession(stage, party, other) for _ in range(count)]
    answers = stage.ask_together(party.code, [(lambda: party.node.federation.cede, one) for one in asked])
    for item, answer in zip(asked, answers, strict=True):
        _note_cession(stage, party, other, item, answer)


def _make_cession(stage: Stage, party: Party, other: Party) -> AskCession:
    dice, giver = stage.dice, stage.choose_person(party)
    shown = format_address(Address(giver, party.node.code)) if dice.random() < 0.5 else ""
    return AskCession(
        op=stage.world.entropy(16),
        account=giver,
        beneficiary=Address(stage.choose_person(other), other.node.code),
        cents=dice.randint(1, 700),
        words="bonjour" if dice.random() < 0.2 else "",
        giver=shown,
        term=stage.world.clock.now + dice.randint(1, 60) * MINUTE if dice.random() < 0.15 else 0,
    )


def _note_cession(stage: Stage, party: Party, other: Party, item: AskCession, answer: Any) -> None:
    if isinstance(answer, Refusal):
        stage.tell(f"refused {answer.code}")
        return
    stage.sync(party)
    draws = stage.draws(party, item.op)
    if sum(draws.values()) != item.cents:
        raise Wrong(f"acknowledged {item.cents}, moved {sum(draws.values())}")
    stage.oracle.require_oldest_first(party.code, item.account, draws)
    stage.oracle.cede(
        item.op, Flying(party.code, item.account, other.code, item.beneficiary.number, draws, answer.reference)
    )


def recall(stage: Stage) -> None:
    flying = stage.oracle.flying
    if not flying:
        return
    op = stage.dice.choice(flying)
    party = stage.parties[stage.oracle.cessions[op].giver]
    if party.is_away:
        return
    (answer,) = stage.ask_together(party.code, [(lambda: party.node.federation.recall, op)])
    stage.tell(f"recall: {getattr(answer, 'code', '') or getattr(answer, 'recall', answer)}")


def give_back(stage: Stage) -> None:
    party = stage.choose_present()
    if party is None:
        return
    stage.sync(party)  # a return that was lost with the book is asked for again under the same id
    rows = [row for row in party.node.arrivals() if row.state == "delivered" and row.giver]
    if not rows:
        return
    row = stage.dice.choice(rows)
    (answer,) = stage.ask_together(party.code, [(lambda: party.node.federation.give_back, bytes(row.op))])
    if isinstance(answer, Refusal):
        stage.tell(f"refused {answer.code}")
    elif answer.op not in stage.oracle.cessions:
        stage.sync(party)
        beneficiary = row.giver.replace("-", "").split("@")[0][:8]
        draws = stage.draws(party, answer.op)
        stage.oracle.cede(answer.op, Flying(party.code, row.account, row.origin, beneficiary, draws, answer.reference))


async def busy_page(stage: Stage) -> None:
    """The hub's answer, a credit, cessions and a recall are written in one page of a node."""
    party, other = stage.choose_present(), stage.choose_party()
    if party is None or party is other or party.is_asleep or not party.has_line:
        return
    node, stored = party.node, stage.oracle.flying
    try:
        reply = await stage.survive(HUB, stage.world.exchange.answer(await node.worker.export()))
        if reply is None:
            return
        received = verify_envelope(reply, node.federation.identity, node.federation.room.trusted, node.book.clock())
    except Refusal as refusal:
        stage.note_refusal(party.code, refusal)
        return
    credit = Posting(
        op=Id16(stage.world.entropy(16)),
        kind=PostingKind.CREDIT,
        debit=node.pool,
        credit=stage.choose_person(party),
        cents=Cents(stage.dice.randint(1, 3_000)),
    )
    cessions = [_make_cession(stage, party, other) for _ in range(2)]
    recalled = [op for op in stored if stage.oracle.cessions[op].giver == party.code][:1]
    taken, credited, first, second, *_ = stage.ask_together(
        party.code,
        [
            (lambda: node.federation.take, received),
            (lambda: node.ledger.post, credit),
            *((lambda: node.federation.cede, one) for one in cessions),
            *((lambda: node.federation.recall, op) for op in recalled),
        ],
    )
    if isinstance(taken, Refusal):
        stage.note_refusal(party.code, taken)
    if isinstance(credited, Refusal):
        stage.tell(f"refused {credited.code}")
    else:
        note_posted(stage, party, credit)
    for item, answer in zip(cessions, (first, second), strict=True):
        _note_cession(stage, party, other, item, answer)


ACTIONS = {cede: 22, recall: 7, give_back: 4, busy_page: 3}
