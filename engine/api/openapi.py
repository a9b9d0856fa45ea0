"""The description of the native API: OpenAPI 3.1, made from what its routes say of themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from engine.api import native_items
from engine.api.described import Described, Parameter
from engine.api.dialect import Dialect, Route
from engine.model import Limits

_REF: Final = "#/components/schemas/{model}"
_JSON: Final = "application/json"
_EVERY: Final = (400, 401, 403, 404, 405, 413, 429, 500, 503)
"""What any route may refuse with."""

_MEANINGS: Final = {
    400: "The request is malformed",
    401: "No key, or one that is not good",
    403: "The key lacks a scope",
    404: "There is no such thing",
    405: "The route does not take this method",
    408: "The body did not come in time",
    409: "It was used before, with something else",
    413: "The body is too large",
    415: "The body's encoding is not taken",
    422: "A value is not what it should be",
    429: "Too many requests",
    500: "A fault of the service",
    503: "The store cannot be used just now",
}

REFUSAL: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "field": {"type": ["string", "null"]},
            },
            "required": ["code", "message", "field"],
        },
        "request_id": {"type": "string"},
    },
    "required": ["error", "request_id"],
}


@cache
def document(native: Dialect, limits: Limits, description_length: int) -> dict[str, Any]:
    """Return the whole document, made when it is first asked for, with the figures of the settings."""
    described = [(route, route.described) for route in native.routes if route.described is not None]
    schemas, components = _schemas(described)
    paths: dict[str, dict[str, Any]] = {}
    for route, said in described:
        paths.setdefault(f"/native{route.path}", {})[route.method.lower()] = _operation(route, said, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lapse", "version": "1", "description": "Events in, journeys decided, actions out."},
        "paths": paths,
        "security": [{"key": []}],
        "components": {
            "schemas": {**components, **native_items.components(limits, description_length), "Refusal": REFUSAL},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


_Schemas = dict[tuple[int, JsonSchemaMode], dict[str, Any]]
"""By the identity of a type."""


def _schemas(described: Iterable[tuple[Route, Described]]) -> tuple[_Schemas, dict[str, Any]]:
    wanted: dict[tuple[int, JsonSchemaMode], tuple[int, JsonSchemaMode, Any]] = {}
    for _, said in described:
        for kind, mode in ((said.body, "validation"), (said.answer, "serialization")):
            if kind is not None and not isinstance(kind, dict):
                key: tuple[int, JsonSchemaMode] = (id(kind), mode)  # type: ignore[assignment]
                wanted[key] = (*key, TypeAdapter(kind).core_schema)
    made, components = GenerateJsonSchema(ref_template=_REF).generate_definitions(list(wanted.values()))
    return {key: made[key] for key in wanted}, {str(name): one for name, one in components.items()}


def _operation(route: Route, said: Described, schemas: _Schemas) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "Done"}
    if said.answer is not None:
        answer["content"] = {_JSON: {"schema": schemas[id(said.answer), "serialization"]}}
    refused = {"$ref": "#/components/schemas/Refusal"}
    operation: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": said.summary,
        "description": f"Scope: {', '.join(sorted(route.scopes))}.",
        "parameters": [
            *_path_parameters(route.path),
            *(_parameter("query", one) for one in said.query),
            *(_parameter("header", one) for one in said.headers),
        ],
        "responses": {
            str(said.status): answer,
            **{
                str(status): {"description": _MEANINGS[status], "content": {_JSON: {"schema": refused}}}
                for status in sorted({*_EVERY, *said.refusals, *((408, 415) if said.body is not None else ())})
            },
        },
    }
    if said.body is not None:
        schema = said.body if isinstance(said.body, dict) else schemas[id(said.body), "validation"]
        operation["requestBody"] = {"required": True, "content": {_JSON: {"schema": schema}}}
    if said.media:
        content: dict[str, Any] = {kind: {"schema": {}} for kind in said.media}
        operation["requestBody"] = {"required": said.needs_media, "content": content}
    return operation


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"\{(\w+)\}", path)
    ]


def _parameter(place: str, one: Parameter) -> dict[str, Any]:
    return {"name": one.name, "in": place, "required": one.required, "description": one.meaning, "schema": one.schema}
