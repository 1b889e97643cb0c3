"""What is true of every value of the protocol, whatever it is: it cannot change, and its refusals are known words."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from pathlib import Path
from types import ModuleType
from typing import Final

import msgspec
import pytest

import protocol.errors
from protocol.errors import Refusal
from protocol.running.explanations import SENTENCES

# Every file of the protocol's own folder: what touches the world lies in folders below.
PURE: Final = tuple(
    sorted(path.stem for path in Path(protocol.errors.__file__).parent.glob("*.py") if path.stem != "__init__")
)
# States that one function advances in place, leaf by leaf: copies would cost more than all the rest.
ADVANCED_IN_PLACE: Final = frozenset({"NationalFileReplay", "Positions", "Replay"})


@pytest.fixture(params=PURE)
def module(request: pytest.FixtureRequest) -> ModuleType:
    return importlib.import_module(f"protocol.{request.param}")


def _classes(module: ModuleType) -> list[type]:
    return [thing for thing in vars(module).values() if inspect.isclass(thing) and thing.__module__ == module.__name__]


def test_a_value_cannot_change(module: ModuleType) -> None:
    for kind in _classes(module):
        if dataclasses.is_dataclass(kind):
            is_frozen = kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
            assert is_frozen == (kind.__name__ not in ADVANCED_IN_PLACE), kind
            assert "__slots__" in vars(kind), kind
        if issubclass(kind, msgspec.Struct):
            assert kind.__struct_config__.frozen, kind
            assert kind.__struct_config__.array_like, kind


def test_a_refusal_has_a_code_of_its_own_that_is_explained(module: ModuleType) -> None:
    for kind in _classes(module):
        if issubclass(kind, Refusal):
            assert "code" in vars(kind), kind
            assert kind.code in SENTENCES, kind


def test_no_two_refusals_share_a_code() -> None:
    kinds = [kind for name in PURE for kind in _classes(importlib.import_module(f"protocol.{name}"))]
    codes = [kind.code for kind in kinds if issubclass(kind, Refusal)]
    assert len(set(codes)) == len(codes)
