"""Yesterday's backups: a book is lost, its copy takes its place, and it finds its way back, with work done since."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from node.ledger.postings import Posting, PostingKind
from protocol.amounts import Cents
from protocol.exchange.epochs import LEAP_BYTES
from protocol.identifiers import AccountNumber, Id16
from tests.federation.old_copies import back_up, restore_hub, restore_node
from tests.simulation.oracle import Lot, Wrong
from tests.simulation.readings import read_holdings, read_lot_ids, read_people, read_unsettled
from tests.simulation.stage import HUB, Copy, Party, Stage


def back_up_node(stage: Stage) -> None:
    party = stage.choose_present()
    if party is not None:
        back_up_one(stage, party)


def back_up_one(stage: Stage, party: Party) -> None:
    path = back_up(party.node.book)
    stage.sync(party)
    party.copy = Copy(path, stage.oracle.mark(party.code), list(party.people), list(party.credits), party.unplaced)


def lose_node(stage: Stage) -> None:
    """A node's disk is lost and its copy put back; it recovers from the hub, as it calls."""
    ready = [party for party in stage.parties.values() if party.copy is not None]
    if not ready or stage.is_hub_recovering:
        return
    lose_one(stage, stage.dice.choice(ready))


def lose_one(stage: Stage, party: Party) -> None:
    copy = party.copy
    assert copy is not None, "a book without a copy is not lost"
    restore_node(stage.world, party.node, copy.path)
    stage.watch(party.code)
    party.people, party.credits = list(copy.people), list(copy.credits)
    party.seen, party.unplaced, party.was_restored = 0, copy.unplaced, True
    stage.oracle.lose(party.code, copy.mark)
    stage.ask(party.code, lambda: _mark_behind, None)
    party.node.book.read_now(party.node.federation.load)
    stage.ask(party.code, lambda: party.node.federation.begin_recovery, None)


def _mark_behind(page: Any, items: Any) -> Any:
    """What `node restore` writes into the copy that it puts back."""
    page.connection.execute(text("DELETE FROM facts WHERE name = 'behind'"))
    page.connection.execute(
        text("INSERT INTO facts (name, value) VALUES ('behind', :value)"), {"value": '{"ours": 0, "theirs": 0}'}
    )
    return items


def place_what_came_back(stage: Stage, party: Party) -> None:
    """Say, as a treasurer does, where rights had come from that a recovered book could not place."""
    states = read_people(party.node.book)
    party.people = [AccountNumber(number) for number in states]
    party.closed = {number: "unclaimed" for number, state in states.items() if state == "closed"}
    stage.sync(party)
    for id_, op in read_unsettled(party.node.book):
        draws = stage.draws(party, op)
        source = _gather(stage, party, draws)
        stage.tell(f"{party.code}: {sum(draws.values())} unplaced cents had come from {source}")
        stage.ask(party.code, lambda: party.node.federation.settle_unplaced, (id_, source))
        stage.oracle.place(party.code, source, draws)
    stage.oracle.recover(party.code)


def _gather(stage: Stage, party: Party, draws: dict[Lot, int]) -> AccountNumber:
    """Return an account that holds these rights, brought there from whoever holds them: their sum at home is enough."""
    held = {account: lots for account, lots in read_holdings(party.node.book).items() if account not in party.closed}
    wealth = {
        account: sum(min(lots.get(lot, 0), cents) for lot, cents in draws.items()) for account, lots in held.items()
    }
    target = max(sorted(wealth), key=wealth.__getitem__)
    ids = read_lot_ids(party.node.book)
    for lot, cents in draws.items():
        missing = cents - held[target].get(lot, 0)
        for account in sorted(held):
            part = min(missing, held[account].get(lot, 0))
            if account != target and part > 0:
                missing -= part
                _bring_together(stage, party, account, target, lot, ids[lot], part)
        if missing > 0:
            raise Wrong(f"{party.code}: {missing} cents of {lot[0]} are with nobody")
    return AccountNumber(target)


def _bring_together(stage: Stage, party: Party, account: str, target: str, lot: Lot, id_: int, cents: int) -> None:
    posting = Posting(
        op=Id16(stage.world.entropy(16)),
        kind=PostingKind.CESSION,
        debit=AccountNumber(account),
        credit=AccountNumber(target),
        cents=Cents(cents),
        draws=((id_, Cents(cents)),),  # type: ignore[arg-type]
    )
    stage.ask(party.code, lambda: party.node.ledger.post, posting)
    stage.oracle.move(party.code, account, target, {lot: cents})


def back_up_hub(stage: Stage) -> None:
    if not stage.is_hub_recovering:
        stage.hub_copy = back_up(stage.world.hub_book)


def lose_hub(stage: Stage) -> None:
    """The hub's disk is lost and its copy put back; it recovers from its members, as they call."""
    if stage.hub_copy is None or any(party.is_away for party in stage.parties.values()):
        return
    restore_hub(stage.world, stage.hub_copy)
    stage.watch(HUB)
    stage.ask(HUB, lambda: stage.world.exchange.recoverer.begin, stage.world.entropy(LEAP_BYTES))


ACTIONS = {back_up_node: 1.5, lose_node: 1, back_up_hub: 1.3, lose_hub: 1}
