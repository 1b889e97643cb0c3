"""A conversion order: golden bytes, who may sign it, who can read it, and that nothing in it can be changed."""

from __future__ import annotations

import hashlib
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from protocol.canonical import encode_typed
from protocol.conversion import (
    ABROAD_VERSION,
    ORDER_BYTES_MAX,
    ORDER_VERSION,
    SEALED_ORDER_BYTES_MAX,
    ConversionOrder,
    OrderRefused,
    SignedOrder,
    find_country,
    seal_order,
    sign_order,
    unseal_order,
    verify_order,
)
from protocol.keys import Domain, Keyring, make_keys, seal, sign

BREST, LYON = "242900314", "200046977"
PROJECTS, OLDER_PROJECTS, STRANGER, FUND, OLDER_FUND = (make_keys(bytes([number]) * 64) for number in range(1, 6))
ORDER = ConversionOrder(
    version=ORDER_VERSION,
    territory=BREST,
    payer=LYON,
    project=bytes(range(16)),
    round=2,
    title="A garden",
    bearer="W293001234",
    name="A garden for all",
    legal_category="9220",
    iban="FR7630006000011234567890189",
    country="FR",
    eligible_until=20271231,
    proof=b"p" * 32,
    decision=b"d" * 32,
    decided_on=20261128,
)
SIGNED = sign_order(ORDER, PROJECTS)
DECIDERS = [OLDER_PROJECTS.public, PROJECTS.public]


def _raw(**changed: Any) -> bytes:
    """Return an order made with plain msgpack, so that nothing of ours refuses to write it."""
    fields = structs.asdict(ORDER) | changed
    return bytes(msgpack.packb(list(fields.values()), use_bin_type=True))


def _signed(body: bytes) -> SignedOrder:
    return SignedOrder(body, PROJECTS.public.id, sign(PROJECTS, Domain.CONVERSION, body))


def test_an_order_has_its_bytes() -> None:
    assert SIGNED.order == _raw()
    assert hashlib.sha256(SIGNED.order).hexdigest()[:16] == hashlib.sha256(_raw()).hexdigest()[:16]
    assert (ORDER_VERSION, ORDER_BYTES_MAX, SEALED_ORDER_BYTES_MAX) == (1, 4_096, 6_144)


def test_the_fund_reads_what_the_projects_signed() -> None:
    sealed = seal_order(SIGNED, FUND.public, entropy=b"e" * 32)
    assert unseal_order(sealed, Keyring(FUND)) == SIGNED
    assert unseal_order(sealed, Keyring(make_keys(b"new!" * 16), (OLDER_FUND, FUND))) == SIGNED
    assert verify_order(SIGNED, DECIDERS, territory=BREST, payer=LYON) == ORDER
    assert verify_order(sign_order(ORDER, OLDER_PROJECTS), DECIDERS, territory=BREST, payer=LYON) == ORDER
    assert ORDER.name.encode() not in sealed


def test_nobody_else_reads_it() -> None:
    sealed = seal_order(SIGNED, FUND.public, entropy=b"e" * 32)
    for keys in (PROJECTS, STRANGER, OLDER_FUND):
        with pytest.raises(OrderRefused) as refused:
            unseal_order(sealed, Keyring(keys))
        assert refused.value.facts["reason"] == "sealed for another key, or altered"
    for plain in (b"", b"\xc0", SIGNED.order, encode_typed(SIGNED) + b"\0"):
        with pytest.raises(OrderRefused) as refused:
            unseal_order(seal(FUND.public.sealing, plain, ephemeral_seed=b"e" * 32), Keyring(FUND))
        assert refused.value.facts["reason"] == "unreadable"


@pytest.mark.parametrize(
    ("signed", "reason"),
    [
        (sign_order(ORDER, STRANGER), f"not signed by the projects of {BREST}"),
        (structs.replace(SIGNED, key=STRANGER.public.id), f"not signed by the projects of {BREST}"),
        (structs.replace(SIGNED, key=OLDER_PROJECTS.public.id), f"not signed by the projects of {BREST}"),
        (structs.replace(SIGNED, order=_raw(iban="FR7630006000011234567890188")), "not signed by the projects of"),
        (
            SignedOrder(SIGNED.order, PROJECTS.public.id, sign(PROJECTS, Domain.OFFICER, SIGNED.order)),
            "not signed by the projects of",
        ),
        (_signed(_raw(territory=LYON)), "an order of another territory, or for another fund"),
        (_signed(_raw(payer=BREST)), "an order of another territory, or for another fund"),
        (_signed(_raw(version=3)), "order version 3 is not spoken here"),
        (_signed(_raw(version=0)), "unreadable"),
        (_signed(_raw(round=0)), "unreadable"),
        (_signed(_raw(project=bytes(15))), "unreadable"),
        (_signed(_raw(proof=bytes(31))), "unreadable"),
        (_signed(_raw(title="")), "unreadable"),
        (_signed(_raw()[:-1]), "unreadable"),
        (_signed(b"\xc0"), "unreadable"),
    ],
)
def test_what_is_not_followed(signed: SignedOrder, reason: str) -> None:
    with pytest.raises(OrderRefused) as refused:
        verify_order(signed, DECIDERS, territory=BREST, payer=LYON)
    assert reason in refused.value.facts["reason"]


def test_where_the_work_is_done_is_told_by_the_version_and_not_by_the_account() -> None:
    paid_in_belgium = structs.replace(ORDER, country="BE")
    abroad = sign_order(structs.replace(ORDER, version=ABROAD_VERSION, country="SN"), PROJECTS)
    assert abroad.order == _raw(version=2, country="SN")
    order = verify_order(abroad, DECIDERS, territory=BREST, payer=LYON)
    assert [find_country(one) for one in (ORDER, paid_in_belgium, order)] == ["FR", "FR", "SN"]


@given(st.integers(min_value=0), st.integers(1, 255))
def test_no_byte_of_a_sealed_order_can_be_changed(place: int, flip: int) -> None:
    sealed = bytearray(seal_order(SIGNED, FUND.public, entropy=b"e" * 32))
    sealed[place % len(sealed)] ^= flip
    with pytest.raises(OrderRefused):
        unseal_order(bytes(sealed), Keyring(FUND))
