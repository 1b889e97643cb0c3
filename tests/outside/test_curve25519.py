"""Published vectors of Ed25519 and X25519 against what `protocol.keys` uses: PyNaCl, and nothing beside it.

Wanted: RFC 8032's, C2SP's CCTV and Wycheproof's, in CITIZEN_MILES_VECTORS or in ../shared/vectors beside the repository.

Wycheproof's chacha20_poly1305, xchacha20_poly1305, hkdf_sha256 and hmac_sha256 are not run: the product uses none of
them. It seals with libsodium's box (X25519, XSalsa20-Poly1305, nonce by BLAKE2b), of which Wycheproof has no file. PEM
key files under a passphrase are `cryptography`'s own encryption.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from nacl import bindings
from nacl.exceptions import BadSignatureError, CryptoError
from nacl.signing import SigningKey, VerifyKey

from protocol.keys import InvalidKey, require_public_keys

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("CITIZEN_MILES_VECTORS") or ROOT.parent / "shared" / "vectors")
RFC8032 = FOLDER / "ed25519-rfc8032" / "sign.input.first128"
CCTV = FOLDER / "cctv-ed25519" / "ed25519vectors.json"
WYCHEPROOF = FOLDER / "wycheproof"
SOUND_SIGNING = bytes(SigningKey(bytes(32)).verify_key)
SOUND_SEALING = bindings.crypto_scalarmult_base(bytes(32))


def _is_verified(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        VerifyKey(public).verify(message, signature)
    except (BadSignatureError, ValueError):
        return False
    return True


if not FOLDER.is_dir():

    def test_the_published_vectors_are_not_at_hand_so_nothing_is_compared() -> None:
        assert not FOLDER.is_dir()

else:

    def test_rfc_8032_signatures_are_made_and_verified() -> None:
        lines = RFC8032.read_text(encoding="ascii").splitlines()
        for line in lines:
            secret, public, message, signed = (bytes.fromhex(part) for part in line.split(":")[:4])
            signature = signed[:64]
            key = SigningKey(secret[:32])
            assert bytes(key.verify_key) == public
            assert key.sign(message).signature == signature
            assert _is_verified(public, message, signature)
            assert not _is_verified(public, message + b"\0", signature)
            assert require_public_keys(public, SOUND_SEALING).signing == public
        assert len(lines) >= 100

    def test_cctv_edge_signatures_are_refused_as_the_spec_says() -> None:
        """SPEC, "Keys": canonical A and R, neither of small order, no cofactor in the equation."""
        refused = {"low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue"}
        cases = json.loads(CCTV.read_text(encoding="utf-8"))
        for case in cases:
            found = _is_verified(bytes.fromhex(case["key"]), case["msg"].encode(), bytes.fromhex(case["sig"]))
            assert found == (not refused & set(case["flags"] or ())), case
        assert len(cases) > 900

    def test_keys_of_small_order_among_the_cctv_are_not_announced() -> None:
        keys = {
            bytes.fromhex(case["key"]): set(case["flags"] or ())
            for case in json.loads(CCTV.read_text(encoding="utf-8"))
        }
        weak = [
            key for key, flags in keys.items() if flags & {"low_order_A", "low_order_component_A", "non_canonical_A"}
        ]
        assert weak
        for key in weak:
            with pytest.raises(InvalidKey):
                require_public_keys(key, SOUND_SEALING)

    def _wycheproof(name: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        file = json.loads((WYCHEPROOF / name).read_text(encoding="utf-8"))
        return [(group, case) for group in file["testGroups"] for case in group["tests"]]

    def test_wycheproof_signatures() -> None:
        cases = _wycheproof("ed25519_test.json")
        for group, case in cases:
            public = bytes.fromhex(group["publicKey"]["pk"])
            found = _is_verified(public, bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"]))
            assert found == (case["result"] == "valid"), case
        assert len(cases) >= 100

    def test_wycheproof_shared_secrets_and_points_of_small_order() -> None:
        zero = 0
        cases = _wycheproof("x25519_test.json")
        for _group, case in cases:
            public, private = bytes.fromhex(case["public"]), bytes.fromhex(case["private"])
            if case["shared"] == "00" * 32:
                zero += 1
                with pytest.raises((CryptoError, RuntimeError)):
                    bindings.crypto_scalarmult(private, public)
                with pytest.raises(InvalidKey):
                    require_public_keys(SOUND_SIGNING, public)
            else:
                assert bindings.crypto_scalarmult(private, public).hex() == case["shared"], case
                assert require_public_keys(SOUND_SIGNING, public).sealing == public
        assert zero
        assert len(cases) >= 400
