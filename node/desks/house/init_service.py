"""Making the house of a folder, and the keys of its bases."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.exc import ArgumentError

from node.house.cards import Card
from node.house.folders_store import (
    base_folder,
    choose_house_keys,
    find_house,
    load_base_keys,
    make_card,
    save_house,
    take_card,
)
from node.house.settings import HouseSettings
from protocol.book.store import require_driver
from protocol.house import BaseName
from protocol.identifiers import require_territory
from protocol.running import clock_service
from protocol.running.keys_store import create_keys, find_passphrase, load_keyring
from protocol.running.settings import NotConfigured


def open_folder_house(folder: Path, territory: str = "", listen: str = "127.0.0.1:8462") -> HouseSettings:
    """Return the folder's house, made now where there is none: with the accounts in it where the node lives here.

    Raises NotConfigured where no node lives here and no territory is said.
    """
    known = find_house(folder)
    if known is not None:
        return known
    if (folder / "node.toml").exists():
        from node.app import load_config

        config = load_config(folder)
        house = HouseSettings(territory=config.territory, bases={}, listen=config.listen)
        keyring = load_base_keys(folder, BaseName.ACCOUNTS, find_passphrase(config.passphrase_file))
        return take_card(folder, house, make_card(config.territory, BaseName.ACCOUNTS, keyring))
    if not territory:
        raise NotConfigured(reason="no node lives here: say --territory")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    house = HouseSettings(territory=require_territory(territory), bases={}, listen=listen)
    save_house(folder, house)
    return house


def read_own_card(folder: Path, base: BaseName) -> Card:
    """Return the card of a base that lives in a folder. Raises KeysUnusable, NotConfigured."""
    from node.app import load_config

    passphrase = find_passphrase(load_config(folder).passphrase_file if (folder / "node.toml").exists() else "")
    house = find_house(folder)
    keyring = choose_house_keys(house, base, load_base_keys(folder, base, passphrase))
    territory = load_config(folder).territory if house is None else house.territory
    return make_card(territory, base, keyring)


def take_other_card(folder: Path, card: Card, url: str) -> None:
    """Enter a base that is kept elsewhere in the house of a folder. Raises InvalidKey, NotConfigured."""
    take_card(folder, open_folder_house(folder), card, url)


def add_base(folder: Path, base: BaseName, house: HouseSettings, *, database: str, passphrase_file: str) -> Card:
    """Make a base's folder and keys, where an earlier init did not, and enter it in the house. Raises NotConfigured."""
    if database:
        try:
            require_driver(database)
        except (ArgumentError, ValueError) as error:
            raise NotConfigured(reason=str(error)) from None
    where = base_folder(folder, base)
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    passphrase = find_passphrase(passphrase_file)
    if not (where / "keys" / "current").exists():
        create_keys(where / "keys", passphrase, clock_service.entropy(64))
    card = make_card(house.territory, base, load_keyring(where / "keys", passphrase))
    take_card(folder, house, card)
    return card
