"""What cards say of other funds: first at once, a change after two days, a person's word first, and never an account that its fund did not sign."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from node.fund.card_service import (
    find_settlement_account,
    is_disputed,
    load_card_words,
    load_deciding_keys,
)
from node.fund.due_service import Decider
from protocol.house import BaseName, DeciderKey, SettlementAccount, SettlementPublished
from protocol.keys import PublicKeys, SecretKeys, make_keys
from protocol.territory_card import CARD_VERSION, Settlement, decode_settlement, sign_settlement, verify_settlement
from tests.fund.dues_world import answers
from tests.fund.fund_world import BREST, FundWorld

QUIMPER = "242900660"
FIRST, SECOND, THIRD = (make_keys(bytes([number]) * 64) for number in (31, 32, 33))
IBANS = ("FR7630006000011234567890189", "BE68539007547034")


def account(number: int, paid_on: str, signer: SecretKeys = FIRST, **change: Any) -> SettlementAccount:
    """Return what the accounts tell of a card on which that fund signed the account."""
    bic = "AGRIFRPP" if paid_on else ""
    told = Settlement(CARD_VERSION, QUIMPER, number, 20261128, "FONDS DE CORNOUAILLE", "200046977", paid_on, bic)
    signed = sign_settlement(told, signer) if paid_on else b""
    words = SettlementAccount(
        QUIMPER,
        told.name,
        told.siren,
        paid_on,
        bic,
        number,
        20261128,
        signer.public.signing,
        signer.public.sealing,
        signed,
    )
    return structs.replace(words, **change)


def decider(number: int, keys: SecretKeys) -> DeciderKey:
    return DeciderKey(QUIMPER, number, 20261128, keys.public.signing, keys.public.sealing)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[FundWorld]:
    """On files: no statement here is written for one kind of base only."""
    made = FundWorld(lambda name: f"sqlite:///{tmp_path / name}.db")
    yield made
    wrongs = made.find_wrongs()
    made.close()
    assert wrongs == []


async def hear(world: FundWorld, *messages: Any, sender: BaseName = BaseName.ACCOUNTS) -> None:
    world.tell(*messages, sender=sender)
    await world.settle()


def iban(world: FundWorld) -> str | None:
    found = world.book.read_now(lambda line: find_settlement_account(line, QUIMPER, world.now))
    return None if found is None else found.iban


def deciding(world: FundWorld) -> list[PublicKeys]:
    return world.book.read_now(lambda line: load_deciding_keys(line, QUIMPER, world.now))


async def test_an_account_counts_at_once_a_change_of_it_after_two_days(world: FundWorld) -> None:
    assert iban(world) is None
    await hear(world, account(1, IBANS[0]))
    assert iban(world) == IBANS[0]
    await hear(world, account(2, IBANS[1]))
    assert iban(world) == IBANS[0]
    (words,) = world.book.read_now(lambda line: load_card_words(line, world.now))
    assert words.waiting_account is not None
    assert words.waiting_account.iban == IBANS[1]
    world.later(1.9)
    assert iban(world) == IBANS[0]
    world.later(0.2)
    assert iban(world) == IBANS[1]
    await hear(world, account(3, ""))
    assert iban(world) is None, "what is taken away counts no more, at once"
    assert not world.find_wrongs()


async def test_a_first_account_counts_at_once_also_after_cards_without_one(world: FundWorld) -> None:
    await hear(world, account(1, ""), account(2, IBANS[0]))
    assert iban(world) == IBANS[0]
    await hear(world, account(3, ""), account(4, IBANS[1]))
    assert iban(world) is None, "where there was one before, another is a change"
    world.later(2.1)
    assert iban(world) == IBANS[1]
    assert not world.find_wrongs()


async def test_an_older_card_and_the_same_words_again_change_nothing(world: FundWorld) -> None:
    await hear(world, account(5, IBANS[0]), account(4, IBANS[1]), account(6, IBANS[0]))
    world.later(3)
    assert iban(world) == IBANS[0]
    await hear(world, account(5, IBANS[1]))
    world.later(3)
    assert iban(world) == IBANS[0]


async def test_the_accounts_cannot_say_an_account_that_its_fund_did_not_sign(world: FundWorld) -> None:
    bent = (
        account(1, IBANS[0], iban=IBANS[1]),
        account(1, IBANS[0], name="FONDS D'UN AUTRE"),
        account(1, IBANS[0], signed=account(1, IBANS[0], SECOND).signed),
        account(1, IBANS[0], territory="200046977"),
        account(1, IBANS[0], signed=b"\xc0"),
        account(1, "", signed=account(1, IBANS[0]).signed),
        account(1, IBANS[0], territory=BREST),
    )
    for one in bent:
        await hear(world, one)
        assert world.book.read_now(lambda line: load_card_words(line, world.now)) == [], one


async def test_an_older_word_of_that_fund_never_comes_back_on_a_newer_card(world: FundWorld) -> None:
    first = account(1, IBANS[0])
    await hear(world, first, account(2, IBANS[1]))
    world.later(3)
    assert iban(world) == IBANS[1]
    await hear(world, structs.replace(first, number=3))
    world.later(3)
    assert iban(world) == IBANS[1]


async def test_only_the_accounts_tell_of_cards(world: FundWorld) -> None:
    await hear(world, account(1, IBANS[0]), decider(1, FIRST), sender=BaseName.PARTNERS)
    assert iban(world) is None
    assert deciding(world) == []


async def test_a_decider_by_card_counts_at_once_and_its_change_after_two_days(world: FundWorld) -> None:
    await hear(world, decider(1, FIRST))
    assert deciding(world) == [FIRST.public]
    await hear(world, decider(2, SECOND))
    assert deciding(world) == [FIRST.public]
    world.later(2.1)
    assert deciding(world) == [SECOND.public]
    assert not world.find_wrongs()


async def test_what_a_person_entered_stands_and_the_difference_is_said(world: FundWorld) -> None:
    world.write(world.fund.dues.add_deciders, Decider(territory=QUIMPER, keys=THIRD.public))
    await hear(world, decider(1, FIRST))
    world.later(3)
    assert deciding(world) == [THIRD.public]
    assert world.book.read_now(lambda line: is_disputed(line, QUIMPER))
    assert not world.find_wrongs(), "it is shown, and does not count as broken"
    world.write(world.fund.dues.revoke_deciders, (QUIMPER, THIRD.public.id))
    assert deciding(world) == [FIRST.public]
    world.write(world.fund.dues.add_deciders, Decider(territory=QUIMPER, keys=FIRST.public))
    world.write(world.fund.dues.revoke_deciders, (QUIMPER, FIRST.public.id))
    assert deciding(world) == [], "a key that a person revoked never counts"


async def test_a_key_that_only_a_card_shows_is_revoked_too(world: FundWorld) -> None:
    await hear(world, decider(1, FIRST))
    revoked = [world.write(world.fund.dues.revoke_deciders, (QUIMPER, key.public.id)) for key in (SECOND, FIRST, FIRST)]
    assert revoked == [0, 1, 0]
    assert deciding(world) == []
    await hear(world, decider(2, SECOND))
    world.later(2.1)
    assert deciding(world) == [SECOND.public], "the next key is another one"
    await hear(world, decider(3, FIRST))
    world.later(2.1)
    assert deciding(world) == []
    world.write(world.fund.dues.add_deciders, Decider(territory=QUIMPER, keys=FIRST.public))
    assert deciding(world) == [FIRST.public], "until a person believes it again"
    assert not world.find_wrongs()


async def test_what_a_person_entered_and_the_card_confirms_changes_with_the_card(world: FundWorld) -> None:
    world.write(world.fund.dues.add_deciders, Decider(territory=QUIMPER, keys=FIRST.public))
    await hear(world, decider(1, FIRST))
    assert deciding(world) == [FIRST.public]
    assert not world.book.read_now(lambda line: is_disputed(line, QUIMPER))
    await hear(world, decider(2, SECOND))
    world.later(2.1)
    assert deciding(world) == [SECOND.public]


async def test_our_own_account_is_told_once_and_again_when_it_changed(world: FundWorld) -> None:
    cards = world.fund.cards
    assert [world.write(cards.publish, shown) for shown in (True, True, False, False, True)] == [
        *(True, False, True, False, True)
    ]
    await world.settle()
    told = [one for one in answers(world, BaseName.ACCOUNTS) if isinstance(one, SettlementPublished)]
    fund = [world.keys[str(BaseName.FUND)].public]
    read = [verify_settlement(decode_settlement(one.signed), fund, BREST) for one in told]
    assert [one.iban != "" for one in read] == [True, False, True]
    assert read[0].number < read[1].number < read[2].number
    assert (read[0].name, read[0].iban) == ("FONDS DU PONANT", world.fund.settings.account.iban)
    assert not world.find_wrongs()
