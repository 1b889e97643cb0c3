"""A byte changed by hand is found, and the row where it stands is named."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text

from node.ledger.accounts import BORDER, TRANSIT, AccountKind, abroad
from node.ledger.checks import check_ledger
from node.ledger.postings import PostingKind
from node.ledger.reservations import Reserve
from node.ledger.reversals import Reverse
from protocol.amounts import Cents
from protocol.identifiers import AccountNumber
from protocol.times import Instant
from tests.ledger.world import HOME, PEER, START, World

K = PostingKind


def live(world: World) -> AccountNumber:
    """Use everything once: two lots, a foreign one, transit, abroad, a reservation, a reversal, a refusal, a mark."""
    person, project = world.open(), world.open(AccountKind.PROJECT)  # accounts 1 and 2
    pool = world.pool(1_000)  # account 3
    world.endow(pool, 500, month=202601)
    credit = world.post(pool, person, 700)
    world.post_together([world.posting(person, project, 1, K.ORIENTATION) for _ in range(70)])
    left = world.post(person, TRANSIT, 200, K.CEDE_OUT)
    world.post(TRANSIT, abroad(PEER), 200, K.DELIVERED, draws=left.draws)
    foreign = world.foreign_lot()
    world.post(BORDER, person, 50, K.CEDE_IN, draws=((foreign, Cents(50)),))
    world.ledger.write_now(world.ledger.reverse, Reverse(op=world.id(), undone=credit.op, cents=Cents(30)))
    kept = Reserve(op=world.id(), account=person, cents=Cents(20), expires_at=Instant(START + 9_000))
    world.ledger.write_now(world.ledger.reserve, kept)
    world.post_together([world.posting(person, project, 10_000, K.ORIENTATION)])
    return person


# What is changed by hand, and the place that the check must name first. Rows are found by what they say.
CHANGES = {
    "the amount of a transfer": ("UPDATE transfers SET cents = cents + 1 WHERE id = 3", "transfers id=3"),
    "the balance after a transfer": (
        "UPDATE transfers SET credit_after = credit_after + 1 WHERE id = 3",
        "transfers id=3",
    ),
    "the back-pointer of a transfer": ("UPDATE transfers SET debit_prev = 3 WHERE id = 9", "transfers id=9"),
    "the number of an entry": ("UPDATE transfers SET debit_seq = debit_seq + 1 WHERE id = 9", "transfers id=9"),
    "the account of a transfer": ("UPDATE transfers SET debit = 3 WHERE id = 9", "transfers id=9"),
    "the lot of a transfer": ("UPDATE transfers SET lot = 2 WHERE id = 1", "lots id=1"),
    "the kind of a transfer": ("UPDATE transfers SET kind = 'gift' WHERE id = 9", "transfers id=9"),
    "the time of a transfer": ("UPDATE transfers SET at = at - 1 WHERE id = 9", "transfers id=9"),
    "the id of a transfer": ("UPDATE transfers SET part = 1 WHERE id = 9", "transfers id=9"),
    "a holding": (
        "UPDATE holdings SET cents = cents + 1 WHERE account_id = 1 AND lot_id = 1",
        "account_id=1 lot_id=1",
    ),
    "a balance": ("UPDATE balances SET cents = cents + 1 WHERE account_id = 1", "balances account_id=1 cents"),
    "a head": ("UPDATE balances SET head = head - 1 WHERE account_id = 1", "balances account_id=1 head"),
    "a length": ("UPDATE balances SET length = length + 1 WHERE account_id = 1", "balances account_id=1 length"),
    "what is reserved": (
        "UPDATE balances SET reserved = reserved - 1 WHERE account_id = 1",
        "balances account_id=1 reserved",
    ),
    "what was issued of a lot": ("UPDATE lots SET issued = issued + 1 WHERE id = 1", "lots id=1"),
    "the month of a lot": ("UPDATE lots SET month = 202502 WHERE id = 3", "lots id=3 seal"),
    "the class of a lot": ("UPDATE lots SET lot_class = lot_class + 2 WHERE id = 3", "lots id=3 seal"),
    "the issuer of a lot": ("UPDATE lots SET issuer = '200054781' WHERE id = 3", "lots id=3 seal"),
    "the month in an origin": ("UPDATE origins SET month = month - 1 WHERE lot_id = 1", "origins lot_id=1"),
    "a mark": ("UPDATE history_marks SET transfer_id = transfer_id - 1", "history_marks account_id="),
    "the time of a mark": ("UPDATE history_marks SET at = at - 1", "history_marks account_id="),
    "the sum of a reservation": ("UPDATE reservations SET cents = cents + 1", "balances account_id=1 reserved"),
    "the state of a reservation": ("UPDATE reservations SET state = 'released'", "balances account_id=1 reserved"),
    "what a reversal asked": ("UPDATE reversals SET asked = 1, cents = 1", "reversals op="),
    "the words of a refusal": ("UPDATE refusals SET code = 'insufficient_right'", "refusals op="),
    "a running figure": ("UPDATE tallies SET cents = cents + 1 WHERE kind = 'credit'", "tallies kind=credit"),
    "a transfer that is gone": ("DELETE FROM transfers WHERE id = 40", "transfers id=41"),
    "a holding that is gone": ("DELETE FROM holdings WHERE account_id = 1 AND lot_id = 1", "account_id=1 lot_id=1"),
    "a mark that is gone": ("DELETE FROM history_marks", "history_marks account_id="),
}


def tamper(world: World, statement: str) -> None:
    """Change the base behind the ledger's back, with its rules switched off, as somebody with the file would."""
    engine = create_engine(world.book.url)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("PRAGMA ignore_check_constraints = ON"))
        changed = connection.execute(text(statement)).rowcount
    engine.dispose()
    assert changed > 0, "the change must change something"


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_by_hand_is_found_and_its_row_named(broken_world: World, what: str) -> None:
    live(broken_world)
    assert broken_world.findings() == []
    statement, place = CHANGES[what]
    tamper(broken_world, statement)
    places = [finding.place for finding in broken_world.findings()]
    assert any(place in named for named in places), places


def test_a_whole_base_is_checked_with_every_rule_and_says_how_much_it_looked_at(world: World) -> None:
    live(world)
    seen: dict[str, int] = {}
    checked = world.ledger.read_now(check_ledger, lambda table, rows: seen.__setitem__(table, rows), home=HOME)
    assert {one.invariant for one in checked} >= {"I1", "I3", "transfers", "chains", "holdings", "balances", "marks"}
    assert all(one.is_held for one in checked)
    assert all(one.looked_at > 0 for one in checked)
    assert seen["transfers"] > 70


def test_an_empty_base_is_in_order(world: World) -> None:
    assert world.findings() == []


def test_a_balance_changed_while_the_ledger_runs_is_found_too(broken_world: World) -> None:
    person = live(broken_world)
    tamper(broken_world, "UPDATE holdings SET cents = cents + 1 WHERE account_id = 1 AND lot_id = 1")
    broken_world.post(person, broken_world.open(), 1, K.CESSION)
    assert broken_world.findings() != []
