"""Places and hours are added up again: nobody is taken beyond the places, no hour counts twice, a pass says what was confirmed."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, select

from node.governance.passes import tables as pass_tables
from node.governance.passes.kept_words import read_words
from node.governance.passes.passes import PassState
from node.governance.rules_checks import Rule, list_rows
from node.governance.volunteering import tables
from node.governance.volunteering.hours import DAY_MINUTES, HoursState
from node.governance.volunteering.offers import PLACED, OfferState
from protocol.findings import Checked
from protocol.identifiers import Id16

RULE: Final = "volunteers hold places that there are, and passes say hours that were confirmed"


def check_volunteering(connection: Connection) -> Checked:
    """Look at offers, applications and hours."""
    rule = Rule(RULE)
    applications = {bytes(row.id): row for row in list_rows(connection, tables.applications)}
    offers = {bytes(row.id): row for row in list_rows(connection, tables.volunteer_offers)}
    placed: dict[bytes, int] = {}
    running: set[tuple[bytes, str]] = set()
    for id_, row in applications.items():
        place, of = f"applications {id_.hex()}", (bytes(row.offer), row.account)
        placed[bytes(row.offer)] = placed.get(bytes(row.offer), 0) + (row.people if row.state in PLACED else 0)
        rule.compare(place, row.state == "declined", bool(row.reason))
        rule.compare(place, row.state == "sent", row.decided_at is None)
        if row.state in ("sent", "accepted"):
            rule.require(place, "one for an account and an offer", of not in running)
            running.add(of)
    for id_, row in offers.items():
        place, held = f"volunteer_offers {id_.hex()}", placed.get(id_, 0)
        rule.require(place, f"at most {row.places} people", held <= row.places)
        if row.state in (OfferState.OPEN, OfferState.FULL):
            rule.compare(place, OfferState.FULL if held == row.places else OfferState.OPEN, row.state)
    days: dict[tuple[bytes, int], int] = {}
    claimed: dict[bytes, dict[int, int]] = {}
    holders: dict[bytes, tuple[bytes, str]] = {}
    for row in list_rows(connection, tables.told_hours):
        place, application = f"told_hours {bytes(row.id).hex()}", applications[bytes(row.application)]
        offer, day = offers[bytes(application.offer)], (bytes(row.application), row.on_day)
        rule.require(place, "a day of its offer", offer.first_on <= row.on_day <= offer.last_on)
        rule.require(place, "of somebody who was accepted", application.state not in ("sent", "declined"))
        if row.state != HoursState.REFUSED:
            days[day] = days.get(day, 0) + row.minutes
            rule.require(place, "no more than a day has", days[day] <= DAY_MINUTES * application.people)
        rule.compare(place, row.state == HoursState.TOLD, row.decided_at is None)
        in_pass = bytes(row._mapping["pass"] or b"")
        if in_pass:
            by_year = claimed.setdefault(in_pass, {})
            by_year[row.on_day // 10_000] = by_year.get(row.on_day // 10_000, 0) + row.minutes
            holders[in_pass] = (bytes(offer.project), application.account)
    passes = pass_tables.passes
    for row in connection.execute(select(passes).where(passes.c.id.in_(list(claimed)))).all():
        id_, place = bytes(row.id), f"passes {bytes(row.id).hex()}"
        rule.compare(place, holders[id_], (bytes(row.project), row.account))
        if row.state != PassState.REFUSED:  # of a refused one, hours may stand in another by now
            told_minutes = dict(read_words(Id16(id_), bytes(row.words)).work.minutes)
            rule.compare(place, claimed[id_], told_minutes)
    return rule.close()
