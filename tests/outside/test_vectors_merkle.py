"""Merkle proofs against test data of others, where it is at hand (`CITIZEN_MILES_VECTORS`).

transparency-dev/merkle: proofs good and bad. FiloSottile/sunlight: a log of 300 leaves as another program keeps it.
The data stays outside the project; each set has its own licence.
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from protocol.merkle import Frontier, root, verify_consistency, verify_inclusion

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("CITIZEN_MILES_VECTORS") or ROOT.parent / "shared" / "vectors")
PROOFS = VECTORS / "merkle-rfc6962" / "testdata"
LOG = VECTORS / "tlog-tiles-sunlight" / "skylight" / "witness" / "mirror"


def cases(*kinds: str) -> list[Any]:
    files = [file for kind in kinds for file in sorted((PROOFS / kind).rglob("*.json"))]
    return [pytest.param(json.loads(file.read_text()), id=str(file.relative_to(PROOFS))) for file in files]


def unbase(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def proof_of(case: dict[str, Any]) -> list[bytes]:
    return [unbase(part) for part in case["proof"] or []]


if not PROOFS.is_dir():

    def test_the_folder_of_outside_proofs_is_not_at_hand() -> None:
        print(f"not at hand: {PROOFS.parent.name}, so its proofs were not checked")

else:

    @pytest.mark.parametrize("case", cases("inclusion"))
    def test_inclusion_is_judged_as_by_transparency_dev(case: dict[str, Any]) -> None:
        verdict = verify_inclusion(
            unbase(case["leafHash"]), case["leafIdx"], case["treeSize"], proof_of(case), unbase(case["root"])
        )
        assert verdict is not case["wantErr"]

    @pytest.mark.parametrize("case", cases("consistency"))
    def test_consistency_is_judged_as_by_transparency_dev(case: dict[str, Any]) -> None:
        verdict = verify_consistency(
            case["size1"], unbase(case["root1"]), case["size2"], unbase(case["root2"]), proof_of(case)
        )
        assert verdict is not case["wantErr"]

    # A subtree that begins at leaf 0 is a tree: these are cases for us too, but for the empty one, which we refuse.
    @pytest.mark.parametrize(
        "case", [case for case in cases("subtreeinclusion") if case.values[0]["start"] == 0 < case.values[0]["end"]]
    )
    def test_inclusion_in_a_subtree_that_begins_at_zero(case: dict[str, Any]) -> None:
        verdict = verify_inclusion(
            unbase(case["leafHash"]), case["leafIdx"], case["end"], proof_of(case), unbase(case["root"])
        )
        assert verdict is not case["wantErr"]

    @pytest.mark.parametrize(
        "case", [case for case in cases("subtreeconsistency") if case.values[0]["start"] == 0 < case.values[0]["end"]]
    )
    def test_consistency_with_a_subtree_that_begins_at_zero(case: dict[str, Any]) -> None:
        verdict = verify_consistency(
            case["end"], unbase(case["root1"]), case["size"], unbase(case["root2"]), proof_of(case)
        )
        assert verdict is not case["wantErr"]

    def test_the_cases_are_all_there() -> None:
        assert (len(cases("inclusion")), len(cases("consistency"))) == (98, 98)


if not LOG.is_dir():

    def test_the_folder_of_outside_tiles_is_not_at_hand() -> None:
        print(f"not at hand: {LOG.name}, so no log of another program was read")

else:

    def test_the_log_of_another_program_has_the_root_it_signed() -> None:
        """Its first tile holds 256 leaf hashes, the second 44; the tile above holds the one node of level 8."""
        [log] = [folder for folder in LOG.iterdir() if folder.is_dir()]
        tiles = (log / "tile/0/000").read_bytes() + (log / "tile/0/001.p/44").read_bytes()
        leaves = [tiles[at : at + 32] for at in range(0, len(tiles), 32)]
        _, size, signed_root, *_ = (log / "checkpoint").read_text().split("\n")
        frontier, completed = Frontier().extend(leaves)
        assert frontier.size == len(leaves) == int(size) == 300
        assert root(frontier) == unbase(signed_root)
        assert (8, 0, (log / "tile/1/000.p/1").read_bytes()) in completed
