"""The migrations make the tables that the code knows, and the tables hold the rules by themselves."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from node.ledger.service import ledger_history
from node.ledger.tables import metadata
from protocol.book.migration_service import pending_changes, upgrade
from protocol.book.store import open_engine
from tests.ledger.world import World


def test_the_migrations_make_the_tables_that_the_code_knows(book_url: str) -> None:
    engine = open_engine(book_url)
    upgrade(engine, ledger_history())
    upgrade(engine, ledger_history())
    assert pending_changes(engine, ledger_history()) == []
    engine.dispose()


def test_every_rule_of_a_table_has_a_name() -> None:
    for table in metadata.tables.values():
        for constraint in table.constraints:
            assert constraint.name, f"{table.name}: {constraint}"


BREAKING = [
    ("UPDATE holdings SET cents = -1", "ck_holdings_cents"),
    ("UPDATE balances SET reserved = cents + 1", "ck_balances_reserved"),
    ("UPDATE accounts SET kind = 'till' WHERE number IS NOT NULL", "ck_accounts_(kind|numbered)"),
    ("UPDATE accounts SET number = NULL WHERE number IS NOT NULL", "ck_accounts_(numbered|asked)"),
    ("UPDATE accounts SET peer = '200046977' WHERE number IS NOT NULL", "ck_accounts_peer"),
    ("UPDATE accounts SET state = 'closed' WHERE number IS NOT NULL", "ck_accounts_closed"),
    ("UPDATE balances SET head = NULL", "ck_balances_chain"),
    ("UPDATE lots SET issued = -1", "ck_lots_issued"),
    ("UPDATE lots SET month = 202613", "ck_lots_month"),
    ("UPDATE lots SET lot_class = 32", "ck_lots_lot_class"),
    ("UPDATE transfers SET cents = 0", "ck_transfers_cents"),
    ("UPDATE transfers SET credit = debit", "ck_transfers_sides"),
    ("UPDATE transfers SET kind = 'theft'", "ck_transfers_kind"),
    ("UPDATE transfers SET kind = 'reversal'", "ck_transfers_undoes"),
    ("UPDATE transfers SET lot = 99", "FOREIGN KEY|fk_transfers_lot"),
    ("UPDATE transfers SET op = (SELECT max(op) FROM transfers)", "UNIQUE|uq_transfers_op_part"),
    ("UPDATE origins SET restriction = 'rivers'", "ck_origins_restriction"),
]


@pytest.mark.parametrize(("statement", "rule"), BREAKING, ids=[statement for statement, _ in BREAKING])
def test_the_base_refuses_by_itself_what_must_never_stand_in_it(world: World, statement: str, rule: str) -> None:
    pool, person = world.pool(100), world.open()
    world.post(pool, person, 10)
    engine = open_engine(world.url)
    with pytest.raises(IntegrityError, match=rule), engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()
