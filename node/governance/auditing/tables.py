"""The register of auditors, their conflicts, audits, missions, reports, answers to them and reminders.

What somebody signed stands as it was signed, in `words`; the columns beside repeat what is searched. No name stands here,
and not what anybody supports.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from node.governance.auditing.auditors import AuditorKind, ConflictKind
from node.governance.auditing.missions import AuditState, MissionState, ReminderKind
from node.governance.instalments import AuditVerdict
from node.governance.tables import metadata, seal_column
from protocol.book.tables import one_of

auditors = Table(
    "auditors",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("key", LargeBinary, ForeignKey("signers.key"), nullable=False, index=True),
    Column("account", Text, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("from_day", Integer, nullable=False),
    Column("until_day", Integer, nullable=False),
    Column("words", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("away_until", Integer, nullable=False),  # 0: not away
    Column("at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_reason", Text, nullable=False),
    seal_column(),
    CheckConstraint(one_of("kind", AuditorKind), name="kind"),
    CheckConstraint("until_day >= from_day", name="term"),
)

# `words` and `signature` where the auditor said it; `by` where somebody else found it.
audit_conflicts = Table(
    "audit_conflicts",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("auditor", LargeBinary, ForeignKey("auditors.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("project", LargeBinary, ForeignKey("projects.id"), index=True),
    Column("organisation", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("words", LargeBinary),
    Column("signature", LargeBinary),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    seal_column(),
    CheckConstraint(one_of("kind", ConflictKind), name="kind"),
    CheckConstraint("(words IS NULL) = (signature IS NULL) AND (words IS NULL) = (by <> '')", name="said"),
    CheckConstraint("(project IS NULL) = (organisation <> '')", name="with"),
)

audits = Table(
    "audits",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("project", LargeBinary, ForeignKey("projects.id"), nullable=False, index=True),
    Column("instalment", Integer, nullable=False),  # 0: the whole
    Column("seats", Integer, nullable=False),
    Column("draw", LargeBinary, ForeignKey("draws.id"), nullable=False, unique=True),
    Column("criteria", Text, nullable=False),  # words with a blank between them
    Column("due_on", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),  # why it was asked for
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("dropped_at", BigInteger),
    Column("dropped_reason", Text, nullable=False),
    seal_column(),
    CheckConstraint(one_of("state", AuditState), name="state"),
    CheckConstraint("instalment >= 0 AND seats > 0", name="numbers"),
    CheckConstraint("(dropped_at IS NULL) = (state <> 'dropped')", name="dropped"),
)

missions = Table(
    "missions",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("audit", LargeBinary, ForeignKey("audits.id"), nullable=False, index=True),
    Column("auditor", LargeBinary, ForeignKey("auditors.id"), nullable=False, index=True),
    Column("rank", Integer, nullable=False),  # in the drawing, from 0
    Column("words", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("signer", LargeBinary, nullable=False),  # the key of this base that signed
    Column("answer_by", Integer, nullable=False),
    Column("due_on", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("reply", LargeBinary),
    Column("reply_signature", LargeBinary),
    Column("at", BigInteger, nullable=False),
    Column("replied_at", BigInteger),
    Column("ended_at", BigInteger),
    seal_column(),
    UniqueConstraint("audit", "rank"),
    CheckConstraint(one_of("state", MissionState), name="state"),
    CheckConstraint("(reply IS NULL) = (reply_signature IS NULL)", name="reply"),
)

reports = Table(
    "reports",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("mission", LargeBinary, ForeignKey("missions.id"), nullable=False, index=True),
    Column("verdict", Text, nullable=False),
    Column("follows", LargeBinary, ForeignKey("reports.id"), unique=True),
    Column("words", LargeBinary, nullable=False),
    Column("key", LargeBinary, ForeignKey("signers.key"), nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    seal_column(),
    CheckConstraint(one_of("verdict", AuditVerdict), name="verdict"),
)

report_answers = Table(
    "report_answers",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("report", LargeBinary, ForeignKey("reports.id"), nullable=False, index=True),
    Column("text", Text, nullable=False),
    Column("digest", LargeBinary),  # of a file that proves it, or nothing
    Column("by", Text, nullable=False),  # a bearer's registry number, or an account
    Column("at", BigInteger, nullable=False),
    seal_column(),
)

audit_reminders = Table(
    "audit_reminders",
    metadata,
    Column("mission", LargeBinary, ForeignKey("missions.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("told_at", BigInteger),  # when somebody said that it was passed on
    seal_column(),
    PrimaryKeyConstraint("mission", "kind"),
    CheckConstraint(one_of("kind", ReminderKind), name="kind"),
)
