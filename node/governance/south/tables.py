"""South programmes, what belongs to them, and guides, in the projects' base.

A programme's id is its project's. Nothing is deleted: partners and agreements end, a budget is followed by another version
until the first round, statements and reports stand. Names are names of bodies. For whom a guide acts is not known here.
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
)

from node.governance.south.guides import GuideEnd
from node.governance.south.programmes import PartnerKind
from node.governance.tables import metadata, seal_column
from protocol.book.tables import one_of

programmes = Table(
    "programmes",
    metadata,
    Column("project", LargeBinary, ForeignKey("projects.id"), primary_key=True),
    Column("country", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    seal_column(),
)

programme_partners = Table(
    "programme_partners",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("programme", LargeBinary, ForeignKey("programmes.project"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("registration", Text, nullable=False),
    Column("key", LargeBinary, ForeignKey("signers.key")),
    Column("at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_reason", Text, nullable=False),
    seal_column(),
    CheckConstraint(one_of("kind", PartnerKind), name="kind"),
    CheckConstraint("(ended_at IS NULL) = (ended_reason = '')", name="ended"),
)

partner_proofs = Table(
    "partner_proofs",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("partner", LargeBinary, ForeignKey("programme_partners.id"), nullable=False, index=True),
    Column("words", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("issued_on", Integer, nullable=False),
    Column("valid_until", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    seal_column(),
    CheckConstraint("valid_until >= issued_on", name="days"),
)

control_agreements = Table(
    "control_agreements",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("partner", LargeBinary, ForeignKey("programme_partners.id"), nullable=False, index=True),
    Column("digest", LargeBinary, nullable=False),
    Column("signed_on", Integer, nullable=False),
    Column("from_day", Integer, nullable=False),
    Column("until_day", Integer, nullable=False),
    Column("clauses", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_reason", Text, nullable=False),
    seal_column(),
    CheckConstraint("until_day >= from_day AND until_day >= signed_on", name="days"),
    CheckConstraint("(ended_at IS NULL) = (ended_reason = '')", name="ended"),
)

# Euros; the rate is millionths of the currency's unit for one euro, told beside.
programme_lines = Table(
    "programme_lines",
    metadata,
    Column("programme", LargeBinary, ForeignKey("programmes.project"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("line", Integer, nullable=False),
    Column("words", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("rate", BigInteger, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    seal_column(),
    PrimaryKeyConstraint("programme", "version", "line"),
    CheckConstraint("cents > 0 AND rate > 0 AND line > 0 AND version > 0", name="sums"),
)

# Two people's statement on sanctions lists: each looked at them, no list is in here.
clearances = Table(
    "clearances",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("partner", LargeBinary, ForeignKey("programme_partners.id"), nullable=False, index=True),
    Column("words", LargeBinary, nullable=False),
    Column("asked_by", LargeBinary, ForeignKey("signers.key"), nullable=False),
    Column("asked_signature", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("confirmed_by", LargeBinary, ForeignKey("signers.key")),
    Column("confirmed_signature", LargeBinary),
    Column("confirmed_at", BigInteger),
    seal_column(),
    CheckConstraint("confirmed_by IS NULL OR confirmed_by <> asked_by", name="two_people"),
    CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name="confirmed"),
)

field_reports = Table(
    "field_reports",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("programme", LargeBinary, ForeignKey("programmes.project"), nullable=False, index=True),
    Column("from_day", Integer, nullable=False),
    Column("until_day", Integer, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("words", LargeBinary, nullable=False),
    Column("key", LargeBinary, ForeignKey("signers.key"), nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    seal_column(),
    CheckConstraint("until_day >= from_day AND cents >= 0", name="days"),
)

guides = Table(
    "guides",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("key", LargeBinary, ForeignKey("signers.key"), nullable=False, index=True),
    Column("words", LargeBinary, nullable=False),
    Column("from_day", Integer, nullable=False),
    Column("until_day", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("accredited_at", BigInteger),
    Column("heard_at", BigInteger),  # when the accounts said last that they know
    Column("ended_at", BigInteger),
    Column("ended_code", Text, nullable=False),
    Column("ended_reason", Text, nullable=False),
    Column("refused", Text, nullable=False),  # why the accounts did not take it
    seal_column(),
    CheckConstraint(one_of("ended_code", ["", *GuideEnd]), name="ended_code"),
    CheckConstraint("(ended_at IS NULL) = (ended_code = '')", name="ended"),
    CheckConstraint("until_day >= from_day", name="term"),
)

guide_approvals = Table(
    "guide_approvals",
    metadata,
    Column("guide", LargeBinary, ForeignKey("guides.id"), nullable=False),
    Column("member", LargeBinary, ForeignKey("members.id"), nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    seal_column(),
    PrimaryKeyConstraint("guide", "member"),
)
