"""Who issues: keys and names of the projects base as credentials know them, did:key and did:web. Pure.

    did:key:z6Mk…                          the public key itself; nothing has to be fetched, nothing says whose it is
    did:web:passes.brest.example:miles     the node's address; its document lists the keys, today's and older ones

An older key stays in the document, so that what it signed can still be verified; a stolen one is taken out of it.
Source: did:key 1.0 and did:web (W3C CCG), Controlled Identifiers 1.0 (Multikey).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from node.governance.passes.canonical_json import Document
from node.governance.passes.errors import InvalidCredential, InvalidPass
from node.governance.passes.multibase import decode_base58, encode_base58, encode_base64url
from protocol.keys import PUBLIC_BYTES, SEED_BYTES, SecretKeys, compute_plain_public, derive_plain_seed

PURPOSE: Final = "pass"
NODE_MAX: Final = 120
DID_MAX: Final = 300
_ED25519: Final = b"\xed\x01"  # the multicodec of an Ed25519 public key
_NODE: Final = re.compile(r"https://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(?:/[A-Za-z0-9._~-]+)*", re.ASCII)
_DID: Final = re.compile(r"did:[a-z0-9]{1,20}:[A-Za-z0-9._:%-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """The key that signs passes. Never printed: `repr` shows the public half."""

    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_BYTES:
            raise ValueError(f"a seed is {SEED_BYTES} bytes")

    def __repr__(self) -> str:
        return f"IssuerKey({self.multikey})"

    @property
    def public(self) -> bytes:
        return compute_plain_public(self.seed)

    @property
    def multikey(self) -> str:
        return encode_multikey(self.public)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """The body that answers for the passes. `node` is its address (https, no slash at the end), or nothing.

    `name` is shown. Raises InvalidPass.
    """

    key: IssuerKey
    name: str
    node: str = ""

    def __post_init__(self) -> None:
        if self.node:
            require_node(self.node)

    @property
    def did(self) -> str:
        return write_did_web(self.node) if self.node else f"did:key:{self.key.multikey}"

    @property
    def method(self) -> str:
        """The verification method that proofs name: the fragment is the key itself."""
        return f"{self.did}#{self.key.multikey}"


def derive_issuer_key(keys: SecretKeys) -> IssuerKey:
    """Return the key that signs passes, from the keys of the projects base."""
    return IssuerKey(derive_plain_seed(keys, PURPOSE))


def require_node(address: object) -> str:
    """Return the address of a node if it can stand in a credential. Raises InvalidPass."""
    if not isinstance(address, str) or len(address) > NODE_MAX or _NODE.fullmatch(address) is None:
        raise InvalidPass(field="node", reason="https, in lower case, without a slash at the end")
    return address


def require_did(text: object) -> str:
    """Return a DID as a holder may give one: of any method, without path, query or fragment. Raises InvalidPass."""
    if not isinstance(text, str) or len(text) > DID_MAX or _DID.fullmatch(text) is None:
        raise InvalidPass(field="did", reason="not a DID")
    return text


def encode_multikey(public: bytes) -> str:
    """Return an Ed25519 public key as a Multikey, z6Mk…"""
    if len(public) != PUBLIC_BYTES:
        raise ValueError(f"a public key is {PUBLIC_BYTES} bytes")
    return encode_base58(_ED25519 + public)


def decode_multikey(text: object) -> bytes:
    """Return the 32 bytes of an Ed25519 Multikey. Raises InvalidCredential."""
    data = decode_base58(text)
    if data[:2] != _ED25519 or len(data) != len(_ED25519) + PUBLIC_BYTES:
        raise InvalidCredential(reason="not an Ed25519 key")
    return data[2:]


def write_did_web(node: str) -> str:
    """Return the did:web of an address: a colon of a port is written %3A, a slash is a colon."""
    host, *folders = require_node(node).removeprefix("https://").split("/")
    return ":".join(("did:web", host.replace(":", "%3A"), *folders))


def place_of_document(node: str) -> str:
    """Return where the document of an address is served, as did:web says."""
    path = require_node(node).removeprefix("https://").partition("/")[2]
    return f"{node}/did.json" if path else f"{node}/.well-known/did.json"


def write_did_document(node: str, keys: Sequence[bytes]) -> Document:
    """Return the did:web document of an address, with its public keys: today's first, then older ones."""
    did = write_did_web(node)
    methods = [
        {
            "id": f"{did}#{encode_multikey(public)}",
            "type": "Multikey",
            "controller": did,
            "publicKeyMultibase": encode_multikey(public),
        }
        for public in keys
    ]
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "alsoKnownAs": [f"did:key:{encode_multikey(public)}" for public in keys],
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }


def write_jwk(public: bytes) -> Document:
    """Return a public key as a JWK, for readers that know no Multikey (RFC 8037)."""
    return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "x": encode_base64url(public)}


def read_method(method: object) -> tuple[str, bytes]:
    """Return the DID and the key that a verification method names. Says nothing of whose the key is.

    Raises InvalidCredential.
    """
    if not isinstance(method, str) or len(method) > 2 * DID_MAX:
        raise InvalidCredential(reason="no verification method")
    did, hash_, fragment = method.partition("#")
    if not hash_ or _DID.fullmatch(did) is None:
        raise InvalidCredential(reason="a verification method is a DID, # and a key")
    public = decode_multikey(fragment)
    if did.startswith("did:key:") and did != f"did:key:{fragment}":
        raise InvalidCredential(reason="a did:key that names another key")
    return did, public
