"""The doors of a fund, of a companies' and a projects' office and of people, byte by byte: no shape of what is asked is an
incident.

An input is a request as for the other served targets; `$FUND`, `$OFFICE`, `$PROJECTS` and `$PEOPLE` stand for keys with every
duty. The seeds are made from the steps themselves, so that no door is forgotten. The people's doors are an application of
their own, as where they are served.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from node.desks.fund.steps import FUND_STEPS
from node.desks.partners.steps import PARTNERS_STEPS
from node.desks.people.steps import PEOPLE_STEPS
from node.desks.projects.steps import PROJECTS_STEPS
from node.doors.duties import Duty
from node.doors.steps import Step, Steps
from protocol.identifiers import AccountNumber, format_id, write_address
from protocol.running.logs_service import set_up_logs
from tests.doors.place import DoorsPlace, make_fund_place, make_office_place, make_people_place, make_projects_place
from tests.fund.fund_world import FundWorld
from tests.fuzz.served import Door, fill, frame
from tests.fuzz.targets import NotItself, Run
from tests.governance.world import World as ProjectsWorld
from tests.partners.house import BAKERY, BREST, House
from tests.people.people_world import ANNE, PeopleWorld

_ID: Final = "0193a1c0-0000-7000-8000-000000000001"
# What a field of this name holds where its shape alone would be refused at once.
_PLAUSIBLE: Final = {
    "account": write_address(AccountNumber("7K3F92QX"), BREST),
    "pool": write_address(AccountNumber("7K3F92QX"), BREST),
    "postcode": "29200",
    "years": [["2026-01-01", "2026-12-31"]],
    "siren": str(BAKERY),
    "iban": "FR1420041010050500013M02606",
    "data": "RGF0ZTtNb250YW50",
    "members": [str(BAKERY)],
}
BASES: Final = (
    (FUND_STEPS, b"$FUND"),
    (PARTNERS_STEPS, b"$OFFICE"),
    (PROJECTS_STEPS, b"$PROJECTS"),
    (PEOPLE_STEPS, b"$PEOPLE"),
)


def doors_api() -> Run:
    """Every door of the four bases."""
    set_up_logs(level="critical")
    loop = asyncio.new_event_loop()
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))

    def urls_in(name: str) -> Callable[[str], str]:
        (folder / name).mkdir()
        return lambda book: f"sqlite:///{folder / name / book}.db"

    house = House(urls_in("office"))
    house.enter()
    people = PeopleWorld(urls_in("people"))
    people.found()

    async def begin() -> tuple[list[DoorsPlace], dict[bytes, bytes]]:
        made = [
            make_fund_place(FundWorld(urls_in("fund")), folder / "fund"),
            make_office_place(house, folder / "office"),
            make_projects_place(ProjectsWorld(urls_in("projects")), folder / "projects"),
            make_people_place(people, folder / "people"),
        ]
        words = {}
        for place, (_, word), officer in zip(made, BASES, ("a test", "a test", "a test", format_id(ANNE)), strict=True):
            place.doors._rates._every_ms = 0  # how many calls there may be is not what is looked for
            duties = {duty for step in place.doors.steps.steps for duty in step.duties} - {Duty.COMPANY}
            words[word] = (await place.key(*sorted(duties), officer=officer)).encode()
        return made, words

    places, words = loop.run_until_complete(begin())
    doors = [Door(loop, place.application) for place in places]

    def run(data: bytes) -> None:
        asked = fill(data, words)
        path = asked.split(b" ", 2)[1:2]
        # What names a base is asked of that one; anything else of each: nothing is there, and that is answered too.
        its = [
            door
            for door, (steps, _) in zip(doors, BASES, strict=True)
            if path and path[0].startswith(f"{steps.prefix}/".encode())
        ]
        for door in its or doors:
            _require_problem(door.ask(frame(asked)), asked)

    return run


def _require_problem(answer: bytes, asked: bytes) -> None:
    """A caller gets an answer or a whole problem: never an incident, never our inside."""
    if not answer:
        return  # the line broke before a request was whole
    head, _, body = answer.partition(b"\r\n\r\n")
    if head.split(b" ", 2)[1] == b"500" or b"Traceback" in answer:
        raise NotItself(f"{asked!r:.300} is an incident: {answer!r:.300}")
    if b"application/problem+json" in head and not json.loads(body)["explanation"]:
        raise NotItself(f"{asked!r:.300} is refused without a word: {body!r:.300}")


def seeds() -> Iterator[bytes]:
    """Give out a request for every step, made from what it says that it is asked."""
    for steps, key in BASES:
        for step in steps.steps:
            yield _request(steps, step, key)
        yield f"GET {steps.prefix}/openapi.json\n\n".encode()
        yield f"GET {steps.prefix}/{steps.steps[0].called}\nAuthorization: Bearer cmd_0_0\n\n".encode()


def _request(steps: Steps, step: Step, key: bytes) -> bytes:
    asked: dict[str, Any] = {} if step.asks is None else make_example(step.asks)
    query = f"?{urlencode(asked)}" if asked and (step.reads or step.upload) else ""
    head = f"{'GET' if step.reads else 'POST'} {steps.prefix}/{step.called}{query}\nAuthorization: Bearer "
    body = b"" if step.reads else b"id;kind;account;amount\n" if step.upload else json.dumps(asked).encode()
    return head.encode() + key + b"\nAccept-Language: en\n\n" + body


def make_example(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """Return what a step may be asked: each required field by its shape, and those that may be missing by what they are."""
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(struct):
        if not field.required:
            continue
        named = _PLAUSIBLE.get(field.encode_name)
        found[field.encode_name] = _make_value(msgspec.inspect.type_info(field.type)) if named is None else named
    return found


def _make_value(kind: Any) -> Any:
    match kind:
        case msgspec.inspect.StructType():
            return make_example(kind.cls)
        case msgspec.inspect.EnumType():
            return next(iter(kind.cls)).value
        case msgspec.inspect.LiteralType():
            return kind.values[0]
        case msgspec.inspect.UnionType():
            return _make_value(kind.types[0])
        case msgspec.inspect.DictType():
            return {}
        case msgspec.inspect.BoolType():
            return False
        case msgspec.inspect.IntType():
            return 2026 if kind.ge == 2000 else kind.ge or 0
        case msgspec.inspect.BytesType():
            return "eA=="
        case msgspec.inspect.ListType():
            return [_make_value(kind.item_type)]
        case msgspec.inspect.TupleType():
            return [_make_value(one) for one in kind.item_types]
        case msgspec.inspect.StrType():
            return _make_text(kind)
    raise ValueError(f"no example of {kind}")


def _make_text(kind: msgspec.inspect.StrType) -> str:
    if kind.min_length == len(_ID):
        return _ID
    for example in ("2026-11-24", "12-31", "a" * 64, _ID.replace("-", ""), str(BAKERY), "FR", "ab"):
        if kind.pattern is not None and re.search(kind.pattern, example):
            return example
    return "x"
