"""What the operator of the people's base sets: `people.toml`. Pure."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from node.people.paper_codes import Cost


class PeopleSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`zone`: whose days count. `database` empty: `people.db` in the folder. `paper_…`: what one try of a code costs.

    `doors`: host:port of the base's doors, an address of their own; empty: it has none. Away from the machine itself they
    speak TLS: a name never travels bare.
    """

    zone: str = "Europe/Paris"
    paper_passes: Annotated[int, Meta(ge=1, le=20)] = 2
    paper_memory_kib: Annotated[int, Meta(ge=8, le=1_048_576)] = 19_456
    database: str = ""
    passphrase_file: str = ""
    doors: str = ""
    tls_certificate: str = ""
    tls_key: str = ""

    @property
    def cost(self) -> Cost:
        return Cost(self.paper_passes, self.paper_memory_kib * 1_024)
