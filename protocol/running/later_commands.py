"""Groups of commands that are loaded where they are named: `--help` and the others' commands need not wait for them.

A group that is only listed is told by its words, which stand where it is added; a test holds them to its own.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from typer import Context, Typer
from typer.core import TyperGroup
from typer.main import get_group


@dataclass(frozen=True, slots=True)
class LaterGroup:
    """`place` is written module:attribute, as an entry point is."""

    place: str
    words: str

    def load(self) -> Typer:
        """Return the group itself."""
        module, _, attribute = self.place.partition(":")
        found: Typer = getattr(importlib.import_module(module), attribute)
        return found


@cache
def _build(group: LaterGroup, name: str) -> TyperGroup:
    """Return a group with all its commands: to put them together takes longer than most of them run."""
    command = get_group(group.load())
    command.name = name
    return command


def group_of(**later: LaterGroup) -> type[TyperGroup]:
    """Return the class of a group that has these besides its own commands; for `Typer(cls=...)`."""

    class Group(TyperGroup):
        groups: ClassVar = later

        def list_commands(self, ctx: Context) -> list[str]:  # type: ignore[override]
            return [*super().list_commands(ctx), *self.groups]

        def get_command(self, ctx: Context, cmd_name: str) -> Any:  # type: ignore[override]
            """Return a command to be listed: of a later group its name and words."""
            if cmd_name in self.groups:
                return TyperGroup(name=cmd_name, help=self.groups[cmd_name].words)
            return super().get_command(ctx, cmd_name)

        def resolve_command(self, ctx: Context, args: list[str]) -> Any:  # type: ignore[override]
            """Return the command that is called, loaded."""
            name, command, rest = super().resolve_command(ctx, args)
            if name in self.groups:
                command = _build(self.groups[name], name)
            return name, command, rest

    return Group
