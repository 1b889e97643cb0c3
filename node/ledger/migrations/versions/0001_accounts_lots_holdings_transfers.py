"""Accounts, lots, holdings, transfers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _one_of(column: str, *members: str) -> str:
    """A rule as comparisons: SQLite builds a table anew for every row where the rule is written with IN."""
    return " OR ".join(f"{column} = '{member}'" for member in members)


def upgrade() -> None:
    op.create_table(
        "attachments",
        sa.Column("log_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ix", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "ix", name=op.f("pk_attachments")),
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
        "accounts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("op", sa.LargeBinary(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("shown_name", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(kind = 'abroad') = (peer <> '')", name=op.f("ck_accounts_peer")),
        sa.CheckConstraint(
            "(number IS NOT NULL) = (" + _one_of("kind", "entity", "group", "person", "pool", "project") + ")",
            name=op.f("ck_accounts_numbered"),
        ),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_accounts_closed")),
        sa.CheckConstraint(
            _one_of(
                "kind",
                "abroad",
                "border",
                "entity",
                "group",
                "issuance",
                "person",
                "pool",
                "project",
                "transit",
                "unclaimed",
            ),
            name=op.f("ck_accounts_kind"),
        ),
        sa.CheckConstraint(_one_of("state", "closed", "frozen", "open"), name=op.f("ck_accounts_state")),
        sa.CheckConstraint("(op IS NOT NULL) = (number IS NOT NULL)", name=op.f("ck_accounts_asked")),
        sa.CheckConstraint("length(number) = 8", name=op.f("ck_accounts_number")),
        sa.CheckConstraint("length(op) = 16", name=op.f("ck_accounts_op")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("number", name="uq_accounts_number"),
        sa.UniqueConstraint("op", name="uq_accounts_op"),
    )
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.create_index(
            "uq_accounts_system",
            ["kind", "peer"],
            unique=True,
            sqlite_where=sa.text("number IS NULL"),
            postgresql_where=sa.text("number IS NULL"),
        )

    op.create_table(
        "lots",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("ref", sa.LargeBinary(), nullable=False),
        sa.Column("lot_class", sa.Integer(), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("issued", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("issued >= 0", name=op.f("ck_lots_issued")),
        sa.CheckConstraint("length(ref) = 16", name=op.f("ck_lots_ref")),
        sa.CheckConstraint("length(seal) = 8", name=op.f("ck_lots_seal")),
        sa.CheckConstraint("lot_class >= 0 AND lot_class <= 15", name=op.f("ck_lots_lot_class")),
        sa.CheckConstraint(
            "month >= 190001 AND month <= 999912 AND month % 100 BETWEEN 1 AND 12", name=op.f("ck_lots_month")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lots")),
        sa.UniqueConstraint("ref", "issuer", name="uq_lots_ref_issuer"),
    )
    op.create_table(
        "refusals",
        sa.Column("op", sa.LargeBinary(), nullable=False),
        sa.Column("asked", sa.LargeBinary(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(op) = 16", name=op.f("ck_refusals_op")),
        sa.PrimaryKeyConstraint("op", name=op.f("pk_refusals")),
    )
    op.create_table(
        "reversals",
        sa.Column("op", sa.LargeBinary(), nullable=False),
        sa.Column("undone", sa.LargeBinary(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=True),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("asked > 0 AND (cents IS NULL OR cents = asked)", name=op.f("ck_reversals_asked")),
        sa.CheckConstraint("length(op) = 16 AND length(undone) = 16", name=op.f("ck_reversals_op")),
        sa.PrimaryKeyConstraint("op", name=op.f("pk_reversals")),
    )
    op.create_table(
        "tallies",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            _one_of(
                "kind",
                "cede_in",
                "cede_out",
                "cession",
                "credit",
                "delivered",
                "endowment",
                "gift",
                "moved",
                "orientation",
                "returned",
                "reversal",
            ),
            name=op.f("ck_tallies_kind"),
        ),
        sa.CheckConstraint("entries >= 0 AND cents >= 0", name=op.f("ck_tallies_figures")),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_tallies")),
    )
    op.create_table(
        "balances",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.BigInteger(), nullable=True),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length >= 0 AND (length = 0) = (head IS NULL)", name=op.f("ck_balances_chain")),
        sa.CheckConstraint("reserved >= 0 AND reserved <= cents", name=op.f("ck_balances_reserved")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_balances_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_balances")),
    )
    op.create_table(
        "diversions",
        sa.Column("op", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_diversions_account_id")),
        sa.PrimaryKeyConstraint("op", name=op.f("pk_diversions")),
    )
    with op.batch_alter_table("diversions", schema=None) as batch_op:
        batch_op.create_index("ix_diversions_account_id", ["account_id"], unique=False)

    op.create_table(
        "history_marks",
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("transfer_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("seq > 0 AND seq % 64 = 0", name=op.f("ck_history_marks_seq")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_history_marks_account_id")),
        sa.PrimaryKeyConstraint("account_id", "seq", name=op.f("pk_history_marks")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("history_marks", schema=None) as batch_op:
        batch_op.create_index("ix_history_marks_account_id_at", ["account_id", "at"], unique=False)

    op.create_table(
        "holdings",
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("cents >= 0", name=op.f("ck_holdings_cents")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_holdings_account_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lots.id"], name=op.f("fk_holdings_lot_id")),
        sa.PrimaryKeyConstraint("account_id", "lot_id", name=op.f("pk_holdings")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "origins",
        sa.Column("lot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("donor", sa.LargeBinary(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("lot_class", sa.Integer(), nullable=False),
        sa.Column("restriction", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "((lot_class & 8) <> 0) = (restriction <> '') AND length(restriction) <= 200",
            name=op.f("ck_origins_restriction"),
        ),
        sa.CheckConstraint("length(donor) = 16", name=op.f("ck_origins_donor")),
        sa.ForeignKeyConstraint(["lot_id"], ["lots.id"], name=op.f("fk_origins_lot_id")),
        sa.PrimaryKeyConstraint("lot_id", name=op.f("pk_origins")),
        sa.UniqueConstraint("donor", "campaign", "month", "lot_class", "restriction", name="uq_origins_lot"),
    )
    op.create_table(
        "reservations",
        sa.Column("op", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("used_by", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("(state = 'used') = (used_by IS NOT NULL)", name=op.f("ck_reservations_used")),
        sa.CheckConstraint(
            _one_of("state", "active", "expired", "released", "used"), name=op.f("ck_reservations_state")
        ),
        sa.CheckConstraint("cents > 0", name=op.f("ck_reservations_cents")),
        sa.CheckConstraint("length(op) = 16", name=op.f("ck_reservations_op")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_reservations_account_id")),
        sa.PrimaryKeyConstraint("op", name=op.f("pk_reservations")),
        sa.UniqueConstraint("used_by", name="uq_reservations_used_by"),
    )
    with op.batch_alter_table("reservations", schema=None) as batch_op:
        batch_op.create_index(
            "ix_reservations_active",
            ["expires_at"],
            unique=False,
            sqlite_where=sa.text("state = 'active'"),
            postgresql_where=sa.text("state = 'active'"),
        )

    op.create_table(
        "transfers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("op", sa.LargeBinary(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("debit", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("credit", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lot", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("undoes", sa.BigInteger(), nullable=True),
        sa.Column("debit_prev", sa.BigInteger(), nullable=True),
        sa.Column("debit_seq", sa.BigInteger(), nullable=True),
        sa.Column("debit_after", sa.BigInteger(), nullable=True),
        sa.Column("credit_prev", sa.BigInteger(), nullable=True),
        sa.Column("credit_seq", sa.BigInteger(), nullable=True),
        sa.Column("credit_after", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(undoes IS NOT NULL) = (kind = 'reversal')", name=op.f("ck_transfers_undoes")),
        sa.CheckConstraint(
            _one_of(
                "kind",
                "cede_in",
                "cede_out",
                "cession",
                "credit",
                "delivered",
                "endowment",
                "gift",
                "moved",
                "orientation",
                "returned",
                "reversal",
            ),
            name=op.f("ck_transfers_kind"),
        ),
        sa.CheckConstraint("cents > 0", name=op.f("ck_transfers_cents")),
        sa.CheckConstraint("debit <> credit", name=op.f("ck_transfers_sides")),
        sa.CheckConstraint("debit_after >= 0 AND credit_after >= 0", name=op.f("ck_transfers_after")),
        sa.CheckConstraint("length(op) = 16 AND part >= 0", name=op.f("ck_transfers_op")),
        sa.CheckConstraint("length(reference) <= 280", name=op.f("ck_transfers_reference")),
        sa.CheckConstraint("undoes < id", name=op.f("ck_transfers_undoes_earlier")),
        sa.ForeignKeyConstraint(["credit"], ["accounts.id"], name=op.f("fk_transfers_credit")),
        sa.ForeignKeyConstraint(["debit"], ["accounts.id"], name=op.f("fk_transfers_debit")),
        sa.ForeignKeyConstraint(["lot"], ["lots.id"], name=op.f("fk_transfers_lot")),
        sa.ForeignKeyConstraint(["undoes"], ["transfers.id"], name=op.f("fk_transfers_undoes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfers")),
        sa.UniqueConstraint("op", "part", name="uq_transfers_op_part"),
    )
    with op.batch_alter_table("transfers", schema=None) as batch_op:
        batch_op.create_index(
            "ix_transfers_undoes",
            ["undoes"],
            unique=False,
            sqlite_where=sa.text("undoes IS NOT NULL"),
            postgresql_where=sa.text("undoes IS NOT NULL"),
        )

    op.create_table(
        "endowments",
        sa.Column("op", sa.LargeBinary(), nullable=False),
        sa.Column("lot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("transfer_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lots.id"], name=op.f("fk_endowments_lot_id")),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfers.id"], name=op.f("fk_endowments_transfer_id")),
        sa.PrimaryKeyConstraint("op", name=op.f("pk_endowments")),
        sa.UniqueConstraint("transfer_id", name="uq_endowments_transfer_id"),
    )


def downgrade() -> None:
    op.drop_table("endowments")
    with op.batch_alter_table("transfers", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_transfers_undoes",
            sqlite_where=sa.text("undoes IS NOT NULL"),
            postgresql_where=sa.text("undoes IS NOT NULL"),
        )

    op.drop_table("transfers")
    with op.batch_alter_table("reservations", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_reservations_active",
            sqlite_where=sa.text("state = 'active'"),
            postgresql_where=sa.text("state = 'active'"),
        )

    op.drop_table("reservations")
    op.drop_table("origins")
    op.drop_table("holdings")
    with op.batch_alter_table("history_marks", schema=None) as batch_op:
        batch_op.drop_index("ix_history_marks_account_id_at")

    op.drop_table("history_marks")
    with op.batch_alter_table("diversions", schema=None) as batch_op:
        batch_op.drop_index("ix_diversions_account_id")

    op.drop_table("diversions")
    op.drop_table("balances")
    op.drop_table("tallies")
    op.drop_table("reversals")
    op.drop_table("refusals")
    op.drop_table("lots")
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_accounts_system", sqlite_where=sa.text("number IS NULL"), postgresql_where=sa.text("number IS NULL")
        )

    op.drop_table("accounts")
    op.drop_table("nodes")
    op.drop_table("logs")
    op.drop_table("leaves")
    with op.batch_alter_table("heads", schema=None) as batch_op:
        batch_op.drop_index("ix_heads_signer_log_size")

    op.drop_table("heads")
    op.drop_table("facts")
    op.drop_table("evidence")
    op.drop_table("attachments")
