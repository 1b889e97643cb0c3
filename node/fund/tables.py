"""The fund's base: who gives, what is expected, what the bank said, what was paid out, receipts and books; each idea in a file of its own.

Who owns the numbers? Movements say what the bank said and are only ever inserted; `received` of an expectation, the
state of a deposit and of a payment are kept beside them in the same transaction, and `checks.py` tells them again.
Ids are 16 bytes, days whole numbers yyyymmdd, sums whole cents.
"""

from __future__ import annotations

from node.doors.tables import make_keys_table
from node.fund.bank_tables import movements, statements
from node.fund.books_tables import entries
from node.fund.card_tables import card_deciders, deciders, own_settlements, settlement_accounts
from node.fund.decision_tables import decisions, recoveries, stated_numbers
from node.fund.donor_tables import calls, deposits, donors, expectations, pledge_signatures, pledges, reminders
from node.fund.gift_tables import collections, debits, mandates
from node.fund.netting_tables import (
    awaited_dues,
    net_payments,
    net_receipts,
    netting_heard,
    netting_signatures,
    netting_words,
    windows,
)
from node.fund.payment_tables import bearers, due_lots, dues, iban_changes, officers, orders, payments, signatures
from node.fund.receipt_tables import receipt_counters, receipts, void_receipts
from node.fund.sealed_tables import add_seal, metadata, sealed_columns

# Who may come in by the doors: programs, by keys that are kept as hashes.
door_keys = add_seal(make_keys_table(metadata))

__all__ = [
    "awaited_dues",
    "bearers",
    "calls",
    "card_deciders",
    "collections",
    "debits",
    "deciders",
    "decisions",
    "deposits",
    "donors",
    "door_keys",
    "due_lots",
    "dues",
    "entries",
    "expectations",
    "iban_changes",
    "mandates",
    "metadata",
    "movements",
    "net_payments",
    "net_receipts",
    "netting_heard",
    "netting_signatures",
    "netting_words",
    "officers",
    "orders",
    "own_settlements",
    "payments",
    "pledge_signatures",
    "pledges",
    "receipt_counters",
    "receipts",
    "recoveries",
    "reminders",
    "sealed_columns",
    "settlement_accounts",
    "signatures",
    "stated_numbers",
    "statements",
    "void_receipts",
    "windows",
]
