"""One Ed25519 verifier in the whole product: PyNaCl, in `protocol.keys`. Libraries disagree on odd signatures."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERIFIER = "protocol/keys.py"
# Key files are PEM: `cryptography` writes and reads private keys there, and verifies nothing.
PRIVATE_ONLY = {"Ed25519PrivateKey"}
# Of PyNaCl, what seals with a secret and hashes passwords: it verifies no signature.
SECRET_ONLY = {"secret", "pwhash", "exceptions"}
OTHER_LIBRARIES = {"ed25519", "pure25519", "Crypto", "Cryptodome", "OpenSSL", "jwt", "jose", "pysodium"}


def find_verifiers(place: str, source: str) -> list[str]:
    """Return what in this source could verify an Ed25519 signature: `place:line name`, none in the one verifier."""
    if place == VERIFIER:
        return []
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        found += [f"{place}:{node.lineno} {name}" for name in names if _verifies(name)]
    return found


def _verifies(name: str) -> bool:
    parts = name.split(".")
    if parts[0] == "nacl":
        return len(parts) < 2 or parts[1] not in SECRET_ONLY
    if parts[0] == "cryptography":
        return ("ed25519" in parts and parts[-1] not in PRIVATE_ONLY) or parts[-1] == "asymmetric"
    return parts[0] in OTHER_LIBRARIES


def test_nothing_but_protocol_keys_verifies_ed25519() -> None:
    files = [file for room in ("protocol", "node", "hub") for file in sorted((ROOT / room).rglob("*.py"))]
    places = {file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8") for file in files}
    assert "from nacl.signing import SigningKey, VerifyKey" in places[VERIFIER]
    assert [found for place, source in places.items() for found in find_verifiers(place, source)] == []


@pytest.mark.parametrize(
    "source",
    [
        "from nacl.signing import VerifyKey",
        "from nacl import bindings",
        "import nacl",
        "def late():\n    import nacl.signing",
        "from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey",
        "from cryptography.hazmat.primitives.asymmetric import ed25519",
        "import cryptography.hazmat.primitives.asymmetric.ed25519",
        "from cryptography.hazmat.primitives import asymmetric",
        "import ed25519",
    ],
)
def test_another_verifier_is_found(source: str) -> None:
    assert find_verifiers("node/planted.py", source)
