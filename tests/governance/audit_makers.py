"""Auditors with keys of their own, and audits of a world's projects, as tests make them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from node.governance.auditing.audits_service import AnswerReport, AskAudit, DrawAudit
from node.governance.auditing.audits_store import list_missions, list_reports, list_standings, load_audit, load_auditor
from node.governance.auditing.gate import AuditStanding
from node.governance.auditing.missions import AuditState, MissionState
from node.governance.auditing.tables import missions, reports
from node.governance.auditing.words import (
    WORDS_VERSION,
    AuditWords,
    ConflictWords,
    JoinWords,
    ReplyWords,
    ReportLine,
    ReportWords,
    compute_words_digest,
    sign_words,
)
from node.governance.instalments import AuditVerdict
from node.governance.signers import SignerRole
from protocol.identifiers import Id16
from tests.governance.world import BREST, World

CRITERIA = ("done", "spent", "serves", "open")
BREST_PLACE = {"place": "29019", "place_name": "Brest", "latitude": 48_390_394, "longitude": -4_486_076}


class Audits:
    """What a test does with auditors: each is called by a name of its own here, and by an account there."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.accounts: dict[str, str] = {}

    def sign(self, name: str, words: AuditWords) -> Any:
        return sign_words(words, self.world.people[name])

    def join(self, name: str, account: str = "", **more: Any) -> Id16:
        self.world.signer(name, SignerRole.AUDITOR)
        self.accounts[account or self.world.account()] = name
        told: dict[str, Any] = {
            "version": WORDS_VERSION,
            "territory": BREST,
            "id": self.world.id(),
            "account": account or list(self.accounts)[-1],
            "kind": "retired",
            **BREST_PLACE,
            "radius": 50_000,
            "skills": (),
            "from_day": 20260101,
            "until_day": 20281231,
            "missions_max": 3,
        }
        entered: Id16 = self.world.write(self.world.projects.auditors.join, self.sign(name, JoinWords(**told | more)))
        return entered

    def declare(self, name: str, project: bytes = b"", organisation: str = "", kind: str = "") -> Id16:
        kind = kind or ("organisation" if organisation else "project")
        words = ConflictWords(WORDS_VERSION, BREST, self.world.id(), kind, project, organisation, "my cousin runs it")
        told: Id16 = self.world.write(self.world.projects.auditors.declare, self.sign(name, words))
        return told

    def asking(self, project: Id16, seats: int = 1, **more: Any) -> AskAudit:
        told: dict[str, Any] = {
            "id": self.world.id(),
            "project": project,
            "instalment": 1,
            "seats": seats,
            "source": "Loto",
            "drawn_on": 20261224,
            "due_on": 20270131,
            "reason": "the first instalment is spent",
            "by": "the office",
        }
        return AskAudit(**told | more)

    def ask(self, project: Id16, seats: int = 1, **more: Any) -> Id16:
        asked = self.asking(project, seats, **more)
        assert self.world.write(self.world.projects.audits.ask, asked) is AuditState.LISTED
        return asked.id

    def draw(self, audit: Id16, number: str = "112233") -> AuditState:
        state: AuditState = self.world.write(self.world.projects.audits.draw, DrawAudit(audit=audit, number=number))
        return state

    # Missions, in the order of the drawing.

    def missions(self, audit: Id16) -> list[Any]:
        found: list[Any] = self.world.read(lambda line: list_missions(line, missions.c.audit == audit))
        return found

    def states(self, audit: Id16) -> list[str]:
        return [row.state for row in self.missions(audit)]

    def state(self, audit: Id16) -> AuditState:
        found: AuditState = self.world.read(lambda line: load_audit(line, audit)).state
        return found

    def standings(self, project: Id16) -> list[AuditStanding]:
        found: list[AuditStanding] = self.world.read(lambda line: list_standings(line, project))
        return found

    def name_of(self, mission: Any) -> str:
        return self.accounts[self.world.read(lambda line: load_auditor(line, bytes(mission.auditor))).account]

    def reply(self, mission: Any, *, accepts: bool = True, name: str = "", **more: Any) -> MissionState:
        told: dict[str, Any] = {
            "version": WORDS_VERSION,
            "territory": BREST,
            "id": self.world.id(),
            "mission": bytes(mission.id),
            "digest": compute_words_digest(bytes(mission.words)),
            "is_accepted": accepts,
            "reason": "" if accepts else "no time",
        }
        signed = self.sign(name or self.name_of(mission), ReplyWords(**told | more))
        state: MissionState = self.world.write(self.world.projects.audits.reply, signed)
        return state

    def reporting(self, mission: Any, *verdicts: AuditVerdict, **more: Any) -> ReportWords:
        found = (*verdicts, *[AuditVerdict.SOUND] * (len(CRITERIA) - len(verdicts)))
        lines = tuple(
            ReportLine(key, verdict, "" if verdict is AuditVerdict.SOUND else "half of it is there")
            for key, verdict in zip(CRITERIA, found, strict=True)
        )
        told: dict[str, Any] = {
            "version": WORDS_VERSION,
            "territory": BREST,
            "id": self.world.id(),
            "mission": bytes(mission.id),
            "lines": lines,
            "pictures": (),
            "follows": b"",
            "answer": b"",
        }
        return ReportWords(**told | more)

    def report(self, mission: Any, *verdicts: AuditVerdict, name: str = "", **more: Any) -> AuditVerdict:
        words = self.reporting(mission, *verdicts, **more)
        signed = self.sign(name or self.name_of(mission), words)
        verdict: AuditVerdict = self.world.write(self.world.projects.audits.report, signed)
        return verdict

    def reports(self, mission: Any) -> list[Any]:
        found: list[Any] = self.world.read(lambda line: list_reports(line, reports.c.mission == bytes(mission.id)))
        return found

    def answer(self, report: Any, text: str = "La facture suit.") -> Id16:
        asked = AnswerReport(id=self.world.id(), report=Id16(bytes(report.id)), by="W291000001", text=text)
        told: Id16 = self.world.write(self.world.projects.audits.answer, asked)
        return told

    def make(self, audit: Id16, *verdicts: AuditVerdict) -> None:
        """Let all who are called accept and report the same."""
        for mission in self.missions(audit):
            if mission.state == MissionState.OFFERED:
                self.reply(mission)
                self.report(mission, *verdicts)

    def people(self, names: Sequence[str]) -> dict[str, Id16]:
        return {name: self.join(name) for name in names}
