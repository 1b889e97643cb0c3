"""What the API says of itself is what it does."""

from __future__ import annotations

import json
import re
from typing import Any

from node.api import DOORS
from tests.node.place import Place


def _references(value: Any) -> set[str]:
    return set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(value)))


async def test_every_door_is_described_and_every_reference_leads_somewhere(place: Place) -> None:
    told = (await place.call("GET", "/v1/openapi.json", key="")).json
    assert told["openapi"].startswith("3.1")
    described = {(method.upper(), path) for path, methods in told["paths"].items() for method in methods}
    assert described == {(route.method, route.path) for route, _ in DOORS}
    served = {
        (one.method, one.resource.canonical)
        for one in place.server.app.router.routes()
        if one.resource is not None and one.resource.canonical.startswith("/v1/") and one.method != "HEAD"
    }
    assert served == described
    assert _references(told) <= set(told["components"]["schemas"])
    names = [one["operationId"] for methods in told["paths"].values() for one in methods.values()]
    assert len(names) == len(set(names))


async def test_unknown_fields_and_lists_without_end_are_excluded_by_the_description(place: Place) -> None:
    schemas = (await place.call("GET", "/v1/openapi.json")).json["components"]["schemas"]
    for name in ("CreditRequest", "CessionRequest", "OpenRequest", "CreditItem", "CessionItem"):
        assert schemas[name]["additionalProperties"] is False
    assert schemas["CreditRequest"]["properties"]["items"]["maxItems"] == 1_000
    assert schemas["CreditItem"]["properties"]["cents"]["type"] == "integer"
