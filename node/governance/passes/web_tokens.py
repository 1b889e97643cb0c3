"""The same credential as one signed line: VC-JWT in compact form, which is what other badge platforms read. Pure.

    base64url({"alg":"EdDSA","kid":…,"typ":"JWT"}) . base64url(credential with iss, jti, nbf, exp, sub) . base64url(signature)

The payload is the credential itself; the five claims say again what stands in it, and must say the same.
Source: Open Badges 3.0, 8.2 (JSON Web Token Proof Format); RFC 7515, RFC 7519, RFC 8037.
"""

from __future__ import annotations

from typing import Any, Final

from node.governance.passes.canonical_json import DOCUMENT_BYTES_MAX, Document, decode_json, encode_json
from node.governance.passes.errors import CredentialForged, InvalidCredential
from node.governance.passes.issuers import Issuer, read_method
from node.governance.passes.multibase import decode_base64url, encode_base64url
from node.governance.passes.times import read_time, seconds_of
from protocol.keys import is_signed_plain, sign_plain

ALGORITHM: Final = "EdDSA"
TOKEN_MAX: Final = 2 * DOCUMENT_BYTES_MAX
_CLAIMS: Final = ("iss", "jti", "nbf", "exp", "sub")
_HEADER: Final = frozenset({"alg", "kid", "typ"})


def write_token(document: Document, issuer: Issuer) -> str:
    """Return the credential as a token signed by its issuer. The document has no proof."""
    if "proof" in document or any(claim in document for claim in _CLAIMS):
        raise ValueError("a credential without proof or claims")
    header = {"alg": ALGORITHM, "kid": issuer.method, "typ": "JWT"}
    payload = {**document, **_claims_of(document)}
    signed = f"{encode_base64url(encode_json(header))}.{encode_base64url(encode_json(payload))}"
    return f"{signed}.{encode_base64url(sign_plain(issuer.key.seed, signed.encode()))}"


def verify_token(token: str) -> tuple[Document, str, bytes]:
    """Return the credential in a token, and the DID and the key that signed it.

    Whose key that is, is for the caller to know. Raises InvalidCredential, CredentialForged.
    """
    if len(token) > TOKEN_MAX or not token.isascii():
        raise InvalidCredential(reason=f"more than {TOKEN_MAX} symbols, or not ASCII")
    parts = token.split(".")
    if len(parts) != 3:
        raise InvalidCredential(reason="a token has three parts")
    header = decode_json(decode_base64url(parts[0]), bytes_max=2_048)
    # The header never chooses the algorithm: there is one.
    if set(header) != _HEADER or header["alg"] != ALGORITHM or header["typ"] != "JWT":
        raise InvalidCredential(reason=f"a token signed by {ALGORITHM}, with its key named, and nothing else")
    did, public = read_method(header["kid"])
    if not is_signed_plain(public, f"{parts[0]}.{parts[1]}".encode(), decode_base64url(parts[2])):
        raise CredentialForged(reason="the signature is not of this token")
    payload = decode_json(decode_base64url(parts[1]))
    claims = {claim: payload[claim] for claim in _CLAIMS if claim in payload}
    document = {name: value for name, value in payload.items() if name not in _CLAIMS}
    if claims != _claims_of(document):
        raise InvalidCredential(reason="the token says something else than its credential")
    return document, did, public


def _claims_of(document: Document) -> dict[str, Any]:
    issuer = document.get("issuer")
    subject = document.get("credentialSubject")
    claims: dict[str, Any] = {
        "iss": issuer.get("id") if isinstance(issuer, dict) else issuer,
        "jti": document.get("id"),
        "nbf": seconds_of(read_time(document.get("validFrom"))),
    }
    if "validUntil" in document:
        claims["exp"] = seconds_of(read_time(document["validUntil"]))
    if isinstance(subject, dict) and "id" in subject:
        claims["sub"] = subject["id"]
    return claims
