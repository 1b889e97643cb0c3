"""A transparency log that another program keeps and others cosign: FiloSottile/sunlight's, where it is at hand.

Wanted in CITIZEN_MILES_VECTORS or in ../shared/vectors beside the repository. Its data tiles and entries are stand-ins
("fake …"), so leaf hashes come from its tiles of level 0 and are not made from entries. The log signs with ECDSA, as CT
asks; its witnesses and its mirror with Ed25519 (C2SP, cosignature/v1). The data stays outside the project.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from protocol.merkle import (
    HASH_BYTES,
    Frontier,
    Node,
    build_consistency,
    build_inclusion,
    root,
    root_at,
    verify_consistency,
    verify_inclusion,
)

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("CITIZEN_MILES_VECTORS") or ROOT.parent / "shared" / "vectors")
SUNLIGHT = VECTORS / "tlog-tiles-sunlight"
SKYLIGHT = SUNLIGHT / "skylight"
COSIGNED = {
    "witness": ("witness", "witness.v0.json"),
    "second witness": ("witness2", "witness.v0.json"),
    "mirror": ("witness/mirror", "mirror.v0.json"),
}
ED25519_COSIGNATURE = b"\x04"
CT_TREE_HEAD = b"\x05"


@dataclass(frozen=True)
class Note:
    """A signed note: the text that is signed, and each signature with its key's number, by the signer's name."""

    text: str
    signatures: dict[str, bytes]

    @property
    def origin(self) -> str:
        return self.text.split("\n")[0]

    @property
    def size(self) -> int:
        return int(self.text.split("\n")[1])

    @property
    def root(self) -> bytes:
        return base64.b64decode(self.text.split("\n")[2], validate=True)


def read_note(file: Path) -> Note:
    text, signed = file.read_text(encoding="utf-8").split("\n\n")
    signatures = {}
    for line in signed.splitlines():
        dash, name, blob = line.split(" ")
        assert dash == "—"
        signatures[name] = base64.b64decode(blob, validate=True)
    return Note(text + "\n", signatures)


def number_of(name: str, kind: bytes, key: bytes) -> bytes:
    """Return the number a note gives a key: it leads a verifier to the key, and proves nothing."""
    return sha256(name.encode() + b"\n" + kind + key).digest()[:4]


def is_cosigned(text: str, signature: bytes, key: bytes) -> bool:
    """Tell whether a witness saw this text at the time its signature tells."""
    time_s = int.from_bytes(signature[4:12], "big")
    try:
        VerifyKey(key).verify(f"cosignature/v1\ntime {time_s}\n{text}".encode(), signature[12:])
    except BadSignatureError:
        return False
    return True


def hashes_of(*tiles: Path) -> list[bytes]:
    data = b"".join(tile.read_bytes() for tile in tiles)
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def nodes_of(leaves: list[bytes]) -> dict[Node, bytes]:
    _, completed = Frontier().extend(leaves)
    return {(level, index): node for level, index, node in completed}


if not SUNLIGHT.is_dir():

    def test_the_log_of_another_program_is_not_at_hand_so_nothing_is_verified() -> None:
        print(f"not at hand: {SUNLIGHT.name}")

else:

    @pytest.mark.parametrize("who", COSIGNED)
    def test_a_cosignature_is_verified_and_covers_every_byte_and_its_time(who: str) -> None:
        folder, described = COSIGNED[who]
        [file] = (SKYLIGHT / folder).glob("?" * 64 + "/checkpoint")
        note = read_note(file)
        [verifier] = json.loads((SKYLIGHT / folder / described).read_text())["verifier_keys"]
        name, number, encoded = verifier.split("+", 2)
        kind_and_key = base64.b64decode(encoded, validate=True)
        key, signature = kind_and_key[1:], note.signatures[name]
        assert kind_and_key[:1] == ED25519_COSIGNATURE
        assert signature[:4].hex() == number == number_of(name, ED25519_COSIGNATURE, key).hex()
        assert file.parent.name == sha256(note.origin.encode()).hexdigest()
        assert is_cosigned(note.text, signature, key)
        for at in range(len(note.text)):
            changed = note.text[:at] + chr(ord(note.text[at]) ^ 1) + note.text[at + 1 :]
            assert not is_cosigned(changed, signature, key)
        for at in range(4, len(signature)):
            changed_signature = signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :]
            assert not is_cosigned(note.text, changed_signature, key)

    def test_the_log_signed_the_tree_head_that_its_witness_cosigned() -> None:
        note = read_note(SKYLIGHT / "tree" / "checkpoint")
        log = json.loads((SKYLIGHT / "tree" / "log.v3.json").read_text())
        der, signature = base64.b64decode(log["key"]), note.signatures[note.origin]
        assert sha256(der).digest() == base64.b64decode(log["log_id"])
        assert signature[:4] == number_of(note.origin, CT_TREE_HEAD, sha256(der).digest())
        assert int.from_bytes(signature[4:12], "big") == log["final_tree_head"]["timestamp"]
        key = load_der_public_key(der)
        assert isinstance(key, EllipticCurvePublicKey)
        # RFC 6962, 3.5: version 0, kind 1 (tree head), time, size, root. Two bytes of algorithm and two of length lead.
        head = b"\0\1" + signature[4:12] + note.size.to_bytes(8, "big") + note.root
        key.verify(signature[16:], head, ECDSA(SHA256()))
        [cosigned] = (SKYLIGHT / "witness").glob("?" * 64 + "/checkpoint")
        assert read_note(cosigned).text == note.text

    def test_each_leaf_of_the_mirrored_log_is_proven_under_the_root_its_mirror_cosigned() -> None:
        [folder] = [found for found in (SKYLIGHT / "witness" / "mirror").iterdir() if found.is_dir()]
        note = read_note(folder / "checkpoint")
        leaves = hashes_of(folder / "tile/0/000", folder / "tile/0/001.p/44")
        nodes = nodes_of(leaves)
        assert len(leaves) == note.size == 300
        for index, leaf in enumerate(leaves):
            proof = build_inclusion(index, note.size, nodes)
            assert verify_inclusion(leaf, index, note.size, proof, note.root)
            assert not verify_inclusion(leaf, index ^ 1, note.size, proof, note.root)
        for size in range(1, note.size):
            proof = build_consistency(size, note.size, nodes)
            assert verify_consistency(size, root_at(size, nodes), note.size, note.root, proof)
            assert not verify_consistency(size, bytes(HASH_BYTES), note.size, note.root, proof)

    def test_a_tile_half_full_is_the_beginning_of_the_full_one_and_its_tree_of_the_larger() -> None:
        tiles = SUNLIGHT / "testdata" / "navigli2025h2" / "tile" / "0"
        full = [tiles / f"{place:03}" for place in range(4)]
        early, late = hashes_of(*full[:3], tiles / "003.p" / "10"), hashes_of(*full)
        assert (len(early), len(late)) == (778, 1024)
        first, second = root(Frontier().extend(early)[0]), root(Frontier().extend(late)[0])
        nodes = nodes_of(late)
        proof = build_consistency(len(early), len(late), nodes)
        assert verify_consistency(len(early), first, len(late), second, proof)
        assert not verify_consistency(len(early) - 1, first, len(late), second, proof)
        for index in (0, 255, 256, 767, 777, 1023):
            assert verify_inclusion(late[index], index, len(late), build_inclusion(index, len(late), nodes), second)
