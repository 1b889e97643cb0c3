"""Offers of projects, requests of volunteers, applications, and the hours that volunteers told.

Accounts, never names. `confirmed` hours are those that the project's bearer said yes to; `pass` is the pass that they stand in.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Integer, LargeBinary, Table, Text

from node.governance.tables import metadata, seal_column
from node.governance.volunteering.hours import HoursState
from node.governance.volunteering.offers import ApplicationState, Domain, OfferState, Remote
from protocol.book.tables import one_of

volunteer_offers = Table(
    "volunteer_offers",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("project", LargeBinary, ForeignKey("projects.id"), nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("remote", Text, nullable=False),
    Column("place", Text),
    Column("place_name", Text),
    Column("latitude", Integer),
    Column("longitude", Integer),
    Column("first_on", Integer, nullable=False),
    Column("last_on", Integer, nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("places", Integer, nullable=False),
    Column("needed", Text, nullable=False),  # codes with a blank between them
    Column("wanted", Text, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    seal_column(),
    CheckConstraint(one_of("domain", Domain), name="domain"),
    CheckConstraint(one_of("remote", Remote), name="remote"),
    CheckConstraint(one_of("state", OfferState), name="state"),
    CheckConstraint("last_on >= first_on AND minutes > 0 AND places > 0", name="numbers"),
)

volunteer_requests = Table(
    "volunteer_requests",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("account", Text, nullable=False, index=True),
    Column("place", Text, nullable=False),
    Column("place_name", Text, nullable=False),
    Column("latitude", Integer, nullable=False),
    Column("longitude", Integer, nullable=False),
    Column("radius", Integer, nullable=False),  # metres
    Column("skills", Text, nullable=False),
    Column("takes_remote", Integer, nullable=False),
    Column("people", Integer, nullable=False),
    Column("until_day", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    seal_column(),
    CheckConstraint("people > 0 AND radius >= 0 AND takes_remote BETWEEN 0 AND 1", name="numbers"),
)

applications = Table(
    "applications",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("offer", LargeBinary, ForeignKey("volunteer_offers.id"), nullable=False, index=True),
    Column("account", Text, nullable=False, index=True),
    Column("people", Integer, nullable=False),
    Column("label", Text, nullable=False),  # a group's public name, or nothing
    Column("words", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),  # who decided
    Column("at", BigInteger, nullable=False),
    Column("decided_at", BigInteger),
    seal_column(),
    CheckConstraint(one_of("state", ApplicationState), name="state"),
    CheckConstraint("people > 0", name="people"),
)

told_hours = Table(
    "told_hours",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("application", LargeBinary, ForeignKey("applications.id"), nullable=False, index=True),
    Column("on_day", Integer, nullable=False),
    Column("minutes", Integer, nullable=False),  # of all people of a group together
    Column("words", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("pass", LargeBinary, ForeignKey("passes.id"), index=True),
    Column("at", BigInteger, nullable=False),
    Column("decided_at", BigInteger),
    seal_column(),
    CheckConstraint(one_of("state", HoursState), name="state"),
    CheckConstraint("minutes > 0", name="minutes"),
    CheckConstraint("pass IS NULL OR state = 'confirmed'", name="pass"),
)
