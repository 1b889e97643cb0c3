"""The projects' base: bearers, projects and their sheets, the committee and its votes, what is converted and paid.

Who owns the numbers? `support`, `converted` and `released` are what the accounts said last; a project's state is its
last step; a decision is the digest of signed minutes. Every row has a seal (protocol/book/seals.py),
set by `store` wherever it writes.
Ids are 16 bytes, days whole numbers yyyymmdd, sums whole cents, instants milliseconds. No name of a person stands here.

Another room of this base adds its tables to `metadata` in a module of its own, and names it in `service.py`.
"""

from __future__ import annotations

from typing import Final

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
    UniqueConstraint,
)

from node.doors.tables import make_keys_table
from node.governance.attestations import AttestationKind
from node.governance.bearers import ProofKind
from node.governance.comments import CommentKind, CommentState
from node.governance.drawing import DRAWN_FOR
from node.governance.instalments import AuditVerdict, DueMark, ProofState, RoundState
from node.governance.projects import ProjectEvent, ProjectState
from node.governance.signers import SignerRole
from node.governance.votes import College, Outcome
from protocol.book.tables import NAMING, one_of

metadata = MetaData(naming_convention=NAMING)

_DAY: Final = "{0} BETWEEN 19000101 AND 99991231"


def _id(name: str = "id", *, primary_key: bool = False, nullable: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, primary_key=primary_key, nullable=nullable)


def seal_column() -> Column[bytes]:
    """The seal of a row: every table of this base has it as its last column."""
    return Column("seal", LargeBinary, nullable=False)


