"""One description of each step of a base: the command, what goes in and comes out, and whose duty it is. Pure.

The same description makes the HTTP door, its OpenAPI, and what a test holds the command's answer against. A step that only
reads is a GET whose query is `asks`; any other is a POST with `asks` as JSON, or, where it takes a file, with the file as
body and `asks` as query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import Struct

from node.doors.duties import Duty
from protocol.running.openapi import Api, Route, describe_api

BYTES: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAnswer:
    """The part of an answer that is given as a file to whoever accepts its media type. `name` may name parts in braces."""

    part: str
    media: str
    name: str
    is_base64: bool = False
    charset: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """The body is a file, given to the command as this argument: as base64, or where `is_kept` as a file's path."""

    argument: str
    bytes_max: int
    is_kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of one base. `of_company` is the field by which one knows whose it is: without it, a key that is bound to a
    company may not take the step. `shows` is the command that tells how far a long one is, its argument, and the field of ours that fills it.
    `by` is the field that says who does it: the officer of the key, whether it is given or not. `passes` says under which
    other name the command takes a field.
    """

    command: str
    summary: str
    answers: type[Struct]
    duties: tuple[Duty, ...]
    asks: type[Struct] | None = None
    reads: bool = False
    name: str = ""
    file: FileAnswer | None = None
    upload: Upload | None = None
    of_company: str = ""
    by: str = ""
    passes: tuple[tuple[str, str], ...] = ()
    shows: tuple[str, str, str] | None = None  # the command, its argument, and ours that says it

    @property
    def called(self) -> str:
        """How the door is called."""
        return (self.name or self.command).replace("_", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """All steps of a base, and which commands have no door, with the reason."""

    prefix: str
    steps: tuple[Step, ...]
    without: Mapping[str, str]
    api: Api

    def make_route(self, step: Step) -> Route:
        """Return how the door is described."""
        is_body = not step.reads and step.upload is None
        return Route(
            method="GET" if step.reads else "POST",
            path=f"{self.prefix}/{step.called}",
            name=step.called.replace("-", "_"),
            summary=step.summary,
            scope=", ".join(step.duties),
            body=step.asks if is_body else None,
            asks=None if is_body else step.asks,
            answers=(step.answers,),
            upload="" if step.upload is None else BYTES,
            files=() if step.file is None else (step.file.media,),
            waits=step.shows is not None,
            limited=True,
            is_problem=True,
        )

    def describe(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        return describe_api([self.make_route(step) for step in self.steps], self.api)


def write_asked(step: Step, asked: Struct | None) -> dict[str, Any]:
    """Return the arguments of a command from what was read: what was not given is not there."""
    told: dict[str, Any] = {} if asked is None else msgspec.to_builtins(asked)
    for ours, its in step.passes:
        if ours in told:
            told[its] = told.pop(ours)
    return told


def fit_answer(step: Step, told: Any) -> Struct:
    """Return what a command answered as the struct that says so: a list as its `rows`."""
    fitted: Struct = msgspec.convert({"rows": told} if isinstance(told, list) else told, type=step.answers)
    return fitted


def find_missing(steps: Steps, commands: Sequence[str]) -> tuple[set[str], set[str]]:
    """Return which commands are neither a step nor named as one without a door, and which names are no command's."""
    named = {step.command for step in steps.steps} | set(steps.without)
    named |= {step.shows[0] for step in steps.steps if step.shows is not None}
    return set(commands) - named, named - set(commands)
