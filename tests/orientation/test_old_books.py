"""A book that was written before there were projects is brought up to date with all that stands in it."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from sqlalchemy import text

from node.ledger.accounts import AccountKind
from node.ledger.postings import PostingKind
from node.schema_service import ACCOUNTS_HISTORY
from protocol.book import migration_service
from protocol.book.store import open_engine
from tests.orientation.world import Town

_LOT = "1, '242900314', x'00000000000000000000000000000001', 1, 202611, 100, x'0000000000000000'"
_OLD = (
    "INSERT INTO accounts (id, op, number, kind, peer, state, opened_at)"
    " VALUES (1, x'000000000000000000000000000000f1', 'AAAAAAAA', 'person', '', 'open', 1),"
    " (2, NULL, NULL, 'issuance', '', 'open', 1)",
    "INSERT INTO balances (account_id, cents, reserved, head, length) VALUES (1, 100, 0, 1, 1), (2, 0, 0, NULL, 0)",
    f"INSERT INTO lots (id, issuer, ref, lot_class, month, issued, seal) VALUES ({_LOT})",
    "INSERT INTO holdings (account_id, lot_id, cents) VALUES (1, 1, 100)",
    "INSERT INTO transfers (id, op, part, at, kind, debit, credit, lot, cents, reference, credit_seq, credit_after)"
    " VALUES (1, x'000000000000000000000000000000f2', 0, 1, 'endowment', 2, 1, 1, 100, '', 1, 100)",
    "INSERT INTO tallies (kind, entries, cents) VALUES ('endowment', 1, 100)",
)


def test_rows_of_an_old_book_stay_and_new_kinds_fit(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    engine = open_engine(url)
    config = migration_service._config(ACCOUNTS_HISTORY)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        config.attributes["history"] = ACCOUNTS_HISTORY
        command.upgrade(config, "0005")
    with engine.begin() as connection:
        for statement in _OLD:
            connection.execute(text(statement))
    engine.dispose()
    town = Town(url)
    held = town.book.read_now(lambda line: line.execute(text("SELECT account_id, cents FROM holdings")).all())
    assert [tuple(row) for row in held] == [(1, 100)]
    assert town.book.read_now(lambda line: line.execute(text("PRAGMA integrity_check")).scalar()) == "ok"
    id_, number = town.project()
    town.direct(town.holder(50), number, 50)
    town.commit(id_)
    town.hear(town.convert(id_, 50))
    kinds = town.book.read_now(lambda line: set(line.execute(text("SELECT kind FROM tallies")).scalars()))
    assert {PostingKind.CONVERSION, PostingKind.ENDOWMENT} <= kinds
    assert AccountKind.CONVERTED in town.book.read_now(
        lambda line: set(line.execute(text("SELECT kind FROM accounts")).scalars())
    )
    town.close()
