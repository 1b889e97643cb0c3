"""What commands read of a person's own files: JSON of a bounded size, a file's digest, keys that no base holds."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from protocol.keys import SecretKeys
from protocol.running.keys_store import find_passphrase, load_keyring
from protocol.running.settings import NotConfigured

_PIECE: Final = 256 * 1024


def read_json(file: Path, bytes_max: int) -> Any:
    """Return what a JSON file holds. Raises NotConfigured."""
    if file.stat().st_size > bytes_max:
        raise NotConfigured(reason=f"{file.name} is larger than {bytes_max} bytes")
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise NotConfigured(reason=f"{file.name} is not JSON") from None


def hash_file(file: Path) -> str:
    """Return the SHA-256 of a file of any size, as hexadecimal digits."""
    digest = hashlib.sha256()
    with file.open("rb") as data:
        while piece := data.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def own_keys(keys: Path) -> SecretKeys:
    """Return the keys of who signs, of a folder of its own. Raises KeysUnusable."""
    return load_keyring(keys, find_passphrase("")).current
