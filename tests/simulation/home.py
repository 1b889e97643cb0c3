"""What happens at home: endowments, accounts opened and closed, credits, cessions between neighbours, reversals."""

from __future__ import annotations

from node.ledger.accounts import AccountEvent, AccountKind
from node.ledger.endowments import Endow
from node.ledger.lots import LotClass
from node.ledger.openings import ChangeState, OpenAccount
from node.ledger.postings import Posting, PostingKind
from node.ledger.reversals import Reverse
from protocol.amounts import Cents
from protocol.errors import Refusal
from protocol.identifiers import AccountNumber, Id16, make_account_number
from tests.simulation.stage import Party, Stage


def open_account(stage: Stage) -> None:
    party = stage.choose_present()
    if party is not None:
        open_one(stage, party)


def open_one(stage: Stage, party: Party) -> None:
    number = make_account_number(stage.world.entropy(16))
    asked = OpenAccount(op=Id16(stage.world.entropy(16)), number=number, kind=AccountKind.PERSON)
    opened = stage.ask(party.code, lambda: party.node.ledger.open_accounts, asked)
    party.people.append(opened.number)


def endow(stage: Stage) -> None:
    party = stage.choose_present()
    if party is not None:
        endow_one(stage, party, 202600 + stage.dice.randint(1, 12), stage.dice.randint(100, 50_000))


def endow_one(stage: Stage, party: Party, month: int, cents: int) -> None:
    node, ref = party.node, stage.world.entropy(16)
    asked = Endow(
        op=Id16(stage.world.entropy(16)),
        donor=Id16(ref),
        campaign="bread",
        month=month,
        lot_class=LotClass.ELIGIBLE | LotClass.SOUTH_FIT,
        new_ref=ref,
        cents=Cents(cents),
        into=node.pool,
        reason="simulated",
    )
    stage.ask(party.code, lambda: node.ledger.endow, asked)
    stage.oracle.issue(party.code, node.pool, (party.code, ref), month, cents)
    party.copy = None  # whoever enters an endowment makes a backup after it: its papers are not looked for again


def credit(stage: Stage) -> None:
    party = stage.choose_present()
    if party is not None:
        credit_one(stage, party)


def credit_one(stage: Stage, party: Party) -> None:
    account = stage.choose_person(party)
    op = _post(stage, party, PostingKind.CREDIT, party.node.pool, account, stage.dice.randint(1, 3_000))
    if op:
        party.credits.append((op, account))


def cede_home(stage: Stage) -> None:
    party = stage.choose_present()
    if party is None:
        return
    giver, taker = stage.choose_person(party), stage.choose_person(party)
    if giver != taker:
        _post(stage, party, PostingKind.CESSION, giver, taker, stage.dice.randint(1, 800))


def _post(
    stage: Stage, party: Party, kind: PostingKind, debit: AccountNumber, credit: AccountNumber, cents: int
) -> bytes:
    """Post; return the operation's id, or nothing where it was refused."""
    op = Id16(stage.world.entropy(16))
    posting = Posting(op=op, kind=kind, debit=debit, credit=credit, cents=Cents(cents))
    try:
        stage.ask(party.code, lambda: party.node.ledger.post, posting)
    except Refusal as refusal:
        stage.tell(f"refused {refusal.code}")
        return b""
    note_posted(stage, party, posting)
    return op


def note_posted(stage: Stage, party: Party, posting: Posting) -> None:
    """Tell the oracle what an acknowledged posting moved."""
    stage.sync(party)
    draws = stage.draws(party, posting.op)
    stage.oracle.require_oldest_first(party.code, str(posting.debit), draws)
    stage.oracle.move(party.code, str(posting.debit), str(posting.credit), draws)


def reverse(stage: Stage) -> None:
    party = stage.choose_present()
    if party is None or not party.credits:
        return
    undone, account = stage.dice.choice(party.credits)
    asked = Reverse(op=Id16(stage.world.entropy(16)), undone=Id16(undone))
    try:
        stage.ask(party.code, lambda: party.node.ledger.reverse, asked)
    except Refusal as refusal:
        stage.tell(f"refused {refusal.code}")
        return
    stage.sync(party)
    stage.oracle.move(party.code, account, party.node.pool, stage.draws(party, asked.op))


def close(stage: Stage) -> None:
    party = stage.choose_present()
    if party is None or len(party.people) - len(party.closed) < 3:
        return
    account = stage.choose_person(party)
    asked = ChangeState(account=account, event=AccountEvent.CLOSE)
    try:
        stage.ask(party.code, lambda: party.node.ledger.change_states, asked)
    except Refusal as refusal:
        stage.tell(f"refused {refusal.code}")
        return
    party.closed[account] = "unclaimed"


ACTIONS = {
    credit: 8,
    cede_home: 3,
    reverse: 2,
    endow: 0.7,
    open_account: 0.7,
    close: 0.7,
}