# What was asked under which id: the same again is answered as before, another content is refused.
asked = Table(
    "asked",
    metadata,
    _id(primary_key=True),
    Column("what", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    seal_column(),
)

# Pictures of sheets, by their SHA-256.
files = Table(
    "files",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("media", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    seal_column(),
)

bearers = Table(
    "bearers",
    metadata,
    _id(primary_key=True),
    Column("registry", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("holder_name", Text, nullable=False),
    Column("iban", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    seal_column(),
)

proofs = Table(
    "proofs",
    metadata,
    _id(primary_key=True),
    Column("bearer", LargeBinary, ForeignKey("bearers.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("issued_on", Integer, nullable=False),
    Column("valid_until", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    seal_column(),
    CheckConstraint(one_of("kind", ProofKind), name="kind"),
    CheckConstraint("valid_until >= issued_on", name="days"),
)

# Public halves of keys that stay with people: members of the committee, auditors, stewards of this base.
signers = Table(
    "signers",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("role", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("signing", LargeBinary, nullable=False),
    Column("sealing", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    seal_column(),
    CheckConstraint(one_of("role", SignerRole), name="role"),
)

# For which body a key of the role `bearer` speaks.
bearer_signers = Table(
    "bearer_signers",
    metadata,
    Column("key", LargeBinary, ForeignKey("signers.key"), primary_key=True),
    Column("bearer", LargeBinary, ForeignKey("bearers.id"), nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    seal_column(),
)

# What bearers and members said with their own key; `subject` is a pass, hours or a project.
attestations = Table(
    "attestations",
    metadata,
    _id(primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", LargeBinary, nullable=False, index=True),
    Column("words", LargeBinary, nullable=False),
    Column("key", LargeBinary, ForeignKey("signers.key"), nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    seal_column(),
    CheckConstraint(one_of("kind", AttestationKind), name="kind"),
)

iban_changes = Table(
    "iban_changes",
    metadata,
    _id(primary_key=True),
    Column("bearer", LargeBinary, ForeignKey("bearers.id"), nullable=False, index=True),
    Column("holder_name", Text, nullable=False),
    Column("iban", Text, nullable=False),
    Column("before_holder_name", Text, nullable=False),
    Column("before_iban", Text, nullable=False),
    Column("asked_by", LargeBinary, ForeignKey("signers.key"), nullable=False),
    Column("asked_signature", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("effective_at", BigInteger, nullable=False),
    Column("confirmed_by", LargeBinary, ForeignKey("signers.key")),
    Column("confirmed_signature", LargeBinary),
    Column("applied_at", BigInteger),
    seal_column(),
    CheckConstraint("confirmed_by IS NULL OR confirmed_by <> asked_by", name="two_people"),
)

projects = Table(
    "projects",
    metadata,
    _id(primary_key=True),
    Column("state", Text, nullable=False),
    Column("proposer", Text, nullable=False),  # an account number, or a bearer's registry number
    Column("version", Integer, nullable=False),  # of its sheet, the current one
    Column("bearer", LargeBinary, ForeignKey("bearers.id"), index=True),
    Column("theme", Text, nullable=False),
    Column("commune", Text, nullable=False),
    Column("need_by", Integer, nullable=False),
    Column("target", BigInteger, nullable=False),
    Column("minimum", BigInteger, nullable=False),
    Column("decision", LargeBinary),  # the digest of the minutes that validated or refused it last
    Column("decided_on", Integer),
    Column("appeals", Integer, nullable=False),
    Column("number", Text),  # its account, once the accounts said it
    Column("support", BigInteger, nullable=False),
    Column("supporters", Integer, nullable=False),
    Column("commit_id", LargeBinary, unique=True),
    Column("release_id", LargeBinary, unique=True),
    Column("released", BigInteger),  # what the accounts gave back
    Column("code", Text, nullable=False),  # why the accounts refused what was asked last
    Column("at", BigInteger, nullable=False),
    seal_column(),
    CheckConstraint(one_of("state", ProjectState), name="state"),
    CheckConstraint("minimum > 0 AND minimum <= target", name="sums"),
    CheckConstraint("support >= 0 AND supporters >= 0 AND appeals BETWEEN 0 AND 1", name="counts"),
    CheckConstraint(_DAY.format("need_by"), name="need_by"),
    Index("ix_projects_state_need_by", "state", "need_by"),
)

versions = Table(
    "versions",
    metadata,
    Column("project", LargeBinary, ForeignKey("projects.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    seal_column(),
    PrimaryKeyConstraint("project", "version"),
)

steps = Table(
    "steps",
    metadata,
    Column("project", LargeBinary, ForeignKey("projects.id"), nullable=False),
    Column("ix", Integer, nullable=False),
    Column("event", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    seal_column(),
    PrimaryKeyConstraint("project", "ix"),
    CheckConstraint(one_of("event", [*ProjectEvent, "proposed"]), name="event"),
    CheckConstraint(one_of("state", ProjectState), name="state"),
)

comments = Table(
    "comments",
    metadata,
    _id(primary_key=True),
    Column("project", LargeBinary, ForeignKey("projects.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("answers", LargeBinary, ForeignKey("comments.id")),
    Column("text", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),  # who moderated
    Column("at", BigInteger, nullable=False),
    Column("moderated_at", BigInteger),
    seal_column(),
    CheckConstraint(one_of("kind", CommentKind), name="kind"),
    CheckConstraint(one_of("state", CommentState), name="state"),
)

draws = Table(
    "draws",
    metadata,
    _id(primary_key=True),
    Column("body", LargeBinary, nullable=False),  # the list that was closed
    Column("digest", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),  # of the list, by this base: it was closed before the number came
    Column("college", Text, nullable=False),
    Column("drawn_on", Integer, nullable=False),
    Column("number", Text, nullable=False),  # empty until it is known
    Column("at", BigInteger, nullable=False),
    Column("drawn_at", BigInteger),
    seal_column(),
    CheckConstraint(one_of("college", DRAWN_FOR), name="college"),
)

members = Table(
    "members",
    metadata,
    _id(primary_key=True),
    Column("key", LargeBinary, ForeignKey("signers.key"), nullable=False, index=True),
    Column("college", Text, nullable=False),
    Column("from_day", Integer, nullable=False),
    Column("until_day", Integer, nullable=False),
    Column("organisation", Text, nullable=False),  # a registry number, or nothing
    Column("account", Text, nullable=False),  # its account number, or nothing
    Column("draw", LargeBinary, ForeignKey("draws.id")),
    Column("at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_reason", Text, nullable=False),
    seal_column(),
    CheckConstraint(one_of("college", College), name="college"),
    CheckConstraint("until_day >= from_day", name="term"),
)

conflicts = Table(
    "conflicts",
    metadata,
    Column("project", LargeBinary, ForeignKey("projects.id"), nullable=False),
    Column("member", LargeBinary, ForeignKey("members.id"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    seal_column(),
    PrimaryKeyConstraint("project", "member"),
)

sessions = Table(
    "sessions",
    metadata,
    _id(primary_key=True),
    Column("project", LargeBinary, ForeignKey("projects.id"), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("sheet", LargeBinary, nullable=False),
    Column("is_appeal", Integer, nullable=False),
    Column("rules", LargeBinary, nullable=False),
    Column("opens_at", BigInteger, nullable=False),
    Column("closes_at", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("outcome", Text),
    Column("reason", Text, nullable=False),
    Column("minutes", LargeBinary),
    Column("decision", LargeBinary, unique=True),
    Column("signature", LargeBinary),
    Column("signer", LargeBinary),  # the key of this base that signed
    Column("decided_at", BigInteger),
    seal_column(),
    CheckConstraint(one_of("outcome", Outcome) + " OR outcome IS NULL", name="outcome"),
    CheckConstraint("closes_at > opens_at AND is_appeal BETWEEN 0 AND 1", name="times"),
)

ballots = Table(
    "ballots",
    metadata,
    Column("session", LargeBinary, ForeignKey("sessions.id"), nullable=False),
    Column("member", LargeBinary, ForeignKey("members.id"), nullable=False),
    Column("words", LargeBinary, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    seal_column(),
    PrimaryKeyConstraint("session", "member"),
)

# What an instalment was spent on.
spendings = Table(
    "spendings",
    metadata,
    _id(primary_key=True),
    Column("project", LargeBinary, ForeignKey("projects.id"), nullable=False, index=True),
    Column("instalment", Integer, nullable=False),
    Column("words", Text, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("decided_at", BigInteger),
    seal_column(),
    CheckConstraint(one_of("state", ProofState), name="state"),
    CheckConstraint("cents > 0 AND instalment > 0", name="sums"),
)

findings = Table(
    "findings",
    metadata,
    _id(primary_key=True),
    Column("project", LargeBinary, ForeignKey("projects.id"), nullable=False, index=True),
    Column("verdict", Text, nullable=False),
    Column("words", LargeBinary, nullable=False),
    Column("key", LargeBinary, ForeignKey("signers.key"), nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    seal_column(),
    CheckConstraint(one_of("verdict", AuditVerdict), name="verdict"),
)

# Keys of funds elsewhere that orders are sealed for; the own fund's are in house.toml.
payers = Table(
    "payers",
    metadata,
    Column("territory", Text, primary_key=True),
    Column("signing", LargeBinary, nullable=False),
    Column("sealing", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    seal_column(),
)

# The same as the cards of their territories say, card by card; a person's entry goes before. `from_at`: from when it counts.
card_payers = Table(
    "card_payers",
    metadata,
    Column("territory", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("signing", LargeBinary, nullable=False),
    Column("sealing", LargeBinary, nullable=False),
    Column("since", Integer, nullable=False),  # the day on which the accounts had it
    Column("at", BigInteger, nullable=False),
    Column("from_at", BigInteger, nullable=False),
    seal_column(),
    PrimaryKeyConstraint("territory", "number"),
    CheckConstraint("from_at >= at", name="from_at"),
)

# The catalogue that was published last: one row.
own_catalogue = Table(
    "own_catalogue",
    metadata,
    Column("place", Integer, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("signed", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    seal_column(),
    CheckConstraint("place = 0", name="place"),
)

rounds = Table(
    "rounds",
    metadata,
    _id(primary_key=True),
    Column("project", LargeBinary, ForeignKey("projects.id"), nullable=False),
    Column("round", Integer, nullable=False),
    Column("instalment", Integer, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("iban", Text, nullable=False),  # that its orders name
    Column("state", Text, nullable=False),
    Column("waiting", BigInteger, nullable=False),
    Column("code", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("answered_at", BigInteger),
    seal_column(),
    UniqueConstraint("project", "round"),
    CheckConstraint(one_of("state", RoundState), name="state"),
    CheckConstraint("cents > 0 AND round > 0 AND waiting >= 0", name="sums"),
)

dues = Table(
    "dues",
    metadata,
    _id(primary_key=True),
    Column("round", LargeBinary, ForeignKey("rounds.id"), nullable=False, index=True),
    Column("payer", Text, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("mark", Text, nullable=False),
    Column("on_day", Integer),
    Column("code", Text, nullable=False),
    Column("confirmed_on", Integer),
    # Of one that another fund netted, so that our own pays it: 'wanted', 'sent', or why our fund sent the order back.
    Column("own_order", Text),
    Column("ordered_on", Integer),  # the day of the last order
    Column("at", BigInteger, nullable=False),
    seal_column(),
    UniqueConstraint("round", "payer"),
    CheckConstraint(one_of("mark", DueMark), name="mark"),
    CheckConstraint("cents > 0", name="cents"),
)

# Who may come in by the doors of the projects' office: `name` is the officer's function.
door_keys = make_keys_table(metadata, seal_column())
