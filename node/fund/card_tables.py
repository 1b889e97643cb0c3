"""What the cards of territories say: who decides there, where their funds are paid; and what ours lets be known."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, LargeBinary, PrimaryKeyConstraint, Text

from node.fund.sealed_tables import make_table
from protocol.book.tables import RowId

# Who decides of projects elsewhere: what these keys sign is that territory's word.
deciders = make_table(
    "deciders",
    Column("territory", Text, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("signing", LargeBinary, nullable=False),
    Column("sealing", LargeBinary, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("confirmed_at", BigInteger),  # since when its territory's card says the same: then the card's word counts
    PrimaryKeyConstraint("territory", "key"),
)

# What the cards of other territories say, card by card: nothing is overwritten. `from_at`: since when, or from when, it
# counts; a later row overtakes one that still waits (`protocol/held_changes.py`).
card_deciders = make_table(
    "card_deciders",
    Column("territory", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("signing", LargeBinary, nullable=False),
    Column("sealing", LargeBinary, nullable=False),
    Column("since", Integer, nullable=False),  # the day on which the accounts had it
    Column("at", BigInteger, nullable=False),
    Column("from_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("territory", "number"),
    CheckConstraint("from_at >= at", name="from_at"),
)

# Where other funds are paid what funds owe each other; `iban` is empty where one takes nothing any more.
settlement_accounts = make_table(
    "settlement_accounts",
    Column("territory", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("siren", Text, nullable=False),
    Column("iban", Text, nullable=False),
    Column("bic", Text, nullable=False),
    Column("since", Integer, nullable=False),  # the day since when the accounts know it
    Column("signing", LargeBinary, nullable=False),  # that fund's keys
    Column("sealing", LargeBinary, nullable=False),
    Column("signed", LargeBinary, nullable=False),  # these words as that fund signed them
    Column("at", BigInteger, nullable=False),
    Column("from_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("territory", "number"),
    CheckConstraint("from_at >= at", name="from_at"),
    CheckConstraint("(iban = '') = (length(signed) = 0)", name="signed"),
)

# What this fund let be known of its own account.
own_settlements = make_table(
    "own_settlements",
    Column("number", RowId, primary_key=True, autoincrement=False),
    Column("signed", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
)
