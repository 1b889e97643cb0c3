"""Tables of the people's base. No column holds a word about somebody: what names is sealed, what finds is digested.

Ids are 16 random bytes. Days are whole numbers yyyymmdd, instants milliseconds. A row with a `seal` carries a keyed digest
of all its other columns, and the journal says which seal its last writer gave it.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from node.doors.tables import make_keys_table
from node.people.accounts import LinkState
from node.people.authority import Action, Purpose
from node.people.consents import ConsentPurpose
from node.people.declarations import DeclarationKind, DeclarationState
from node.people.erasures import ErasureState
from node.people.four_eyes import ProposalKind, ProposalState
from node.people.identities import IdentityKind, IdentityState
from node.people.lost import LostKind
from node.people.records import LookupKind, PersonKind, PersonState
from node.people.roles import Duty, WordState
from node.people.rules import RuleName
from protocol.book.tables import NAMING, RowId, one_of
from protocol.house import HolderKind

metadata = MetaData(naming_convention=NAMING)

_DAY: Final = "{0} BETWEEN 19000101 AND 99991231"
_DAY_OR_NONE: Final = "{0} = 0 OR {0} BETWEEN 19000101 AND 99991231"


def _seal() -> Column[bytes]:
    return Column("seal", LargeBinary, nullable=False)


def _person(name: str = "person", **how: Any) -> Column[bytes]:
    return Column(name, LargeBinary, ForeignKey("persons.id"), **{"nullable": False, "index": True, **how})


persons = Table(
    "persons",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),  # of the record that is in force
    _seal(),
    CheckConstraint("length(id) = 16", name="id"),
    CheckConstraint(one_of("kind", PersonKind), name="kind"),
    CheckConstraint(one_of("state", PersonState), name="state"),
    CheckConstraint("version >= 1", name="version"),
)

# What the law asks of somebody, and what it was before each rectification: sealed under the person's data key.
records = Table(
    "records",
    metadata,
    _person(index=False),
    Column("version", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    _seal(),
    PrimaryKeyConstraint("person", "version"),
)

# One data key for each person, wrapped under a base key. Destroyed: nothing that it sealed is ever read again.
data_keys = Table(
    "data_keys",
    metadata,
    _person(index=False, primary_key=True),
    Column("base_key", LargeBinary),
    Column("wrapped", LargeBinary),
    Column("destroyed_at", BigInteger),
    CheckConstraint("(wrapped IS NULL) = (destroyed_at IS NOT NULL)", name="destroyed"),
    CheckConstraint("(wrapped IS NULL) = (base_key IS NULL)", name="base_key"),
)

# The book's own key, wrapped likewise: look-ups, row seals and the journal are digests under it. One row.
book_keys = Table(
    "book_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("base_key", LargeBinary, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    CheckConstraint("id = 1", name="one"),
)

lookups = Table(
    "lookups",
    metadata,
    Column("kind", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    _person(),
    PrimaryKeyConstraint("kind", "digest", "person"),
    CheckConstraint(one_of("kind", LookupKind), name="kind"),
    CheckConstraint("length(digest) = 32", name="digest"),
)

# Who belongs to a household or a group.
members = Table(
    "members",
    metadata,
    _person("group_id", index=False),
    _person("member"),
    Column("since", Integer, nullable=False),
    Column("ended_on", Integer, nullable=False, server_default="0"),
    _seal(),
    PrimaryKeyConstraint("group_id", "member"),
    CheckConstraint("group_id <> member", name="two"),
    CheckConstraint(_DAY.format("since"), name="since"),
    CheckConstraint(_DAY_OR_NONE.format("ended_on"), name="ended_on"),
)

# Accounts of the accounts base, by number. Without a person: open, and waiting for whoever gets the card.
accounts = Table(
    "accounts",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    _person(nullable=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("number", Text, unique=True),
    Column("question", LargeBinary, unique=True),  # under which id the accounts were asked last
    Column("is_frozen", Integer, nullable=False, server_default="0"),
    Column("cents", BigInteger, nullable=False, server_default="0"),
    Column("reserved", BigInteger, nullable=False, server_default="0"),
    Column("in_flight", BigInteger, nullable=False, server_default="0"),
    Column("movements", BigInteger, nullable=False, server_default="0"),
    Column("shows_name", Integer, nullable=False, server_default="0"),
    Column("opened_at", BigInteger, nullable=False, server_default="0"),
    Column("closed_at", BigInteger, nullable=False, server_default="0"),
    Column("told_at", BigInteger, nullable=False, server_default="0"),  # when the accounts said all this
    Column("code", Text, nullable=False, server_default=""),  # why they refused what was asked last
    _seal(),
    CheckConstraint("length(id) = 16", name="id"),
    CheckConstraint(one_of("kind", HolderKind), name="kind"),
    CheckConstraint(one_of("state", LinkState), name="state"),
    CheckConstraint("number IS NULL OR length(number) = 8", name="number"),
    CheckConstraint("is_frozen IN (0, 1) AND shows_name IN (0, 1)", name="flags"),
    CheckConstraint("cents >= 0 AND reserved >= 0 AND in_flight >= 0 AND movements >= 0", name="cents"),
)

# What is agreed to, version by version. Nothing is ever changed here, nor in consents.
consent_texts = Table(
    "consent_texts",
    metadata,
    Column("purpose", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("french", Text, nullable=False),
    Column("english", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("proposal", LargeBinary, ForeignKey("proposals.id"), nullable=False),
    _seal(),
    PrimaryKeyConstraint("purpose", "version"),
    CheckConstraint(one_of("purpose", ConsentPurpose), name="purpose"),
    CheckConstraint("version >= 1", name="version"),
)

consents = Table(
    "consents",
    metadata,
    Column("seq", RowId, primary_key=True, autoincrement=False),
    Column("id", LargeBinary, nullable=False, unique=True),
    _person(),
    Column("purpose", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("is_given", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    _seal(),
    CheckConstraint(one_of("purpose", ConsentPurpose), name="purpose"),
    CheckConstraint("is_given IN (0, 1)", name="is_given"),
)

proposals = Table(
    "proposals",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("kind", Text, nullable=False),
    _person("subject", nullable=True, index=False),
    Column("body", Text, nullable=False),  # JSON: what is to be moved. No name
    Column("proposed_by", LargeBinary, nullable=False),
    Column("proposed_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_by", LargeBinary),
    Column("decided_at", BigInteger),
    _seal(),
    CheckConstraint(one_of("kind", ProposalKind), name="kind"),
    CheckConstraint(one_of("state", ProposalState), name="state"),
    CheckConstraint("(state = 'proposed') = (decided_by IS NULL)", name="decided_by"),
    CheckConstraint("(state = 'proposed') = (decided_at IS NULL)", name="decided_at"),
    CheckConstraint("state <> 'approved' OR decided_by <> proposed_by", name="four_eyes"),
    CheckConstraint("subject IS NULL OR subject <> proposed_by", name="subject"),
)

roles = Table(
    "roles",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    _person(),
    Column("base", Text, nullable=False),
    Column("duty", Text, nullable=False),
    Column("from_day", Integer, nullable=False),
    Column("until_day", Integer, nullable=False, server_default="0"),
    Column("ended_on", Integer, nullable=False, server_default="0"),
    Column("proposal", LargeBinary, ForeignKey("proposals.id")),  # none: the first two officers
    _seal(),
    CheckConstraint(one_of("duty", Duty), name="duty"),
    CheckConstraint(_DAY.format("from_day"), name="from_day"),
    CheckConstraint(_DAY_OR_NONE.format("until_day"), name="until_day"),
    CheckConstraint(_DAY_OR_NONE.format("ended_on"), name="ended_on"),
)

# How the base of a role knows its officer, so that his keys there end with the duty. No name: a function or a pseudonym.
role_words = Table(
    "role_words",
    metadata,
    Column("role", LargeBinary, ForeignKey("roles.id"), primary_key=True),
    Column("word", Text, nullable=False, server_default=""),
    Column("key", LargeBinary),  # the name of the key that he signs with
    Column("proposal", LargeBinary, ForeignKey("proposals.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("told", LargeBinary, unique=True),  # under which id the base was told last that the duty is over
    Column("told_at", BigInteger, nullable=False, server_default="0"),
    Column("doors", Integer, nullable=False, server_default="0"),  # keys that ended there, as that base answered
    Column("signers", Integer, nullable=False, server_default="0"),
    _seal(),
    CheckConstraint("key IS NULL OR length(key) = 8", name="key"),
    CheckConstraint(one_of("state", WordState), name="state"),
    CheckConstraint("(state = 'named') = (told IS NULL)", name="told"),
)

# Each value that a rule had; the newest number counts.
rules = Table(
    "rules",
    metadata,
    Column("name", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("value", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("proposal", LargeBinary, ForeignKey("proposals.id"), nullable=False),
    _seal(),
    PrimaryKeyConstraint("name", "number"),
    CheckConstraint(one_of("name", RuleName), name="name"),
)

declarations = Table(
    "declarations",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    _person(),
    Column("kind", Text, nullable=False),
    Column("effective_on", Integer, nullable=False),
    Column("declared_on", Integer, nullable=False),
    Column("declared_by", LargeBinary, nullable=False),
    Column("reversible_until", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("ended_on", Integer, nullable=False, server_default="0"),
    Column("rule", Text, nullable=False, server_default=""),  # what was applied when it was settled
    _seal(),
    CheckConstraint(one_of("kind", DeclarationKind), name="kind"),
    CheckConstraint(one_of("state", DeclarationState), name="state"),
    CheckConstraint("(state = 'declared') = (ended_on = 0)", name="ended_on"),
    CheckConstraint("(state = 'settled') = (rule <> '')", name="rule"),
)

delegations = Table(
    "delegations",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    _person(),
    _person("delegate"),
    Column("powers", Text, nullable=False),
    Column("from_day", Integer, nullable=False),
    Column("until_day", Integer, nullable=False),
    Column("revoked_on", Integer, nullable=False, server_default="0"),
    _seal(),
    CheckConstraint("person <> delegate", name="two"),
    CheckConstraint("from_day <= until_day", name="days"),
)

# By what somebody signs in. `handle` is a keyed digest; a card that nobody claimed belongs to its account alone.
identities = Table(
    "identities",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("handle", LargeBinary, nullable=False, unique=True),
    _person(nullable=True),
    Column("account", LargeBinary, ForeignKey("accounts.id"), index=True),
    Column("sealed", LargeBinary),  # the credential, under the person's data key
    Column("salt", LargeBinary),
    Column("hash", LargeBinary),
    Column("attempts", Integer, nullable=False),  # that are left
    Column("state", Text, nullable=False),
    _seal(),
    CheckConstraint(one_of("kind", IdentityKind), name="kind"),
    CheckConstraint(one_of("state", IdentityState), name="state"),
    CheckConstraint("length(handle) = 32", name="handle"),
    CheckConstraint("person IS NOT NULL OR account IS NOT NULL", name="whose"),
    CheckConstraint("(kind = 'paper') = (hash IS NOT NULL)", name="hash"),
    CheckConstraint("(kind = 'paper') = (sealed IS NULL)", name="sealed"),
    CheckConstraint("(salt IS NULL) = (hash IS NULL)", name="salt"),
    CheckConstraint("attempts >= 0", name="attempts"),
)

erasures = Table(
    "erasures",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    _person(),
    Column("goes_to", Text, nullable=False, server_default=""),  # where rights go, as the person decides
    Column("state", Text, nullable=False),
    Column("asked_on", Integer, nullable=False),
    Column("ended_on", Integer, nullable=False, server_default="0"),
    Column("kept", Text, nullable=False, server_default=""),  # JSON: what is kept, why, until when
    _seal(),
    CheckConstraint(one_of("state", ErasureState), name="state"),
    CheckConstraint("(state = 'done') = (kept <> '')", name="kept"),
)

# What this base lost with a disk and came back without: settled when somebody has seen to it.
lost = Table(
    "lost",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("number", Text, index=True),
    _person(nullable=True),
    Column("place", Text, nullable=False, server_default=""),  # the row that was ended again
    Column("noted_at", BigInteger, nullable=False),
    Column("settled_at", BigInteger, nullable=False, server_default="0"),
    _seal(),
    CheckConstraint("length(id) = 16", name="id"),
    CheckConstraint(one_of("kind", LostKind), name="kind"),
    CheckConstraint("number IS NULL OR length(number) = 8", name="number"),
)

# Who read or changed what, when, for which purpose: only ever added to, each entry hashed with the one before.
journal = Table(
    "journal",
    metadata,
    Column("seq", RowId, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", LargeBinary),  # none: the base itself
    Column("subject", LargeBinary),
    Column("action", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("op", LargeBinary),  # under which id it was asked
    Column("place", Text, nullable=False, server_default=""),  # the row that was written
    Column("seal", LargeBinary),  # and its seal; none: it was removed
    Column("hash", LargeBinary, nullable=False),
    CheckConstraint(one_of("action", Action), name="action"),
    CheckConstraint(one_of("purpose", Purpose), name="purpose"),
    Index("ix_journal_subject", "subject"),
)

# How far the journal reaches: what is cut off its end is seen.
journal_heads = Table(
    "journal_heads",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    CheckConstraint("id = 1", name="one"),
)

# What was asked under which id, and what was answered.
operations = Table(
    "operations",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("answer", Text, nullable=False),  # JSON: ids, days and states
    Column("at", BigInteger, nullable=False),
    _seal(),
    CheckConstraint("length(id) = 16", name="id"),
)

# Who may come in by the base's doors: `name` is the officer's id, under which everything done with the key is done.
door_keys = make_keys_table(metadata, _seal())

# Rows that the journal holds: the seal of each is what its last entry says.
JOURNALED: Final = (
    *(persons, records, members, accounts, consent_texts, consents, proposals, roles, rules),
    *(role_words, declarations, delegations, identities, erasures, lost),
)
