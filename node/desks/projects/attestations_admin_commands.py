"""What each `citizen-miles node projects attest …` command does in the process that holds the projects' book."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, Protocol

from node.desks.projects.requests import read_hex
from node.governance.attestations import (
    ATTESTATION_VERSION,
    AttestationKind,
    AttestationWords,
    compute_about,
    read_attestation,
)
from node.governance.attestations_service import SignedAttestation, list_attestations, load_subject
from node.governance.errors import InvalidAttestation
from node.governance.service import Projects
from protocol.book.service import Book
from protocol.identifiers import Id16, format_id, parse_id
from protocol.running.admin_client import Command
from protocol.times import format_instant

Asked = Mapping[str, Any]


class HoldsAttestations(Protocol):
    """The app of the projects' base, as far as attestations need it."""

    home: Any
    book: Book
    projects: Projects


def _kind(asked: Asked) -> AttestationKind:
    try:
        return AttestationKind(asked["kind"])
    except ValueError:
        raise InvalidAttestation(field="kind", reason=f"one of {', '.join(AttestationKind)}") from None


async def _words(app: HoldsAttestations, asked: Asked) -> Any:
    kind, subject = _kind(asked), parse_id(asked["subject"])
    found = await app.book.read(partial(load_subject, kind=kind, id_=subject))
    return {
        "version": ATTESTATION_VERSION,
        "territory": str(app.home),
        "id": format_id(parse_id(asked["id"])),
        "kind": str(kind),
        "subject": format_id(subject),
        "about": compute_about(kind, found.content).hex(),
        "state": found.state,
        "content": found.content.decode("utf-8"),
    }


async def _give(app: HoldsAttestations, asked: Asked) -> Any:
    told = asked["words"]
    words = AttestationWords(
        int(told["version"]),
        told["territory"],
        parse_id(told["id"]),
        told["kind"],
        parse_id(told["subject"]),
        read_hex(told["about"], "about"),
        bool(told["is_affirmed"]),
        told["reason"],
    )
    signed = SignedAttestation(
        words=words, key=read_hex(asked["key"], "key"), signature=read_hex(asked["signature"], "signature")
    )
    given = await app.book.write(app.projects.attestations.give, signed)
    return {"id": format_id(given.id), "subject": told["subject"], "state": given.state, "missing": given.missing}


async def _list(app: HoldsAttestations, asked: Asked) -> Any:
    lines = []
    for row in await app.book.read(partial(list_attestations, subject=parse_id(asked["subject"]))):
        words = read_attestation(bytes(row.words))
        lines.append(
            {
                "id": format_id(Id16(bytes(row.id))),
                "kind": row.kind,
                "by": row.title,
                "role": row.role,
                "says": "yes" if words.is_affirmed else "no",
                "reason": words.reason,
                "at": format_instant(row.at),
            }
        )
    return lines


ATTESTATIONS_COMMANDS: Final[Mapping[str, Command]] = {
    "attest_words": _words,
    "attest_give": _give,
    "attestations": _list,
}
