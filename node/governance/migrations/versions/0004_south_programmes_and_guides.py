"""South programmes and guides"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from protocol.book.migration_service import change_rule

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_BEFORE = "role = 'auditor' OR role = 'member' OR role = 'steward'"
_AFTER = "role = 'auditor' OR role = 'guide' OR role = 'member' OR role = 'partner' OR role = 'steward'"


def upgrade() -> None:
    change_rule(op.get_bind(), "signers", op.f("ck_signers_role"), old=_BEFORE, new=_AFTER)
    op.create_table(
        "guides",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("from_day", sa.Integer(), nullable=False),
        sa.Column("until_day", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("accredited_at", sa.BigInteger(), nullable=True),
        sa.Column("heard_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_code", sa.Text(), nullable=False),
        sa.Column("ended_reason", sa.Text(), nullable=False),
        sa.Column("refused", sa.Text(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_code = '')", name=op.f("ck_guides_ended")),
        sa.CheckConstraint(
            "ended_code = '' OR ended_code = 'guide_key_revoked' OR ended_code = 'guide_left' OR ended_code = 'guide_withdrawn'",
            name=op.f("ck_guides_ended_code"),
        ),
        sa.CheckConstraint("until_day >= from_day", name=op.f("ck_guides_term")),
        sa.ForeignKeyConstraint(["key"], ["signers.key"], name=op.f("fk_guides_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guides")),
    )
    with op.batch_alter_table("guides", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_guides_key"), ["key"], unique=False)

    op.create_table(
        "guide_approvals",
        sa.Column("guide", sa.LargeBinary(), nullable=False),
        sa.Column("member", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["guide"], ["guides.id"], name=op.f("fk_guide_approvals_guide")),
        sa.ForeignKeyConstraint(["member"], ["members.id"], name=op.f("fk_guide_approvals_member")),
        sa.PrimaryKeyConstraint("guide", "member", name=op.f("pk_guide_approvals")),
    )
    op.create_table(
        "programmes",
        sa.Column("project", sa.LargeBinary(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_programmes_project")),
        sa.PrimaryKeyConstraint("project", name=op.f("pk_programmes")),
    )
    op.create_table(
        "field_reports",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.LargeBinary(), nullable=False),
        sa.Column("from_day", sa.Integer(), nullable=False),
        sa.Column("until_day", sa.Integer(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("until_day >= from_day AND cents >= 0", name=op.f("ck_field_reports_days")),
        sa.ForeignKeyConstraint(["key"], ["signers.key"], name=op.f("fk_field_reports_key")),
        sa.ForeignKeyConstraint(["programme"], ["programmes.project"], name=op.f("fk_field_reports_programme")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_field_reports")),
    )
    with op.batch_alter_table("field_reports", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_field_reports_programme"), ["programme"], unique=False)

    op.create_table(
        "programme_lines",
        sa.Column("programme", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("cents > 0 AND rate > 0 AND line > 0 AND version > 0", name=op.f("ck_programme_lines_sums")),
        sa.ForeignKeyConstraint(["programme"], ["programmes.project"], name=op.f("fk_programme_lines_programme")),
        sa.PrimaryKeyConstraint("programme", "version", "line", name=op.f("pk_programme_lines")),
    )
    op.create_table(
        "programme_partners",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("registration", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_reason", sa.Text(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_reason = '')", name=op.f("ck_programme_partners_ended")),
        sa.CheckConstraint(
            "kind = 'association' OR kind = 'community' OR kind = 'foundation' OR kind = 'international' OR kind = 'public'",
            name=op.f("ck_programme_partners_kind"),
        ),
        sa.ForeignKeyConstraint(["key"], ["signers.key"], name=op.f("fk_programme_partners_key")),
        sa.ForeignKeyConstraint(["programme"], ["programmes.project"], name=op.f("fk_programme_partners_programme")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme_partners")),
    )
    with op.batch_alter_table("programme_partners", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_programme_partners_programme"), ["programme"], unique=False)

    op.create_table(
        "clearances",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("partner", sa.LargeBinary(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("asked_by", sa.LargeBinary(), nullable=False),
        sa.Column("asked_signature", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_by", sa.LargeBinary(), nullable=True),
        sa.Column("confirmed_signature", sa.LargeBinary(), nullable=True),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name=op.f("ck_clearances_confirmed")),
        sa.CheckConstraint("confirmed_by IS NULL OR confirmed_by <> asked_by", name=op.f("ck_clearances_two_people")),
        sa.ForeignKeyConstraint(["asked_by"], ["signers.key"], name=op.f("fk_clearances_asked_by")),
        sa.ForeignKeyConstraint(["confirmed_by"], ["signers.key"], name=op.f("fk_clearances_confirmed_by")),
        sa.ForeignKeyConstraint(["partner"], ["programme_partners.id"], name=op.f("fk_clearances_partner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clearances")),
    )
    with op.batch_alter_table("clearances", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_clearances_partner"), ["partner"], unique=False)

    op.create_table(
        "control_agreements",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("partner", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("signed_on", sa.Integer(), nullable=False),
        sa.Column("from_day", sa.Integer(), nullable=False),
        sa.Column("until_day", sa.Integer(), nullable=False),
        sa.Column("clauses", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_reason", sa.Text(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_reason = '')", name=op.f("ck_control_agreements_ended")),
        sa.CheckConstraint("until_day >= from_day AND until_day >= signed_on", name=op.f("ck_control_agreements_days")),
        sa.ForeignKeyConstraint(["partner"], ["programme_partners.id"], name=op.f("fk_control_agreements_partner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_control_agreements")),
    )
    with op.batch_alter_table("control_agreements", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_control_agreements_partner"), ["partner"], unique=False)

    op.create_table(
        "partner_proofs",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("partner", sa.LargeBinary(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("issued_on", sa.Integer(), nullable=False),
        sa.Column("valid_until", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("valid_until >= issued_on", name=op.f("ck_partner_proofs_days")),
        sa.ForeignKeyConstraint(["partner"], ["programme_partners.id"], name=op.f("fk_partner_proofs_partner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_proofs")),
    )
    with op.batch_alter_table("partner_proofs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_partner_proofs_partner"), ["partner"], unique=False)


def downgrade() -> None:
    change_rule(op.get_bind(), "signers", op.f("ck_signers_role"), old=_AFTER, new=_BEFORE)
    with op.batch_alter_table("partner_proofs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_partner_proofs_partner"))

    op.drop_table("partner_proofs")
    with op.batch_alter_table("control_agreements", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_control_agreements_partner"))

    op.drop_table("control_agreements")
    with op.batch_alter_table("clearances", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_clearances_partner"))

    op.drop_table("clearances")
    with op.batch_alter_table("programme_partners", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_programme_partners_programme"))

    op.drop_table("programme_partners")
    op.drop_table("programme_lines")
    with op.batch_alter_table("field_reports", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_field_reports_programme"))

    op.drop_table("field_reports")
    op.drop_table("programmes")
    op.drop_table("guide_approvals")
    with op.batch_alter_table("guides", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_guides_key"))

    op.drop_table("guides")
