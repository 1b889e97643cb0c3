"""What people hand in to the projects' base: ballots, minutes, sheets as JSON, pictures, public keys, numbers."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import msgspec

from node.desks.projects.audits_requests import make_report, read_signed_request, write_signed
from node.desks.projects.requests import read_sheet_request, write_sheet_request
from node.desks.projects.volunteering_requests import read_offer, read_search_file
from node.governance.auditing.words import (
    WORDS_VERSION,
    JoinWords,
    MissionWords,
    ReportLine,
    ReportWords,
    sign_words,
)
from node.governance.auditing.words import (
    read_words as read_audit_words,
)
from node.governance.auditing.words import (
    write_words as write_audit_words,
)
from node.governance.bearers import require_iban, require_registry
from node.governance.drawing import require_public_number
from node.governance.minutes import MINUTES_VERSION, Minutes, read_minutes, verify_minutes, write_minutes
from node.governance.pictures import require_picture
from node.governance.sheets import BudgetLine, Milestone, Sheet, read_sheet, write_sheet
from node.governance.signers import read_public, write_public
from node.governance.votes import (
    BALLOT_VERSION,
    BallotWords,
    Criterion,
    Seat,
    SignedBallot,
    VoteRules,
    count,
    read_ballot,
    read_words,
    require_ballot,
    sign_ballot,
    write_ballot,
)
from protocol.canonical import encode_typed
from protocol.errors import Refusal
from protocol.identifiers import Id16, TerritoryCode
from protocol.keys import Domain, PublicKeys, SecretKeys, sign
from tests.fuzz.targets import Run, require_same

MEMBER: Final = SecretKeys(bytes(range(32)), bytes(range(32, 64)))
BASE: Final = SecretKeys(bytes(range(64, 96)), bytes(range(96, 128)))
HOME: Final = "242900314"
RULES: Final = VoteRules((Criterion("need", 4), Criterion("feasible", 2)), (("citizens", 50), ("companies", 34)))
WORDS: Final = BallotWords(BALLOT_VERSION, HOME, bytes(16), b"p" * 16, b"s" * 32, "against", (4, 1), "too dear")
SHEET: Final = Sheet(
    *("Un verger", "Vingt arbres.", "29019", 48_390_400, -4_486_100, "environment", 20270301, 10_000, 4_000),
    (BudgetLine("arbres", 10_000),),
    (Milestone("arbres", 10_000, "facture"),),
    (),
    (),
    b"",
)
PLACE: Final = {"code": "29019", "name": "Brest", "latitude": "48.3904", "longitude": "-4.4861"}
OFFER: Final = {
    **{"project": "00000000-0000-4000-8000-000000000001", "title": "Planter", "words": "Deux jours.", "place": PLACE},
    **{"domain": "environnement", "first_on": "2026-12-01", "last_on": "2026-12-20", "minutes": 360, "places": 2},
}
JOIN: Final = JoinWords(
    *(WORDS_VERSION, HOME, bytes(16), "D715K6AF", "student", "29019", "Brest", 48_390_394, -4_486_076, 5_000),
    *(("rome:300031",), 20260101, 20261231, 2),
)
MISSION: Final = MissionWords(
    *(WORDS_VERSION, HOME, b"m" * 16, b"a" * 16, b"p" * 16, "Un verger", b"s" * 32, 1, 0, MEMBER.public.id),
    *(("done", "spent"), 20261231, 20270131),
)
REPORT: Final = ReportWords(
    *(WORDS_VERSION, HOME, b"r" * 16, b"m" * 16, (ReportLine("done", "failed", "rien n'est fait"),), (b"d" * 32,)),
    *(b"f" * 16, b""),
)


def projects_file() -> Run:
    """Whatever is handed in, as it came; and as the words that a member, or the base, signed: so that reading goes on."""
    bases: list[PublicKeys] = [BASE.public]

    def run(data: bytes) -> None:
        with suppress(Refusal):
            ballot = read_ballot(data)
            require_same(write_ballot(ballot), data, "a ballot")
        with suppress(Refusal):
            signed = SignedBallot(data, MEMBER.public.id, sign(MEMBER, Domain.VOTE, data))
            words = read_words(signed)
            require_same(encode_typed(words), data, "the words of a ballot")
            require_ballot(words, RULES)
        with suppress(Refusal):
            require_same(write_minutes(read_minutes(data)), data, "minutes")
            minutes = verify_minutes(data, sign(BASE, Domain.MINUTES, data), bases)
            require_same(write_minutes(minutes), data, "minutes that were counted")
        with suppress(Refusal):
            require_same(write_sheet(read_sheet(data)), data, "a sheet")
        with suppress(Refusal):
            require_same(write_audit_words(read_audit_words(data)), data, "what an auditor signs")
        with suppress(Refusal):
            require_same(require_picture(data).body, data, "a picture")
        _look_at_text(data)

    return run


def read_offer_twice(told: object) -> None:
    require_same(read_offer(Id16(bytes(16)), told), read_offer(Id16(bytes(16)), told), "an offer of JSON")


def read_search_twice(told: object) -> None:
    id_, home = "00000000-0000-4000-8000-000000000001", TerritoryCode(HOME)
    require_same(read_search_file(id_, told, home), read_search_file(id_, told, home), "a request of JSON")


def _look_at_text(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for require in (require_registry, require_iban, require_public_number):
        with suppress(Refusal):
            told = require(text)
            require_same(require(told), told, require.__name__)
    with suppress(Refusal):
        public = read_public(text)
        require_same(read_public(write_public(public)), public, "a public key")
    with suppress(Refusal, ValueError, RecursionError):
        sheet = read_sheet_request(json.loads(text))
        require_same(read_sheet_request(msgspec.to_builtins(write_sheet_request(sheet))), sheet, "a sheet of JSON")
    with suppress(Refusal, ValueError, RecursionError):
        signed = read_signed_request(json.loads(text))
        require_same(read_signed_request(write_signed(signed)), signed, "a signed text of JSON")
    for read in (read_offer_twice, read_search_twice):
        with suppress(Refusal, ValueError, RecursionError):
            read(json.loads(text))
    with suppress(Refusal, ValueError, RecursionError):
        report = make_report(Id16(bytes(16)), write_audit_words(MISSION).hex(), json.loads(text))
        require_same(read_audit_words(write_audit_words(report)), report, "a report of JSON")


def _png() -> bytes:
    def chunk(name: bytes, body: bytes = b"") -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 3, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(12))) + chunk(b"IEND")


def seeds() -> Iterator[bytes]:
    """What the fuzzer begins with."""
    ballot = sign_ballot(WORDS, MEMBER)
    seat = Seat(b"m" * 16, "citizens", "member 1", MEMBER.public.id, MEMBER.public.signing, "")
    tallies, outcome = count([seat], {seat.member: WORDS.choice}, RULES)
    minutes = Minutes(
        *(MINUTES_VERSION, HOME, WORDS.session, WORDS.project, "Un verger", WORDS.sheet, False, 1, 2, 20261128),
        *(RULES, (seat,), (ballot,), tallies, outcome, "too dear"),
    )
    yield write_ballot(ballot)
    yield ballot.words
    yield write_minutes(minutes)
    yield write_sheet(SHEET)
    yield json.dumps(msgspec.to_builtins(write_sheet_request(SHEET))).encode()
    yield _png()
    yield b"\xff\xd8\xff\xe0\x00\x04AB\xff\xc0\x00\x0b\x08\x00\x03\x00\x02\x01\x01\x11\x00\xff\xda\x00\x02data\xff\xd9"
    yield write_public(MEMBER.public).encode()
    for words in (JOIN, MISSION, REPORT):
        yield write_audit_words(words)
        yield json.dumps(write_signed(sign_words(words, MEMBER))).encode()
    yield json.dumps({"lines": [{"criterion": "done", "verdict": "sound"}], "pictures": ["ab" * 32]}).encode()
    yield json.dumps(OFFER).encode()
    yield json.dumps({"account": "D715K6AF", "place": PLACE, "until": "2027-12-31", "skills": ["esco:S1.3"]}).encode()
    for text in ("W291000001", "732 829 320", "FR14 2004 1010 0505 0001 3M02 606", "11 23 35 40 49"):
        yield text.encode()
