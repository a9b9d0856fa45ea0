"""FlowNally's event API, as its document has it: ``docs/flownally.md`` says where each of its statements is held."""

from __future__ import annotations

from typing import Final

from engine.access import Scope
from engine.api.dialect import Dialect, Route, scopes
from engine.api.flownally import events, types
from engine.api.flownally.shapes import refuse

DIALECT: Final = Dialect(
    "flownally",
    (
        Route("GET", "/v1/event-types", types.list_types, scopes(Scope.EVENT_TYPE_LIST)),
        Route("POST", "/v1/event-types", types.create_type, scopes(Scope.EVENT_TYPE_CREATE)),
        Route("GET", "/v1/event-types/{id}", types.get_type, scopes(Scope.EVENT_TYPE_READ)),
        Route("PATCH", "/v1/event-types/{id}", types.update_type, scopes(Scope.EVENT_TYPE_UPDATE)),
        Route("DELETE", "/v1/event-types/{id}", types.delete_type, scopes(Scope.EVENT_TYPE_DELETE)),
        Route("GET", "/v1/events", events.list_events, scopes(Scope.EVENT_LIST)),
        Route("POST", "/v1/events", events.create_event, scopes(Scope.EVENT_CREATE)),
        Route("GET", "/v1/events/{id}", events.get_event, scopes(Scope.EVENT_READ)),
        Route("GET", "/v1/contacts/{contactId}/events", events.list_contact_events, scopes(Scope.EVENT_LIST)),
        Route("POST", "/v1/contacts/{contactId}/events", events.create_contact_event, scopes(Scope.EVENT_CREATE)),
    ),
    refuse,
)
