"""A territory's card: golden bytes, who may sign it and when, and that nothing in it can be changed."""

from __future__ import annotations

import hashlib
from typing import Any

import msgpack
import pytest
from msgspec import structs

from protocol.canonical import encode_typed
from protocol.directory import Directory, Member, MemberKind, MemberStatus
from protocol.keys import Domain, SecretKeys, make_keys, sign
from protocol.territory_card import (
    CARD_BYTES_MAX,
    CARD_VERSION,
    SETTLEMENT_BYTES_MAX,
    BaseKeys,
    CardRefused,
    Settlement,
    SignedCard,
    TerritoryCard,
    decode_settlement,
    find_settlement,
    is_iban,
    is_shown_line,
    sign_card,
    sign_settlement,
    verify_card,
    verify_settlement,
)

BREST, LYON, SOUTH = "242900314", "200046977", "S1234567A"
NODE, OLD, PROJECTS, FUND, STRANGER = (make_keys(bytes([number]) * 64) for number in range(1, 6))
SETTLEMENT = Settlement(
    CARD_VERSION, BREST, 7, 20261128, "FONDS DU PONANT", "200046977", "FR7630006000011234567890189", "AGRIFRPP"
)


def keys_of(secret: SecretKeys) -> BaseKeys:
    return BaseKeys(secret.public.signing, secret.public.sealing)


CARD = TerritoryCard(
    CARD_VERSION,
    "test",
    BREST,
    3,
    20261128,
    keys_of(PROJECTS),
    keys_of(FUND),
    decode_settlement(sign_settlement(SETTLEMENT, FUND)),
)


def directory(status: MemberStatus = MemberStatus.ACTIVE) -> Directory:
    """Brest, whose old key is retired, Lyon, and a hub."""
    brest = Member(BREST, "Brest", MemberKind.TERRITORY, status, (NODE.public,), retired=(OLD.public,))
    lyon = Member(LYON, "Lyon", MemberKind.TERRITORY, MemberStatus.ACTIVE, (STRANGER.public,))
    hub = Member("HUB-FR", "hub", MemberKind.HUB, MemberStatus.ACTIVE, (NODE.public,))
    return Directory(members={one.code: one for one in (brest, lyon, hub)})


def verify(data: bytes, *, is_new: bool = True, **how: Any) -> TerritoryCard:
    return verify_card(data, directory(**how), "test", is_new=is_new)


def reason_of(data: bytes, *, is_new: bool = True, **how: Any) -> str:
    with pytest.raises(CardRefused) as refused:
        verify(data, is_new=is_new, **how)
    assert refused.value.code == "card_refused"
    return str(refused.value.facts["reason"])


def test_a_card_has_the_bytes_that_are_written_down() -> None:
    body = msgpack.packb(
        [
            *(1, "test", BREST, 3, 20261128),
            [PROJECTS.public.signing, PROJECTS.public.sealing],
            [FUND.public.signing, FUND.public.sealing],
            list(structs.astuple(CARD.settlement)),  # type: ignore[arg-type]
        ],
        use_bin_type=True,
    )
    message = b"citizen-miles/card/v1\0" + hashlib.blake2b(body).digest()
    from nacl.signing import SigningKey

    signature = SigningKey(NODE.signing_seed).sign(message).signature
    assert sign_card(CARD, NODE) == msgpack.packb([body, NODE.public.id, signature], use_bin_type=True)
    assert verify(sign_card(CARD, NODE)) == CARD
    assert find_settlement(CARD) == SETTLEMENT
    assert len(sign_card(CARD, NODE)) < CARD_BYTES_MAX


def test_the_longest_words_have_room() -> None:
    longest = structs.replace(
        SETTLEMENT, number=2**53, name="é" * 70, siren="9" * 9, iban="MT31MALT01100000000000000000123", bic="A" * 11
    )
    signed = sign_settlement(longest, FUND)
    assert len(signed) <= SETTLEMENT_BYTES_MAX
    card = structs.replace(CARD, network="é" * 32, number=2**53, settlement=decode_settlement(signed))
    assert len(sign_card(card, NODE)) <= CARD_BYTES_MAX


def test_only_a_key_that_is_valid_now_signs_a_new_card() -> None:
    by_old = sign_card(CARD, OLD)
    assert "key that the directory shows" in reason_of(by_old)
    assert verify(by_old, is_new=False) == CARD, "what it signed before stays good"
    assert "key that the directory shows" in reason_of(sign_card(CARD, STRANGER), is_new=False)


