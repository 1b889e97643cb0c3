"""What a municipality sets: `node.toml` in the node's folder. Pure."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class NodeConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`database` empty: `accounts.db` in the folder. `hub_url` empty: the node takes part by file only."""

    network: Annotated[str, Meta(min_length=1, max_length=32)]
    territory: Annotated[str, Meta(min_length=9, max_length=9)]
    name: Annotated[str, Meta(min_length=1, max_length=120)]
    listen: str = "127.0.0.1:8461"
    hub_url: str = ""
    database: str = ""
    tls_certificate: str = ""
    tls_key: str = ""
    passphrase_file: str = ""
    log_level: str = "info"
    back_off_ceiling_ms: Annotated[int, Meta(ge=100, le=3_600_000)] = 900_000
    hub_wait_ms: Annotated[int, Meta(ge=100, le=25_000)] = 25_000  # how long a call waits at the hub for news
    hub_silence_ms: Annotated[int, Meta(ge=200, le=600_000)] = 15_000  # past that wait: then the line counts as dead
    people_min: Annotated[int, Meta(ge=3, le=1_000)] = (
        10  # public counts of solidarity, and what companies are told, are silent on fewer people
    )
    catalogue_minutes: Annotated[int, Meta(ge=1, le=1_440)] = 15  # how often cards and catalogues are looked after
