"""Bearers, projects, committee, votes, rounds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attachments",
        sa.Column("log_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ix", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "ix", name=op.f("pk_attachments")),
    )
    op.create_table(
        "counterfoils",
        sa.Column("log_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ix", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "ix", name=op.f("pk_counterfoils")),
    )
    op.create_table(
        "evidence",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("accused", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
        sa.UniqueConstraint("body", name=op.f("uq_evidence_body")),
    )
    op.create_table(
        "facts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_facts")),
    )
    op.create_table(
        "heads",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("signer", sa.Text(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("log_size", sa.BigInteger(), nullable=False),
        sa.Column("ack_size", sa.BigInteger(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_heads")),
    )
    with op.batch_alter_table("heads", schema=None) as batch_op:
        batch_op.create_index("ix_heads_signer_log_size", ["signer", "log_size"], unique=False)

    op.create_table(
        "leaves",
        sa.Column("log_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ix", sa.BigInteger(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "ix", name=op.f("pk_leaves")),
    )
    op.create_table(
        "logs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("peaks", sa.LargeBinary(), nullable=False),
        sa.Column("acked", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("acked >= 0 AND acked <= size", name=op.f("ck_logs_acked")),
        sa.CheckConstraint("size >= 0", name=op.f("ck_logs_size")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logs")),
        sa.UniqueConstraint("owner", "reader", "epoch", name=op.f("uq_logs_owner_reader_epoch")),
    )
    op.create_table(
        "nodes",
        sa.Column("log_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("ix", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "level", "ix", name=op.f("pk_nodes")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "asked",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asked")),
    )
    op.create_table(
        "bearers",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("registry", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("holder_name", sa.Text(), nullable=False),
        sa.Column("iban", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bearers")),
        sa.UniqueConstraint("registry", name=op.f("uq_bearers_registry")),
    )
    op.create_table(
        "draws",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("college", sa.Text(), nullable=False),
        sa.Column("drawn_on", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("drawn_at", sa.BigInteger(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "college = 'associations' OR college = 'auditors' OR college = 'citizens' OR college = 'companies' OR college = 'municipality' OR college = 'qualified'",
            name=op.f("ck_draws_college"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draws")),
    )
    op.create_table(
        "files",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("media", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_files")),
    )
    op.create_table(
        "payers",
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("signing", sa.LargeBinary(), nullable=False),
        sa.Column("sealing", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("territory", name=op.f("pk_payers")),
    )
    op.create_table(
        "card_payers",
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("signing", sa.LargeBinary(), nullable=False),
        sa.Column("sealing", sa.LargeBinary(), nullable=False),
        sa.Column("since", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("from_at >= at", name=op.f("ck_card_payers_from_at")),
        sa.PrimaryKeyConstraint("territory", "number", name=op.f("pk_card_payers")),
    )
    op.create_table(
        "own_catalogue",
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("place = 0", name=op.f("ck_own_catalogue_place")),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_own_catalogue")),
    )
    op.create_table(
        "signers",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("signing", sa.LargeBinary(), nullable=False),
        sa.Column("sealing", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("role = 'auditor' OR role = 'member' OR role = 'steward'", name=op.f("ck_signers_role")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_signers")),
    )
    op.create_table(
        "iban_changes",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("bearer", sa.LargeBinary(), nullable=False),
        sa.Column("holder_name", sa.Text(), nullable=False),
        sa.Column("iban", sa.Text(), nullable=False),
        sa.Column("before_holder_name", sa.Text(), nullable=False),
        sa.Column("before_iban", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.LargeBinary(), nullable=False),
        sa.Column("asked_signature", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("effective_at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_by", sa.LargeBinary(), nullable=True),
        sa.Column("confirmed_signature", sa.LargeBinary(), nullable=True),
        sa.Column("applied_at", sa.BigInteger(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("confirmed_by IS NULL OR confirmed_by <> asked_by", name=op.f("ck_iban_changes_two_people")),
        sa.ForeignKeyConstraint(["asked_by"], ["signers.key"], name=op.f("fk_iban_changes_asked_by")),
        sa.ForeignKeyConstraint(["bearer"], ["bearers.id"], name=op.f("fk_iban_changes_bearer")),
        sa.ForeignKeyConstraint(["confirmed_by"], ["signers.key"], name=op.f("fk_iban_changes_confirmed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_iban_changes")),
    )
    with op.batch_alter_table("iban_changes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_iban_changes_bearer"), ["bearer"], unique=False)

    op.create_table(
        "members",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("college", sa.Text(), nullable=False),
        sa.Column("from_day", sa.Integer(), nullable=False),
        sa.Column("until_day", sa.Integer(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("draw", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_reason", sa.Text(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "college = 'associations' OR college = 'citizens' OR college = 'companies' OR college = 'municipality' OR college = 'qualified'",
            name=op.f("ck_members_college"),
        ),
        sa.CheckConstraint("until_day >= from_day", name=op.f("ck_members_term")),
        sa.ForeignKeyConstraint(["draw"], ["draws.id"], name=op.f("fk_members_draw")),
        sa.ForeignKeyConstraint(["key"], ["signers.key"], name=op.f("fk_members_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_members")),
    )
    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_members_key"), ["key"], unique=False)

    op.create_table(
        "projects",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposer", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("bearer", sa.LargeBinary(), nullable=True),
        sa.Column("theme", sa.Text(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("need_by", sa.Integer(), nullable=False),
        sa.Column("target", sa.BigInteger(), nullable=False),
        sa.Column("minimum", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.LargeBinary(), nullable=True),
        sa.Column("decided_on", sa.Integer(), nullable=True),
        sa.Column("appeals", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("support", sa.BigInteger(), nullable=False),
        sa.Column("supporters", sa.Integer(), nullable=False),
        sa.Column("commit_id", sa.LargeBinary(), nullable=True),
        sa.Column("release_id", sa.LargeBinary(), nullable=True),
        sa.Column("released", sa.BigInteger(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "state = 'audited' OR state = 'closed' OR state = 'funded' OR state = 'in_progress' OR state = 'missed' OR state = 'open' OR state = 'proposed' OR state = 'refused' OR state = 'under_examination' OR state = 'validated' OR state = 'withdrawn'",
            name=op.f("ck_projects_state"),
        ),
        sa.CheckConstraint("minimum > 0 AND minimum <= target", name=op.f("ck_projects_sums")),
        sa.CheckConstraint("need_by BETWEEN 19000101 AND 99991231", name=op.f("ck_projects_need_by")),
        sa.CheckConstraint(
            "support >= 0 AND supporters >= 0 AND appeals BETWEEN 0 AND 1", name=op.f("ck_projects_counts")
        ),
        sa.ForeignKeyConstraint(["bearer"], ["bearers.id"], name=op.f("fk_projects_bearer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        sa.UniqueConstraint("commit_id", name=op.f("uq_projects_commit_id")),
        sa.UniqueConstraint("release_id", name=op.f("uq_projects_release_id")),
    )
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_projects_bearer"), ["bearer"], unique=False)
        batch_op.create_index("ix_projects_state_need_by", ["state", "need_by"], unique=False)

    op.create_table(
        "proofs",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("bearer", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("issued_on", sa.Integer(), nullable=False),
        sa.Column("valid_until", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind = 'declaration' OR kind = 'ruling' OR kind = 'statutes'", name=op.f("ck_proofs_kind")),
        sa.CheckConstraint("valid_until >= issued_on", name=op.f("ck_proofs_days")),
        sa.ForeignKeyConstraint(["bearer"], ["bearers.id"], name=op.f("fk_proofs_bearer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proofs")),
    )
    with op.batch_alter_table("proofs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_proofs_bearer"), ["bearer"], unique=False)

    op.create_table(
        "comments",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("project", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("answers", sa.LargeBinary(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("moderated_at", sa.BigInteger(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind = 'answer' OR kind = 'comment' OR kind = 'question'", name=op.f("ck_comments_kind")),
        sa.CheckConstraint("state = 'hidden' OR state = 'shown' OR state = 'waiting'", name=op.f("ck_comments_state")),
        sa.ForeignKeyConstraint(["answers"], ["comments.id"], name=op.f("fk_comments_answers")),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_comments_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comments")),
    )
    with op.batch_alter_table("comments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_comments_project"), ["project"], unique=False)

    op.create_table(
        "conflicts",
        sa.Column("project", sa.LargeBinary(), nullable=False),
        sa.Column("member", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["member"], ["members.id"], name=op.f("fk_conflicts_member")),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_conflicts_project")),
        sa.PrimaryKeyConstraint("project", "member", name=op.f("pk_conflicts")),
    )
    op.create_table(
        "findings",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("project", sa.LargeBinary(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "verdict = 'failed' OR verdict = 'reserved' OR verdict = 'sound'", name=op.f("ck_findings_verdict")
        ),
        sa.ForeignKeyConstraint(["key"], ["signers.key"], name=op.f("fk_findings_key")),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_findings_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings")),
    )
    with op.batch_alter_table("findings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_findings_project"), ["project"], unique=False)

    op.create_table(
        "rounds",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("project", sa.LargeBinary(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("instalment", sa.Integer(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("iban", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("waiting", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("state = 'asked' OR state = 'converted' OR state = 'refused'", name=op.f("ck_rounds_state")),
        sa.CheckConstraint("cents > 0 AND round > 0 AND waiting >= 0", name=op.f("ck_rounds_sums")),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_rounds_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rounds")),
        sa.UniqueConstraint("project", "round", name=op.f("uq_rounds_project_round")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("project", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sheet", sa.LargeBinary(), nullable=False),
        sa.Column("is_appeal", sa.Integer(), nullable=False),
        sa.Column("rules", sa.LargeBinary(), nullable=False),
        sa.Column("opens_at", sa.BigInteger(), nullable=False),
        sa.Column("closes_at", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("minutes", sa.LargeBinary(), nullable=True),
        sa.Column("decision", sa.LargeBinary(), nullable=True),
        sa.Column("signature", sa.LargeBinary(), nullable=True),
        sa.Column("signer", sa.LargeBinary(), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "outcome = 'no_quorum' OR outcome = 'refused' OR outcome = 'validated' OR outcome = 'void' OR outcome IS NULL",
            name=op.f("ck_sessions_outcome"),
        ),
        sa.CheckConstraint("closes_at > opens_at AND is_appeal BETWEEN 0 AND 1", name=op.f("ck_sessions_times")),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_sessions_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("decision", name=op.f("uq_sessions_decision")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_project"), ["project"], unique=False)

    op.create_table(
        "spendings",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("project", sa.LargeBinary(), nullable=False),
        sa.Column("instalment", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "state = 'accepted' OR state = 'given' OR state = 'refused'", name=op.f("ck_spendings_state")
        ),
        sa.CheckConstraint("cents > 0 AND instalment > 0", name=op.f("ck_spendings_sums")),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_spendings_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spendings")),
    )
    with op.batch_alter_table("spendings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_spendings_project"), ["project"], unique=False)

    op.create_table(
        "steps",
        sa.Column("project", sa.LargeBinary(), nullable=False),
        sa.Column("ix", sa.Integer(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "event = 'appealed' OR event = 'audited' OR event = 'closed' OR event = 'edited' OR event = 'examined' OR event = 'funded' OR event = 'missed' OR event = 'opened' OR event = 'proposed' OR event = 'refused' OR event = 'started' OR event = 'validated' OR event = 'withdrawn'",
            name=op.f("ck_steps_event"),
        ),
        sa.CheckConstraint(
            "state = 'audited' OR state = 'closed' OR state = 'funded' OR state = 'in_progress' OR state = 'missed' OR state = 'open' OR state = 'proposed' OR state = 'refused' OR state = 'under_examination' OR state = 'validated' OR state = 'withdrawn'",
            name=op.f("ck_steps_state"),
        ),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_steps_project")),
        sa.PrimaryKeyConstraint("project", "ix", name=op.f("pk_steps")),
    )
    op.create_table(
        "versions",
        sa.Column("project", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_versions_project")),
        sa.PrimaryKeyConstraint("project", "version", name=op.f("pk_versions")),
    )
    op.create_table(
        "ballots",
        sa.Column("session", sa.LargeBinary(), nullable=False),
        sa.Column("member", sa.LargeBinary(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["member"], ["members.id"], name=op.f("fk_ballots_member")),
        sa.ForeignKeyConstraint(["session"], ["sessions.id"], name=op.f("fk_ballots_session")),
        sa.PrimaryKeyConstraint("session", "member", name=op.f("pk_ballots")),
    )
    op.create_table(
        "dues",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("round", sa.LargeBinary(), nullable=False),
        sa.Column("payer", sa.Text(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("on_day", sa.Integer(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("confirmed_on", sa.Integer(), nullable=True),
        sa.Column("own_order", sa.Text(), nullable=True),
        sa.Column("ordered_on", sa.Integer(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "mark = 'confirmed' OR mark = 'netted' OR mark = 'owed' OR mark = 'paid' OR mark = 'refused' OR mark = 'rejected'",
            name=op.f("ck_dues_mark"),
        ),
        sa.CheckConstraint("cents > 0", name=op.f("ck_dues_cents")),
        sa.ForeignKeyConstraint(["round"], ["rounds.id"], name=op.f("fk_dues_round")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dues")),
        sa.UniqueConstraint("round", "payer", name=op.f("uq_dues_round_payer")),
    )
    with op.batch_alter_table("dues", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dues_round"), ["round"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("dues", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_dues_round"))

    op.drop_table("dues")
    op.drop_table("ballots")
    op.drop_table("versions")
    op.drop_table("steps")
    with op.batch_alter_table("spendings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_spendings_project"))

    op.drop_table("spendings")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sessions_project"))

    op.drop_table("sessions")
    op.drop_table("rounds")
    with op.batch_alter_table("findings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_findings_project"))

    op.drop_table("findings")
    op.drop_table("conflicts")
    with op.batch_alter_table("comments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_comments_project"))

    op.drop_table("comments")
    with op.batch_alter_table("proofs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_proofs_bearer"))

    op.drop_table("proofs")
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.drop_index("ix_projects_state_need_by")
        batch_op.drop_index(batch_op.f("ix_projects_bearer"))

    op.drop_table("projects")
    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_members_key"))

    op.drop_table("members")
    with op.batch_alter_table("iban_changes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_iban_changes_bearer"))

    op.drop_table("iban_changes")
    op.drop_table("signers")
    op.drop_table("own_catalogue")
    op.drop_table("card_payers")
    op.drop_table("payers")
    op.drop_table("files")
    op.drop_table("draws")
    op.drop_table("bearers")
    op.drop_table("asked")
    op.drop_table("nodes")
    op.drop_table("logs")
    op.drop_table("leaves")
    with op.batch_alter_table("heads", schema=None) as batch_op:
        batch_op.drop_index("ix_heads_signer_log_size")

    op.drop_table("heads")
    op.drop_table("facts")
    op.drop_table("evidence")
    op.drop_table("counterfoils")
    op.drop_table("attachments")