def test_a_suspended_member_says_nothing_new() -> None:
    card = sign_card(CARD, NODE)
    assert "suspended" in reason_of(card, status=MemberStatus.SUSPENDED)
    assert "enrolled" in reason_of(card, status=MemberStatus.ENROLLED)
    assert verify(card, is_new=False, status=MemberStatus.SUSPENDED) == CARD


def test_one_byte_altered_is_refused() -> None:
    card = sign_card(CARD, NODE)
    for place in range(0, len(card), 7):
        with pytest.raises(CardRefused):
            verify(card[:place] + bytes([card[place] ^ 1]) + card[place + 1 :])
    for cut in (b"", card[:-1], card + b"\0", bytes(CARD_BYTES_MAX + 1)):
        assert reason_of(cut) == "unreadable"


def test_what_is_no_word_of_its_territory_is_refused() -> None:
    def told(**change: Any) -> str:
        return reason_of(sign_card(structs.replace(CARD, **change), NODE))

    assert "version 2" in told(version=2)
    assert "another network" in told(network="other")
    assert "no territory" in told(territory="200093201")
    assert "no territory" in told(territory="HUB-FR"), "a hub has no house"
    assert "key that the directory shows" in told(territory=LYON)
    assert "without a fund" in told(fund=None)
    assert "not signed by its fund" in told(fund=keys_of(STRANGER))
    assert "a key that is none" in told(projects=BaseKeys(bytes(32), PROJECTS.public.sealing))
    bare = structs.replace(CARD, projects=None, fund=None, settlement=None)
    assert verify(sign_card(bare, NODE)) == bare
    assert find_settlement(bare) is None


def test_an_account_is_what_its_own_fund_signed() -> None:
    def told(territory: str = BREST, **change: Any) -> str:
        signed = decode_settlement(sign_settlement(structs.replace(SETTLEMENT, **change), FUND))
        with pytest.raises(CardRefused) as refused:
            verify_settlement(signed, [FUND.public], territory)
        return str(refused.value.facts["reason"])

    assert "version 9" in told(version=9)
    assert "another territory" in told(territory=LYON)
    assert "IBAN" in told(iban="FR7630006000011234567890188")
    assert "BIC" in told(bic="agrifrpp")
    assert "BIC" in told(iban="")
    assert "holder" in told(name="A\u202eB")
    assert "holder" in told(siren="20004697x")
    empty = structs.replace(SETTLEMENT, iban="", bic="", siren="")
    signed = decode_settlement(sign_settlement(empty, FUND))
    assert verify_settlement(signed, [STRANGER.public, FUND.public], BREST) == empty
    assert find_settlement(structs.replace(CARD, settlement=signed)) is None
    garbage = structs.replace(signed, body=b"\xc0", signature=sign(FUND, Domain.SETTLEMENT, b"\xc0"))
    with pytest.raises(CardRefused):
        verify_settlement(garbage, [FUND.public], BREST)


def test_a_signature_for_a_card_is_none_for_an_account() -> None:
    body = encode_typed(SETTLEMENT)
    forged = decode_settlement(sign_settlement(SETTLEMENT, FUND))
    forged = structs.replace(forged, signature=sign(FUND, Domain.CARD, body))
    with pytest.raises(CardRefused):
        verify_settlement(forged, [FUND.public], BREST)
    card = encode_typed(CARD)
    assert "directory" in reason_of(encode_typed(SignedCard(card, NODE.public.id, sign(NODE, Domain.STATEMENT, card))))


def test_an_iban_is_its_check_digits() -> None:
    assert is_iban("FR7630006000011234567890189")
    assert is_iban("BE68539007547034")
    for wrong in ("FR7630006000011234567890198", "fr7630006000011234567890189", "FR76 3000 6000", "", "FR76", "F" * 35):
        assert is_iban(wrong) is False


def test_what_a_screen_obeys_is_no_line() -> None:
    assert is_shown_line("FONDS DU PONANT")
    assert is_shown_line("می\u200cخواهم")  # a joiner is a letter's business
    for kind in ("\x07", "\u202e", "\ud800", "\u2028", "\u2029"):
        assert not is_shown_line(f"FONDS{kind}DU PONANT")
