"""The register of auditors, audits drawn by lot, missions, reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "auditors",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("from_day", sa.Integer(), nullable=False),
        sa.Column("until_day", sa.Integer(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("away_until", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_reason", sa.Text(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind = 'other' OR kind = 'retired' OR kind = 'student'", name=op.f("ck_auditors_kind")),
        sa.CheckConstraint("until_day >= from_day", name=op.f("ck_auditors_term")),
        sa.ForeignKeyConstraint(["key"], ["signers.key"], name=op.f("fk_auditors_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auditors")),
    )
    with op.batch_alter_table("auditors", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_auditors_account"), ["account"], unique=False)
        batch_op.create_index(batch_op.f("ix_auditors_key"), ["key"], unique=False)

    op.create_table(
        "audit_conflicts",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("auditor", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("project", sa.LargeBinary(), nullable=True),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column("signature", sa.LargeBinary(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("(project IS NULL) = (organisation <> '')", name=op.f("ck_audit_conflicts_with")),
        sa.CheckConstraint(
            "(words IS NULL) = (signature IS NULL) AND (words IS NULL) = (by <> '')",
            name=op.f("ck_audit_conflicts_said"),
        ),
        sa.CheckConstraint(
            "kind = 'organisation' OR kind = 'project' OR kind = 'support'", name=op.f("ck_audit_conflicts_kind")
        ),
        sa.ForeignKeyConstraint(["auditor"], ["auditors.id"], name=op.f("fk_audit_conflicts_auditor")),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_audit_conflicts_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_conflicts")),
    )
    with op.batch_alter_table("audit_conflicts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_conflicts_auditor"), ["auditor"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_conflicts_project"), ["project"], unique=False)

    op.create_table(
        "audits",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("project", sa.LargeBinary(), nullable=False),
        sa.Column("instalment", sa.Integer(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("draw", sa.LargeBinary(), nullable=False),
        sa.Column("criteria", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("dropped_at", sa.BigInteger(), nullable=True),
        sa.Column("dropped_reason", sa.Text(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("(dropped_at IS NULL) = (state <> 'dropped')", name=op.f("ck_audits_dropped")),
        sa.CheckConstraint(
            "state = 'called' OR state = 'dropped' OR state = 'ended' OR state = 'listed'", name=op.f("ck_audits_state")
        ),
        sa.CheckConstraint("instalment >= 0 AND seats > 0", name=op.f("ck_audits_numbers")),
        sa.ForeignKeyConstraint(["draw"], ["draws.id"], name=op.f("fk_audits_draw")),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_audits_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audits")),
        sa.UniqueConstraint("draw", name=op.f("uq_audits_draw")),
    )
    with op.batch_alter_table("audits", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audits_project"), ["project"], unique=False)

    op.create_table(
        "missions",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("audit", sa.LargeBinary(), nullable=False),
        sa.Column("auditor", sa.LargeBinary(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("signer", sa.LargeBinary(), nullable=False),
        sa.Column("answer_by", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reply", sa.LargeBinary(), nullable=True),
        sa.Column("reply_signature", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("replied_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "state = 'accepted' OR state = 'conflicted' OR state = 'declined' OR state = 'done' OR state = 'dropped' OR state = 'lapsed' OR state = 'offered'",
            name=op.f("ck_missions_state"),
        ),
        sa.CheckConstraint("(reply IS NULL) = (reply_signature IS NULL)", name=op.f("ck_missions_reply")),
        sa.ForeignKeyConstraint(["audit"], ["audits.id"], name=op.f("fk_missions_audit")),
        sa.ForeignKeyConstraint(["auditor"], ["auditors.id"], name=op.f("fk_missions_auditor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_missions")),
        sa.UniqueConstraint("audit", "rank", name=op.f("uq_missions_audit_rank")),
    )
    with op.batch_alter_table("missions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_missions_audit"), ["audit"], unique=False)
        batch_op.create_index(batch_op.f("ix_missions_auditor"), ["auditor"], unique=False)

    op.create_table(
        "audit_reminders",
        sa.Column("mission", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "kind = 'answer' OR kind = 'due_soon' OR kind = 'overdue'", name=op.f("ck_audit_reminders_kind")
        ),
        sa.ForeignKeyConstraint(["mission"], ["missions.id"], name=op.f("fk_audit_reminders_mission")),
        sa.PrimaryKeyConstraint("mission", "kind", name=op.f("pk_audit_reminders")),
    )
    op.create_table(
        "reports",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("mission", sa.LargeBinary(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("follows", sa.LargeBinary(), nullable=True),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "verdict = 'failed' OR verdict = 'reserved' OR verdict = 'sound'", name=op.f("ck_reports_verdict")
        ),
        sa.ForeignKeyConstraint(["follows"], ["reports.id"], name=op.f("fk_reports_follows")),
        sa.ForeignKeyConstraint(["key"], ["signers.key"], name=op.f("fk_reports_key")),
        sa.ForeignKeyConstraint(["mission"], ["missions.id"], name=op.f("fk_reports_mission")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sa.UniqueConstraint("follows", name=op.f("uq_reports_follows")),
    )
    with op.batch_alter_table("reports", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reports_mission"), ["mission"], unique=False)

    op.create_table(
        "report_answers",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("report", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["report"], ["reports.id"], name=op.f("fk_report_answers_report")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_answers")),
    )
    with op.batch_alter_table("report_answers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_report_answers_report"), ["report"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("report_answers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_report_answers_report"))

    op.drop_table("report_answers")
    with op.batch_alter_table("reports", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reports_mission"))

    op.drop_table("reports")
    op.drop_table("audit_reminders")
    with op.batch_alter_table("missions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_missions_auditor"))
        batch_op.drop_index(batch_op.f("ix_missions_audit"))

    op.drop_table("missions")
    with op.batch_alter_table("audits", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audits_project"))

    op.drop_table("audits")
    with op.batch_alter_table("audit_conflicts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_conflicts_project"))
        batch_op.drop_index(batch_op.f("ix_audit_conflicts_auditor"))

    op.drop_table("audit_conflicts")
    with op.batch_alter_table("auditors", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_auditors_key"))
        batch_op.drop_index(batch_op.f("ix_auditors_account"))

    op.drop_table("auditors")
