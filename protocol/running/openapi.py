"""The API described as OpenAPI 3.1, from the same structs that read the requests and write the answers. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

# What may stand in a query, and what it is.
QUERY: Final[Mapping[str, tuple[str, str]]] = {
    "after": ("string", "the id after which to go on, as the page before said"),
    "account": ("string", "an account of this territory, by number or address"),
    "address": ("string", "an account anywhere, XXXX-XXXX-C@TERRITORY"),
    "at": ("string", "an instant, ISO 8601 with its time zone"),
    "commune": ("string", "a commune's INSEE code"),
    "cursor": ("integer", "where to go on, as the page before said"),
    "from": ("string", "the period's start, ISO 8601"),
    "latitude": ("string", "degrees, as 48.3904"),
    "longitude": ("string", "degrees, as -4.4861"),
    "people": ("integer", "how many people look for a place together, 1 by default"),
    "radius_km": ("integer", "how far, 30 by default"),
    "remote": ("string", "no: only what is done there"),
    "skills": ("string", "codes of the vocabulary of skills, with commas"),
    "limit": ("integer", "rows in a page, 1 to 200, 50 by default"),
    "state": ("string", "a project's state, open by default, or all"),
    "text": ("string", "words to look for in titles, places and themes"),
    "territory": ("string", "a territory's code"),
    "urgency": ("integer", "0 calm, 1 this season, 2 within weeks, 3 within days: so urgent at least"),
    "near": ("string", "latitude,longitude in degrees, as 48.39,-4.48"),
    "within": ("integer", "metres from there at most"),
    "theme": ("string", "a theme of the vocabulary"),
    "purchase": ("string", "a sale, by the till's own id"),
    "order": ("string", "newest or oldest first"),
    "to": ("string", "the period's end, not included, ISO 8601"),
}
_REFUSAL: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["code", "facts", "explanation"],
    "properties": {
        "code": {"type": "string", "description": "stable, for programs"},
        "facts": {"type": "object", "additionalProperties": {"anyOf": [{"type": "integer"}, {"type": "string"}]}},
        "explanation": {"type": "string", "description": "French, or English by Accept-Language"},
    },
}
_PROBLEM: Final = {
    "type": "object",
    "required": ["type", "title", "status", "detail", *_REFUSAL["required"]],
    "properties": {
        "type": {"const": "about:blank"},
        "title": {"type": "string", "description": "of the status"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "the explanation"},
        **_REFUSAL["properties"],
    },
}
_ERRORS: Final = {
    "400": "the request can never be right: shape, amount, address, id",
    "401": "no valid key",
    "403": "the key lacks a scope, or is bound to another account",
    "404": "unknown",
    "409": "an id used before with another content",
    "413": "a body of more than 2 MiB",
    "422": "refused by the state of the books",
    "502": "the hub is needed and does not answer",
    "503": "the storage refuses: try again with the same id",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One door: what it is called, which scope opens it (none: everybody), what goes in and what comes out."""

    method: str
    path: str
    name: str
    summary: str
    scope: str = ""
    body: type[msgspec.Struct] | None = None
    answers: tuple[type[msgspec.Struct], ...] = ()
    query: tuple[str, ...] = ()
    creates: bool = False  # 201 when new, 200 when repeated
    waits: bool = False  # 202 while another base has not answered
    limited: bool = False  # 429 after too many tries
    asks: type[msgspec.Struct] | None = None  # what stands in the query
    upload: str = ""  # the body is a file of this media type
    files: tuple[str, ...] = ()  # media types that the answer may be asked for instead of JSON
    is_problem: bool = False  # refusals are application/problem+json (RFC 9457)


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """What an API says of itself beside its doors."""

    title: str = "Citizen-Miles node"
    words: str = (
        "Amounts are whole cents. Ids are UUIDs in lower case, chosen by the caller: the same id with the same"
        " content is answered again and never done twice; with another content it is refused."
    )
    key: str = "cmk_<id>_<secret>"  # what a caller proves itself with


NODE_API: Final = Api()


def describe_api(routes: Sequence[Route], api: Api = NODE_API) -> dict[str, Any]:
    """Return the document."""
    structs = {one for route in routes for one in (route.body, route.asks, *route.answers) if one is not None}
    ordered = sorted(structs, key=lambda struct: struct.__name__)
    _, schemas = msgspec.json.schema_components(ordered, ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _describe(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": api.title,
            "version": "1",
            "description": api.words,
            "license": {"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
        },
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": {**schemas, **_describe_refusals(routes)},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": api.key}},
        },
    }


def _describe_refusals(routes: Sequence[Route]) -> dict[str, Any]:
    kinds: dict[str, Any] = {"Refusal": _REFUSAL}
    return kinds | {"Problem": _PROBLEM} if any(route.is_problem for route in routes) else kinds


def _describe(route: Route, schemas: Mapping[str, Any]) -> dict[str, Any]:
    refusal: dict[str, Any] = {"application/json": {"schema": _refer("Refusal")}}
    if route.is_problem:
        refusal = {"application/problem+json": {"schema": _refer("Problem")}}
    kinds = [_refer(one.__name__) for one in route.answers]
    schema = {"type": "object"} if not kinds else kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    done: dict[str, Any] = {"content": {"application/json": {"schema": schema}}}
    done["content"] |= {media: {"schema": {"type": "string"}} for media in route.files}
    responses: dict[str, Any] = {"200": {"description": "done", **done}}
    if route.creates:
        responses["200"]["description"] = "done before under this id"
        responses["201"] = {"description": "done", **done}
    if route.waits:
        responses["202"] = {"description": "taken; what another base has to answer is not there yet", **done}
    if route.scope or route.body is not None or route.query or "{" in route.path:
        responses |= {status: {"description": told, "content": refusal} for status, told in _ERRORS.items()}
    if route.limited:
        responses["429"] = {"description": "too many tries: wait as Retry-After says", "content": refusal}
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", route.path)
    ]
    in_query = [
        {"name": name, "in": "query", "description": QUERY[name][1], "schema": {"type": QUERY[name][0]}}
        for name in route.query
    ]
    if route.asks is not None:
        in_query += _describe_query(schemas[route.asks.__name__])
    described: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "description": f"Scope: {route.scope}" if route.scope else "Open to everybody",
        "parameters": in_path + in_query,
        "responses": responses,
    }
    if not route.scope:
        described["security"] = []
    if route.body is not None:
        content = {"application/json": {"schema": _refer(route.body.__name__)}}
        described["requestBody"] = {"required": True, "content": content}
    if route.upload:
        described["requestBody"] = {"required": True, "content": {route.upload: {}}}
    return described


def _describe_query(struct: Mapping[str, Any]) -> list[dict[str, Any]]:
    required = struct.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": schema}
        for name, schema in struct["properties"].items()
    ]


def _refer(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
