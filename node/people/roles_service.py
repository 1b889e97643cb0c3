"""Move roles, rules and texts by four eyes: one proposes, another approves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from node.people import store, tables
from node.people.authority import Action
from node.people.consents import ConsentPurpose, ConsentText
from node.people.duties_service import DutyDesk
from node.people.errors import (
    InvalidConsentText,
    InvalidRole,
    InvalidRule,
    ProposalUnknown,
    RoleUnknown,
    SameEyes,
)
from node.people.four_eyes import Decision, ProposalKind, ProposalState, advance, require_proposer
from node.people.journal_store import Journal
from node.people.requests import Decide, Look, Propose
from node.people.roles import Duty, OfficerWord, Role, require_role
from node.people.room_service import Answer, Room
from node.people.rules import RuleName, require_rule
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.identifiers import Id16, format_id

_proposals = tables.proposals
Body = Mapping[str, Any]


class RoleDesk:
    """Operations for the book's writer, on proposals and what they move."""

    def __init__(self, room: Room, duties: DutyDesk) -> None:
        self._room = room
        self._duties = duties

    def look(self, page: Page, items: Sequence[Look]) -> list[list[dict[str, Any]] | Refusal]:
        """Return all proposals; the journal says who looked at the list. Auditors may."""

        def do(asked: Look) -> list[dict[str, Any]]:
            self._room.look(page, asked, Action.LOOK_AT_LOG, None)
            return [write_proposal(row) for row in store.list_rows(page.connection, tables.proposals)]

        return self._room.each(page, items, do)

    def propose(self, page: Page, items: Sequence[Propose]) -> list[Answer | Refusal]:
        """Keep each proposal: nothing moves yet."""

        def do(asked: Propose) -> Answer:
            def work(journal: Journal) -> Answer:
                subject = self._require_body(page, asked.kind, asked.subject, asked.body, asked.id)
                require_proposer(asked.by, subject)
                values = {
                    "id": asked.id,
                    "kind": str(asked.kind),
                    "subject": subject,
                    "body": json.dumps(asked.body, ensure_ascii=False, sort_keys=True),
                    "proposed_by": asked.by,
                    "proposed_at": page.now,
                    "state": str(ProposalState.PROPOSED),
                }
                journal.insert(_proposals, subject, values)
                return {"proposal": format_id(asked.id), "state": str(ProposalState.PROPOSED)}

            return self._room.once(page, asked, Action.PROPOSE, asked.subject, work)

        return self._room.each(page, items, do)

    def decide(self, page: Page, items: Sequence[Decide]) -> list[Answer | Refusal]:
        """Approve, reject or withdraw each; what is approved is done in the same page."""

        def do(asked: Decide) -> Answer:
            def work(journal: Journal) -> Answer:
                row = store.find_row(page.connection, _proposals, id=asked.proposal)
                if row is None:
                    raise ProposalUnknown(proposal=format_id(asked.proposal))
                subject = None if row.subject is None else Id16(bytes(row.subject))
                after = advance(
                    ProposalState(row.state),
                    asked.decision,
                    id_=asked.proposal,
                    proposer=Id16(bytes(row.proposed_by)),
                    subject=subject,
                    decider=asked.by,
                )
                journal.change(_proposals, row, subject, state=str(after), decided_by=asked.by, decided_at=page.now)
                if asked.decision is Decision.APPROVE:
                    # Two officers: who proposed it and is none any more is half of no pair.
                    self._room.require_entitled(page, Action.PROPOSE, Id16(bytes(row.proposed_by)), None)
                    kind, body = ProposalKind(row.kind), json.loads(row.body)
                    # The base may have moved on since it was proposed.
                    self._require_body(page, kind, subject, body, asked.proposal)
                    self._apply(page, journal, asked.proposal, kind, subject, body)
                return {"proposal": format_id(asked.proposal), "state": str(after)}

            return self._room.once(page, asked, Action.DECIDE, None, work)

        return self._room.each(page, items, do)

    def _require_body(
        self, page: Page, kind: ProposalKind, subject: Id16 | None, body: Body, proposal: Id16
    ) -> Id16 | None:
        """Return whom a proposal is about. Raises what makes it impossible."""
        match kind:
            case ProposalKind.GRANT_ROLE:
                if subject is None:
                    raise InvalidRole(field="person", reason="it is missing")
                store.load_person(page.connection, subject)
                _read_duty(body)
                require_role(str(body.get("base", "")), int(body.get("from_day", 0)), int(body.get("until_day", 0)))
                self._duties.require_word(page, _read_role(body, proposal, subject), _read_word(body))
                return subject
            case ProposalKind.END_ROLE | ProposalKind.NAME_ROLE:
                row = store.find_row(page.connection, tables.roles, id=_read_id(body))
                if row is None or (row.ended_on and kind is ProposalKind.END_ROLE):
                    raise RoleUnknown(role=str(body.get("role", ""))[:40])
                person = Id16(bytes(row.person))
                if subject is not None and subject != person:
                    raise SameEyes(reason="the role is another's")
                if kind is ProposalKind.NAME_ROLE:
                    self._duties.require_word(page, store.read_role(row), _read_word(body))
                return person
            case ProposalKind.PUBLISH_TEXT:
                _read_text(body, 1)
            case ProposalKind.SET_RULE:
                _read_rule(body)
        if subject is not None:
            raise SameEyes(reason="a text or a rule is about nobody")
        return None

    def _apply(
        self, page: Page, journal: Journal, proposal: Id16, kind: ProposalKind, subject: Id16 | None, body: Body
    ) -> None:
        match kind:
            case ProposalKind.GRANT_ROLE:
                values = {
                    "id": proposal,
                    "person": subject,
                    "base": body["base"],
                    "duty": str(_read_duty(body)),
                    "from_day": body["from_day"],
                    "until_day": body.get("until_day", 0),
                    "proposal": proposal,
                }
                journal.insert(tables.roles, subject, values)
                assert subject is not None  # a role is somebody's
                if known := _read_word(body):
                    self._duties.name(page, journal, _read_role(body, proposal, subject), known, proposal)
                    self._duties.tell_over(page, journal)
            case ProposalKind.NAME_ROLE:
                row = store.find_row(page.connection, tables.roles, id=_read_id(body))
                assert row is not None  # looked at in this page
                self._duties.name(page, journal, store.read_role(row), _read_word(body), proposal)
                self._duties.tell_over(page, journal)
            case ProposalKind.END_ROLE:
                row = store.find_row(page.connection, tables.roles, id=_read_id(body))
                assert row is not None  # looked at in this page
                journal.change(tables.roles, row, subject, ended_on=self._room.day(page.now))
                self._duties.end_here(page)
                self._duties.tell_over(page, journal)
            case ProposalKind.PUBLISH_TEXT:
                table = tables.consent_texts
                purpose = str(body["purpose"])
                text = _read_text(body, store.next_number(page.connection, table, "version", purpose=purpose))
                values = {
                    "purpose": purpose,
                    "version": text.version,
                    "french": text.french,
                    "english": text.english,
                    "at": page.now,
                    "proposal": proposal,
                }
                journal.insert(table, None, values)
            case ProposalKind.SET_RULE:
                name, value = _read_rule(body)
                number = store.next_number(page.connection, tables.rules, "number", name=str(name))
                values = {"name": str(name), "number": number, "value": value, "at": page.now, "proposal": proposal}
                journal.insert(tables.rules, None, values)


