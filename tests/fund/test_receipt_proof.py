"""The text of the QR: read back, and held against what was kept."""

from __future__ import annotations

import base64
import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.fund.frozen_receipts import compute_digest
from node.fund.receipt_errors import InvalidReceiptProof
from node.fund.receipt_numbers import SEQUENCE_MAX
from node.fund.receipt_proof import TEXT_MAX, is_proven, make_proof, parse_proof
from protocol.amounts import Cents
from tests.fund.receipt_makers import make_number, make_payments, make_receipt

NODES = ["https://miles.example", "https://a", "https://miles.example:8443", "https://m.example/sous/dossier"]
digests = st.binary(min_size=32, max_size=32)


@given(st.sampled_from(NODES), st.integers(1, SEQUENCE_MAX), digests)
def test_what_the_code_holds_is_read_back_and_proves(node: str, sequence: int, digest: bytes) -> None:
    number = make_number(sequence)
    text = str(make_proof(node, number, digest))
    assert len(text) <= TEXT_MAX
    proof = parse_proof(text)
    assert (proof.node, proof.number) == (node, number)
    assert base64.b32decode(proof.check + "======") == digest[:16]
    assert is_proven(proof, number, digest)


@given(digests, st.integers(0, 127), st.integers(1, 1_000))
def test_another_digest_or_number_does_not_prove(digest: bytes, bit: int, sequence: int) -> None:
    proof = make_proof(NODES[0], make_number(sequence), digest)
    changed = bytearray(digest)
    changed[bit // 8] ^= 1 << bit % 8
    assert not is_proven(proof, make_number(sequence), bytes(changed))
    assert not is_proven(proof, make_number(sequence + 1), digest)


def test_the_number_of_a_receipt_on_other_values_does_not_prove() -> None:
    kept = make_receipt(payments=make_payments(1, 1_000))
    forged = make_receipt(payments=(dataclasses.replace(kept.payments[0], cents=Cents(100_000)),))
    proof = parse_proof(str(make_proof(NODES[0], kept.number, compute_digest(forged))))
    assert not is_proven(proof, kept.number, compute_digest(kept))


GOOD = str(make_proof(NODES[0], make_number(), bytes(range(32))))


def test_the_text() -> None:
    assert GOOD == "https://miles.example/receipts/FD-732829320-2026-000001/AAAQEAYEAUDAOCAJBIFQYDIOB4"


@pytest.mark.parametrize(
    "text",
    [
        *("", None, 7, "https://miles.example", GOOD.lower(), GOOD + "\n", GOOD + "/", GOOD[:-1], GOOD + "A"),
        GOOD[:-1] + "5",  # trailing bits that are not zero: a second writing
        GOOD.replace("https", "http"),
        GOOD.replace("https", "javascript"),
        GOOD.replace("miles.example", "miles.example?x="),
        GOOD.replace("miles.example", "user@miles.example"),
        GOOD.replace("miles.example", "MILES.example"),
        GOOD.replace("000001", "1"),
        GOOD.replace("miles", "m" * 200),
        GOOD.replace("FD-", "../FD-"),
    ],
)
def test_another_text_is_refused(text: Any) -> None:
    with pytest.raises(InvalidReceiptProof):
        parse_proof(text)


def test_a_digest_of_another_length_is_a_bug() -> None:
    with pytest.raises(ValueError):
        make_proof(NODES[0], make_number(), b"short")
