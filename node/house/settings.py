"""Who the bases of a territory are, and where each of them lives: `house.toml`. Pure."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from protocol.directory import Directory
from protocol.house import BaseName, make_neighbours
from protocol.keys import InvalidKey, PublicKeys

KEY_BYTES: Final = 32
KEYS_MAX: Final = 16
FOLDERS: Final = {
    BaseName.ACCOUNTS: "accounts",
    BaseName.FUND: "fund",
    BaseName.PARTNERS: "partners",
    BaseName.PROJECTS: "projects",
    BaseName.PEOPLE: "people",
}


class Neighbour(Struct, frozen=True, forbid_unknown_fields=True):
    """One base. `keys`: signing and sealing key in hexadecimal, the newest last. `url`: where it is called, if it is
    elsewhere and can be; a base elsewhere without one calls us.
    """

    keys: Annotated[list[str], Meta(min_length=1, max_length=KEYS_MAX)]
    url: Annotated[str, Meta(max_length=200)] = ""


class HouseSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The house of a territory. `listen` is for a folder that holds no accounts: those have node.toml."""

    territory: Annotated[str, Meta(min_length=9, max_length=9)]
    bases: dict[str, Neighbour]
    listen: str = "127.0.0.1:8462"
    passphrase_file: str = ""
    log_level: str = "info"


def read_keys(neighbour: Neighbour) -> list[PublicKeys]:
    """Return a base's public keys. Raises InvalidKey."""
    found = []
    for text in neighbour.keys:
        try:
            data = bytes.fromhex(text)
        except ValueError:
            data = b""
        if len(data) != 2 * KEY_BYTES:
            raise InvalidKey(reason="a base's keys are 128 hexadecimal digits")
        found.append(PublicKeys(signing=data[:KEY_BYTES], sealing=data[KEY_BYTES:]))
    return found


def write_keys(keys: PublicKeys) -> str:
    return (keys.signing + keys.sealing).hex()


def read_neighbours(settings: HouseSettings) -> Directory:
    """Return the bases as those who verify each other's slips. Raises InvalidKey."""
    return make_neighbours({code: read_keys(one) for code, one in settings.bases.items()})


def format_house(settings: HouseSettings) -> str:
    """Return the settings as TOML."""
    lines = [
        f'territory = "{settings.territory}"',
        f'listen = "{settings.listen}"',
        f'passphrase_file = "{settings.passphrase_file}"',
        f'log_level = "{settings.log_level}"',
    ]
    for code, one in sorted(settings.bases.items()):
        keys = ", ".join(f'"{key}"' for key in one.keys)
        lines += ["", f'[bases."{code}"]', f"keys = [{keys}]", f'url = "{one.url}"']
    return "\n".join(lines) + "\n"
