"""Where a house keeps its file and its bases' keys.

house.toml        who the bases are
keys/             the accounts' keys (those of the node)
fund/             the fund's folder: fund.toml, fund.db, keys/
partners/         the companies' folder: partners.toml, partners.db, keys/
projects/         the projects' folder: projects.toml, projects.db, keys/
people/           the people's folder: people.toml, people.db, keys/, keys/base/
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from node.house.cards import Card
from node.house.settings import FOLDERS, KEYS_MAX, HouseSettings, Neighbour, format_house, read_keys, write_keys
from protocol.exchange.peer_keys import use_as_current
from protocol.house import BaseName
from protocol.identifiers import TerritoryCode
from protocol.keys import InvalidKey, Keyring
from protocol.running.keys_store import load_keyring, set_current, write_private
from protocol.running.settings import NotConfigured, parse_settings

FILE: Final = "house.toml"


def base_folder(folder: Path, base: BaseName) -> Path:
    """Return the folder of a base: the node's own for the accounts."""
    return folder if base is BaseName.ACCOUNTS else folder / FOLDERS[base]


def find_house(folder: Path) -> HouseSettings | None:
    """Return the house of a folder, or None where there is none. Raises NotConfigured."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return parse_settings(text, HouseSettings)


def load_house(folder: Path) -> HouseSettings:
    """Raises NotConfigured."""
    found = find_house(folder)
    if found is None:
        raise NotConfigured(reason=f"no {FILE} in {folder}: run node fund, partners, projects or people init first")
    return found


def save_house(folder: Path, settings: HouseSettings) -> None:
    write_private(folder / FILE, format_house(settings).encode())


def take_card(folder: Path, settings: HouseSettings, card: Card, url: str | None = None) -> HouseSettings:
    """Keep a base's card; a newer key of a base that is known comes after the older. Raises InvalidKey."""
    if card.territory != settings.territory:
        raise InvalidKey(reason=f"a card of {card.territory}, and this is the house of {settings.territory}")
    if card.base not in tuple(BaseName):
        raise InvalidKey(reason=f"{card.base} is no base of a house")
    before = settings.bases.get(card.base)
    written = write_keys(card.keys)
    keys = [written] if before is None else [*(key for key in before.keys if key != written), written][-KEYS_MAX:]
    where = url if url is not None else ("" if before is None else before.url)
    bases = {**settings.bases, card.base: Neighbour(keys=keys, url=where)}
    changed = msgspec.structs.replace(settings, bases=bases)
    save_house(folder, changed)
    return changed


def make_card(territory: TerritoryCode | str, base: BaseName, keyring: Keyring) -> Card:
    public = keyring.current.public
    return Card(territory, base, public.signing, public.sealing)


def load_base_keys(folder: Path, base: BaseName, passphrase: bytes | None) -> Keyring:
    """Return a base's own keys. Raises KeysUnusable."""
    return load_keyring(base_folder(folder, base) / "keys", passphrase)


def choose_house_keys(house: HouseSettings | None, base: BaseName, keyring: Keyring) -> Keyring:
    """Return a base's keys, signing with those that its neighbours know: the newest of its own entry in house.toml.

    The accounts' keys change with the hub too: in the house the new ones sign once they are announced there.
    """
    own = None if house is None else house.bases.get(base)
    for public in [] if own is None else reversed(read_keys(own)):
        if keyring.find(public.id) is not None:
            return use_as_current(keyring, public.id)
    return keyring


def settle_house_keys(folder: Path, base: BaseName, keyring: Keyring) -> None:
    """See that the folder says what the base's book announced: which keys sign in the house from now on."""
    house = load_house(folder)
    if choose_house_keys(house, base, keyring).current != keyring.current or base not in house.bases:
        house = take_card(folder, house, make_card(house.territory, base, keyring))
    where = base_folder(folder, base) / "keys"
    if base is not BaseName.ACCOUNTS:  # theirs are the node's own, and the hub is told of those
        set_current(where, keyring.current)


def find_local(folder: Path) -> list[BaseName]:
    """Return the bases whose keys lie in this folder."""
    found = []
    for base in BaseName:
        where = base_folder(folder, base)
        is_accounts = base is BaseName.ACCOUNTS
        if (where / "keys" / "current").exists() and (not is_accounts or (folder / "node.toml").exists()):
            found.append(base)
    return found