def _read_duty(body: Body) -> Duty:
    try:
        return Duty(body.get("duty", ""))
    except ValueError:
        raise InvalidRole(field="duty", reason=f"one of {', '.join(Duty)}") from None


def _read_role(body: Body, id_: Id16, person: Id16) -> Role:
    return Role(
        id=id_,
        person=person,
        base=str(body["base"]),
        duty=_read_duty(body),
        from_day=int(body["from_day"]),
        until_day=int(body.get("until_day", 0)),
    )


def _read_word(body: Body) -> OfficerWord:
    try:
        key = bytes.fromhex(str(body.get("key", "")))
    except ValueError:
        raise InvalidRole(field="key", reason="hexadecimal digits") from None
    return OfficerWord(word=str(body.get("word", "")), key=key)


def _read_id(body: Body) -> bytes:
    try:
        return bytes.fromhex(str(body.get("role", "")))
    except ValueError:
        raise RoleUnknown(role=str(body.get("role", ""))[:40]) from None


def _read_text(body: Body, version: int) -> ConsentText:
    try:
        purpose = ConsentPurpose(body.get("purpose", ""))
    except ValueError:
        raise InvalidConsentText(field="purpose", reason=f"one of {', '.join(ConsentPurpose)}") from None
    return ConsentText(
        purpose=purpose, version=version, french=str(body.get("french", "")), english=str(body.get("english", ""))
    )


def _read_rule(body: Body) -> tuple[RuleName, str]:
    try:
        name = RuleName(body.get("rule", ""))
    except ValueError:
        raise InvalidRule(rule=str(body.get("rule", ""))[:40], reason=f"one of {', '.join(RuleName)}") from None
    return name, require_rule(name, str(body.get("value", "")))


def write_proposal(row: Row[Any]) -> dict[str, Any]:
    """Return a proposal as JSON tells it: of whom it is about, the id."""
    return {
        "proposal": format_id(bytes(row.id)),
        "kind": row.kind,
        "person": "" if row.subject is None else format_id(bytes(row.subject)),
        "body": row.body,
        "by": format_id(bytes(row.proposed_by)),
        "state": row.state,
    }
