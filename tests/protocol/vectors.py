"""The vector files as Python values, for every test that reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "protocol" / "vectors"


def load(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def from_tree(value: Any) -> Any:
    """Return the value that a JSON tree stands for: bytes and long integers are written as small objects."""
    if isinstance(value, list):
        return [from_tree(item) for item in value]
    if isinstance(value, dict):
        if "hex" in value:
            return bytes.fromhex(value["hex"])
        if "int" in value:
            return int(value["int"])
        return {key: from_tree(item) for key, item in value["map"]}
    return value


def unhex(parts: list[str]) -> list[bytes]:
    return [bytes.fromhex(part) for part in parts]
