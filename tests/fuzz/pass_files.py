"""Passes as strangers show them: credentials as JSON and as tokens, baked pictures, status lists, codes of papers."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from node.governance.passes.canonical_json import decode_json, encode_json
from node.governance.passes.credentials import CONTEXTS, PNG, SVG, TYPES, digest_of
from node.governance.passes.data_integrity import add_proof
from node.governance.passes.errors import InvalidBadge
from node.governance.passes.issuers import Issuer, IssuerKey, require_did, require_node, write_did_web
from node.governance.passes.pass_proofs import make_pass_proof, parse_pass_proof
from node.governance.passes.png_baking import bake_png, unbake_png
from node.governance.passes.status_lists import (
    BITS,
    StatusIndex,
    StatusPurpose,
    decode_list,
    encode_list,
    write_entries,
    write_list,
)
from node.governance.passes.svg_baking import bake_svg, extract_svg, unbake_svg
from node.governance.passes.verification import judge, verify_credential, verify_list, verify_picture
from node.governance.passes.web_tokens import write_token
from protocol.errors import Refusal
from protocol.identifiers import Id16
from protocol.times import Instant
from tests.fuzz.targets import NotItself, Run, require_same

AT: Final = Instant(1_795_000_000_000)
LATER: Final = Instant(1_795_000_900_000)
ISSUER: Final = Issuer(key=IssuerKey(b"the seed of fuzzed passes, of 32"), name="Us", node="https://a.example")
KNOWN: Final = {ISSUER.did: [ISSUER.key.public]}
SMALL_PNG: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SMALL_SVG: Final = b'<svg xmlns="http://www.w3.org/2000/svg"><circle r="4"/></svg>'
DOCUMENT: Final = {
    "@context": list(CONTEXTS),
    "id": "https://a.example/passes/1",
    "type": list(TYPES),
    "issuer": {"id": ISSUER.did},
    "validFrom": "2026-11-18T00:00:00Z",
    "validUntil": "2036-11-18T00:00:00Z",
    "credentialSubject": {"id": "https://a.example/passes/1#holder"},
    "credentialStatus": write_entries(ISSUER, 1, StatusIndex(5))[:1],
    "relatedResource": [
        {"mediaType": PNG, "digestSRI": digest_of(SMALL_PNG)},
        {"mediaType": SVG, "digestSRI": digest_of(SMALL_SVG)},
    ],
}
LIST: Final = write_list(ISSUER, StatusPurpose.REVOCATION, 1, [5], at=AT, until=LATER)


def pass_file() -> Run:
    """Whatever is shown, as it came; and, where it is JSON, signed by an issuer that is known: so that reading goes on."""

    def look(text: str) -> None:
        with suppress(Refusal):
            genuine = verify_credential(text, KNOWN)
            require_same(genuine.issuer, ISSUER.did, "an issuer")
            lists = {}
            with suppress(Refusal):
                told = verify_list(encode_json(add_proof(LIST, ISSUER, at=AT)).decode(), KNOWN)
                lists = {told.id: told}
            judge(genuine, lists, now=LATER)
        with suppress(Refusal):
            told = verify_list(text, KNOWN)
            indices = [at for at in range(BITS) if told.bits[at // 8] and told.bits[at // 8] & 0x80 >> at % 8]
            require_same(decode_list(encode_list(indices)), told.bits, "a status list")

    def run(data: bytes) -> None:
        text = data.decode("utf-8", "surrogateescape")
        look(text)
        _look_at_picture(data)
        _look_at_names(text)
        with suppress(Refusal, KeyError, ValueError, AttributeError):
            document = decode_json(data)
            again = encode_json(document)
            require_same(encode_json(decode_json(again)), again, "canonical JSON")
            document = {name: value for name, value in document.items() if name != "proof"}
            look(encode_json(add_proof(document, ISSUER, at=AT)).decode())
            look(write_token(document, ISSUER))

    return run


def _look_at_picture(data: bytes) -> None:
    with suppress(Refusal):
        require_same(verify_picture(data, KNOWN).issuer, ISSUER.did, "an issuer")
    for unbake, bake in ((unbake_png, bake_png), (unbake_svg, bake_svg)):
        try:
            plain, credential = unbake(data)
        except InvalidBadge:
            continue
        with suppress(InvalidBadge):  # a PNG of others may carry it in another place than ours
            require_same(unbake(bake(plain, credential)), (plain, credential), "a baked picture")
    with suppress(InvalidBadge):
        if not extract_svg(data):
            raise NotItself("an empty credential")


def _look_at_names(text: str) -> None:
    with suppress(Refusal):
        proof = parse_pass_proof(text)
        require_same(str(proof), text, "the code of a paper")
    with suppress(Refusal):
        require_same(require_did(text), text, "a DID")
    with suppress(Refusal):
        write_did_web(require_node(text))


def seeds() -> Iterator[bytes]:
    """What the corpus holds of passes."""
    secured = encode_json(add_proof(DOCUMENT, ISSUER, at=AT))
    token = write_token({name: value for name, value in DOCUMENT.items() if name != "relatedResource"}, ISSUER)
    yield secured
    yield encode_json(DOCUMENT)
    yield token.encode()
    yield encode_json(add_proof(LIST, ISSUER, at=AT))
    yield bake_png(SMALL_PNG, token)
    yield bake_svg(SMALL_SVG, token)
    yield bake_svg(SMALL_SVG, '{"a":"]]>"}')
    yield str(make_pass_proof("https://a.example", Id16(bytes(range(16))), secured)).encode()
    yield str(make_pass_proof("", Id16(bytes(range(16))), secured)).encode()
    yield b"did:web:a.example"
    yield b"https://a.example:8443/miles"
