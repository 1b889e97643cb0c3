"""Companies, campaigns, tills, sales, tickets, grants, refunds, runs, counterparts, coupons."""

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
        "companies",
        sa.Column("siren", sa.Text(), nullable=False),
        sa.Column("donor", sa.LargeBinary(), nullable=False),
        sa.Column("legal_form", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("street", sa.Text(), nullable=False),
        sa.Column("postcode", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("end_month", sa.Integer(), nullable=False),
        sa.Column("end_day", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(donor) = 16", name=op.f("ck_companies_donor")),
        sa.CheckConstraint("length(siren) = 9", name=op.f("ck_companies_siren")),
        sa.PrimaryKeyConstraint("siren", name=op.f("pk_companies")),
        sa.UniqueConstraint("donor", name=op.f("uq_companies_donor")),
    )
    op.create_table(
        "coupons",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("merchant", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("basis_points", sa.Integer(), nullable=True),
        sa.Column("cents", sa.BigInteger(), nullable=True),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Integer(), nullable=False),
        sa.Column("valid_to", sa.Integer(), nullable=False),
        sa.Column("sale_min", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("used_by", sa.Text(), nullable=False),
        sa.Column("used_cents", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("(state = 'used') = (used_by <> '')", name=op.f("ck_coupons_used_by")),
        sa.CheckConstraint(
            "used_cents >= 0 AND (used_cents > 0) = (used_by <> '')", name=op.f("ck_coupons_used_cents")
        ),
        sa.CheckConstraint(
            "occasion = 'gift' OR occasion = 'local_purchase' OR occasion = 'loyalty' OR occasion = 'opening'",
            name=op.f("ck_coupons_occasion"),
        ),
        sa.CheckConstraint(
            "state = 'issued' OR state = 'lapsed' OR state = 'used' OR state = 'withdrawn'",
            name=op.f("ck_coupons_state"),
        ),
        sa.CheckConstraint("(basis_points IS NULL) <> (cents IS NULL)", name=op.f("ck_coupons_discount")),
        sa.CheckConstraint("length(id) = 16", name=op.f("ck_coupons_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupons")),
    )
    with op.batch_alter_table("coupons", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_coupons_merchant"), ["merchant"], unique=False)

    op.create_table(
        "groups",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(id) = 16", name=op.f("ck_groups_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
    )
    op.create_table(
        "holder_days",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("cents >= 0", name=op.f("ck_holder_days_cents")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_holder_days")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "campaigns",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("uid", sa.LargeBinary(), nullable=False),
        sa.Column("siren", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("funding", sa.Text(), nullable=False),
        sa.Column("ceiling", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked", sa.LargeBinary(), nullable=True),
        sa.Column("first_cents", sa.BigInteger(), nullable=True),
        sa.Column("first_due", sa.Integer(), nullable=True),
        sa.Column("pool", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        sa.Column("funded", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("spent", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("funding = 'called' OR funding = 'prefunded'", name=op.f("ck_campaigns_funding")),
        sa.CheckConstraint(
            "spent >= 0 AND spent <= ceiling AND (funding = 'called' OR spent <= funded)",
            name=op.f("ck_campaigns_spent"),
        ),
        sa.CheckConstraint(
            "state = 'draft' OR state = 'ended' OR state = 'paused' OR state = 'running'",
            name=op.f("ck_campaigns_state"),
        ),
        sa.CheckConstraint("ceiling > 0 AND funded >= 0", name=op.f("ck_campaigns_cents")),
        sa.CheckConstraint("length(uid) = 16", name=op.f("ck_campaigns_uid")),
        sa.ForeignKeyConstraint(["siren"], ["companies.siren"], name=op.f("fk_campaigns_siren")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
        sa.UniqueConstraint("asked", name=op.f("uq_campaigns_asked")),
        sa.UniqueConstraint("uid", name=op.f("uq_campaigns_uid")),
    )
    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_campaigns_siren"), ["siren"], unique=False)

    op.create_table(
        "company_accounts",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("siren", sa.Text(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(account) = 8", name=op.f("ck_company_accounts_account")),
        sa.ForeignKeyConstraint(["siren"], ["companies.siren"], name=op.f("fk_company_accounts_siren")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_company_accounts")),
    )
    with op.batch_alter_table("company_accounts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_company_accounts_siren"), ["siren"], unique=False)

    op.create_table(
        "counterparts",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("siren", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("valuation", sa.Text(), nullable=False),
        sa.Column("giver", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "valuation = 'agreement' OR valuation = 'cost' OR valuation = 'sale_price'",
            name=op.f("ck_counterparts_valuation"),
        ),
        sa.CheckConstraint("length(id) = 16", name=op.f("ck_counterparts_id")),
        sa.CheckConstraint("value > 0", name=op.f("ck_counterparts_value")),
        sa.ForeignKeyConstraint(["siren"], ["companies.siren"], name=op.f("fk_counterparts_siren")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_counterparts")),
    )
    with op.batch_alter_table("counterparts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_counterparts_siren"), ["siren"], unique=False)

    op.create_table(
        "fiscal_years",
        sa.Column("siren", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Integer(), nullable=False),
        sa.Column("ends_on", sa.Integer(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_fiscal_years_days")),
        sa.ForeignKeyConstraint(["siren"], ["companies.siren"], name=op.f("fk_fiscal_years_siren")),
        sa.PrimaryKeyConstraint("siren", "starts_on", name=op.f("pk_fiscal_years")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "group_members",
        sa.Column("group_id", sa.LargeBinary(), nullable=False),
        sa.Column("siren", sa.Text(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_group_members_group_id")),
        sa.PrimaryKeyConstraint("group_id", "siren", name=op.f("pk_group_members")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tills",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("siren", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "reason IS NULL OR reason = 'compromised' OR reason = 'retired'", name=op.f("ck_tills_reason")
        ),
        sa.CheckConstraint("(revoked_at IS NULL) = (reason IS NULL)", name=op.f("ck_tills_revoked")),
        sa.CheckConstraint("length(secret_hash) = 32", name=op.f("ck_tills_secret_hash")),
        sa.CheckConstraint("number IS NULL OR (number >= 1 AND number <= 16383)", name=op.f("ck_tills_number")),
        sa.ForeignKeyConstraint(["siren"], ["companies.siren"], name=op.f("fk_tills_siren")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tills")),
        sa.UniqueConstraint("key_id", name=op.f("uq_tills_key_id")),
        sa.UniqueConstraint("siren", "number", name="uq_tills_siren_number"),
    )
    op.create_table(
        "turnovers",
        sa.Column("siren", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Integer(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("cents >= 0", name=op.f("ck_turnovers_cents")),
        sa.ForeignKeyConstraint(["siren"], ["companies.siren"], name=op.f("fk_turnovers_siren")),
        sa.PrimaryKeyConstraint("siren", "starts_on", name=op.f("pk_turnovers")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "campaign_steps",
        sa.Column("campaign_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ix", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "state = 'draft' OR state = 'ended' OR state = 'paused' OR state = 'running'",
            name=op.f("ck_campaign_steps_state"),
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_steps_campaign_id")),
        sa.PrimaryKeyConstraint("campaign_id", "ix", name=op.f("pk_campaign_steps")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "expectations",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), server_default="", nullable=False),
        sa.Column("iban", sa.Text(), server_default="", nullable=False),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        sa.Column("closed_on", sa.Integer(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("cents > 0", name=op.f("ck_expectations_cents")),
        sa.CheckConstraint("due BETWEEN 19000101 AND 99991231", name=op.f("ck_expectations_due")),
        sa.CheckConstraint("length(id) = 16", name=op.f("ck_expectations_id")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_expectations_campaign_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expectations")),
    )
    with op.batch_alter_table("expectations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_expectations_campaign_id"), ["campaign_id"], unique=False)

    op.create_table(
        "grants",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_back", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("taken", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("(state = 'refused') = (code <> '')", name=op.f("ck_grants_code")),
        sa.CheckConstraint(
            "source = 'operation' OR source = 'sale' OR source = 'voucher'", name=op.f("ck_grants_source")
        ),
        sa.CheckConstraint("state <> 'refused' OR taken = 0", name=op.f("ck_grants_taken")),
        sa.CheckConstraint("state = 'granted' OR state = 'refused' OR state = 'told'", name=op.f("ck_grants_state")),
        sa.CheckConstraint(
            "cents > 0 AND taken >= 0 AND taken <= asked_back AND asked_back <= cents", name=op.f("ck_grants_cents")
        ),
        sa.CheckConstraint("length(id) = 16 AND length(account) = 8", name=op.f("ck_grants_id")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_grants_campaign_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_grants_campaign_id"), ["campaign_id"], unique=False)

    op.create_table(
        "runs",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("budget_left", sa.BigInteger(), nullable=False),
        sa.Column("loaded", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("read", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("accepted", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("accepted_cents", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("aside", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("booked", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("aside >= 0 AND (aside = 0 OR state = 'booking')", name=op.f("ck_runs_aside")),
        sa.CheckConstraint(
            "state = 'booking' OR state = 'done' OR state = 'loaded' OR state = 'loading'", name=op.f("ck_runs_state")
        ),
        sa.CheckConstraint("length(id) = 16 AND length(digest) = 32", name=op.f("ck_runs_id")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_runs_campaign_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_runs_campaign_id"), ["campaign_id"], unique=False)

    op.create_table(
        "sales",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("till_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("sale", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("buyer", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("granted", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("grant_id", sa.LargeBinary(), nullable=True),
        sa.Column("refunded", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("(state = 'granted') = (grant_id IS NOT NULL)", name=op.f("ck_sales_grant_id")),
        sa.CheckConstraint("(state = 'refused') = (code <> '')", name=op.f("ck_sales_code")),
        sa.CheckConstraint(
            "sale > 0 AND granted >= 0 AND (state = 'refused') = (granted = 0)", name=op.f("ck_sales_granted")
        ),
        sa.CheckConstraint("state = 'granted' OR state = 'refused' OR state = 'voucher'", name=op.f("ck_sales_state")),
        sa.CheckConstraint("refunded >= 0 AND refunded <= sale", name=op.f("ck_sales_refunded")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_sales_campaign_id")),
        sa.ForeignKeyConstraint(["till_id"], ["tills.id"], name=op.f("fk_sales_till_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales")),
        sa.UniqueConstraint("grant_id", name=op.f("uq_sales_grant_id")),
        sa.UniqueConstraint("key", name=op.f("uq_sales_key")),
    )
    with op.batch_alter_table("sales", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sales_campaign_id"), ["campaign_id"], unique=False)

    op.create_table(
        "payments",
        sa.Column("deposit", sa.LargeBinary(), nullable=False),
        sa.Column("expectation", sa.LargeBinary(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("on_day", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("cents > 0", name=op.f("ck_payments_cents")),
        sa.CheckConstraint("length(deposit) = 16", name=op.f("ck_payments_deposit")),
        sa.CheckConstraint("on_day BETWEEN 19000101 AND 99991231", name=op.f("ck_payments_on_day")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_payments_campaign_id")),
        sa.ForeignKeyConstraint(["expectation"], ["expectations.id"], name=op.f("fk_payments_expectation")),
        sa.PrimaryKeyConstraint("deposit", name=op.f("pk_payments")),
    )
    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payments_campaign_id"), ["campaign_id"], unique=False)

    op.create_table(
        "refunds",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("sale_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        sa.Column("take_back", sa.LargeBinary(), nullable=True),
        sa.Column("grant_id", sa.LargeBinary(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("state = 'asked' OR state = 'done'", name=op.f("ck_refunds_state")),
        sa.CheckConstraint("(take_back IS NULL) = (grant_id IS NULL)", name=op.f("ck_refunds_asked")),
        sa.CheckConstraint("cents > 0 AND due >= 0 AND taken >= 0 AND taken <= due", name=op.f("ck_refunds_cents")),
        sa.ForeignKeyConstraint(["sale_id"], ["sales.id"], name=op.f("fk_refunds_sale_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("key", name=op.f("uq_refunds_key")),
        sa.UniqueConstraint("take_back", name=op.f("uq_refunds_take_back")),
    )
    with op.batch_alter_table("refunds", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refunds_grant_id"), ["grant_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_refunds_sale_id"), ["sale_id"], unique=False)

    op.create_table(
        "run_rows",
        sa.Column("run_id", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("grant_id", sa.LargeBinary(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "(grant_id IS NULL) = (key IS NULL) AND (code = '' OR grant_id IS NULL)", name=op.f("ck_run_rows_booked")
        ),
        sa.CheckConstraint(
            "kind IS NULL OR kind = 'prospect' OR kind = 'staff' OR kind = 'supplier'", name=op.f("ck_run_rows_kind")
        ),
        sa.CheckConstraint("cents >= 0", name=op.f("ck_run_rows_cents")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_rows_run_id")),
        sa.PrimaryKeyConstraint("run_id", "number", name=op.f("pk_run_rows")),
        sa.UniqueConstraint("grant_id", name=op.f("uq_run_rows_grant_id")),
        sa.UniqueConstraint("key", name=op.f("uq_run_rows_key")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vouchers",
        sa.Column("sale_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("campaign_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("till_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("cut", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("expires_on", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("grant_id", sa.LargeBinary(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "(state = 'claimed') = (holder IS NOT NULL) AND (state = 'claimed') = (grant_id IS NOT NULL)",
            name=op.f("ck_vouchers_claimed"),
        ),
        sa.CheckConstraint(
            "state = 'claimed' OR state = 'expired' OR state = 'open' OR state = 'void'", name=op.f("ck_vouchers_state")
        ),
        sa.CheckConstraint("cents >= 0 AND cut >= 0", name=op.f("ck_vouchers_cents")),
        sa.CheckConstraint("length(digest) = 6", name=op.f("ck_vouchers_digest")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_vouchers_campaign_id")),
        sa.ForeignKeyConstraint(["sale_id"], ["sales.id"], name=op.f("fk_vouchers_sale_id")),
        sa.ForeignKeyConstraint(["till_id"], ["tills.id"], name=op.f("fk_vouchers_till_id")),
        sa.PrimaryKeyConstraint("sale_id", name=op.f("pk_vouchers")),
        sa.UniqueConstraint("grant_id", name=op.f("uq_vouchers_grant_id")),
        sa.UniqueConstraint("till_id", "digest", name="uq_vouchers_till_id_digest"),
    )
    with op.batch_alter_table("vouchers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vouchers_campaign_id"), ["campaign_id"], unique=False)
        batch_op.create_index(
            "ix_vouchers_open",
            ["expires_on"],
            unique=False,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )


def downgrade() -> None:
    with op.batch_alter_table("vouchers", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_vouchers_open", sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'")
        )
        batch_op.drop_index(batch_op.f("ix_vouchers_campaign_id"))

    op.drop_table("vouchers")
    op.drop_table("run_rows")
    with op.batch_alter_table("refunds", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_refunds_sale_id"))
        batch_op.drop_index(batch_op.f("ix_refunds_grant_id"))

    op.drop_table("refunds")
    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_payments_campaign_id"))

    op.drop_table("payments")
    with op.batch_alter_table("sales", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sales_campaign_id"))

    op.drop_table("sales")
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_runs_campaign_id"))

    op.drop_table("runs")
    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_grants_campaign_id"))

    op.drop_table("grants")
    with op.batch_alter_table("expectations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_expectations_campaign_id"))

    op.drop_table("expectations")
    op.drop_table("campaign_steps")
    op.drop_table("turnovers")
    op.drop_table("tills")
    op.drop_table("group_members")
    op.drop_table("fiscal_years")
    with op.batch_alter_table("counterparts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_counterparts_siren"))

    op.drop_table("counterparts")
    with op.batch_alter_table("company_accounts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_company_accounts_siren"))

    op.drop_table("company_accounts")
    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_campaigns_siren"))

    op.drop_table("campaigns")
    op.drop_table("holder_days")
    op.drop_table("groups")
    with op.batch_alter_table("coupons", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_coupons_merchant"))

    op.drop_table("coupons")
    op.drop_table("companies")
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
