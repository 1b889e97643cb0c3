"""The API described as OpenAPI 3.1, from the same structs that read the requests. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

Route = tuple[str, str, Callable[..., Any], type[msgspec.Struct] | None]

_REFUSAL = {
    "type": "object",
    "required": ["code", "facts", "explanation"],
    "properties": {
        "code": {"type": "string"},
        "facts": {"type": "object"},
        "explanation": {"type": "string"},
    },
}
_ERRORS = {
    "400": "malformed",
    "401": "no valid key",
    "403": "the key lacks a scope",
    "404": "unknown",
    "409": "an id reused with another content",
    "413": "too large",
    "422": "refused by the state of the books",
    "503": "the storage refuses to write: try again with the same id",
}


def describe_api(routes: Sequence[Route]) -> dict[str, Any]:
    """Return the document."""
    bodies = [body for _, _, _, body in routes if body is not None]
    _, schemas = msgspec.json.schema_components(bodies, ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    for method, path, handler, body in routes:
        paths.setdefault(path, {})[method.lower()] = _describe(path, handler, body)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Citizen-Miles node",
            "version": "1",
            "description": "Amounts are whole cents. Ids are UUIDs given by the caller and make every call repeatable.",
        },
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Refusal": _REFUSAL},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _describe(path: str, handler: Callable[..., Any], body: type[msgspec.Struct] | None) -> dict[str, Any]:
    refusal = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    described: dict[str, Any] = {
        "operationId": handler.__name__,
        "summary": (handler.__doc__ or "").strip(),
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in re.findall(r"{(\w+)}", path)
        ],
        "responses": {
            "200": {"description": "done"},
            **{status: {"description": told, "content": refusal} for status, told in _ERRORS.items()},
        },
    }
    if body is not None:
        reference = {"$ref": f"#/components/schemas/{body.__name__}"}
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": reference}}}
    return described
