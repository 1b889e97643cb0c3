"""Audits are told again: what was signed is verified, drawings are drawn again, states follow from what was signed."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, select

from node.governance import tables as base_tables
from node.governance.auditing import tables
from node.governance.auditing.audits_service import make_mission_id, write_source
from node.governance.auditing.missions import IS_OPEN, MissionState, find_worst, tell_audit
from node.governance.auditing.words import (
    ConflictWords,
    JoinWords,
    MissionWords,
    ReplyWords,
    ReportWords,
    SignedWords,
    compute_words_digest,
    is_words_signed,
    read_words,
)
from node.governance.committee_service import Drawing, make_drawing
from node.governance.drawing import AUDITORS as POOL
from node.governance.rules_checks import Rule, list_rows, load_keys
from node.governance.signers import SignerRole
from protocol.findings import Checked
from protocol.identifiers import Id16
from protocol.keys import PublicKeys

AUDITORS: Final = "each auditor signed what the register says, and each conflict was told or found"
AUDITS: Final = "each mission is signed, and offered in the order of its drawing"
REPORTS: Final = "each report is its auditor's, and audits stand where they led"


def _is_signed(keys: dict[bytes, PublicKeys], key: Any, words: Any, signature: Any) -> bool:
    public = keys.get(bytes(key))
    return public is not None and is_words_signed(SignedWords(bytes(words), bytes(key), bytes(signature)), public)


def check_auditors(connection: Connection, home: str) -> Checked:
    """Look at the register, and at conflicts."""
    rule, keys = Rule(AUDITORS), load_keys(connection, SignerRole.AUDITOR)
    owners: dict[bytes, bytes] = {}
    for row in list_rows(connection, tables.auditors):
        place = f"auditors {bytes(row.id).hex()}"
        owners[bytes(row.id)] = bytes(row.key)
        rule.require(place, "signed by its auditor", _is_signed(keys, row.key, row.words, row.signature))
        words = read_words(bytes(row.words))
        told = (
            (words.territory, words.id, words.account, words.kind, words.from_day, words.until_day)
            if isinstance(words, JoinWords)
            else None
        )
        rule.compare(place, told, (home, bytes(row.id), row.account, row.kind, row.from_day, row.until_day))
        rule.compare(place, row.ended_at is not None, row.ended_reason != "")
    for row in list_rows(connection, tables.audit_conflicts):
        place = f"audit_conflicts {bytes(row.id).hex()}"
        if row.words is None:
            rule.require(place, "said who found it", bool(row.by))
            continue
        owner = owners.get(bytes(row.auditor), b"")
        rule.require(place, "signed by its auditor", _is_signed(keys, owner, row.words, row.signature))
        words = read_words(bytes(row.words))
        said = (
            (words.territory, words.id, words.kind, words.project, words.organisation, words.reason)
            if isinstance(words, ConflictWords)
            else None
        )
        kept = (home, bytes(row.id), row.kind, bytes(row.project or b""), row.organisation, row.reason)
        rule.compare(place, said, kept)
    return rule.close()


def check_audits(connection: Connection, keys: tuple[PublicKeys, ...], home: str) -> Checked:
    """Look at audits, their drawings and their missions."""
    rule = Rule(AUDITS)
    draws = {bytes(row.id): make_drawing(row) for row in list_rows(connection, base_tables.draws)}
    accounts = {bytes(row.id): row.account for row in list_rows(connection, tables.auditors)}
    own: dict[bytes, PublicKeys] = {key.id: key for key in keys}
    audits: dict[bytes, Any] = {}
    for row in list_rows(connection, tables.audits):
        id_ = bytes(row.id)
        place, drawing = f"audits {id_.hex()}", draws[bytes(row.draw)]
        audits[id_] = row
        told = drawing.told
        rule.compare(place, (POOL, row.seats), (told.college, told.seats))
        is_named = told.source == write_source(told.source.rpartition("; audit ")[0], Id16(id_))
        rule.require(place, "named by its drawing", is_named)
        rule.require(place, "drawn among auditors", set(told.candidates) <= set(accounts.values()))
        rule.compare(place, row.dropped_at is not None, row.dropped_reason != "")
    called: dict[bytes, int] = {}
    for row in list_rows(connection, tables.missions, tables.missions.c.audit, tables.missions.c.rank):
        id_, audit = bytes(row.id), bytes(row.audit)
        place, of = f"missions {id_.hex()}", audits[audit]
        rank = called.get(audit, 0)
        called[audit] = rank + 1
        rule.compare(place, (rank, make_mission_id(audit, rank).hex()), (row.rank, id_.hex()))
        drawing = draws[bytes(of.draw)]
        rule.compare(place, _ranked(drawing, rank), accounts.get(bytes(row.auditor)))
        words = read_words(bytes(row.words))
        signed = SignedWords(bytes(row.words), bytes(row.signer), bytes(row.signature))
        public = own.get(bytes(row.signer))
        rule.require(place, "signed by this base", public is not None and is_words_signed(signed, public))
        if not isinstance(words, MissionWords):
            rule.require(place, "the words of a mission", False)
            continue
        told_words = (words.territory, words.id, words.audit, words.project, words.instalment, words.rank)
        rule.compare(place, told_words, (home, id_, audit, bytes(of.project), of.instalment, row.rank))
        said = (" ".join(words.criteria), words.answer_by, words.due_on)
        rule.compare(place, said, (of.criteria, row.answer_by, row.due_on))
        rule.compare(place, row.state in IS_OPEN, row.ended_at is None)
    return rule.close()


def _ranked(drawing: Drawing, rank: int) -> str:
    return drawing.ranked[rank] if rank < len(drawing.ranked) else "nobody"


def check_reports(connection: Connection, home: str) -> Checked:
    """Look at replies, reports and answers, and at the states that they come to."""
    rule, keys = Rule(REPORTS), load_keys(connection, SignerRole.AUDITOR)
    owners = {bytes(row.id): bytes(row.key) for row in list_rows(connection, tables.auditors)}
    missions = {bytes(row.id): row for row in list_rows(connection, tables.missions)}
    answers = {bytes(row.id): bytes(row.report) for row in list_rows(connection, tables.report_answers)}
    files = {bytes(row.digest) for row in connection.execute(select(base_tables.files.c.digest))}
    last: dict[bytes, bytes] = {}
    for row in list_rows(connection, tables.reports, tables.reports.c.at):
        id_, mission = bytes(row.id), missions[bytes(row.mission)]
        place, owner = f"reports {id_.hex()}", owners[bytes(mission.auditor)]
        rule.compare(place, owner.hex(), bytes(row.key).hex())
        rule.require(place, "signed by its auditor", _is_signed(keys, row.key, row.words, row.signature))
        words = read_words(bytes(row.words))
        if not isinstance(words, ReportWords):
            rule.require(place, "the words of a report", False)
            continue
        told = (words.territory, words.id, words.mission, words.follows)
        rule.compare(place, told, (home, id_, bytes(row.mission), bytes(row.follows or b"")))
        rule.compare(place, find_worst(line.verdict for line in words.lines), row.verdict)
        rule.compare(place, last.get(bytes(row.mission), b""), words.follows)
        rule.require(place, "an answer to the report before", answers.get(words.answer, words.follows) == words.follows)
        rule.require(place, "pictures that are kept", set(words.pictures) <= files)
        last[bytes(row.mission)] = id_
    states: dict[bytes, list[MissionState]] = {}
    for id_, row in missions.items():
        place = f"missions {id_.hex()}"
        states.setdefault(bytes(row.audit), []).append(MissionState(row.state))
        is_accepted = _check_reply(rule, place, row, owners[bytes(row.auditor)], keys, home)
        if row.state in (MissionState.ACCEPTED, MissionState.DONE):
            rule.require(place, "accepted", is_accepted is True)
        rule.compare(place, is_accepted is False, row.state == MissionState.DECLINED)
        if row.state == MissionState.OFFERED:
            rule.require(place, "no reply yet", is_accepted is None)
        has_reported = id_ in last
        rule.require(
            place, "reported where it is done", has_reported == (row.state == MissionState.DONE) or _has_fallen(row)
        )
    for row in list_rows(connection, tables.audits):
        id_ = bytes(row.id)
        found = states.get(id_, [])
        is_drawn = bool(found) or row.state != "listed"
        expected = tell_audit(found, row.seats, is_drawn=is_drawn, is_dropped=row.dropped_at is not None)
        rule.compare(f"audits {id_.hex()}", expected, row.state)
    return rule.close()


def _has_fallen(row: Any) -> bool:
    """A conflict that shows later strikes a report out."""
    return bool(row.state == MissionState.CONFLICTED)


def _check_reply(
    rule: Rule, place: str, row: Any, owner: bytes, keys: dict[bytes, PublicKeys], home: str
) -> bool | None:
    """Look at the reply to a mission; return whether it was accepted, or None where nobody replied."""
    rule.compare(place, row.reply is None, row.replied_at is None)
    if row.reply is None:
        return None
    rule.require(place, "a reply of its auditor", _is_signed(keys, owner, row.reply, row.reply_signature))
    words = read_words(bytes(row.reply))
    if not isinstance(words, ReplyWords):
        rule.require(place, "the words of a reply", False)
        return None
    told = (words.territory, words.mission, words.digest)
    rule.compare(place, told, (home, bytes(row.id), compute_words_digest(bytes(row.words))))
    return words.is_accepted
