"""The operator's keys as files: one for each, in `operators/` beside hub.toml. A key that is ended is ended with the next call."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from msgspec import structs

from hub.operators.keys import OperatorKey, OperatorKeyNotKnown, OperatorKeyUnknown, require_key_id
from protocol.running.keys_store import write_private
from protocol.running.settings import NotConfigured

FOLDER: Final = "operators"


def save_operator_key(folder: Path, key: OperatorKey) -> None:
    """Keep a key in the hub's folder."""
    where = folder / FOLDER
    where.mkdir(mode=0o700, exist_ok=True)
    write_private(where / f"{key.id}.json", msgspec.json.encode(key))


def load_operator_key(folder: Path, id_: str) -> OperatorKey:
    """Return the key of an id that was read as one. Raises OperatorKeyNotKnown, NotConfigured."""
    file = folder / FOLDER / f"{id_}.json"
    try:
        return msgspec.json.decode(file.read_bytes(), type=OperatorKey)
    except FileNotFoundError:
        raise OperatorKeyNotKnown from None
    except (OSError, msgspec.DecodeError) as error:
        raise NotConfigured(reason=f"{file}: {error}") from None


def list_operator_keys(folder: Path) -> list[OperatorKey]:
    """Return all keys, the oldest first. Raises NotConfigured."""
    found = [load_operator_key(folder, file.stem) for file in (folder / FOLDER).glob("*.json")]
    return sorted(found, key=lambda one: (one.since, one.id))


def revoke_operator_key(folder: Path, id_: str, at: str) -> OperatorKey:
    """End a key and return it; one that was ended before keeps its instant. Raises OperatorKeyUnknown."""
    try:
        key = load_operator_key(folder, require_key_id(id_))
    except OperatorKeyNotKnown:
        raise OperatorKeyUnknown(key=id_[:40]) from None
    if not key.revoked:
        key = structs.replace(key, revoked=at)
        save_operator_key(folder, key)
    return key
