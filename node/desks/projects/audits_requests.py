"""Audits as people and programs write them: signed texts in hexadecimal digits, reports as JSON. Pure."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from node.governance.auditing.words import (
    WORDS_BYTES_MAX,
    WORDS_VERSION,
    MissionWords,
    ReplyWords,
    ReportLine,
    ReportWords,
    SignedWords,
    compute_words_digest,
    read_words,
)
from node.governance.errors import InvalidAudit
from protocol.identifiers import Id16, parse_id


class SignedRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What an auditor signed, in hexadecimal digits; the id stands in the text."""

    body: str
    key: str
    signature: str


class ReportItem(Struct, frozen=True, forbid_unknown_fields=True):
    criterion: str
    verdict: str
    text: str = ""


class ReportRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A report as its auditor writes it down. `follows` and `answer` are ids, `pictures` what `projects picture` told."""

    lines: list[ReportItem]
    pictures: list[str] = []
    follows: str = ""
    answer: str = ""


def read_signed(asked: SignedRequest) -> SignedWords:
    """Return the signed text. Raises InvalidAudit."""
    if len(asked.body) > 2 * WORDS_BYTES_MAX:
        raise InvalidAudit(field="body", reason=f"at most {WORDS_BYTES_MAX} bytes")
    try:
        signed = SignedWords(bytes.fromhex(asked.body), bytes.fromhex(asked.key), bytes.fromhex(asked.signature))
    except ValueError:
        raise InvalidAudit(field="body", reason="hexadecimal digits") from None
    if len(signed.key) != 8 or len(signed.signature) != 64:
        raise InvalidAudit(field="key", reason="8 bytes of a key's name, 64 of a signature")
    return signed


def read_signed_request(told: Any) -> SignedWords:
    """Return the signed text of a JSON value. Raises InvalidAudit."""
    try:
        return read_signed(msgspec.convert(told, SignedRequest))
    except msgspec.ValidationError as error:
        raise InvalidAudit(field="file", reason=str(error)[:200]) from None


def write_signed(signed: SignedWords) -> dict[str, str]:
    """Return a signed text as it is handed in."""
    return {"body": signed.body.hex(), "key": signed.key.hex(), "signature": signed.signature.hex()}


def read_mission(body: str) -> tuple[MissionWords, bytes]:
    """Return a mission that the base wrote, and its digest. Raises InvalidAudit."""
    try:
        data = bytes.fromhex(body)
    except ValueError:
        raise InvalidAudit(field="body", reason="hexadecimal digits") from None
    words = read_words(data)
    if not isinstance(words, MissionWords):
        raise InvalidAudit(field="body", reason="no mission")
    return words, compute_words_digest(data)


def make_reply(id_: Id16, mission: str, *, is_accepted: bool, reason: str) -> ReplyWords:
    """Return what an auditor signs to take a mission, or not. Raises InvalidAudit."""
    words, digest = read_mission(mission)
    return ReplyWords(WORDS_VERSION, words.territory, id_, words.id, digest, is_accepted, reason)


def make_report(id_: Id16, mission: str, told: Any) -> ReportWords:
    """Return what an auditor signs of a JSON value that he wrote. Raises InvalidAudit, InvalidId."""
    words, _ = read_mission(mission)
    try:
        asked = msgspec.convert(told, ReportRequest)
        pictures = tuple(bytes.fromhex(one) for one in asked.pictures)
    except (msgspec.ValidationError, ValueError) as error:
        raise InvalidAudit(field="file", reason=str(error)[:200]) from None
    return ReportWords(
        WORDS_VERSION,
        words.territory,
        id_,
        words.id,
        tuple(ReportLine(one.criterion, one.verdict, one.text) for one in asked.lines),
        pictures,
        parse_id(asked.follows) if asked.follows else b"",
        parse_id(asked.answer) if asked.answer else b"",
    )
