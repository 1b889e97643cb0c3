"""Tables of the companies base. Kept figures are guarded here: a campaign never spends beyond its limit.

Days are whole numbers yyyymmdd; instants are milliseconds; ids that other bases see are 16 bytes.
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
    text,
)

from node.doors.tables import make_keys_table
from node.partners.campaigns import CampaignState, Funding
from node.partners.counterparts import Valuation
from node.partners.coupons import CouponState, Occasion
from node.partners.grants import GrantSource, GrantState
from node.partners.operations_file import OperationKind
from node.partners.purchases import TILL_MAX, RevocationReason
from node.partners.runs import RunState
from node.partners.sales import RefundState, SaleState
from node.partners.tickets import PURCHASE_BYTES
from node.partners.vouchers import VoucherState
from protocol.book.tables import NAMING, RowId, one_of

metadata = MetaData(naming_convention=NAMING)

_DAY: Final = "{0} BETWEEN 19000101 AND 99991231"


def _seal() -> Column[bytes]:
    """A digest of the row, as `seals` says."""
    return Column("seal", LargeBinary, nullable=False)


companies = Table(
    "companies",
    metadata,
    Column("siren", Text, primary_key=True),
    Column("donor", LargeBinary, nullable=False, unique=True),  # how the other bases know it: opaque
    Column("legal_form", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("street", Text, nullable=False),
    Column("postcode", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("end_month", Integer, nullable=False),
    Column("end_day", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("told_at", BigInteger),  # when the fund was told last how receipts name it
    Column("code", Text, nullable=False, server_default=""),  # why the fund refused it
    _seal(),
    CheckConstraint("length(siren) = 9", name="siren"),
    CheckConstraint("length(donor) = 16", name="donor"),
)

# Accounts of the company itself: it credits none of them.
company_accounts = Table(
    "company_accounts",
    metadata,
    Column("account", Text, primary_key=True),
    Column("siren", Text, ForeignKey("companies.siren"), nullable=False, index=True),
    _seal(),
    CheckConstraint("length(account) = 8", name="account"),
)

fiscal_years = Table(
    "fiscal_years",
    metadata,
    Column("siren", Text, ForeignKey("companies.siren"), nullable=False),
    Column("starts_on", Integer, nullable=False),
    Column("ends_on", Integer, nullable=False),
    _seal(),
    PrimaryKeyConstraint("siren", "starts_on"),
    CheckConstraint("ends_on >= starts_on", name="days"),
    sqlite_with_rowid=False,
)

turnovers = Table(
    "turnovers",
    metadata,
    Column("siren", Text, ForeignKey("companies.siren"), nullable=False),
    Column("starts_on", Integer, nullable=False),  # of the fiscal year
    Column("cents", BigInteger, nullable=False),
    _seal(),
    PrimaryKeyConstraint("siren", "starts_on"),
    CheckConstraint("cents >= 0", name="cents"),
    sqlite_with_rowid=False,
)

groups = Table(
    "groups",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("name", Text, nullable=False),
    _seal(),
    CheckConstraint("length(id) = 16", name="id"),
)

group_members = Table(
    "group_members",
    metadata,
    Column("group_id", LargeBinary, ForeignKey("groups.id"), nullable=False),
    Column("siren", Text, nullable=False),  # a company of the group need not give here
    _seal(),
    PrimaryKeyConstraint("group_id", "siren"),
    sqlite_with_rowid=False,
)

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    Column("uid", LargeBinary, nullable=False, unique=True),
    Column("siren", Text, ForeignKey("companies.siren"), nullable=False, index=True),
    Column("terms", Text, nullable=False),  # JSON: what the company promises
    Column("funding", Text, nullable=False),
    Column("ceiling", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("asked", LargeBinary, unique=True),  # the id under which a pool was asked
    Column("first_cents", BigInteger),  # what is expected first, once the pool is open
    Column("first_due", Integer),
    Column("pool", Text),
    Column("code", Text, nullable=False, server_default=""),  # why no pool was opened
    Column("funded", BigInteger, nullable=False, server_default="0"),
    Column("spent", BigInteger, nullable=False, server_default="0"),
    _seal(),
    CheckConstraint("length(uid) = 16", name="uid"),
    CheckConstraint(one_of("state", CampaignState), name="state"),
    CheckConstraint(one_of("funding", Funding), name="funding"),
    CheckConstraint("ceiling > 0 AND funded >= 0", name="cents"),
    CheckConstraint("spent >= 0 AND spent <= ceiling AND (funding = 'called' OR spent <= funded)", name="spent"),
)

campaign_steps = Table(
    "campaign_steps",
    metadata,
    Column("campaign_id", RowId, ForeignKey("campaigns.id"), nullable=False),
    Column("ix", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    _seal(),
    PrimaryKeyConstraint("campaign_id", "ix"),
    CheckConstraint(one_of("state", CampaignState), name="state"),
    sqlite_with_rowid=False,
)

# What the fund was told to expect, and what it answered.
expectations = Table(
    "expectations",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("campaign_id", RowId, ForeignKey("campaigns.id"), nullable=False, index=True),
    Column("cents", BigInteger, nullable=False),
    Column("due", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("reference", Text, nullable=False, server_default=""),
    Column("iban", Text, nullable=False, server_default=""),
    Column("code", Text, nullable=False, server_default=""),  # why the fund refused it
    Column("closed_on", Integer),  # since when the fund waits for the rest no more
    _seal(),
    CheckConstraint("length(id) = 16", name="id"),
    CheckConstraint("cents > 0", name="cents"),
    CheckConstraint(_DAY.format("due"), name="due"),
)

# Euros that the fund says it received.
payments = Table(
    "payments",
    metadata,
    Column("deposit", LargeBinary, primary_key=True),
    Column("expectation", LargeBinary, ForeignKey("expectations.id"), nullable=False),
    Column("campaign_id", RowId, ForeignKey("campaigns.id"), nullable=False, index=True),
    Column("cents", BigInteger, nullable=False),
    Column("on_day", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    CheckConstraint("length(deposit) = 16", name="deposit"),
    CheckConstraint("cents > 0", name="cents"),
    CheckConstraint(_DAY.format("on_day"), name="on_day"),
)

# What the fund was told of a called campaign, and what it said: euros are called once miles are converted.
pledges = Table(
    "pledges",
    metadata,
    Column("campaign_id", RowId, ForeignKey("campaigns.id"), primary_key=True, autoincrement=False),
    Column("id", LargeBinary, nullable=False, unique=True),
    Column("cents", BigInteger, nullable=False),
    Column("until", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("accepted_at", BigInteger),
    Column("code", Text, nullable=False, server_default=""),  # why the fund refused it, or its end
    Column("told_spent", BigInteger),  # what the fund was told last that the campaign gave, once it is over
    Column("told_id", LargeBinary, unique=True),
    Column("released", BigInteger),
    Column("unconverted", BigInteger),
    _seal(),
    CheckConstraint("length(id) = 16", name="id"),
    CheckConstraint("cents > 0", name="cents"),
    CheckConstraint(_DAY.format("until"), name="until"),
    CheckConstraint("(told_spent IS NULL) = (told_id IS NULL)", name="told"),
    CheckConstraint("(released IS NULL) = (unconverted IS NULL)", name="released"),
)

# What the fund called of a company for a month, of which campaigns, and what it says that it received.
calls = Table(
    "calls",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("siren", Text, ForeignKey("companies.siren"), nullable=False, index=True),
    Column("month", Integer, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("due", Integer, nullable=False),
    Column("reference", Text, nullable=False),
    Column("iban", Text, nullable=False),
    _seal(),
    CheckConstraint("length(id) = 16", name="id"),
    CheckConstraint("cents > 0", name="cents"),
)

call_parts = Table(
    "call_parts",
    metadata,
    Column("call", LargeBinary, ForeignKey("calls.id"), nullable=False),
    Column("campaign_id", RowId, ForeignKey("campaigns.id"), nullable=False, index=True),
    Column("cents", BigInteger, nullable=False),
    _seal(),
    PrimaryKeyConstraint("call", "campaign_id"),
    CheckConstraint("cents > 0", name="cents"),
)

call_payments = Table(
    "call_payments",
    metadata,
    Column("deposit", LargeBinary, primary_key=True),
    Column("call", LargeBinary, ForeignKey("calls.id"), nullable=False, index=True),
    Column("cents", BigInteger, nullable=False),
    Column("on_day", Integer, nullable=False),
    CheckConstraint("length(deposit) = 16", name="deposit"),
    CheckConstraint("cents > 0", name="cents"),
    CheckConstraint(_DAY.format("on_day"), name="on_day"),
)

# Tills and, without a number, the company's own office. The secret is shown once and never stored.
tills = Table(
    "tills",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    Column("siren", Text, ForeignKey("companies.siren"), nullable=False),
    Column("number", Integer),
    Column("name", Text, nullable=False),
    Column("key_id", Text, nullable=False, unique=True),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("reason", Text),
    _seal(),
    UniqueConstraint("siren", "number", name="uq_tills_siren_number"),
    CheckConstraint(f"number IS NULL OR (number >= 1 AND number <= {TILL_MAX})", name="number"),
    CheckConstraint("length(secret_hash) = 32", name="secret_hash"),
    CheckConstraint(f"reason IS NULL OR {one_of('reason', RevocationReason)}", name="reason"),
    CheckConstraint("(revoked_at IS NULL) = (reason IS NULL)", name="revoked"),
)

# What tills told: once decided, a sale keeps its answer.
sales = Table(
    "sales",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False, unique=True),  # the till's row and its own id: they rise with time
    Column("campaign_id", RowId, ForeignKey("campaigns.id"), nullable=False, index=True),
    Column("till_id", RowId, ForeignKey("tills.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("day", Integer, nullable=False),
    Column("sale", BigInteger, nullable=False),
    Column("holder", Text),  # none: a ticket
    Column("buyer", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("granted", BigInteger, nullable=False),
    Column("code", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("grant_id", LargeBinary, unique=True),
    Column("refunded", BigInteger, nullable=False, server_default="0"),
    _seal(),
    CheckConstraint(one_of("state", SaleState), name="state"),
    CheckConstraint("sale > 0 AND granted >= 0 AND (state = 'refused') = (granted = 0)", name="granted"),
    CheckConstraint("(state = 'granted') = (grant_id IS NOT NULL)", name="grant_id"),
    CheckConstraint("(state = 'refused') = (code <> '')", name="code"),
    CheckConstraint("refunded >= 0 AND refunded <= sale", name="refunded"),
)

# Miles for customers who gave no identifier. `cents` is what the ticket is worth now.
vouchers = Table(
    "vouchers",
    metadata,
    Column("sale_id", RowId, ForeignKey("sales.id"), primary_key=True, autoincrement=False),
    Column("campaign_id", RowId, ForeignKey("campaigns.id"), nullable=False, index=True),
    Column("till_id", RowId, ForeignKey("tills.id"), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("cut", BigInteger, nullable=False, server_default="0"),  # what a holder's day ceiling cut off when claimed
    Column("expires_on", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("holder", Text),
    Column("ended_at", BigInteger),
    Column("grant_id", LargeBinary, unique=True),
    _seal(),
    UniqueConstraint("till_id", "digest", name="uq_vouchers_till_id_digest"),
    CheckConstraint(f"length(digest) = {PURCHASE_BYTES}", name="digest"),
    CheckConstraint("cents >= 0 AND cut >= 0", name="cents"),
    CheckConstraint(one_of("state", VoucherState), name="state"),
    CheckConstraint(
        "(state = 'claimed') = (holder IS NOT NULL) AND (state = 'claimed') = (grant_id IS NOT NULL)", name="claimed"
    ),
    Index(
        "ix_vouchers_open", "expires_on", sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")
    ),
)

# What the accounts were told to credit, and what they answered. `taken` is what refunds took back of it.
grants = Table(
    "grants",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("campaign_id", RowId, ForeignKey("campaigns.id"), nullable=False, index=True),
    Column("account", Text, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("source_id", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("code", Text, nullable=False, server_default=""),
    Column("asked_back", BigInteger, nullable=False, server_default="0"),
    Column("taken", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("length(id) = 16 AND length(account) = 8", name="id"),
    CheckConstraint(one_of("source", GrantSource), name="source"),
    CheckConstraint(one_of("state", GrantState), name="state"),
    CheckConstraint("cents > 0 AND taken >= 0 AND taken <= asked_back AND asked_back <= cents", name="cents"),
    CheckConstraint("(state = 'refused') = (code <> '')", name="code"),
    CheckConstraint("state <> 'refused' OR taken = 0", name="taken"),
    sqlite_with_rowid=False,
)

refunds = Table(
    "refunds",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False, unique=True),  # the sale's row and the till's own id of the refund
    Column("sale_id", RowId, ForeignKey("sales.id"), nullable=False, index=True),
    Column("cents", BigInteger, nullable=False),  # of the sale
    Column("at", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),  # miles that were due back
    Column("taken", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("code", Text, nullable=False, server_default=""),
    Column("take_back", LargeBinary, unique=True),  # the id under which the accounts were asked
    Column("grant_id", LargeBinary, index=True),  # of which grant
    _seal(),
    CheckConstraint("cents > 0 AND due >= 0 AND taken >= 0 AND taken <= due", name="cents"),
    CheckConstraint(one_of("state", RefundState), name="state"),
    CheckConstraint("(take_back IS NULL) = (grant_id IS NULL)", name="asked"),
)

# What a campaign gave one holder on one day, where it has a ceiling for that.
holder_days = Table(
    "holder_days",
    metadata,
    Column("key", Text, primary_key=True),  # campaign's row, account and day
    Column("cents", BigInteger, nullable=False),
    CheckConstraint("cents >= 0", name="cents"),
    sqlite_with_rowid=False,
)

# One booking of a file of operations: its rows are kept first, then booked from here.
runs = Table(
    "runs",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("campaign_id", RowId, ForeignKey("campaigns.id"), nullable=False, index=True),
    Column("digest", LargeBinary, nullable=False),  # of the file
    Column("name", Text, nullable=False),
    Column("budget_left", BigInteger, nullable=False),  # when it was begun: its rows are judged by it
    Column("loaded", BigInteger, nullable=False, server_default="0"),  # the last line that is kept here
    Column("read", BigInteger, nullable=False, server_default="0"),  # rows kept here, right or wrong
    Column("accepted", BigInteger, nullable=False, server_default="0"),
    Column("accepted_cents", BigInteger, nullable=False, server_default="0"),
    Column("aside", BigInteger, nullable=False, server_default="0"),  # what of the budget is still set aside for it
    Column("booked", BigInteger, nullable=False, server_default="0"),  # the last line that is booked
    Column("state", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    _seal(),
    CheckConstraint("length(id) = 16 AND length(digest) = 32", name="id"),
    CheckConstraint(one_of("state", RunState), name="state"),
    CheckConstraint("aside >= 0 AND (aside = 0 OR state = 'booking')", name="aside"),
)

# The report, row by row. `key` holds an id of the company to one operation, whichever file it stands in.
run_rows = Table(
    "run_rows",
    metadata,
    Column("run_id", LargeBinary, ForeignKey("runs.id"), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("operation", Text, nullable=False),
    Column("kind", Text),
    Column("account", Text, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("label", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("key", Text, unique=True),
    Column("grant_id", LargeBinary, unique=True),
    _seal(),
    PrimaryKeyConstraint("run_id", "number"),
    CheckConstraint(f"kind IS NULL OR {one_of('kind', OperationKind)}", name="kind"),
    CheckConstraint("(grant_id IS NULL) = (key IS NULL) AND (code = '' OR grant_id IS NULL)", name="booked"),
    CheckConstraint("cents >= 0", name="cents"),
    sqlite_with_rowid=False,
)

counterparts = Table(
    "counterparts",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("siren", Text, ForeignKey("companies.siren"), nullable=False, index=True),
    Column("day", Integer, nullable=False),
    Column("value", BigInteger, nullable=False),
    Column("description", Text, nullable=False),
    Column("valuation", Text, nullable=False),
    Column("giver", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    _seal(),
    CheckConstraint("length(id) = 16", name="id"),
    CheckConstraint("value > 0", name="value"),
    CheckConstraint(one_of("valuation", Valuation), name="valuation"),
)

# What became of a campaign's miles in a project, as the accounts said last.
effects = Table(
    "effects",
    metadata,
    Column("campaign_id", RowId, ForeignKey("campaigns.id"), nullable=False),
    Column("territory", Text, nullable=False),
    Column("project", LargeBinary, nullable=False),
    Column("title", Text, nullable=False),
    Column("waiting", BigInteger, nullable=False),
    Column("converted", BigInteger, nullable=False),
    Column("paid", BigInteger, nullable=False),
    Column("netted", BigInteger, nullable=False),
    Column("confirmed", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("campaign_id", "territory", "project"),
    CheckConstraint("length(project) = 16", name="project"),
    CheckConstraint("waiting >= 0 AND paid >= 0 AND netted >= 0 AND confirmed >= 0", name="cents"),
    CheckConstraint("paid + netted <= converted AND confirmed <= converted", name="converted"),
    sqlite_with_rowid=False,
)

# A merchant's own discounts: no key of any other table leads here.
coupons = Table(
    "coupons",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("merchant", Text, nullable=False, index=True),
    Column("words", Text, nullable=False),
    Column("basis_points", Integer),
    Column("cents", BigInteger),
    Column("occasion", Text, nullable=False),
    Column("valid_from", Integer, nullable=False),
    Column("valid_to", Integer, nullable=False),
    Column("sale_min", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("used_by", Text, nullable=False),
    Column("used_cents", BigInteger, nullable=False),  # the sale, before the discount
    _seal(),
    CheckConstraint("length(id) = 16", name="id"),
    CheckConstraint("(basis_points IS NULL) <> (cents IS NULL)", name="discount"),
    CheckConstraint(one_of("occasion", Occasion), name="occasion"),
    CheckConstraint(one_of("state", CouponState), name="state"),
    CheckConstraint("(state = 'used') = (used_by <> '')", name="used_by"),
    CheckConstraint("used_cents >= 0 AND (used_cents > 0) = (used_by <> '')", name="used_cents"),
)

# What people asked for by an id of theirs, and what was answered: asked again, it is not done again.
decisions = Table(
    "decisions",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("asked", LargeBinary, nullable=False),  # a digest of the content
    Column("answer", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    _seal(),
    CheckConstraint("length(id) = 16 AND length(asked) = 32", name="id"),
)

# Who may come in by the office's doors, beside the companies' own credentials.
door_keys = make_keys_table(metadata, _seal())
