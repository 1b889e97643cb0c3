"""What bearers and members said is verified again, and everything that hangs on it is held against it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, select

from node.governance import tables
from node.governance.attestations import (
    AttestationKind,
    compute_about,
    read_attestation,
    require_attestation,
    write_attestation,
)
from node.governance.attestations_service import compute_missing, list_said, load_subject
from node.governance.days import local_day, write_day
from node.governance.passes import tables as pass_tables
from node.governance.rules_checks import Rule
from node.governance.signers import SignerRole
from node.governance.store import load_project
from node.governance.volunteering import tables as volunteering_tables
from node.governance.volunteering.hours import HoursState
from node.governance.votes_service import load_seats
from protocol.book.stream_store import stream
from protocol.findings import Checked
from protocol.keys import Domain, is_signed

RULE: Final = "passes and hours rest on what bearers and members signed"
_BY_BEARER: Final = (AttestationKind.WORK, AttestationKind.HOURS)


def check_attestations(connection: Connection, zone: str) -> Checked:
    """Look at every attestation, and at every pass and hour that was decided."""
    rule = Rule(RULE)
    said: dict[bytes, tuple[AttestationKind, bytes, bool]] = {}
    at: dict[bytes, int] = {}
    for row in _attestations(connection):
        id_, place = bytes(row.id), f"attestations {bytes(row.id).hex()}"
        words = read_attestation(bytes(row.words))
        kind = require_attestation(words)
        rule.compare(place, (id_, row.kind, bytes(row.subject)), (words.id, words.kind, words.subject))
        rule.compare(place, SignerRole.BEARER if kind in _BY_BEARER else SignerRole.MEMBER, row.role)
        signed = is_signed(bytes(row.signing), Domain.OFFICER, write_attestation(words), bytes(row.signature))
        rule.require(place, "signed by who says it", signed)
        subject = load_subject(connection, kind, words.subject)
        rule.compare(place, compute_about(kind, subject.content), words.about)
        if kind in _BY_BEARER:
            carries = connection.execute(
                select(tables.projects.c.bearer).where(tables.projects.c.id == subject.project)
            ).scalar()
            rule.compare(place, None if carries is None else bytes(carries), bytes(row.bearer or b""))
        said[id_], at[id_] = (kind, words.subject, words.is_affirmed), row.at
    passes = pass_tables.passes
    for row in stream(connection, select(passes).order_by(passes.c.id)):
        place = f"passes {bytes(row.id).hex()}"
        for decision, kind in (
            (row.checked_decision, AttestationKind.WORK),
            (row.validated_decision, AttestationKind.VALIDATION),
        ):
            if decision is not None:
                rule.compare(place, (kind, bytes(row.id), True), said.get(bytes(decision)))
        if row.validated_decision is not None and (last := at.get(bytes(row.validated_decision))) is not None:
            # As many members as it took on that day, of those who sat then and had no conflict that was known.
            seats = load_seats(connection, load_project(connection, bytes(row.project)), last, zone)
            words_of = list_said(connection, bytes(row.id), last)
            rule.compare(place, 0, compute_missing(seats, words_of, write_day(local_day(last, zone))))
    judged = {(subject, is_affirmed) for kind, subject, is_affirmed in said.values() if kind is AttestationKind.HOURS}
    hours = volunteering_tables.told_hours
    for row in stream(connection, select(hours).where(hours.c.state != HoursState.TOLD).order_by(hours.c.id)):
        rule.require(
            f"told_hours {bytes(row.id).hex()}",
            f"{row.state} by the bearer's word",
            (bytes(row.id), row.state == HoursState.CONFIRMED) in judged,
        )
    return rule.close()


def _attestations(connection: Connection) -> Iterator[Any]:
    table, signers, spoken = tables.attestations, tables.signers, tables.bearer_signers
    return stream(
        connection,
        select(table, signers.c.role, signers.c.signing, spoken.c.bearer)
        .join(signers, signers.c.key == table.c.key)
        .outerjoin(spoken, spoken.c.key == table.c.key)
        .order_by(table.c.id),
    )
