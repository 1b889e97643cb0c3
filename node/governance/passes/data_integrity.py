"""The proof inside a credential: eddsa-jcs-2022. Pure.

    SHA-256(canonical options of the proof)  ‖  SHA-256(canonical document without proof)     64 bytes, signed as they are

The options carry the document's own `@context`, as the specification has it: a reader rebuilds them from the proof alone.
Source: W3C VC Data Integrity EdDSA Cryptosuites 1.0, section 3.3; VC Data Integrity 1.0.
"""

from __future__ import annotations

import hashlib
from typing import Final

from node.governance.passes.canonical_json import Document, encode_json
from node.governance.passes.errors import CredentialForged, InvalidCredential
from node.governance.passes.issuers import Issuer, read_method
from node.governance.passes.multibase import decode_base58, encode_base58
from node.governance.passes.times import write_time
from protocol.keys import is_signed_plain, sign_plain
from protocol.times import Instant

PROOF_TYPE: Final = "DataIntegrityProof"
SUITE: Final = "eddsa-jcs-2022"
PROOF_NAMES: Final = frozenset(
    {"@context", "type", "cryptosuite", "created", "verificationMethod", "proofPurpose", "proofValue"}
)


def add_proof(document: Document, issuer: Issuer, *, at: Instant) -> Document:
    """Return the document with the issuer's proof, made at that instant. The document given is not changed."""
    if "proof" in document:
        raise ValueError("it has a proof already")
    options = {
        "@context": document["@context"],
        "type": PROOF_TYPE,
        "cryptosuite": SUITE,
        "created": write_time(at),
        "verificationMethod": issuer.method,
        "proofPurpose": "assertionMethod",
    }
    value = encode_base58(sign_plain(issuer.key.seed, _hash(options, document)))
    return {**document, "proof": {**options, "proofValue": value}}


def verify_proof(secured: Document) -> tuple[Document, str, bytes]:
    """Return the document without its proof, and the DID and the key that signed it.

    Whose key that is, is for the caller to know. Raises InvalidCredential, CredentialForged.
    """
    proof = secured.get("proof")
    if not isinstance(proof, dict) or set(proof) != PROOF_NAMES:
        raise InvalidCredential(reason="no proof, or not one of this kind")
    document = {name: value for name, value in secured.items() if name != "proof"}
    if (proof["type"], proof["cryptosuite"], proof["proofPurpose"]) != (PROOF_TYPE, SUITE, "assertionMethod"):
        raise InvalidCredential(reason=f"a proof that is not {SUITE} for an assertion")
    if "@context" not in document or proof["@context"] != document["@context"]:
        raise InvalidCredential(reason="the proof is of another context than the document")
    did, public = read_method(proof["verificationMethod"])
    signature = decode_base58(proof["proofValue"])
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    if not is_signed_plain(public, _hash(options, document), signature):
        raise CredentialForged(reason="the signature is not of this document")
    return document, did, public


def _hash(options: Document, document: Document) -> bytes:
    return hashlib.sha256(encode_json(options)).digest() + hashlib.sha256(encode_json(document)).digest()
