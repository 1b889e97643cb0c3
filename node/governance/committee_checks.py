"""Rules of ballots, minutes, drawings and findings: each is what its people, or this base, signed."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, select

from node.governance import tables
from node.governance.committee_service import LIST_BYTES_MAX, load_drawing
from node.governance.drawing import DrawList, compute_list_digest
from node.governance.minutes import compute_decision, read_minutes, verify_minutes
from node.governance.projects import ProjectEvent
from node.governance.rules_checks import Rule, list_rows, load_signing
from node.governance.signers import FindingWords, SignerRole, write_words
from node.governance.votes import Outcome, SignedBallot, is_ballot_signed, read_words
from node.governance.votes_service import make_session
from protocol.canonical import decode_typed
from protocol.findings import Checked
from protocol.identifiers import Id16
from protocol.keys import Domain, PublicKeys, is_signed

_FINDING: Final = b"citizen-miles/projects/finding/v1\0"
_FINDING_BYTES_MAX: Final = 16_384


def check_ballots(connection: Connection) -> Checked:
    rule = Rule("each ballot is its member's, on the sheet that was voted on")
    voters = load_signing(connection, SignerRole.MEMBER)
    sessions = {bytes(row.id): row for row in list_rows(connection, tables.sessions)}
    members = {bytes(row.id): row for row in list_rows(connection, tables.members)}
    for row in list_rows(connection, tables.ballots):
        place = f"ballots {bytes(row.session).hex()} {bytes(row.member).hex()}"
        ballot = SignedBallot(bytes(row.words), bytes(row.key), bytes(row.signature))
        session, member = sessions[bytes(row.session)], members[bytes(row.member)]
        rule.compare(place, bytes(member.key).hex(), ballot.key.hex())
        signing = voters.get(ballot.key)
        rule.require(place, "signed by its member", signing is not None and is_ballot_signed(ballot, signing))
        words = read_words(ballot)
        told = (words.session, words.project, words.sheet)
        rule.compare(place, (bytes(session.id), bytes(session.project), bytes(session.sheet)), told)
        rule.require(place, "handed in while the vote ran", session.opens_at <= row.at < session.closes_at)
    for id_, member in members.items():
        if member.draw is None:
            continue
        drawing = load_drawing(connection, Id16(bytes(member.draw)))
        drawn = member.account in drawing.ranked and member.college == drawing.told.college
        rule.require(f"members {id_.hex()}", "drawn for its college", drawn)
    return rule.close()


def check_minutes(connection: Connection, keys: tuple[PublicKeys, ...]) -> Checked:
    rule = Rule("each decision is its minutes, and they are counted right")
    versions = {(bytes(row.project), row.version): bytes(row.digest) for row in list_rows(connection, tables.versions)}
    decisions: dict[bytes, tuple[bytes, str, int]] = {}
    withdrawn = {
        bytes(row.project) for row in list_rows(connection, tables.steps) if row.event == ProjectEvent.WITHDRAWN
    }
    for row in list_rows(connection, tables.sessions, tables.sessions.c.at):
        place = f"sessions {bytes(row.id).hex()}"
        session = make_session(row)
        rule.compare(place, versions.get((session.project, session.version)), session.sheet)
        if session.outcome is Outcome.VOID:
            counted = (session.minutes, session.decision, session.signature, session.signer)
            rule.require(place, "nothing counted", all(part is None for part in counted))
            rule.require(place, "a vote on a project that is withdrawn", session.project in withdrawn)
            rule.require(place, "closed at a time", row.decided_at is not None)
            continue
        rule.require(
            place, "no project that is withdrawn", session.outcome is not None or session.project not in withdrawn
        )
        parts = (session.outcome, session.minutes, session.decision, session.signature, session.signer)
        if session.outcome is None or session.minutes is None or session.signature is None:
            rule.require(place, "nothing decided, or all of it", all(part is None for part in parts))
            continue
        body, signature = session.minutes, session.signature
        rule.compare(place, compute_decision(body).hex(), (session.decision or b"").hex())
        rule.refuse(place, "signed and counted", lambda b=body, s=signature: verify_minutes(b, s, keys))  # type: ignore[misc]
        minutes = read_minutes(body)
        told = (minutes.session, minutes.project, minutes.sheet, minutes.outcome, minutes.reason, minutes.rules)
        kept = (session.id, session.project, session.sheet, session.outcome, session.reason, session.rules)
        rule.compare(place, told, kept)
        rule.compare(place, (minutes.opened_at, minutes.closed_at), (session.opens_at, session.closes_at))
        rule.compare(place, minutes.is_appeal, session.is_appeal)
        rule.require(place, "signed by the key that it names", any(key.id == session.signer for key in keys))
        rule.require(place, "counted when it was over", row.decided_at is not None and row.decided_at >= row.closes_at)
        held = {bytes(one.words) for one in _ballots_of(connection, session.id)}
        rule.require(place, "ballots that were handed in", {one.words for one in minutes.ballots} <= held)
        if session.outcome is not Outcome.NO_QUORUM:
            decisions[session.project] = (session.decision or b"", session.outcome, minutes.decided_on)
    for row in list_rows(connection, tables.projects):
        if row.decision is None:
            continue
        decision, _, day = decisions.get(bytes(row.id), (b"", "", 0))
        rule.compare(f"projects {bytes(row.id).hex()}", (decision, day), (bytes(row.decision), row.decided_on))
    return rule.close()


def _ballots_of(connection: Connection, session: bytes) -> list[Any]:
    return list(connection.execute(select(tables.ballots).where(tables.ballots.c.session == session)).all())


def check_draws(connection: Connection, keys: tuple[PublicKeys, ...]) -> Checked:
    rule = Rule("each drawing is of the list that was closed before")
    for row in list_rows(connection, tables.draws):
        place = f"draws {bytes(row.id).hex()}"
        told = decode_typed(bytes(row.body), DrawList, size_max=LIST_BYTES_MAX)
        digest = compute_list_digest(told)
        rule.compare(place, digest.hex(), bytes(row.digest).hex())
        rule.compare(place, (told.college, told.drawn_on), (row.college, row.drawn_on))
        body = b"draw-list\0" + digest
        signed = any(is_signed(key.signing, Domain.MINUTES, body, bytes(row.signature)) for key in keys)
        rule.require(place, "a list that this base signed", signed)
        rule.require(place, "drawn after its list was closed", row.drawn_at is None or row.drawn_at > row.at)
        rule.compare(place, bool(row.number), row.drawn_at is not None)
    return rule.close()


def check_findings(connection: Connection) -> Checked:
    rule = Rule("each finding is signed by its auditor")
    auditors = load_signing(connection, SignerRole.AUDITOR)
    for row in list_rows(connection, tables.findings):
        place = f"findings {bytes(row.id).hex()}"
        words = bytes(row.words)
        signing = auditors.get(bytes(row.key))
        signed = signing is not None and is_signed(signing, Domain.AUDIT, words, bytes(row.signature))
        rule.require(place, "signed by its auditor", signed)
        told = decode_typed(words[len(_FINDING) :], FindingWords, size_max=_FINDING_BYTES_MAX)
        rule.compare(place, write_words(told), words)
        rule.compare(place, (told.id, told.project, told.verdict), (bytes(row.id), bytes(row.project), row.verdict))
    return rule.close()
