"""What an operator sets: `hub.toml` in the hub's folder. Pure."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class HubConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`database` empty: `hub.db` in the folder. `url` is how nodes reach us; it goes into invitations."""

    network: Annotated[str, Meta(min_length=1, max_length=32)]
    code: Annotated[str, Meta(pattern="^HUB-[A-Z]{2}$")]
    name: Annotated[str, Meta(min_length=1, max_length=120)]
    listen: str = "127.0.0.1:8460"
    url: str = "http://127.0.0.1:8460"
    database: str = ""
    tls_certificate: str = ""
    tls_key: str = ""
    passphrase_file: str = ""
    operator: str = ""  # host:port of the operator's doors; empty: there are none
    operator_tls_certificate: str = ""
    operator_tls_key: str = ""
    log_level: str = "info"
