"""The shape of everything that is sent, as text: names, order, tags and bounds of fields.

`python -m tests.protocol.wire_shapes` writes it to wire_shapes.txt. Whoever changes that file changes the wire: parties
that run the version before must still understand, or the version must change with it (SPEC.md).
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import inspect as shapes

from protocol import (
    catalogue,
    directory,
    envelopes,
    evidence,
    messages,
    national,
    national_file,
    publications,
    territory_card,
)
from protocol.running import invitations

FILE: Final = Path(__file__).with_suffix(".txt")


def describe() -> str:
    """Return one line a struct and one a field."""
    lines: list[str] = []
    for module in (
        messages,
        envelopes,
        directory,
        national,
        evidence,
        invitations,
        national_file,
        territory_card,
        catalogue,
        publications,
    ):
        for kind in vars(module).values():
            if inspect.isclass(kind) and issubclass(kind, msgspec.Struct) and kind.__module__ == module.__name__:
                lines += _describe_struct(kind)
    return "\n".join(lines) + "\n"


def _describe_struct(kind: type[msgspec.Struct]) -> Iterator[str]:
    info = shapes.type_info(kind)
    assert isinstance(info, shapes.StructType)
    yield f"{kind.__name__}{'' if info.tag is None else f' #{info.tag}'}"
    for field in info.fields:
        yield f"    {field.name}: {_describe(field.type)}"


def _describe(info: shapes.Type) -> str:
    match info:
        case shapes.StructType(cls=kind):
            return kind.__name__
        case shapes.UnionType(types=types):
            return " | ".join(map(_describe, types))
        case shapes.VarTupleType(item_type=item):
            return f"[{_describe(item)}]{_bounds(info)}"
        case shapes.TupleType(item_types=items):
            return f"({', '.join(map(_describe, items))})"
        case shapes.Metadata(type=inner):
            return _describe(inner)
    return f"{type(info).__name__.removesuffix('Type').lower()}{_bounds(info)}"


def _bounds(info: Any) -> str:
    named = {
        name: getattr(info, name, None) for name in ("ge", "gt", "le", "lt", "min_length", "max_length", "pattern")
    }
    told = [f"{name}={value}" for name, value in named.items() if value is not None]
    return f" ({', '.join(told)})" if told else ""


if __name__ == "__main__":
    FILE.write_text(describe())
