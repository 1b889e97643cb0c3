"""Every issued pass is verified again: its proofs by the keys that are kept, its pictures by their digests, its place."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Connection, select

from node.governance import tables as base_tables
from node.governance.passes import tables
from node.governance.passes.canonical_json import decode_json
from node.governance.passes.credentials import PNG, SVG
from node.governance.passes.data_integrity import verify_proof
from node.governance.passes.web_tokens import verify_token
from protocol.book.stream_store import stream
from protocol.errors import Refusal
from protocol.findings import Checked, Finding

INVARIANT = "passes"
RULE = "passes are as they were issued"


def check_passes(connection: Connection) -> Checked:
    """Return how many passes were looked at, and the first that is not what was signed."""
    passes, files = tables.passes, base_tables.files
    findings: list[Finding] = []
    looked_at = 0
    for row in stream(connection, select(passes).where(passes.c.issued_at.is_not(None)).order_by(passes.c.id)):
        looked_at += 1
        pictures = {
            kind: connection.execute(select(files.c.body).where(files.c.digest == digest)).scalar()
            for kind, digest in ((PNG, row.png), (SVG, row.svg))
        }
        wrong = _find_wrong(row, {kind: bytes(body or b"") for kind, body in pictures.items()})
        if wrong:
            findings.append(Finding(INVARIANT, f"pass {bytes(row.id).hex()}", "as it was signed", wrong))
    return Checked(INVARIANT, RULE, looked_at, tuple(findings[:1]))


def _find_wrong(row: Any, pictures: dict[str, bytes]) -> str:
    try:
        document, _, public = verify_proof(decode_json(bytes(row.credential)))
        from_token, _, _ = verify_token(row.token)
    except Refusal as refusal:
        return str(refusal)
    if public != bytes(row.key):
        return "signed by another key"
    if from_token != document:
        return "its two forms say two things"
    for kind, digest in ((PNG, row.png), (SVG, row.svg)):
        if hashlib.sha256(pictures[kind]).digest() != bytes(digest):
            return f"its {kind} was changed"
    places = [int(entry["statusListIndex"]) for entry in document["credentialStatus"]]
    return "" if places == [row.place] * len(places) else "it names another place in the status lists"
