"""FlowNally's event types."""

from __future__ import annotations

from typing import Any, Final

from engine.api.dialect import Answer, Call, Refused
from engine.api.event_types import asked, type_id
from engine.api.flownally import shapes

_WORDS: Final = {"schema": "payloadSchema"}
"""FlowNally's words for the engine's."""

_FIELDS: Final = {"name": "name", "description": "description", "payloadSchema": "schema"}
"""What a type is made of, and may be changed in, with the engine's words for it."""


async def list_types(call: Call) -> Answer:
    """Predefined and custom ones, in the order in which they were made."""
    found = await asked(call, call.engine.types.list, after=_after(call), limit=shapes.page_size(call))
    entries = [shapes.event_type(one, call.workspace.public_id) for one in found.types]
    return shapes.page("eventTypes", entries, found.after, found.total)


async def create_type(call: Call) -> Answer:
    """A custom one."""
    body = await shapes.body_of(call, *_FIELDS)
    name, description = shapes.required(body, "name"), shapes.optional(body, "description")
    with shapes.in_words(_WORDS):
        made = await asked(
            call, call.engine.types.create, name, schema=body.get("payloadSchema"), description=description
        )
    return Answer(201, shapes.event_type(made, call.workspace.public_id))


async def get_type(call: Call) -> Answer:
    """One, by its id."""
    found = await asked(call, call.engine.types.get, type_id(call.path["id"]))
    return Answer(200, shapes.event_type(found, call.workspace.public_id))


async def update_type(call: Call) -> Answer:
    """What the body has is changed; a description or schema that is null goes."""
    body = await shapes.body_of(call, *_FIELDS)
    changes: dict[str, Any] = {own: body[name] for name, own in _FIELDS.items() if name in body}
    if "name" in body:
        changes["name"] = shapes.required(body, "name")
    with shapes.in_words(_WORDS):
        done = await asked(call, call.engine.types.update, type_id(call.path["id"]), **changes)
    return Answer(200, shapes.event_type(done.type, call.workspace.public_id))


async def delete_type(call: Call) -> Answer:
    """A custom one of which no event is stored."""
    await asked(call, call.engine.types.delete, type_id(call.path["id"]))
    return Answer(204)


def _after(call: Call) -> str | None:
    token = shapes.page_token(call)
    try:
        return None if token is None else type_id(token)
    except Refused:
        raise Refused(400, "malformed", "pageToken is none that a page gave", field="pageToken") from None
