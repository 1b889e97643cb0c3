"""The OpenAPI documents held to their bases by schemathesis: what fits them and what does not, on every door.

A base in which nothing is there answers most steps by a refusal. That is a test of what goes in: that no shape of it is an
incident, that each refusal is a problem as described. What comes out is looked at where each step is taken, in
the tests of each base's doors. What does not fit is asked of one door in three (the fuzzer's corpus asks the rest): with
`EXAMPLES=20` in the environment each door is asked so often of both kinds.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from node.desks.fund.steps import FUND_STEPS
from node.desks.partners.steps import PARTNERS_STEPS
from node.desks.people.steps import PEOPLE_STEPS
from node.desks.projects.steps import PROJECTS_STEPS
from node.doors.duties import Duty
from node.doors.rates import BURST
from protocol.identifiers import format_id
from tests.doors.place import DoorsPlace, make_fund_place, make_office_place, make_people_place, make_projects_place
from tests.fund.fund_world import FundWorld
from tests.governance.world import World as ProjectsWorld
from tests.partners.house import House
from tests.people.people_world import ANNE, PeopleWorld

EXAMPLES = int(os.environ.get("EXAMPLES", "1"))
MISFITS_EVERY = 3 if EXAMPLES == 1 else 1
BASES = {"fund": FUND_STEPS, "office": PARTNERS_STEPS, "projects": PROJECTS_STEPS, "people": PEOPLE_STEPS}


class Served:
    """The doors of a base on an event loop of their own, so that whoever calls may wait."""

    def __init__(self, make: Callable[[], tuple[Any, DoorsPlace]], officer: str = "a test") -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.world, self.place = self._run(self._open(make))
        self.place.doors._rates._done_at = {}
        duties = {duty for step in self.place.doors.steps.steps for duty in step.duties} - {Duty.COMPANY}
        self.key = self._run(self.place.key(*sorted(duties), officer=officer))
        self.url = str(self.place.server.make_url("")).rstrip("/")
        self.session = requests.Session()

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _open(self, make: Callable[[], tuple[Any, DoorsPlace]]) -> tuple[Any, DoorsPlace]:
        world, place = make()
        await place.open()
        return world, place

    def rest(self) -> None:
        """Work off the calls: what is tested is not how many there may be."""
        self.place.doors._rates._done_at.clear()

    def close(self) -> list[Any]:
        self.session.close()
        self._run(self.place.close())
        wrongs: list[Any] = self.world.find_wrongs()
        self.world.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        return wrongs


def _make(base: str, folder: Path) -> tuple[Any, DoorsPlace]:
    def url_of(name: str) -> str:
        return f"sqlite:///{folder / name}.db"

    if base == "fund":
        world = FundWorld(url_of)
        return world, make_fund_place(world, folder)
    if base == "projects":
        projects = ProjectsWorld(url_of)
        return projects, make_projects_place(projects, folder)
    if base == "people":
        people = PeopleWorld(url_of)
        people.found()
        return people, make_people_place(people, folder)
    house = House(url_of)
    house.enter()
    return house, make_office_place(house, folder)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Served]]:
    made = {
        base: Served(
            partial(_make, base, tmp_path_factory.mktemp(base)), format_id(ANNE) if base == "people" else "a test"
        )
        for base in BASES
    }
    yield made
    assert [one.close() for one in made.values()] == [[]] * len(BASES)


def _operations() -> list[Any]:
    found = []
    for base, steps in BASES.items():
        schema = schemathesis.openapi.from_dict(steps.describe())
        found += [(base, one.ok()) for one in schema.get_all_operations()]
    return [
        pytest.param(base, one, number % MISFITS_EVERY == 0, id=one.path.removeprefix("/v1/"))
        for number, (base, one) in enumerate(found)
    ]


@pytest.mark.parametrize(("base", "operation", "also_misfits"), _operations())
def test_whatever_is_asked_is_answered_as_the_description_says(
    served: dict[str, Served], base: str, operation: Any, also_misfits: bool
) -> None:
    one = served[base]
    one.rest()
    asked = 0

    def call_many(mode: GenerationMode) -> None:
        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )
        def call(case: Any) -> None:
            nonlocal asked
            asked += 1
            response = case.call_and_validate(
                base_url=one.url,
                session=one.session,
                headers={"Authorization": f"Bearer {one.key}"},
                # No schema can say check symbols, days of a calendar, or what the books hold: such a call may be refused.
                excluded_checks=[positive_data_acceptance],
            )
            assert response.status_code < 500 or response.status_code == 503

        call()

    call_many(GenerationMode.POSITIVE)
    if also_misfits and (operation.body or operation.query):
        call_many(GenerationMode.NEGATIVE)
    assert 0 < asked < BURST
