"""A base's card is read back as it was written, or refused with the reason; the house's file likewise."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.house.cards import Card, compute_fingerprint, format_card, parse_card
from node.house.folders_store import load_house, save_house, take_card
from node.house.settings import HouseSettings, Neighbour, read_keys, read_neighbours, write_keys
from protocol.house import BaseName
from protocol.keys import InvalidKey, make_keys
from protocol.running.settings import NotConfigured

BREST = "242900314"


def _card(seed: int, base: str = BaseName.FUND, territory: str = BREST) -> Card:
    public = make_keys(bytes([seed]) * 64).public
    return Card(territory, base, public.signing, public.sealing)


def test_a_card_is_read_back_from_a_letter_with_blanks_and_capitals() -> None:
    text = format_card(_card(1))
    assert text.startswith("cmb1-")
    assert parse_card(text) == _card(1)
    assert parse_card("  " + text[:40].upper() + "\n " + text[40:]) == _card(1)


def test_every_symbol_of_a_card_counts() -> None:
    text = format_card(_card(1))
    for at in range(5, len(text)):
        bent = text[:at] + ("a" if text[at] != "a" else "b") + text[at + 1 :]
        with pytest.raises(InvalidKey):
            parse_card(bent)
    for wrong in ("", "cmb1-", "cm1-" + text[5:], text[:-1], text + "a"):
        with pytest.raises(InvalidKey):
            parse_card(wrong)


def test_a_fingerprint_is_that_of_one_card() -> None:
    told = {compute_fingerprint(card) for card in (_card(1), _card(2), _card(1, BaseName.PARTNERS))}
    assert len(told) == 3
    assert all(len(text) == 39 and text.count("-") == 7 for text in told)


def test_the_house_file_is_read_back_and_a_newer_key_comes_last(tmp_path: Path) -> None:
    house = HouseSettings(territory=BREST, bases={}, listen="127.0.0.1:1")
    save_house(tmp_path, house)
    house = take_card(tmp_path, house, _card(1), "https://fund.example")
    house = take_card(tmp_path, house, _card(2))
    assert load_house(tmp_path) == house
    assert house.bases[BaseName.FUND].url == "https://fund.example"
    assert read_keys(house.bases[BaseName.FUND]) == [_card(1).keys, _card(2).keys]
    assert read_neighbours(house).require_active(BaseName.FUND).keys[-1] == _card(2).keys
    assert take_card(tmp_path, house, _card(1)).bases[BaseName.FUND].keys[-1] == write_keys(_card(1).keys)


def test_a_card_of_another_territory_or_of_no_base_is_not_taken(tmp_path: Path) -> None:
    house = HouseSettings(territory=BREST, bases={})
    for card in (_card(1, territory="200046977"), _card(1, base="SOMEBODY")):
        with pytest.raises(InvalidKey):
            take_card(tmp_path, house, card)
    assert not (tmp_path / "house.toml").exists()


def test_keys_that_are_none_and_a_file_that_is_missing_are_said(tmp_path: Path) -> None:
    for keys in ("zz", "00" * 63):
        with pytest.raises(InvalidKey):
            read_keys(Neighbour(keys=[keys]))
    with pytest.raises(NotConfigured):
        load_house(tmp_path)
