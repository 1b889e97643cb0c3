"""Offers and requests of volunteering, applications, hours."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "volunteer_requests",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("place_name", sa.Text(), nullable=False),
        sa.Column("latitude", sa.Integer(), nullable=False),
        sa.Column("longitude", sa.Integer(), nullable=False),
        sa.Column("radius", sa.Integer(), nullable=False),
        sa.Column("skills", sa.Text(), nullable=False),
        sa.Column("takes_remote", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("until_day", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "people > 0 AND radius >= 0 AND takes_remote BETWEEN 0 AND 1", name=op.f("ck_volunteer_requests_numbers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_volunteer_requests")),
    )
    with op.batch_alter_table("volunteer_requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_volunteer_requests_account"), ["account"], unique=False)

    op.create_table(
        "volunteer_offers",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("project", sa.LargeBinary(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("remote", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("place_name", sa.Text(), nullable=True),
        sa.Column("latitude", sa.Integer(), nullable=True),
        sa.Column("longitude", sa.Integer(), nullable=True),
        sa.Column("first_on", sa.Integer(), nullable=False),
        sa.Column("last_on", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("needed", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "domain = 'animaux' OR domain = 'autre' OR domain = 'benevolat-competences' OR domain = 'culture-loisirs' OR domain = 'education' OR domain = 'emploi' OR domain = 'environnement' OR domain = 'humanitaire' OR domain = 'memoire-et-citoyennete' OR domain = 'prevention-protection' OR domain = 'sante' OR domain = 'solidarite-insertion' OR domain = 'sport' OR domain = 'vivre-ensemble'",
            name=op.f("ck_volunteer_offers_domain"),
        ),
        sa.CheckConstraint(
            "remote = 'full' OR remote = 'no' OR remote = 'possible'", name=op.f("ck_volunteer_offers_remote")
        ),
        sa.CheckConstraint(
            "state = 'draft' OR state = 'ended' OR state = 'full' OR state = 'open' OR state = 'withdrawn'",
            name=op.f("ck_volunteer_offers_state"),
        ),
        sa.CheckConstraint(
            "last_on >= first_on AND minutes > 0 AND places > 0", name=op.f("ck_volunteer_offers_numbers")
        ),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_volunteer_offers_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_volunteer_offers")),
    )
    with op.batch_alter_table("volunteer_offers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_volunteer_offers_project"), ["project"], unique=False)
        batch_op.create_index(batch_op.f("ix_volunteer_offers_state"), ["state"], unique=False)

    op.create_table(
        "applications",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("offer", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "state = 'absent' OR state = 'accepted' OR state = 'declined' OR state = 'done' OR state = 'left' OR state = 'sent'",
            name=op.f("ck_applications_state"),
        ),
        sa.CheckConstraint("people > 0", name=op.f("ck_applications_people")),
        sa.ForeignKeyConstraint(["offer"], ["volunteer_offers.id"], name=op.f("fk_applications_offer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_applications")),
    )
    with op.batch_alter_table("applications", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_applications_account"), ["account"], unique=False)
        batch_op.create_index(batch_op.f("ix_applications_offer"), ["offer"], unique=False)

    op.create_table(
        "told_hours",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("application", sa.LargeBinary(), nullable=False),
        sa.Column("on_day", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("pass", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("pass IS NULL OR state = 'confirmed'", name=op.f("ck_told_hours_pass")),
        sa.CheckConstraint(
            "state = 'confirmed' OR state = 'refused' OR state = 'told'", name=op.f("ck_told_hours_state")
        ),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_told_hours_minutes")),
        sa.ForeignKeyConstraint(["application"], ["applications.id"], name=op.f("fk_told_hours_application")),
        sa.ForeignKeyConstraint(["pass"], ["passes.id"], name=op.f("fk_told_hours_pass")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_told_hours")),
    )
    with op.batch_alter_table("told_hours", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_told_hours_application"), ["application"], unique=False)
        batch_op.create_index(batch_op.f("ix_told_hours_pass"), ["pass"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("told_hours", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_told_hours_pass"))
        batch_op.drop_index(batch_op.f("ix_told_hours_application"))

    op.drop_table("told_hours")
    with op.batch_alter_table("applications", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_applications_offer"))
        batch_op.drop_index(batch_op.f("ix_applications_account"))

    op.drop_table("applications")
    with op.batch_alter_table("volunteer_offers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_volunteer_offers_state"))
        batch_op.drop_index(batch_op.f("ix_volunteer_offers_project"))

    op.drop_table("volunteer_offers")
    with op.batch_alter_table("volunteer_requests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_volunteer_requests_account"))

    op.drop_table("volunteer_requests")
