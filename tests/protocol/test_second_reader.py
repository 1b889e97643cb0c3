"""The SPEC proved: a reader written from it alone agrees with every vector of the layers it reads."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from tests.protocol import second_reader as reader
from tests.protocol.second_reader import Refused
from tests.protocol.vectors import from_tree, load, unhex


def test_the_second_reader_shares_no_code_with_the_product() -> None:
    source = Path(reader.__file__).read_text(encoding="utf-8")
    imported = set(re.findall(r"^(?:from|import) (\w+)", source, re.MULTILINE))
    assert imported <= {
        "__future__",
        "hashlib",
        "datetime",
        "unicodedata",
        "collections",
        "dataclasses",
        "itertools",
        "typing",
        "msgpack",
        "nacl",
    }


def test_encodings() -> None:
    file = load("canonical")
    for case in file["good"]:
        assert reader.read_bytes(bytes.fromhex(case["hex"]), file["size_max"]) == from_tree(case["value"])
    for case in file["bad"]:
        with pytest.raises(Refused):
            pytest.fail(f"{case}: {reader.read_bytes(bytes.fromhex(case['hex']), file['size_max'])}")


def test_addresses_and_codes() -> None:
    file = load("identifiers")
    assert reader.check_symbol("7K3F92QX200046977") == "A"  # the SPEC's worked example
    for case in file["addresses"]["good"]:
        assert reader.read_address(case["address"]) == (case["number"], case["territory"])
    for case in file["addresses"]["bad"]:
        with pytest.raises(Refused):
            reader.read_address(case["address"])
    assert all(reader.is_territory(code) for code in file["territories"]["good"])
    assert not any(reader.is_territory(code) for code in file["territories"]["bad"] if code is not None)


def test_key_ids_signatures_and_seals() -> None:
    file = load("keys")
    for case in file["sets"]:
        assert reader.key_id(*unhex([case["signing"], case["sealing"]])).hex() == case["id"]
    for group in ("good", "bad"):
        for case in file["signatures"][group]:
            signing, body, signature = unhex([case["signing"], case["body"], case["signature"]])
            assert reader.is_signed(signing, case["domain"], body, signature) is (group == "good"), case
    sealing = load("sealing")
    for case in sealing["good"]:
        recipient, plain, seed = unhex([case["sealing"], case["plain"], case["ephemeral_seed"]])
        assert reader.seal(recipient, plain, seed).hex() == case["sealed"]
        assert reader.unseal(bytes.fromhex(case["sealing_seed"]), bytes.fromhex(case["sealed"])) == plain
    for case in sealing["bad"]:
        with pytest.raises(Refused):
            reader.unseal(*unhex([case["sealing_seed"], case["sealed"]]))


def test_merkle_roots_and_proofs() -> None:
    file = load("merkle")
    leaves = unhex(file["leaves"])
    assert [reader.tree_root(leaves[:size]).hex() for size in range(len(leaves) + 1)] == file["roots"]
    for group in ("good", "bad"):
        for case in file["inclusion"][group]:
            leaf, root, proof = bytes.fromhex(case["leaf"]), bytes.fromhex(case["root"]), unhex(case["proof"])
            assert reader.is_included(leaf, case["index"], case["size"], proof, root) is (group == "good"), case
        for case in file["consistency"][group]:
            root1, root2 = unhex([case["root1"], case["root2"]])
            found = reader.is_consistent(case["size1"], root1, case["size2"], root2, unhex(case["proof"]))
            assert found is (group == "good"), case


def test_slips_and_columns() -> None:
    file = load("slips")
    tags = set()
    for case in file["good"]:
        slip = reader.read_slip(bytes.fromhex(case["leaf"]))
        assert slip == from_tree(case["value"])
        tags |= {message[0] for message in slip[3]}
    assert tags == set(range(1, 17))
    for case in file["bad"]:
        with pytest.raises(Refused) as refusal:
            reader.read_slip(bytes.fromhex(case["leaf"]))
        assert refusal.value.reason == case["reason"], case
    columns = file["columns"]
    cede = reader.read_slip(bytes.fromhex(columns["cede"]))[3][0]
    for case in columns["good"]:
        assert reader.read_column(bytes.fromhex(case["plain"]), cede, columns["origin"]) == from_tree(case["value"])
    for case in columns["bad"]:
        with pytest.raises(Refused):
            reader.read_column(bytes.fromhex(case["plain"]), cede, columns["origin"])


def test_the_directory() -> None:
    file = load("directory")
    for case in file["good"]:
        members, head = reader.fold(unhex(case["entries"]))
        assert (len(case["entries"]), head.hex()) == (case["size"], case["head"])
        assert {code: _told(member) for code, member in members.items()} == case["members"]
    for case in file["bad"]:
        with pytest.raises(Refused):
            pytest.fail(f"{case['why']}: {reader.fold(unhex(case['entries']))[0].keys()}")


def _told(member: reader.Member) -> dict[str, Any]:
    return {
        "name": member.name,
        "kind": member.kind,
        "status": member.status,
        "keys": [reader.key_id(*key).hex() for key in member.keys],
        "retired": [reader.key_id(*key).hex() for key in member.retired],
        "limits": member.limits,
        "sponsor": member.sponsor,
        "guide": member.guide,
        "reason": member.reason,
    }


def test_cards_and_catalogues() -> None:
    file = load("cards")
    members, _head = reader.fold(unhex(file["directory"]))
    for case in file["good"]:
        expected = [None if case[part] is None else from_tree(case[part]) for part in ("card", "account", "catalogue")]
        assert reader.read_publication(bytes.fromhex(case["publication"]), file["network"], members) == expected
    for case in file["bad"]:
        with pytest.raises(Refused):
            pytest.fail(
                f"{case['why']}: {reader.read_publication(bytes.fromhex(case['publication']), file['network'], members)}"
            )


def test_envelopes_and_checkpoints() -> None:
    file = load("envelopes")
    members, _head = reader.fold(unhex(file["directory"]))
    for case in file["good"]:
        statement, payload = reader.read_envelope(
            bytes.fromhex(case["envelope"]),
            network=file["network"],
            reader=case["reader"],
            members=members,
            now=file["now"],
        )
        assert (statement, payload) == (from_tree(case["statement"]), from_tree(case["payload"]))
    for case in file["bad"]:
        with pytest.raises(Refused) as refusal:
            reader.read_envelope(
                bytes.fromhex(case["envelope"]),
                network=file["network"],
                reader=case["reader"],
                members=members,
                now=file["now"],
            )
        assert refusal.value.reason == case["reason"], case
    signing = bytes.fromhex(file["checkpoints"]["signing"])
    for case in file["checkpoints"]["good"]:
        found = reader.read_checkpoint(bytes.fromhex(case["body"]), bytes.fromhex(case["signature"]), signing)
        assert found == from_tree(case["value"])
    for case in file["checkpoints"]["bad"]:
        with pytest.raises(Refused):
            reader.read_checkpoint(bytes.fromhex(case["body"]), bytes.fromhex(case["signature"]), signing)


def test_what_travels_in_an_envelope_fits_together() -> None:
    """A member's slip from its envelope: the head holds, the column fits its commit and opens for its reader."""
    file = load("envelopes")
    seeds = {case["id"]: bytes.fromhex(case["sealing_seed"]) for case in load("keys")["sets"]}
    opened = 0
    for case in file["good"]:
        statement, payload = from_tree(case["statement"]), from_tree(case["payload"])
        assert payload[0] + len(payload[1]) == statement[8]
        if payload[0] == 0:
            assert reader.tree_root([slip[0] for slip in payload[1]]) == statement[9]
        for leaf, beside in payload[1]:
            for message in reader.read_slip(leaf)[3]:
                if message[0] == 1 and beside:
                    salt, sealed = reader.read_typed(beside[0], reader.SEALED_COLUMN, 1_048_640)
                    assert hashlib.sha256(salt + sealed).digest() == message[7]
                    column = reader.read_column(reader.unseal(seeds[message[6].hex()], sealed), message, statement[3])
                    assert column[1] == ["0A1B2C3D"]
                    opened += 1
        if payload[3] is not None:
            checkpoint = reader.read_typed(statement[13][0], reader.CHECKPOINT, 256)
            _start, entries, index, proof = payload[3]
            last = reader.read_typed(entries[-1], reader.ENTRY, 8_192)
            leaf = reader.msgpack.packb([[4, last[2], entries[-1]]], use_bin_type=True)
            assert reader.is_included(leaf, index, checkpoint[3], proof, checkpoint[4])
    assert opened == 1
