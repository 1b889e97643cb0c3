"""Configuration: TOML text into a frozen struct, and out again for `init`. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, TypeVar

from protocol.errors import Refusal

if TYPE_CHECKING:  # every command comes here to say NotConfigured; few read a file
    import msgspec

Settings = TypeVar("Settings", bound="msgspec.Struct")


class NotConfigured(Refusal):
    """Facts: reason."""

    code = "not_configured"


def parse_settings(text: str, type_: type[Settings]) -> Settings:
    """Return the settings of a TOML text; unknown names are refused. Raises NotConfigured."""
    import tomllib

    import msgspec

    try:
        return msgspec.convert(tomllib.loads(text), type_)
    except (ValueError, RecursionError, msgspec.ValidationError) as error:  # an endless number, brackets in brackets
        raise NotConfigured(reason=str(error)) from None


def format_settings(settings: msgspec.Struct) -> str:
    """Return the settings as TOML: one name a line."""
    lines = []
    for name in settings.__struct_fields__:
        value: Any = getattr(settings, name)
        written = json.dumps(value, ensure_ascii=False).replace("\x7f", r"\u007f")  # JSON leaves it, TOML refuses it
        lines.append(f"{name} = {written}")
    return "\n".join(lines) + "\n"


# Hosts that nobody but this machine reaches.
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def parse_listen(listen: str) -> tuple[str, int]:
    """Return host and port of `host:port`. Raises NotConfigured."""
    host, _, port = listen.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or len(port) > 5 or int(port) > 65_535:
        raise NotConfigured(reason=f"listen is written host:port, not {listen}")
    return host.strip("[]"), int(port)
