"""The tills' API held to its own OpenAPI document by schemathesis: what fits it and what does not, on every door."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from node.desks.partners.tills_api import API, DOORS
from node.partners.ceilings import FiscalYear
from node.partners.companies_service import NamedYears
from protocol.running.openapi import describe_api
from tests.node.counter import Counter
from tests.partners.house import BAKERY, TODAY, House

DOCUMENT = describe_api([route for route, _ in DOORS], API)
EXAMPLES = 15


class Served:
    """The API on an event loop of its own, so that whoever calls may wait."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.reached: set[tuple[str, str]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.counter: Counter = self._run(self._open())
        self.account = self._run(self._name_account())
        self.ticket = self._run(self._sell_ticket())
        self.coupons = {path: self._run(self._issue_coupon()) for path in ("use", "withdraw", "")}
        self.url = str(self.counter.server.make_url("")).rstrip("/")

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _open(self) -> Counter:
        counter = await Counter.open(House(lambda name: f"sqlite:///{self._folder / name}.db"))
        year = FiscalYear(starts_on=TODAY.replace(month=1, day=1), ends_on=TODAY.replace(month=12, day=31))
        house = counter.house
        house.write(house.partners.companies.save_years, NamedYears(siren=BAKERY, years=(year,)))
        return counter

    async def _name_account(self) -> str:
        return self.counter.person()

    async def _sell_ticket(self) -> str:
        told = await self.counter.sell("a ticket", None, 5_000)
        return str(told.json["ticket"])

    async def _issue_coupon(self) -> str:
        counter = self.counter
        told = await counter.call("POST", "/coupons", counter.coupon(), key=counter.office)
        return str(told.json["id"])

    def make_plausible(self, case: Any) -> None:
        """Put what exists where a call names something, so that calls that fit also get through."""
        counter = self.counter
        if isinstance(case.body, dict):
            known = {"campaign": counter.campaign, "account": self.account, "ticket": self.ticket}
            known |= {"purchase": "a ticket", "sent_at": counter.now(), "at": counter.now()}
            known |= {"valid_from": TODAY.isoformat(), "valid_to": TODAY.isoformat(), "words": "Un pain"}
            for part in [case.body, *case.body.get("items", [])]:
                part |= {name: value for name, value in known.items() if name in part}
            if "occasion" in case.body and not case.body.get("cents"):
                case.body |= {"basis_points": 1_000, "cents": None}  # one of them
            elif "occasion" in case.body:
                case.body["basis_points"] = None
        if "after" in (case.query or {}):
            case.query["after"] = self.coupons[""]
        if "coupon" in case.path_parameters:
            case.path_parameters["coupon"] = self.coupons[
                case.path.removeprefix("/v1/partners/coupons/{coupon}").strip("/")
            ]
        if "purchase" in (case.query or {}):
            case.query["purchase"] = "a ticket"
        if "campaign" in case.path_parameters:
            case.path_parameters["campaign"] = counter.campaign
        if "siren" in case.path_parameters:
            case.path_parameters["siren"] = str(BAKERY)

    def close(self) -> list[Any]:
        """Stop, and return what the checks of all bases find."""
        house = self.counter.house
        self._run(self.counter.close())
        self._run(house.exchange())
        wrongs = house.find_wrongs()
        house.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        return wrongs


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(tmp_path_factory.mktemp("counter"))
    yield made
    assert made.close() == []


def _operations() -> list[Any]:
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    return [found.ok() for found in schema.get_all_operations()]


def _has_body(operation: Any) -> bool:
    return any((one.path, one.method) == _door_of(operation) and one.body is not None for one, _ in DOORS)


def _door_of(operation: Any) -> tuple[str, str]:
    return operation.path, operation.method.upper()


def _call_many(served: Served, operation: Any, mode: GenerationMode) -> None:
    [route] = [one for one, _ in DOORS if (one.path, one.method) == _door_of(operation)]
    key = served.counter.office if route.scope == "the company's office" else served.counter.key

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
        if mode is GenerationMode.POSITIVE:
            served.make_plausible(case)
        with requests.Session() as session:
            response = case.call_and_validate(
                base_url=served.url,
                session=session,
                headers={"Authorization": f"Bearer {key}"},
                # No schema can say check symbols, days of a calendar, or what the books hold: such a call may be refused.
                excluded_checks=[positive_data_acceptance],
            )
        if response.status_code < 300:
            served.reached.add(_door_of(operation))

    call()


@pytest.mark.parametrize("operation", _operations(), ids=lambda one: f"{one.method} {one.path}")
def test_what_fits_the_description_is_answered_as_it_says(served: Served, operation: Any) -> None:
    _call_many(served, operation, GenerationMode.POSITIVE)
    assert _door_of(operation) in served.reached, "no call got through: the answer was never looked at"


@pytest.mark.parametrize(
    "operation", [one for one in _operations() if _has_body(one)], ids=lambda one: f"{one.method} {one.path}"
)
def test_what_does_not_fit_the_description_is_refused(served: Served, operation: Any) -> None:
    _call_many(served, operation, GenerationMode.NEGATIVE)
