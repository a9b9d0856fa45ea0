"""Event types in the native API."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, Field

from engine.access import Scope
from engine.api import spellings
from engine.api.described import Described
from engine.api.dialect import Answer, Call, Refused, Route, scopes
from engine.api.event_types import asked, type_id
from engine.api.native_items import reference
from engine.api.native_paging import PAGING_BY_TYPE, limit
from engine.api.spellings import Kind
from engine.strict_json import kind, shown


class TypeShown(BaseModel):
    id: str
    name: str
    description: str | None
    json_schema: dict[str, Any] | None = Field(
        alias="schema", description="The JSON Schema of its events' properties; null where every event is taken."
    )
    predefined: bool
    created_at: str
    updated_at: str
    suggested_name: str | None = Field(description="A name by the convention, where its own is not by it.")


class TypesShown(BaseModel):
    event_types: list[TypeShown]
    after: str | None = Field(description="What to ask the next page with; null where there is none.")
    total: int


class TypeChanged(TypeShown):
    warnings: list[str] = Field(description="What could not be made sure of when its schema was changed.")


_CHANGE: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What is left out stays; a description or schema that is null goes.",
    "properties": {
        "name": reference("EventName"),
        "description": reference("Description"),
        "schema": {"type": ["object", "null"], "description": "A JSON Schema of objects."},
    },
    "additionalProperties": False,
}
_NEW: Final[dict[str, Any]] = {**_CHANGE, "description": "What is left out is null.", "required": ["name"]}

_FIELDS: Final = ("name", "description", "schema")


async def list_event_types(call: Call) -> Answer:
    """Predefined and custom ones, in the order in which they were made."""
    after = call.query.get("after") or None
    if after is not None and spellings.read(after, Kind.EVENT_TYPE) is None:
        raise Refused(400, "malformed", "after is none that a page gave", field="after")
    behind = None if after is None else type_id(after)
    page = await asked(call, call.engine.types.list, after=behind, limit=limit(call))
    return Answer(200, {"event_types": [one.plain() for one in page.types], "after": page.after, "total": page.total})


async def create_event_type(call: Call) -> Answer:
    """A custom one."""
    body = await _body(call)
    if "name" not in body:
        raise Refused(422, "name_missing", "a type needs the name of its events, such as 'signed_up'", field="name")
    return Answer(201, (await asked(call, call.engine.types.create, **body)).plain())


async def get_event_type(call: Call) -> Answer:
    """One, by its id."""
    return Answer(200, (await asked(call, call.engine.types.get, type_id(call.path["id"]))).plain())


async def update_event_type(call: Call) -> Answer:
    """What the body has is changed."""
    done = await asked(call, call.engine.types.update, type_id(call.path["id"]), **await _body(call))
    return Answer(200, {**done.type.plain(), "warnings": list(done.warnings)})


async def delete_event_type(call: Call) -> Answer:
    """A custom one of which no event is stored."""
    await asked(call, call.engine.types.delete, type_id(call.path["id"]))
    return Answer(204)


async def _body(call: Call) -> dict[str, Any]:
    body = await call.object()
    unknown = next((one for one in body if one not in _FIELDS), None)
    if unknown is not None:
        raise Refused(422, "unknown_field", f"'{shown(unknown)}' is not a field of an event type", field=shown(unknown))
    if not isinstance(body.get("name", ""), str):
        raise Refused(422, "name_not_text", f"name is {kind(body['name'])}; it is text", field="name")
    return body


ROUTES: Final = (
    Route(
        "GET", "/v1/event-types", list_event_types, scopes(Scope.EVENT_TYPE_LIST),
        described=Described("List event types", TypesShown, query=PAGING_BY_TYPE),
    ),
    Route(
        "POST", "/v1/event-types", create_event_type, scopes(Scope.EVENT_TYPE_CREATE),
        described=Described("Make an event type", TypeShown, status=201, body=_NEW, refusals=(409, 422)),
    ),
    Route(
        "GET", "/v1/event-types/{id}", get_event_type, scopes(Scope.EVENT_TYPE_READ),
        described=Described("Look at an event type", TypeShown),
    ),
    Route(
        "PATCH", "/v1/event-types/{id}", update_event_type, scopes(Scope.EVENT_TYPE_UPDATE),
        described=Described("Change an event type", TypeChanged, body=_CHANGE, refusals=(409, 422)),
    ),
    Route(
        "DELETE", "/v1/event-types/{id}", delete_event_type, scopes(Scope.EVENT_TYPE_DELETE),
        described=Described("Remove an event type", None, status=204, refusals=(409,)),
    ),
)  # fmt: skip
