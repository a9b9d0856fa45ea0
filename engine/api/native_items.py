"""JSON Schemas of events and changes of traits, as exact as a schema can be about what the engine takes."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

from engine.model import Event, Identify, Limits

_COMPONENT: Final = "#/components/schemas/{name}"

TEXT_PATTERN: Final = r"^[^\u0000]*$"
"""A text without NUL."""

_BLANKS: Final = r"\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
NAME_PATTERN: Final = rf"^[^\u0000]*[^\u0000{_BLANKS}][^\u0000]*$"
"""A text without NUL that is not blank."""

_TEXT: Final = {"type": "string", "pattern": TEXT_PATTERN}
_IDS: Final = ("user_id", "anonymous_id", "contact_id", "previous_id", "message_id", "caused_by")
_PEOPLE: Final = ("user_id", "anonymous_id", "contact_id")


def reference(name: str) -> dict[str, Any]:
    """Return the reference to one of :func:`components`."""
    return {"$ref": _COMPONENT.format(name=name)}


ITEM: Final[dict[str, Any]] = {"anyOf": [reference("Event"), reference("Identify")]}
"""The body that is a single item."""

BATCHED: Final[dict[str, Any]] = {
    "anyOf": [*ITEM["anyOf"], {"description": "Anything else is rejected in its own outcome, not the batch."}]
}
"""An item of a batch."""


def components(limits: Limits, description_length: int) -> dict[str, Any]:
    """Return the schemas by name, with the figures of the settings."""
    return {
        "Event": _event(limits),
        "Identify": _identify(limits),
        "EventName": {"type": "string", "minLength": 1, "maxLength": limits.name_length, "pattern": NAME_PATTERN},
        "Description": {"type": ["string", "null"], "maxLength": description_length, "pattern": TEXT_PATTERN},
        "IdempotencyKey": {"type": "string", "maxLength": limits.id_length},
        "Value": _value(),
    }


def _value() -> dict[str, Any]:
    """Return the schema of whatever a property may be.

    No schema can bound how deep values nest, nor their bytes, nor tell an integer from ``1e30``, which is taken.
    """
    return {
        "anyOf": [
            {"type": ["null", "boolean"]},
            {"type": "number", "description": "Written without point or exponent, an integer of 64 bits."},
            _TEXT,
            {"type": "array", "items": reference("Value")},
            {"type": "object", "propertyNames": _TEXT, "additionalProperties": reference("Value")},
        ]
    }


def _event(limits: Limits) -> dict[str, Any]:
    kind = {"enum": ["track", None], "description": "`track`, or left out."}
    return {
        **_object(Event, {"type": kind, "event": reference("EventName")}, limits),
        "required": ["event"],
        "anyOf": [_named_by(name) for name in _PEOPLE],
    }


def _identify(limits: Limits) -> dict[str, Any]:
    alone = {"previous_id": {"enum": [None, ""]}}
    return {
        **_object(Identify, {"type": {"const": "identify"}}, limits),
        "required": ["type"],
        "anyOf": [
            _named_by("user_id"),
            *(_named_by(name, alone) for name in _PEOPLE[1:]),
        ],
    }


def _named_by(name: str, more: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the schema of items that one id names; ``previous_id`` stands beside a user id alone."""
    return {"properties": {name: {"type": "string", "minLength": 1}, **(more or {})}, "required": [name]}


def _object(model: type[BaseModel], own: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """Return the schema of a model's fields, described as there, with the bounds they have over HTTP."""
    bounds: dict[str, dict[str, Any]] = {
        **{name: {"type": ["string", "null"], "maxLength": limits.id_length, "pattern": TEXT_PATTERN} for name in _IDS},
        **dict.fromkeys(("properties", "traits"), _entries(limits)),
        "timestamp": {"type": ["string", "null"], "format": "date-time"},
        **own,
    }
    names = ["type", *model.model_fields]
    described = {name: {"description": field.description} for name, field in model.model_fields.items()}
    return {
        "type": "object",
        "description": model.__doc__,
        "properties": {name: {**described.get(name, {}), **bounds[name]} for name in names},
        "additionalProperties": False,
    }


def _entries(limits: Limits) -> dict[str, Any]:
    return {
        "type": ["object", "null"],
        "maxProperties": limits.properties,
        "propertyNames": _TEXT,
        "additionalProperties": reference("Value"),
    }
